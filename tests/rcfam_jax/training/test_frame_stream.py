import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.dataset import Dataset
from data_gen.tokenizer import Tokenizer
from experiments.configs import tiny
from rcfam_jax.training.frame_stream import AHEAD, FrameStream, RecordedWindow
from rcfam_jax.training.streams import TokenStream
from rcfam_jax.training.windows import NOWHERE, Place, Windows

GRID = (4, 16)


@pytest.fixture(scope="module")
def dataset(dataset_folder):
    return Dataset(dataset_folder)


def joined(chunks):
    return [np.concatenate(parts, axis=1) for parts in zip(*chunks, strict=True)]


def changed_rows(codepoints_TxRxC, styles_TxRxC):
    """Row by row, frame by frame."""
    frames, rows, _ = codepoints_TxRxC.shape
    changed = np.ones((frames, rows), bool)
    for frame in range(1, frames):
        for row in range(rows):
            changed[frame, row] = any(
                array[frame, row].tobytes() != array[frame - 1, row].tobytes()
                for array in (codepoints_TxRxC, styles_TxRxC)
            )
    return changed


@given(st.integers(1, 3), st.integers(1, 12), st.integers(1, 5), st.integers(0, 99))
def test_arrays_come_in_chunks_with_the_rows_that_changed(batch_size, steps, chunk, seed):
    generator = np.random.default_rng(seed)
    codepoints, styles = generator.integers(0, 2, (2, batch_size, steps, 3, 2), dtype=np.uint8)
    stream = FrameStream.of_arrays(codepoints, styles, chunk)
    chunks = list(stream.forwards())
    assert len(chunks) == len(stream) == -(-steps // chunk)
    assert {frames.codepoints_BxKxRxC.shape for frames in chunks} == {(batch_size, chunk, 3, 2)}
    actual = joined(chunks)
    for array, expected in zip(actual, (codepoints, styles), strict=False):
        np.testing.assert_array_equal(array[:, :steps], expected)
    for row in range(batch_size):
        np.testing.assert_array_equal(actual[2][row, :steps], changed_rows(codepoints[row], styles[row]))
    assert not any(array[:, steps:].any() for array in actual)
    for forwards, backwards in zip(chunks, reversed(list(stream.backwards())), strict=True):
        for one, other in zip(forwards, backwards, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("chunk", [7, 64])
def test_recorded_frames_are_those_of_the_recording(dataset, chunk):
    """Across records, with frames left out, and a second window that is shorter."""
    recording = dataset.recordings["long"]
    numbers = np.unique(np.random.default_rng(0).integers(0, recording.frames, 200))
    windows = [RecordedWindow(recording, numbers), RecordedWindow(recording, numbers[20:50])]
    codepoints, styles, changed = joined(FrameStream(windows, GRID, len(numbers), chunk).forwards())
    for row, window in enumerate(windows):
        expected = recording.read(window.numbers_T, 255)
        for array, frames in zip((codepoints, styles), expected, strict=True):
            np.testing.assert_array_equal(array[row, : len(window)], frames)
            assert not array[row, len(window) :].any()
        np.testing.assert_array_equal(changed[row, : len(window)], changed_rows(*expected))


def test_a_batch_told_by_number_shows_the_frames_of_a_decoded_one(dataset, dataset_folder):
    tokenizer = Tokenizer.load(dataset_folder / "tokenizer.json")
    streams = [TokenStream(name, rec, tokenizer, 0, rec.frames) for name, rec in dataset.recordings.items()]
    config = tiny.get_config()
    config.model.update(rows=GRID[0], columns=GRID[1])
    config.bptt.chunk = 3
    places = [Place(0, 5, 13), Place(1, 0, 4), NOWHERE]
    told, shown = (Windows(streams, places, 8, 3, 1, decode=decode) for decode in (False, True))
    batches = [
        {name: np.stack([window[name] for window in windows]) for name in windows[0]} for windows in (told, shown)
    ]
    codepoints, styles, _ = joined(FrameStream.of_batch(streams, batches[0], config).forwards())
    mask = batches[1]["mask"]
    assert mask.sum() == 12
    for name, array in (("codepoints", codepoints), ("styles", styles)):
        np.testing.assert_array_equal(array[:, :8][mask], batches[1][name][mask])
    for name in ("tokens", "mask", "continues"):
        np.testing.assert_array_equal(batches[0][name], batches[1][name])


class CountedWindow:
    """A window that notes what is read of it."""

    def __init__(self, steps, fails_at=None):
        self.steps, self.fails_at, self.stops, self.lock = steps, fails_at, [], threading.Lock()

    def __len__(self):
        return self.steps

    def read(self, start, stop):
        with self.lock:
            self.stops.append(stop)
        if self.fails_at is not None and start <= self.fails_at < stop:
            raise OSError("cannot be read")
        return (np.zeros((stop - start, 1, 1), np.uint8),) * 2


def test_only_a_few_chunks_are_read_ahead():
    window = CountedWindow(100)
    chunks = FrameStream([window], (1, 1), 100, 2).backwards()
    next(chunks)
    next(chunks)
    chunks.close()
    assert sorted(window.stops, reverse=True)[:2] == [100, 98]
    assert len(window.stops) <= AHEAD + 2


def test_an_error_while_decoding_reaches_the_reader():
    chunks = FrameStream([CountedWindow(10), CountedWindow(10, fails_at=5)], (1, 1), 10, 2).forwards()
    next(chunks)
    with pytest.raises(OSError, match="cannot be read"):
        list(chunks)
