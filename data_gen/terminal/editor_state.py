"""What the editor's kernels share: the text, the cursor, what is pending, what has to be painted."""

from typing import NamedTuple

import numpy as np

from data_gen.kernel import inner_kernel, kernel
from data_gen.terminal.editor_buffer import Buffer, line_count, line_length

(
    PANE_TOP,
    PANE_LEFT,
    HEIGHT,  # rows of text; below are the status line and the command line
    WIDTH,
    LINE,  # the cursor, from 0; COLUMN counts codepoints
    COLUMN,
    WANTED_CELL,  # the cell that vertical movement heads for, or HERE
    TOP,  # the first line and the first cell that the window shows
    LEFT,
    MODE,
    COUNT,  # what has been typed of a command; 0 is none
    OPERATOR,
    OPERATOR_COUNT,
    PREFIX,
    BYTES_LEFT,  # of a UTF-8 character, and its codepoint so far
    CODEPOINT,
    CHANGED,
    EMPTY,  # there is no line at all, only the one that is shown
    NO_NEWLINE,  # at the end of the file: as the option says, and as the file has it
    FILE_NO_NEWLINE,
    NEW_FILE,
    REGISTER_SIZE,
    REGISTER_LINEWISE,
    ANCHOR_LINE,  # a place in the cursor's line near the left edge: no need to measure the line from its start
    ANCHOR_COLUMN,
    ANCHOR_BYTE,
    ANCHOR_CELL,
    CURSOR_BYTE,
    CURSOR_CELL,
    CELL_KEPT,  # the cursor is painted once more where it was
    MOVED_FROM,  # where lines were added or removed since the last painting, or LINE_END
    DAMAGED_FROM,  # lines to paint
    DAMAGED_TO,
    PAINTED_TOP,
    PAINTED_LEFT,
    PAINTED_NUMBERS,
    STATUS_STALE,
    MESSAGE_STALE,
    MESSAGE_SIZE,  # in cells
    MESSAGE_KEPT,  # it outlives the next painting whatever that is
    IS_LOGGED,  # the frame before the current key is in the log already
    NEEDED_CODEPOINTS,  # room that the current key lacks
    NEEDED_LINES,
    NEEDED_REGISTER,
    STATE_SIZE,
) = range(45)

NORMAL, INSERT, COMMAND = range(3)
DONE, COMMAND_ENTERED, LACKS_ROOM, UNSUPPORTED = range(4)
HERE = -1
LINE_END = 1 << 40
TAB = 0x09


MESSAGE, MESSAGE_STYLES, TITLE, CHANGED_TITLE, ROW, ROW_STYLES = range(6)
"""Rows of cells: the command line or the last message, the two status lines without ruler, the row being painted."""


class Window(NamedTuple):
    """A buffer and the view of it. Few arrays: each one makes every kernel slower to compile."""

    state: np.ndarray  # int64, by the indices above
    buffer: Buffer
    kinds_N: np.ndarray  # uint32: widths and classes of all codepoints
    register_G: np.ndarray  # uint32 codepoints, lines parted by newlines
    cells_6xW: np.ndarray  # uint32, by the rows above


@kernel
def damage(window: Window, first: int, last: int) -> None:
    """Have the lines from `first` to `last` painted."""
    state = window.state
    state[DAMAGED_FROM] = min(state[DAMAGED_FROM], first)
    state[DAMAGED_TO] = max(state[DAMAGED_TO], last)


@inner_kernel
def mark_changed(window: Window) -> None:
    """The text differs from the file."""
    window.state[EMPTY], window.state[CHANGED], window.state[STATUS_STALE] = 0, 1, 1


@kernel
def differs_from_file(window: Window) -> bool:
    """Whether `:q` would lose something: text, or the choice of a newline at the end unless there is no text at all."""
    state = window.state
    is_blank = state[NEW_FILE] and line_count(window.buffer) == 1 and line_length(window.buffer, 0) == 0
    return state[CHANGED] != 0 or (state[NO_NEWLINE] != state[FILE_NO_NEWLINE] and not is_blank)


@inner_kernel
def changed_in_line(window: Window, line: int, column: int) -> None:
    """`line` has changed from `column` on."""
    mark_changed(window)
    damage(window, line, line)
    if window.state[ANCHOR_LINE] == line and column < window.state[ANCHOR_COLUMN]:
        window.state[ANCHOR_LINE] = -1


@inner_kernel
def changed_lines(window: Window, line: int) -> None:
    """Lines were added or removed at `line`."""
    mark_changed(window)
    damage(window, line, LINE_END)
    window.state[ANCHOR_LINE], window.state[MOVED_FROM] = -1, line


@kernel
def set_message(window: Window, text: np.ndarray, style: int) -> None:
    """Show `text` (uint32, one cell each) in the last row of the pane."""
    size = min(text.shape[0], window.state[WIDTH])
    for column in range(size):
        window.cells_6xW[MESSAGE, column], window.cells_6xW[MESSAGE_STYLES, column] = text[column], style
    window.state[MESSAGE_SIZE] = size
    window.state[MESSAGE_STALE] = 1


@inner_kernel
def number_width(window: Window) -> int:
    """The cells of the line numbers, with the blank that follows them."""
    width, count = 4, line_count(window.buffer)
    while count >= 1000:
        count //= 10
        width += 1
    return width
