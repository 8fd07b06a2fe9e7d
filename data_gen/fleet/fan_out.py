"""All repositories of a dataset, given to an executor; and the dataset made of what came back."""

import dataclasses
import pathlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence

from data_gen.dataset import read_entry, recording_folder, write_manifest
from data_gen.errors import UserError
from data_gen.fleet.job import Job, Outcome
from data_gen.fleet.progress import ProgressBar
from data_gen.record import Progress

Execute = Callable[[Sequence[Job], Callable[[str, Progress], None]], Iterator[Outcome]]
"""Performs jobs, tells a function the progress of each by name, and yields their outcomes as they come."""


def record_all(jobs: Sequence[Job], execute: Execute, strict: bool) -> tuple[dict[str, str], float]:
    """Perform the jobs that are not done yet; the errors of those that failed, by name, and the actions a second.

    `UserError` if all failed or nothing can be written; if `strict` also if any failed.
    """
    finished = {}
    for job in jobs:
        if entry := read_entry(recording_folder(job.dataset, job.name)):
            finished[job.name] = Progress(entry["commits"], entry["commits"], entry["actions"])
    failures = {}
    with ProgressBar(len(jobs), finished) as bar:
        for outcome in execute([job for job in jobs if job.name not in finished], bar.update):
            bar.end(outcome.name, failed=outcome.error is not None)
            if outcome.error is not None:
                if strict or outcome.stops_all:
                    raise UserError(outcome.error)
                failures[outcome.name] = outcome.error
        speed = bar.speed
    if len(failures) == len(jobs):
        raise UserError(f"none of {len(jobs)} repositories could be replayed; the first: {failures[jobs[0].name]}")
    return failures, speed


def write_dataset(folder: pathlib.Path, jobs: Sequence[Job], failures: Mapping[str, str]) -> None:
    """Join the entries that the recordings have written into the manifest; what failed leaves no files."""
    failed = [job for job in jobs if job.name in failures]
    for job in failed:
        shutil.rmtree(recording_folder(folder, job.name), ignore_errors=True)
    entries = (read_entry(recording_folder(folder, job.name)) for job in jobs)
    settings = jobs[0].settings
    write_manifest(
        folder,
        settings.rows,
        settings.columns,
        settings.frames_per_record,
        dataclasses.asdict(settings),
        [entry for entry in entries if entry is not None],
        [{"name": job.name, "repository": job.source, "error": failures[job.name]} for job in failed],
    )
