"""A small model that learns to read its screen in about three minutes on two CPU cores: the demo's.

  XLA_FLAGS=--xla_force_host_platform_device_count=2 \
  python -m experiments.train --config=experiments/configs/tiny.py --config.data.path=DIR --workdir=DIR

One device a core, since small matrices leave a second core idle: about 1,000 frames/s. The process takes up to
1.5 GB of memory. What takes longest is to find the cursor: held-out accuracy stays near 0.1 for some 500 steps and then
doubles.
"""

from ml_collections import ConfigDict

from experiments.configs import base


def get_config() -> ConfigDict:
    """For frames of 6 x 24 and 272 tokens: nearly every token is one key."""
    config = base.get_config()
    config.model.update(
        rows=6,
        columns=24,
        frame_width=32,
        pooling_stages=2,
        frame_blocks=1,
        num_heads=1,
        core_width=64,
        core_layers=1,
        vocabulary_size=272,
    )
    # Many short windows: what takes longest to learn is to find the cursor, and for that different screens count.
    config.data.update(window=4, batch_size=32, read_threads=2)
    config.optimizer.update(
        muon_learning_rate=1e-2, adamw_learning_rate=3e-3, adam_b2=0.99, weight_decay=0.0, warmup_steps=20
    )
    config.bptt.update(mode="in_graph", chunk=4, head_steps=1, offload=False)
    config.train.update(steps=1600, log_every=10, validate_every=400, validation_windows=512, checkpoint_every=500)
    return config
