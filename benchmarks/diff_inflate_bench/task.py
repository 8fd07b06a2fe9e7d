"""The benchmark as an Inspect task.

  inspect eval benchmarks/diff_inflate_bench/task.py --model openai/gpt-6-luna -T samples=FILE -T context=1

-T repo=PATH chooses the samples anew, -T judge=MODEL adds the judge. Relative paths start where the command is given.
"""

import os
import pathlib
import re

from inspect_ai import Task, task
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import GenerateConfig, get_model
from inspect_ai.scorer import Scorer

from benchmarks.diff_inflate_bench.dialogue import ask
from benchmarks.diff_inflate_bench.judge import judge as judge_scorer
from benchmarks.diff_inflate_bench.samples import CONTEXTS, DiffSample, SampleSet, read_samples
from benchmarks.diff_inflate_bench.scorers import exact, normalised, similarity
from benchmarks.diff_inflate_bench.selection import Choice, choose_samples
from data_gen.errors import UserError, one_line

_LEAST_REASONING = (
    (r"gpt-.*(chat|pro\b)", GenerateConfig()),
    (r"gpt-5.*codex|gpt-oss|o\d", GenerateConfig(reasoning_effort="low")),
    (r"gpt-(5\.\d|6-(sol|luna))", GenerateConfig(reasoning_effort="none")),
    (r"gpt-5", GenerateConfig(reasoning_effort="minimal")),
    (r"gpt-[6-9]", GenerateConfig(reasoning_effort="low")),
    (r"gemini-2\.5-pro", GenerateConfig(reasoning_tokens=128)),
    (r"gemini-2\.5", GenerateConfig(reasoning_tokens=0)),
    (r"gemini", GenerateConfig(reasoning_effort="minimal")),
    (r"claude-(fable|mythos|opus-5-5)", GenerateConfig(reasoning_effort="low")),
    (r"claude", GenerateConfig(reasoning_effort="none")),
)
"""The least that each family of models allows, as of November 2026; the first that fits.

Sources: OpenAI's pages of the models, and what Inspect 0.3.285 knows of OpenAI's, Google's and Anthropic's (its
modules in `inspect_ai.model._providers`). Where a Gemini takes no `minimal`, Inspect makes it `low`.
"""


@task
def diff_inflate_bench(samples: str = "", repo: str = "", context: int = 3, judge: str = "") -> Task:
    """The file that a chain of diffs leads to, from a file of samples or chosen from a repository."""
    try:
        chosen = _load(samples, repo)
        if context not in CONTEXTS:
            raise UserError(f"context={context}: the samples have diffs with 0, 1 or 3 lines of context")
        config = least_reasoning(_model_name())
        scorers: list[Scorer] = [exact(), normalised(), similarity(), *_judges(judge)]
    except UserError as error:
        raise PrerequisiteError(f"error: {one_line(error)}") from None
    return Task(
        dataset=MemoryDataset([_as_inspect(sample, context) for sample in chosen.samples], name=f"U{context}"),
        scorer=scorers,
        config=config,
        metadata={"samples_sha256": chosen.sha256, "made": chosen.made, "context": context},
    )


def least_reasoning(model: str) -> GenerateConfig:
    """The least reasoning that the model of this name allows; a model that is not known is left as it is."""
    name = model.rpartition("/")[2]
    return next((config for pattern, config in _LEAST_REASONING if re.match(pattern, name)), GenerateConfig())


def _model_name() -> str:
    try:
        return get_model().name
    except ValueError:
        raise UserError("there is no model yet: give Inspect the path of the task, not a task made before") from None


def _judges(model: str) -> list[Scorer]:
    """The judge, if there is to be one; it must not be found missing when all answers have been paid for."""
    try:
        return [judge_scorer(model)] if model else []
    except ValueError as error:
        raise UserError(f"judge={model}: {error}") from None


def _load(samples: str, repo: str) -> SampleSet:
    if bool(samples) == bool(repo):
        raise UserError("give either -T samples=FILE or -T repo=PATH")
    started_in = os.environ.get("PWD", "")  # Inspect makes the task in the folder of this file
    if samples:
        return read_samples(pathlib.Path(started_in, samples))
    return choose_samples(os.path.join(started_in, repo), Choice())


def _as_inspect(sample: DiffSample, context: int) -> Sample:
    diffs = sample.diffs[context]
    return Sample(
        input=ask(sample.path, diffs, context),
        target=sample.truth,
        id=sample.id,
        metadata={"patches": len(diffs), "context": context, "diffs": list(diffs)},
    )
