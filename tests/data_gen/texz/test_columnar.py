"""The columnar codec gives back every frame, and refuses what is damaged."""

import lzma
import zlib

import numpy as np
import plain_decoder
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typed_logs import BACKSPACE, ENTER, Camera, Logged, type_text

from data_gen.cells import CURSOR
from data_gen.terminal.screen import new_log
from data_gen.texz import columnar, record
from data_gen.texz.record import TexzError

KEYS = st.lists(
    st.one_of(
        st.sampled_from([ENTER, BACKSPACE, 0x0E, 0x10, 0x02, 0x06]),
        st.sampled_from(b"  aab019"),
        st.integers(0x20, 0x7E),
    ),
    min_size=1,
    max_size=80,
)
CODEPOINTS = st.one_of(st.sampled_from([0, 0x20, 0x30, 0x39, 0x61]), st.integers(0, 0xFFFFFFFF))


def assert_decodes(logged: Logged) -> None:
    """By the package's decoder, and by the one that was written from the format's description."""
    encoded = columnar.encode(logged.log)
    frames_F = np.arange(len(logged.actions_F))
    codepoints_FxRxC, styles_FxRxC = columnar.decode_frames(encoded, frames_F)
    np.testing.assert_array_equal(codepoints_FxRxC, logged.codepoints_FxRxC)
    np.testing.assert_array_equal(styles_FxRxC, logged.styles_FxRxC)
    np.testing.assert_array_equal(columnar.decode_actions(encoded), logged.actions_F)
    plain = plain_decoder.decode(encoded)
    np.testing.assert_array_equal(plain[0], logged.codepoints_FxRxC)
    np.testing.assert_array_equal(plain[1], logged.styles_FxRxC)
    np.testing.assert_array_equal(plain[2], logged.actions_F)


@st.composite
def drawn_logs(draw):
    """Frames in which anything may be drawn anywhere, also what no terminal shows, and rows copied from others."""
    rows, columns, frames = draw(st.integers(1, 6)), draw(st.integers(1, 12)), draw(st.integers(1, 8))
    camera = Camera(frames, rows, columns)
    screen = camera.screen
    for _ in range(frames):
        for _ in range(draw(st.integers(0, 4))):
            row, column = draw(st.integers(0, rows - 1)), draw(st.integers(0, columns - 1))
            end = draw(st.integers(column + 1, columns))
            if draw(st.booleans()):
                screen.codepoints_RxC[row, column:end] = draw(
                    st.lists(CODEPOINTS, min_size=end - column, max_size=end - column)
                )
                screen.styles_RxC[row, column:end] = draw(st.integers(0, CURSOR - 1))
            else:
                source = draw(st.integers(0, rows - 1))
                distance = draw(st.integers(-columns, columns))
                screen.codepoints_RxC[row, column:end] = np.roll(screen.codepoints_RxC[source], distance)[column:end]
                screen.styles_RxC[row, column:end] = np.roll(screen.styles_RxC[source], distance)[column:end]
            screen.dirty_R[row] = True
        screen.cursor_2[:] = draw(st.integers(0, rows - 1)), draw(st.integers(0, columns - 1))
        camera.shoot(draw(st.one_of(st.integers(0x20, 0x7E), st.integers(0, 0xFFFF))))
    return camera.logged()


@given(drawn_logs())
@settings(max_examples=300)
def test_anything_drawn_comes_back(logged):
    assert_decodes(logged)


@given(KEYS, st.integers(4, 9), st.integers(6, 30), st.lists(st.text("ab1 ()", max_size=20), max_size=30))
@settings(max_examples=200)
def test_typing_comes_back(keys, rows, columns, text):
    assert_decodes(type_text(keys, rows, columns, text))


@given(st.lists(st.integers(0, 59), max_size=12).map(sorted), st.integers(0, 255))
@settings(max_examples=50)
def test_chosen_frames_and_clamped_codepoints(frames, max_codepoint):
    logged = type_text([*b"def f(x):", ENTER, *b"    return x", BACKSPACE, *b"1234", 0x10] * 4)
    encoded = columnar.encode(logged.log)
    codepoints_FxRxC, styles_FxRxC = columnar.decode_frames(encoded, np.array(frames, np.int64), max_codepoint)
    assert codepoints_FxRxC.dtype == np.uint8
    np.testing.assert_array_equal(codepoints_FxRxC, np.minimum(logged.codepoints_FxRxC[frames], max_codepoint))
    np.testing.assert_array_equal(styles_FxRxC, logged.styles_FxRxC[frames])


def test_given_arrays_are_filled():
    logged = type_text(b"hello")
    encoded = columnar.encode(logged.log)
    out = columnar.new_frames(encoded, 5)
    assert columnar.decode_frames(encoded, np.arange(5), out=out) is out
    np.testing.assert_array_equal(out[0], logged.codepoints_FxRxC)
    with pytest.raises(TexzError, match="not uint32"):
        columnar.decode_frames(encoded, np.arange(4), out=out)


def test_encoding_is_deterministic_and_forgets_earlier_logs():
    first, second = type_text(b"some text\rand more"), type_text(b"other")
    encoded = columnar.encode(first.log)
    columnar.encode(second.log)
    assert columnar.encode(first.log) == encoded


def test_typing_costs_little_beside_its_actions():
    """A typed character is one action; its frame follows from it and costs well under a byte."""
    text = b"the quick brown fox jumps" * 20
    keys = [key for start in range(0, len(text), 25) for key in (*text[start : start + 25], ENTER)]
    longer, shorter = columnar.encode(type_text(keys, 30).log), columnar.encode(type_text(keys[:260], 30).log)
    assert len(longer) - len(shorter) < 260 // 2


def test_what_cannot_be_encoded():
    logged = type_text(b"ab")
    with pytest.raises(ValueError, match="0 of 4x4"):
        columnar.encode(new_log(2, 4, 4))
    logged.log.cursors_Sx2[1] = 12, 0
    with pytest.raises(ValueError, match="outside of the 12x40"):
        columnar.encode(logged.log)
    logged.log.cursors_Sx2[1] = 0, 0
    logged.log.styles_UxC[0, 0] = CURSOR
    with pytest.raises(ValueError, match="style"):
        columnar.encode(logged.log)


def test_frames_that_are_not_there():
    encoded = columnar.encode(type_text(b"abc").log)
    for frames in ([3], [-1], [1, 0]):
        with pytest.raises(IndexError, match="0 to 2"):
            columnar.decode_frames(encoded, np.array(frames))


SMALL = columnar.encode(type_text([*b"x = 1", ENTER, *b"ab", BACKSPACE], 4, 10).log)


def decode_everything(encoded: bytes) -> None:
    columnar.decode_actions(encoded)
    columnar.decode_frames(encoded, np.arange(9))


def test_every_truncation_is_refused():
    for size in range(len(SMALL)):
        with pytest.raises(TexzError):
            decode_everything(SMALL[:size])
    with pytest.raises(TexzError):
        decode_everything(SMALL + b"\0")


def test_every_flipped_bit_is_refused():
    for bit in range(8 * len(SMALL)):
        flipped = bytearray(SMALL)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(TexzError):
            decode_everything(bytes(flipped))


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(content):
    with pytest.raises(TexzError):
        decode_everything(content)


def with_right_checksum(content: bytes) -> bytes:
    return content[:-4] + zlib.crc32(content[:-4]).to_bytes(4, "little")


@given(st.integers(0, 8 * (len(SMALL) - 4) - 1))
def test_flipped_bits_under_a_right_checksum_do_no_harm(bit):
    flipped = bytearray(SMALL)
    flipped[bit // 8] ^= 1 << bit % 8
    decode_or_refuse(with_right_checksum(bytes(flipped)))


def decode_or_refuse(encoded: bytes) -> None:
    """Whatever it holds, a record gives frames of its size, or an error of the one kind."""
    try:
        unpacked = record.unpack(encoded)
        codepoints_FxRxC, styles_FxRxC = columnar.decode_frames(encoded, np.arange(unpacked.frames))
    except TexzError:
        return
    shape = (unpacked.frames, unpacked.rows, unpacked.columns)
    assert codepoints_FxRxC.shape == styles_FxRxC.shape == shape
    assert ((styles_FxRxC & CURSOR) != 0).sum() == unpacked.frames


BYTES = st.lists(st.one_of(st.integers(0, 12), st.integers(0, 255)), max_size=60).map(bytes)


@given(st.tuples(BYTES, BYTES, BYTES, BYTES), st.integers(1, 5), st.integers(1, 9), st.integers(1, 12))
@settings(max_examples=500)
def test_any_streams_do_no_harm(streams, rows, columns, frames):
    decode_or_refuse(forged(streams, rows, columns, frames))


@given(st.data())
@settings(max_examples=500)
def test_changed_streams_do_no_harm(data):
    logged = type_text([*b"x = 10", ENTER, *b"ab", BACKSPACE, 0x10, 0x06, *b"12"], 5, 10)
    body = record.unpack(columnar.encode(logged.log)).body
    sizes = np.frombuffer(body[:16], "<u4")
    content = bytearray(record.decompress(body[16:], int(sizes.sum())))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    streams = [bytes(part) for part in np.split(np.frombuffer(bytes(content), np.uint8), np.cumsum(sizes)[:-1])]
    decode_or_refuse(forged(streams, 5, 10, len(logged.actions_F)))


def forged(streams, rows: int, columns: int, frames: int) -> bytes:
    """A record with a right checksum and any streams."""
    body = np.array([len(stream) for stream in streams], "<u4").tobytes() + record.compress(b"".join(streams))
    return record.pack(record.Codec.COLUMNAR, rows, columns, np.full(frames, ord("a"), np.uint16), body)


def test_a_program_that_writes_without_end_is_refused():
    """A record of a few kilobytes must not keep the decoder busy: the cells that a program may write are limited."""
    fill = bytes((2, 5, 3, 4 + 100, 0x20))  # one whole row of 100 blanks
    program = bytes((0,)) + fill * 40_000 + bytes((0,))
    with pytest.raises(TexzError, match="frame 0"):
        columnar.decode_frames(forged([bytes((3,)), program, b"", b""], 4, 100, 1), np.array([0]))


def test_a_block_that_expands_without_end_is_refused():
    body = np.array([1, 1, 1, 1], "<u4").tobytes() + record.compress(bytes(1 << 24))
    forgery = record.pack(record.Codec.COLUMNAR, 4, 4, np.zeros(1, np.uint16), body)
    with pytest.raises(TexzError, match="4 bytes"):
        columnar.decode_frames(forgery, np.array([0]))


def test_sizes_out_of_bounds_are_refused():
    huge = np.array([0xFFFFFFFF] * 4, "<u4").tobytes() + lzma.compress(b"")
    with pytest.raises(TexzError, match="too large"):
        columnar.decode_frames(record.pack(record.Codec.COLUMNAR, 4, 4, np.zeros(1, np.uint16), huge), np.array([0]))
    for rows, columns in ((0, 4), (0xFFFF, 0xFFFF)):
        with pytest.raises(TexzError, match="out of bounds"):
            columnar.decode_frames(
                record.pack(record.Codec.COLUMNAR, rows, columns, np.zeros(1, np.uint16), b""), np.array([0])
            )


def test_other_versions_and_codecs_are_named():
    later = bytearray(SMALL)
    later[4] = 2
    with pytest.raises(TexzError, match=r"version 2 .* version 1"):
        columnar.decode_actions(with_right_checksum(bytes(later)))
    other = bytearray(SMALL)
    other[5] = 9
    with pytest.raises(TexzError, match="codec 9"):
        columnar.decode_frames(with_right_checksum(bytes(other)), np.array([0]))
