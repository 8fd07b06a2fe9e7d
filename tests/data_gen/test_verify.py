"""Recordings proven from the shards alone, against git's trees and against the real programs."""

import pathlib
import subprocess
import sys

import pytest
from histories import BUILDERS
from real_programs import typed_beside_real_programs

from data_gen.dataset import Dataset, recording_folder, write_manifest
from data_gen.record import Settings, record_history
from data_gen.verification.retyping import Retyped, TreeCheck, VerificationError, actions_between, commits_of

SETTINGS = Settings(rows=24, columns=80, frames_per_record=256)


@pytest.fixture(scope="module")
def dataset(repositories, tmp_path_factory) -> Dataset:
    """All the made-up histories, recorded."""
    folder = tmp_path_factory.mktemp("dataset")
    entries = [
        record_history(path, name, recording_folder(folder, name), SETTINGS, lambda actions: None)
        for name, path in repositories.items()
    ]
    write_manifest(folder, SETTINGS.rows, SETTINGS.columns, SETTINGS.frames_per_record, {}, entries)
    return Dataset(folder)


@pytest.mark.parametrize("name", BUILDERS)
def test_every_frame_and_every_tree_is_proven(dataset, name):
    recording = dataset.recordings[name]
    retyped, trees = Retyped(recording, 24, 80), TreeCheck()
    commits = 0
    for commit in retyped.commits():
        if name != "hostile":  # a name such as `a/b` in its trees looks like a folder
            trees.check(retyped.terminal.filesystem, commit)
        commits += 1
    assert commits == next(entry for entry in dataset.manifest["recordings"] if entry["name"] == name)["commits"]


def test_another_key_is_found(dataset, monkeypatch):
    recording = dataset.recordings["ordinary"]
    original = type(recording).record_actions

    def tampered(self, number):
        actions = original(self, number)
        return actions ^ (actions == ord("e")).astype(actions.dtype) if number == 1 else actions

    monkeypatch.setattr(type(recording), "record_actions", tampered)
    with pytest.raises(
        VerificationError, match=r"ordinary: (frame [0-9]+ is not what was typed|commit [0-9a-f]{40}: )"
    ):
        list(Retyped(recording, 24, 80).commits())


def test_another_tree_is_found(dataset):
    recording = dataset.recordings["ordinary"]
    retyped = Retyped(recording, 24, 80)
    commit = next(retyped.commits())
    TreeCheck().check(retyped.terminal.filesystem, commit)
    with pytest.raises(VerificationError, match=f"commit {commit.commit}: the files are the tree .* has {'0' * 40}"):
        TreeCheck().check(retyped.terminal.filesystem, commit._replace(tree="0" * 40))
    retyped.terminal.filesystem.write(b"extra", b"")
    with pytest.raises(VerificationError, match="the files are the tree"):
        TreeCheck().check(retyped.terminal.filesystem, commit)


def test_what_is_left_out_is_part_of_the_tree(dataset):
    recording = dataset.recordings["odd_kinds"]
    retyped = Retyped(recording, 24, 80)
    commit = next(commit for commit in retyped.commits() if commit.left_out)
    with pytest.raises(VerificationError, match="the files are the tree"):
        TreeCheck().check(retyped.terminal.filesystem, commit._replace(left_out=[]))


def test_actions_are_read_across_records(dataset):
    recording = dataset.recordings["ordinary"]
    commits = commits_of(recording)
    assert commits[0].start == 0 and commits[-1].end == recording.frames
    whole = actions_between(recording, 0, recording.frames)
    for commit in commits:
        assert (
            actions_between(recording, commit.start, commit.end).tolist() == whole[commit.start : commit.end].tolist()
        )


def test_events_that_make_no_commits_are_refused(dataset, monkeypatch):
    recording = dataset.recordings["odd_kinds"]
    events = recording.events()
    left_out = next(event for event in events if event.kind == "left out")
    for damaged in (
        [],
        events[1:],
        [left_out, *events],
        [*events, events[0]],
        [*events, events[-1]._replace(kind="commit", frame=recording.frames)],
        [events[0]._replace(tree="\x1b[2J"), *events[1:]],
        [events[0], left_out._replace(entry="1 2 3")],
    ):
        monkeypatch.setattr(type(recording), "events", lambda self, damaged=damaged: damaged)
        with pytest.raises(VerificationError, match=r"odd_kinds: .*(divided into commits|is no commit|is no entry)"):
            commits_of(recording)


def verify(folder: pathlib.Path, *flags: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "data_gen.verify", f"--data={folder}", *flags]
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


def test_the_program_says_what_it_has_proven(dataset):
    result = verify(dataset.path, "--recording=ordinary")
    assert result.returncode == 0, result.stderr
    assert "ordinary: after each of" in result.stdout and "every file is git's (0 left out)" in result.stdout
    result = verify(dataset.path, "--recording=other")
    assert result.returncode == 1 and "no recording 'other'" in result.stderr.splitlines()[-1]


@pytest.mark.slow
@pytest.mark.parametrize("name", BUILDERS)
def test_real_programs_show_and_write_the_same(dataset, name):
    session = typed_beside_real_programs(dataset.recordings[name], 24, 80)
    assert session.screens > 0
    assert session.differences == []


@pytest.mark.slow
def test_the_program_asks_real_programs(dataset):
    result = verify(dataset.path, "--recording=ordinary", "--against=real", "--commits=3")
    if "not installed" in result.stderr:
        pytest.skip(result.stderr.splitlines()[-1])
    assert result.returncode == 0, result.stdout + result.stderr
    assert "after each of 3 commits every file is the same" in result.stdout and "(100.00%)" in result.stdout
