"""Measure a trained model on held-out windows, beside predictors that see no frames.

  python -m experiments.evaluate --workdir=DIR

Prints a table and writes DIR/evaluation.json. Intervals are 95%, by bootstrap over windows. Where the run left out
what it could not read (data.skip_corrupt), so does this, and counts it.
"""

import pathlib
from collections.abc import Sequence
from typing import Any

from absl import flags
from ml_collections import ConfigDict

from data_gen.errors import UserError
from data_gen.program import run
from rcfam_jax.training import evaluation
from rcfam_jax.training.baselines import fit_baselines
from rcfam_jax.training.checkpoints import load_config
from rcfam_jax.training.loop import Trained, load_trained
from rcfam_jax.training.unreadable import telling_how_to_regenerate
from rcfam_jax.training.windows import Place, validation_places

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
    places = validation_places(streams, config.data.window, _WINDOWS.value)
    with telling_how_to_regenerate(trained.corpus.dataset):
        described = _measure(trained, config, places)
    evaluation.save(workdir / "evaluation.json", trained.step, described)
    model = described["model"]
    print(f"step {trained.step:,}, {model['windows']:,} windows, {model['tokens']:,} tokens")
    if model["skipped_windows"] or described["frequent_token"]["skipped_records"]:
        print(
            f"left out, since they cannot be read: {model['skipped_windows']:,} windows, and of what the baselines are "
            f"fitted on {described['frequent_token']['skipped_records']:,} records"
        )
    print(evaluation.table(described))


def _measure(trained: Trained, config: ConfigDict, places: Sequence[Place]) -> dict[str, dict[str, Any]]:
    """The model and the baselines on the held-out windows at `places`, described, by name."""
    splits, skip = trained.corpus.splits, config.data.skip_corrupt
    counts = {"model": trained.evaluator.count(trained.params, splits.validation, places)}
    fitted = fit_baselines(splits.training, trained.corpus.tokenizer.vocab_size, skip)
    for name, baseline in fitted.baselines.items():
        counts[name] = evaluation.count_baseline(baseline, splits.validation, places, config.data.window, skip)
    described = {name: evaluation.describe(count) for name, count in counts.items()}
    for name, description in described.items():
        description["skipped_windows"] = len(places) - description["windows"]
        if name in fitted.baselines:
            description["skipped_records"] = fitted.skipped_records
    return described


if __name__ == "__main__":
    run(main)
