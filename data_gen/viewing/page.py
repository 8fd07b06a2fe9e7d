"""A film as one web page that needs nothing else: to play, scrub and step through by action or token.

What comes from the recording is JSON, compressed and in base64, so that none of it is ever HTML; the page shows it with
`textContent` only. Its policy forbids every request, and every script and style that is not its own.

The JSON has a table of the distinct rows, and for each frame which of them are new where: a screen is a list of
references to rows, and the page can have all frames at hand.
"""

import base64
import hashlib
import itertools
import json
import pathlib
import re
import zlib
from typing import Any

import numpy as np

from data_gen.actions import describe
from data_gen.cells import BLANK, CURSOR, Style, style_channels
from data_gen.tokenizer import Tokenizer
from data_gen.viewing.film import Film, milliseconds
from data_gen.viewing.paint import characters

DEFAULT_FRAMES = 10_000
"""As many as load at once and fit into a few hundred kilobytes."""

_FOLDER = pathlib.Path(__file__).parent
_RIGHT_HALF = "\0"


def page(film: Film, tokenizer: Tokenizer | None, speed: float) -> bytes:
    """The file; it starts to play at `speed`. Without a tokenizer it has no tokens to step by."""
    content = json.dumps(_content(film, tokenizer, speed), separators=(",", ":")).encode()
    parts = {name: (_FOLDER / name).read_text(encoding="utf-8") for name in ("page.css", "page.js")}
    parts |= {f"hash of {name}": _hash(text) for name, text in parts.items()}
    parts["film"] = base64.b64encode(zlib.compress(content, 9)).decode()
    template = (_FOLDER / "page.html").read_text(encoding="utf-8")
    return re.sub(r"\{\{(.*?)\}\}", lambda match: parts[match[1]], template).encode()


def _hash(text: str) -> str:
    """How a content security policy names a script or style."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _content(film: Film, tokenizer: Tokenizer | None, speed: float) -> dict[str, Any]:
    rows, changes, cursors = _screens(film)
    keys, typed = _actions(film)
    content = {
        "name": film.name,
        "size": [film.rows, film.columns],
        "first": film.first,
        "total": film.total,
        "speed": speed,
        "colours": [colours.tobytes().hex() for colours in style_channels()[: len(Style)]],
        "rows": rows,
        "changes": changes,
        "cursors": cursors,
        "keys": keys,
        "typed": typed,
        "commits": _within(film, [(commit.frame, commit.number, commit.id) for commit in film.commits]),
        "files": _within(film, list(film.files)),
    }
    if tokenizer:
        tokens, frames = film.tokens(tokenizer)
        distinct, numbers = np.unique(tokens, return_inverse=True)
        content["tokens"] = [tokenizer.describe(int(token)) for token in distinct]
        content["tokenAt"] = [(frames - film.first).tolist(), numbers.tolist()]
    return content


def _screens(film: Film) -> tuple[list, list[list[int]], list[list[int]]]:
    """The distinct rows; for each frame screen row, row, screen row, row...; and its cursor's row and column."""
    numbers: dict[tuple[bytes, bytes], int] = {}
    rows: list[list] = []
    changes, cursors = [], []
    shown: list[int] = [-1] * film.rows
    for _, _, codepoints_RxC, styles_RxC in film:
        row, column = divmod(int((styles_RxC >= CURSOR).argmax()), film.columns)
        cursors.append([row, column])
        styles_RxC = styles_RxC & (CURSOR - 1)
        change = []
        for row, (row_C, style_C) in enumerate(zip(codepoints_RxC, styles_RxC, strict=True)):
            number = numbers.setdefault((row_C.tobytes(), style_C.tobytes()), len(rows))
            if number == len(rows):
                rows.append(_row(row_C, style_C))
            if number != shown[row]:
                change += [row, number]
                shown[row] = number
        changes.append(change)
    return rows, changes, cursors


def _row(row_C: np.ndarray, style_C: np.ndarray) -> list:
    """Text, one character a cell, and style, cells, style, cells...; both without the plain blanks at the end."""
    used = np.flatnonzero((row_C != BLANK) | (style_C != Style.PLAIN))
    end = int(used[-1]) + 1 if len(used) else 0
    text = "".join(character or _RIGHT_HALF for character in characters(row_C)[:end])
    runs = [(style, len(list(cells))) for style, cells in itertools.groupby(style_C[:end].tolist())]
    return [text, list(itertools.chain.from_iterable(runs))]


def _actions(film: Film) -> tuple[list, list[int]]:
    """The distinct keys as [text, milliseconds], and which of them follows each frame.

    The first byte of a character has the character for text, the others have none.
    """
    actions = [film.action(number) for number in range(film.first, film.end)]
    numbers: dict[tuple[str, int], int] = {}
    typed = []
    for position, action in enumerate(actions):
        text = describe([action])
        if 0xC2 <= action < 0xF5:
            length = 2 + (action >= 0xE0) + (action >= 0xF0)
            text = describe(actions[position : position + length])
        elif 0x80 <= action < 0xC0:
            text = ""
        typed.append(numbers.setdefault((text, milliseconds(action)), len(numbers)))
    return [list(key) for key in numbers], typed


def _within(film: Film, marks: list) -> list[list]:
    """The marks of the film's part, the one that holds at its begin included, with frames counted from there."""
    ends = [mark[0] for mark in marks[1:]] + [film.end]
    return [
        [max(0, frame - film.first), *rest]
        for (frame, *rest), end in zip(marks, ends, strict=True)
        if end > film.first and frame < film.end
    ]
