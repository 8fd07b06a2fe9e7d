"""Logs of frames for the codec's tests, with the frames as they were on the screen: nothing here knows the codec."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from data_gen.cells import CURSOR, Style
from data_gen.terminal.screen import FrameLog, log_frame, new_log, new_screen

ENTER, BACKSPACE = 0x0D, 0x7F


class Logged(NamedTuple):
    """A log, and what it must decode to."""

    log: FrameLog
    codepoints_FxRxC: np.ndarray
    styles_FxRxC: np.ndarray
    actions_F: np.ndarray


class Camera:
    """A screen to draw on whose frames are logged, and copied as they are."""

    def __init__(self, frames: int, rows: int, columns: int):
        self.screen = new_screen(rows, columns)
        self._log = new_log(frames, rows, columns)
        self._codepoints: list[np.ndarray] = []
        self._styles: list[np.ndarray] = []
        self._actions: list[int] = []

    def write(self, row: int, column: int, text: str, style: int = Style.PLAIN) -> None:
        """Draw text, cut off at the right edge."""
        text = text[: self.screen.codepoints_RxC.shape[1] - column]
        self.screen.codepoints_RxC[row, column : column + len(text)] = [ord(character) for character in text]
        self.screen.styles_RxC[row, column : column + len(text)] = style
        self.screen.dirty_R[row] = True

    def shoot(self, action: int) -> None:
        """Log the frame and the action after it."""
        self._codepoints.append(self.screen.codepoints_RxC.copy())
        styles_RxC = self.screen.styles_RxC.copy()
        styles_RxC[tuple(self.screen.cursor_2)] |= CURSOR
        self._styles.append(styles_RxC)
        self._actions.append(action)
        log_frame(self.screen, self._log, action)

    def logged(self) -> Logged:
        """All that was shot."""
        return Logged(self._log, np.array(self._codepoints), np.array(self._styles), np.array(self._actions, np.uint16))


def type_text(keys: Iterable[int], rows: int = 12, columns: int = 40, text: Iterable[str] = ()) -> Logged:
    """What a small editor shows while `keys` are typed: line numbers, scrolling, a status line with a ruler.

    Printable keys and Enter insert, Backspace deletes, 0x10 and 0x0E go up and down, 0x02 and 0x06 left and right.
    """
    keys = list(keys)
    camera = Camera(len(keys), rows, columns)
    lines = [*text] or [""]
    top = row = column = 0
    for key in keys:
        top = max(min(top, row), row - rows + 3)
        for r in range(rows - 2):
            is_line = top + r < len(lines)
            camera.write(r, 0, f"{top + r + 1:3d} " if is_line else "~".ljust(4), Style.LINE_NUMBER)
            camera.write(r, 4, (lines[top + r] if is_line else "").ljust(columns))
        camera.write(rows - 2, 0, f"{row + 1},{column + 1}".ljust(columns), Style.STATUS_LINE)
        camera.screen.cursor_2[:] = row - top, min(4 + column, columns - 1)
        camera.shoot(key)
        line = lines[row]
        if key == ENTER:
            lines[row : row + 1] = [line[:column], line[column:]]
            row, column = row + 1, 0
        elif key == BACKSPACE and column:
            lines[row] = line[: column - 1] + line[column:]
            column -= 1
        elif 0x20 <= key < 0x7F:
            lines[row] = line[:column] + chr(key) + line[column:]
            column += 1
        row = min(max(row + (key == 0x0E) - (key == 0x10), 0), len(lines) - 1)
        column = min(max(column + (key == 0x06) - (key == 0x02), 0), len(lines[row]))
    return camera.logged()
