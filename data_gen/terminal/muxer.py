"""The terminal: a muxer's window with a shell and its editor, above the muxer's status bar."""

from collections.abc import Callable

import numpy as np

from data_gen.cells import BLANK, Style
from data_gen.terminal.commands import Commands
from data_gen.terminal.editor import Editor
from data_gen.terminal.filesystem import FileSystem
from data_gen.terminal.pane import Pane
from data_gen.terminal.screen import FrameLog, log_is_full, new_log, new_screen
from data_gen.terminal.shell import Shell

STATUS = "[0] 0:bash*"


class Terminal:
    """A screen of `rows` x `columns` that is typed into; each full log of frames goes to `sink`, which returns an empty
    one to go on with.

    It starts in the root of an empty repository called `project`.
    """

    def __init__(
        self,
        rows: int,
        columns: int,
        project: str,
        sink: Callable[[FrameLog], FrameLog],
        frames_per_record: int,
    ) -> None:
        self.filesystem = FileSystem()
        self._commands = Commands(self.filesystem)
        self._screen = new_screen(rows, columns)
        self._log = new_log(frames_per_record, rows, columns)
        self._sink = sink
        self._pane = Pane(0, 0, rows - 1, columns)
        self._shell = Shell(self._screen, self._pane, project, self._commands)
        self._editor: Editor | None = None
        self._behind = self._screen  # what the shell shows again when the editor has quit
        self._paint_status()

    @property
    def message(self) -> bytes | None:
        """The message of the last commit."""
        return self._commands.repository.message

    def type(self, actions: np.ndarray) -> None:
        """Type uint16 `actions`: for each, log the frame before it, then let the program in the pane have it.

        Raises `ShellError` or `EditorError` for what a program does not know.
        """
        at = 0
        while at < len(actions):
            if log_is_full(self._log):
                self._log = self._sink(self._log)
            at = (self._editor or self._shell).type(actions, at, self._log)
            if self._editor is not None:
                self._attend_to(self._editor)
            elif self._shell.edit is not None:
                self._open(self._shell.edit)

    def close(self) -> None:
        """Hand over the last log, if it holds any frame."""
        if self._log.size_2[0]:
            self._log = self._sink(self._log)

    def _open(self, path: bytes) -> None:
        screen = self._screen
        self._behind = screen._replace(
            codepoints_RxC=screen.codepoints_RxC.copy(),
            styles_RxC=screen.styles_RxC.copy(),
            cursor_2=screen.cursor_2.copy(),
        )
        self._editor = Editor(screen, self._pane, self._read)
        self._editor.open(path, self._read(path))

    def _attend_to(self, editor: Editor) -> None:
        """Store what the editor has written; take the shell up again when it has quit."""
        if editor.written is not None:
            path, content = editor.written
            self.filesystem.write(self._commands.resolve(path), content)
            editor.written = None
        if editor.finished:
            self._editor = None
            self._uncover()
            self._shell.resume()

    def _uncover(self) -> None:
        """Show what was on the screen before the editor was opened."""
        screen, behind = self._screen, self._behind
        screen.dirty_R[:] |= (screen.codepoints_RxC != behind.codepoints_RxC).any(axis=1)
        screen.dirty_R[:] |= (screen.styles_RxC != behind.styles_RxC).any(axis=1)
        screen.codepoints_RxC[:] = behind.codepoints_RxC
        screen.styles_RxC[:] = behind.styles_RxC
        screen.cursor_2[:] = behind.cursor_2

    def _read(self, path: bytes) -> bytes | None:
        return self.filesystem.read(self._commands.resolve(path))

    def _paint_status(self) -> None:
        row = self._pane.height
        self._screen.codepoints_RxC[row] = BLANK
        self._screen.codepoints_RxC[row, : len(STATUS)] = [ord(letter) for letter in STATUS]
        self._screen.styles_RxC[row] = Style.MUXER_BAR
        self._screen.dirty_R[row] = True
