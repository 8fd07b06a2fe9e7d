"""The approximation that tracks no state: each line of the file as the latest diff that covers its region shows it.

This is what the paper supposes that a model can do in parallel over all diffs: "simply repeating non-deleted lines from
the latest diff that appears to start with the current file region to be rendered" (section 8.2.2). Each line is found
by looking at the diffs as they stand; what one diff does to the lines that another shows is never worked out.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.diff_inflate_bench.patches import Hunk, parse_diff

_EDGE = ""
"""The beginning and the end of the file, as lines: every other line has a character."""


class _Shown(NamedTuple):
    """An undeleted line of a diff; `number` is its index in the file after that diff."""

    text: str
    number: int


def last_seen(diffs: Sequence[str], context: int) -> str:
    """The file as `diffs`, made with so many lines of context, seem to leave it.

    The next line is the one that the latest diff shows after the last `context` lines rendered; of several such places
    in that diff, the one whose line number is nearest. A place is too far to be meant if all later diffs together
    could not have moved it so far. No place is taken twice. Without context the line number alone has to do.
    """
    hunks = [parse_diff(diff) for diff in diffs]
    shown = [_by_lines_before(diff_hunks, context, is_first=not number) for number, diff_hunks in enumerate(hunks)]
    shifts = [sum(abs(len(hunk.new) - len(hunk.old)) for hunk in diff_hunks) for diff_hunks in hunks]
    rendered = [_EDGE] * context
    while True:
        number = len(rendered) - context
        before = tuple(rendered[number:])
        reach = 0
        for diff in reversed(range(len(diffs))):
            places = [place for place in shown[diff][before] if abs(place.number - number) <= reach]
            if places:
                break
            reach += shifts[diff] if context else 0
        else:
            break
        nearest = min(places, key=lambda place: abs(place.number - number))
        if nearest.text == _EDGE:
            break
        shown[diff][before].remove(nearest)
        rendered.append(nearest.text)
    return "".join(rendered)


def _by_lines_before(hunks: Sequence[Hunk], context: int, is_first: bool) -> dict[tuple[str, ...], list[_Shown]]:
    """The lines that a diff shows, by the `context` lines that it shows before each; the first shows a whole file."""
    shown = defaultdict(list)
    for hunk in hunks:
        lines = [*hunk.new]
        first = hunk.new_start
        if first == 0:
            lines = [_EDGE] * context + lines
            first -= context
        if hunk.trailing < context or is_first:
            lines.append(_EDGE)
        for index in range(context, len(lines)):
            shown[tuple(lines[index - context : index])].append(_Shown(lines[index], first + index))
    return shown
