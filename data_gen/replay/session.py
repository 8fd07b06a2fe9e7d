"""A person's session: for each commit, the commands and edits that lead from its parent to it; and the proof of it."""

import hashlib
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Set
from typing import NamedTuple, Protocol

import numpy as np

from data_gen.actions import from_bytes
from data_gen.errors import UserError
from data_gen.replay.history import SUBMODULE, BlobTooLarge, Change, Commit, Entry, History, Move
from data_gen.replay.typist import Typist
from data_gen.terminal.filesystem import MAX_PATH_BYTES, File, FileSystem, Link, is_safe
from data_gen.terminal.words import is_printable, quote

LINK, EXECUTABLE = 0o120000, 0o100755
MAX_MESSAGE_BYTES = 20_000
_PATHS_PER_COMMAND = 4
_STATUS_SHARE = 0.1


class ReplayError(UserError):
    """After a commit a replayed file is not what git says."""


class Blobs(Protocol):
    """Where a session reads files: a `History`."""

    def read(self, blob: str) -> bytes | None:
        """The bytes of `blob`, or `None` if it is missing; raises `BlobTooLarge`."""
        ...


class Script(NamedTuple):
    """What is typed for one commit, and where in it things begin.

    `events` are (offset, kind, path): the "commit" and its "message", without a path, and each "file" in the editor.
    """

    actions: np.ndarray  # uint16
    events: list[tuple[int, str, bytes]]


class _CannotReplay(Exception):
    """A path cannot be replayed; its text is the cause."""


class Session:
    """Turns commits, in order, into scripts; `left_out` holds the paths that it does not replay.

    A file is left out from the first commit in which it cannot be typed, through renames, until it is deleted: the
    terminal does not have it then. `skipped` counts these files by cause.
    """

    def __init__(self, seed: int, blobs: Blobs, typist: Typist) -> None:
        self.left_out: set[bytes] = set()
        self.skipped: Counter[str] = Counter()
        self._random = random.Random(seed)
        self._blobs = blobs
        self._typist = typist
        self._tracked: dict[bytes, Entry] = {}
        self._files_below: Counter[bytes] = Counter()  # of each folder that there is
        self._keys = _Keys()
        self._changed: list[bytes] = []  # tracked files that are not staged yet
        self._new: list[bytes] = []  # files to track

    def script(self, commit: Commit) -> Script:
        """What a person types to get from the parent of `commit` to it."""
        self._keys = _Keys()
        self._keys.mark("commit")
        deleted, moves, written = self._sort(commit.changes)
        self._delete(deleted)
        blocked = self._move(moves)
        self._delete([move.source for move in blocked])
        written += [(move.target, move.new) for move in blocked]
        for path, entry in written:
            try:
                self._write(path, entry)
            except _CannotReplay as cause:
                self._leave_out(path, str(cause))
        self._commit(commit.message)
        return self._keys.script()

    def _sort(self, changes: Iterable[Change | Move]) -> tuple[list[bytes], list[Move], list[tuple[bytes, Entry]]]:
        """The paths to delete, the files to move and the entries to write; what is left out stays so."""
        deleted: list[bytes] = []
        moves: list[Move] = []
        written: list[tuple[bytes, Entry]] = []
        for change in changes:
            source = change.source if isinstance(change, Move) else change.path
            target = change.target if isinstance(change, Move) else change.path
            if source in self.left_out:
                self.left_out.remove(source)
                self.left_out.update([target] if change.new else [])
            elif isinstance(change, Move) and source in self._tracked and _cause_against(target, change.new) is None:
                moves.append(change)
            else:
                if source in self._tracked and (source != target or change.new is None):
                    deleted.append(source)
                if change.new is not None:
                    written.append((target, change.new))
        return deleted, moves, written

    def _delete(self, paths: list[bytes]) -> None:
        """`git rm`, which also removes the folders that it empties."""
        self._keys.commands(b"git rm -q", paths)
        for path in paths:
            self._forget(path)

    def _move(self, moves: list[Move]) -> list[Move]:
        """`git mv` each file once nothing is in its way; return those that wait for each other.

        Unlike `git rm` it leaves emptied folders behind: they are removed in the end, or when one is in the way.
        """
        waiting = list(moves)
        left: set[bytes] = set()
        while move := next((move for move in waiting if self._is_free(move.target)), None):
            waiting.remove(move)
            if move.target in left:
                self._remove_emptied(left)
            left.update(_folders_of(move.source))
            self._make_folder(move.target)
            self._keys.command(b"git mv", move.source, move.target)
            entry = self._tracked[move.source]
            self._forget(move.source)
            self._remember(move.target, entry)
            if entry.mode != move.new.mode:
                self._change_mode(move.target, move.new.mode)
                self._changed.append(move.target)
                self._tracked[move.target] = move.new
        self._remove_emptied(left)
        return waiting

    def _write(self, path: bytes, entry: Entry) -> None:
        """Bring `path` to what `entry` says, by an editor session or as a link."""
        old = self._tracked.get(path)
        if cause := _cause_against(path, entry):
            raise _CannotReplay(cause)
        if old is None and not self._is_free(path):
            raise _CannotReplay("unsafe path")
        content = self._read(entry.blob)
        if entry.mode == LINK:
            self._link(path, content, old)
        else:
            self._edit(path, content, old)
            if (entry.mode == EXECUTABLE) != (old is not None and old.mode == EXECUTABLE):
                self._change_mode(path, entry.mode)
        if old is None:
            self._new.append(path)
            self._remember(path, entry)
        else:
            self._changed.append(path)
            self._tracked[path] = entry

    def _link(self, path: bytes, target: bytes, old: Entry | None) -> None:
        if not target or b"\0" in target or len(target) > MAX_PATH_BYTES:
            raise _CannotReplay("unsafe path")
        self._make_folder(path)
        options = b" -s" if old is None else b" -sfn"
        self._keys.type(b"ln" + options + (b" -- " if target.startswith(b"-") else b" ") + quote(target) + b" ")
        self._keys.type(_operand(path) + b"\n")

    def _edit(self, path: bytes, content: bytes, old: Entry | None) -> None:
        """Type the new content in the editor, if it is new."""
        was_file = old is not None and old.mode != LINK
        before = self._read(old.blob) if old is not None and was_file else None
        if content == before:
            return
        keys = self._typist.edit(before, _checked_text(content))
        if keys is None:
            raise _CannotReplay("too many actions")
        if old is not None and not was_file:
            self._keys.command(b"rm", path)
        self._make_folder(path)
        self._keys.mark("file", path)
        self._keys.command(b"vim", path)
        self._keys.press(keys)

    def _read(self, blob: str) -> bytes:
        try:
            content = self._blobs.read(blob)
        except BlobTooLarge:
            raise _CannotReplay("too large") from None
        if content is None:
            raise _CannotReplay("missing blob")
        return content

    def _leave_out(self, path: bytes, cause: str) -> None:
        self.left_out.add(path)
        self.skipped[cause] += 1
        if path in self._tracked:
            self._delete([path])

    def _commit(self, message: bytes) -> None:
        """Stage what has changed, look at it now and then, and commit."""
        self._keys.commands(b"git add", self._changed)
        self._keys.commands(b"git add -f", self._new)  # a file may be tracked in spite of .gitignore
        self._changed, self._new = [], []
        if self._random.random() < _STATUS_SHARE:
            self._keys.type(b"git status -s\n")
        if len(message) > MAX_MESSAGE_BYTES:
            message = message[:MAX_MESSAGE_BYTES].decode("utf-8", "ignore").encode("utf-8")
            self.skipped["end of a long message"] += 1
        self._keys.type(b"git commit ")
        self._keys.type(b"" if self._keys.has_commands else b"--allow-empty ")
        self._keys.type(b"" if message else b"--allow-empty-message ")
        self._keys.type(b"-q -m ")
        self._keys.mark("message")
        self._keys.type(quote(_without_last_newline(message)) + b"\n")

    def _change_mode(self, path: bytes, mode: int) -> None:
        self._keys.command(b"chmod +x" if mode == EXECUTABLE else b"chmod -x", path)

    def _make_folder(self, path: bytes) -> None:
        folder = path.rpartition(b"/")[0]
        if folder and not self._files_below[folder]:
            self._keys.command(b"mkdir -p", folder)

    def _remove_emptied(self, folders: set[bytes]) -> None:
        """Remove those of `folders` that hold no file any more, each with the empty ones in it."""
        emptied = {folder for folder in folders if not self._files_below[folder]}
        for folder in sorted(emptied):
            if folder.rpartition(b"/")[0] not in emptied:
                self._keys.command(b"rm -r", folder)
        folders -= emptied

    def _is_free(self, path: bytes) -> bool:
        """Whether a file can be created at `path`."""
        return (
            path not in self._tracked
            and not self._files_below[path]
            and not any(folder in self._tracked for folder in _folders_of(path))
        )

    def _remember(self, path: bytes, entry: Entry) -> None:
        self._tracked[path] = entry
        self._files_below.update(_folders_of(path))

    def _forget(self, path: bytes) -> None:
        del self._tracked[path]
        self._files_below.subtract(_folders_of(path))


class _Keys:
    """The script of one commit as it grows."""

    def __init__(self) -> None:
        self.has_commands = False
        self._pieces: list[np.ndarray] = []
        self._size = 0
        self._events: list[tuple[int, str, bytes]] = []

    def mark(self, kind: str, path: bytes = b"") -> None:
        """Note that something begins here."""
        self._events.append((self._size, kind, path))

    def press(self, actions: np.ndarray) -> None:
        """Add actions."""
        self._pieces.append(actions)
        self._size += len(actions)

    def type(self, text: bytes) -> None:
        """Add text; its newlines are typed as Enter."""
        self.press(from_bytes(text.replace(b"\n", b"\r")))

    def command(self, command: bytes, *paths: bytes) -> None:
        """Type a command that changes the file system or what is staged."""
        self.has_commands = True
        self.type(b" ".join([command, *map(_operand, paths)]) + b"\n")

    def commands(self, command: bytes, paths: list[bytes]) -> None:
        """Type the command as often as it takes for all `paths`."""
        for first in range(0, len(paths), _PATHS_PER_COMMAND):
            self.command(command, *paths[first : first + _PATHS_PER_COMMAND])

    def script(self) -> Script:
        """All of it."""
        return Script(np.concatenate(self._pieces), self._events)


def _operand(path: bytes) -> bytes:
    """`path` in quotes, where it needs them, and never to be taken for an option."""
    return quote(b"./" + path if path.startswith((b"-", b"+")) else path)


def _folders_of(path: bytes) -> Iterator[bytes]:
    """The folders above `path`, the outermost first, without the root."""
    end = path.find(b"/")
    while end >= 0:
        yield path[:end]
        end = path.find(b"/", end + 1)


def _cause_against(path: bytes, entry: Entry) -> str | None:
    """Why nothing like `entry` can be at `path`."""
    if entry.mode == SUBMODULE:
        return "submodule"
    if not is_safe(path) or (entry.mode == LINK and path.lower() == b".gitmodules"):
        return "unsafe path"
    if not all(map(is_printable, path.decode("utf-8", "surrogateescape"))):
        return "unprintable path"
    return None


def _checked_text(content: bytes) -> bytes:
    if b"\0" in content:
        raise _CannotReplay("binary")
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        raise _CannotReplay("not UTF-8") from None
    return content


def _without_last_newline(message: bytes) -> bytes:
    """What to type as a message so that git, which ends it with a newline where it has none, records `message`."""
    typed = message.removesuffix(b"\n")
    return message if not typed or typed.endswith(b"\n") else typed


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
