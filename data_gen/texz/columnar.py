"""The columnar codec: programs that turn each frame into the next, as byte-aligned streams, then LZMA.

A record's body is the sizes of four streams and, compressed together, the streams: `selectors`, one integer a frame,
which program makes it; `programs`, each new program once; `literals`, codepoints; `arguments`, other numbers.
docs/texz.md has the format byte for byte.
"""

import struct

import numpy as np

from data_gen.cells import CURSOR
from data_gen.kernel import inner_kernel, kernel
from data_gen.terminal.screen import FrameLog
from data_gen.texz.operations import (
    ACTION,
    COLUMN,
    CURSOR_COLUMN,
    CURSOR_ROW,
    KIND,
    LITERAL,
    WIDTH,
    Canvas,
    apply,
    move_cursor,
    new_canvas,
    put_cursor,
    put_operation,
    take_cursor,
    take_operation,
)
from data_gen.texz.record import Record, TexzError, compress, decompress, unpack_actions
from data_gen.texz.search import CHANGES_END, EDITED, NEXT_BLOCK, NEXT_CHANGE, find_operation
from data_gen.texz.streams import (
    LITERALS,
    PROGRAMS,
    SELECTORS,
    Streams,
    empty_streams,
    has_failed,
    put,
    streams_of,
    take,
    written,
)
from data_gen.texz.templates import NONE, Templates, add_template, find_program, guess, learn, new_templates

_SIZES = struct.Struct("<IIII")
_BYTES_PER_CELL = 24
"""More than a stream ever needs for a changed cell."""

_BYTES_PER_FRAME = 64
_WORK = 16
"""How many times the cells of a frame its program may write."""

_MAX_BYTES = 1 << 28
"""Of the four streams together."""

_GUESSED, _NEW, _KNOWN = range(3)
"""A selector is one of these, or `_KNOWN` + a template, times two, plus one if the program brings literals."""


def encode_body(log: FrameLog, rows: int) -> bytes:
    """The frames of `log` as the body of a record. `ValueError` if they are too much for one."""
    frames, changes = map(int, log.size_2)
    columns = log.codepoints_UxC.shape[1]
    streams = empty_streams(_BYTES_PER_CELL * changes * columns + _BYTES_PER_FRAME * frames)
    numbers_H = np.full(1 << (2 * frames).bit_length(), NONE, np.int64)
    _write_frames(new_canvas(rows, columns), streams, new_templates(frames), numbers_H, log, np.zeros(5, np.int64))
    contents = written(streams)
    content = b"".join(contents)
    if len(content) > _MAX_BYTES:
        raise ValueError(f"{frames} frames that need {len(content)} bytes before compression are too much for a record")
    return _SIZES.pack(*map(len, contents)) + compress(content)


@kernel
def _write_frames(
    canvas: Canvas,
    streams: Streams,
    templates: Templates,
    numbers_H: np.ndarray,
    log: FrameLog,
    search_5: np.ndarray,
) -> None:
    for frame in range(log.size_2[0]):
        canvas.registers_15[ACTION] = np.int64(log.actions_S[frame - 1]) if frame else -1
        guessed = guess(templates, canvas.registers_15[ACTION])
        begin, literals_begin = streams.positions_4[PROGRAMS], streams.positions_4[LITERALS]
        row, column = np.int64(log.cursors_Sx2[frame, 0]), np.int64(log.cursors_Sx2[frame, 1])
        put_cursor(canvas, streams, row, column)
        search_5[NEXT_BLOCK] = search_5[NEXT_CHANGE] = search_5[CHANGES_END]
        search_5[CHANGES_END], search_5[EDITED] = log.ends_S[frame], -1
        _write_program(canvas, streams, log, search_5)
        move_cursor(canvas)
        _select(streams, templates, numbers_H, guessed, begin, literals_begin)


@inner_kernel
def _write_program(canvas: Canvas, streams: Streams, log: FrameLog, search_5: np.ndarray) -> None:
    """Write the operations that make the next frame, and do them."""
    registers = canvas.registers_15
    cells = 1
    while cells > 0:
        find_operation(canvas, log, search_5)
        put_operation(canvas, streams)
        if registers[KIND] == LITERAL:
            literals_begin = streams.positions_4[LITERALS]
            for column in range(registers[COLUMN], registers[COLUMN] + registers[WIDTH]):
                put(streams, LITERALS, np.int64(log.codepoints_UxC[search_5[NEXT_CHANGE], column]))
            streams.positions_4[LITERALS] = literals_begin
        cells = apply(canvas, streams)


@inner_kernel
def _select(
    streams: Streams, templates: Templates, numbers_H: np.ndarray, guessed: int, begin: int, literals_begin: int
) -> None:
    """Write which program was just written, and take back what of it is known."""
    data = streams.data
    count = templates.count_1[0]
    template = find_program(templates, numbers_H, data, begin, streams.positions_4[PROGRAMS])
    is_new = template == count
    brings_literals = is_new
    for i in range(streams.positions_4[LITERALS] - literals_begin):
        brings_literals |= data[templates.literals_S[template] + i] != data[literals_begin + i]
    if brings_literals:
        templates.literals_S[template] = literals_begin
    else:
        streams.positions_4[LITERALS] = literals_begin
    choice = _KNOWN + template
    if is_new:
        choice = _NEW
    else:
        streams.positions_4[PROGRAMS] = begin
        if template == guessed:
            choice = _GUESSED
    put(streams, SELECTORS, 2 * choice + brings_literals)
    learn(templates, template)


def decode_body(record: Record, frames_F: np.ndarray, out: tuple[np.ndarray, np.ndarray], max_codepoint: int) -> int:
    """Decode frames of a record, ascending, into `out`. How many could be: all, unless the body is wrong.

    `TexzError` if the body cannot be taken apart.
    """
    return _read_frames(
        new_canvas(record.rows, record.columns),
        _read_streams(record.body),
        new_templates(record.frames),
        unpack_actions(record),
        frames_F,
        *out,
        max_codepoint,
    )


def _read_streams(body: bytes) -> Streams:
    if len(body) < _SIZES.size:
        raise TexzError("the sizes of the streams are missing")
    sizes = _SIZES.unpack_from(body)
    if sum(sizes) > _MAX_BYTES:
        raise TexzError(f"streams of {sum(sizes)} bytes are too large")
    return streams_of(decompress(body[_SIZES.size :], sum(sizes)), sizes)


@kernel
def _read_frames(
    canvas: Canvas,
    streams: Streams,
    templates: Templates,
    actions_S: np.ndarray,
    frames_F: np.ndarray,
    codepoints_FxRxC: np.ndarray,
    styles_FxRxC: np.ndarray,
    max_codepoint: int,
) -> int:
    """Decode up to the last of `frames_F`. How many of them were decoded: all, unless the record is wrong."""
    program_end, frame = streams.positions_4[PROGRAMS], -1
    for i in range(frames_F.shape[0]):
        while frame < frames_F[i]:
            frame += 1
            canvas.registers_15[ACTION] = np.int64(actions_S[frame - 1]) if frame else -1
            program_end = _read_frame(canvas, streams, templates, program_end)
            if program_end < 0:
                return i
        _paint(canvas, codepoints_FxRxC[i], styles_FxRxC[i], max_codepoint)
    return frames_F.shape[0]


@inner_kernel
def _read_frame(canvas: Canvas, streams: Streams, templates: Templates, program_end: int) -> int:
    """Turn the canvas into the next frame. Where the known programs end, or -1 if the record is wrong."""
    selector = take(streams, SELECTORS)
    choice, brings_literals = selector >> 1, selector & 1
    template = guess(templates, canvas.registers_15[ACTION])
    if choice == _NEW and brings_literals:
        template = add_template(templates, program_end)
    elif choice != _GUESSED:
        template = choice - _KNOWN
    if not 0 <= template < templates.count_1[0]:
        return -1
    learn(templates, template)
    literals_end = streams.positions_4[LITERALS]
    if brings_literals:
        templates.literals_S[template] = literals_end
    streams.positions_4[PROGRAMS] = templates.starts_S[template]
    streams.positions_4[LITERALS] = templates.literals_S[template]
    if not _run(canvas, streams):
        return -1
    if not brings_literals:
        streams.positions_4[LITERALS] = literals_end
    return streams.positions_4[PROGRAMS] if choice == _NEW else program_end


@inner_kernel
def _run(canvas: Canvas, streams: Streams) -> bool:
    """Read a program and do it. Whether it is one."""
    if not take_cursor(canvas, streams):
        return False
    work, cells = _WORK * canvas.codepoints_RxC.size, 1
    while cells > 0 and work > 0:
        take_operation(canvas, streams)
        cells = apply(canvas, streams)
        work -= cells
    move_cursor(canvas)
    return cells == 0 and not has_failed(streams)


@inner_kernel
def _paint(canvas: Canvas, codepoints_RxC: np.ndarray, styles_RxC: np.ndarray, max_codepoint: int) -> None:
    """Write the frame that the canvas shows, with its cursor."""
    for row in range(codepoints_RxC.shape[0]):
        for column in range(codepoints_RxC.shape[1]):
            codepoints_RxC[row, column] = min(canvas.codepoints_RxC[row, column], max_codepoint)
            styles_RxC[row, column] = canvas.styles_RxC[row, column]
    styles_RxC[canvas.registers_15[CURSOR_ROW], canvas.registers_15[CURSOR_COLUMN]] |= CURSOR
