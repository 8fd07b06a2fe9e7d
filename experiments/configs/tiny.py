"""A small model that learns a small history on two CPU cores in about three minutes.

python -m experiments.train --config=experiments/configs/tiny.py --config.data.path=DIR --workdir=DIR
"""

from ml_collections import ConfigDict

from experiments.configs import base


def get_config() -> ConfigDict:
    """For frames of 12 x 48 and 1,024 tokens."""
    config = base.get_config()
    config.model.update(
        rows=12,
        columns=48,
        frame_width=48,
        pooling_stages=2,
        frame_blocks=1,
        num_heads=2,
        core_width=128,
        core_layers=1,
        vocabulary_size=1024,
    )
    config.data.update(window=64, batch_size=8, read_threads=2)
    config.optimizer.update(muon_learning_rate=2e-2, adamw_learning_rate=3e-3, warmup_steps=20)
    config.bptt.update(mode="in_graph", chunk=32, head_steps=4, offload=False)
    config.train.update(steps=600, log_every=10, validate_every=200, validation_windows=64, checkpoint_every=200)
    return config
