"""The keys with which a person edits a file in Vim, from one version to the next."""

import random
from codecs import BOM_UTF8
from collections import deque

import numpy as np

from data_gen.replay.arrow_hands import ArrowHands
from data_gen.replay.edits import edit_lines, split_lines
from data_gen.replay.vim_hands import VimHands

STYLES = "vim", "arrows"
_MIN_KEYS_TO_SAVE, _SAVE_SHARE = 200, 0.1
_REOPEN_SHARE = 0.25
"""Of the times that a file is saved before it is finished."""


class Typist:
    """Turns versions of files into keys; the same seed and files give the same keys.

    The `style` is "vim", with the commands of Normal mode, or "arrows": Insert mode and arrow keys only.
    """

    def __init__(self, seed: int, max_actions: int = 100_000, style: str = "vim"):
        self._random = random.Random(seed)
        self._max_actions = max_actions
        self._style = style

    def edit(self, old: bytes | None, new: bytes) -> list[np.ndarray] | None:
        """The uint16 actions that turn the file `old` (None: there is none) into `new`, from `vim path⏎` to `:wq⏎`.

        They are in one array for each time that the file is opened. Both are UTF-8 without NUL. None: more than
        `max_actions` would be needed, or `new` lacks the byte order mark of `old`, which no key takes away.
        """
        if old is not None and old.startswith(BOM_UTF8):
            if not new.startswith(BOM_UTF8):
                return None
            old, new = old[len(BOM_UTF8) :], new[len(BOM_UTF8) :]
        old_lines, old_newline = split_lines((old or b"").decode())
        new_lines, new_newline = split_lines(new.decode())
        uses_arrows = self._style == "arrows" and new_lines not in ([], [""])
        hands = ArrowHands(old_lines) if uses_arrows else VimHands(self._random, old_lines)
        sittings: list[np.ndarray] = []
        saved_at = 0
        edits = deque(edit_lines(old_lines, new_lines))
        while edits:
            hands.make(edits)
            if hands.size > self._max_actions:
                return None
            if edits and hands.size - saved_at > _MIN_KEYS_TO_SAVE and self._random.random() < _SAVE_SHARE:
                saved_at = hands.size
                hands.rest()
                if self._random.random() < _REOPEN_SHARE:
                    sittings.append(hands.take())
                    hands.reopen()
                else:
                    hands.press(":w\r")
        hands.rest()
        if old_newline != new_newline:
            hands.press(f":set {'eol' if new_newline else 'noeol'}\r")
        return [*sittings, hands.take()] if hands.size <= self._max_actions else None
