"""A dataset is complete or refused with one clear line."""

import dataclasses
import json
import shlex
import subprocess
import sys

import numpy as np
import pytest

from data_gen.dataset import Dataset, DatasetError, recording_folder, write_manifest
from data_gen.record import Settings
from data_gen.terminal.screen import log_frame, new_log, new_screen
from data_gen.texz.recording import RecordingWriter


def write_dataset(folder):
    entries = []
    for name in ("first", "second"):
        writer = RecordingWriter(recording_folder(folder, name), 8)
        screen, log = new_screen(4, 10), new_log(8, 4, 10)
        for action in name.encode():
            log_frame(screen, log, action)
            screen.codepoints_RxC[0, 0], screen.dirty_R[0] = action, True
        writer.add(log, [])
        entries.append({"name": name, "head": "ab" * 20, "commits": 1, "skipped": {"binary": 2}, **writer.close()})
    write_manifest(folder, 4, 10, 8, {"seed": 7, "max_commits": None}, entries)


@pytest.fixture
def folder(tmp_path):
    write_dataset(tmp_path / "data")
    return tmp_path / "data"


def test_a_dataset_comes_back(folder):
    dataset = Dataset(folder)
    assert (dataset.rows, dataset.columns, dataset.frames_per_record) == (4, 10, 8)
    assert dataset.generator == {"seed": 7, "max_commits": None}
    assert list(dataset.recordings) == ["first", "second"]
    assert [recording.frames for recording in dataset.recordings.values()] == [5, 6]
    codepoints_FxRxC, _ = dataset.recordings["second"].read(np.arange(6))
    assert bytes(codepoints_FxRxC[1:, 0, 0].astype(np.uint8)) == b"secon"
    assert dataset.manifest["recordings"][0]["skipped"] == {"binary": 2}
    dataset.check_files()


def test_the_same_content_gives_the_same_manifest_anywhere(folder, tmp_path):
    write_dataset(tmp_path / "elsewhere" / "copy")
    copy = Dataset(tmp_path / "elsewhere" / "copy")
    assert copy.checksum == Dataset(folder).checksum
    assert str(tmp_path) not in (folder / "dataset.json").read_text()


def test_the_command_that_generates_it_is_understood(folder):
    """All settings are flags; it ends only because the folder is there."""
    change_manifest(folder, generator=dataclasses.asdict(Settings(columns=100, max_frames=7)))
    program, *arguments = shlex.split(Dataset(folder).command())
    assert program == "python"
    assert {"--repo=first", "--repo=second", f"--out={folder}", "--cols=100", "--max_frames=7"} <= set(arguments)
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, f"error: {folder} already exists\n")


def assert_refused(folder, match):
    with pytest.raises(DatasetError, match=match) as caught:
        Dataset(folder)
    assert "\n" not in str(caught.value)


def change_manifest(folder, **fields):
    manifest = json.loads((folder / "dataset.json").read_text())
    (folder / "dataset.json").write_text(json.dumps(manifest | fields))


def test_no_folder(tmp_path):
    assert_refused(tmp_path / "none", "none: no such folder")


def test_unfinished(folder):
    (folder / "dataset.json").unlink()
    assert_refused(folder, "no dataset.json.*has not finished")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"\xff"])
def test_damaged_manifest(folder, content):
    (folder / "dataset.json").write_bytes(content)
    assert_refused(folder, r"dataset\.json: damaged")


@pytest.mark.parametrize("fields", [{"recordings": 1}, {"recordings": [{}]}, {"recordings": [[]]}, {"rows": "many"}])
def test_manifest_of_another_shape(folder, fields):
    change_manifest(folder, **fields)
    assert_refused(folder, r"dataset\.json: damaged")


def test_other_version(folder):
    change_manifest(folder, format_version=2)
    assert_refused(folder, "format version 2, .* version 1")


def test_foreign_styles(folder):
    change_manifest(folder, styles=[["PLAIN", "ffffff", "000000"]])
    assert_refused(folder, "style table")


def test_missing_file(folder):
    (folder / "recordings" / "second" / "00000.array_record").unlink()
    assert_refused(folder, r"second/00000\.array_record: missing")


def test_truncated_file(folder):
    path = folder / "recordings" / "first" / "00000.array_record"
    path.write_bytes(path.read_bytes()[:-1])
    assert_refused(folder, r"first/00000\.array_record: \d+ bytes instead of \d+")


def test_a_changed_byte_is_found_when_files_are_read(folder):
    path = folder / "recordings" / "first" / "00000.array_record"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=r"first/00000\.array_record"):
        Dataset(folder).check_files()


@pytest.mark.parametrize("name", ["../first", "..", ".", "", ".vim", "a/b", "a\x1b[2J", "a\n"])
def test_names_that_the_generator_does_not_give_are_refused(folder, name):
    recordings = json.loads((folder / "dataset.json").read_text())["recordings"]
    recordings[0] |= {"name": name, "files": []}
    change_manifest(folder, recordings=recordings)
    assert_refused(folder, "is not a plain name")


@pytest.mark.parametrize("change", [{"frames": 0}, {"frames": 9}, {"frames": -1}, {"files": []}])
def test_records_that_do_not_make_up_the_frames_are_refused(folder, change):
    recordings = json.loads((folder / "dataset.json").read_text())["recordings"]
    recordings[1] |= change
    change_manifest(folder, recordings=recordings)
    assert_refused(folder, "second: .* records")
