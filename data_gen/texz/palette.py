"""The palette of a bit-packed record: the distinct cells of its frames, in ascending order.

A cell is one integer here: its codepoint in the lower 32 bits, its style above them.
"""

import numpy as np

from data_gen.kernel import inner_kernel, kernel
from data_gen.terminal.screen import FrameLog
from data_gen.texz.bits import Bits, bits_left, put_gamma, take_gamma

_FREE = -1
_SLOTS = 1 << 10
_MAX_STYLE = 127
_MAX_CODEPOINT = 0xFFFFFFFF


@inner_kernel
def cell_of(codepoint: int, style: int) -> np.int64:
    """Codepoint and style as one integer."""
    return np.int64(style) << 32 | np.int64(codepoint)


def palette_of(log: FrameLog) -> np.ndarray:
    """The distinct cells in the changed rows of `log`: int64 [P]."""
    table_H = _distinct_cells(log)
    return np.sort(table_H[table_H != _FREE])


@kernel
def _distinct_cells(log: FrameLog) -> np.ndarray:
    """A hash table of the cells, at most half full."""
    table_H, count = np.full(_SLOTS, _FREE, np.int64), 0
    for change in range(log.size_2[1]):
        before = np.int64(_FREE)
        for column in range(log.codepoints_UxC.shape[1]):
            cell = cell_of(log.codepoints_UxC[change, column], log.styles_UxC[change, column])
            if cell != before:
                before = cell
                count += _add(table_H, cell)
                if 2 * count > table_H.shape[0]:
                    table_H = _grown(table_H)
    return table_H


@inner_kernel
def _add(table_H: np.ndarray, cell: int) -> bool:
    """Put `cell` into the table. Whether it was not there."""
    mask = table_H.shape[0] - 1
    slot = (cell * 0x9E3779B1 >> 32) & mask
    while table_H[slot] != _FREE and table_H[slot] != cell:
        slot = (slot + 1) & mask
    is_new = table_H[slot] == _FREE
    table_H[slot] = cell
    return is_new


@inner_kernel
def _grown(table_H: np.ndarray) -> np.ndarray:
    grown_H = np.full(2 * table_H.shape[0], _FREE, np.int64)
    for slot in range(table_H.shape[0]):
        if table_H[slot] != _FREE:
            _add(grown_H, table_H[slot])
    return grown_H


@inner_kernel
def index_of(palette_P: np.ndarray, cell: int) -> int:
    """Where `cell`, which must be in it, is in the palette."""
    low, high = 0, palette_P.shape[0] - 1
    while low < high:
        middle = (low + high) >> 1
        if palette_P[middle] < cell:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def put_palette(bits: Bits, palette_P: np.ndarray) -> None:
    """Write how many cells there are, then of each how far its style and its codepoint are from those before."""
    put_gamma(bits, palette_P.shape[0] + 1)
    style, codepoint = 0, -1
    for i in range(palette_P.shape[0]):
        step = (palette_P[i] >> 32) - style
        if step:
            codepoint = -1
        put_gamma(bits, step + 1)
        put_gamma(bits, (palette_P[i] & _MAX_CODEPOINT) - codepoint)
        style, codepoint = palette_P[i] >> 32, palette_P[i] & _MAX_CODEPOINT


@kernel
def take_palette(bits: Bits) -> np.ndarray:
    """Read a palette: int64 [P]. Where it is wrong, it is empty, and no bits are left."""
    count = take_gamma(bits) - 1
    if not 0 <= 2 * count <= bits_left(bits):
        return _no_palette(bits)
    palette_P = np.empty(count, np.int64)
    style, codepoint = 0, -1
    for i in range(count):
        step = take_gamma(bits) - 1
        if step:
            codepoint = -1
        style += step
        codepoint += take_gamma(bits)
        if bits_left(bits) < 0 or style > _MAX_STYLE or codepoint > _MAX_CODEPOINT:
            return _no_palette(bits)
        palette_P[i] = cell_of(codepoint, style)
    return palette_P


@inner_kernel
def _no_palette(bits: Bits) -> np.ndarray:
    bits.position_1[0] = 8 * bits.data.shape[0] + 1
    return np.empty(0, np.int64)
