"""What the benchmark of long windows measures: memory, bytes and time of one exact gradient."""

import ctypes
import os
import pathlib
import threading
import time
from typing import Any, NamedTuple

import jax
import numpy as np
from ml_collections import ConfigDict

from benchmarks.typed_noise import COLUMNS, ROWS
from data_gen.dataset import Dataset
from experiments.configs import base
from rcfam_jax.training.bptt import chunked
from rcfam_jax.training.bptt.loss import loss_and_grad
from rcfam_jax.training.frame_stream import FrameStream, RecordedWindow
from rcfam_jax.training.loop import build_model

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
