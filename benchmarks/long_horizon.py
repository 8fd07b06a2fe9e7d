"""Exact gradients through windows of any length: memory, bytes and time a frame as the number of frames grows.

  python -m benchmarks.long_horizon --frames=65536 --out=DIR
  python -m benchmarks.long_horizon --frames=1000000 --out=DIR    # hours

Random keys are typed into a recording of 8 x 40 cells, in a temporary folder. Then one window of it after the other,
each in a process of its own, is differentiated in chunks; and short ones in one computation too, in turns. Prints a
table and the ratios that should stay at 1; with --out also writes long_horizon.json and long_horizon.png there.
"""

import ctypes
import json
import multiprocessing
import os
import pathlib
import tempfile
import threading
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import matplotlib
import numpy as np
from absl import flags
from ml_collections import ConfigDict

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from benchmarks.typed_noise import COLUMNS, ROWS, write_noise
from data_gen.atomic import write_file
from data_gen.dataset import Dataset
from data_gen.program import run
from experiments.configs import base
from rcfam_jax.training.bptt import chunked
from rcfam_jax.training.bptt.loss import loss_and_grad
from rcfam_jax.training.frame_stream import FrameStream, RecordedWindow
from rcfam_jax.training.loop import build_model

_FRAMES = flags.DEFINE_integer("frames", 65_536, "Steps of the longest window, T.", lower_bound=512)
_OUT = flags.DEFINE_string("out", None, "Where the table and the plot are written.")
_ROUNDS = flags.DEFINE_integer("rounds", 3, "How often the two ways take turns.", lower_bound=1)

SHORT, COMPARED, VOCABULARY = 512, (512, 2048), 128
INTERVAL = 0.05
"""Seconds between two looks at the memory."""


class Measured(NamedTuple):
    """One exact gradient through one window."""

    frames: int
    seconds: float
    cpu_seconds: float  # of all threads: what other programs do here does not count
    start: float  # resident MiB before, what is compiled and its libraries included
    resident: float  # MiB, at most, while it was computed
    paged: int  # bytes of carries and embeddings
    compressed: int  # bytes of the window's records, its numbers and tokens
    timeline: list[tuple[float, float]]  # seconds, resident MiB

    @property
    def constant(self) -> float:
        """Resident MiB apart from what grows with T by design."""
        return self.resident - (self.paged + self.compressed) / 2**20

    @property
    def added(self) -> float:
        """What of it the gradient itself has added."""
        return self.constant - self.start


def main() -> None:
    """Type, differentiate, print, write."""
    lengths = sorted({SHORT, min(4096, _FRAMES.value), _FRAMES.value})
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


def make_config() -> ConfigDict:
    """D = 32, H = 64, on frames of 8 x 40."""
    config = base.get_config()
    config.model.update(
        rows=ROWS,
        columns=COLUMNS,
        frame_width=32,
        pooling_stages=2,
        frame_blocks=1,
        num_heads=1,
        core_width=64,
        core_layers=2,
        vocabulary_size=VOCABULARY,
    )
    config.bptt.update(mode="chunked", chunk=64, head_steps=16, offload=True)
    return config


def open_window(folder: str, frames: int, config: ConfigDict) -> dict[str, Any]:
    """The first frames of the recording as a batch of one window."""
    (recording,) = Dataset(pathlib.Path(folder)).recordings.values()
    actions = np.concatenate(
        [recording.record_actions(record) for record in range(-(-frames // recording.frames_per_record))]
    )
    window = RecordedWindow(recording, np.arange(frames))
    stream = FrameStream([window], (ROWS, COLUMNS), frames, config.bptt.chunk)
    tokens_1xT = actions[None, :frames].astype(np.int32)
    return {"frames": stream, "tokens": tokens_1xT, "mask": np.ones((1, frames), bool)}


def measure(folder: str, frames: int) -> Measured:
    """Differentiate one window in chunks, in this process, and watch its memory."""
    config = make_config()
    graphdef, params = build_model(config)
    chunked.loss_and_grad(graphdef, params, open_window(folder, SHORT, config), config.bptt)  # compile
    ctypes.CDLL(None).malloc_trim(0)  # what compiling took
    start = resident_mebibytes()
    batch = open_window(folder, frames, config)
    done, timeline = threading.Event(), []
    started, cpu_started = time.perf_counter(), time.process_time()

    def watch() -> None:
        while not done.wait(INTERVAL):
            timeline.append((time.perf_counter() - started, resident_mebibytes()))

    watcher = threading.Thread(target=watch)
    watcher.start()
    jax.block_until_ready(chunked.loss_and_grad(graphdef, params, batch, config.bptt))
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    done.set()
    watcher.join()
    kept = batch["tokens"].nbytes + batch["mask"].nbytes + 8 * frames
    (recording,) = Dataset(pathlib.Path(folder)).recordings.values()
    records = sum(len(recording.record(number)) for number in range(-(-frames // recording.frames_per_record)))
    model, chunks = config.model, -(-frames // config.bptt.chunk)
    paged = 4 * (chunks * config.bptt.chunk * model.frame_width + chunks * model.core_layers * 2 * model.core_width)
    resident = max(mebibytes for _, mebibytes in timeline)
    return Measured(
        frames, seconds, cpu_seconds, start, resident, paged, kept + records, timeline[:: max(len(timeline) // 2000, 1)]
    )


def resident_mebibytes() -> float:
    """What this process has in memory."""
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def compare(folder: str, frames: int, rounds: int) -> list[tuple[float, float]]:
    """Seconds of a gradient in chunks and of the same one in one computation, in turns."""
    config = make_config()
    graphdef, params = build_model(config)
    streamed = open_window(folder, frames, config)
    (recording,) = Dataset(pathlib.Path(folder)).recordings.values()
    codepoints, styles = recording.read(np.arange(frames), config.model.max_codepoint)
    whole = {"tokens": streamed["tokens"], "mask": streamed["mask"]}
    whole |= {"codepoints": codepoints[None], "styles": styles[None]}
    in_graph = config.bptt.copy_and_resolve_references()
    in_graph.update(mode="in_graph", offload=False)
    compiled = jax.jit(lambda params, batch: loss_and_grad(graphdef, params, batch, in_graph))
    ways = (lambda: chunked.loss_and_grad(graphdef, params, streamed, config.bptt), lambda: compiled(params, whole))
    for way in ways:
        jax.block_until_ready(way())
    return [(timed(ways[0]), timed(ways[1])) for _ in range(rounds)]


def timed(way: Any) -> float:
    """Seconds until the result is there."""
    started = time.perf_counter()
    jax.block_until_ready(way())
    return time.perf_counter() - started


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
    figure, (memory, speed) = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
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
    figure.savefig(path, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    run(main)
