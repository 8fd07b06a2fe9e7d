"""How fast the LSTM is beside flax.nnx.RNN and, where torch is installed, torch.nn.LSTM.

  python -m benchmarks.lstm
  python -m benchmarks.lstm --width=768 --batch=1 --batch=8 --batch=32 --unroll=1 --unroll=4 --out=DIR

Each case is a layer as wide as its inputs. "Both" is the forward pass and the gradients of the inputs, of all weights
and of the initial state. All contenders compute from the same numbers, in turns. Medians count; the least is given
too, since on a busy machine it says more. With --out the table also goes there as lstm.json, and as lstm.png.

The loop is XLA's on every backend: there is no Pallas kernel, since no accelerator could be had to measure one.
"""

import importlib.util
import io
import itertools
import json
import os
import pathlib
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import matplotlib
import numpy as np
from absl import flags
from flax import nnx

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from data_gen.atomic import write_file
from data_gen.errors import UserError
from data_gen.program import run
from rcfam_jax.model.lstm import LSTMState, LSTMWeights, lstm

_BATCH = flags.DEFINE_multi_integer("batch", [1, 8], "Batch sizes, B.", lower_bound=1)
_STEPS = flags.DEFINE_multi_integer("steps", [64], "Numbers of steps, T.", lower_bound=1)
_WIDTH = flags.DEFINE_multi_integer("width", [256, 768], "Widths, H.", lower_bound=1)
_UNROLL = flags.DEFINE_multi_integer("unroll", [1], "Steps that make one turn of a loop; not torch's.", lower_bound=1)
_DTYPE = flags.DEFINE_multi_enum("dtype", ["float32"], ["float32", "bfloat16"], "What is computed in.")
_BACKEND = flags.DEFINE_multi_enum("backend", ["cpu"], ["cpu", "gpu", "tpu"], "Where; torch has no tpu.")
_ROUNDS = flags.DEFINE_integer("rounds", 9, "How often each is timed, in turns.", lower_bound=1)
_OUT = flags.DEFINE_string("out", None, "Where the table and the plot are written.")

_PAUSE_SECONDS = 0.02
"""Before each call: threads of the one before may still be looking for work for a while, as OpenMP's do."""


class Case(NamedTuple):
    """What is run."""

    backend: str
    dtype: str
    batch: int
    steps: int
    width: int
    unroll: int


class Measured(NamedTuple):
    """Milliseconds that one contender takes for a case: medians, and the least."""

    case: Case
    contender: str
    forward: float
    forward_least: float
    both: float
    both_least: float


class Problem(NamedTuple):
    """A layer's arguments and the cotangent of its outputs, in float32."""

    inputs_BxTxH: np.ndarray
    weights: LSTMWeights
    state: LSTMState
    d_outputs_BxTxH: np.ndarray


class Contender(NamedTuple):
    """Two calls that return once the work is done: outputs_BxTxH, and gradients of which the first is the inputs'."""

    forward: Callable[[], Any]
    both: Callable[[], Sequence[Any]]


def main() -> None:
    """Measure, print, write."""
    sweep = (_BACKEND, _DTYPE, _BATCH, _STEPS, _WIDTH, _UNROLL)
    cases = [Case._make(values) for values in itertools.product(*(flag.value for flag in sweep))]
    measured = [row for case in cases for row in measure(case, _ROUNDS.value)]
    print(table(measured))
    print(f"load: {', '.join(f'{load:.1f}' for load in os.getloadavg())} on {os.cpu_count()} cores")
    if _OUT.value:
        folder = pathlib.Path(_OUT.value)
        folder.mkdir(parents=True, exist_ok=True)
        rows = [row._asdict() | {"case": row.case._asdict()} for row in measured]
        write_file(folder / "lstm.json", (json.dumps(rows, indent=1) + "\n").encode())
        plot(measured, folder / "lstm.png")
        print(f"{folder / 'lstm.json'}, {folder / 'lstm.png'}")


def measure(case: Case, rounds: int) -> list[Measured]:
    """Time all contenders in turns, each having run once before."""
    calls = [(name, call) for name, contender in contenders(case).items() for call in contender]
    for _, call in calls:
        call()
    milliseconds: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds):
        for (_, call), spent in zip(calls, milliseconds, strict=True):
            time.sleep(_PAUSE_SECONDS)
            started = time.perf_counter()
            call()
            spent.append(1e3 * (time.perf_counter() - started))
    return [
        Measured(case, name, statistics.median(forward), min(forward), statistics.median(both), min(both))
        for (name, _), forward, both in zip(calls[::2], milliseconds[::2], milliseconds[1::2], strict=True)
    ]


def contenders(case: Case) -> dict[str, Contender]:
    """Everyone who can run the case, by name."""
    try:
        device = jax.devices(case.backend)[0]
    except RuntimeError as error:
        raise UserError(f"--backend={case.backend}: there is none here") from error
    problem = make_problem(case)
    with jax.default_device(device):
        runners = {
            "rcfam_jax": _of_jax(case, problem, *_ours(case, problem)),
            "flax.nnx OptimizedLSTMCell": _of_jax(case, problem, *_flax(case, problem, _optimized_cell)),
            "flax.nnx LSTMCell": _of_jax(case, problem, *_flax(case, problem, _plain_cell)),
        }
    if importlib.util.find_spec("torch") and case.backend != "tpu":
        from benchmarks.peers.torch_lstm import torch_lstm

        torch_device = "cuda" if case.backend == "gpu" else "cpu"
        runners["torch.nn.LSTM"] = Contender(*torch_lstm(*problem, case.dtype, torch_device))
    return runners


def make_problem(case: Case) -> Problem:
    """Random numbers, the weights such that states neither vanish nor saturate."""
    generator, (batch, steps, width) = np.random.default_rng(0), (case.batch, case.steps, case.width)

    def normal(*shape: int) -> Any:
        return np.asarray(generator.normal(size=shape), np.float32)

    scale = np.float32(width**-0.5)
    weights = LSTMWeights(*(scale * normal(*shape) for shape in ((width, 4, width), (width, 4, width), (4, width))))
    state = LSTMState(normal(batch, width), normal(batch, width))
    return Problem(normal(batch, steps, width), weights, state, normal(batch, steps, width))


def _of_jax(case: Case, problem: Problem, function: Callable, parameters: Any) -> Contender:
    """Of a function of inputs, parameters and state."""
    inputs = jnp.asarray(problem.inputs_BxTxH, case.dtype)
    arguments: Any = jax.tree.map(jnp.asarray, (inputs, parameters, problem.state))
    d_outputs = jnp.asarray(problem.d_outputs_BxTxH)

    @jax.jit
    def both(arguments: tuple, d_outputs: jax.Array) -> tuple:
        outputs, pullback = jax.vjp(function, *arguments)
        return pullback(d_outputs.astype(outputs.dtype))

    forward = jax.jit(function)
    return Contender(
        lambda: jax.block_until_ready(forward(*arguments)), lambda: jax.block_until_ready(both(arguments, d_outputs))
    )


def _ours(case: Case, problem: Problem) -> tuple[Callable, LSTMWeights]:
    return lambda inputs, weights, state: lstm(inputs, weights, state, case.unroll)[0], problem.weights


def _flax(case: Case, problem: Problem, make_cell: Callable) -> tuple[Callable, Any]:
    rnn = nnx.RNN(make_cell(case, problem.weights), unroll=case.unroll, rngs=False)
    graphdef, parameters = nnx.split(rnn)

    def function(inputs: jax.Array, parameters: Any, state: LSTMState) -> jax.Array:
        return nnx.merge(graphdef, parameters)(inputs, initial_carry=(state.c_BxH, state.h_BxH))

    return function, parameters


def _optimized_cell(case: Case, weights: LSTMWeights) -> Any:
    cell: Any = nnx.OptimizedLSTMCell(case.width, case.width, dtype=case.dtype, rngs=nnx.Rngs(0))
    cell.dense_i.kernel[...] = weights.input_Ix4xH.reshape(case.width, -1)
    cell.dense_h.kernel[...] = weights.recurrent_Hx4xH.reshape(case.width, -1)
    cell.dense_h.bias[...] = weights.bias_4xH.reshape(-1)
    return cell


def _plain_cell(case: Case, weights: LSTMWeights) -> Any:
    cell: Any = nnx.LSTMCell(case.width, case.width, dtype=case.dtype, rngs=nnx.Rngs(0))
    gates = ((cell.ii, cell.hi), (cell.if_, cell.hf), (cell.ig, cell.hg), (cell.io, cell.ho))
    for gate, (from_input, from_state) in enumerate(gates):
        from_input.kernel[...] = weights.input_Ix4xH[:, gate]
        from_state.kernel[...] = weights.recurrent_Hx4xH[:, gate]
        from_state.bias[...] = weights.bias_4xH[gate]
    return cell


def table(measured: Sequence[Measured]) -> str:
    """One line a contender and case."""
    lines = [
        f"{'where':>5} {'dtype':>8} {'B':>4} {'T':>5} {'H':>5} {'unroll':>6}  {'contender':26} "
        f"{'forward ms':>10} {'least':>8} {'both ms':>9} {'least':>8}"
    ]
    lines += [
        "{:>5} {:>8} {:>4} {:>5} {:>5} {:>6}  ".format(*row.case)
        + f"{row.contender:26} {row.forward:>10.2f} {row.forward_least:>8.2f} {row.both:>9.2f} {row.both_least:>8.2f}"
        for row in measured
    ]
    return "\n".join(lines)


def plot(measured: Sequence[Measured], path: pathlib.Path) -> None:
    """Milliseconds of every contender in every case: a dot for the median, a line down to the least."""
    cases = list(dict.fromkeys(row.case for row in measured))
    names = list(dict.fromkeys(row.contender for row in measured))
    figure, panels = plt.subplots(1, 2, figsize=(11, 0.5 * len(cases) + 1.8), layout="constrained", sharey=True)
    for panel, what in zip(panels, ("forward", "both"), strict=True):
        for number, name in enumerate(names):
            rows = [row for row in measured if row.contender == name]
            places = [cases.index(row.case) + 0.15 * number for row in rows]
            median, least = ([getattr(row, field) for row in rows] for field in (what, f"{what}_least"))
            panel.plot(median, places, "o", color=f"C{number}", label=name)
            panel.hlines(places, least, median, color=f"C{number}")
        panel.set(xscale="log", xlabel="milliseconds", title="forward" if what == "forward" else "forward and backward")
        panel.set_yticks(range(len(cases)), ["{} {} B={} T={} H={} unroll={}".format(*case) for case in cases])
    panels[0].invert_yaxis()
    panels[1].legend(fontsize="small")
    with io.BytesIO() as content:
        figure.savefig(content, format="png", dpi=120)
        write_file(path, content.getvalue())
    plt.close(figure)


if __name__ == "__main__":
    run(main)
