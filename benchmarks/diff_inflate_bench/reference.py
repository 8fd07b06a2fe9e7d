"""Solvers that ask no model, to hold the benchmark and the models against.

  inspect eval benchmarks/diff_inflate_bench/task.py -T samples=FILE --model none \\
    --solver benchmarks/diff_inflate_bench/reference.py@last_seen
"""

from collections.abc import Callable, Sequence

from inspect_ai.model import ModelOutput
from inspect_ai.solver import Generate, Solver, TaskState, solver

from benchmarks.diff_inflate_bench import last_seen as approximation
from benchmarks.diff_inflate_bench.dialogue import fence_for
from benchmarks.diff_inflate_bench.patches import apply_all


@solver
def oracle() -> Solver:
    """Applies the patches one after the other."""
    return _answering(lambda diffs, context: apply_all(diffs))


@solver
def last_seen() -> Solver:
    """Repeats each region as the latest diff that covers it shows it."""
    return _answering(approximation.last_seen)


@solver
def copy_first() -> Solver:
    """Repeats the file as the first diff creates it."""
    return _answering(lambda diffs, context: apply_all(diffs[:1]))


def _answering(inflate: Callable[[Sequence[str], int], str]) -> Solver:
    async def solve(state: TaskState, generate: Generate) -> TaskState:
        text = inflate(state.metadata["diffs"], state.metadata["context"])
        fence = fence_for(text)
        state.output = ModelOutput.from_content(str(state.model), f"{fence}\n{text}\n{fence}\n")
        return state

    return solve
