"""A recording typed again: its actions into a fresh terminal, commit by commit, from the shards alone."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from data_gen.cells import CURSOR
from data_gen.errors import UserError
from data_gen.replay.proof import tree_id
from data_gen.terminal.editor import EditorError
from data_gen.terminal.filesystem import FileSystem
from data_gen.terminal.muxer import Terminal
from data_gen.terminal.screen import FrameLog, clear_log
from data_gen.terminal.words import ShellError
from data_gen.texz.recording import Event, Recording

_OBJECT_ID = re.compile(r"[0-9a-f]{40}")
_ENTRY = re.compile(r"[0-7]+ [0-9a-f]{40}")


class VerificationError(UserError):
    """A recording is not what its actions lead to, or not what git has."""


class RecordedCommit(NamedTuple):
    """The frames [start, end) in which a commit is typed, its name and its tree's, and what is left out from it on."""

    start: int
    end: int
    commit: str
    tree: str
    left_out: list[Event]


def commits_of(recording: Recording) -> list[RecordedCommit]:
    """The commits of a recording, in order; `VerificationError` if they do not make it up."""
    events = recording.events()
    starts = [event.frame for event in events if event.kind == "commit"]
    is_whole = starts[:1] == [0] and events[0].kind == "commit" and starts[-1] < recording.frames
    if not is_whole or starts != sorted(set(starts)):
        raise VerificationError(f"{recording.name}: its {recording.frames:,} frames are not divided into commits")
    ends = iter([*starts[1:], recording.frames])
    commits: list[RecordedCommit] = []
    for event in events:
        if not all(map(_OBJECT_ID.fullmatch, (event.commit, event.tree))):
            raise VerificationError(f"{recording.name}: frame {event.frame}: {event.commit!r} is no commit")
        if event.kind == "commit":
            commits.append(RecordedCommit(event.frame, next(ends), event.commit, event.tree, []))
        elif event.kind == "left out":
            if event.entry and not _ENTRY.fullmatch(event.entry):
                raise VerificationError(f"{recording.name}: frame {event.frame}: {event.entry!r} is no entry of a tree")
            commits[-1].left_out.append(event)
    return commits


def actions_between(recording: Recording, start: int, end: int) -> np.ndarray:
    """The actions of frames [start, end): uint16 [end - start]."""
    size = recording.frames_per_record
    records = range(start // size, -(-end // size))
    actions = np.concatenate([recording.record_actions(record) for record in records])
    return actions[start - records.start * size : end - records.start * size]


class TreeCheck:
    """Compares files with the tree that git recorded, of which what is left out is known by name only."""

    def __init__(self) -> None:
        self._left_out: dict[bytes, tuple[int, str]] = {}

    @property
    def left_out(self) -> int:
        """How many paths of the last commit are not replayed."""
        return len(self._left_out)

    def check(self, filesystem: FileSystem, commit: RecordedCommit) -> None:
        """Raise `VerificationError` unless the files, and what is left out, are the tree of `commit`."""
        for event in commit.left_out:
            self._left_out.pop(event.path, None)
            if event.entry:
                mode, blob = event.entry.split()
                self._left_out[event.path] = int(mode, 8), blob
        found = tree_id(filesystem, self._left_out)
        if found != commit.tree:
            raise VerificationError(
                f"commit {commit.commit}: the files are the tree {found}, but git has {commit.tree}"
            )


class Retyped:
    """A recording typed into a fresh terminal, whose frames are compared with the recorded ones record by record."""

    def __init__(self, recording: Recording, rows: int, columns: int) -> None:
        self.planned = commits_of(recording)
        """The commits that there are to type."""
        self._recording = recording
        self._frames = 0  # compared by now
        self._codepoints_RxC = np.zeros((rows, columns), np.uint32)
        self._styles_RxC = np.zeros((rows, columns), np.uint8)
        self.terminal = Terminal(rows, columns, recording.name, self._compare, recording.frames_per_record)

    def commits(self, count: int | None = None) -> Iterator[RecordedCommit]:
        """Type the first `count` commits; after each, the terminal is as it was when it was recorded.

        Raises `VerificationError` where a frame differs, or what is typed has no meaning.
        """
        for commit in self.planned[:count]:
            actions = actions_between(self._recording, commit.start, commit.end)
            try:
                self.terminal.type(actions)
            except (EditorError, ShellError) as error:
                raise VerificationError(f"{self._recording.name}: commit {commit.commit}: {error}") from error
            yield commit
        self.terminal.close()

    def _compare(self, log: FrameLog) -> FrameLog:
        """Compare each frame of a log with the recorded one; the log is then empty."""
        first, frames = self._frames, int(log.size_2[0])
        codepoints_FxRxC, styles_FxRxC = self._recording.read(np.arange(first, first + frames))
        start = 0
        for frame, end in enumerate(log.ends_S[:frames]):
            rows_U = log.rows_U[start:end]
            self._codepoints_RxC[rows_U] = log.codepoints_UxC[start:end]
            self._styles_RxC[rows_U] = log.styles_UxC[start:end]
            row, column = log.cursors_Sx2[frame]
            self._styles_RxC[row, column] |= CURSOR
            is_same = np.array_equal(codepoints_FxRxC[frame], self._codepoints_RxC)
            if not is_same or not np.array_equal(styles_FxRxC[frame], self._styles_RxC):
                raise VerificationError(f"{self._recording.name}: frame {first + frame} is not what was typed")
            self._styles_RxC[row, column] &= CURSOR - 1
            start = end
        self._frames += frames
        clear_log(log)
        return log
