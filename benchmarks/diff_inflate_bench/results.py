"""Inspect logs of the benchmark, read into numbers."""

import math
import pathlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from zipfile import BadZipFile

from inspect_ai.log import EvalLog, EvalLogInfo, EvalSample, list_eval_logs, read_eval_log
from inspect_ai.scorer import CORRECT, INCORRECT

from benchmarks.diff_inflate_bench.scorers import TRUNCATED
from data_gen.errors import UserError

TASK = "diff_inflate_bench"
_Z = 1.959964  # of a 95% interval


class Proportion(NamedTuple):
    """How many of so many."""

    hits: int
    total: int

    def wilson(self) -> tuple[float, float]:
        """The ends of the 95% Wilson score interval; of nothing, 0 and 1."""
        if not self.total:
            return 0.0, 1.0
        share, spread = self.hits / self.total, _Z**2 / self.total
        middle = share + spread / 2
        half = _Z * math.sqrt(share * (1 - share) / self.total + spread / (4 * self.total))
        low, high = (middle - half) / (1 + spread), (middle + half) / (1 + spread)
        return max(0.0, min(share, low)), min(1.0, max(share, high))  # rounding may have led out of these


@dataclass(slots=True)
class Result:
    """The samples that a model, or a solver that asks none, answered with so many lines of context.

    `name` tells how much the model was to reason too; `judge` is the judge's model, or nothing.
    """

    name: str
    context: int
    judge: str
    expected: int
    samples: list[EvalSample] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Point:
    """A result for one number of patches.

    `scores` has the right and the scored answers by scorer; `similarity` is a mean, `None` of nothing. Tokens and cost
    (dollars, `None` if the prices are not known) are those of the answers and of the judge.
    """

    patches: int
    samples: int
    truncated: int
    scores: dict[str, Proportion]
    similarity: float | None
    input_tokens: int
    output_tokens: int
    cost: float | None


class Agreement(NamedTuple):
    """How a judge and a deterministic scorer judge the same answers."""

    both: int
    judge_only: int
    scorer_only: int
    neither: int


def read_results(folder: pathlib.Path) -> list[Result]:
    """The results logged in `folder`, by name and context; where there are several logs of one, the last.

    Raises `UserError` if there is none, if they are not of one set of samples or if a log cannot be read.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder")
    infos = [info for info in list_eval_logs(str(folder.absolute())) if info.task.replace("-", "_") == TASK]
    logs = sorted(map(_read_log, infos), key=lambda log: log.eval.created)
    sets = sorted({(log.eval.metadata or {}).get("samples_sha256", "") for log in logs})
    if len(sets) != 1:
        what = f"logs of {len(sets)} sets of samples, which cannot be compared" if sets else f"no logs of {TASK}"
        raise UserError(f"{folder}: {what}{''.join(f' {name[:12]}' for name in sets)}")
    results: dict[tuple[str, int], Result] = {}
    for log in logs:
        result = Result(
            _name(log),
            int((log.eval.metadata or {})["context"]),
            log.eval.task_args.get("judge", ""),
            (log.eval.dataset.samples or 0) * (log.eval.config.epochs or 1),
        )
        result.samples = [sample for sample in log.samples or [] if sample.scores and not sample.error]
        results[result.name, result.context] = result
    return [results[key] for key in sorted(results, key=lambda key: (key[0], -key[1]))]


def points(result: Result) -> list[Point]:
    """What `result` has, by number of patches."""
    lengths = sorted({sample.metadata["patches"] for sample in result.samples})
    return [_point(patches, [s for s in result.samples if s.metadata["patches"] == patches]) for patches in lengths]


def agreement(samples: Iterable[EvalSample], scorer: str) -> Agreement:
    """The judge against `scorer`, over the answers that both have scored."""
    pairs = [(_is_right(sample, "judge"), _is_right(sample, scorer)) for sample in samples]
    return Agreement(*(pairs.count(pair) for pair in ((True, True), (True, False), (False, True), (False, False))))


def _point(patches: int, samples: Sequence[EvalSample]) -> Point:
    scorers = [name for name in ("exact", "normalised", "judge") if any(name in (s.scores or {}) for s in samples)]
    scores = {}
    for name in scorers:
        verdicts = [verdict for sample in samples if (verdict := _is_right(sample, name)) is not None]
        scores[name] = Proportion(sum(verdicts), len(verdicts))
    values = [(sample.scores or {})["similarity"] for sample in samples]
    similar = [value.as_float() for value in values if value.reason != TRUNCATED]
    usages = [usage for sample in samples for usage in sample.model_usage.values()]
    costs = [usage.total_cost for usage in usages if usage.total_cost is not None]
    return Point(
        patches,
        len(samples),
        len(samples) - len(similar),
        scores,
        sum(similar) / len(similar) if similar else None,
        sum(u.input_tokens + (u.input_tokens_cache_read or 0) + (u.input_tokens_cache_write or 0) for u in usages),
        sum(usage.output_tokens for usage in usages),
        sum(costs) if len(costs) == len(usages) else None,
    )


def _is_right(sample: EvalSample, scorer: str) -> bool | None:
    score = (sample.scores or {}).get(scorer)
    return None if score is None or score.value not in (CORRECT, INCORRECT) else score.value == CORRECT


def _read_log(info: EvalLogInfo) -> EvalLog:
    try:
        return read_eval_log(info)
    except (BadZipFile, KeyError, ValueError) as error:
        raise UserError(f"{info.name}: not a log that Inspect can read: {error}") from None


def _name(log: EvalLog) -> str:
    """The model and how much it was to reason, or the solver where no model is asked."""
    if log.eval.model.startswith("none/") and log.eval.solver:
        return log.eval.solver.rpartition("@")[2].rpartition("/")[2]
    config = log.plan.config
    if config.reasoning_effort is not None:
        return f"{log.eval.model}, effort {config.reasoning_effort}"
    if config.reasoning_tokens is not None:
        return f"{log.eval.model}, {config.reasoning_tokens} tokens"
    return log.eval.model
