"""The editor's text: lines of codepoints in one pool, and the kernels that change them.

The table of lines has a gap where lines were last added or removed, so that working in one place of a long file does
not move the lines behind it. A line that outgrows its place moves to the end of the pool, with room to grow.
"""

from typing import NamedTuple

import numpy as np

from data_gen.kernel import inner_kernel, kernel

NEWLINE = 0x0A
COUNT, GAP, END = range(3)
_SPARE_LINES = 1024
_SPARE_CODEPOINTS = 65536


class Buffer(NamedTuple):
    """Lines of text; L and P are capacities."""

    pool_P: np.ndarray  # uint32 codepoints
    lines_Lx3: np.ndarray  # int64: where a line starts in the pool, its length and its capacity
    extent_3: np.ndarray  # int64: number of lines, index of the line behind the gap, end of the used pool


@inner_kernel
def line_count(buffer: Buffer) -> int:
    """How many lines there are, at least one."""
    return buffer.extent_3[COUNT]


@inner_kernel
def slot(buffer: Buffer, line: int) -> int:
    """The row of the table that describes `line`."""
    return line if line < buffer.extent_3[GAP] else line + buffer.lines_Lx3.shape[0] - buffer.extent_3[COUNT]


@inner_kernel
def line_start(buffer: Buffer, line: int) -> int:
    """Where `line` starts in the pool."""
    return buffer.lines_Lx3[slot(buffer, line), 0]


@inner_kernel
def line_length(buffer: Buffer, line: int) -> int:
    """The codepoints in `line`."""
    return buffer.lines_Lx3[slot(buffer, line), 1]


@inner_kernel
def has_room(buffer: Buffer, codepoints: int, lines: int) -> bool:
    """Whether lines of `codepoints` in all can be written anew, and `lines` added."""
    extent = buffer.extent_3
    room = codepoints + codepoints // 2 + 64 * (lines + 2)
    return extent[END] + room <= buffer.pool_P.shape[0] and extent[COUNT] + lines <= buffer.lines_Lx3.shape[0]


@inner_kernel
def copy(source: np.ndarray, start: int, target: np.ndarray, place: int, count: int) -> None:
    """Copy `count` codepoints; from left to right, where the two overlap."""
    for offset in range(count):
        target[place + offset] = source[start + offset]


@inner_kernel
def _move_gap(buffer: Buffer, line: int) -> None:
    table, gap = buffer.lines_Lx3, buffer.extent_3[GAP]
    width = table.shape[0] - buffer.extent_3[COUNT]
    if width > 0:
        for index in range(gap, line):
            for field in range(3):
                table[index, field] = table[index + width, field]
        for index in range(gap - 1, line - 1, -1):
            for field in range(3):
                table[index + width, field] = table[index, field]
    buffer.extent_3[GAP] = line


@inner_kernel
def insert_lines(buffer: Buffer, line: int, count: int) -> None:
    """Put `count` empty lines before `line`; there must be room."""
    _move_gap(buffer, line)
    for index in range(line, line + count):
        for field in range(3):
            buffer.lines_Lx3[index, field] = 0
    buffer.extent_3[GAP] += count
    buffer.extent_3[COUNT] += count


@inner_kernel
def delete_lines(buffer: Buffer, line: int, count: int) -> None:
    """Take `count` lines out from `line` on; the last line that is left becomes an empty one instead."""
    _move_gap(buffer, line)
    buffer.extent_3[COUNT] -= count
    if buffer.extent_3[COUNT] == 0:
        insert_lines(buffer, 0, 1)


@inner_kernel
def splice(buffer: Buffer, line: int, column: int, removed: int, added: int) -> int:
    """Replace `removed` codepoints of `line` by `added` new ones, for the caller to write at the returned place."""
    pool, row = buffer.pool_P, slot(buffer, line)
    start, length, capacity = buffer.lines_Lx3[row, 0], buffer.lines_Lx3[row, 1], buffer.lines_Lx3[row, 2]
    new_length = length + added - removed
    if new_length > capacity:
        end = buffer.extent_3[END]
        copy(pool, start, pool, end, column)
        copy(pool, start + column + removed, pool, end + column + added, length - column - removed)
        capacity = new_length + new_length // 2 + 32
        buffer.extent_3[END] = end + capacity
        start = end
    elif added < removed:
        copy(pool, start + column + removed, pool, start + column + added, length - column - removed)
    elif added > removed:
        for index in range(start + length - 1, start + column + removed - 1, -1):
            pool[index + added - removed] = pool[index]
    buffer.lines_Lx3[row, 0], buffer.lines_Lx3[row, 1], buffer.lines_Lx3[row, 2] = start, new_length, capacity
    return start + column


@kernel
def _index_lines(buffer: Buffer, size: int) -> None:
    """Fill the table of lines for the text that the first `size` codepoints of the pool are."""
    start, line = 0, 0
    for index in range(size + 1):
        if index == size or buffer.pool_P[index] == NEWLINE:
            buffer.lines_Lx3[line, 0], buffer.lines_Lx3[line, 1] = start, index - start
            buffer.lines_Lx3[line, 2] = index - start
            start, line = index + 1, line + 1
    buffer.extent_3[COUNT] = buffer.extent_3[GAP] = line
    buffer.extent_3[END] = size


@kernel
def _join_lines(buffer: Buffer, text: np.ndarray) -> None:
    position = 0
    for line in range(line_count(buffer)):
        start, length = line_start(buffer, line), line_length(buffer, line)
        for index in range(start, start + length):
            text[position] = buffer.pool_P[index]
            position += 1
        text[position] = NEWLINE
        position += 1


def text_of(buffer: Buffer) -> np.ndarray:
    """All lines, each ended by a newline: uint32 codepoints."""
    lines_Lx3, (count, gap, _) = buffer.lines_Lx3, buffer.extent_3
    behind_gap = gap + len(lines_Lx3) - count
    size = lines_Lx3[:gap, 1].sum() + lines_Lx3[behind_gap:, 1].sum() + count
    text = np.empty(size, np.uint32)
    _join_lines(buffer, text)
    return text


def load(buffer: Buffer | None, text: np.ndarray, codepoints: int = 0, lines: int = 0) -> Buffer:
    """A buffer of the lines of `text` (uint32, without the last newline), with room for more; reuses one that fits."""
    lines += int((text == NEWLINE).sum()) + 1 + _SPARE_LINES
    codepoints = 2 * len(text) + 2 * codepoints + 64 * lines + _SPARE_CODEPOINTS
    if buffer is None or len(buffer.pool_P) < codepoints or len(buffer.lines_Lx3) < lines:
        buffer = Buffer(np.empty(codepoints, np.uint32), np.empty((2 * lines, 3), np.int64), np.zeros(3, np.int64))
    buffer.pool_P[: len(text)] = text
    _index_lines(buffer, len(text))
    return buffer
