"""The window that runs of a bit-packed record refer to, and the encoder's search for them in it.

All runs are copies of cells that stand some distance before in the stream of all frames' cells: a repeat run 1 cell
before, an equivalence run one frame, a reference anywhere in the frame that is being made and the one before it.
"""

from typing import NamedTuple

import numpy as np

from data_gen.cells import BLANK
from data_gen.kernel import inner_kernel

REPEAT = 1
"""The distance of a repeat run."""

LITERAL = 0
"""The "distance" of a cell that is written by itself."""

RUN_BITS = 3 + 8
LONG_RUN_BITS = 3 + 16
SHORT_RUN = 1 << 8
"""The longest run whose length takes 8 bits."""

_MAX_SHIFT = 32
"""How many columns the search looks to the left and to the right."""


class Window(NamedTuple):
    """The frame before, then the one that is being made; until a cell is made it is as in the frame before."""

    cells_2N: np.ndarray  # int64: as in palette.py
    is_changed_R: np.ndarray  # bool: rows in which the two may differ


def new_window(rows: int, columns: int) -> Window:
    """Two blank frames."""
    return Window(np.full(2 * rows * columns, BLANK, np.int64), np.zeros(rows, np.bool_))


@inner_kernel
def slide(window: Window) -> None:
    """The frame is made, and becomes the one before."""
    rows, size = window.is_changed_R.shape[0], window.cells_2N.shape[0] >> 1
    columns = size // rows
    for row in range(rows):
        if window.is_changed_R[row]:
            for i in range(row * columns, (row + 1) * columns):
                window.cells_2N[i] = window.cells_2N[size + i]
            window.is_changed_R[row] = False


@inner_kernel
def count_unchanged(window: Window, start: int) -> int:
    """How many cells from `start` on are as in the frame before."""
    size = window.cells_2N.shape[0] >> 1
    columns = size // window.is_changed_R.shape[0]
    i = start
    while i < size:
        row = i // columns
        row_end = (row + 1) * columns
        if window.is_changed_R[row]:
            while i < row_end and window.cells_2N[size + i] == window.cells_2N[i]:
                i += 1
            if i < row_end:
                break
        i = row_end
    return i - start


@inner_kernel
def find_run(window: Window, start: int, literal_bits: int, reference_bits: int) -> tuple[int, int]:
    """The distance and the length of the run from `start` on that saves most bits, or (LITERAL, 1)."""
    cells_2N, size = window.cells_2N, window.cells_2N.shape[0] >> 1
    columns = size // window.is_changed_R.shape[0]
    best_distance, best_length, best_saving = LITERAL, 1, 0
    for number in range(2 * (1 + _MAX_SHIFT + window.is_changed_R.shape[0])):
        distance = _candidate(number, size, columns)
        if not 0 < distance <= size + start or cells_2N[size + start] != cells_2N[size + start - distance]:
            continue
        length, changed = _match(window, start, distance)
        saving = changed * literal_bits - (RUN_BITS if distance == REPEAT else reference_bits)
        if length > SHORT_RUN:
            saving -= LONG_RUN_BITS - RUN_BITS
        if saving > best_saving:
            best_distance, best_length, best_saving = distance, length, saving
    return best_distance, best_length


@inner_kernel
def _candidate(number: int, size: int, columns: int) -> int:
    """The distances that are tried: of a repetition, the row above, the frame before moved sideways, up and down."""
    if number < 2:
        return columns if number else REPEAT
    steps = number >> 1
    offset = steps if steps <= _MAX_SHIFT else (steps - _MAX_SHIFT) * columns
    return size + offset if number & 1 else size - offset


@inner_kernel
def _match(window: Window, start: int, distance: int) -> tuple[int, int]:
    """The length of the run from `start` on with that distance, and how many cells of it are not as they were before.

    It ends with such a cell: what follows is part of an equivalence run anyway.
    """
    cells_2N, size = window.cells_2N, window.cells_2N.shape[0] >> 1
    length = changed = 0
    for i in range(start, size):
        cell = cells_2N[size + i]
        if cell != cells_2N[size + i - distance]:
            break
        if cell != cells_2N[i]:
            length = i + 1 - start
            changed += 1
    return length, changed
