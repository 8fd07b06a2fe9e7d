"""Whatever interrupts a write, a name shows all of the old content or all of the new."""

import os
import pathlib
import signal
import subprocess
import sys

import pytest

from data_gen.atomic import new_folder, remove_leftovers, temporary_path, write_file


def test_a_file_is_written_and_replaced(tmp_path):
    path = tmp_path / "file"
    write_file(path, b"old")
    write_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_the_old_content_stays_until_the_new_is_on_the_disk(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_file(path, b"old")

    def fail(descriptor):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        write_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_two_processes_write_to_files_of_their_own(tmp_path):
    program = (
        "import pathlib, sys; from data_gen.atomic import temporary_path; print(temporary_path(pathlib.Path('a/file')))"
    )
    other = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.strip()
    mine = str(temporary_path(pathlib.Path("a/file")))
    assert mine != other
    assert all(path.startswith("a/file.") and path.endswith(".partial") for path in (mine, other))


def test_leftovers_are_removed_and_nothing_else(tmp_path):
    kept = [tmp_path / "file", tmp_path / "inner" / "file"]
    kept[1].parent.mkdir()
    for path in kept:
        path.write_bytes(b"whole")
        temporary_path(path).write_bytes(b"hal")
    remove_leftovers(tmp_path)
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == kept


def test_a_folder_appears_when_it_is_complete(tmp_path):
    path = tmp_path / "parent" / "folder"
    with new_folder(path) as temporary:
        (temporary / "inner").mkdir()
        (temporary / "inner" / "file").write_bytes(b"content")
        assert not path.exists()
    assert (path / "inner" / "file").read_bytes() == b"content"
    assert [entry.name for entry in path.parent.iterdir()] == ["folder"]


def test_a_folder_whose_making_fails_is_resumed(tmp_path):
    with pytest.raises(KeyboardInterrupt), new_folder(tmp_path / "folder") as unfinished:
        (unfinished / "file").write_bytes(b"content")
        raise KeyboardInterrupt
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder.partial"]
    with new_folder(tmp_path / "folder", resume=True) as unfinished:
        assert (unfinished / "file").read_bytes() == b"content"
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize(("name", "resume"), [("folder", False), ("folder", True), ("folder.partial", False)])
def test_what_exists_is_kept(tmp_path, name, resume):
    (tmp_path / name).mkdir()
    with pytest.raises(FileExistsError, match=f"{name} already"), new_folder(tmp_path / "folder", resume):
        pass
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


def test_a_kill_leaves_no_folder(tmp_path):
    program = (
        "import os, pathlib, signal, sys; from data_gen.atomic import new_folder\n"
        "with new_folder(pathlib.Path(sys.argv[1])) as folder:\n"
        "    (folder / 'file').write_bytes(b'content')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(tmp_path / "folder")], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder.partial"]
