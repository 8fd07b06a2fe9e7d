"""The bit-packed codec is as small as its layout allows, and refuses what is damaged inside."""

import numpy as np
import pytest
from hostile import decode_or_refuse
from hypothesis import given, settings
from hypothesis import strategies as st
from typed_logs import BACKSPACE, ENTER, Camera, type_text

from data_gen.texz.codec import decode_frames, encode
from data_gen.texz.record import Codec, TexzError, pack, unpack

RIGHT, ROW_AND_COLUMN = "10", "11"
EQUIVALENCE, REPEAT, LITERAL = "10", "11", "0"


def number(value: int, width: int) -> str:
    return f"{value:0{width}b}"[::-1] if width else ""


def gamma(value: int) -> str:
    width = value.bit_length() - 1
    return "0" * width + "1" + number(value - 2**width, width)


def length(cells: int) -> str:
    return "0" + number(cells - 1, 8)


PALETTE = gamma(3) + gamma(1) + gamma(0x62) + gamma(3) + gamma(0x79)
"""Two cells: an `a` of style 0 and an `x` of style 2; so an index takes 2 bits."""

A, X = LITERAL + number(0, 2), LITERAL + number(1, 2)


def reference(distance: int, cells: int) -> str:
    """On a screen of 2x3 cells, where a distance takes 4 bits."""
    return LITERAL + number(2, 2) + number(distance, 4) + length(cells)


def forged(bits: str, rows: int = 2, columns: int = 3, frames: int = 1) -> bytes:
    """A record with a right checksum and any body."""
    padded = bits + "0" * (-len(bits) % 8)
    body = bytes(int(padded[i : i + 8][::-1], 2) for i in range(0, len(padded), 8))
    return pack(Codec.BITPACKED, rows, columns, np.full(frames, ord("a"), np.uint16), body)


def test_a_record_written_by_hand():
    frame_1 = A + REPEAT + length(2) + X + reference(4, 2)
    frame_2 = EQUIVALENCE + length(1) + X + EQUIVALENCE + length(4 + 6)
    cursors = RIGHT + ROW_AND_COLUMN + number(1, 1) + number(2, 2) + RIGHT
    with pytest.raises(TexzError, match="frame 2"):  # where the cursor leaves the screen
        decode_frames(forged(PALETTE + cursors + frame_1 + frame_2, frames=3), np.array([0, 2]))
    cursors = cursors[: -len(RIGHT)] + "00"
    codepoints_FxRxC, styles_FxRxC = decode_frames(
        forged(PALETTE + cursors + frame_1 + frame_2, frames=3), np.arange(3)
    )
    assert ["".join(map(chr, frame.ravel())) for frame in codepoints_FxRxC] == ["aaaxaa", "axaxaa", "axaxaa"]
    assert styles_FxRxC.reshape(3, 6).tolist() == [[0, 128, 0, 2, 0, 0], [0, 2, 0, 2, 0, 128], [0, 2, 0, 2, 0, 128]]


@pytest.mark.parametrize(
    "bits",
    {
        "the cursor leaves its row": PALETTE + "01" + number(3, 2) + 6 * A,
        "an unknown cell": PALETTE + RIGHT + LITERAL + number(3, 2) + 6 * A,
        "a repeat run leaves the frame": PALETTE + RIGHT + A + REPEAT + length(6),
        "a reference leaves the frame": PALETTE + RIGHT + A + reference(1, 6),
        "a distance of 0": PALETTE + RIGHT + A + reference(0, 5) + 5 * A,
        "a reference from before the frame before": PALETTE + RIGHT + A + reference(8, 5),
        "the last cell is cut off": (PALETTE + RIGHT + 6 * A)[: -len(A)].rstrip("0"),
        "nothing": "",
        "a palette larger than its bits": gamma(1 << 30) + "1" * 400,
        "a style above 127": gamma(2) + gamma(129) + gamma(1) + RIGHT + 6 * "00",
        "a codepoint above 32 bits": gamma(3) + 2 * (gamma(1) + gamma((1 << 32) - 1)) + RIGHT + 6 * A,
        "a gamma code of 33 zeros": gamma(2) + gamma(1) + "0" * 33 + "1" + "0" * 400,
    }.items(),
    ids=lambda item: item[0],
)
def test_what_is_wrong_in_a_body_is_refused(bits):
    with pytest.raises(TexzError, match="frame 0"):
        decode_frames(forged(bits[1]), np.array([0]))


@pytest.mark.parametrize(
    "bits, cells",
    [
        (PALETTE + "01" + number(2, 2) + A + REPEAT + length(5), [0x61] * 6),
        (PALETTE + RIGHT + A + reference(7, 5), [0x61, *[0x20] * 5]),
        (PALETTE + RIGHT + A + reference(1, 5), [0x61] * 6),
        (gamma(2) + gamma(128) + gamma(1 << 32) + RIGHT + 6 * "00", [0xFFFFFFFF] * 6),
    ],
)
def test_what_is_just_within_bounds_is_read(bits, cells):
    codepoints_FxRxC, _ = decode_frames(forged(bits), np.array([0]))
    assert codepoints_FxRxC.ravel().tolist() == cells


@given(st.text("01", max_size=300), st.integers(1, 5), st.integers(1, 9), st.integers(1, 12))
@settings(max_examples=500)
def test_any_bits_do_no_harm(bits, rows, columns, frames):
    decode_or_refuse(forged(bits, rows, columns, frames))


@given(st.text("01", max_size=200))
@settings(max_examples=500)
def test_any_cells_after_a_palette_do_no_harm(bits):
    decode_or_refuse(forged(PALETTE + RIGHT + RIGHT + bits + 200 * "0", frames=2))


@given(st.data())
@settings(max_examples=500)
def test_changed_bodies_do_no_harm(data):
    logged = type_text([*b"x = 10", ENTER, *b"ab", BACKSPACE, 0x10, 0x06, *b"12"], 5, 10)
    body = bytearray(unpack(encode(logged.log, Codec.BITPACKED)).body)
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    decode_or_refuse(pack(Codec.BITPACKED, 5, 10, logged.actions_F, bytes(body)))


def body_size(camera: Camera) -> int:
    return len(unpack(encode(camera.logged().log, Codec.BITPACKED)).body)


@pytest.mark.parametrize("rows, columns", [(1, 0), (-1, 0), (0, 1), (0, -1), (5, 0), (0, 9)])
def test_what_moves_is_one_reference(rows, columns):
    camera = Camera(2, 24, 80)
    text = np.random.default_rng(0).integers(0x61, 0x7B, (24, 80))
    camera.screen.codepoints_RxC[:] = text
    camera.shoot(0)
    before = body_size(camera)
    camera.screen.codepoints_RxC[:] = np.roll(text.ravel(), 80 * rows + columns).reshape(24, 80)
    camera.screen.dirty_R[:] = True
    camera.shoot(0)
    wrapped = abs(80 * rows + columns)  # cells that come in at the other end are not a part of it
    assert body_size(camera) - before <= 10 + wrapped * 6 / 8


def test_a_typed_character_takes_few_bits():
    """A cell, the digits of the ruler and two equivalence runs."""
    longer, shorter = type_text(b"abcdefgh" * 3, 24, 80), type_text(b"abcdefgh" * 2, 24, 80)
    sizes = [len(unpack(encode(logged.log, Codec.BITPACKED)).body) for logged in (longer, shorter)]
    assert sizes[0] - sizes[1] <= 8 * (2 + 2 * 19 + 3 * 6) / 8


def test_frames_without_changes_take_a_cursor_and_their_share_of_a_run():
    camera = Camera(1001, 5, 13)
    camera.shoot(0)
    before = body_size(camera)
    for _ in range(1000):
        camera.shoot(0)
    assert body_size(camera) - before <= (2 * 1000 + 19) / 8 + 1


def test_runs_longer_than_the_longest():
    """90,000 cells of one kind, then of another in every second row."""
    camera = Camera(3, 300, 300)
    camera.screen.codepoints_RxC[:] = 0x61
    camera.shoot(0)
    camera.shoot(0)
    camera.screen.codepoints_RxC[::2] = np.arange(300)
    camera.screen.dirty_R[:] = True
    camera.shoot(0)
    logged = camera.logged()
    encoded = encode(logged.log, Codec.BITPACKED)
    codepoints_FxRxC, styles_FxRxC = decode_frames(encoded, np.arange(3))
    np.testing.assert_array_equal(codepoints_FxRxC, logged.codepoints_FxRxC)
    np.testing.assert_array_equal(styles_FxRxC, logged.styles_FxRxC)
