"""Many repositories become one dataset; those that fail are left out of it, or end the run."""

import errno
import functools
import json

import pytest

from data_gen.dataset import Dataset, read_entry, recording_folder
from data_gen.errors import UserError
from data_gen.fleet import job
from data_gen.fleet.building import building
from data_gen.fleet.fan_out import record_all, write_dataset
from data_gen.fleet.job import Job, Outcome, perform
from data_gen.record import Settings, record_history

SETTINGS = Settings(rows=8, columns=40, frames_per_record=64, max_commits=3)
ASKED = {"settings": {"seed": 0}, "recordings": ["ordinary", "nowhere", "odd_kinds"]}


def one_after_the_other(jobs, on_progress):
    """The simplest executor."""
    for one in jobs:
        yield perform(one, functools.partial(on_progress, one.name))


def backwards(jobs, on_progress):
    yield from one_after_the_other(jobs[::-1], on_progress)


@pytest.fixture
def sources(repositories):
    return {"ordinary": repositories["ordinary"], "nowhere": "/nowhere", "odd_kinds": repositories["odd_kinds"]}


def generate(out, sources, execute=one_after_the_other, strict=False, resume=False):
    with building(out, ASKED, resume) as folder:
        jobs = [Job(name, str(source), folder, out / "clones", SETTINGS) for name, source in sources.items()]
        failures, _ = record_all(jobs, execute, strict)
        write_dataset(folder, jobs, failures)


def test_what_fails_is_in_the_manifest_and_nowhere_else(sources, tmp_path):
    generate(tmp_path / "data", sources)
    dataset = Dataset(tmp_path / "data")
    dataset.check_files()
    assert list(dataset.recordings) == ["ordinary", "odd_kinds"]
    assert dataset.manifest["failures"] == [
        {"name": "nowhere", "repository": "/nowhere", "error": "/nowhere: no such folder"}
    ]
    assert sorted(folder.name for folder in (tmp_path / "data" / "recordings").iterdir()) == ["odd_kinds", "ordinary"]
    assert not list(tmp_path.rglob("*.partial"))


def test_the_order_in_which_they_end_does_not_matter(sources, tmp_path):
    generate(tmp_path / "a", sources)
    generate(tmp_path / "b", sources, backwards)
    assert Dataset(tmp_path / "a").checksum == Dataset(tmp_path / "b").checksum


def test_the_entry_of_a_recording_is_its_own(sources, tmp_path):
    generate(tmp_path / "data", sources)
    for entry in Dataset(tmp_path / "data").manifest["recordings"]:
        assert read_entry(recording_folder(tmp_path / "data", entry["name"])) == entry


def test_a_failure_ends_a_strict_run_and_what_is_finished_is_kept(sources, tmp_path, monkeypatch):
    with pytest.raises(UserError, match=r"/nowhere: no such folder; .*data\.partial: go on with --resume"):
        generate(tmp_path / "data", sources, strict=True)
    assert [path.name for path in tmp_path.iterdir()] == ["data.partial"]
    replayed = []

    def listening(path, name, *rest):
        replayed.append(name)
        record_history(path, name, *rest)

    monkeypatch.setattr(job, "record_history", listening)
    generate(tmp_path / "data", sources, resume=True)
    assert replayed == ["nowhere", "odd_kinds"]


def test_nothing_but_failures(sources, tmp_path):
    with pytest.raises(UserError, match="none of 1 repositories could be replayed; the first: /nowhere: no such"):
        generate(tmp_path / "data", {"nowhere": "/nowhere"})
    assert not (tmp_path / "data").exists()


def failing(error):
    def fail(*_):
        raise error

    return fail


def test_a_full_disk_ends_every_run(sources, tmp_path, monkeypatch):
    monkeypatch.setattr(job, "record_history", failing(OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(UserError, match=r"No space left on device; .* --resume"):
        generate(tmp_path / "data", sources)


@pytest.mark.parametrize(
    ("error", "line", "stops_all"),
    [
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), "/r: [Errno 32] Broken pipe", False),
        (PermissionError(errno.EACCES, "Permission denied", "/r/shallow"), "/r: Permission denied: /r/shallow", False),
        (PermissionError(errno.EACCES, "Permission denied", "/data/x"), "/r: Permission denied: /data/x", True),
        (OSError(errno.EIO, "write() failed"), "/r: [Errno 5] write() failed", True),
        (RuntimeError("a bug\nin \x1b two lines"), "/r: RuntimeError: a bug in \\x1b two lines", False),
        (UserError("bad\x1b"), "bad\\x1b", False),
    ],
)
def test_what_ends_all_and_what_ends_one(tmp_path, monkeypatch, capsys, error, line, stops_all):
    monkeypatch.setattr(job, "record_history", failing(error))
    one = Job("r", "/r", tmp_path.__class__("/data"), tmp_path, SETTINGS)
    assert perform(one, print) == Outcome("r", line, stops_all)
    printed = capsys.readouterr().err
    assert ("Traceback" in printed) == isinstance(error, RuntimeError) and "\x1b" not in printed


def test_one_process_at_a_time(tmp_path):
    with building(tmp_path / "data", ASKED, resume=False):
        for resume, match in ((True, "another process is generating"), (False, "go on with --resume")):
            with pytest.raises(UserError, match=match), building(tmp_path / "data", ASKED, resume):
                pass


@pytest.mark.parametrize(
    ("asked", "match"),
    [
        ({"settings": {"seed": 1}, "recordings": ["a"]}, "begun with seed 0, not 1"),
        ({"settings": {"seed": 0}, "recordings": ["b"]}, "begun with other repositories"),
    ],
)
def test_other_settings_do_not_resume(tmp_path, asked, match):
    before = {"settings": {"seed": 0}, "recordings": ["a"]}
    with pytest.raises(UserError, match="stop"), building(tmp_path / "data", before, resume=False):
        raise UserError("stop")
    with pytest.raises(UserError, match=match), building(tmp_path / "data", asked, resume=True):
        pass
    with building(tmp_path / "data", before, resume=True) as folder:
        assert json.loads((folder / "generator.json").read_text()) == before
