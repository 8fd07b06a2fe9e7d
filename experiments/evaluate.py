"""Measure a trained model on held-out windows, beside predictors that see no frames.

  python -m experiments.evaluate --workdir=DIR

Prints a table and writes DIR/evaluation.json. Intervals are 95%, by bootstrap over windows.
"""

import pathlib

from absl import flags

from data_gen.errors import UserError
from data_gen.program import run
from rcfam_jax.training import evaluation
from rcfam_jax.training.baselines import fit_baselines
from rcfam_jax.training.checkpoints import load_config
from rcfam_jax.training.loop import load_trained
from rcfam_jax.training.windows import validation_places

_WORKDIR = flags.DEFINE_string("workdir", None, "The run's folder.", required=True)
_WINDOWS = flags.DEFINE_integer("windows", 0, "How many held-out windows, evenly spaced; 0: all.", lower_bound=0)


def main() -> None:
    """Evaluate as the flags say."""
    workdir = pathlib.Path(_WORKDIR.value)
    config = load_config(workdir)
    trained = load_trained(workdir, config)
    streams = trained.corpus.splits.validation
    if not streams:
        raise UserError("nothing is held out: no recording has two commits, and data.validation_recordings is empty")
    window = config.data.window
    places = validation_places(streams, window, _WINDOWS.value)
    described = {"model": evaluation.describe(trained.evaluator.count(trained.params, streams, places))}
    baselines = fit_baselines(trained.corpus.splits.training, trained.corpus.tokenizer.vocab_size)
    for name, baseline in baselines.items():
        described[name] = evaluation.describe(evaluation.count_baseline(baseline, streams, places, window))
    evaluation.save(workdir / "evaluation.json", trained.step, described)
    print(f"step {trained.step:,}, {len(places):,} windows, {described['model']['tokens']:,} tokens")
    print(evaluation.table(described))


if __name__ == "__main__":
    run(main)
