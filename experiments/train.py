"""Train a frame-based action model on a dataset, or go on with a run that was stopped.

  python -m experiments.train --config=experiments/configs/tiny.py --config.data.path=DIR --workdir=DIR

The run's folder holds config.json, metrics.jsonl, tensorboard/ and checkpoints/. The same command goes on with it.
"""

import pathlib

from absl import flags
from ml_collections import config_flags

from data_gen.errors import UserError
from data_gen.program import run
from rcfam_jax.training.loop import train

_CONFIG = config_flags.DEFINE_config_file("config", None, "The configuration, a file in experiments/configs.")
_WORKDIR = flags.DEFINE_string("workdir", None, "The run's folder.", required=True)
flags.mark_flag_as_required("config")


def main() -> None:
    """Train as the flags say."""
    config = _CONFIG.value
    if not config.data.path:
        raise UserError("no dataset: give --config.data.path=DIR")
    train(config, pathlib.Path(_WORKDIR.value))


if __name__ == "__main__":
    run(main)
