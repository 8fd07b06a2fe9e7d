"""Every field of a training run and its value for the paper's 82M model; other configurations start from this one.

  python -m experiments.train --config=experiments/configs/base.py --config.data.path=DIR --workdir=DIR

The paper names no hardware. Those other configurations estimate each of its rows for one machine with eight H100 of
80 GB, a share of every batch on each; nothing of that has been measured.

- PFLOP a step: by rcfam_jax/analysis/flops.py, four times a forward pass: bptt.mode is in_graph, the fastest that fits,
  which goes forward twice and backward once, and backward counts as two.
- Time: at 40% of the eight GPUs' dense peak in bfloat16, 989 TFLOP/s each. It takes for granted that neither the serial
  steps of the reduction LSTM nor the loader hold the GPUs up.
- A, parts of a batch (train.accumulate): as few as leave what the frame heads of one step of one part keep for their
  backward pass (rcfam_jax/training/bptt/choice.py) within 40 GB of a GPU.
- GB a GPU: that, 16 bytes a parameter, and the frames of its share of the batch, 2 bytes a cell. What the backward pass
  hands on from layer to layer comes on top.
- GB of the host: the frames of five batches, four of them read ahead. What is offloaded is less than 1 GB.
"""

import dataclasses

from ml_collections import ConfigDict

from rcfam_jax.model.config import ModelConfig


def get_config() -> ConfigDict:
    """The paper's model at 128 frames a window (section 10.4.2). Its rates are lost: these are the author's."""
    return ConfigDict(
        {
            "model": dataclasses.asdict(ModelConfig()),
            "data": {
                "path": "",  # the dataset's folder
                "tokenizer": "",  # its file; by default tokenizer.json in the dataset's folder
                "window": 128,  # tokens of a training example, T
                "batch_size": 512,  # windows a step, over all processes
                "validation_fraction": 0.1,  # of each recording's commits, the last ones
                "validation_recordings": (),  # if any are named, whole recordings are held out instead
                "read_threads": 16,
                "read_ahead": 4,  # batches
                "skip_corrupt": False,  # count windows whose record cannot be read and go on without them
            },
            "optimizer": {
                "muon_learning_rate": 2e-3,
                "adamw_learning_rate": 2e-3,
                "muon_momentum": 0.95,
                "adam_b1": 0.9,
                "adam_b2": 0.999,
                "weight_decay": 0.01,
                "warmup_steps": 0,
            },
            "bptt": {
                "mode": "auto",  # "plain", "in_graph", "chunked" (any T), or the fastest of them that fits
                "chunk": 32,  # frames computed together, K
                "head_steps": 1,  # steps of the batch whose frame heads are computed at once; divides chunk
                "offload": True,  # keep what a chunk saves in the host's memory; "chunked" always does
                "self_check": True,  # before offloading, prove that its gradient is right on these devices
                "carry": "reset",  # or "continue": windows follow each other, each takes on the last one's carry
            },
            "train": {
                "seed": 0,
                "steps": 4000,
                "accumulate": 1,  # parts in which a batch goes through the device one after the other
                "log_every": 10,
                "validate_every": 500,
                "validation_windows": 512,  # of those in the validation part, evenly spaced
                "checkpoint_every": 100,
                "keep_checkpoints": 2,
            },
        }
    )
