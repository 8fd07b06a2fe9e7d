import collections
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ml_collections import ConfigDict

from data_gen.dataset import Dataset
from data_gen.errors import UserError
from data_gen.tokenizer import Tokenizer
from rcfam_jax.training.streams import TokenStream, split, validation_border
from rcfam_jax.training.token_counts import encode_record
from rcfam_jax.training.windows import (
    NOWHERE,
    Place,
    ShuffledEpochs,
    Tiling,
    Windows,
    batches,
    read_window,
    validation_places,
)

LENGTHS = st.lists(st.integers(1, 60), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def dataset(dataset_folder):
    return Dataset(dataset_folder)


@pytest.fixture(scope="module")
def tokenizer(dataset_folder):
    return Tokenizer.load(dataset_folder / "tokenizer.json")


def data_config(**fields):
    defaults = {
        "path": "DIR",
        "validation_fraction": 0.1,
        "validation_recordings": (),
        "read_threads": 2,
        "read_ahead": 2,
        "skip_corrupt": False,
    }
    return ConfigDict(defaults | fields)


def covered(places):
    return collections.Counter((place.stream, token) for place in places for token in range(place.start, place.stop))


def every_token(lengths):
    return {(stream, token): 1 for stream, length in enumerate(lengths) for token in range(length)}


@given(LENGTHS, st.integers(1, 20), st.data())
def test_a_tiling_has_every_token_once(lengths, window, data):
    phases = np.array([data.draw(st.integers(0, min(window - 1, length))) for length in lengths])
    tiling = Tiling(np.array(lengths), window, phases)
    places = [tiling[index] for index in range(len(tiling))]
    assert all(0 < place.stop - place.start <= window for place in places)
    assert covered(places) == every_token(lengths)


@given(LENGTHS, st.integers(1, 20), st.integers(0, 1000))
@settings(max_examples=50)
def test_each_epoch_has_every_token_once_in_another_order(lengths, window, seed):
    epochs, position, orders = ShuffledEpochs(lengths, window, seed), 0, []
    for _ in range(3):
        places = []
        while sum(place.stop - place.start for place in places) < sum(lengths):
            places.append(epochs[position])
            position += 1
        assert covered(places) == every_token(lengths)
        orders.append(places)
    if sum(lengths) > 100 and window < 10:
        assert orders[0] != orders[1] != orders[2]


def test_epochs_are_a_function_of_seed_and_position():
    lengths = [50, 7, 30]
    in_order = [ShuffledEpochs(lengths, 8, 3)[position] for position in range(40)]
    epochs = ShuffledEpochs(lengths, 8, 3)
    assert [epochs[position] for position in reversed(range(40))] == in_order[::-1]
    assert [ShuffledEpochs(lengths, 8, 4)[position] for position in range(40)] != in_order


def test_threads_agree_on_epochs():
    expected = [ShuffledEpochs([50, 7, 30], 8, 3)[position] for position in range(400)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as threads:
            for _ in range(20):
                assert list(threads.map(ShuffledEpochs([50, 7, 30], 8, 3).__getitem__, range(400))) == expected
    finally:
        sys.setswitchinterval(interval)


def test_phases_differ_between_epochs():
    starts = {ShuffledEpochs([1000], 100, 0)[position].start % 100 for position in range(200)}
    assert len(starts) > 10


def test_tokens_are_those_of_each_record_alone(dataset, tokenizer):
    recording = dataset.recordings["long"]
    stream = TokenStream("long", recording, tokenizer, 0, recording.frames)
    tokens, frames = [], []
    for record, actions_S in enumerate(recording.actions()):
        encoded, starts = tokenizer.encode(actions_S)
        tokens.extend(encoded)
        frames.extend(starts + record * dataset.frames_per_record)
    assert len(stream) == len(tokens) < recording.frames
    actual_tokens, actual_frames = stream.tokens(0, len(stream))
    np.testing.assert_array_equal(actual_tokens, tokens)
    np.testing.assert_array_equal(actual_frames, frames)
    for start, stop in ((0, 1), (5, 90), (len(tokens) - 3, len(tokens)), (30, 31)):
        np.testing.assert_array_equal(stream.tokens(start, stop)[0], tokens[start:stop])
        np.testing.assert_array_equal(stream.tokens(start, stop)[1], frames[start:stop])


def test_tokens_of_both_sides_of_a_border_type_exactly_the_recording(dataset, tokenizer):
    recording = dataset.recordings["long"]
    everything = np.concatenate(list(recording.actions()))
    for border in (1, 63, 64, 65, 200, recording.frames - 1):
        for first, end in ((0, border), (border, recording.frames)):
            stream = TokenStream("long", recording, tokenizer, first, end)
            tokens, frames = stream.tokens(0, len(stream))
            assert frames[0] == first
            typed = np.concatenate([tokenizer.actions_of(token) for token in tokens])
            np.testing.assert_array_equal(typed, everything[first:end])


def test_validation_is_the_last_tenth_of_the_commits(dataset, tokenizer):
    long, short = dataset.recordings["long"], dataset.recordings["short"]
    borders = []
    for recording in (long, short):
        commits = np.array([event.frame for event in recording.events()])
        borders.append(validation_border(commits, recording.frames, 0.1))
        assert validation_border(commits, recording.frames, 0.0) == recording.frames
        assert validation_border(commits[:1], recording.frames, 0.1) == recording.frames
    assert borders == [long.events()[18].frame, 100]  # of the short one's two commits, one
    splits = split(dataset, tokenizer, data_config())
    for training, validation, border in zip(*splits, borders, strict=True):
        frames_before = training.tokens(0, len(training))[1]
        frames_after = validation.tokens(0, len(validation))[1]
        assert frames_before[-1] < border == frames_after[0]


def test_whole_recordings_are_held_out_by_name(dataset, tokenizer):
    splits = split(dataset, tokenizer, data_config(validation_recordings=("short",)))
    assert [stream.name for stream in splits.training] == ["long"]
    assert [stream.name for stream in splits.validation] == ["short"]
    assert splits.training[0].tokens(0, 1)[1] == [0]


def test_the_tokens_of_a_record_are_made_once(dataset, tokenizer, monkeypatch):
    made = []

    def encode(*record):
        made.append(record)
        return encode_record(*record)

    monkeypatch.setattr("rcfam_jax.training.streams.encode_record", encode)
    splits = split(dataset, tokenizer, data_config(validation_recordings=("short",)))
    for stream in (*splits.training, *splits.validation) * 2:
        for start in range(len(stream) - 1, -1, -1):
            stream.tokens(start, start + 1)
    records = [(recording, record) for recording in dataset.recordings.values() for record in range(recording.records)]
    assert {(recording, record) for recording, _, record, _ in made} == set(records)
    assert len(made) == len(records) > 8


def test_wrong_splits_are_named(dataset, tokenizer):
    with pytest.raises(UserError, match=r"data\.validation_recordings: 'shrot' is not in the dataset DIR"):
        split(dataset, tokenizer, data_config(validation_recordings=("shrot",)))
    with pytest.raises(UserError, match=r"no frames of the dataset DIR are left to train on"):
        split(dataset, tokenizer, data_config(validation_recordings=("short", "long")))


def test_a_window_shows_the_frames_at_its_tokens_and_masks_the_rest(dataset, tokenizer):
    streams = split(dataset, tokenizer, data_config()).training
    length = len(streams[0])
    window = read_window(streams, Tiling(np.array([length]), 32, np.array([0]))[length // 32], 32)
    valid = length % 32
    tokens, frames = streams[0].tokens(length - valid, length)
    codepoints_FxRxC, styles_FxRxC = dataset.recordings["long"].read(frames)
    np.testing.assert_array_equal(window["tokens"], np.pad(tokens, (0, 32 - valid)))
    np.testing.assert_array_equal(window["codepoints"][:valid], codepoints_FxRxC)
    np.testing.assert_array_equal(window["styles"][:valid], styles_FxRxC)
    assert window["mask"].tolist() == [True] * valid + [False] * (32 - valid)
    assert not window["codepoints"][valid:].any()
    assert window["codepoints"].dtype == window["styles"].dtype == np.uint8
    nothing = read_window(streams, NOWHERE, 32)
    assert not nothing["mask"].any()
    assert all(nothing[name].shape == array.shape for name, array in window.items())


def test_validation_windows_are_evenly_spaced(dataset, tokenizer):
    streams = split(dataset, tokenizer, data_config(validation_recordings=("long",))).validation
    everything = validation_places(streams, 16)
    assert covered(everything) == every_token([len(streams[0])])
    assert validation_places(streams, 16, 4) == [everything[index * len(everything) // 4] for index in range(4)]
    assert validation_places(streams, 16, 10**6) == everything


def test_processes_share_the_batches_of_one(dataset, tokenizer):
    streams = split(dataset, tokenizer, data_config()).training
    epochs = ShuffledEpochs([len(stream) for stream in streams], 8, 0)
    alone = list(batches(Windows(streams, epochs, 8, 4, 6), data_config()))
    shares = [list(batches(Windows(streams, epochs, 8, 4, 6, process, 2), data_config())) for process in range(2)]
    assert len(alone) == len(shares[0]) == len(shares[1]) == 6
    for whole, *parts in zip(alone, *shares, strict=True):
        for name, array in whole.items():
            np.testing.assert_array_equal(array, np.concatenate([part[name] for part in parts]))


@pytest.mark.parametrize("consecutive", [False, True])
def test_the_window_before_is_looked_up_only_where_windows_are_consecutive(dataset, tokenizer, consecutive):
    streams = split(dataset, tokenizer, data_config()).training
    looked_up = []

    class Noted(list):
        def __getitem__(self, position):
            looked_up.append(position)
            return super().__getitem__(position)

    places = Noted([Place(0, 0, 8), Place(1, 8, 16), Place(0, 8, 16), Place(0, 16, 24)])
    windows = Windows(streams, places, 8, 2, 2, consecutive=consecutive)
    assert [bool(windows[index]["continues"]) for index in range(4)] == [False, False, consecutive, False]
    assert looked_up == ([0, 1, 2, 0, 3, 1] if consecutive else [0, 1, 2, 3])


def test_the_loader_goes_on_where_it_was(dataset, tokenizer):
    streams = split(dataset, tokenizer, data_config()).training
    windows = Windows(streams, ShuffledEpochs([len(stream) for stream in streams], 8, 0), 8, 4, 20)
    loader = batches(windows, data_config())
    for _ in range(5):
        next(loader)
    state = loader.get_state()
    rest = [batch["tokens"] for batch in loader]
    resumed = batches(windows, data_config(read_threads=1))
    resumed.set_state(state)
    np.testing.assert_array_equal([batch["tokens"] for batch in resumed], rest)
