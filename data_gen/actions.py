"""Actions: what a terminal receives at one moment, one byte or one whole control sequence, as a uint16 code.

Codes 0-255 are the bytes themselves; the bytes of one UTF-8 character are actions of their own. From 256 on they are
the control sequences below, in this order. The order is part of the dataset's format: append, never reorder.
"""

import enum
from collections.abc import Iterable

import numpy as np

ENTER = 0x0D
TAB = 0x09
ESCAPE = 0x1B
BACKSPACE = 0x7F
CTRL_B = 0x02
CTRL_C = 0x03
CTRL_V = 0x16


class Key(enum.IntEnum):
    """The control sequences."""

    UP = 256
    DOWN = enum.auto()
    RIGHT = enum.auto()
    LEFT = enum.auto()
    HOME = enum.auto()
    END = enum.auto()
    DELETE = enum.auto()
    PAGE_UP = enum.auto()
    PAGE_DOWN = enum.auto()


SEQUENCES = {
    Key.UP: b"\x1b[A",
    Key.DOWN: b"\x1b[B",
    Key.RIGHT: b"\x1b[C",
    Key.LEFT: b"\x1b[D",
    Key.HOME: b"\x1b[1~",
    Key.END: b"\x1b[4~",
    Key.DELETE: b"\x1b[3~",
    Key.PAGE_UP: b"\x1b[5~",
    Key.PAGE_DOWN: b"\x1b[6~",
}
NUM_ACTIONS = 256 + len(SEQUENCES)

_NAMES = {ENTER: "⏎", TAB: "⇥", ESCAPE: "⎋", BACKSPACE: "⌫", 0x20: "␣"} | {
    key: name for key, name in zip(Key, ("↑", "↓", "→", "←", "⇱", "⇲", "⌦", "⇞", "⇟"), strict=True)
}


def from_bytes(text: bytes) -> np.ndarray:
    """The actions that type `text` byte by byte: uint16 [len(text)]."""
    return np.frombuffer(text, np.uint8).astype(np.uint16)


def to_bytes(actions: Iterable[int]) -> bytes:
    """What a terminal receives for `actions`."""
    return b"".join(SEQUENCES[Key(action)] if action > 255 else bytes((action,)) for action in map(int, actions))


def describe(actions: Iterable[int]) -> str:
    """`actions` as printable text: `⏎`, `⎋`, `^V`, `↑`; bytes that are not UTF-8 as `\\x80`."""
    text = bytearray()
    for action in map(int, actions):
        if action in _NAMES:
            text += _NAMES[action].encode()
        elif action < 0x20:
            text += b"^" + bytes((action + 0x40,))
        else:
            text.append(action)
    characters = text.decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in characters)
