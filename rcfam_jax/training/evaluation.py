"""How well a model predicts held-out windows, beside predictors that see no frames."""

import json
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from ml_collections import ConfigDict

from data_gen.atomic import write_file
from data_gen.texz.record import TexzError
from rcfam_jax.training import metrics
from rcfam_jax.training.baselines import Baseline, with_previous
from rcfam_jax.training.bptt import chunked
from rcfam_jax.training.bptt.loss import token_scores
from rcfam_jax.training.frame_stream import FrameStream
from rcfam_jax.training.metrics import Estimate, TokenScores, WindowCounts
from rcfam_jax.training.parallel import Devices, gather, micro_batch_size
from rcfam_jax.training.streams import TokenStream
from rcfam_jax.training.unreadable import warn_of_skipped
from rcfam_jax.training.windows import NOWHERE, Batch, Place, Windows, batches, blank_window

METRICS: dict[str, Callable[[WindowCounts], float]] = {
    "cross_entropy": metrics.cross_entropy,
    "accuracy": metrics.accuracy,
    "sustained_accuracy": metrics.sustained_accuracy,
    "error_free_prefix": metrics.error_free_prefix,
    "windows_without_error": metrics.share_without_error,
}


class Evaluator:
    """Runs a model over windows, teacher-forced: every frame is the true one, whatever was predicted before."""

    def __init__(self, graphdef: Any, devices: Devices, config: ConfigDict):
        self._graphdef, self._devices, self._config = graphdef, devices, config
        self._decode = config.bptt.mode != "chunked"
        self._scores = jax.jit(lambda params, batch: token_scores(graphdef, params, batch, config.bptt)[1])

    def count(self, params: Any, streams: Sequence[TokenStream], places: Sequence[Place]) -> WindowCounts:
        """Score the windows at `places`, in order."""
        window, batch_size = self._config.data.window, micro_batch_size(self._config)
        steps = -(-len(places) // batch_size)
        padded = [*places, *[NOWHERE] * (steps * batch_size - len(places))]
        share = jax.process_index(), jax.process_count()
        blank = blank_window(self._config, self._decode)
        windows = Windows(streams, padded, window, batch_size, steps, *share, blank, self._decode)
        counts = []
        for local_batch in batches(windows, self._config.data):
            if self._decode:
                scores = self._scores(params, self._devices.scatter(local_batch))
            else:
                scores = self._chunked_scores(params, streams, local_batch)
            counts.append(metrics.count_windows(*gather((*scores, self._devices.scatter(local_batch["mask"])))))
        return WindowCounts(*(np.concatenate(arrays) for arrays in zip(*counts, strict=True)))

    def _chunked_scores(self, params: Any, streams: Sequence[TokenStream], local_batch: Batch) -> TokenScores:
        batch = local_batch | {"frames": FrameStream.of_batch(streams, local_batch, self._config)}
        return chunked.token_scores(self._graphdef, params, batch, self._config.bptt, self._devices.scatter)[1]

    def summary(self, params: Any, streams: Sequence[TokenStream], places: Sequence[Place]) -> dict[str, float]:
        """The metrics of the windows at `places`, each named `validation_...`."""
        counts = self.count(params, streams, places)
        return {f"validation_{name}": metric(counts) for name, metric in METRICS.items()}


def count_baseline(
    baseline: Baseline, streams: Sequence[TokenStream], places: Sequence[Place], window: int, skip_corrupt: bool = False
) -> WindowCounts:
    """Score a predictor without frames on the windows at `places`.

    With `skip_corrupt` those that cannot be read are left out, as `Evaluator` does; else they raise `TexzError`.
    """
    cross_entropy_WxT = np.zeros((len(places), window))
    correct_WxT = np.zeros((len(places), window), bool)
    mask_WxT = np.zeros((len(places), window), bool)
    for row, place in enumerate(places):
        length = place.stop - place.start
        try:
            tokens = with_previous(streams[place.stream], place.start, place.stop, skip_corrupt)
        except TexzError as error:
            if not skip_corrupt:
                raise
            warn_of_skipped(str(error))
            continue
        scores = baseline.score(*tokens)
        cross_entropy_WxT[row, :length], correct_WxT[row, :length] = scores
        mask_WxT[row, :length] = True
    return metrics.count_windows(cross_entropy_WxT, correct_WxT, mask_WxT)


def describe(counts: WindowCounts) -> dict[str, Any]:
    """All metrics with their intervals, as plain values."""
    return {
        "windows": len(counts.tokens_W),
        "tokens": int(counts.tokens_W.sum()),
        "without_any_error": bool((counts.correct_W == counts.tokens_W).all()),
        **{name: metrics.bootstrap(metric, counts)._asdict() for name, metric in METRICS.items()},
    }


def table(descriptions: dict[str, dict[str, Any]]) -> str:
    """Descriptions of several predictors as lines of text: a row per metric, a column per predictor."""
    lines = [f"{'':<24}" + "".join(f"{name:>28}" for name in descriptions)]
    for metric in METRICS:
        cells = []
        for description in descriptions.values():
            estimate = Estimate(**description[metric])
            bound = "≥ " if metric == "sustained_accuracy" and description["without_any_error"] else ""
            cells.append(f"{bound}{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]")
        lines.append(f"{metric.replace('_', ' '):<24}" + "".join(f"{cell:>28}" for cell in cells))
    return "\n".join(lines)


def save(path: pathlib.Path, step: int, descriptions: dict[str, dict[str, Any]]) -> None:
    """Write what was measured of the model after `step` steps and of the baselines."""
    write_file(path, (json.dumps({"step": step, **descriptions}, indent=2) + "\n").encode())
