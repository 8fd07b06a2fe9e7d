"""The encoder's search: which operations turn the canvas into the next frame of a log."""

import numpy as np

from data_gen.cells import BLANK
from data_gen.kernel import inner_kernel
from data_gen.terminal.screen import FrameLog
from data_gen.texz import operations
from data_gen.texz.operations import (
    ACTION,
    COLUMN,
    CURSOR_COLUMN,
    CURSOR_ROW,
    DOWN,
    HEIGHT,
    KIND,
    RIGHT,
    ROW,
    STYLE,
    VALUE,
    WIDTH,
    Canvas,
    is_typed,
    number_length,
    number_value,
)

_MIN_FILL = 5
"""Equal cells that are worth an operation of their own."""

_MAX_GAP = 5
"""Unchanged cells that end a run of literals."""

_MIN_SHIFT = 4
_MAX_SHIFT = 32

NEXT_BLOCK, NEXT_CHANGE, NEXT_COLUMN, CHANGES_END, EDITED = range(5)
"""Where a search is: row changes before these have been looked at for blocks, are done, are not of this frame; and the
row change at the cursor once it has been looked at for an edit."""


@inner_kernel
def find_operation(canvas: Canvas, log: FrameLog, search_5: np.ndarray) -> None:
    """Set the canvas's operation to one that brings it nearer to the frame, or to END if it is there.

    An operation makes at least one cell right and no cell wrong, so that they come to an end.
    """
    registers, columns = canvas.registers_15, log.codepoints_UxC.shape[1]
    registers[KIND], registers[STYLE], registers[HEIGHT], registers[DOWN] = operations.END, 0, 1, 0
    while search_5[NEXT_BLOCK] < search_5[CHANGES_END]:
        change = search_5[NEXT_BLOCK]
        _find_block(canvas, log, change, search_5[CHANGES_END])
        search_5[NEXT_BLOCK] += registers[HEIGHT]
        if registers[HEIGHT] > 1:
            return
    while search_5[NEXT_CHANGE] < search_5[CHANGES_END]:
        change = search_5[NEXT_CHANGE]
        column = _first_difference(canvas, log, change, search_5[NEXT_COLUMN])
        search_5[NEXT_COLUMN] = column
        if column < columns:
            registers[ROW] = log.rows_U[change]
            if search_5[EDITED] != change and registers[ROW] == registers[CURSOR_ROW]:
                search_5[EDITED] = change
                if _is_edit_at_cursor(canvas, log, change, column):
                    return
            _find_cells(canvas, log, change, column)
            return
        search_5[NEXT_CHANGE] += 1
        search_5[NEXT_COLUMN] = 0


@inner_kernel
def _set_copy(registers: np.ndarray, column: int, width: int, down: int, right: int) -> None:
    registers[KIND] = operations.COPY
    registers[COLUMN], registers[WIDTH], registers[DOWN], registers[RIGHT] = column, width, down, right


@inner_kernel
def _match(canvas: Canvas, log: FrameLog, change: int, column: int, row: int, source: int) -> int:
    """How many cells from `column` on are like the canvas's in `row` from column `source` on."""
    old_C, old_styles_C = canvas.codepoints_RxC[row], canvas.styles_RxC[row]
    new_C, new_styles_C = log.codepoints_UxC[change], log.styles_UxC[change]
    length, limit = 0, new_C.shape[0] - max(column, source)
    while length < limit:
        new, old = column + length, source + length
        if new_C[new] != old_C[old] or new_styles_C[new] != old_styles_C[old]:
            break
        length += 1
    return length


@inner_kernel
def _match_left(canvas: Canvas, log: FrameLog, change: int, column: int, row: int) -> int:
    """How many cells to the left of `column` are like the canvas's in `row`."""
    old_C, old_styles_C = canvas.codepoints_RxC[row], canvas.styles_RxC[row]
    new_C, new_styles_C = log.codepoints_UxC[change], log.styles_UxC[change]
    start = column
    while start > 0 and new_C[start - 1] == old_C[start - 1] and new_styles_C[start - 1] == old_styles_C[start - 1]:
        start -= 1
    return column - start


@inner_kernel
def _first_difference(canvas: Canvas, log: FrameLog, change: int, column: int) -> int:
    """The first column from `column` on in which the canvas is not yet as it should be; C if there is none."""
    return column + _match(canvas, log, change, column, np.int64(log.rows_U[change]), column)


@inner_kernel
def _last_difference(canvas: Canvas, log: FrameLog, change: int) -> int:
    """The last column in which the canvas is not yet as it should be; -1 if there is none."""
    columns = log.codepoints_UxC.shape[1]
    return columns - _match_left(canvas, log, change, columns, np.int64(log.rows_U[change])) - 1


@inner_kernel
def _same_cells(log: FrameLog, change: int, column: int) -> int:
    """How many cells from `column` on are like the one at `column`."""
    codepoints_C, styles_C = log.codepoints_UxC[change], log.styles_UxC[change]
    end = column + 1
    while (
        end < codepoints_C.shape[0] and codepoints_C[end] == codepoints_C[column] and styles_C[end] == styles_C[column]
    ):
        end += 1
    return end - column


@inner_kernel
def _find_block(canvas: Canvas, log: FrameLog, change: int, end: int) -> None:
    """Copy what has moved up or down as a block of at least two rows, the first of which is that of `change`."""
    registers, row = canvas.registers_15, np.int64(log.rows_U[change])
    if change + 1 == end or log.rows_U[change + 1] != row + 1:
        return
    first, last = _first_difference(canvas, log, change, 0), _last_difference(canvas, log, change)
    if first > last or first + _same_cells(log, change, first) > last:
        return
    old_RxC, new_C = canvas.codepoints_RxC, log.codepoints_UxC[change]
    for source in range(old_RxC.shape[0]):
        if old_RxC[source, first] != new_C[first] or old_RxC[source, last] != new_C[last]:
            continue
        height, left, right = _block(canvas, log, change, end, source - row)
        is_nearer = height == registers[HEIGHT] and abs(source - row) < abs(registers[DOWN])
        if height > 1 and (height > registers[HEIGHT] or is_nearer):
            registers[ROW], registers[HEIGHT] = row, height
            _set_copy(registers, left, right - left, source - row, 0)


@inner_kernel
def _block(canvas: Canvas, log: FrameLog, change: int, end: int, down: int) -> tuple[int, int, int]:
    """How many rows from a change on are what stands `down` rows from them, and between which columns."""
    columns = log.codepoints_UxC.shape[1]
    height, left, right, needed_left, needed_right = 0, 0, columns, columns, 0
    for i in range(end - change):
        row = np.int64(log.rows_U[change]) + i
        if log.rows_U[change + i] != row or not 0 <= row + down < canvas.codepoints_RxC.shape[0]:
            break
        first = _first_difference(canvas, log, change + i, 0)
        start = first if first < columns else left
        row_left = start - _match_left(canvas, log, change + i, start, row + down)
        row_right = start + _match(canvas, log, change + i, start, row + down, start)
        if first < columns:
            if row_right == first:
                break
            needed_left = min(needed_left, first)
            needed_right = max(needed_right, _last_difference(canvas, log, change + i) + 1)
        if row_left > needed_left or min(right, row_right) < needed_right:
            break
        left, right = max(left, row_left), min(right, row_right)
        if first < columns:
            height = i + 1
    return height, left, right


@inner_kernel
def _is_edit_at_cursor(canvas: Canvas, log: FrameLog, change: int, first: int) -> bool:
    """Find the commonest edits: the typed character pushes the rest of the row to the right, or one cell is deleted.

    At the end of a line it is blanks that move, so that the program is the same as within the line.
    """
    registers = canvas.registers_15
    row, column = registers[CURSOR_ROW], registers[CURSOR_COLUMN]
    last = _last_difference(canvas, log, change)
    if first >= column and is_typed(registers[ACTION], log.codepoints_UxC[change, column]):
        width = _match(canvas, log, change, column + 1, row, column)
        if width > 0 and column + width >= last:
            _set_copy(registers, column + 1, width, 0, -1)
            return True
    for start in range(column, max(column - 2, -1), -1):
        width = _match(canvas, log, change, start, row, start + 1)
        if first >= start and width > 1 and start + width > last:
            _set_copy(registers, start, width, 0, 1)
            return True
    return False


@inner_kernel
def _find_cells(canvas: Canvas, log: FrameLog, change: int, column: int) -> None:
    """Make the cell at `column` right, or some cells from there on."""
    registers = canvas.registers_15
    last = _last_difference(canvas, log, change)
    same = _same_cells(log, change, column)
    codepoint, style = log.codepoints_UxC[change, column], log.styles_UxC[change, column]
    is_at_cursor = registers[ROW] == registers[CURSOR_ROW] and column == registers[CURSOR_COLUMN]
    if is_at_cursor and is_typed(registers[ACTION], codepoint):
        registers[KIND], registers[STYLE], registers[COLUMN], registers[WIDTH] = operations.TYPED, style, column, 1
    elif _is_count(canvas, log, change, column):
        return
    elif same >= _MIN_FILL or (same > 1 and column + same > last):
        registers[KIND], registers[STYLE], registers[COLUMN], registers[WIDTH] = operations.FILL, style, column, same
        registers[VALUE] = codepoint
    elif last - column >= _MIN_SHIFT and _is_shift(canvas, log, change, column, last):
        return
    else:
        registers[KIND], registers[STYLE], registers[COLUMN] = operations.LITERAL, style, column
        registers[WIDTH] = _literal_width(canvas, log, change, column, last)


@inner_kernel
def _is_count(canvas: Canvas, log: FrameLog, change: int, column: int) -> bool:
    """If what differs at `column` is part of a number that has grown or shrunk, count."""
    registers = canvas.registers_15
    row = registers[ROW]
    old_C, new_C, styles_C = canvas.codepoints_RxC[row], log.codepoints_UxC[change], log.styles_UxC[change]
    while column > 0 and 0x30 <= old_C[column - 1] <= 0x39 and 0x30 <= new_C[column - 1] <= 0x39:
        column -= 1
    old_length, new_length = number_length(old_C, column), number_length(new_C, column)
    if old_length == 0 or new_length == 0 or (new_C[column] == 0x30 and new_length > 1):
        return False
    for c in range(column, column + max(old_length, new_length)):
        if styles_C[c] != canvas.styles_RxC[row, column] or (c >= column + new_length and new_C[c] != BLANK):
            return False
    difference = number_value(new_C, column, new_length) - number_value(old_C, column, old_length)
    registers[KIND], registers[COLUMN], registers[WIDTH], registers[VALUE] = operations.COUNT, column, 1, difference
    return difference != 0


@inner_kernel
def _is_shift(canvas: Canvas, log: FrameLog, change: int, column: int, last: int) -> bool:
    """If the rest of the row has moved to the right or to the left, copy it."""
    row, columns = canvas.registers_15[ROW], log.codepoints_UxC.shape[1]
    old_C, new_C = canvas.codepoints_RxC[row], log.codepoints_UxC[change]
    for distance in range(1, min(_MAX_SHIFT + 1, columns - column)):
        if new_C[column + distance] == old_C[column] and last - column - distance >= _MIN_SHIFT:
            width = _match(canvas, log, change, column + distance, row, column)
            if column + distance + width > last:
                _set_copy(canvas.registers_15, column + distance, width, 0, -distance)
                return True
        if new_C[column] == old_C[column + distance]:
            width = _match(canvas, log, change, column, row, column + distance)
            if width >= _MIN_SHIFT and column + width + distance > last:
                _set_copy(canvas.registers_15, column, width, 0, distance)
                return True
    return False


@inner_kernel
def _literal_width(canvas: Canvas, log: FrameLog, change: int, column: int, last: int) -> int:
    """How many cells from `column` on, all of one style, are best written one by one."""
    row = canvas.registers_15[ROW]
    old_C, old_styles_C = canvas.codepoints_RxC[row], canvas.styles_RxC[row]
    new_C, new_styles_C = log.codepoints_UxC[change], log.styles_UxC[change]
    width, same, gap = 1, 1, 0
    for c in range(column + 1, last + 1):
        same = same + 1 if new_C[c] == new_C[c - 1] else 1
        gap = gap + 1 if new_C[c] == old_C[c] and new_styles_C[c] == old_styles_C[c] else 0
        if new_styles_C[c] != new_styles_C[column] or gap == _MAX_GAP:
            break
        if same == _MIN_FILL:
            return max(1, c - column - _MIN_FILL + 1)
        if gap == 0:
            width = c - column + 1
    return width
