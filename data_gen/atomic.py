"""Files and folders that appear whole or not at all, also after a power cut."""

import contextlib
import os
import pathlib
import platform
from collections.abc import Iterator


def temporary_path(path: pathlib.Path) -> pathlib.Path:
    """Where this process writes `path`: beside it, so that renaming it is one step.

    Each process has a name of its own: one that is believed dead may still be writing when another takes its place.
    """
    return path.with_name(f"{path.name}.{platform.node()}-{os.getpid()}.partial")


def unfinished_path(path: pathlib.Path) -> pathlib.Path:
    """Where the folder `path` is while `new_folder` fills it."""
    return path.with_name(path.name + ".partial")


def sync(path: pathlib.Path) -> None:
    """Return when the file or folder at `path` is on the disk: a folder's names, not its files' contents."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def publish(path: pathlib.Path) -> None:
    """Give the finished file at `temporary_path(path)` its name."""
    _rename(temporary_path(path), path)


def write_file(path: pathlib.Path, content: bytes) -> None:
    """Write `content` to `path`, replacing what was there in one step."""
    try:
        temporary_path(path).write_bytes(content)
        publish(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary_path(path).unlink()
        raise


@contextlib.contextmanager
def new_folder(path: pathlib.Path, resume: bool = False) -> Iterator[pathlib.Path]:
    """A folder to fill, which gets the name `path` when the block ends well.

    Otherwise it stays at `unfinished_path(path)`, where `resume` takes it up again. `FileExistsError` if there is a
    `path` already, or without `resume` an unfinished one.
    """
    unfinished = unfinished_path(path)
    for existing in (path, unfinished):
        if existing.exists() and not (resume and existing == unfinished):
            raise FileExistsError(f"{existing} already exists")
    unfinished.mkdir(parents=True, exist_ok=resume)
    yield unfinished
    sync_tree(unfinished)
    _rename(unfinished, path)


def sync_tree(folder: pathlib.Path) -> None:
    """Return when everything in `folder` is on the disk."""
    for inner in sorted(folder.rglob("*")):
        if not inner.is_symlink():
            sync(inner)


def remove_leftovers(folder: pathlib.Path) -> None:
    """Remove the files below `folder` that were not finished."""
    for leftover in sorted(folder.rglob("*.partial")):
        leftover.unlink(missing_ok=True)


def _rename(source: pathlib.Path, target: pathlib.Path) -> None:
    sync(source)
    os.replace(source, target)
    sync(target.parent)
