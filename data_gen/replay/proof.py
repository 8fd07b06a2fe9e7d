"""The proof of a replay: after a commit the terminal's files are what git says."""

import itertools
from collections.abc import Mapping, Set

from data_gen.errors import UserError
from data_gen.replay.history import Commit, Entry, History, Move
from data_gen.terminal.filesystem import File, FileSystem, Link, is_safe
from data_gen.terminal.objects import content_of, mode_of, object_id


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


def tree_id(filesystem: FileSystem, others: Mapping[bytes, tuple[int, str]]) -> str:
    """The name of the git tree that holds the files of `filesystem` and `others`: mode and object name by path."""
    entries = dict(others)
    for path, node in filesystem.entries():
        entry = _entry_of(node)
        entries[path] = entry.mode, entry.blob
    return _tree_id([(path.split(b"/"), *entry) for path, entry in sorted(entries.items())], 0)


def _tree_id(entries: list[tuple[list[bytes], int, str]], depth: int) -> str:
    """The tree of `entries`, sorted, whose first `depth` names are the same."""
    lines = []
    for (name, is_file), group in itertools.groupby(
        entries, lambda entry: (entry[0][depth], len(entry[0]) == depth + 1)
    ):
        below = list(group)
        lines.append((name, *below[0][1:]) if is_file else (name + b"/", 0o40000, _tree_id(below, depth + 1)))
    content = b"".join(
        b"%o %s\0" % (mode, name.removesuffix(b"/")) + bytes.fromhex(blob) for name, mode, blob in sorted(lines)
    )
    return object_id(b"tree", content).hex()


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
    return Entry(int(mode_of(node), 8), object_id(b"blob", content_of(node)).hex())
