"""One repository's share of a dataset: a task that any process on any machine can do, and do again."""

import dataclasses
import errno
import os
import pathlib
import sys
import traceback
from collections.abc import Callable
from typing import NamedTuple

from data_gen.dataset import recording_folder
from data_gen.errors import UserError, one_line
from data_gen.fleet.clones import local_copy
from data_gen.record import Progress, Settings, record_history

_DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS}


@dataclasses.dataclass(frozen=True)
class Job:
    """What it takes to record one repository; all paths are absolute."""

    name: str
    source: str  # path or URL
    dataset: pathlib.Path  # the folder, as long as it is unfinished
    clones: pathlib.Path
    settings: Settings


class Outcome(NamedTuple):
    """How a job ended."""

    name: str
    error: str | None = None  # one line; `None`: the recording is complete
    stops_all: bool = False  # the others would fail likewise: nothing can be written


def perform(job: Job, on_progress: Callable[[Progress], None]) -> Outcome:
    """Record the repository. Whatever goes wrong is in the outcome; an error of the program is also printed."""
    try:
        path = local_copy(job.source, job.clones)
        record_history(path, job.name, recording_folder(job.dataset, job.name), job.settings, on_progress)
    except UserError as error:
        return Outcome(job.name, one_line(error))
    except OSError as error:
        return Outcome(job.name, f"{job.source}: {one_line(error)}", _is_about_disk(error, job.dataset))
    except Exception as error:
        for line in traceback.format_exc().splitlines():
            print(line.encode("unicode_escape").decode(), file=sys.stderr)
        return Outcome(job.name, f"{job.source}: {type(error).__name__}: {one_line(error)}")
    return Outcome(job.name)


def _is_about_disk(error: OSError, folder: pathlib.Path) -> bool:
    within = error.filename is not None and pathlib.Path(os.fsdecode(error.filename)).is_relative_to(folder)
    return within or error.errno in _DISK_ERRORS
