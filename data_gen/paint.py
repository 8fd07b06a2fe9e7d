"""A frame as ANSI text or as a picture: the one painter of the player, the exports and the notebooks.

Cells come from untrusted repositories, so only printable characters are painted: anything else becomes U+FFFD.
"""

import functools
import itertools
import pathlib

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from data_gen.cells import CONTINUATION, style_channels

_CHANNELS = style_channels()
_REPLACEMENT = "\ufffd"


def character(codepoint: int) -> str:
    """The character to paint for a cell; empty for the right half of a double-width one."""
    if codepoint == CONTINUATION:
        return ""
    if codepoint > 0x10FFFF or 0xD800 <= codepoint < 0xE000 or not chr(codepoint).isprintable():
        return _REPLACEMENT
    return chr(codepoint)


def plain_text(codepoints_RxC: np.ndarray) -> str:
    """The frame's text: one line a row, without trailing blanks."""
    return "\n".join("".join(map(character, map(int, row_C))).rstrip() for row_C in codepoints_RxC)


def ansi(codepoints_RxC: np.ndarray, styles_RxC: np.ndarray) -> str:
    """The frame in 24-bit colours, rows separated by CR LF; each row ends with its attributes reset."""
    rows = []
    for row_C, style_C in zip(codepoints_RxC, styles_RxC, strict=True):
        borders = [0, *(np.flatnonzero(np.diff(style_C)) + 1), len(style_C)]
        runs = (
            _sgr(int(style_C[start])) + "".join(map(character, map(int, row_C[start:end])))
            for start, end in itertools.pairwise(borders)
        )
        rows.append("".join(runs) + "\x1b[0m")
    return "\r\n".join(rows)


def picture(codepoints_RxC: np.ndarray, styles_RxC: np.ndarray, font_size: int = 16) -> Image.Image:
    """The frame as an RGB picture, in DejaVu Sans Mono of `font_size` pixels."""
    font = _font(font_size)
    width = round(font.getlength("M"))
    height = sum(font.getmetrics())
    rows, columns = codepoints_RxC.shape
    image = Image.new("RGB", (columns * width, rows * height))
    draw = ImageDraw.Draw(image)
    for row in range(rows):
        for column in range(columns):
            channels = tuple(map(int, _CHANNELS[styles_RxC[row, column]]))
            left, top = column * width, row * height
            if codepoints_RxC[row, column] != CONTINUATION:
                wide = column + 1 < columns and codepoints_RxC[row, column + 1] == CONTINUATION
                draw.rectangle((left, top, left + width * (1 + wide) - 1, top + height - 1), fill=channels[3:])
                draw.text((left, top), character(int(codepoints_RxC[row, column])), fill=channels[:3], font=font)
    return image


@functools.cache
def _sgr(style: int) -> str:
    red, green, blue, back_red, back_green, back_blue = map(int, _CHANNELS[style])
    return f"\x1b[38;2;{red};{green};{blue};48;2;{back_red};{back_green};{back_blue}m"


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(pathlib.Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSansMono.ttf"), size)
