import os
import shutil
import sys

import numpy as np
import pytest

from data_gen.dataset import Dataset
from data_gen.texz.record import TexzError
from data_gen.tokenizer import Tokenizer
from rcfam_jax.training import token_counts
from rcfam_jax.training.streams import TokenStream
from rcfam_jax.training.token_counts import FOLDER, count_recordings


@pytest.fixture
def folder(dataset_folder, tmp_path):
    """A dataset of its own, whose tokens nobody has counted."""
    copy = shutil.copytree(dataset_folder, tmp_path / "data")
    shutil.rmtree(copy / FOLDER, ignore_errors=True)
    return copy


def count(folder, skip_corrupt=False):
    return count_recordings(Dataset(folder), Tokenizer.load(folder / "tokenizer.json"), 2, skip_corrupt)


def expect_plain_counts(folder, counts):
    """Against every record encoded one after the other."""
    dataset, tokenizer = Dataset(folder), Tokenizer.load(folder / "tokenizer.json")
    assert counts.keys() == dataset.recordings.keys()
    for name, recording in dataset.recordings.items():
        assert counts[name].tokens_R.tolist() == [len(tokenizer.encode(actions)[0]) for actions in recording.actions()]
        assert counts[name].commits.tolist() == [e.frame for e in recording.events() if e.kind == "commit"]


def forbid_decoding(monkeypatch):
    def decode(*_):
        raise AssertionError("a record was decoded")

    monkeypatch.setattr("data_gen.dataset.Recording.record_actions", decode)


def test_the_second_time_no_record_is_decoded(folder, monkeypatch):
    expect_plain_counts(folder, count(folder))
    forbid_decoding(monkeypatch)
    counts = count(folder)
    monkeypatch.undo()
    expect_plain_counts(folder, counts)


def test_another_tokenizer_is_counted_anew(folder):
    count(folder)
    tokenizer = Tokenizer.load(folder / "tokenizer.json")
    Tokenizer(tokenizer.pieces[:300], 512).save(folder / "tokenizer.json")
    expect_plain_counts(folder, count(folder))


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04", "cut"])
def test_a_damaged_file_is_counted_anew(folder, content):
    count(folder)
    (path,) = (folder / FOLDER).iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if content == "cut" else content)
    expect_plain_counts(folder, count(folder))
    assert path.read_bytes() == whole


def test_a_folder_that_cannot_be_written_to_will_do(folder, monkeypatch):
    (folder / FOLDER).write_bytes(b"")  # a file where the folder would be: no root can write below it
    expect_plain_counts(folder, count(folder))
    assert (folder / FOLDER).read_bytes() == b""


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="nothing is read-only to root")
def test_a_read_only_folder_will_do(folder):
    folder.chmod(0o555)
    try:
        expect_plain_counts(folder, count(folder))
        assert not (folder / FOLDER).exists()
    finally:
        folder.chmod(0o755)


def test_streams_with_and_without_counts_are_equal(folder, monkeypatch):
    """Wherever a border lies; and only the record in which it lies is decoded."""
    tokenizer, recording = Tokenizer.load(folder / "tokenizer.json"), Dataset(folder).recordings["long"]
    tokens_R, decoded = count(folder)["long"].tokens_R, []
    encode = token_counts.encode_record
    monkeypatch.setattr(token_counts, "encode_record", lambda *args: decoded.append(args[2]) or encode(*args))
    for border in (0, 1, 63, 64, 65, 200, recording.frames - 1, recording.frames):
        for first, end in ((0, border), (border, recording.frames)):
            plain = TokenStream("long", recording, tokenizer, first, end)
            decoded.clear()
            counted = TokenStream("long", recording, tokenizer, first, end, tokens_R)
            assert decoded == ([border // 64] if border % 64 and border < recording.frames else [])
            assert len(counted) == len(plain)
            if len(plain):
                np.testing.assert_array_equal(counted.tokens(0, len(plain)), plain.tokens(0, len(plain)))


def test_a_corrupt_record_is_named_or_counts_nothing(folder, capsys, damage):
    path = damage(folder, "long", 2)
    with pytest.raises(TexzError, match=f"{path}, record 2"):
        count(folder)
    tokens_R = count(folder, skip_corrupt=True)["long"].tokens_R
    assert np.flatnonzero(tokens_R == 0).tolist() == [2]
    assert f"left out: {path}, record 2" in capsys.readouterr().err
    assert not (folder / FOLDER).exists()  # a whole dataset has other counts
