import re

import numpy as np
from hypothesis import given
from hypothesis.extra import numpy as hnp

from data_gen import paint
from data_gen.cells import CONTINUATION, CURSOR, Style

codepoints = hnp.arrays(np.uint32, (3, 5))
styles = hnp.arrays(np.uint8, (3, 5))


@given(codepoints, styles)
def test_no_cell_reaches_a_terminal_as_a_control_character(codepoints_RxC, styles_RxC):
    painted = paint.ansi(codepoints_RxC, styles_RxC)
    text = re.sub(r"\x1b\[[0-9;]*m", "", painted)
    assert all(row.isprintable() for row in text.split("\r\n"))
    assert text.split("\r\n") == ["".join(paint.character(int(c)) for c in row_C) for row_C in codepoints_RxC]
    assert all(row.isprintable() for row in paint.plain_text(codepoints_RxC).split("\n"))


def test_colours_change_only_where_the_style_does():
    codepoints_RxC = np.full((1, 6), ord("x"), np.uint32)
    styles_RxC = np.array([[Style.PLAIN] * 3 + [Style.ERROR] * 2 + [Style.PLAIN]], np.uint8)
    assert paint.ansi(codepoints_RxC, styles_RxC).count("\x1b[38;2;") == 3


def test_a_picture_shows_the_cursor_and_the_text():
    codepoints_RxC = np.full((2, 4), ord(" "), np.uint32)
    codepoints_RxC[0, :2] = [0x6F22, CONTINUATION]
    styles_RxC = np.zeros((2, 4), np.uint8)
    styles_RxC[1, 3] |= CURSOR
    pixels = np.asarray(paint.picture(codepoints_RxC, styles_RxC))
    height, width = pixels.shape[0] // 2, pixels.shape[1] // 4
    assert pixels[:height, : 2 * width].any() and not pixels[:height, 2 * width :].any()
    assert (pixels[height:, 3 * width :] == 0xC0).all() and not pixels[height:, : 3 * width].any()
