"""Diffs read and applied."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_NO_NEWLINE = "\\"


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines that take the place of others.

    Lines have their newlines. `start` is the index of the first of `old` in the file before the diff, `new_start` that
    of the first of `new` in the file after it. `trailing` is how many lines at the end stay.
    """

    start: int
    new_start: int
    old: tuple[str, ...]
    new: tuple[str, ...]
    trailing: int


def parse_diff(diff: str) -> list[Hunk]:
    """The hunks of the diff of one file, as `git diff` prints it."""
    lines = diff.split("\n")
    hunks = []
    number = 0
    while number < len(lines):
        header = _HUNK.match(lines[number])
        number += 1
        if header:
            start, old_count, new_start, new_count = (1 if group is None else int(group) for group in header.groups())
            old, new, trailing, number = _parse_body(lines, number, old_count, new_count)
            hunks.append(Hunk(start - (old_count > 0), new_start - (new_count > 0), old, new, trailing))
    return hunks


def apply(lines: Sequence[str], hunks: Sequence[Hunk]) -> list[str]:
    """`lines` after a diff made against them; `ValueError` if it was made against others."""
    applied: list[str] = []
    done = 0
    for hunk in hunks:
        end = hunk.start + len(hunk.old)
        if hunk.start < done or tuple(lines[hunk.start : end]) != hunk.old:
            raise ValueError(f"the hunk at line {hunk.start + 1} does not apply")
        applied += [*lines[done : hunk.start], *hunk.new]
        done = end
    return [*applied, *lines[done:]]


def apply_all(diffs: Sequence[str]) -> str:
    """The file that `diffs` lead to, from nothing."""
    lines: list[str] = []
    for diff in diffs:
        lines = apply(lines, parse_diff(diff))
    return "".join(lines)


def _parse_body(
    lines: Sequence[str], number: int, old_count: int, new_count: int
) -> tuple[tuple[str, ...], tuple[str, ...], int, int]:
    """Both sides of the hunk whose body starts at `lines[number]`, its trailing context and the number after it."""
    old: list[str] = []
    new: list[str] = []
    signs = ""
    while len(old) < old_count or len(new) < new_count or lines[number].startswith(_NO_NEWLINE):
        sign, text = lines[number][0], lines[number][1:] + "\n"
        number += 1
        if sign == _NO_NEWLINE:
            for side, absent in ((old, "+"), (new, "-")):
                if signs[-1] != absent:
                    side[-1] = side[-1].removesuffix("\n")
            continue
        signs += sign
        if sign != "+":
            old.append(text)
        if sign != "-":
            new.append(text)
    return tuple(old), tuple(new), len(signs) - len(signs.rstrip(" ")), number
