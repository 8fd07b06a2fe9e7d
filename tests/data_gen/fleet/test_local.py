"""The executor of this machine: every job has an outcome, even one whose process dies, and no process outlives it."""

import multiprocessing
import os

import pytest

from data_gen.dataset import read_entry, recording_folder
from data_gen.fleet import local
from data_gen.fleet.job import Job, Outcome
from data_gen.record import Settings

SETTINGS = Settings(rows=8, columns=40, frames_per_record=64)


class Deadly:
    """Ends the process that receives it."""

    def __reduce__(self):
        return os._exit, (3,)


@pytest.fixture
def jobs(repositories, tmp_path):
    sources = {"ordinary": repositories["ordinary"], "nowhere": "/nowhere"}
    settings = {"deadly": Deadly()}
    return [
        Job(name, str(sources.get(name, "/r")), tmp_path, tmp_path, settings.get(name, SETTINGS))
        for name in ("deadly", "ordinary", "nowhere")
    ]


def test_every_job_has_its_outcome(jobs, tmp_path):
    heard = []
    outcomes = sorted(local.run(jobs, lambda name, progress: heard.append((name, progress.commits)), workers=2))
    assert outcomes == [
        Outcome("deadly", "/r: its process ended with code 3"),
        Outcome("nowhere", "/nowhere: no such folder"),
        Outcome("ordinary"),
    ]
    assert heard == [("ordinary", number) for number in range(1, 9)]
    assert read_entry(recording_folder(tmp_path, "ordinary"))["commits"] == 8
    assert not multiprocessing.active_children()


def test_no_process_outlives_the_run(jobs, tmp_path):
    outcomes = local.run(jobs, print, workers=3)
    assert next(outcomes).error
    outcomes.close()
    assert not multiprocessing.active_children()
