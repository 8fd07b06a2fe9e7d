"""Ways to change a place in a line with Vim's keys, once the cursor is there, and the lines that Vim makes of them."""

import re
import unicodedata

from data_gen.actions import BACKSPACE, CTRL_V, ENTER, Key
from data_gen.replay.edits import Span
from data_gen.replay.motions import Way, counted, first_nonblank, word_end, words_between

_LITERAL = re.compile(r"[\x01-\x08\x0b-\x1f\x7f]")
_DOUBTFUL_CATEGORIES = {"Mn", "Mc", "Me", "Cf", "Cn", "Co"}
_ARABIC, _HANGUL_JAMO = range(0x600, 0x700), range(0x1100, 0x1200)
_MAX_BACKSPACES = 12
_MAX_DELETES = 5
_MAX_LETTERS = 4


def typed(text: str) -> str:
    """The keys that type `text` in Insert mode: Enter for newlines, C-v before control characters, UTF-8 in bytes."""
    return _LITERAL.sub(chr(CTRL_V) + r"\g<0>", text).replace("\n", chr(ENTER)).encode().decode("latin-1")


def is_plain(text: str) -> bool:
    """Whether each codepoint of `text` surely is a character of its own for Vim: nothing combines, joins or is new."""
    return text.isascii() or not any(
        unicodedata.category(character) in _DOUBTFUL_CATEGORIES
        or ord(character) in _ARABIC
        or ord(character) in _HANGUL_JAMO
        for character in text
    )


def joined(first: str, second: str) -> str:
    """The line that `J` makes of two lines."""
    second = second.lstrip(" \t")
    no_blank = not second or not first or second[0] == ")" or first[-1] in " \t"
    return first + second if no_blank else f"{first} {second}"


def deletions(line: str, start: int, end: int) -> list[tuple[int | None, Way]]:
    """Columns to start from, and ways to delete characters [start, end) of `line` from there in Normal mode."""
    count = end - start
    ways = [Way(len(counted(count, "x")) + 2 * (count > 12), counted(count, "x"))]
    if 1 < count <= _MAX_LETTERS:
        ways.append(Way(count, "x" * count))
    if end == len(line):
        ways.append(Way(1, "D"))
    else:
        words = words_between(line, start, end)
        if words:
            ways.append(Way(len(counted(words, "dw")), counted(words, "dw")))
    strokes: list[tuple[int | None, Way]] = [(start, way) for way in ways]
    if end < len(line):
        strokes.append((end, Way(len(counted(count, "X")) + 2 * (count > 12), counted(count, "X"))))
    return strokes


def replacements(line: str, span: Span) -> list[tuple[int | None, Way]]:
    """Columns to start from (None: anywhere), and ways to be in Insert mode with the span's characters gone."""
    start, end, _ = span
    count = end - start
    strokes: list[tuple[int | None, Way]] = []
    if count:
        insert = "i" if end < len(line) or not start else "a"
        strokes += [(at, way.then(Way(1, insert))) for at, way in deletions(line, start, end)]
        if word_end(line, start) == end:
            strokes.append((start, Way(2, "cw")))
        if count <= _MAX_DELETES:
            strokes.append((start, Way(count + 1.5, "i" + chr(Key.DELETE) * count)))
    elif start == first_nonblank(line) and line[start:].strip(" \t"):
        strokes.append((None, Way(1, "I")))
    if count <= _MAX_BACKSPACES:
        back = chr(BACKSPACE) * count
        strokes.append((end, Way(1 + count, "i" + back)) if end < len(line) else (None, Way(1 + count, "A" + back)))
        if end:
            strokes.append((end - 1, Way(1 + count, "a" + back)))
    return strokes
