"""A person's session: for each commit, the commands and edits that lead from its parent to it."""

import random
from collections import Counter
from collections.abc import Iterable
from typing import Protocol

import numpy as np

from data_gen.replay.desk import Desk
from data_gen.replay.history import EXECUTABLE, LINK, SUBMODULE, BlobTooLarge, Change, Commit, Entry, Move
from data_gen.replay.script import Script, ScriptWriter, operand
from data_gen.replay.tracked import TrackedFiles
from data_gen.replay.typist import Typist
from data_gen.terminal.commit_summary import FileChange, is_predictable
from data_gen.terminal.editor import is_plain_path
from data_gen.terminal.filesystem import MAX_PATH_BYTES, File, Link, is_safe
from data_gen.terminal.objects import folders_of
from data_gen.terminal.words import is_printable_text, quote

MAX_MESSAGE_BYTES = 20_000
_STATUS_SHARE = 0.1
_STAY_SHARE = 0.3
"""How often the editor stays open when a file is finished."""

_SAVE_APART_SHARE = 0.3
_QUIET_SHARE = 0.5
_SHORT_STATUS_SHARE = 0.6
_CD_SHARE = 0.15
_LONGEST_PROMPT = 20


class Blobs(Protocol):
    """Where a session reads files: a `History`."""

    def read(self, blob: str) -> bytes | None:
        """The bytes of `blob`, or `None` if it is missing; raises `BlobTooLarge`."""
        ...


class _CannotReplay(Exception):
    """A path cannot be replayed; its text is the cause."""


class Session:
    """Turns commits, in order, into scripts; `left_out` holds what it does not replay, by path.

    A file is left out from the first commit in which it cannot be typed, through renames, until it is deleted: the
    terminal does not have it then. `skipped` counts these files by cause.
    """

    def __init__(self, seed: int, blobs: Blobs, typist: Typist, rows: int, columns: int) -> None:
        self.left_out: dict[bytes, Entry] = {}
        self.skipped: Counter[str] = Counter()
        self._random = random.Random(seed)
        self._blobs = blobs
        self._typist = typist
        self._tracked = TrackedFiles()
        self._writer = ScriptWriter()
        self._desk = Desk(self._random, self._writer, rows, columns)
        self._changed: list[bytes] = []  # tracked files that are not staged yet
        self._new: list[bytes] = []  # files to track
        self._opened: set[bytes] = set()  # the files that the editor has opened, if it is open
        self._unfinished: list[tuple[bytes, list[np.ndarray]]] = []  # files to open again
        self._has_staged = False

    def script(self, commit: Commit) -> Script:
        """What a person types to get from the parent of `commit` to it."""
        self._has_staged = False
        self._writer.mark("commit")
        deleted, moves, written = self._sort(commit.changes)
        self._delete(deleted)
        blocked = self._move(moves)
        self._delete([move.source for move in blocked])
        written += [(move.target, move.new) for move in blocked]
        if written:
            self._leave_editor()
            self._desk.arrange()
        for path, entry in written:
            try:
                self._write(path, entry)
            except _CannotReplay as cause:
                self._leave_out(path, entry, str(cause))
        while self._unfinished:
            self._sit(*self._unfinished.pop(0))
        self._commit(commit.message)
        self._tracked.commit()
        return self._writer.take()

    def _sort(self, changes: Iterable[Change | Move]) -> tuple[list[bytes], list[Move], list[tuple[bytes, Entry]]]:
        """The paths to delete, the files to move and the entries to write; what is left out stays so."""
        deleted: list[bytes] = []
        moves: list[Move] = []
        written: list[tuple[bytes, Entry]] = []
        for change in changes:
            source = change.source if isinstance(change, Move) else change.path
            target = change.target if isinstance(change, Move) else change.path
            if source in self.left_out:
                del self.left_out[source]
                self._writer.mark("left out", source)
                if change.new is not None:
                    self._omit(target, change.new)
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
        is_quiet = self._random.random() < _QUIET_SHARE or not all(map(is_printable_text, paths))
        self._git(b"rm -q" if is_quiet else b"rm", paths)
        for path in paths:
            self._tracked.put(path, None)

    def _move(self, moves: list[Move]) -> list[Move]:
        """`git mv` each file once nothing is in its way; return those that wait for each other.

        Unlike `git rm` it leaves emptied folders behind: they are removed in the end, or when one is in the way.
        """
        waiting = list(moves)
        left: set[bytes] = set()
        while move := next((move for move in waiting if self._tracked.is_free(move.target)), None):
            waiting.remove(move)
            if move.target in left:
                self._remove_emptied(left)
            left.update(folders_of(move.source))
            self._make_folder(move.target)
            self._git(b"mv", [move.source, move.target])
            self._tracked.put(move.source, None)
            self._tracked.put(move.target, move.new)
            if move.old.mode != move.new.mode:
                self._change_mode(move.target, move.new.mode)
                self._changed.append(move.target)
        self._remove_emptied(left)
        return waiting

    def _write(self, path: bytes, entry: Entry) -> None:
        """Bring `path` to what `entry` says, by an editor session or as a link."""
        old = self._tracked.get(path)
        if cause := _cause_against(path, entry):
            raise _CannotReplay(cause)
        if old is None and not self._tracked.is_free(path):
            raise _CannotReplay("unsafe path")
        content = self._read(entry.blob)
        if entry.mode == LINK:
            self._link(path, content, old)
        else:
            self._edit(path, content, old)
            if (entry.mode == EXECUTABLE) != (old is not None and old.mode == EXECUTABLE):
                self._change_mode(path, entry.mode)
        (self._new if old is None else self._changed).append(path)
        self._tracked.put(path, entry)

    def _link(self, path: bytes, target: bytes, old: Entry | None) -> None:
        if not target or b"\0" in target or len(target) > MAX_PATH_BYTES:
            raise _CannotReplay("unsafe path")
        self._make_folder(path)
        options = b" -s" if old is None else b" -sfn"
        self._go_to_shell()
        self._writer.type(b"ln" + options + (b" -- " if target.startswith(b"-") else b" ") + quote(target) + b" ")
        self._writer.type(operand(path) + b"\n")

    def _edit(self, path: bytes, content: bytes, old: Entry | None) -> None:
        """Type the new content in the editor, if it is new."""
        was_file = old is not None and old.mode != LINK
        before = self._read(old.blob) if old is not None and was_file else None
        if content == before:
            return
        sittings = self._typist.edit(before, _checked_text(content))
        if sittings is None:
            raise _CannotReplay("too many actions")
        if old is not None and not was_file:
            self._go_to_shell()
            self._writer.command(b"rm", path)
        self._make_folder(path)
        self._sit(path, sittings)

    def _sit(self, path: bytes, sittings: list[np.ndarray]) -> None:
        """Open a file, type the first of `sittings`, and save it; the others come later."""
        keys, *later = sittings
        if later:
            self._unfinished.append((path, later))
        folder = b""
        if self._can_open_next(path):
            self._desk.go_to_editor()
            self._writer.mark("file", path)
            self._writer.type(b":e " + path + b"\n")
        else:
            self._leave_editor()
            self._desk.go_to_editor()
            folder = self._enter_folder(path)
            self._writer.mark("file", path)
            self._writer.command(b"vim", path[len(folder) :])
        self._writer.press(keys)
        self._opened.add(path)
        if not folder and self._random.random() < _STAY_SHARE:
            self._writer.type(b":w\n")
            if self._desk.has_both and self._random.random() < _STATUS_SHARE:
                self._desk.go_to_shell()
                self._writer.type(self._status())
            return
        self._opened.clear()
        self._writer.type(b":w\n:q\n" if self._random.random() < _SAVE_APART_SHARE else b":wq\n")
        if folder:
            self._writer.type(b"cd " + b"/".join([b".."] * folder.count(b"/")) + b"\n")

    def _can_open_next(self, path: bytes) -> bool:
        """Whether the editor is open and can open `path` too, from its first line on."""
        has_room = len(path) + len(":e ") < self._desk.editor_columns
        return bool(self._opened) and path not in self._opened and has_room and is_plain_path(path)

    def _leave_editor(self) -> None:
        """Close the editor, if it is open. What was edited has been saved."""
        if self._opened:
            self._desk.go_to_editor()
            self._writer.type(b":q\n")
            self._opened.clear()

    def _go_to_shell(self) -> None:
        if not self._desk.has_both:
            self._leave_editor()
        self._desk.go_to_shell()

    def _enter_folder(self, path: bytes) -> bytes:
        """Perhaps go to the folder of a file; that folder, ending in a slash, or nothing."""
        folder = path.rpartition(b"/")[0]
        name = folder.rpartition(b"/")[2]
        if not folder or self._random.random() >= _CD_SHARE or len(name) > _LONGEST_PROMPT or not name.isascii():
            return b""
        self._writer.command(b"cd", folder)
        return folder + b"/"

    def _read(self, blob: str) -> bytes:
        try:
            content = self._blobs.read(blob)
        except BlobTooLarge:
            raise _CannotReplay("too large") from None
        if content is None:
            raise _CannotReplay("missing blob")
        return content

    def _leave_out(self, path: bytes, entry: Entry, cause: str) -> None:
        self._omit(path, entry)
        self.skipped[cause] += 1
        if path in self._tracked:
            self._delete([path])

    def _omit(self, path: bytes, entry: Entry) -> None:
        self.left_out[path] = entry
        self._writer.mark("left out", path, f"{entry.mode:o} {entry.blob}")

    def _commit(self, message: bytes) -> None:
        """Stage what has changed, look at it now and then, and commit."""
        self._git(b"add", self._changed)
        self._git(b"add -f", self._new)  # a file may be tracked in spite of .gitignore
        self._changed, self._new = [], []
        if self._random.random() < _STATUS_SHARE:
            self._go_to_shell()
            self._writer.type(self._status())
        if len(message) > MAX_MESSAGE_BYTES:
            message = message[:MAX_MESSAGE_BYTES].decode("utf-8", "ignore").encode("utf-8")
            self.skipped["end of a long message"] += 1
        self._go_to_shell()
        self._writer.type(b"git commit ")
        self._writer.type(b"" if self._has_staged else b"--allow-empty ")
        self._writer.type(b"" if message else b"--allow-empty-message ")
        self._writer.type(b"" if self._can_show_summary(message) else b"-q ")
        self._writer.type(b"-m ")
        self._writer.mark("message")
        self._writer.type(quote(_without_last_newline(message)) + b"\n")

    def _status(self) -> bytes:
        return b"git status -s\n" if self._random.random() < _SHORT_STATUS_SHARE else b"git status\n"

    def _can_show_summary(self, message: bytes) -> bool:
        """Whether the terminal knows what git prints for the commit."""
        try:
            staged = [
                FileChange(path, self._node(old), self._node(new))
                for path, old, new in self._tracked.changes()
                if old != new
            ]
        except _CannotReplay:  # a blob of an unread file is missing
            return False
        return is_predictable(staged, message)

    def _node(self, entry: Entry | None) -> File | Link | None:
        if entry is None:
            return None
        content = self._read(entry.blob)
        return Link(content) if entry.mode == LINK else File(content, entry.mode == EXECUTABLE)

    def _git(self, command: bytes, paths: list[bytes]) -> None:
        """A command that stages something."""
        if paths:
            self._has_staged = True
            self._go_to_shell()
            self._writer.commands(b"git " + command, paths)

    def _change_mode(self, path: bytes, mode: int) -> None:
        self._go_to_shell()
        self._writer.command(b"chmod +x" if mode == EXECUTABLE else b"chmod -x", path)

    def _make_folder(self, path: bytes) -> None:
        folder = path.rpartition(b"/")[0]
        if folder and not self._tracked.is_folder(folder):
            self._go_to_shell()
            self._writer.command(b"mkdir -p", folder)

    def _remove_emptied(self, folders: set[bytes]) -> None:
        """Remove those of `folders` that hold no file any more, each with the empty ones in it."""
        emptied = {folder for folder in folders if not self._tracked.is_folder(folder)}
        for folder in sorted(emptied):
            if folder.rpartition(b"/")[0] not in emptied:
                self._go_to_shell()
                self._writer.command(b"rm -r", folder)
        folders -= emptied


def _cause_against(path: bytes, entry: Entry) -> str | None:
    """Why nothing like `entry` can be at `path`."""
    if entry.mode == SUBMODULE:
        return "submodule"
    if not is_safe(path) or (entry.mode == LINK and path.lower() == b".gitmodules"):
        return "unsafe path"
    if not is_printable_text(path):
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
