"""A frame as text, as what a terminal is sent, or as a picture: the one painter of the player and the exports.

Cells come from untrusted repositories, so only printable characters that take exactly their cells are painted: anything
else becomes U+FFFD.
"""

import functools
import itertools
import pathlib

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from data_gen.cells import CONTINUATION, CURSOR, Style, style_channels
from data_gen.terminal.width import WIDTHS

_CHANNELS = style_channels()
_REPLACEMENT = "\ufffd"
_SHADES = 256 // len(Style)
"""Colours of the palette from each style's background to its foreground."""

_MAX_GAP = 8
"""Unchanged cells that are shorter to paint again than to jump over."""


def characters(row_C: np.ndarray) -> list[str]:
    """What to paint in each cell of a row: nothing in the right half of a double-width character."""
    return [chr(codepoint) if codepoint != CONTINUATION else "" for codepoint in _painted(row_C).tolist()]


def _painted(row_C: np.ndarray) -> np.ndarray:
    """The codepoints to paint, and `CONTINUATION` in right halves: uint32 [C]."""
    if ((row_C >= 0x20) & (row_C < 0x7F)).all():
        return row_C
    painted_C = np.array([_printable_codepoint(codepoint) for codepoint in row_C.tolist()], np.uint32)
    is_half_C = row_C == CONTINUATION
    is_wide_C = WIDTHS[painted_C] == 2
    before_half_C = np.append(is_half_C[1:], False)
    painted_C[is_half_C | (is_wide_C != before_half_C)] = ord(_REPLACEMENT)
    painted_C[1:][(is_wide_C & before_half_C)[:-1]] = CONTINUATION
    return painted_C


@functools.cache
def _printable_codepoint(codepoint: int) -> int:
    is_printable = codepoint <= 0x10FFFF and chr(codepoint).isprintable() and WIDTHS[codepoint]
    return codepoint if is_printable else ord(_REPLACEMENT)


def _text(painted_C: np.ndarray) -> str:
    return painted_C[painted_C != CONTINUATION].astype("<u4").tobytes().decode("utf-32-le")


def printable(text: str) -> str:
    """`text` with U+FFFD for what is not printable."""
    return "".join(c if c.isprintable() else _REPLACEMENT for c in text)


def fitted(text: str, columns: int) -> str:
    """Printable text, cut or filled up with blanks to so many cells."""
    ends = np.cumsum([WIDTHS[ord(c)] for c in text], dtype=int)
    text = text[: int(np.searchsorted(ends, columns, side="right"))]
    return text + " " * (columns - sum(int(WIDTHS[ord(c)]) for c in text))


def plain_text(codepoints_RxC: np.ndarray) -> str:
    """The frame's text: one line a row, without trailing blanks."""
    return "\n".join(_text(_painted(row_C)).rstrip() for row_C in codepoints_RxC)


def ansi(
    codepoints_RxC: np.ndarray, styles_RxC: np.ndarray, before: tuple[np.ndarray, np.ndarray] | None = None
) -> str:
    """What turns a terminal that shows the cells `before`, or anything, into one that shows these, in 24-bit colours.

    The frame is in the upper left corner. The terminal's cursor and its attributes end up anywhere.
    """
    pieces = []
    old_codepoints_RxC, old_styles_RxC = before or (codepoints_RxC, styles_RxC)
    changed_RxC = (codepoints_RxC != old_codepoints_RxC) | (styles_RxC != old_styles_RxC) | (before is None)
    for row in np.flatnonzero(changed_RxC.any(axis=1)):
        painted_C, style_C = _painted(codepoints_RxC[row]), styles_RxC[row]
        changed_C = (painted_C != _painted(old_codepoints_RxC[row])) | (style_C != old_styles_RxC[row])
        columns = np.flatnonzero((changed_C | (before is None)) & (painted_C != CONTINUATION))
        for span in np.split(columns, np.flatnonzero(np.diff(columns) > _MAX_GAP) + 1):
            if len(span):
                part = slice(int(span[0]), int(span[-1]) + 1)
                pieces.append(f"\x1b[{row + 1};{part.start + 1}H" + _runs(painted_C[part], style_C[part]))
    return "".join(pieces)


def _runs(painted_C: np.ndarray, style_C: np.ndarray) -> str:
    borders = [0, *(np.flatnonzero(np.diff(style_C)) + 1).tolist(), len(style_C)]
    return "".join(
        _sgr(int(style_C[start])) + _text(painted_C[start:end]) for start, end in itertools.pairwise(borders)
    )


@functools.cache
def _sgr(style: int) -> str:
    red, green, blue, back_red, back_green, back_blue = map(int, _CHANNELS[style])
    return f"\x1b[38;2;{red};{green};{blue};48;2;{back_red};{back_green};{back_blue}m"


def picture(codepoints_RxC: np.ndarray, styles_RxC: np.ndarray, font_size: int = 16) -> Image.Image:
    """The frame as a picture with a palette, the same for all frames, in DejaVu Sans Mono of `font_size` pixels."""
    font = _font(font_size)
    width, height = round(font.getlength("M")), sum(font.getmetrics())
    rows, columns = codepoints_RxC.shape
    shades = np.zeros((rows * height, columns * width), np.uint8)
    for row in range(rows):
        texts = characters(codepoints_RxC[row])
        for column, text in enumerate(texts):
            if text:
                cells = 1 + (column + 1 < columns and not texts[column + 1])
                glyph = _glyph(text, int(styles_RxC[row, column]), (width * cells, height), font_size)
                shades[row * height : (row + 1) * height, column * width : (column + cells) * width] = glyph
    image = Image.fromarray(shades, "P")
    image.putpalette(_palette())
    return image


@functools.cache
def _glyph(text: str, style: int, size: tuple[int, int], font_size: int) -> np.ndarray:
    """The palette's numbers of a cell's pixels: uint8 [height, width]."""
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).text((0, 0), text, fill=255, font=_font(font_size))
    shades = np.round(np.asarray(mask) / 255 * (_SHADES - 1)).astype(np.uint8)
    known = style % CURSOR if style % CURSOR < len(Style) else Style.PLAIN
    return known * _SHADES + (_SHADES - 1 - shades if style & CURSOR else shades)


@functools.cache
def _palette() -> bytes:
    """Red, green and blue of all colours: `_SHADES` of each style, from the background to the foreground."""
    fractions = np.linspace(0, 1, _SHADES)[:, None]
    shades = [_CHANNELS[style, 3:] * (1 - fractions) + _CHANNELS[style, :3] * fractions for style in Style]
    return np.round(np.concatenate(shades)).astype(np.uint8).tobytes()


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(pathlib.Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSansMono.ttf"), size)
