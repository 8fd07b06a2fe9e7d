"""The bit-packed codec: runs and palette indices of cells, packed bit by bit; the layout is the paper's.

A record's body is the palette of its cells, where the cursor is in each frame, and then the cells of all frames without
any border between them. docs/texz.md has the format bit for bit.
"""

import numpy as np

from data_gen.cells import CURSOR
from data_gen.kernel import inner_kernel, kernel
from data_gen.terminal.screen import FrameLog
from data_gen.texz.bits import Bits, bits_of, has_failed, put_bits, take_bits, width_of
from data_gen.texz.palette import cell_of, index_of, palette_of, put_palette, take_palette
from data_gen.texz.record import Record
from data_gen.texz.window import (
    LITERAL,
    REPEAT,
    RUN_BITS,
    SHORT_RUN,
    Window,
    count_unchanged,
    find_run,
    new_window,
    slide,
)

_BYTES_PER_CELL = 24
"""More than a changed cell ever needs, its entry in the palette included."""

_BYTES_PER_FRAME = 64
_MAX_RUN = 1 << 16
_MIN_EQUIVALENCE = 2
"""Unchanged cells that are worth a run."""

_STAYS, _RIGHT, _COLUMN, _ANYWHERE = range(4)
"""How the cursor moves."""

_FAILED = -1


def encode_body(log: FrameLog, rows: int) -> bytes:
    """The frames of `log` as the body of a record."""
    frames, changes = map(int, log.size_2)
    columns = log.codepoints_UxC.shape[1]
    room = _BYTES_PER_CELL * changes * columns + _BYTES_PER_FRAME * frames
    bits, palette_P = bits_of(np.zeros(room, np.uint8)), palette_of(log)
    put_palette(bits, palette_P)
    _put_cursors(bits, log.cursors_Sx2[:frames], rows, columns)
    _write_frames(bits, new_window(rows, columns), palette_P, log)
    return bits.data[: (int(bits.position_1[0]) + 7) // 8].tobytes()


@kernel
def _put_cursors(bits: Bits, cursors_Sx2: np.ndarray, rows: int, columns: int) -> None:
    last_row, last_column = np.int64(0), np.int64(0)
    for frame in range(cursors_Sx2.shape[0]):
        row, column = np.int64(cursors_Sx2[frame, 0]), np.int64(cursors_Sx2[frame, 1])
        if row != last_row:
            put_bits(bits, _ANYWHERE, 2)
            put_bits(bits, row, width_of(rows - 1))
            put_bits(bits, column, width_of(columns - 1))
        elif 0 <= column - last_column <= 1:
            put_bits(bits, _RIGHT if column > last_column else _STAYS, 2)
        else:
            put_bits(bits, _COLUMN, 2)
            put_bits(bits, column, width_of(columns - 1))
        last_row, last_column = row, column


@kernel
def _take_cursors(bits: Bits, frames: int, rows: int, columns: int) -> np.ndarray:
    """Each frame's cursor: int64 [frames, 2], fewer where one is not on the screen or the bits are used up."""
    cursors_Sx2 = np.empty((frames, 2), np.int64)
    row, column = 0, 0
    for frame in range(frames):
        move = take_bits(bits, 2)
        if move == _ANYWHERE:
            row = take_bits(bits, width_of(rows - 1))
        if move == _RIGHT:
            column += 1
        elif move != _STAYS:
            column = take_bits(bits, width_of(columns - 1))
        if row >= rows or column >= columns or has_failed(bits):
            return cursors_Sx2[:frame]
        cursors_Sx2[frame, 0], cursors_Sx2[frame, 1] = row, column
    return cursors_Sx2


@kernel
def _write_frames(bits: Bits, window: Window, palette_P: np.ndarray, log: FrameLog) -> None:
    unchanged = change = 0
    for frame in range(log.size_2[0]):
        while change < log.ends_S[frame]:
            _load_row(window, log, change)
            change += 1
        unchanged = _write_frame(bits, window, palette_P, unchanged)
        slide(window)
    _put_runs(bits, False, unchanged)


@inner_kernel
def _load_row(window: Window, log: FrameLog, change: int) -> None:
    columns = log.codepoints_UxC.shape[1]
    row = np.int64(log.rows_U[change])
    start = (window.cells_2N.shape[0] >> 1) + row * columns
    for column in range(columns):
        window.cells_2N[start + column] = cell_of(log.codepoints_UxC[change, column], log.styles_UxC[change, column])
    window.is_changed_R[row] = True


@inner_kernel
def _write_frame(bits: Bits, window: Window, palette_P: np.ndarray, unchanged: int) -> int:
    """Write a frame's cells after a run of `unchanged` ones. The length of the run at its end, which may go on."""
    size = window.cells_2N.shape[0] >> 1
    index_width, distance_width = width_of(palette_P.shape[0]), width_of(2 * size - 1)
    reference_bits = index_width + distance_width + RUN_BITS - 1
    i = 0
    while True:
        same = count_unchanged(window, i)
        if unchanged or same >= _MIN_EQUIVALENCE or i + same == size:
            unchanged += same
            i += same
        if i == size:
            return unchanged
        _put_runs(bits, False, unchanged)
        unchanged = 0
        distance, length = find_run(window, i, 1 + index_width, reference_bits)
        if distance == LITERAL:
            put_bits(bits, index_of(palette_P, window.cells_2N[size + i]) << 1, 1 + index_width)
        elif distance == REPEAT:
            _put_runs(bits, True, length)
        else:
            length = min(length, _MAX_RUN)
            put_bits(bits, palette_P.shape[0] << 1, 1 + index_width)
            put_bits(bits, distance, distance_width)
            _put_length(bits, length)
        i += length


@inner_kernel
def _put_runs(bits: Bits, is_repeat: bool, length: int) -> None:
    """Write an equivalence or a repeat run: as several, if it is too long for one."""
    while length > 0:
        put_bits(bits, 3 if is_repeat else 1, 2)
        _put_length(bits, min(length, _MAX_RUN))
        length -= _MAX_RUN


@inner_kernel
def _put_length(bits: Bits, length: int) -> None:
    put_bits(bits, length > SHORT_RUN, 1)
    put_bits(bits, length - 1, 16 if length > SHORT_RUN else 8)


@inner_kernel
def _take_length(bits: Bits) -> int:
    return 1 + take_bits(bits, 16 if take_bits(bits, 1) else 8)


def decode_body(record: Record, frames_F: np.ndarray, out: tuple[np.ndarray, np.ndarray], max_codepoint: int) -> int:
    """Decode frames of a record, ascending, into `out`. How many could be: all, unless the body is wrong."""
    bits = bits_of(np.frombuffer(record.body, np.uint8).copy())
    palette_P = take_palette(bits)
    cursors_Sx2 = _take_cursors(bits, record.frames, record.rows, record.columns)
    window = new_window(record.rows, record.columns)
    return _read_frames(bits, window, palette_P, cursors_Sx2, frames_F, *out, max_codepoint)


@kernel
def _read_frames(
    bits: Bits,
    window: Window,
    palette_P: np.ndarray,
    cursors_Sx2: np.ndarray,
    frames_F: np.ndarray,
    codepoints_FxRxC: np.ndarray,
    styles_FxRxC: np.ndarray,
    max_codepoint: int,
) -> int:
    frame, unchanged = -1, 0
    for i in range(frames_F.shape[0]):
        if frames_F[i] >= cursors_Sx2.shape[0]:
            return i
        while frame < frames_F[i]:
            frame += 1
            unchanged = _read_frame(bits, window, palette_P, unchanged)
            if unchanged == _FAILED or has_failed(bits):
                return i
            slide(window)
        _paint(window, codepoints_FxRxC[i], styles_FxRxC[i], max_codepoint)
        styles_FxRxC[i, cursors_Sx2[frame, 0], cursors_Sx2[frame, 1]] |= CURSOR
    return frames_F.shape[0]


@inner_kernel
def _read_frame(bits: Bits, window: Window, palette_P: np.ndarray, unchanged: int) -> int:
    """Make the next frame, of which a run covers the first `unchanged` cells and maybe more than there are.

    What remains of such a run at the end, or `_FAILED`.
    """
    size = window.cells_2N.shape[0] >> 1
    index_width, distance_width = width_of(palette_P.shape[0]), width_of(2 * size - 1)
    i = unchanged
    while i < size:
        distance = REPEAT
        if take_bits(bits, 1):
            if not take_bits(bits, 1):
                i += _take_length(bits)
                continue
        else:
            index = take_bits(bits, index_width)
            if index < palette_P.shape[0]:
                _make_literal(window, i, palette_P[index])
                i += 1
                continue
            distance = take_bits(bits, distance_width) if index == palette_P.shape[0] else 0
        length = _take_length(bits)
        if length > size - i or not 0 < distance <= size + i:
            return _FAILED
        _make_copies(window, i, length, distance)
        i += length
    return i - size


@inner_kernel
def _make_literal(window: Window, i: int, cell: int) -> None:
    size = window.cells_2N.shape[0] >> 1
    window.cells_2N[size + i] = cell
    window.is_changed_R[i // (size // window.is_changed_R.shape[0])] = True


@inner_kernel
def _make_copies(window: Window, start: int, length: int, distance: int) -> None:
    """Make `length` cells like those `distance` before, one after the other: a copy may be copied in turn."""
    size = window.cells_2N.shape[0] >> 1
    columns = size // window.is_changed_R.shape[0]
    for i in range(size + start, size + start + length):
        window.cells_2N[i] = window.cells_2N[i - distance]
    for row in range(start // columns, (start + length - 1) // columns + 1):
        window.is_changed_R[row] = True


@inner_kernel
def _paint(window: Window, codepoints_RxC: np.ndarray, styles_RxC: np.ndarray, max_codepoint: int) -> None:
    """Write the frame that was made last."""
    rows, columns = codepoints_RxC.shape
    for row in range(rows):
        for column in range(columns):
            cell = window.cells_2N[row * columns + column]
            codepoints_RxC[row, column] = min(cell & 0xFFFFFFFF, max_codepoint)
            styles_RxC[row, column] = cell >> 32
