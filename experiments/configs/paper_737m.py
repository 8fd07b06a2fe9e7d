"""The paper's 737M model: D = 1,024, H = 4,096, n = 3, P = L = 2; 737.6 million parameters.

  python -m experiments.train --config=experiments/configs/paper_737m.py --config.data.path=DIR --workdir=DIR \
    --config.data.window=T --config.data.batch_size=B --config.train.accumulate=A --config.train.steps=4000

Technical excellence (section 10.4.2): training loss at step 4,000 and sustained accuracy.

      T     B  A   loss sustained  PFLOP/step  s/step  hours  GB/GPU GB host
    128   512  4   0.73      4.56         214    67.5   75.0    37.1    5.03

A forward pass takes 816 GFLOP a frame. Hours and memory are estimates for eight H100, made as base.py explains.
The paper's learning rates are lost.
"""

from ml_collections import ConfigDict

from experiments.configs import base


def get_config() -> ConfigDict:
    """Sizes from section 10.4's tables; bfloat16, without which cuDNN's attention is not to be had."""
    config = base.get_config()
    config.model.update(frame_width=1024, num_heads=16, core_width=4096, dtype="bfloat16")
    return config
