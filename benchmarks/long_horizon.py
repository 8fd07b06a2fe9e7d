"""Exact gradients through windows of any length: memory, bytes and time a frame as the number of frames grows.

  python -m benchmarks.long_horizon --frames=65536 --out=DIR
  python -m benchmarks.long_horizon --frames=1000000 --out=DIR    # hours

Random keys are typed into a recording of 8 x 40 cells, in a temporary folder. Then one window of it after the other,
each in a process of its own, is differentiated in chunks; and short ones in one computation too, in turns. Prints a
table and the ratios that should stay at 1; with --out also writes long_horizon.json and long_horizon.png there.
"""

import json
import multiprocessing
import pathlib
import tempfile
from collections.abc import Sequence

import numpy as np
from absl import flags
from matplotlib.figure import Figure

from benchmarks.long_windows import COMPARED, SHORT, Measured, compare, measure
from benchmarks.typed_noise import write_noise
from data_gen.atomic import write_file
from data_gen.program import run
from rcfam_jax.analysis.figures import write_figure

STEPS = (4096, 65_536)
"""On the way to the longest window."""

_FRAMES = flags.DEFINE_integer("frames", 65_536, "Steps of the longest window, T.", lower_bound=512)
_OUT = flags.DEFINE_string("out", None, "Where the table and the plot are written.")
_ROUNDS = flags.DEFINE_integer("rounds", 3, "How often the two ways take turns.", lower_bound=1)


def main() -> None:
    """Type, differentiate, print, write."""
    lengths = sorted({SHORT, *(min(step, _FRAMES.value) for step in STEPS), _FRAMES.value})
    with tempfile.TemporaryDirectory() as folder:
        write_noise(pathlib.Path(folder), _FRAMES.value)
        with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
            measured = [pool.apply(measure, (folder, frames)) for frames in lengths]
            pairs = {frames: pool.apply(compare, (folder, frames, _ROUNDS.value)) for frames in COMPARED}
    print(table(measured, pairs))
    if _OUT.value:
        out = pathlib.Path(_OUT.value)
        out.mkdir(parents=True, exist_ok=True)
        content = {"windows": [one._asdict() for one in measured], "seconds_chunked_and_in_graph": pairs}
        write_file(out / "long_horizon.json", (json.dumps(content) + "\n").encode())
        plot(measured, out / "long_horizon.png")


def table(measured: Sequence[Measured], pairs: dict[int, list[tuple[float, float]]]) -> str:
    """A row a window, then the ratios."""
    names = ("frames", "ms/frame", "CPU ms", "MiB", "paged bytes", "compressed", "MiB apart", "added")
    lines = ["".join(f"{name:>13}" for name in names)]
    for one in measured:
        speeds = (f"{1e3 * seconds / one.frames:.3f}" for seconds in (one.seconds, one.cpu_seconds))
        sizes = (
            f"{one.resident:.1f}",
            f"{one.paged:,}",
            f"{one.compressed:,}",
            f"{one.constant:.1f}",
            f"{one.added:.1f}",
        )
        lines.append("".join(f"{cell:>13}" for cell in (f"{one.frames:,}", *speeds, *sizes)))
    ratio = measured[-1].constant / measured[0].constant
    lines.append(f"memory at {measured[-1].frames:,} frames: {ratio:.3f} times that at {measured[0].frames:,}")
    for frames, seconds in pairs.items():
        best = [min(way) for way in zip(*seconds, strict=True)]
        lines.append(
            f"{frames:,} frames in chunks: {1e3 * best[0] / frames:.3f} ms/frame, "
            f"{best[0] / best[1]:.3f} times the time of one computation"
        )
    return "\n".join(lines)


def plot(measured: Sequence[Measured], path: pathlib.Path) -> None:
    """Memory while the gradients are computed, each run's time scaled to 1; and time a frame."""
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    memory, speed = figure.subplots(1, 2)
    for one in measured:
        seconds, mebibytes = zip(*one.timeline, strict=True)
        memory.plot(np.array(seconds) / one.seconds, mebibytes, label=f"{one.frames:,} frames, {one.seconds:,.0f} s")
    memory.set(title="resident memory over a gradient", xlabel="share of its time", ylabel="MiB", ylim=(0, None))
    memory.legend()
    frames = [one.frames for one in measured]
    speed.plot(frames, [1e3 * one.seconds / one.frames for one in measured], "o-", label="elapsed")
    speed.plot(frames, [1e3 * one.cpu_seconds / one.frames for one in measured], "o-", label="of all cores")
    speed.legend()
    speed.set(title="time", xlabel="frames", ylabel="ms/frame", xscale="log", ylim=(0, None))
    write_figure(figure, path)


if __name__ == "__main__":
    run(main)
