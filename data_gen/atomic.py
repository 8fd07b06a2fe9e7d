"""Files and folders that appear whole or not at all, also after a power cut."""

import contextlib
import os
import pathlib
import shutil
from collections.abc import Iterator


def temporary_path(path: pathlib.Path) -> pathlib.Path:
    """Where `path` is while it is being written: beside it, so that renaming it is one step."""
    return path.with_name(path.name + ".partial")


def sync(path: pathlib.Path) -> None:
    """Return when the file or folder at `path` is on the disk: a folder's names, not its files' contents."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def publish(path: pathlib.Path) -> None:
    """Give the finished file or folder at `temporary_path(path)` its name."""
    temporary = temporary_path(path)
    sync(temporary)
    os.replace(temporary, path)
    sync(path.parent)


def write_file(path: pathlib.Path, content: bytes) -> None:
    """Write `content` to `path`, replacing what was there in one step."""
    temporary_path(path).write_bytes(content)
    publish(path)


@contextlib.contextmanager
def new_folder(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A folder to fill, which gets the name `path` when the block ends well and vanishes when it does not.

    `FileExistsError` if there is a `path` already, or what a killed process left of one.
    """
    temporary = temporary_path(path)
    for existing in (path, temporary):
        if existing.exists():
            raise FileExistsError(f"{existing} already exists")
    temporary.mkdir(parents=True)
    try:
        yield temporary
        for inner in sorted(temporary.rglob("*")):
            sync(inner)
        publish(path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
