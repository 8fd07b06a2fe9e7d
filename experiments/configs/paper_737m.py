"""The paper's 737M model: D = 1,024, H = 4,096, n = 3, P = L = 2; 737.6 million parameters.

  python -m experiments.train --config=experiments/configs/paper_737m.py --config.data.path=DIR --workdir=DIR

Technical excellence (section 10.4.2): training loss at step 4,000 and sustained accuracy at batch 512 and
T = 128: 0.73 / 4.56.

A forward pass takes 816 GFLOP a frame; a step recomputes it once, so four times that. At T = 128 and batch 512 this is
214 PFLOP a step. The paper does not name its hardware, and its learning rates are lost.
"""

from ml_collections import ConfigDict

from experiments.configs import base


def get_config() -> ConfigDict:
    """Sizes from section 10.4's tables; bfloat16, without which cuDNN's attention is not to be had."""
    config = base.get_config()
    config.model.update(frame_width=1024, num_heads=16, core_width=4096, dtype="bfloat16")
    return config
