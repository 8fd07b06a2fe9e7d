"""Recordings: what was added is read back, across records and files, and damage is found and located."""

import concurrent.futures
import hashlib
import pathlib
import pickle
import resource

import numpy as np
import pytest
from typed_logs import ENTER, Logged, type_text

from data_gen.atomic import temporary_path
from data_gen.texz import codec
from data_gen.texz.record import TexzError
from data_gen.texz.recording import Event, Recording, RecordingError, RecordingWriter

FRAMES_PER_RECORD = 16
LOGS = [
    type_text([*f"line {number}".encode().ljust(FRAMES_PER_RECORD - 1), ENTER][: 9 if number == 6 else None])
    for number in range(7)
]
FRAMES = 6 * FRAMES_PER_RECORD + 9
EVENTS = [
    Event(0, "commit", "c0" * 20, "d0" * 20, b""),
    Event(0, "file", "c0" * 20, "d0" * 20, b"src/\xff odd \xe2\x82\xac.py"),
    Event(50, "commit", "c1" * 20, "d1" * 20, b""),
    Event(FRAMES - 1, "shell", "c1" * 20, "d1" * 20, b"a\nb"),
]


def write(folder: pathlib.Path, logs: list[Logged] = LOGS) -> dict:
    writer = RecordingWriter(folder, FRAMES_PER_RECORD, records_per_file=3)
    add_all(writer, logs)
    return writer.close()


def add_all(writer: RecordingWriter, logs: list[Logged]) -> None:
    frames = 0
    for logged in logs:
        end = frames + len(logged.actions_F)
        writer.add(logged.log, [event for event in EVENTS if frames <= event.frame < end])
        frames = end


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "recordings" / "typed"


@pytest.fixture
def recording(folder):
    return Recording(folder, {"name": "typed", **write(folder)}, FRAMES_PER_RECORD)


def test_summary_describes_the_files(folder):
    summary = write(folder)
    assert summary["frames"] == summary["actions"] == FRAMES
    assert [(file["name"], file["records"], file["frames"]) for file in summary["files"]] == [
        ("00000.array_record", 3, 48),
        ("00001.array_record", 3, 48),
        ("00002.array_record", 1, 9),
    ]
    for file in summary["files"]:
        content = (folder / file["name"]).read_bytes()
        assert (file["bytes"], file["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    assert sorted(path.name for path in folder.iterdir()) == [file["name"] for file in summary["files"]]


def test_the_same_logs_give_the_same_files(tmp_path):
    assert write(tmp_path / "a") == write(tmp_path / "b")


@pytest.mark.parametrize("frames", [range(FRAMES), range(10, 70), [0], [FRAMES - 1], [3, 3, 47, 48, 100]])
def test_frames_come_back(recording, frames):
    codepoints_FxRxC, styles_FxRxC = recording.read(np.array(frames))
    np.testing.assert_array_equal(codepoints_FxRxC, np.concatenate([log.codepoints_FxRxC for log in LOGS])[frames])
    np.testing.assert_array_equal(styles_FxRxC, np.concatenate([log.styles_FxRxC for log in LOGS])[frames])


def test_frames_fill_given_arrays(recording):
    out = np.empty((40, 12, 40), np.uint8), np.empty((40, 12, 40), np.uint8)
    assert recording.read(np.arange(40), max_codepoint=200, out=out)[0] is out[0]
    np.testing.assert_array_equal(out[0], recording.read(np.arange(40))[0])


def test_actions_and_events_come_back(recording):
    assert recording.records == len(LOGS)
    for actions_S, logged in zip(recording.actions(), LOGS, strict=True):
        np.testing.assert_array_equal(actions_S, logged.actions_F)
    assert recording.events() == EVENTS


def test_threads_and_processes_may_share_it(recording):
    expected = recording.read(np.arange(FRAMES))[0]
    copy = pickle.loads(pickle.dumps(recording))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        windows = [pool.submit(copy.read, np.arange(start, start + 30)) for start in range(0, 70, 2)]
        for start, window in zip(range(0, 70, 2), windows, strict=True):
            np.testing.assert_array_equal(window.result()[0], expected[start : start + 30])


def test_frames_and_records_that_are_not_there(recording):
    for frames in ([], [FRAMES], [-1], [2, 1]):
        with pytest.raises(IndexError, match="typed"):
            recording.read(np.array(frames, np.int64))
    for number in (-1, 7):
        with pytest.raises(IndexError, match="records 0 to 6"):
            recording.record_actions(number)


def test_what_cannot_be_added(folder):
    writer = RecordingWriter(folder, FRAMES_PER_RECORD)
    with pytest.raises(ValueError, match="frames 0 to 15"):
        writer.add(LOGS[0].log, [EVENTS[2]])
    writer.add(LOGS[6].log, [])
    with pytest.raises(ValueError, match="only the last record"):
        writer.add(LOGS[0].log, [])


def test_an_unfinished_file_has_no_name_yet(folder):
    writer = RecordingWriter(folder, FRAMES_PER_RECORD)
    writer.add(LOGS[0].log, [])
    assert [path.name for path in folder.iterdir()] == [temporary_path(folder / "00000.array_record").name]
    writer.close()
    assert [path.name for path in folder.iterdir()] == ["00000.array_record"]


def snapshot(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith(".partial")}


@pytest.mark.parametrize("records", range(8))
def test_an_interrupted_writer_is_continued(folder, tmp_path, monkeypatch, records):
    """As after a kill: the first writer is left as it is after so many records."""
    summary = write(tmp_path / "uninterrupted")
    interrupted = RecordingWriter(folder, FRAMES_PER_RECORD, records_per_file=3)
    add_all(interrupted, LOGS[:records])
    encoded = []
    monkeypatch.setattr("data_gen.texz.recording.encode", lambda log, _: encoded.append(log) or codec.encode(log))
    assert write(folder) == summary
    assert snapshot(folder) == snapshot(tmp_path / "uninterrupted")
    assert len(encoded) == len(LOGS) - records // 3 * 3


@pytest.mark.parametrize("damage", [lambda _: b"", lambda c: c[:-1], lambda c: c.replace(b"TEXF", b"TEXG")])
def test_a_damaged_file_is_written_anew(folder, tmp_path, damage):
    summary = write(folder)
    write(tmp_path / "uninterrupted")
    path = folder / "00000.array_record"
    path.write_bytes(damage(path.read_bytes()))
    assert write(folder) == summary
    assert snapshot(folder) == snapshot(tmp_path / "uninterrupted")


def test_a_flipped_bit_in_a_kept_file_is_mended(folder, recording):
    whole = snapshot(folder)
    record = recording.record(1)
    path = folder / "00000.array_record"
    path.write_bytes(path.read_bytes().replace(record, record[:20] + bytes([record[20] ^ 1]) + record[21:]))
    assert snapshot(folder) != whole
    write(folder)
    assert snapshot(folder) == whole


def test_another_history_does_not_continue_a_recording(folder):
    write(folder)
    writer = RecordingWriter(folder, FRAMES_PER_RECORD, records_per_file=3)
    with pytest.raises(RecordingError, match=r"00000\.array_record: begun from another history"):
        for logged in LOGS[:3]:
            writer.add(logged.log, [])


def test_a_file_that_cannot_be_written_is_named(folder):
    writer = RecordingWriter(folder, FRAMES_PER_RECORD)
    writer.add(LOGS[0].log, [])
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OSError, match=r"File too large.*00000\.array_record"):
            writer.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not snapshot(folder)


@pytest.mark.parametrize("size", [0, 1000, -1])
def test_a_truncated_file_is_found(recording, folder, size):
    path = folder / "00001.array_record"
    path.write_bytes(path.read_bytes()[:size])
    np.testing.assert_array_equal(recording.record_actions(2), LOGS[2].actions_F)
    with pytest.raises(TexzError, match=r"00001\.array_record: damaged: 0 records"):
        recording.record_actions(3)
    with pytest.raises(TexzError, match=r"00001\.array_record"):
        recording.events()


def test_a_damaged_record_is_located(recording, folder):
    path = folder / "00001.array_record"
    content = bytearray(path.read_bytes())
    start = content.index(recording.record(4))
    recording = pickle.loads(pickle.dumps(recording))
    content[start + 30] ^= 1
    path.write_bytes(content)
    np.testing.assert_array_equal(recording.record_actions(3), LOGS[3].actions_F)
    with pytest.raises(TexzError, match=r"00001\.array_record, record 1: "):
        recording.read(np.array([4 * FRAMES_PER_RECORD]))
