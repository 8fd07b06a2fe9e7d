"""What runs in one pane: a shell, and the editor that it calls."""

import numpy as np

from data_gen.terminal.commands import Commands
from data_gen.terminal.editor import Editor
from data_gen.terminal.filesystem import FileSystem
from data_gen.terminal.pane import Pane
from data_gen.terminal.repository import Repository
from data_gen.terminal.screen import FrameLog, Screen, Snapshot, restore, snapshot, wipe
from data_gen.terminal.shell import Shell
from data_gen.terminal.words import ShellError


class Programs:
    """The shell of a pane, started in the root of the project, and above it the editor while it is open."""

    def __init__(
        self, screen: Screen, pane: Pane, project: str, filesystem: FileSystem, repository: Repository
    ) -> None:
        self.pane = pane
        self.is_fresh = True
        """Whether nothing has been typed: all that the pane shows is a prompt."""
        self._screen = screen
        self._filesystem = filesystem
        self._commands = Commands(filesystem, repository)
        self._editor: Editor | None = None
        self._known: bytes | None = None  # what the editor's file holds, as far as the editor knows
        self._covered: Snapshot | None = None  # what the shell shows again when the editor has quit
        wipe(screen, pane)
        self._shell = Shell(screen, pane, project, self._commands)
        self._cursor_2 = screen.cursor_2.copy()

    @property
    def has_exited(self) -> bool:
        """Whether the shell has ended, and the pane is to be closed."""
        return self._shell.has_exited

    @property
    def view(self) -> tuple[int, int]:
        """How far the editor has scrolled; (0, 0) in the shell."""
        return self._editor.view if self._editor else (0, 0)

    def type(self, actions: np.ndarray, start: int, log: FrameLog) -> int:
        """Give `actions[start:]` to the program that has the keyboard, which logs the frame before each.

        Returns where it stopped: at the end, or because the log is full or another program has its turn. Raises
        `ShellError` or `EditorError` for what a program does not know.
        """
        self.is_fresh = False
        if self._editor is None:
            start = self._shell.type(actions, start, log)
            if self._shell.edit is not None:
                self._open(self._shell.edit)
        else:
            start = self._editor.type(actions, start, log)
            self._attend_to(self._editor)
        return start

    def blur(self) -> None:
        """Remember where the cursor is: another pane gets the keyboard."""
        self._cursor_2 = self._screen.cursor_2.copy()

    def focus(self) -> None:
        """Take the cursor back."""
        self._screen.cursor_2[:] = self._cursor_2

    def _open(self, path: bytes) -> None:
        self._covered = snapshot(self._screen, self.pane)
        self._editor = Editor(self._screen, self.pane, self._read)
        self._editor.open(path, self._read(path))

    def _attend_to(self, editor: Editor) -> None:
        """Store what the editor has written; take the shell up again when it has quit."""
        if editor.written is not None:
            self._write(*editor.written)
            editor.written = None
        if editor.finished:
            assert self._covered is not None
            restore(self._screen, self._covered)
            self._editor = self._covered = None
            self._shell.resume()

    def _read(self, path: bytes) -> bytes | None:
        self._known = self._filesystem.read(self._commands.file_to_edit(path))
        return self._known

    def _write(self, path: bytes, content: bytes) -> None:
        """Store a file, unless another pane has changed it: Vim would ask whether it may."""
        file = self._commands.file_to_edit(path)
        if self._filesystem.read(file) != self._known:
            raise ShellError(f":w {path[:80]!r}: the file has changed since the editor read it")
        self._filesystem.write(file, content)
        self._known = content
