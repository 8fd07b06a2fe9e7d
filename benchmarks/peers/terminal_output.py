"""What a program writes to a terminal to show one frame after the other: moves, colours and the cells that changed."""

import functools
from collections.abc import Iterator

import numpy as np

from data_gen.cells import BLANK, CONTINUATION, CURSOR, Style, style_channels
from data_gen.viewing.paint import characters

_CHANNELS = style_channels()
_MAX_GAP = 4
"""Unchanged cells that are written again rather than moved over."""

_MIN_ERASED = 4
"""Blanks at a row's end that are erased rather than written."""


def terminal_output(codepoints_FxRxC: np.ndarray, styles_FxRxC: np.ndarray) -> Iterator[str]:
    """For each frame what turns the one before into it; the first finds a blank screen, the cursor in its corner."""
    terminal = _Terminal(codepoints_FxRxC.shape[2])
    before_RxC = np.full(codepoints_FxRxC.shape[1:], BLANK, np.uint64)
    for codepoints_RxC, marked_RxC in zip(codepoints_FxRxC, styles_FxRxC, strict=True):
        styles_RxC = marked_RxC & ~np.uint8(CURSOR)
        cells_RxC = styles_RxC.astype(np.uint64) << np.uint64(32) | codepoints_RxC
        for row in np.flatnonzero((cells_RxC != before_RxC).any(1)):
            is_changed_C = cells_RxC[row] != before_RxC[row]
            is_changed_C[:-1] |= is_changed_C[1:] & (codepoints_RxC[row, 1:] == CONTINUATION)
            terminal.show_row(int(row), codepoints_RxC[row], styles_RxC[row], np.flatnonzero(is_changed_C))
        terminal.move(*map(int, np.argwhere(marked_RxC & CURSOR)[0]))
        yield terminal.take()
        before_RxC = cells_RxC


class _Terminal:
    """Collects what is sent to a terminal, and knows the state that this leaves it in."""

    def __init__(self, columns: int):
        self._columns = columns
        self._row, self._column = 0, 0
        self._style = int(Style.PLAIN)
        self._sent: list[str] = []

    def take(self) -> str:
        """What was sent since the last call."""
        sent = "".join(self._sent)
        self._sent.clear()
        return sent

    def move(self, row: int, column: int) -> None:
        """Move the cursor."""
        if (row, column) == (self._row, self._column):
            return
        if row == self._row and column > self._column:
            self._sent.append(f"\x1b[{column - self._column}C")
        elif column == 0 and row in (self._row, self._row + 1):
            self._sent.append("\r" if row == self._row else "\r\n")
        else:
            self._sent.append(f"\x1b[{row + 1};{column + 1}H")
        self._row, self._column = row, column

    def show_row(self, row: int, codepoints_C: np.ndarray, styles_C: np.ndarray, changed: np.ndarray) -> None:
        """Write the changed columns of a row, and what lies between near ones; erase blanks at its end."""
        is_blank_C = (codepoints_C == BLANK) & (styles_C == Style.PLAIN)
        text_end = self._columns - int(np.argmin(is_blank_C[::-1])) if not is_blank_C.all() else 0
        erases = changed[-1] - text_end >= _MIN_ERASED - 1
        written = changed[changed < text_end] if erases else changed
        characters_C = characters(codepoints_C)
        for run in np.split(written, np.flatnonzero(np.diff(written) > _MAX_GAP + 1) + 1):
            if len(run):
                self.move(row, int(run[0]))
                self._write(characters_C[run[0] : run[-1] + 1], styles_C[run[0] : run[-1] + 1])
        if erases:
            self.move(row, max(text_end, int(changed[0])))
            self._select(Style.PLAIN)
            self._sent.append("\x1b[K")

    def _write(self, characters_W: list[str], styles_W: np.ndarray) -> None:
        for character, style in zip(characters_W, styles_W.tolist(), strict=True):
            self._select(style)
            self._sent.append(character)
        self._column += len(characters_W)
        if self._column == self._columns:  # terminals differ in where the cursor is now: the next move is absolute
            self._row, self._column = -2, -2

    def _select(self, style: int) -> None:
        if style != self._style:
            self._sent.append(_sgr(style))
            self._style = style


@functools.cache
def _sgr(style: int) -> str:
    """The sequence that selects a style's colours."""
    if style == Style.PLAIN:
        return "\x1b[0m"
    red, green, blue, back_red, back_green, back_blue = map(int, _CHANNELS[style])
    return f"\x1b[38;2;{red};{green};{blue};48;2;{back_red};{back_green};{back_blue}m"
