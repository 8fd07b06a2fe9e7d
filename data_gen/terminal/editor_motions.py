"""Where the editor's cursor can go: characters, cells, words and matches."""

import numpy as np

from data_gen.kernel import inner_kernel, kernel
from data_gen.terminal.editor_buffer import line_count, line_length, line_start
from data_gen.terminal.editor_characters import BLANK_CLASS, CLASS_SHIFT, WIDTH_BITS
from data_gen.terminal.editor_state import COLUMN, INSERT, LINE, LINE_END, MODE, TAB, Window

WITHIN_LINE, NEXT_LINE, ONTO_END, NOWHERE = range(4)


@inner_kernel
def codepoint_at(window: Window, line: int, column: int) -> int:
    """The codepoint at a place, 0 at the end of the line."""
    if column >= line_length(window.buffer, line):
        return 0
    return window.buffer.pool_P[line_start(window.buffer, line) + column]


@inner_kernel
def is_combining(window: Window, line: int, column: int) -> bool:
    """Whether a codepoint belongs to the character before it."""
    codepoint = codepoint_at(window, line, column)
    return codepoint != 0 and (window.kinds_N[codepoint] & WIDTH_BITS) == 0


@inner_kernel
def next_column(window: Window, line: int, column: int) -> int:
    """The column of the character after the one at `column`, which is not the end of the line."""
    column += 1
    while is_combining(window, line, column):
        column += 1
    return column


@inner_kernel
def first_column(window: Window, line: int, column: int) -> int:
    """Where the character that has a codepoint at `column` begins."""
    while column > 0 and is_combining(window, line, column):
        column -= 1
    return column


@inner_kernel
def last_column(window: Window, line: int) -> int:
    """The last character of `line`; 0 in an empty one."""
    return first_column(window, line, max(line_length(window.buffer, line) - 1, 0))


@inner_kernel
def keep_on_character(window: Window) -> None:
    """Normal mode: the cursor rests on a character, not amid one nor behind the last."""
    state = window.state
    last = max(line_length(window.buffer, state[LINE]) - 1, 0)
    state[COLUMN] = first_column(window, state[LINE], min(state[COLUMN], last))


@inner_kernel
def first_nonblank(window: Window, line: int) -> int:
    """The column of the first character that is neither space nor tab, or the end of the line."""
    column = 0
    while codepoint_at(window, line, column) in (0x20, TAB):
        column += 1
    return column


@inner_kernel
def cell_width(window: Window, codepoint: int, cell: int, column: int) -> int:
    """The cells of a character that starts at `cell`; a combining character at the line's start stands alone."""
    if codepoint == TAB:
        return 8 - cell % 8
    width = int(window.kinds_N[codepoint] & WIDTH_BITS)
    return 1 if width == 0 and column == 0 else width


@inner_kernel
def column_at_cell(window: Window, line: int, wanted: int) -> int:
    """The column of the character that covers the cell `wanted` of `line`, or the last place the mode allows."""
    length, start = line_length(window.buffer, line), line_start(window.buffer, line)
    column = length
    if wanted < LINE_END:
        cell = 0
        for index in range(length):
            cell += cell_width(window, window.buffer.pool_P[start + index], cell, index)
            if cell > wanted:
                column = index
                break
    if column == length and window.state[MODE] != INSERT:
        column = max(length - 1, 0)
    return first_column(window, line, column)


@inner_kernel
def step(window: Window) -> int:
    """Move one character forward, over the end of the line; tells what was crossed."""
    state = window.state
    length = line_length(window.buffer, state[LINE])
    if state[COLUMN] < length:
        state[COLUMN] = next_column(window, state[LINE], state[COLUMN])
        return ONTO_END if state[COLUMN] == length else WITHIN_LINE
    if state[LINE] + 1 < line_count(window.buffer):
        state[LINE] += 1
        state[COLUMN] = 0
        return NEXT_LINE
    return NOWHERE


@inner_kernel
def step_back(window: Window) -> bool:
    """Move one character backward, onto the end of the line before; False at the start of the text."""
    state = window.state
    if state[COLUMN] > 0:
        state[COLUMN] = first_column(window, state[LINE], state[COLUMN] - 1)
        return True
    if state[LINE] > 0:
        state[LINE] -= 1
        state[COLUMN] = line_length(window.buffer, state[LINE])
        return True
    return False


@inner_kernel
def class_here(window: Window) -> int:
    """The class of the character under the cursor; the end of a line is blank."""
    codepoint = codepoint_at(window, window.state[LINE], window.state[COLUMN])
    return BLANK_CLASS if codepoint == 0 else window.kinds_N[codepoint] >> CLASS_SHIFT


@inner_kernel
def _on_empty_line(window: Window) -> bool:
    return line_length(window.buffer, window.state[LINE]) == 0


@inner_kernel
def to_next_word(window: Window, count: int, for_operator: bool) -> bool:
    """`w`; with an operator the last word ends with its line. False where there is no next word."""
    state = window.state
    for left in range(count - 1, -1, -1):
        stops = for_operator and left == 0
        on_last_line = state[LINE] + 1 == line_count(window.buffer)
        kind = class_here(window)
        crossed = step(window)
        if crossed == NOWHERE or (crossed != WITHIN_LINE and on_last_line):
            return False
        if crossed != WITHIN_LINE and stops:
            return True
        while kind != BLANK_CLASS and class_here(window) == kind:
            crossed = step(window)
            if crossed == NOWHERE or (crossed != WITHIN_LINE and stops):
                return True
        while class_here(window) == BLANK_CLASS and not _on_empty_line(window):
            crossed = step(window)
            if crossed == NOWHERE or (crossed != WITHIN_LINE and stops):
                return True
    return True


@inner_kernel
def to_word_end(window: Window, count: int) -> None:
    """As `cw` moves: to the end of the word under the cursor, then of the ones that follow."""
    for number in range(count):
        kind = class_here(window)
        if step(window) == NOWHERE:
            return
        if kind != BLANK_CLASS and class_here(window) == kind:
            while class_here(window) == kind:
                if step(window) == NOWHERE:
                    return
        elif number > 0 or kind == BLANK_CLASS:
            while class_here(window) == BLANK_CLASS:
                if step(window) == NOWHERE:
                    return
            kind = class_here(window)
            while class_here(window) == kind:
                if step(window) == NOWHERE:
                    return
        step_back(window)


@inner_kernel
def to_previous_word(window: Window, count: int) -> bool:
    """`b`. False at the start of the text."""
    for _ in range(count):
        if not step_back(window):
            return False
        while class_here(window) == BLANK_CLASS and not _on_empty_line(window):
            if not step_back(window):
                return True
        if class_here(window) == BLANK_CLASS:
            continue
        kind = class_here(window)
        while class_here(window) == kind:
            if not step_back(window):
                return True
        step(window)
    return True


@inner_kernel
def find_in_line(window: Window, codepoint: int, count: int) -> int:
    """The column of the `count`-th character after the cursor that begins with `codepoint`, or -1."""
    line, column = window.state[LINE], window.state[COLUMN]
    length = line_length(window.buffer, line)
    while count > 0 and column < length:
        column = next_column(window, line, column)
        if column < length and codepoint_at(window, line, column) == codepoint:
            count -= 1
    return column if count == 0 else -1


@inner_kernel
def _match_in_line(window: Window, pattern: np.ndarray, line: int, column: int) -> int:
    """The first match in `line` at `column` or behind it, or -1."""
    start, length, size = line_start(window.buffer, line), line_length(window.buffer, line), pattern.shape[0]
    pool = window.buffer.pool_P
    for place in range(start + column, start + length - size + 1):
        if pool[place] != pattern[0]:
            continue
        matched = 1
        while matched < size and pool[place + matched] == pattern[matched]:
            matched += 1
        if matched == size and not is_combining(window, line, place - start + size):
            return place - start
    return -1


@kernel
def search(window: Window, pattern: np.ndarray) -> bool:
    """Move to the next match of the literal `pattern` (uint32), around the end of the text; False if there is none.

    As in Vi, matches in the cursor's line are counted from its start and do not overlap.
    """
    state = window.state
    column = 0
    while True:
        column = _match_in_line(window, pattern, state[LINE], column)
        if column < 0 or column > state[COLUMN]:
            break
        column += pattern.shape[0]
    if column >= 0:
        state[COLUMN] = column
        return True
    for distance in range(1, line_count(window.buffer) + 1):
        line = (state[LINE] + distance) % line_count(window.buffer)
        column = _match_in_line(window, pattern, line, 0)
        if column >= 0:
            state[LINE], state[COLUMN] = line, column
            return True
    return False
