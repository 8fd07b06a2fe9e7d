"""Whatever interrupts a write, a name shows all of the old content or all of the new."""

import os
import signal
import subprocess
import sys

import pytest

from data_gen.atomic import new_folder, write_file


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


def test_a_folder_appears_when_it_is_complete(tmp_path):
    path = tmp_path / "parent" / "folder"
    with new_folder(path) as temporary:
        (temporary / "inner").mkdir()
        (temporary / "inner" / "file").write_bytes(b"content")
        assert not path.exists()
    assert (path / "inner" / "file").read_bytes() == b"content"
    assert [entry.name for entry in path.parent.iterdir()] == ["folder"]


def test_a_folder_whose_making_fails_vanishes(tmp_path):
    with pytest.raises(KeyboardInterrupt), new_folder(tmp_path / "folder") as temporary:
        (temporary / "file").write_bytes(b"content")
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


def test_what_exists_is_kept(tmp_path):
    for name in ("folder", "folder.partial"):
        (tmp_path / name).mkdir()
        with pytest.raises(FileExistsError, match=f"{name} already"), new_folder(tmp_path / "folder"):
            pass
        (tmp_path / name).rmdir()


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
