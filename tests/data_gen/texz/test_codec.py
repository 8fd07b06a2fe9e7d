"""Both codecs give back every frame, and refuse what is damaged."""

import numpy as np
import plain_decoder
import pytest
from hostile import decode_or_refuse, with_right_checksum
from hypothesis import given, settings
from hypothesis import strategies as st
from typed_logs import BACKSPACE, ENTER, Camera, Logged, type_text

from data_gen.cells import CONTINUATION, CURSOR
from data_gen.terminal.screen import new_log
from data_gen.texz.codec import decode_actions, decode_frames, encode, new_frames
from data_gen.texz.record import Codec, TexzError, pack

KEYS = st.lists(
    st.one_of(
        st.sampled_from([ENTER, BACKSPACE, 0x0E, 0x10, 0x02, 0x06]),
        st.sampled_from(b"  aab019"),
        st.integers(0x20, 0x7E),
    ),
    min_size=1,
    max_size=80,
)
CODECS = pytest.mark.parametrize("codec", list(Codec))
CODEPOINTS = st.one_of(st.sampled_from([0, 0x20, 0x30, 0x39, 0x61]), st.integers(0, 0xFFFFFFFF))


def assert_decodes(logged: Logged) -> None:
    """From both codecs, by the package's decoder and by the one that was written from the format's description."""
    for codec in Codec:
        encoded = encode(logged.log, codec)
        codepoints_FxRxC, styles_FxRxC = decode_frames(encoded, np.arange(len(logged.actions_F)))
        np.testing.assert_array_equal(codepoints_FxRxC, logged.codepoints_FxRxC)
        np.testing.assert_array_equal(styles_FxRxC, logged.styles_FxRxC)
        np.testing.assert_array_equal(decode_actions(encoded), logged.actions_F)
        plain = plain_decoder.decode(encoded)
        np.testing.assert_array_equal(plain[0], logged.codepoints_FxRxC)
        np.testing.assert_array_equal(plain[1], logged.styles_FxRxC)
        np.testing.assert_array_equal(plain[2], logged.actions_F)


@st.composite
def drawn_logs(draw):
    """Frames in which anything is drawn anywhere, also what no terminal shows, rows are copied, and all is scrolled."""
    rows, columns, frames = draw(st.integers(1, 6)), draw(st.integers(1, 12)), draw(st.integers(1, 8))
    camera = Camera(frames, rows, columns)
    screen = camera.screen
    for _ in range(frames):
        for _ in range(draw(st.integers(0, 4))):
            row, column = draw(st.integers(0, rows - 1)), draw(st.integers(0, columns - 1))
            end = draw(st.integers(column + 1, columns))
            kind = draw(st.integers(0, 7))
            if kind == 0:
                distance = draw(st.integers(-rows, rows))
                screen.codepoints_RxC[:] = np.roll(screen.codepoints_RxC, distance, 0)
                screen.styles_RxC[:] = np.roll(screen.styles_RxC, distance, 0)
                screen.dirty_R[:] = True
            elif kind == 1:
                wide = draw(st.integers(0x3041, 0x3093))
                screen.codepoints_RxC[row, column : column + 2] = (wide, CONTINUATION)[: columns - column]
            elif kind < 5:
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


@CODECS
@given(frames=st.lists(st.integers(0, 59), max_size=12).map(sorted), max_codepoint=st.integers(0, 255))
@settings(max_examples=50)
def test_chosen_frames_and_clamped_codepoints(codec, frames, max_codepoint):
    logged = type_text([*b"def f(x):", ENTER, *b"    return x", BACKSPACE, *b"1234", 0x10] * 4)
    encoded = encode(logged.log, codec)
    codepoints_FxRxC, styles_FxRxC = decode_frames(encoded, np.array(frames, np.int64), max_codepoint)
    assert codepoints_FxRxC.dtype == np.uint8
    np.testing.assert_array_equal(codepoints_FxRxC, np.minimum(logged.codepoints_FxRxC[frames], max_codepoint))
    np.testing.assert_array_equal(styles_FxRxC, logged.styles_FxRxC[frames])


@CODECS
def test_given_arrays_are_filled(codec):
    logged = type_text(b"hello")
    encoded = encode(logged.log, codec)
    out = new_frames(encoded, 5)
    assert decode_frames(encoded, np.arange(5), out=out) is out
    np.testing.assert_array_equal(out[0], logged.codepoints_FxRxC)
    with pytest.raises(TexzError, match="not uint32"):
        decode_frames(encoded, np.arange(4), out=out)


@CODECS
def test_encoding_is_deterministic_and_forgets_earlier_logs(codec):
    first, second = type_text(b"some text\rand more"), type_text(b"other")
    encoded = encode(first.log, codec)
    encode(second.log, codec)
    assert encode(first.log, codec) == encoded


@CODECS
def test_what_cannot_be_encoded(codec):
    logged = type_text(b"ab")
    with pytest.raises(ValueError, match="0 of 4x4"):
        encode(new_log(2, 4, 4), codec)
    logged.log.cursors_Sx2[1] = 12, 0
    with pytest.raises(ValueError, match="outside of the 12x40"):
        encode(logged.log, codec)
    logged.log.cursors_Sx2[1] = 0, 0
    logged.log.styles_UxC[0, 0] = CURSOR
    with pytest.raises(ValueError, match="style"):
        encode(logged.log, codec)


@CODECS
def test_frames_that_are_not_there(codec):
    encoded = encode(type_text(b"abc").log, codec)
    for frames in ([3], [-1], [1, 0]):
        with pytest.raises(IndexError, match="0 to 2"):
            decode_frames(encoded, np.array(frames))


HEADER_BYTES = 20
SMALL = type_text([*b"x = 1", ENTER, *b"ab", BACKSPACE], 4, 10).log


def decode_everything(encoded: bytes) -> None:
    decode_actions(encoded)
    decode_frames(encoded, np.arange(9))


@CODECS
def test_every_truncation_is_refused(codec):
    encoded = encode(SMALL, codec)
    for size in range(len(encoded)):
        with pytest.raises(TexzError):
            decode_everything(encoded[:size])
    with pytest.raises(TexzError):
        decode_everything(encoded + b"\0")


@CODECS
def test_every_flipped_bit_is_refused(codec):
    encoded = encode(SMALL, codec)
    for bit in range(8 * len(encoded)):
        with pytest.raises(TexzError):
            decode_everything(flipped(encoded, bit))


@CODECS
def test_flipped_bits_under_a_right_checksum_do_no_harm(codec):
    encoded = encode(SMALL, codec)
    for bit in range(8 * HEADER_BYTES, 8 * (len(encoded) - 4)):
        decode_or_refuse(with_right_checksum(flipped(encoded, bit)))


def flipped(content: bytes, bit: int) -> bytes:
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(content):
    with pytest.raises(TexzError):
        decode_everything(content)


def test_other_versions_and_codecs_are_named():
    encoded = encode(SMALL)
    later = with_right_checksum(encoded[:4] + b"\x02" + encoded[5:])
    with pytest.raises(TexzError, match=r"version 2 .* version 1"):
        decode_actions(later)
    with pytest.raises(TexzError, match="codec 9"):
        decode_frames(with_right_checksum(encoded[:5] + b"\x09" + encoded[6:]), np.array([0]))


@pytest.mark.parametrize("rows, columns", [(0, 4), (0xFFFF, 0xFFFF)])
def test_screens_out_of_bounds_are_refused(rows, columns):
    forgery = pack(Codec.BITPACKED, rows, columns, np.zeros(1, np.uint16), b"")
    with pytest.raises(TexzError, match="out of bounds"):
        decode_frames(forgery, np.array([0]))
