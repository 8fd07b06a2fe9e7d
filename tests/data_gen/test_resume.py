"""A recording that was interrupted anywhere and started again has the bytes of one that was not."""

import functools
import shutil

import pytest
from histories import Builder, ordinary

from data_gen import record
from data_gen.dataset import read_entry
from data_gen.record import Progress, Settings, record_history
from data_gen.replay.history import HistoryError
from data_gen.texz import codec
from data_gen.texz.recording import RecordingWriter

SETTINGS = Settings(rows=8, columns=40, frames_per_record=64)


class PowerCut(BaseException):
    """Nothing catches it."""


@pytest.fixture(autouse=True)
def short_files(monkeypatch):
    monkeypatch.setattr(record, "RecordingWriter", functools.partial(RecordingWriter, records_per_file=3))


def replay(repository, folder):
    heard: list[Progress] = []
    record_history(repository, "project", folder, SETTINGS, heard.append)
    return heard


def snapshot(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith(".partial")}


@pytest.fixture(scope="module")
def whole(repositories, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "recording"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record, "RecordingWriter", functools.partial(RecordingWriter, records_per_file=3))
        replay(repositories["ordinary"], folder)
    return folder


def cut_power(monkeypatch, records):
    """Let the writer take so many records, and then no more."""
    left = records
    add = RecordingWriter.add

    def limited(self, log, events):
        nonlocal left
        if left == 0:
            raise PowerCut
        left -= 1
        add(self, log, events)

    monkeypatch.setattr(RecordingWriter, "add", limited)


@pytest.mark.parametrize("records", [0, 1, 3, 4, 7, 11])
def test_a_recording_goes_on_after_a_power_cut(repositories, whole, tmp_path, monkeypatch, records):
    with monkeypatch.context() as patch:
        cut_power(patch, records)
        with pytest.raises(PowerCut):
            replay(repositories["ordinary"], tmp_path)
    assert read_entry(tmp_path) is None
    encoded = []
    monkeypatch.setattr("data_gen.texz.recording.encode", lambda log, _: encoded.append(log) or codec.encode(log))
    replay(repositories["ordinary"], tmp_path)
    assert snapshot(tmp_path) == snapshot(whole)
    total = sum(file["records"] for file in read_entry(whole)["files"])
    assert total > 12 and len(encoded) == total - records // 3 * 3


def test_power_cuts_in_a_row(repositories, whole, tmp_path, monkeypatch):
    for records in (5, 2, 9, 4):
        with monkeypatch.context() as patch, pytest.raises(PowerCut):
            cut_power(patch, records)
            replay(repositories["ordinary"], tmp_path)
    replay(repositories["ordinary"], tmp_path)
    assert snapshot(tmp_path) == snapshot(whole)


def test_progress_is_told_after_each_commit(repositories, tmp_path):
    heard = replay(repositories["ordinary"], tmp_path)
    entry = read_entry(tmp_path)
    assert [(progress.planned, progress.commits) for progress in heard] == [(8, number) for number in range(1, 9)]
    assert heard[-1].actions == entry["actions"] == entry["frames"]


def test_a_moved_head_is_refused(repositories, tmp_path, monkeypatch):
    shutil.copytree(repositories["ordinary"], tmp_path / "moving")
    with monkeypatch.context() as patch, pytest.raises(PowerCut):
        cut_power(patch, 5)
        replay(tmp_path / "moving", tmp_path / "recording")
    moving = Builder.__new__(Builder)
    moving.folder = tmp_path / "moving"
    moving.write(b"new", b"more\n")
    moving.commit(b"Go on\n")
    with pytest.raises(HistoryError, match=r"moving: HEAD was [0-9a-f]{40} .* but is [0-9a-f]{40} now"):
        replay(tmp_path / "moving", tmp_path / "recording")
    moving.git("reset", "--quiet", "--hard", "HEAD~1")
    replay(tmp_path / "moving", tmp_path / "recording")


def test_a_repository_that_vanishes_leaves_no_entry(tmp_path, monkeypatch):
    folder = ordinary(tmp_path / "vanishing").folder
    add = RecordingWriter.add

    def vanish(self, log, events):
        shutil.rmtree(folder, ignore_errors=True)
        add(self, log, events)

    monkeypatch.setattr(RecordingWriter, "add", vanish)
    with pytest.raises(HistoryError, match="vanishing"):
        replay(folder, tmp_path / "recording")
    assert read_entry(tmp_path / "recording") is None
