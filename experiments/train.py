"""Train a frame-based action model on a dataset, or go on with a run that was stopped.

  python -m experiments.train --config=experiments/configs/tiny.py --config.data.path=DIR --workdir=DIR

The run's folder holds config.json, metrics.jsonl, tensorboard/ and checkpoints/. The same command goes on with it;
SIGTERM ends it after a step, with a checkpoint.

Several processes that share the folders train one model on the devices of all, a batch's windows divided among them:

  python -m experiments.train ... --coordinator=HOST:PORT --processes=2 --process=0    # and on HOST2 --process=1
  srun python -m experiments.train ... --coordinator=auto    # Slurm, TPU pods: the cluster tells who is who
"""

import pathlib

from absl import flags
from ml_collections import config_flags

from data_gen.errors import UserError
from data_gen.program import run
from rcfam_jax.training.loop import train
from rcfam_jax.training.parallel import join_processes, leaving_at_once

_CONFIG = config_flags.DEFINE_config_file("config", None, "The configuration, a file in experiments/configs.")
_WORKDIR = flags.DEFINE_string("workdir", None, "The run's folder.", required=True)
_COORDINATOR = flags.DEFINE_string("coordinator", None, "Where the first of several processes listens; or auto.")
_PROCESSES = flags.DEFINE_integer("processes", None, "How many processes train together.", lower_bound=1)
_PROCESS = flags.DEFINE_integer("process", None, "Which of them this one is, from 0.", lower_bound=0)
flags.mark_flag_as_required("config")


def main() -> None:
    """Train as the flags say."""
    config = _CONFIG.value
    if not config.data.path:
        raise UserError("no dataset: give --config.data.path=DIR")
    if _COORDINATOR.value:
        join_processes(_COORDINATOR.value, _PROCESSES.value, _PROCESS.value)
    elif _PROCESSES.value is not None or _PROCESS.value is not None:
        raise UserError("--processes and --process need a --coordinator=HOST:PORT")
    with leaving_at_once():
        train(config, pathlib.Path(_WORKDIR.value))


if __name__ == "__main__":
    run(main)
