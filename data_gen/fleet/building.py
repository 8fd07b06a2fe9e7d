"""The folder in which a dataset grows: what was asked for, one process at a time, and going on after a kill."""

import contextlib
import errno
import fcntl
import json
import pathlib
import sys
from collections.abc import Iterator
from typing import Any

from data_gen.atomic import new_folder, remove_leftovers, unfinished_path, write_file
from data_gen.dataset import to_json
from data_gen.errors import UserError, one_line

_ASKED = "generator.json"
"""In a dataset's folder, from the start: what was asked for, that is `settings` and the names of the `recordings`."""


_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}
"""What a file system without locks says."""


class BuildingError(UserError):
    """A dataset cannot be begun, continued or finished."""


def is_complete(out: pathlib.Path, asked: dict[str, Any], resume: bool) -> bool:
    """Whether `resume` finds that a dataset at `out` has been finished. `BuildingError` if `out` is in the way."""
    if not out.exists():
        return False
    if not resume or not (out / _ASKED).is_file():
        raise BuildingError(f"{out} already exists")
    _compare(out, asked)
    return True


@contextlib.contextmanager
def building(out: pathlib.Path, asked: dict[str, Any], resume: bool) -> Iterator[pathlib.Path]:
    """A folder to build a dataset in, which becomes `out` in the end; after an error it stays, to be resumed.

    Raises `BuildingError` for what is in the way, for settings other than those that it was begun with, and, with what
    to do about it, for every `UserError` and `OSError` of the block.
    """
    unfinished = unfinished_path(out)
    if unfinished.exists() and not resume:
        raise BuildingError(f"{unfinished} is left from a run that did not end: go on with --resume, or remove it")
    with new_folder(out, resume) as folder:
        if (folder / _ASKED).is_file():
            _compare(folder, asked)
        else:
            write_file(folder / _ASKED, to_json(asked))
        with _alone(folder):
            remove_leftovers(folder)
            kept = f"what is finished stays in {folder}: go on with --resume, or remove it"
            try:
                yield folder
                remove_leftovers(folder)
            except (UserError, OSError) as error:
                raise BuildingError(f"{one_line(error)}; {kept}") from error
            except KeyboardInterrupt:
                print(f"interrupted; {kept}", file=sys.stderr)
                raise


def _compare(folder: pathlib.Path, asked: dict[str, Any]) -> None:
    """`BuildingError` unless `folder` was begun with what is asked for now."""
    before = json.loads((folder / _ASKED).read_bytes())
    for name, value in asked["settings"].items():
        if value != (was := before["settings"].get(name)):
            raise BuildingError(f"{folder} was begun with {name} {was}, not {value}: give the same, or another --out")
    if before["recordings"] != asked["recordings"]:
        raise BuildingError(f"{folder} was begun with other repositories: give the same, or another --out")


@contextlib.contextmanager
def _alone(folder: pathlib.Path) -> Iterator[None]:
    """Keep other processes out, as long as this one lives; `BuildingError` if one is there."""
    with (folder / _ASKED).open("r+b") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BuildingError(f"another process is generating into {folder}") from None
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
        yield
