"""The paper's 103M model: D = H = 768, n = 6, P = L = 2; 103.2 million parameters.

  python -m experiments.train --config=experiments/configs/paper_103m.py --config.data.path=DIR --workdir=DIR

Compilers and interpreters (section 10.4.1): training loss at step 1,000 and sustained accuracy at batch 512, by frames
a window (config.data.window): T = 2: 2.33 / 1.06; T = 16: 1.11 / 3.02; T = 128: 0.25 / 141.

A forward pass takes 639 GFLOP a frame; a step recomputes it once, so four times that. At T = 128 and batch 512 this is
168 PFLOP a step. The paper does not name its hardware, and its learning rates are lost.
"""

from ml_collections import ConfigDict

from experiments.configs import base


def get_config() -> ConfigDict:
    """Sizes from section 10.4's tables; bfloat16, without which cuDNN's attention is not to be had."""
    config = base.get_config()
    config.model.update(frame_blocks=6, dtype="bfloat16")
    config.train.steps = 1000
    return config
