import re

import numpy as np
import pyte
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from data_gen.cells import BLANK, CONTINUATION, CURSOR, Style, style_channels
from data_gen.viewing import paint

SAMPLES = st.sampled_from([CONTINUATION, BLANK, 0x1B, 0x9B, 0x61, 0x301, 0x202E, 0x6F22, 0x1F642, 0xD800, 0x110000])
codepoints = hnp.arrays(np.uint32, (3, 5), elements=st.one_of(SAMPLES, st.integers(0, 0xFFFFFFFF)))
styles = hnp.arrays(np.uint8, (3, 5))


@given(codepoints, styles)
def test_no_cell_reaches_a_terminal_as_a_control_character(codepoints_RxC, styles_RxC):
    painted = paint.ansi(codepoints_RxC, styles_RxC)
    rows = re.split(r"\x1b\[[123];1H", re.sub(r"\x1b\[[0-9;]*m", "", painted))
    assert rows == ["", *("".join(paint.characters(row_C)) for row_C in codepoints_RxC)]
    assert all(row.isprintable() for row in rows)
    assert all(row.isprintable() for row in paint.plain_text(codepoints_RxC).split("\n"))


@given(codepoints, styles)
def test_every_cell_is_painted_where_it_is(codepoints_RxC, styles_RxC):
    """Whatever cells hold, no character moves those behind it."""
    screen = pyte.Screen(5, 3)
    pyte.Stream(screen).feed(paint.ansi(codepoints_RxC, styles_RxC))
    shown = [[screen.buffer[row][column] for column in range(5)] for row in range(3)]
    for row, row_C in enumerate(codepoints_RxC):
        assert [cell.data for cell in shown[row]] == paint.characters(row_C)
        for column, text in enumerate(paint.characters(row_C)):
            if text:
                cell, colours = shown[row][column], style_channels()[styles_RxC[row, column]].tobytes().hex()
                assert cell.fg + cell.bg == colours


def test_halves_of_characters_are_replaced():
    row_C = np.array([0x6F22, CONTINUATION, CONTINUATION, 0x61, CONTINUATION, 0x6F22, 0x61, 0x6F22], np.uint32)
    assert paint.characters(row_C) == ["漢", "", "\ufffd", "\ufffd", "\ufffd", "\ufffd", "a", "\ufffd"]


def test_colours_change_only_where_the_style_does():
    codepoints_RxC = np.full((1, 6), ord("x"), np.uint32)
    styles_RxC = np.array([[Style.PLAIN] * 3 + [Style.ERROR] * 2 + [Style.PLAIN]], np.uint8)
    assert paint.ansi(codepoints_RxC, styles_RxC).count("\x1b[38;2;") == 3


def test_only_what_changed_is_painted_again():
    before_RxC = np.full((2, 60), ord("x"), np.uint32)
    after_RxC = before_RxC.copy()
    after_RxC[1, [3, 5, 50]] = ord("y")
    styles_RxC = np.zeros((2, 60), np.uint8)
    painted = paint.ansi(after_RxC, styles_RxC, (before_RxC, styles_RxC))
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == "\x1b[2;4Hyxy\x1b[2;51Hy"
    assert paint.ansi(after_RxC, styles_RxC, (after_RxC, styles_RxC)) == ""


def test_untrusted_text_becomes_printable_and_fits():
    assert paint.printable("a\x1b[31m\x9b\u202e漢") == "a\ufffd[31m\ufffd\ufffd漢"
    assert paint.fitted("abc", 5) == "abc  "
    assert paint.fitted("漢字漢", 5) == "漢字 "
    assert paint.fitted("", 2) == "  "


def test_a_picture_shows_the_cursor_and_the_text():
    codepoints_RxC = np.full((2, 4), ord(" "), np.uint32)
    codepoints_RxC[0, :2] = [0x6F22, CONTINUATION]
    styles_RxC = np.zeros((2, 4), np.uint8)
    styles_RxC[1, 3] |= CURSOR
    pixels = np.asarray(paint.picture(codepoints_RxC, styles_RxC).convert("RGB"))
    height, width = pixels.shape[0] // 2, pixels.shape[1] // 4
    assert pixels[:height, : 2 * width].any() and not pixels[:height, 2 * width :].any()
    assert (pixels[height:, 3 * width :] == 0xC0).all() and not pixels[height:, : 3 * width].any()


@given(st.integers(0, 255))
def test_a_picture_has_exactly_the_colours_of_the_style(style):
    codepoints_RxC = np.array([[ord("M"), BLANK]], np.uint32)
    pixels = np.asarray(paint.picture(codepoints_RxC, np.full((1, 2), style, np.uint8)).convert("RGB"))
    front, back = style_channels()[style, :3], style_channels()[style, 3:]
    assert (pixels[:, pixels.shape[1] // 2 :] == back).all()
    assert (pixels == front).all(axis=2).any() and (pixels >= np.minimum(front, back)).all()
    assert (pixels <= np.maximum(front, back)).all()
