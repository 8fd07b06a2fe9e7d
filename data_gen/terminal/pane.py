"""A rectangle of the screen that belongs to one program."""

from typing import NamedTuple


class Pane(NamedTuple):
    """The rectangle a program may draw in: its upper left cell and its size, all in cells."""

    top: int
    left: int
    height: int
    width: int
