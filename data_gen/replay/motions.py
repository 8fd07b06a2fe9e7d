"""Ways to move Vim's cursor from one place to another, each with what it costs a person.

Keys are a `str` with one character per action: character n is action n. Rows count from 1, columns from 0 in
codepoints; a column of None is anywhere in the row. Lines with combining characters have no columns but None.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from data_gen.actions import Key

UP, DOWN = chr(Key.UP), chr(Key.DOWN)
RIGHT, LEFT = chr(Key.RIGHT), chr(Key.LEFT)
_MAX_REPEATS = 5
_MAX_WORD_DISTANCE = 120
_MAX_FIND_COUNT = 4
_NEAR = 2.4
_WORD = re.compile(r"[0-9A-Za-z_]+|[^0-9A-Za-z_ \t]+")
_NAME = re.compile(r"[A-Za-z_][0-9A-Za-z_]{2,15}")


class Way(NamedTuple):
    """Keys that reach a place; the cost is their number and what a person holds against them."""

    cost: float
    keys: str

    def then(self, way: "Way") -> "Way":
        """This way, and `way` after it."""
        return Way(self.cost + way.cost, self.keys + way.keys)


def counted(count: int, key: str) -> str:
    """`key` with its count, which is left out when it is 1."""
    return key if count == 1 else f"{count}{key}"


def first_nonblank(line: str) -> int:
    """The column of `^`: the first character that is no space and no tab, or else the last character."""
    return min(len(line) - len(line.lstrip(" \t")), max(len(line) - 1, 0))


def row_ways(row: int, target: int, last: int) -> tuple[list[Way], list[Way]]:
    """The ways to another row: those that leave the column unknown, and those that lead to `^`."""
    distance = abs(target - row)
    letter, arrow = ("j", DOWN) if target > row else ("k", UP)
    steps = [Way(len(str(distance)) + 1 + (distance > 40), counted(distance, letter))]
    if 1 < distance <= _MAX_REPEATS:
        steps.append(Way(distance, letter * distance))
    if distance <= _MAX_REPEATS:
        steps.append(Way(distance + 0.5, arrow * distance))
    jumps = [Way(len(str(target)) + 2, f":{target}\r"), Way(len(str(target)) + 1.5, f"{target}G")]
    if target == 1:
        jumps.append(Way(1.5, "gg"))
    if target == last:
        jumps.append(Way(1, "G"))
    return steps, jumps


def column_ways(line: str, column: int | None, target: int | None) -> list[Way]:
    """The ways to column `target` within `line`, from `column`."""
    if target is None or target == column:
        return [Way(0, "")]
    ways: list[Way] = []
    if column is not None:
        ways += _relative_ways(line, column, target)
        if min(way.cost for way in ways) < _NEAR:
            return ways
    for start, key in ((0, "0"), (first_nonblank(line), "^"), (len(line) - 1, "$")):
        if start == target:
            ways.append(Way(1, key))
        elif key != "$" or start - target < _MAX_WORD_DISTANCE:
            ways += [Way(way.cost + 1.2, key + way.keys) for way in _relative_ways(line, start, target)]
    return ways


def words_between(line: str, start: int, end: int) -> int:
    """How many `w` lead from `start` to `end`, 0 if they do not: only ASCII is looked at, `end` must begin a word."""
    if end - start > _MAX_WORD_DISTANCE or not line[start : end + 1].isascii():
        return 0
    places = [word.start() for word in _WORD.finditer(line, start, end + 1)]
    if not places or places[-1] != end:
        return 0
    return len(places) - (places[0] == start)


def word_end(line: str, start: int) -> int | None:
    """Where the word or the punctuation under `start` ends (exclusive); None on a blank or beside what is not ASCII."""
    word = _WORD.match(line, start)
    if word is None or not line[start : word.end() + 1].isascii():
        return None
    return word.end()


def search_words(line: str, column: int | None) -> list[str]:
    """Words of `line`, or their starts, to search for on the way to `column`: the nearest ones, or else the first."""
    if not line.isascii():
        return []
    names = [(match.start(), match[0]) for match in _NAME.finditer(line, 0, _MAX_WORD_DISTANCE)]
    if column is not None:
        names.sort(key=lambda name: abs(name[0] - column))
    return [word for _, word in names[:2]]


def _relative_ways(line: str, column: int, target: int) -> Iterator[Way]:
    distance = abs(target - column)
    letter, arrow = ("l", RIGHT) if target > column else ("h", LEFT)
    yield Way(len(str(distance)) + 1 + (0.5 if distance < 10 else 2), counted(distance, letter))
    if distance <= _MAX_REPEATS:
        yield Way(distance, letter * distance)
        yield Way(distance + 0.5, arrow * distance)
    if target < column:
        yield from _repeated(_words_back(line, column, target), "b")
        return
    yield from _repeated(words_between(line, column, target), "w")
    if " " <= line[target] <= "~":
        count = line.count(line[target], column + 1, target + 1)
        if count <= _MAX_FIND_COUNT:
            yield Way(2.3 + 1.2 * (count > 1), counted(count, "f") + line[target])
    if distance > 1 and target + 1 < len(line) and " " <= line[target + 1] <= "~":
        count = line.count(line[target + 1], column + 1, target + 2)
        if count == 1:
            yield Way(2.5, "t" + line[target + 1])


def _words_back(line: str, column: int, target: int) -> int:
    if column - target > _MAX_WORD_DISTANCE or not line[max(target - 1, 0) : column + 1].isascii():
        return 0
    if target and words_between(line, target - 1, target) != 1:
        return 0
    places = [word.start() for word in _WORD.finditer(line, target, column)]
    return len(places) if places and places[0] == target else 0


def _repeated(count: int, key: str) -> Iterator[Way]:
    if count:
        yield Way(len(str(count)) + 1 + (count > 5), counted(count, key))
    if 1 < count <= _MAX_REPEATS:
        yield Way(count, key * count)
