"""The paper's 82M model: D = H = 768, n = 3, P = L = 2; 82.0 million parameters.

  python -m experiments.train --config=experiments/configs/paper_82m.py --config.data.path=DIR --workdir=DIR

Training loss at step 4,000 and sustained accuracy by frames a window (config.data.window) and batch size:

  T        batch 512      batch 1,024
  2       4.69 / 0.35     4.22 / 0.28
  4       3.01 / 0.45     2.98 / 0.63
  16      1.88 / 2.03     1.61 / 1.99
  128     1.01 / 3.71     0.82 / 4.32
  512     0.71 / 5.24
  1,024   0.61 / 6.20

and on compilers and interpreters, step 1,000, T = 256, batch 512: 0.17 / 212.

A forward pass takes 523 GFLOP a frame; a step recomputes it once, so four times that. At T = 128 and batch 512 this is
137 PFLOP a step. The paper does not name its hardware, and its learning rates are lost.
"""

from ml_collections import ConfigDict

from experiments.configs import base


def get_config() -> ConfigDict:
    """Sizes from section 10.4's tables; bfloat16, without which cuDNN's attention is not to be had."""
    config = base.get_config()
    config.model.update(dtype="bfloat16")
    return config
