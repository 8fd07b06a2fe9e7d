"""The same actions typed into the terminal and into real bash, Vim and tmux: files and screens compared."""

import os
import pathlib
import stat
import tempfile
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from data_gen.actions import CTRL_B, CTRL_V, ENTER, ESCAPE
from data_gen.terminal.editor import EditorError
from data_gen.terminal.filesystem import File, FileSystem, Link
from data_gen.terminal.muxer import Terminal
from data_gen.terminal.real import RealTerminal
from data_gen.terminal.screen import FrameLog, clear_log
from data_gen.terminal.words import ShellError
from data_gen.texz.recording import Recording
from data_gen.verification.retyping import RecordedCommit, VerificationError, actions_between
from data_gen.viewing.paint import plain_text

_PATIENCE = 5.0
_PATIENCE_AFTER_DIFFERENCE = 0.3
_FRAMES = 1024


class Difference(NamedTuple):
    """A screen on which the real programs show something else."""

    frame: int
    action: int  # before it
    commit: str
    expected: str  # the first row that differs, with the cursor if that is all
    shown: str


class RealSession:
    """Bash and Vim in tmux, beside a terminal that is given the same actions."""

    def __init__(self, recording: Recording, rows: int, columns: int) -> None:
        self.screens = 0
        """How many screens have been compared."""
        self.differences: list[Difference] = []
        self._recording = recording
        self._home = tempfile.TemporaryDirectory(prefix="rcfam_jax-")
        self._terminal = Terminal(rows, columns, recording.name, _forget, _FRAMES)
        self._real = RealTerminal(rows, columns, recording.name, pathlib.Path(self._home.name))
        self._differs = False
        if not self._real.shows(*self._screen(), _PATIENCE):
            self.close()
            raise VerificationError("bash and tmux do not start as the terminal does")

    def type(self, commit: RecordedCommit) -> None:
        """Type a commit into both, compare the screen where a person would pause, and then the files.

        What has no meaning here is never typed there. Raises `VerificationError` for that, and if a file differs.
        """
        actions = actions_between(self._recording, commit.start, commit.end)
        start = 0
        for end, is_pause in enumerate(pauses(actions), 1):
            view = self._terminal.view
            try:
                self._terminal.type(actions[end - 1 : end])
            except (EditorError, ShellError) as error:
                raise VerificationError(f"{self._recording.name}: commit {commit.commit}: {error}") from error
            # Vim scrolls once for all the keys that it finds: it must find no more after one that scrolls.
            if is_pause or self._terminal.view != view or end == len(actions):
                self._real.send(actions[start:end])
                self._compare_screens(commit, end, int(actions[end - 1]))
                start = end
        compare_files(self._terminal.filesystem, self._real.project, commit.commit)

    def close(self) -> None:
        """End the programs and remove their files."""
        self._real.close()
        self._home.cleanup()

    def _compare_screens(self, commit: RecordedCommit, end: int, action: int) -> None:
        patience = _PATIENCE_AFTER_DIFFERENCE if self._differs else _PATIENCE
        codepoints_RxC, cursor = self._screen()
        self.screens += 1
        self._differs = not self._real.shows(codepoints_RxC, cursor, patience)
        if self._differs:
            expected, shown = _first_difference(codepoints_RxC, cursor, self._real.codepoints(), self._real.cursor())
            self.differences.append(Difference(commit.start + end, action, commit.commit, expected, shown))

    def _screen(self) -> tuple[np.ndarray, tuple[int, int]]:
        screen = self._terminal.screen
        return screen.codepoints_RxC, (int(screen.cursor_2[0]), int(screen.cursor_2[1]))


def pauses(actions: np.ndarray) -> Iterator[bool]:
    """For each of `actions`, whether a person would look up after it.

    That is after Enter, Escape and the muxer's keys, but not between C-v and what it takes literally.
    """
    is_literal = is_command = False
    for action in actions.tolist():
        yield is_command or (not is_literal and action in (ENTER, ESCAPE))
        if is_command:
            is_command = False
            is_literal = is_literal and action != CTRL_B
        elif action == CTRL_B:
            is_command = True
        else:
            is_literal = action == CTRL_V and not is_literal


def compare_files(filesystem: FileSystem, folder: pathlib.Path, commit: str) -> None:
    """Raise `VerificationError` unless `folder`, its `.git` aside, holds the files of `filesystem`, byte for byte."""
    expected, found = dict(filesystem.entries()), dict(_files_in(os.fsencode(folder)))
    for path in sorted(expected.keys() | found.keys()):
        if expected.get(path) != found.get(path):
            raise VerificationError(f"commit {commit}: {path!r} is not what the real programs have written")


def _files_in(root: bytes) -> Iterator[tuple[bytes, File | Link]]:
    for folder, folders, names in os.walk(root):
        if folder == root:
            folders.remove(b".git")
        for name in [*names, *folders]:
            path = os.path.join(folder, name)
            mode = os.lstat(path).st_mode
            if stat.S_ISLNK(mode):
                yield os.path.relpath(path, root), Link(os.readlink(path))
            elif stat.S_ISREG(mode):
                with open(path, "rb") as file:
                    yield os.path.relpath(path, root), File(file.read(), bool(mode & stat.S_IXUSR))


def _first_difference(
    expected_RxC: np.ndarray, cursor: tuple[int, int], shown_RxC: np.ndarray, shown_cursor: tuple[int, int]
) -> tuple[str, str]:
    rows = np.flatnonzero((expected_RxC != shown_RxC).any(axis=1))
    if len(rows) == 0:
        return f"cursor {cursor}", f"cursor {shown_cursor}"
    return plain_text(expected_RxC[rows[:1]]), plain_text(shown_RxC[rows[:1]])


def _forget(log: FrameLog) -> FrameLog:
    clear_log(log)
    return log
