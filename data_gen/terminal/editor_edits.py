"""How the editor's commands change the text. Each answers False, and changes nothing, where room is lacking."""

import numpy as np

from data_gen.cells import Style
from data_gen.kernel import inner_kernel
from data_gen.terminal.editor_buffer import (
    NEWLINE,
    copy,
    delete_lines,
    has_room,
    insert_lines,
    line_count,
    line_length,
    line_start,
    splice,
)
from data_gen.terminal.editor_motions import (
    codepoint_at,
    first_column,
    first_nonblank,
    keep_on_character,
    last_column,
    next_column,
)
from data_gen.terminal.editor_state import (
    COLUMN,
    EMPTY,
    HERE,
    LINE,
    MESSAGE_KEPT,
    NEEDED_CODEPOINTS,
    NEEDED_LINES,
    NEEDED_REGISTER,
    REGISTER_LINEWISE,
    REGISTER_SIZE,
    TAB,
    WANTED_CELL,
    Window,
    changed_in_line,
    changed_lines,
    set_message,
)

_PLAIN = int(Style.PLAIN)
_NO_LINES = np.frombuffer("--No lines in buffer--".encode("utf-32-le"), np.uint32).copy()


@inner_kernel
def lacks_room(window: Window, codepoints: int, lines: int, register: int) -> bool:
    """Whether room is lacking for so much; the state then tells what is needed."""
    if has_room(window.buffer, codepoints, lines) and register <= window.register_G.shape[0]:
        return False
    window.state[NEEDED_CODEPOINTS] = codepoints
    window.state[NEEDED_LINES] = lines
    window.state[NEEDED_REGISTER] = register
    return True


@inner_kernel
def insert_codepoint(window: Window, codepoint: int) -> bool:
    """Put a character before the cursor."""
    state = window.state
    line, column = state[LINE], state[COLUMN]
    if lacks_room(window, line_length(window.buffer, line) + 1, 0, 0):
        return False
    place = splice(window.buffer, line, column, 0, 1)
    window.buffer.pool_P[place] = codepoint
    state[COLUMN] = column + 1
    state[WANTED_CELL] = HERE
    changed_in_line(window, line, max(column - 1, 0))
    return True


@inner_kernel
def split_line(window: Window) -> bool:
    """Break the line at the cursor, which goes to the start of the second half."""
    state, buffer = window.state, window.buffer
    line, column = state[LINE], state[COLUMN]
    moved = line_length(buffer, line) - column
    if lacks_room(window, moved, 1, 0):
        return False
    insert_lines(buffer, line + 1, 1)
    target, source = splice(buffer, line + 1, 0, 0, moved), line_start(buffer, line) + column
    copy(buffer.pool_P, source, buffer.pool_P, target, moved)
    splice(buffer, line, column, moved, 0)
    state[LINE], state[COLUMN], state[WANTED_CELL] = line + 1, 0, HERE
    changed_lines(window, line)
    return True


@inner_kernel
def open_line(window: Window, line: int) -> bool:
    """Put an empty line before `line` and the cursor on it."""
    if lacks_room(window, 0, 1, 0):
        return False
    insert_lines(window.buffer, line, 1)
    window.state[LINE], window.state[COLUMN], window.state[WANTED_CELL] = line, 0, HERE
    changed_lines(window, line)
    return True


@inner_kernel
def _yank(window: Window, line: int, column: int, last_line: int, end: int) -> None:
    position = 0
    for current in range(line, last_line + 1):
        start, length = line_start(window.buffer, current), line_length(window.buffer, current)
        first = start + column if current == line else start
        behind = start + end if current == last_line else start + length
        for index in range(first, behind):
            window.register_G[position] = window.buffer.pool_P[index]
            position += 1
        if current < last_line:
            window.register_G[position] = NEWLINE
            position += 1
    window.state[REGISTER_SIZE] = position


@inner_kernel
def text_size(window: Window, line: int, last_line: int) -> int:
    """The codepoints of some lines, with a newline each."""
    size = 0
    for current in range(line, last_line + 1):
        size += line_length(window.buffer, current) + 1
    return size


@inner_kernel
def yank_lines(window: Window, count: int) -> bool:
    """`yy`."""
    line = window.state[LINE]
    last = min(line + count, line_count(window.buffer)) - 1
    if lacks_room(window, 0, 0, text_size(window, line, last)):
        return False
    _yank(window, line, 0, last, line_length(window.buffer, last))
    window.state[REGISTER_LINEWISE] = 1
    return True


@inner_kernel
def delete_whole_lines(window: Window, count: int) -> bool:
    """`dd`, yanking; the cursor goes to the line that follows."""
    state = window.state
    if state[EMPTY]:
        return True
    if not yank_lines(window, count):
        return False
    if lacks_room(window, 0, 1, 0):
        return False
    count = min(count, line_count(window.buffer) - state[LINE])
    leaves_none = count == line_count(window.buffer)
    delete_lines(window.buffer, state[LINE], count)
    changed_lines(window, state[LINE])
    if leaves_none:
        state[EMPTY] = state[MESSAGE_KEPT] = 1
        set_message(window, _NO_LINES, _PLAIN)
    state[LINE] = min(state[LINE], line_count(window.buffer) - 1)
    state[COLUMN], state[WANTED_CELL] = first_nonblank(window, state[LINE]), HERE
    keep_on_character(window)
    return True


@inner_kernel
def empty_lines(window: Window, count: int) -> bool:
    """`cc`, yanking: one empty line is left of the lines."""
    state = window.state
    if state[EMPTY]:
        return True
    if not yank_lines(window, count):
        return False
    line = state[LINE]
    count = min(count, line_count(window.buffer) - line)
    if count > 1:
        delete_lines(window.buffer, line + 1, count - 1)
        changed_lines(window, line)
    length = line_length(window.buffer, line)
    splice(window.buffer, line, 0, length, 0)
    changed_in_line(window, line, 0)
    state[COLUMN], state[WANTED_CELL] = 0, HERE
    return True


@inner_kernel
def delete_span(window: Window, line: int, column: int, last_line: int, end: int, yanks: bool) -> bool:
    """Take out the text from a place to before another; the cursor goes to the first."""
    state, buffer = window.state, window.buffer
    tail = line_length(buffer, last_line) - end
    register = text_size(window, line, last_line) if yanks else 0
    if lacks_room(window, column + tail, 0, register):
        return False
    if yanks:
        _yank(window, line, column, last_line, end)
        state[REGISTER_LINEWISE] = 0
    if line == last_line:
        splice(buffer, line, column, end - column, 0)
        changed_in_line(window, line, max(column - 1, 0))
    else:
        target = splice(buffer, line, column, line_length(buffer, line) - column, tail)
        source = line_start(buffer, last_line) + end
        copy(buffer.pool_P, source, buffer.pool_P, target, tail)
        delete_lines(buffer, line + 1, last_line - line)
        changed_lines(window, line)
    state[LINE], state[COLUMN], state[WANTED_CELL] = line, column, HERE
    return True


@inner_kernel
def _last_codepoint(window: Window, line: int) -> int:
    return codepoint_at(window, line, last_column(window, line))


@inner_kernel
def join_lines(window: Window, count: int) -> bool:
    """`J`: one line of `count`, blanks at the seams replaced by one space where Vim wants one."""
    state, buffer = window.state, window.buffer
    line = state[LINE]
    count = min(count, line_count(buffer) - line)
    if lacks_room(window, 3 * text_size(window, line, line + count - 1), 0, 0):
        return False
    state[COLUMN] = 0
    last = _last_codepoint(window, line)
    for next_line in range(line + 1, line + count):
        length, skipped = line_length(buffer, line), first_nonblank(window, next_line)
        moved = line_length(buffer, next_line) - skipped
        first = codepoint_at(window, next_line, skipped)
        space = 1 if length > 0 and moved > 0 and first != ord(")") and last not in (0x20, TAB) else 0
        target = splice(buffer, line, length, 0, space + moved)
        source = line_start(buffer, next_line) + skipped
        if space:
            buffer.pool_P[target] = 0x20
        copy(buffer.pool_P, source, buffer.pool_P, target + space, moved)
        state[COLUMN] = length
        last = _last_codepoint(window, next_line) if moved > 0 else 0
    delete_lines(buffer, line + 1, count - 1)
    changed_lines(window, line)
    state[WANTED_CELL] = HERE
    state[COLUMN] = first_column(window, line, state[COLUMN])
    keep_on_character(window)
    return True


@inner_kernel
def _register_lines(window: Window) -> int:
    lines = 1
    for index in range(window.state[REGISTER_SIZE]):
        if window.register_G[index] == NEWLINE:
            lines += 1
    return lines


@inner_kernel
def put(window: Window, count: int, after: bool) -> bool:
    """`p` and `P`: what was last yanked or deleted, `count` times."""
    state, buffer = window.state, window.buffer
    lines, line = _register_lines(window), state[LINE]
    size = count * state[REGISTER_SIZE]
    if lacks_room(window, 3 * (size + line_length(buffer, line)), count * lines, 0):
        return False
    state[WANTED_CELL] = HERE
    if state[REGISTER_LINEWISE]:
        line += 1 if after else 0
        insert_lines(buffer, line, count * lines)
        for number in range(count):
            _write_register(window, line + number * lines, 0)
        changed_lines(window, line)
        state[LINE], state[COLUMN] = line, first_nonblank(window, line)
        keep_on_character(window)
        return True
    column = state[COLUMN]
    if after and line_length(buffer, line) > 0:
        column = next_column(window, line, column)
    if lines == 1:
        place = splice(buffer, line, column, 0, size)
        for index in range(size):
            buffer.pool_P[place + index] = window.register_G[index % state[REGISTER_SIZE]]
        changed_in_line(window, line, max(column - 1, 0))
        state[COLUMN] = first_column(window, line, column + size - 1)
        return True
    state[COLUMN] = column
    split_line(window)
    insert_lines(buffer, line + 1, count * (lines - 1) - 1)
    last, end = line, column
    for _ in range(count):
        last, end = _write_register(window, last, end)
    changed_lines(window, line)
    state[LINE], state[COLUMN] = line, column
    keep_on_character(window)
    return True


@inner_kernel
def _write_register(window: Window, line: int, column: int) -> tuple[int, int]:
    """Put the register's lines into lines that exist; returns the place behind its text."""
    buffer, size = window.buffer, window.state[REGISTER_SIZE]
    start = 0
    while True:
        end = start
        while end < size and window.register_G[end] != NEWLINE:
            end += 1
        place = splice(buffer, line, column, 0, end - start)
        copy(window.register_G, start, buffer.pool_P, place, end - start)
        if end == size:
            return line, column + end - start
        line, column, start = line + 1, 0, end + 1


@inner_kernel
def delete_to_line_end(window: Window) -> bool:
    """`D`."""
    state = window.state
    line, length = state[LINE], line_length(window.buffer, state[LINE])
    if length > 0:
        if not delete_span(window, line, state[COLUMN], line, length, True):
            return False
        state[COLUMN] = last_column(window, line)
    state[WANTED_CELL] = HERE
    return True
