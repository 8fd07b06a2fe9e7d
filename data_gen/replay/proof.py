"""The proof of a replay: after a commit the terminal's files are what git says."""

import hashlib
from collections.abc import Set

from data_gen.errors import UserError
from data_gen.replay.history import EXECUTABLE, LINK, Commit, Entry, History, Move
from data_gen.terminal.filesystem import File, FileSystem, Link, is_safe


class ReplayError(UserError):
    """After a commit a replayed file is not what git says."""


def check(filesystem: FileSystem, commit: Commit, history: History, left_out: Set[bytes]) -> None:
    """Raise `ReplayError` unless every path that `commit` changed, and that is not left out, is as git has it."""
    for change in commit.changes:
        if isinstance(change, Move):
            _compare(filesystem, commit, history, left_out, change.source, None)
            _compare(filesystem, commit, history, left_out, change.target, change.new)
        else:
            _compare(filesystem, commit, history, left_out, change.path, change.new)


def check_tree(filesystem: FileSystem, commit: Commit, history: History, left_out: Set[bytes]) -> None:
    """Raise `ReplayError` unless the file system holds the whole tree of `commit`, without what is left out."""
    files = history.tree_files(commit.id)
    for path in sorted({path for path, _ in filesystem.entries()} | files.keys() | left_out):
        if path in left_out and path not in files:
            raise ReplayError(f"{history.path}: {commit.id}: {path!r} was left out, but git does not have it")
        _compare(filesystem, commit, history, left_out, path, files.get(path))


def _compare(
    filesystem: FileSystem, commit: Commit, history: History, left_out: Set[bytes], path: bytes, entry: Entry | None
) -> None:
    node = filesystem.find(path) if is_safe(path) else None
    found = None if node is None or isinstance(node, dict) else _entry_of(node)
    expected = None if path in left_out else entry
    if found != expected:
        raise ReplayError(f"{history.path}: {commit.id}: {path!r} is {found}, but git has {expected}")


def _entry_of(node: File | Link) -> Entry:
    """What git would record."""
    content = node.content if isinstance(node, File) else node.target
    mode = LINK if isinstance(node, Link) else EXECUTABLE if node.executable else 0o100644
    return Entry(mode, hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest())
