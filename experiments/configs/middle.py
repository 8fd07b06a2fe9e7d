"""A model between the demo's and the paper's: frames of 24 x 80, D = H = 256, n = P = L = 2; 7.0 million parameters.

  python -m experiments.train --config=experiments/configs/middle.py --config.data.path=DIR --workdir=DIR

A forward pass takes 11.7 GFLOP a frame; a step recomputes it once, so four times that: 3 TFLOP a step, about half a
minute on two CPU cores, and 4,000 steps a day and a half. Weights, gradients and the optimizer take 0.1 GB, and what
the frame heads of one step of four windows keep for their backward pass 0.6 GB (rcfam_jax/training/bptt/choice.py).
`python -m benchmarks.train_step` measures it.
"""

from ml_collections import ConfigDict

from experiments.configs import base


def get_config() -> ConfigDict:
    """For a dataset generated with --rows=24 --cols=80 and a tokenizer of 2,048 tokens."""
    config = base.get_config()
    config.model.update(
        rows=24, columns=80, frame_width=256, frame_blocks=2, num_heads=4, core_width=256, vocabulary_size=2048
    )
    config.data.update(window=16, batch_size=4, read_threads=2)
    config.bptt.update(chunk=16, offload=False)
    return config
