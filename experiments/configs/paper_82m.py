"""The paper's 82M model: D = H = 768, n = 3, P = L = 2; 82.0 million parameters.

  python -m experiments.train --config=experiments/configs/paper_82m.py --config.data.path=DIR --workdir=DIR \
    --config.data.window=T --config.data.batch_size=B --config.train.accumulate=A --config.train.steps=4000

Technical excellence (section 10.4.2): training loss at step 4,000 and sustained accuracy.

      T     B  A   loss sustained  PFLOP/step  s/step  hours  GB/GPU GB host
      2   512  2   4.69      0.35        2.14    0.68   0.75    39.0    0.08
      4   512  2   3.01      0.45        4.29    1.35   1.50    39.0    0.16
     16   512  2   1.88      2.03        17.1    5.42   6.02    39.0    0.63
    128   512  2   1.01      3.71         137    43.3   48.1    39.1    5.03
    512   512  2   0.71      5.24         549     173    193    39.5    20.1
  1,024   512  2   0.61      6.20       1,097     347    385    40.0    40.3
      2 1,024  4   4.22      0.28        4.29    1.35   1.50    39.0    0.16
      4 1,024  4   2.98      0.63        8.57    2.71   3.01    39.0    0.31
     16 1,024  4   1.61      1.99        34.3    10.8   12.0    39.0    1.26
    128 1,024  4   0.82      4.32         274    86.7   96.3    39.3    10.1

Compilers and interpreters (section 10.4.1): training loss at step 1,000 and sustained accuracy.
(--config.train.steps=1000)

      T     B  A   loss sustained  PFLOP/step  s/step  hours  GB/GPU GB host
    256   512  2   0.17       212         274    86.7   24.1    39.3    10.1

A forward pass takes 523 GFLOP a frame. Hours and memory are estimates for eight H100, made as base.py explains.
The paper's learning rates are lost.
"""

from ml_collections import ConfigDict

from experiments.configs import base


def get_config() -> ConfigDict:
    """Sizes from section 10.4's tables; bfloat16, without which cuDNN's attention is not to be had."""
    config = base.get_config()
    config.model.update(dtype="bfloat16")
    return config
