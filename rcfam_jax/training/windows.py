"""Windows, the training examples: T consecutive tokens of a stream and the frames at their starts, and their order.

An epoch covers every token of every stream once: each stream is cut into windows from a place drawn for that epoch,
and all windows are visited in an order drawn for that epoch. So streams are seen in proportion to their lengths.
Everything is a function of (seed, position): the loader can stop and go on anywhere, and any number of processes
can share the work.
"""

import bisect
import threading
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import grain
import numpy as np
from grain.experimental import index_shuffle

from data_gen.texz.record import TexzError
from rcfam_jax.training.streams import TokenStream
from rcfam_jax.training.unreadable import warn_of_skipped

Batch = dict[str, Any]
"""`codepoints` and `styles`, uint8 [B, T, R, C]; `tokens`, int32 [B, T]: what was typed there; `mask`, bool [B, T].

`skipped`, bool [B]: the window could not be read. `continues`, bool [B]: windows are consecutive, and that of this row
of the batch before ended where this one begins. Frames may be told rather than shown: `stream`, int32 [B], and
`frames`, int64 [B, T], numbers in the stream's recording.
"""


class Place(NamedTuple):
    """Where a window lies: the tokens `start` to `stop` (at most T) of stream number `stream`."""

    stream: int
    start: int
    stop: int


MAX_CODEPOINT = 255
"""Codepoints above this one are read as this one, so that a cell's takes one byte."""

NOWHERE = Place(0, 0, 0)
"""The place of a window without tokens."""


class Places(Protocol):
    """The windows to visit, in order."""

    def __getitem__(self, position: int, /) -> Place: ...


class Tiling:
    """Streams of the given lengths cut into windows of T tokens, after one of `phases[i]` tokens in stream i."""

    def __init__(self, lengths: np.ndarray, window: int, phases: np.ndarray):
        self._lengths, self._window, self._phases = lengths, window, phases
        self._ends = np.cumsum((phases > 0) + -((phases - lengths) // window))

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, index: int) -> Place:
        stream = int(np.searchsorted(self._ends, index, side="right"))
        within = index - (int(self._ends[stream - 1]) if stream else 0)
        phase = int(self._phases[stream])
        start = within * self._window + (phase - self._window if phase else 0)
        return Place(stream, max(start, 0), min(start + self._window, int(self._lengths[stream])))


class ShuffledEpochs:
    """Endless epochs over streams of the given lengths, each with its own cuts and its own order."""

    def __init__(self, lengths: Sequence[int], window: int, seed: int):
        self._lengths, self._window, self._seed = np.array(lengths), window, seed
        self._tilings: list[Tiling] = []
        self._shuffle_seeds: list[int] = []
        self._ends: list[int] = []
        self._lock = threading.Lock()

    def __getitem__(self, position: int) -> Place:
        with self._lock:
            while not self._ends or self._ends[-1] <= position:
                self._add_epoch()
        epoch = bisect.bisect_right(self._ends, position)
        tiling = self._tilings[epoch]
        index = position - (self._ends[epoch] - len(tiling))
        return tiling[index_shuffle(index, max_index=len(tiling) - 1, seed=self._shuffle_seeds[epoch], rounds=4)]

    def _add_epoch(self) -> None:
        generator = np.random.default_rng((self._seed, len(self._tilings), 0))
        phases = generator.integers(0, self._window, len(self._lengths))
        tiling = Tiling(self._lengths, self._window, np.minimum(phases, self._lengths))
        self._tilings.append(tiling)
        seeds = np.random.SeedSequence((self._seed, len(self._shuffle_seeds), 1))
        self._shuffle_seeds.append(int(seeds.generate_state(1)[0]))
        self._ends.append(len(tiling) + (self._ends[-1] if self._ends else 0))


class ConsecutiveEpochs:
    """Endless epochs in which a row of a batch goes through streams from their beginnings to their ends.

    A stream's windows follow each other in consecutive steps of a row. Streams come in an order drawn for the epoch;
    their windows, laid end to end, are divided evenly among the rows, so a row may begin or stop within a stream.
    """

    def __init__(self, lengths: Sequence[int], window: int, batch_size: int, seed: int):
        self._lengths, self._window, self._batch_size, self._seed = np.array(lengths), window, batch_size, seed
        self._windows = int((-(-self._lengths // window)).sum())
        self._steps = -(-self._windows // batch_size)

    def __getitem__(self, position: int) -> Place:
        step, row = divmod(position, self._batch_size)
        epoch, step = divmod(step, self._steps)
        index = row * self._steps + step
        if index >= self._windows:
            return NOWHERE
        order = np.random.default_rng((self._seed, epoch)).permutation(len(self._lengths))
        place = Tiling(self._lengths[order], self._window, np.zeros_like(order))[index]
        return place._replace(stream=int(order[place.stream]))


def validation_places(streams: Sequence[TokenStream], window: int, limit: int = 0) -> list[Place]:
    """The windows of held-out streams, each token in one of them; at most `limit` of them, evenly spaced, if not 0."""
    lengths = np.array([len(stream) for stream in streams])
    tiling = Tiling(lengths, window, np.zeros_like(lengths))
    count = min(limit or len(tiling), len(tiling))
    return [tiling[index * len(tiling) // count] for index in range(count)]


class Windows:
    """Random access to the windows that one process of several feeds: its rows of the batches of `steps` steps."""

    def __init__(
        self,
        streams: Sequence[TokenStream],
        places: Places,
        window: int,
        batch_size: int,
        steps: int,
        process: int = 0,
        processes: int = 1,
        blank: Batch | None = None,
        decode: bool = True,
        consecutive: bool = False,
    ):
        """`blank` stands in for windows whose records cannot be read; without one they raise `TexzError`.

        Without `decode`, windows tell the numbers of their frames and do not show them. Which of them continue is
        looked up only if they are `consecutive`.
        """
        self._streams, self._places, self._window, self._batch_size = streams, places, window, batch_size
        self.rows = batch_size // processes
        self._decode, self._consecutive = decode, consecutive
        self._first_row = process * self.rows
        self._length = steps * self.rows
        self._blank = blank

    def __len__(self) -> int:
        return self._length

    def __repr__(self) -> str:
        return f"Windows(length={self._length})"

    def __getitem__(self, index: int) -> Batch:
        step, row = divmod(int(index), self.rows)
        position = step * self._batch_size + self._first_row + row
        place = self._places[position]
        before = self._places[position - self._batch_size] if self._consecutive and step else NOWHERE
        continues = (before.stream, before.stop) == (place.stream, place.start) and place.start > 0
        return self._read(place) | {"continues": np.bool_(continues)}

    def _read(self, place: Place) -> Batch:
        try:
            return read_window(self._streams, place, self._window, self._decode)
        except TexzError as error:
            if self._blank is None:
                raise
            warn_of_skipped(str(error))
            return self._blank

    def describe_batch(self, step: int) -> list[str]:
        """The windows of all processes in the batch of step 1, 2, ..., as "recording, tokens 16 to 31"."""
        first = (step - 1) * self._batch_size
        places = [self._places[position] for position in range(first, first + self._batch_size)]
        return [
            f"{self._streams[place.stream].name}, tokens {place.start} to {place.stop - 1}"
            for place in places
            if place != NOWHERE
        ]


def read_window(streams: Sequence[TokenStream], place: Place, window: int, decode: bool = True) -> Batch:
    """One window of T steps as arrays without the batch axis; what is missing at its end is zero and masked."""
    stream, length = streams[place.stream], place.stop - place.start
    # A window without tokens still has to have the shape of the others: it shows the first frame, masked.
    tokens, frames = stream.tokens(place.start, max(place.stop, place.start + 1))

    def pad(array: np.ndarray) -> np.ndarray:
        if len(array) == window:
            return array
        return np.concatenate([array, np.zeros((window - len(array), *array.shape[1:]), array.dtype)])

    scored = {"tokens": pad(tokens), "mask": np.arange(window) < length, "skipped": np.False_}
    if not decode:
        return scored | {"stream": np.int32(place.stream), "frames": pad(frames)}
    codepoints_FxRxC, styles_FxRxC = stream.recording.read(frames, MAX_CODEPOINT)
    return scored | {"codepoints": pad(codepoints_FxRxC), "styles": pad(styles_FxRxC)}


def blank_window(config: Any, decode: bool = True) -> Batch | None:
    """An empty and fully masked window if the configuration skips corrupt records, else None."""
    if not config.data.skip_corrupt:
        return None
    window = config.data.window
    blank = {"tokens": np.zeros(window, np.int32), "mask": np.zeros(window, bool), "skipped": np.True_}
    if not decode:
        return blank | {"stream": np.int32(0), "frames": np.zeros(window, np.int64)}
    frames_TxRxC = np.zeros((window, config.model.rows, config.model.columns), np.uint8)
    return blank | {"codepoints": frames_TxRxC, "styles": frames_TxRxC}


def batches(windows: Windows, config: Any) -> grain.DatasetIterator:
    """Batches in order, read ahead by threads; `config` is the section `data`. Its state can be saved and set."""
    dataset = grain.MapDataset.source(windows).batch(windows.rows)
    options = grain.ReadOptions(num_threads=config.read_threads, prefetch_buffer_size=config.read_ahead)
    return iter(dataset.to_iter_dataset(options))
