"""The frames of a batch of windows, decoded from their records chunk by chunk, on threads, just ahead of need.

So a window of any length costs the host its compressed records and a few chunks of frames.
"""

import collections
import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol

import numpy as np

from data_gen.dataset import Recording
from rcfam_jax.training.streams import TokenStream
from rcfam_jax.training.windows import MAX_CODEPOINT, Batch

AHEAD = 2
"""Chunks that are decoded or being decoded while one is computed with."""


class Frames(NamedTuple):
    """K consecutive frames of B windows. Those past a window's end are empty."""

    codepoints_BxKxRxC: np.ndarray  # uint8
    styles_BxKxRxC: np.ndarray  # uint8
    changed_BxKxR: np.ndarray  # bool: the row differs from the frame before; all rows do in a window's first frame


class FrameWindow(Protocol):
    """Consecutive frames that can be read."""

    def __len__(self) -> int: ...

    def read(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        """The codepoints and styles, uint8, of the frames `start` to `stop`."""
        ...


@dataclasses.dataclass(frozen=True)
class RecordedWindow:
    """The frames of a recording with the given numbers, which ascend."""

    recording: Recording
    numbers_T: np.ndarray

    def __len__(self) -> int:
        return len(self.numbers_T)

    def read(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        """Decode them. Threads may do so at once."""
        return self.recording.read(self.numbers_T[start:stop], MAX_CODEPOINT)


@dataclasses.dataclass(frozen=True)
class DecodedWindow:
    """Frames that are in memory already."""

    codepoints_TxRxC: np.ndarray
    styles_TxRxC: np.ndarray

    def __len__(self) -> int:
        return len(self.codepoints_TxRxC)

    def read(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        """A view of them."""
        return self.codepoints_TxRxC[start:stop], self.styles_TxRxC[start:stop]


class FrameStream:
    """The frames of windows of at most T steps in chunks of K, in either direction."""

    def __init__(self, windows: Sequence[FrameWindow], grid: tuple[int, int], steps: int, chunk: int, threads: int = 2):
        """`grid`: rows and columns of a frame; `steps`: T. The last chunk too has K steps."""
        self.chunk = chunk
        self._windows, self._grid, self._threads = windows, grid, threads
        self._starts = range(0, steps, chunk)

    @classmethod
    def of_arrays(cls, codepoints_BxTxRxC: np.ndarray, styles_BxTxRxC: np.ndarray, chunk: int) -> "FrameStream":
        """Stream frames that are in memory already."""
        windows = [DecodedWindow(*window) for window in zip(codepoints_BxTxRxC, styles_BxTxRxC, strict=True)]
        _, steps, rows, columns = codepoints_BxTxRxC.shape
        return cls(windows, (rows, columns), steps, chunk)

    @classmethod
    def of_batch(cls, streams: Sequence[TokenStream], batch: Batch, config: Any) -> "FrameStream":
        """Stream the frames that a batch tells by number; `config` is a whole configuration."""
        lengths_B, steps = batch["mask"].sum(1), batch["mask"].shape[1]
        rows = zip(batch["stream"], batch["frames"], lengths_B, strict=True)
        windows = [RecordedWindow(streams[stream].recording, numbers_T[:length]) for stream, numbers_T, length in rows]
        grid = config.model.rows, config.model.columns
        return cls(windows, grid, steps, config.bptt.chunk, config.data.read_threads)

    def __len__(self) -> int:
        """The number of chunks."""
        return len(self._starts)

    def forwards(self) -> Iterator[Frames]:
        """The chunks from the first to the last. `UserError` where a record cannot be decoded."""
        return self._decoded(self._starts)

    def backwards(self) -> Iterator[Frames]:
        """The chunks from the last to the first, each decoded again."""
        return self._decoded(reversed(self._starts))

    def _decoded(self, starts: Iterable[int]) -> Iterator[Frames]:
        pending: collections.deque[tuple[Frames, list[Future]]] = collections.deque()
        with ThreadPoolExecutor(self._threads, thread_name_prefix="decode") as threads:
            for start in starts:
                pending.append(self._begin(threads, start))
                if len(pending) > AHEAD:
                    yield _finished(*pending.popleft())
            while pending:
                yield _finished(*pending.popleft())

    def _begin(self, threads: ThreadPoolExecutor, start: int) -> tuple[Frames, list[Future]]:
        """Have a chunk filled in that starts as empty frames."""
        shape = (len(self._windows), self.chunk, *self._grid)
        frames = Frames(np.zeros(shape, np.uint8), np.zeros(shape, np.uint8), np.zeros(shape[:-1], bool))
        rows = zip(self._windows, *frames, strict=True)
        return frames, [threads.submit(_read, window, start, *out) for window, *out in rows]


def _read(
    window: FrameWindow,
    start: int,
    codepoints_KxRxC: np.ndarray,
    styles_KxRxC: np.ndarray,
    changed_KxR: np.ndarray,
) -> None:
    """Fill one window's part of the chunk that begins at `start`."""
    stop = min(start + len(codepoints_KxRxC), len(window))
    if stop <= start:
        return
    before = min(start, 1)  # the frame before the chunk tells what changes in its first one
    read = window.read(start - before, stop)
    changed_KxR[: stop - start] = True
    for frames_FxRxC, out_KxRxC in zip(read, (codepoints_KxRxC, styles_KxRxC), strict=True):
        out_KxRxC[: stop - start] = frames_FxRxC[before:]
    different = [(frames_FxRxC[1:] != frames_FxRxC[:-1]).any(-1) for frames_FxRxC in read]
    changed_KxR[1 - before : stop - start] = different[0] | different[1]


def _finished(frames: Frames, futures: Sequence[Future]) -> Frames:
    for future in futures:
        future.result()
    return frames
