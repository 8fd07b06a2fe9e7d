"""How fast the LSTM is beside flax.nnx.RNN and, where torch is installed, torch.nn.LSTM.

  python -m benchmarks.lstm
  python -m benchmarks.lstm --width=768 --batch=1 --batch=8 --batch=32 --unroll=1 --unroll=4 --out=DIR

Each case is a layer as wide as its inputs. "Both" is the forward pass and the gradients of the inputs, of all weights
and of the initial state. All contenders compute from the same numbers, in turns. Medians count; the least is given
too, since on a busy machine it says more. With --out the table also goes there as lstm.json, and as lstm.png.

The loop is XLA's on every backend: there is no Pallas kernel, since no accelerator could be had to measure one.
"""

import itertools
import os
import pathlib
import statistics
import time
from collections.abc import Sequence
from typing import NamedTuple

from absl import flags
from matplotlib.figure import Figure

from benchmarks.lstm_contenders import Case, contenders
from data_gen.atomic import write_file
from data_gen.dataset import to_json
from data_gen.program import run
from rcfam_jax.analysis.figures import write_figure

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


class Measured(NamedTuple):
    """Milliseconds that one contender takes for a case: medians, and the least."""

    case: Case
    contender: str
    forward: float
    forward_least: float
    both: float
    both_least: float


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
        write_file(folder / "lstm.json", to_json(rows))
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
    figure = Figure(figsize=(11, 0.5 * len(cases) + 1.8), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
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
    write_figure(figure, path)


if __name__ == "__main__":
    run(main)
