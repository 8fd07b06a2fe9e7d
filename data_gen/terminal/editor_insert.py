"""What each key does in insert mode."""

import numpy as np

from data_gen.actions import BACKSPACE, CTRL_V, ENTER, ESCAPE, Key
from data_gen.cells import Style
from data_gen.kernel import inner_kernel
from data_gen.terminal.editor_buffer import line_count, line_length
from data_gen.terminal.editor_edits import (
    delete_span,
    insert_codepoint,
    split_line,
)
from data_gen.terminal.editor_motions import (
    column_at_cell,
    first_column,
    next_column,
)
from data_gen.terminal.editor_paint import cursor_cell
from data_gen.terminal.editor_state import (
    BYTES_LEFT,
    CODEPOINT,
    COLUMN,
    DONE,
    HERE,
    INSERT,
    LACKS_ROOM,
    LINE,
    LINE_END,
    MODE,
    NORMAL,
    PREFIX,
    TAB,
    UNSUPPORTED,
    WANTED_CELL,
    Window,
    set_message,
)

UP, DOWN, RIGHT, LEFT_ARROW = int(Key.UP), int(Key.DOWN), int(Key.RIGHT), int(Key.LEFT)
HOME, END_KEY, DELETE = int(Key.HOME), int(Key.END), int(Key.DELETE)
_PLAIN, _BOLD = int(Style.PLAIN), int(Style.BOLD)
_INSERTING = np.frombuffer("-- INSERT --".encode("utf-32-le"), np.uint32).copy()
_NOTHING = np.zeros(0, np.uint32)
INCOMPLETE, INVALID = -1, -2
"""What `assemble` says where there is no character."""


@inner_kernel
def assemble(window: Window, byte: int) -> int:
    """The character that `byte` completes in UTF-8, or whether it is incomplete or invalid."""
    state = window.state
    if byte > 0xFF:
        return INVALID
    if state[BYTES_LEFT] == 0:
        if byte < 0x80:
            return byte
        if byte < 0xC2 or byte > 0xF4:
            return INVALID
        left = 1 if byte < 0xE0 else 2 if byte < 0xF0 else 3
        state[BYTES_LEFT], state[CODEPOINT] = left, byte & (0x3F >> left)
        return INCOMPLETE
    if byte & 0xC0 != 0x80:
        return INVALID
    state[CODEPOINT] = state[CODEPOINT] << 6 | byte & 0x3F
    state[BYTES_LEFT] -= 1
    return state[CODEPOINT] if state[BYTES_LEFT] == 0 else INCOMPLETE


@inner_kernel
def move_line(window: Window, line: int) -> None:
    """Go to another line, towards the wanted cell."""
    state = window.state
    if state[WANTED_CELL] == HERE:
        state[WANTED_CELL] = cursor_cell(window)
    state[LINE] = line
    state[COLUMN] = column_at_cell(window, line, state[WANTED_CELL])


@inner_kernel
def start_insert(window: Window) -> int:
    """Enter insert mode."""
    window.state[MODE] = INSERT
    window.state[WANTED_CELL] = HERE
    set_message(window, _INSERTING, _BOLD)
    return DONE


@inner_kernel
def _erase(window: Window, column: int, end: int) -> bool:
    """Take out a part of the cursor's line without yanking."""
    line = window.state[LINE]
    return delete_span(window, line, column, line, end, False)


@inner_kernel
def _erase_newline(window: Window, line: int) -> bool:
    """Join `line` with the one that follows, as they are; the cursor goes to the seam."""
    return delete_span(window, line, line_length(window.buffer, line), line + 1, 0, False)


@inner_kernel
def _leave_insert(window: Window) -> None:
    state = window.state
    state[MODE], state[WANTED_CELL] = NORMAL, HERE
    if state[COLUMN] > 0:
        state[COLUMN] = first_column(window, state[LINE], state[COLUMN] - 1)
    set_message(window, _NOTHING, _PLAIN)


@inner_kernel
def _insert_special(window: Window, action: int) -> int:
    """A key of insert mode that inserts no character."""
    state = window.state
    line, column, done = state[LINE], state[COLUMN], True
    length = line_length(window.buffer, line)
    if action == ENTER:
        done = split_line(window)
    elif action == BACKSPACE:
        if column > 0:
            start = first_column(window, line, column - 1)
            done = _erase(window, start, next_column(window, line, start))
        elif line > 0:
            done = _erase_newline(window, line - 1)
    elif action == DELETE:
        if column < length:
            start = first_column(window, line, column)
            done = _erase(window, start, next_column(window, line, start))
        elif line + 1 < line_count(window.buffer):
            done = _erase_newline(window, line)
    elif action == ESCAPE:
        _leave_insert(window)
    elif action in (UP, DOWN):
        target = line - 1 if action == UP else line + 1
        if 0 <= target < line_count(window.buffer):
            move_line(window, target)
    elif action in (LEFT_ARROW, RIGHT):
        if action == LEFT_ARROW and column > 0:
            state[COLUMN], state[WANTED_CELL] = first_column(window, line, column - 1), HERE
        elif action == RIGHT and column < length:
            state[COLUMN], state[WANTED_CELL] = next_column(window, line, column), HERE
    elif action == HOME:
        state[COLUMN], state[WANTED_CELL] = 0, 0
    elif action == END_KEY:
        state[COLUMN], state[WANTED_CELL] = length, LINE_END
    else:
        return UNSUPPORTED
    return DONE if done else LACKS_ROOM


@inner_kernel
def insert_key(window: Window, action: int) -> int:
    """Apply one key in insert mode; returns DONE, LACKS_ROOM or UNSUPPORTED."""
    state = window.state
    if state[PREFIX] == CTRL_V:
        if action == 0 or action == 0x0A or action > BACKSPACE or 0x20 <= action < BACKSPACE:
            return UNSUPPORTED
        if not insert_codepoint(window, action):
            return LACKS_ROOM
        state[PREFIX] = 0
        return DONE
    if state[BYTES_LEFT] == 0 and (action < 0x20 or action == BACKSPACE or action > 0xFF) and action != TAB:
        if action == CTRL_V:
            state[PREFIX] = CTRL_V
            return DONE
        return _insert_special(window, action)
    codepoint = assemble(window, action)
    if codepoint == INVALID:
        return UNSUPPORTED
    if codepoint == INCOMPLETE:
        return DONE
    return DONE if insert_codepoint(window, codepoint) else LACKS_ROOM
