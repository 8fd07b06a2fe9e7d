"""Histories as they are read, against what git itself says of them."""

import os
import pathlib
import shutil
import stat
import subprocess

import pytest
from histories import BUILDERS, MESSAGES, Builder

from data_gen.replay.history import BlobTooLarge, Change, Commit, Entry, History, HistoryError, Move


def git(folder: pathlib.Path, *arguments: str) -> bytes:
    return subprocess.run(["git", "-C", folder, *arguments], stdout=subprocess.PIPE, check=True).stdout


def apply(tree: dict[bytes, Entry], commit: Commit) -> None:
    """Bring `tree` from the state before `commit` to the one after it, and hold its old side against `tree`."""
    for change in commit.changes:
        if isinstance(change, Move):
            assert tree.pop(change.source) == change.old and change.old.blob == change.new.blob
        elif change.old is not None:
            assert tree.pop(change.path) == change.old
    for change in commit.changes:
        if isinstance(change, Move):
            assert change.target not in tree
            tree[change.target] = change.new
        elif change.new is not None:
            assert change.path not in tree
            tree[change.path] = change.new


@pytest.mark.parametrize("name", [name for name in BUILDERS if name != "hostile"])
def test_changes_lead_from_tree_to_tree(repositories, name):
    folder = repositories[name]
    tree: dict[bytes, Entry] = {}
    with History(folder) as history:
        commits = list(history)
        for commit in commits:
            apply(tree, commit)
            lines = [line.split(b"\t", 1) for line in git(folder, "ls-tree", "-rz", commit.id).split(b"\0") if line]
            assert {path: b"%06o blob %s" % (e.mode, e.blob.encode()) for path, e in tree.items()} == {
                path: line.replace(b" commit ", b" blob ") for line, path in lines
            }
            assert tree == history.tree_files(commit.id)
            assert commit.tree == git(folder, "rev-parse", f"{commit.id}^{{tree}}").decode().strip()
        first_parents = git(folder, "rev-list", "--first-parent", "--reverse", "HEAD").decode().split()
        assert [commit.id for commit in commits] == first_parents
        assert history.head == first_parents[-1]
        assert history.count() == len(commits)


def test_a_hostile_tree_is_read_as_it_is(repositories):
    with History(repositories["hostile"]) as history:
        attack, _, clean = history
        paths = {change.path for change in attack.changes if isinstance(change, Change)}
        assert {b"../config", b".git/config", b"deep/../../config", b"deep/.git"} <= paths
        assert history.read("2" * 40) is None
        tree = next(c.new.blob for c in attack.changes if isinstance(c, Change) and c.path == b"tree-as-blob" and c.new)
        assert history.read(tree) is None, "a tree is not a blob"
        assert history.tree_files(clean.id).keys() == {b"good"}


def test_moves_are_paired_by_blob(repositories):
    with History(repositories["ordinary"]) as history:
        moved = next(commit for commit in history if commit.message == b"Move things\n")
    pairs = [(change.source, change.target) for change in moved.changes if isinstance(change, Move)]
    assert sorted(pairs) == [(b"deep/er/and/deeper/file.txt", b"deep/file.txt"), (b"src/main.py", b"lib/main.py")]
    assert len(moved.changes) == 2


def test_messages_are_utf8(repositories):
    with History(repositories["odd_messages"]) as history:
        messages = [commit.message for commit in history]
    assert messages[:-2] == MESSAGES[:-1]
    assert messages[-2:] == ["latin éÿ\n".encode(), "declared é\n".encode()]


def test_blobs_are_read_and_large_ones_refused(tmp_path):
    repo = Builder(tmp_path / "repo")
    contents = [b"", b"a\0b\n", b"x" * 100_000, b"no newline"]
    blobs = [repo.blob(content) for content in contents]
    repo.commit()
    with History(repo.folder, max_blob_bytes=99_999) as history:
        for content, blob in zip(contents * 2, blobs * 2, strict=True):
            if len(content) > 99_999:
                with pytest.raises(BlobTooLarge, match="100000 bytes"):
                    history.read(blob)
            else:
                assert history.read(blob) == content


def test_the_oldest_commits(repositories):
    with History(repositories["ordinary"]) as whole, History(repositories["ordinary"], 3) as three:
        assert list(three) == list(whole)[:3]
        assert three.count() == 3
        assert list(three) == list(three), "a history can be read again"


def test_every_kind_of_repository(repositories, tmp_path):
    source = repositories["ordinary"]
    with History(source) as history:
        expected = list(history)
    subprocess.run(["git", "clone", "--quiet", "--bare", source, tmp_path / "bare"], check=True)
    subprocess.run(["git", "-C", tmp_path / "bare", "worktree", "add", "--quiet", tmp_path / "worktree"], check=True)
    shutil.copytree(tmp_path / "bare", tmp_path / "no-config")
    (tmp_path / "no-config" / "config").unlink()
    shutil.rmtree(tmp_path / "no-config" / "worktrees")
    for kind in (source / ".git", tmp_path / "bare", tmp_path / "worktree", tmp_path / "no-config"):
        with History(kind) as history:
            assert list(history) == expected, kind


def test_a_shallow_and_a_partial_clone(repositories, tmp_path):
    source = repositories["ordinary"].as_uri()
    with History(repositories["ordinary"]) as history:
        whole = list(history)
        content = history.read(history.tree_files(whole[0].id)[b"README.md"].blob)
    subprocess.run(["git", "clone", "--quiet", "--depth=2", source, tmp_path / "shallow"], check=True)
    with History(tmp_path / "shallow") as history:
        commits = list(history)
        assert [commit.id for commit in commits] == [commit.id for commit in whole[-2:]]
        assert all(isinstance(change, Change) and change.old is None for change in commits[0].changes)
    git(repositories["ordinary"], "config", "uploadpack.allowFilter", "true")
    subprocess.run(["git", "clone", "-q", "--bare", "--filter=blob:none", source, tmp_path / "partial"], check=True)
    with History(tmp_path / "partial") as history:
        assert list(history) == whole
        readme = history.tree_files(whole[0].id)[b"README.md"]
        assert content is not None and history.read(readme.blob) is None, "a missing blob is not fetched"


def test_nothing_of_the_repository_runs(repositories, tmp_path):
    folder = tmp_path / "trap"
    shutil.copytree(repositories["ordinary"], folder)
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(trap.stat().st_mode | stat.S_IXUSR)
    for key in (
        "core.fsmonitor",
        "core.sshCommand",
        "core.pager",
        "diff.external",
        "diff.trap.textconv",
        "gpg.program",
    ):
        git(folder, "config", key, str(trap))
    git(folder, "config", "log.showSignature", "true")
    git(folder, "config", "extensions.partialClone", "evil")
    git(folder, "config", "core.repositoryFormatVersion", "1")
    git(folder, "config", "remote.evil.url", f"ext::{trap}")
    (folder / ".git" / "info" / "attributes").write_text("* diff=trap\n")
    with History(folder) as history:
        assert len(list(history)) == 8
        assert history.read("3" * 40) is None
    assert not (tmp_path / "sprung").exists()


def test_replacements_are_ignored(repositories, tmp_path):
    folder = tmp_path / "replaced"
    shutil.copytree(repositories["ordinary"], folder)
    with History(folder) as history:
        commits = list(history)
        git(folder, "replace", commits[-1].id, commits[0].id)
    with History(folder) as history:
        assert list(history) == commits


def test_what_cannot_be_read_is_named(tmp_path):
    with pytest.raises(HistoryError, match="nowhere: no such folder"):
        History(tmp_path / "nowhere")
    with pytest.raises(HistoryError, match="not a git repository"):
        History(tmp_path)
    with pytest.raises(HistoryError, match="HEAD names no commit"):
        History(Builder(tmp_path / "empty").folder)


def test_a_missing_commit_ends_with_an_error(tmp_path):
    repo = Builder(tmp_path / "broken")
    repo.commit(b"first\n")
    first = repo.git("rev-parse", "HEAD").decode().strip()
    repo.commit(b"second\n")
    os.unlink(repo.folder / ".git" / "objects" / first[:2] / first[2:])
    with History(repo.folder) as history, pytest.raises(HistoryError, match=f"broken: git log: .*{first}"):
        list(history)
