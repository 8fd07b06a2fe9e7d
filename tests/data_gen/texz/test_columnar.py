"""The columnar codec is small, and refuses what is damaged inside."""

import lzma

import numpy as np
import pytest
from hostile import decode_or_refuse
from hypothesis import given, settings
from hypothesis import strategies as st
from typed_logs import BACKSPACE, ENTER, type_text

from data_gen.texz.codec import decode_frames, encode
from data_gen.texz.record import Codec, TexzError, compress, decompress, pack, unpack


def test_typing_costs_little_beside_its_actions():
    """A typed character is one action; its frame follows from it and costs well under a byte."""
    text = b"the quick brown fox jumps" * 20
    keys = [key for start in range(0, len(text), 25) for key in (*text[start : start + 25], ENTER)]
    longer, shorter = encode(type_text(keys, 30).log), encode(type_text(keys[:260], 30).log)
    assert len(longer) - len(shorter) < 260 // 2


BYTES = st.lists(st.one_of(st.integers(0, 12), st.integers(0, 255)), max_size=60).map(bytes)


@given(st.tuples(BYTES, BYTES, BYTES, BYTES), st.integers(1, 5), st.integers(1, 9), st.integers(1, 12))
@settings(max_examples=500)
def test_any_streams_do_no_harm(streams, rows, columns, frames):
    decode_or_refuse(forged(streams, rows, columns, frames))


@given(st.data())
@settings(max_examples=500)
def test_changed_streams_do_no_harm(data):
    logged = type_text([*b"x = 10", ENTER, *b"ab", BACKSPACE, 0x10, 0x06, *b"12"], 5, 10)
    body = unpack(encode(logged.log)).body
    sizes = np.frombuffer(body[:16], "<u4")
    content = bytearray(decompress(body[16:], int(sizes.sum())))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    streams = [bytes(part) for part in np.split(np.frombuffer(bytes(content), np.uint8), np.cumsum(sizes)[:-1])]
    decode_or_refuse(forged(streams, 5, 10, len(logged.actions_F)))


def forged(streams, rows: int, columns: int, frames: int) -> bytes:
    """A record with a right checksum and any streams."""
    body = np.array([len(stream) for stream in streams], "<u4").tobytes() + compress(b"".join(streams))
    return pack(Codec.COLUMNAR, rows, columns, np.full(frames, ord("a"), np.uint16), body)


def test_a_program_that_writes_without_end_is_refused():
    """A record of a few kilobytes must not keep the decoder busy: the cells that a program may write are limited."""
    fill = bytes((2, 5, 3, 4 + 100, 0x20))  # one whole row of 100 blanks
    program = bytes((0,)) + fill * 40_000 + bytes((0,))
    with pytest.raises(TexzError, match="frame 0"):
        decode_frames(forged([bytes((3,)), program, b"", b""], 4, 100, 1), np.array([0]))


def test_a_block_that_expands_without_end_is_refused():
    body = np.array([1, 1, 1, 1], "<u4").tobytes() + compress(bytes(1 << 24))
    forgery = pack(Codec.COLUMNAR, 4, 4, np.zeros(1, np.uint16), body)
    with pytest.raises(TexzError, match="4 bytes"):
        decode_frames(forgery, np.array([0]))


def test_sizes_out_of_bounds_are_refused():
    huge = np.array([0xFFFFFFFF] * 4, "<u4").tobytes() + lzma.compress(b"")
    with pytest.raises(TexzError, match="too large"):
        decode_frames(pack(Codec.COLUMNAR, 4, 4, np.zeros(1, np.uint16), huge), np.array([0]))
