"""Random files and random keys of the editor's subset."""

import random

import numpy as np

from data_gen.actions import Key, from_bytes

ARROWS = (Key.UP, Key.DOWN, Key.LEFT, Key.RIGHT)
PIECES = ["foo", "bar", "x", "if (a)", "  ", ")", "é", "漢字", "😀", "... ", "ab", "a_b", "- -", "ウ", "a.b*c", "\xa0"]
UNPRINTABLE = ["\t", "\r", "\x01", "\x85", "\u200b", "\x7f"]
COMBINING = ["e\u0301", "\u0301"]
PATTERNS = ["foo", "b", "a", "oo", "漢", "é", "zz", r"a\.b", r"\*c", " ", "ab"]


class Typist:
    """Draws texts and commands; `special` are the pieces of text beside the plain ones.

    Unprintable and combining characters are never drawn together: Vim shows a control character that is followed by a
    combining one as `<01>`, in more cells than it reckons with.
    """

    def __init__(self, seed: int):
        self._random = random.Random(seed)
        self._special = COMBINING if seed % 3 == 0 else UNPRINTABLE

    def screen_size(self) -> tuple[int, int]:
        """Rows and columns."""
        return self._random.choice([(8, 40), (6, 30), (12, 61), (24, 80), (7, 25)])

    def file(self) -> bytes | None:
        """The content of a file; None for one that does not exist."""
        kind = self._random.random()
        if kind < 0.18:
            return None if kind < 0.08 else b"" if kind < 0.14 else b"\n"
        lines = [self._line() for _ in range(self._random.choice([1, 2, 3, 5, 8, 20, 60]))]
        if self._special is COMBINING:
            lines[0] = (
                "x" + lines[0]
            )  # opening a file whose first character is a blank that carries an accent: not as Vim
        return ("\n".join(lines) + ("\n" if self._random.random() < 0.8 else "")).encode()

    def _line(self) -> str:
        longest = self._random.choices([0, 4, 30, 90], [15, 55, 25, 5])[0]
        pieces = PIECES + self._special
        return "".join(
            self._random.choice(pieces) + self._random.choice(["", " "])
            for _ in range(self._random.randint(longest // 2, longest))
        )

    def keys(self, at_least: int) -> np.ndarray:
        """Whole commands, from normal mode to normal mode."""
        keys: list[int] = []
        while len(keys) < at_least:
            keys += self._command()
        return np.array(keys, np.uint16)

    def _command(self) -> list[int]:
        kind = self._random.random()
        choose = self._random.choice
        count = list(choose([b"2", b"3", b"5", b"12", b"25"])) if self._random.random() < 0.25 else []
        if kind < 0.35:
            motion = choose([*b"hjklhjkl0$^wbG", *ARROWS, ord("g")])
            if motion in (ord("0"), ord("^")):
                return [motion]
            return [*count, motion, motion] if motion == ord("g") else [*count, motion]
        if kind < 0.42:
            return [*count, choose(b"ft"), *choose("abxo .)\té漢(").encode()]
        if kind < 0.53:
            command = f":{self._random.randint(0, 70)}" if kind < 0.47 else "/" + choose(PATTERNS)
            return [*command.encode(), 0x0D]
        if kind < 0.72:
            return [*count, *choose([b"x", b"X", b"dd", b"dw", b"yy", b"p", b"P"])]
        if kind < 0.77:
            return [choose(b"DJ")]
        if kind < 0.83:
            others = [b"\x1b", b":set noeol\r", b":set eol\r", b":w\r", b":wx\x7f\r", b":1\x1b", b"/a\x1b", b":\x7f"]
            return [*choose(others)]
        inserted = [key for _ in range(choose([0, 1, 3, 8, 20, 60])) for key in self._insert_key()]
        return [*choose([b"i", b"a", b"I", b"A", b"o", b"O", b"cw", b"cc", b"2cc", b"2cw"]), *inserted, 0x1B]

    def _insert_key(self) -> list[int]:
        kind = self._random.random()
        choose = self._random.choice
        if kind < 0.6:
            special = ["\u0301"] if self._special is COMBINING else ["\t"]
            return [*choose(["foo", "bar", "x", "if (a)", "é", "漢", "字", "y", " ", "(", ")", *special]).encode()]
        if kind < 0.7:
            return [0x0D]
        if kind < 0.82:
            return [0x7F]
        if kind < 0.95 or self._special is COMBINING:
            return [choose([*ARROWS, Key.HOME, Key.END, Key.DELETE])]
        return [0x16, choose([1, 3, 9, 13, 27, 127])]


def keys_of(text: str) -> np.ndarray:
    """The actions that type `text`."""
    return from_bytes(text.encode())
