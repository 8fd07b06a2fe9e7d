"""The terminal: the muxer's windows with their panes, its keys, and its status bar. A subset of tmux."""

import enum
from collections.abc import Callable

import numpy as np

from data_gen.actions import CTRL_B, Key, describe
from data_gen.cells import BLANK, Style
from data_gen.terminal.filesystem import FileSystem
from data_gen.terminal.pane import Pane
from data_gen.terminal.programs import Programs
from data_gen.terminal.repository import Repository
from data_gen.terminal.screen import FrameLog, log_frame, log_is_full, new_log, new_screen
from data_gen.terminal.window import Window
from data_gen.terminal.words import ShellError

_QUESTION = "kill-window bash? (y/n) "
_MAX_WINDOWS = 10


class _Awaits(enum.Enum):
    """Who gets the next key."""

    NOTHING = enum.auto()  # the program in the active pane
    COMMAND = enum.auto()  # the muxer: C-b was pressed
    ANSWER = enum.auto()  # the muxer's question whether to close a window


class Terminal:
    """A screen of `rows` x `columns` that is typed into; each full log of frames goes to `sink`, which returns an empty
    one to go on with.

    It starts in the root of an empty repository called `project`. The muxer's keys are `C-b` and one of: `c` (a new
    window), `0`-`9`, `n`, `p`, `l` (the next, the previous, the last window), `%`, `"` (split the pane), `o`, `;`,
    arrows (other panes), `&` (close the window, after a question), `C-b` (give C-b to the program).
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
        self._repository = Repository(self.filesystem)
        self._project = project
        self.screen = new_screen(rows, columns)
        self._area = Pane(0, 0, rows - 1, columns)
        self._log = new_log(frames_per_record, rows, columns)
        self._sink = sink
        self._awaits = _Awaits.NOTHING
        self._windows: dict[int, Window] = {}
        self._visited: list[int] = []  # the windows' numbers, the one that is shown last
        self._open_window()

    @property
    def message(self) -> bytes | None:
        """The message of the last commit."""
        return self._repository.message

    @property
    def view(self) -> tuple[int, int]:
        """How far the editor in the active pane has scrolled."""
        return self._window.active.view

    def type(self, actions: np.ndarray) -> None:
        """Type uint16 `actions`: for each, log the frame before it, then let the muxer or a program have it.

        Raises `ShellError` or `EditorError` for what they do not know.
        """
        ends = [*np.flatnonzero(actions == CTRL_B).tolist(), len(actions)]
        at = 0
        for end in ends:
            while at < end:
                if self._awaits is _Awaits.NOTHING:
                    at = self._type_into_pane(actions[:end], at)
                else:
                    self._press(int(actions[at]))
                    at += 1
            if end < len(actions):
                self._press_prefix(actions[end : end + 1])
                at = end + 1

    def close(self) -> None:
        """Hand over the last log, if it holds any frame."""
        if self._log.size_2[0]:
            self._log = self._sink(self._log)

    @property
    def _window(self) -> Window:
        return self._windows[self._visited[-1]]

    def _type_into_pane(self, actions: np.ndarray, start: int) -> int:
        self._make_room()
        start = self._window.active.type(actions, start, self._log)
        if self._window.active.has_exited:
            if self._window.is_split:
                raise ShellError("exit: tmux would wrap what the other pane shows anew")
            self._close_window()
        return start

    def _press_prefix(self, prefix_1: np.ndarray) -> None:
        """C-b: a command follows, or it is one itself."""
        if self._awaits is _Awaits.COMMAND:
            self._awaits = _Awaits.NOTHING
            self._type_into_pane(prefix_1, 0)
        else:
            self._note(CTRL_B)
            if self._awaits is _Awaits.ANSWER:
                raise ShellError("C-b is no answer")
            self._awaits = _Awaits.COMMAND

    def _press(self, action: int) -> None:
        self._note(action)
        awaited, self._awaits = self._awaits, _Awaits.NOTHING
        if awaited is _Awaits.COMMAND:
            self._run(action)
        else:
            self._window.active.focus()
            if action == ord("y"):
                self._close_window()
            elif action == ord("n"):
                self._paint_status()
            else:
                raise ShellError(f"{describe([action])} is no answer to {_QUESTION}")

    def _run(self, action: int) -> None:
        """The command of the key after C-b."""
        key = chr(action)
        window, numbers = self._window, sorted(self._windows)
        place = numbers.index(self._visited[-1])
        if key == "c":
            self._open_window()
        elif key in "np" and len(numbers) > 1:
            self._go_to(numbers[(place + (1 if key == "n" else -1)) % len(numbers)])
        elif key == "l" and len(numbers) > 1:
            self._go_to(self._visited[-2])
        elif key.isdecimal() and int(key) in self._windows:
            self._go_to(int(key))
        elif key in '%"':
            window.split(sideways=key == "%")
        elif key == "o":
            window.go_to_next()
        elif key == ";":
            window.go_to_previous()
        elif action in (Key.LEFT, Key.RIGHT, Key.UP, Key.DOWN):
            window.go_towards(action)
        elif key == "&":
            self._ask()
        else:
            raise ShellError(f"the key {describe([action])} after C-b")

    def _open_window(self) -> None:
        if len(self._windows) == _MAX_WINDOWS:
            raise ShellError(f"more than {_MAX_WINDOWS} windows")
        if self._windows:
            self._window.hide()
        number = next(number for number in range(_MAX_WINDOWS) if number not in self._windows)
        self._windows[number] = Window(self.screen, self._area, self._start)
        self._visited.append(number)
        self._paint_status()

    def _start(self, pane: Pane) -> Programs:
        return Programs(self.screen, pane, self._project, self.filesystem, self._repository)

    def _go_to(self, number: int) -> None:
        if number != self._visited[-1]:
            self._window.hide()
            self._visited.remove(number)
            self._visited.append(number)
            self._window.show()
            self._paint_status()

    def _ask(self) -> None:
        self._window.active.blur()
        self._awaits = _Awaits.ANSWER
        self._paint_bar(_QUESTION, Style.MUXER_PROMPT)
        self.screen.cursor_2[:] = self._area.height, len(_QUESTION)

    def _close_window(self) -> None:
        if len(self._windows) == 1:
            raise ShellError("the last window cannot be closed")
        del self._windows[self._visited.pop()]
        self._window.show()
        self._paint_status()

    def _paint_status(self) -> None:
        flags = {number: "-" for number in self._visited[-2:-1]} | {self._visited[-1]: "*"}
        names = [f"{number}:bash{flags.get(number, ' ')}" for number in sorted(self._windows)]
        self._paint_bar(f"[0] {' '.join(names)}", Style.MUXER_BAR)

    def _paint_bar(self, text: str, style: Style) -> None:
        row = self._area.height
        if len(text) > self._area.width:
            raise ShellError(f"the status bar has no room for {text!r}")
        self.screen.codepoints_RxC[row] = BLANK
        self.screen.codepoints_RxC[row, : len(text)] = [ord(letter) for letter in text]
        self.screen.styles_RxC[row] = style
        self.screen.dirty_R[row] = True

    def _note(self, action: int) -> None:
        """Log the frame before a key that the muxer keeps."""
        self._make_room()
        log_frame(self.screen, self._log, action)

    def _make_room(self) -> None:
        if log_is_full(self._log):
            self._log = self._sink(self._log)
