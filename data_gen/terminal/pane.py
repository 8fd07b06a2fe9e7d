"""Rectangles of the screen, and how one is split in two with a border between them, as tmux does it."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

_BORDERS = dict(zip((15, 14, 13, 12, 11, 10, 9, 7, 6, 5, 3), "┼┴┬─┤┘┐├└┌│", strict=True))
"""What a border looks like that goes on to the left (8), to the right (4), up (2) and down (1)."""


_MIN_ROWS, _MIN_COLUMNS = 5, 25
"""The editor can be used in it, and the muxer's question fits below."""


class Pane(NamedTuple):
    """The rectangle a program may draw in: its upper left cell and its size, all in cells."""

    top: int
    left: int
    height: int
    width: int


def is_large_enough(pane: Pane) -> bool:
    """Whether a split may leave this pane."""
    return pane.height >= _MIN_ROWS and pane.width >= _MIN_COLUMNS


def split_sideways(pane: Pane) -> tuple[Pane, Pane]:
    """The left and the right half of `pane`; a column lies between them."""
    right = (pane.width + 1) // 2 - 1
    left = pane.width - 1 - right
    return pane._replace(width=left), pane._replace(left=pane.left + left + 1, width=right)


def split_downwards(pane: Pane) -> tuple[Pane, Pane]:
    """The upper and the lower half of `pane`; a row lies between them."""
    lower = (pane.height + 1) // 2 - 1
    upper = pane.height - 1 - lower
    return pane._replace(height=upper), pane._replace(top=pane.top + upper + 1, height=lower)


def borders(window: Pane, panes: Iterable[Pane]) -> np.ndarray:
    """The codepoints of the borders between the `panes` of a `window` at the upper left: uint32 [height, width].

    0 where a pane is.
    """
    is_border = np.ones((window.height + 2, window.width + 2), np.bool_)
    for top, left, height, width in panes:
        is_border[top + 1 : top + 1 + height, left + 1 : left + 1 + width] = False
    codepoints_HxW = np.zeros((window.height, window.width), np.uint32)
    for row, column in np.argwhere(is_border[1:-1, 1:-1]):
        goes_left, goes_right = is_border[row + 1, column], is_border[row + 1, column + 2]
        goes_up, goes_down = is_border[row, column + 1], is_border[row + 2, column + 1]
        codepoints_HxW[row, column] = ord(_BORDERS[8 * goes_left + 4 * goes_right + 2 * goes_up + goes_down])
    return codepoints_HxW
