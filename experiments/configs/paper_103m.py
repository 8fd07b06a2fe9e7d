"""The paper's 103M model: D = H = 768, n = 6, P = L = 2; 103.2 million parameters.

  python -m experiments.train --config=experiments/configs/paper_103m.py --config.data.path=DIR --workdir=DIR \
    --config.data.window=T --config.data.batch_size=B --config.train.accumulate=A --config.train.steps=1000

Compilers and interpreters (section 10.4.1): training loss at step 1,000 and sustained accuracy.

      T     B  A   loss sustained  PFLOP/step  s/step  hours  GB/GPU GB host
      2   512  4   2.33      1.06        2.62    0.83   0.23    26.6    0.08
     16   512  4   1.11      3.02        20.9    6.61   1.84    26.6    0.63
    128   512  4   0.25       141         167    52.9   14.7    26.7    5.03

A forward pass takes 639 GFLOP a frame. Hours and memory are estimates for eight H100, made as base.py explains.
The paper's learning rates are lost.
"""

from ml_collections import ConfigDict

from experiments.configs import base


def get_config() -> ConfigDict:
    """Sizes from section 10.4's tables; bfloat16, without which cuDNN's attention is not to be had."""
    config = base.get_config()
    config.model.update(frame_blocks=6, dtype="bfloat16")
    config.train.steps = 1000
    return config
