"""The operations that turn one frame into the next: what they do, and how they are written and read.

Places are written so that the same edit elsewhere on the screen gives the same integers: relative to the cursor where
it is near, absolute otherwise.
"""

from typing import NamedTuple

import numpy as np

from data_gen.cells import BLANK, Style
from data_gen.kernel import inner_kernel
from data_gen.texz.streams import ARGUMENTS, LITERALS, PROGRAMS, Streams, put, take, unzigzag, zigzag

END, COPY, FILL, LITERAL, TYPED, COUNT = range(6)
"""End of the program; move a rectangle here; one cell repeated; cells one by one; what was typed; add to a number."""

KIND, STYLE, ROW, COLUMN, WIDTH, HEIGHT, DOWN, RIGHT, VALUE = range(9)
"""Registers that are the fields of the present operation. DOWN and RIGHT: where a copy comes from. VALUE: a fill's
codepoint, a count's addend."""

PREVIOUS_ROW, CURSOR_ROW, CURSOR_COLUMN, STEP_DOWN, STEP_RIGHT, ACTION = range(9, 15)
"""Registers that operations refer to: the row of the operation before; where the cursor was in the frame before; how it
moves to this frame; what was typed between the two, -1 before the first frame."""

_SHORT = 4
"""Extents up to this are written as they are; longer ones by where they end."""

_BY_ARGUMENT, _BY_COLUMNS, _BY_ROWS, _BY = range(4)
MAX_DIGITS = 9
_MAX_CODEPOINT = 0xFFFFFFFF
FAILED = -1


class Canvas(NamedTuple):
    """The frame that operations are changing, and the registers that say how."""

    codepoints_RxC: np.ndarray  # uint32
    styles_RxC: np.ndarray  # uint8
    registers_15: np.ndarray  # int64


def new_canvas(rows: int, columns: int) -> Canvas:
    """A blank canvas, the cursor in the upper left corner."""
    return Canvas(
        np.full((rows, columns), BLANK, np.uint32),
        np.full((rows, columns), Style.PLAIN, np.uint8),
        np.zeros(15, np.int64),
    )


@inner_kernel
def is_typed(action: int, codepoint: int) -> bool:
    """Whether `action` is the printable ASCII character `codepoint`."""
    return 0x20 <= action < 0x7F and action == codepoint


@inner_kernel
def put_cursor(canvas: Canvas, streams: Streams, row: int, column: int) -> None:
    """Begin a program with where the cursor goes: where it is, one further, one back, or anywhere."""
    registers = canvas.registers_15
    down, right = row - registers[CURSOR_ROW], column - registers[CURSOR_COLUMN]
    registers[STEP_DOWN], registers[STEP_RIGHT], registers[PREVIOUS_ROW] = down, right, 0
    put(streams, PROGRAMS, 4 * min(zigzag(down), 3) + min(zigzag(right), 3))
    if not -1 <= down <= 1:
        put(streams, ARGUMENTS, row)
    if not -1 <= right <= 1:
        put(streams, ARGUMENTS, column)


@inner_kernel
def take_cursor(canvas: Canvas, streams: Streams) -> bool:
    """Read the beginning of a program. Whether it is one, and the cursor stays on the canvas."""
    registers = canvas.registers_15
    code = take(streams, PROGRAMS)
    down = unzigzag(code >> 2) if code >> 2 < 3 else take(streams, ARGUMENTS) - registers[CURSOR_ROW]
    right = unzigzag(code & 3) if code & 3 < 3 else take(streams, ARGUMENTS) - registers[CURSOR_COLUMN]
    registers[STEP_DOWN], registers[STEP_RIGHT], registers[PREVIOUS_ROW] = down, right, 0
    rows, columns = canvas.codepoints_RxC.shape
    is_on_canvas = 0 <= registers[CURSOR_ROW] + down < rows and 0 <= registers[CURSOR_COLUMN] + right < columns
    return code < 16 and is_on_canvas


@inner_kernel
def move_cursor(canvas: Canvas) -> None:
    """End a frame: the cursor is where its program said."""
    canvas.registers_15[CURSOR_ROW] += canvas.registers_15[STEP_DOWN]
    canvas.registers_15[CURSOR_COLUMN] += canvas.registers_15[STEP_RIGHT]


@inner_kernel
def put_operation(canvas: Canvas, streams: Streams) -> None:
    """Write the present operation, literals apart."""
    registers = canvas.registers_15
    kind, row, column = registers[KIND], registers[ROW], registers[COLUMN]
    put(streams, PROGRAMS, kind + 8 * registers[STYLE])
    if kind == END:
        return
    down, right, below = row - registers[CURSOR_ROW], column - registers[CURSOR_COLUMN], row - registers[PREVIOUS_ROW]
    if -1 <= down <= 1:
        put(streams, PROGRAMS, down + 1)
    else:
        put(streams, PROGRAMS, below + 3 if 0 <= below <= 1 else row + 5)
    put(streams, PROGRAMS, right + 1 if down == 0 and -1 <= right <= 1 else column + 3)
    if kind == COUNT:
        _put_count(canvas, streams)
    elif kind != TYPED:
        put(streams, PROGRAMS, _extent_code(column, registers[WIDTH]))
    if kind == COPY:
        put(streams, PROGRAMS, _extent_code(row, registers[HEIGHT]))
        put(streams, PROGRAMS, zigzag(registers[DOWN]))
        put(streams, PROGRAMS, zigzag(registers[RIGHT]))
    elif kind == FILL:
        put(streams, PROGRAMS, registers[VALUE])
    registers[PREVIOUS_ROW] = row


@inner_kernel
def _extent_code(start: int, length: int) -> int:
    return length if length <= _SHORT else _SHORT + start + length


@inner_kernel
def _put_count(canvas: Canvas, streams: Streams) -> None:
    value = canvas.registers_15[VALUE]
    if value == canvas.registers_15[STEP_RIGHT]:
        put(streams, PROGRAMS, _BY_COLUMNS)
    elif value == canvas.registers_15[STEP_DOWN]:
        put(streams, PROGRAMS, _BY_ROWS)
    elif -2 <= value <= 2:
        put(streams, PROGRAMS, _BY + zigzag(value))
    else:
        put(streams, PROGRAMS, _BY_ARGUMENT)
        put(streams, ARGUMENTS, zigzag(value))


@inner_kernel
def take_operation(canvas: Canvas, streams: Streams) -> None:
    """Read the present operation, literals apart. Its fields may be anything."""
    registers = canvas.registers_15
    head = take(streams, PROGRAMS)
    kind = head & 7
    registers[KIND], registers[STYLE] = kind, head >> 3
    if kind == END:
        return
    code = take(streams, PROGRAMS)
    row = code - 5
    if code < 3:
        row = registers[CURSOR_ROW] + code - 1
    elif code < 5:
        row = registers[PREVIOUS_ROW] + code - 3
    code = take(streams, PROGRAMS)
    column = registers[CURSOR_COLUMN] + code - 1 if code < 3 else code - 3
    registers[ROW], registers[COLUMN], registers[PREVIOUS_ROW] = row, column, row
    registers[WIDTH] = registers[HEIGHT] = 1
    if kind == COUNT:
        _take_count(canvas, streams)
    elif kind != TYPED:
        registers[WIDTH] = _extent(column, take(streams, PROGRAMS))
    if kind == COPY:
        registers[HEIGHT] = _extent(row, take(streams, PROGRAMS))
        registers[DOWN] = unzigzag(take(streams, PROGRAMS))
        registers[RIGHT] = unzigzag(take(streams, PROGRAMS))
    elif kind == FILL:
        registers[VALUE] = take(streams, PROGRAMS)


@inner_kernel
def _extent(start: int, code: int) -> int:
    return code if code <= _SHORT else code - _SHORT - start


@inner_kernel
def _take_count(canvas: Canvas, streams: Streams) -> None:
    code = take(streams, PROGRAMS)
    if code == _BY_ARGUMENT:
        value = unzigzag(take(streams, ARGUMENTS))
    elif code < _BY:
        value = canvas.registers_15[STEP_RIGHT if code == _BY_COLUMNS else STEP_DOWN]
    else:
        value = unzigzag(code - _BY)
    canvas.registers_15[VALUE] = value


@inner_kernel
def apply(canvas: Canvas, streams: Streams) -> int:
    """Do the present operation. How many cells it wrote, or `FAILED` if it cannot be done; 0 at the end."""
    registers = canvas.registers_15
    kind, row, column, width = registers[KIND], registers[ROW], registers[COLUMN], registers[WIDTH]
    if kind == END:
        return 0
    rows, columns = canvas.codepoints_RxC.shape
    if not (0 <= row < rows and 0 <= column < columns and 0 < width <= columns - column and registers[STYLE] < 0x80):
        return FAILED
    if kind == COPY:
        return _copy(canvas)
    if kind == COUNT:
        return _count(canvas.codepoints_RxC[row], canvas.styles_RxC[row], column, registers[VALUE])
    if kind > COUNT:
        return FAILED
    codepoint = registers[VALUE] if kind == FILL else registers[ACTION]
    for c in range(column, column + width):
        if kind == LITERAL:
            codepoint = take(streams, LITERALS)
        if not 0 <= codepoint <= _MAX_CODEPOINT:
            return FAILED
        canvas.codepoints_RxC[row, c] = codepoint
        canvas.styles_RxC[row, c] = registers[STYLE]
    return width


@inner_kernel
def _copy(canvas: Canvas) -> int:
    """Move a rectangle here from elsewhere on the canvas, as if all its cells were read before any is written."""
    registers = canvas.registers_15
    row, column, height, width = registers[ROW], registers[COLUMN], registers[HEIGHT], registers[WIDTH]
    down, right = registers[DOWN], registers[RIGHT]
    rows, columns = canvas.codepoints_RxC.shape
    if not (0 < height <= rows - row and 0 <= row + down <= rows - height and 0 <= column + right <= columns - width):
        return FAILED
    for i in range(height):
        r = row + i if down >= 0 else row + height - 1 - i
        for j in range(width):
            c = column + j if right >= 0 else column + width - 1 - j
            canvas.codepoints_RxC[r, c] = canvas.codepoints_RxC[r + down, c + right]
            canvas.styles_RxC[r, c] = canvas.styles_RxC[r + down, c + right]
    return height * width


@inner_kernel
def number_length(codepoints_C: np.ndarray, column: int) -> int:
    """How many decimal digits stand at `column` and after it, at most `MAX_DIGITS`."""
    length = 0
    while column + length < codepoints_C.shape[0] and length < MAX_DIGITS:
        if not 0x30 <= codepoints_C[column + length] <= 0x39:
            break
        length += 1
    return length


@inner_kernel
def number_value(codepoints_C: np.ndarray, column: int, length: int) -> int:
    """The value of the `length` digits at `column`."""
    value = 0
    for c in range(column, column + length):
        value = 10 * value + int(codepoints_C[c]) - 0x30
    return value


@inner_kernel
def _count(codepoints_C: np.ndarray, styles_C: np.ndarray, column: int, addend: int) -> int:
    """Add to the decimal number that begins here; what it leaves behind when it gets shorter is blank."""
    old_length = number_length(codepoints_C, column)
    value = number_value(codepoints_C, column, old_length) + addend
    new_length, bound = 1, 10
    while value >= bound:
        bound *= 10
        new_length += 1
    length = max(old_length, new_length)
    if old_length == 0 or value < 0 or new_length > MAX_DIGITS or column + length > codepoints_C.shape[0]:
        return FAILED
    for c in range(column + length - 1, column - 1, -1):
        styles_C[c] = styles_C[column]
        codepoints_C[c] = 0x30 + value % 10 if c < column + new_length else BLANK
        if c < column + new_length:
            value //= 10
    return length
