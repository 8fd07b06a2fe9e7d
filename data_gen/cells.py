"""Cells: what a terminal shows at one place, a codepoint and a style; and the colours of each style."""

import enum

import numpy as np

BLANK = 0x20
CONTINUATION = 0
"""The codepoint of the right half of a double-width character."""

CURSOR = 0x80
"""The style bit that marks the cursor's cell in a decoded frame; its colours are swapped."""


class Style(enum.IntEnum):
    """How a cell looks. At most 128, since `CURSOR` is the highest bit of the byte."""

    PLAIN = 0
    BOLD = enum.auto()
    LINE_NUMBER = enum.auto()
    NON_TEXT = enum.auto()
    SPECIAL_KEY = enum.auto()
    STATUS_LINE = enum.auto()
    ERROR = enum.auto()
    PROMPT_BRANCH = enum.auto()
    PROMPT_FOLDER = enum.auto()
    MUXER_BAR = enum.auto()
    MUXER_BORDER = enum.auto()
    MUXER_PROMPT = enum.auto()


_COLOURS = {
    Style.PLAIN: ("c0c0c0", "000000"),
    Style.BOLD: ("ffffff", "000000"),
    Style.LINE_NUMBER: ("808000", "000000"),
    Style.NON_TEXT: ("4060ff", "000000"),
    Style.SPECIAL_KEY: ("00a0a0", "000000"),
    Style.STATUS_LINE: ("000000", "c0c0c0"),
    Style.ERROR: ("ffffff", "800000"),
    Style.PROMPT_BRANCH: ("00c000", "000000"),
    Style.PROMPT_FOLDER: ("5080ff", "000000"),
    Style.MUXER_BAR: ("000000", "00a000"),
    Style.MUXER_BORDER: ("606060", "000000"),
    Style.MUXER_PROMPT: ("000000", "c0c000"),
}


def style_channels() -> np.ndarray:
    """The colours of every style byte: uint8 [256, 6], foreground then background as red, green, blue (0-255).

    A byte that names no style looks like `Style.PLAIN`. With `CURSOR` set, foreground and background are swapped.
    """
    channels_256x6 = np.empty((256, 6), np.uint8)
    channels_256x6[:CURSOR] = list(bytes.fromhex("".join(_COLOURS[Style.PLAIN])))
    for style, (foreground, background) in _COLOURS.items():
        channels_256x6[style] = list(bytes.fromhex(foreground + background))
    channels_256x6[CURSOR:, :3] = channels_256x6[:CURSOR, 3:]
    channels_256x6[CURSOR:, 3:] = channels_256x6[:CURSOR, :3]
    return channels_256x6
