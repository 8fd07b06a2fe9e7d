"""The paper's 145M model: D = H = 768, n = 12, P = L = 2; 145.8 million parameters.

  python -m experiments.train --config=experiments/configs/paper_145m.py --config.data.path=DIR --workdir=DIR \
    --config.data.window=T --config.data.batch_size=B --config.train.accumulate=A --config.train.steps=1000

Compilers and interpreters (section 10.4.1): training loss at step 1,000 and sustained accuracy.

      T     B  A   loss sustained  PFLOP/step  s/step  hours  GB/GPU GB host
    128   512  4   0.23       150         228    72.0   20.0    39.6    5.03

A forward pass takes 870 GFLOP a frame. Hours and memory are estimates for eight H100, made as base.py explains.
The paper's learning rates are lost.
"""

from ml_collections import ConfigDict

from experiments.configs import base


def get_config() -> ConfigDict:
    """Sizes from section 10.4's tables; bfloat16, without which cuDNN's attention is not to be had."""
    config = base.get_config()
    config.model.update(frame_blocks=12, dtype="bfloat16")
    config.train.steps = 1000
    return config
