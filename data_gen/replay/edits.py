"""The difference of two texts as a list of small edits in document order, the way a person would make them."""

import bisect
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import fast_diff_match_patch
from rapidfuzz.distance import Indel

_SIMILAR = 0.55
_LOOK_AHEAD = 4
_MAX_INDEL_CELLS = 1 << 27
_MAX_LINE_DIFF = 20_000
_SHORT_REST = 3


class Span(NamedTuple):
    """Characters [start, end) of a line, in codepoints, become `text`."""

    start: int
    end: int
    text: str


class Edit(NamedTuple):
    """Lines [start, end) of the old text become `lines`.

    Where one line becomes a similar one, or is broken in two, `spans` says how, from left to right; otherwise it is
    empty.
    """

    start: int
    end: int
    lines: list[str]
    spans: tuple[Span, ...]


class _Match(NamedTuple):
    """Lines [old, old + size) of the old text stay as lines [new, new + size) of the new text."""

    old: int
    new: int
    size: int


def split_lines(text: str) -> tuple[list[str], bool]:
    """The lines of `text` without their newlines, and whether the last one ends in a newline; no text is no lines."""
    if not text:
        return [], True
    lines = text.split("\n")
    if lines[-1]:
        return lines, False
    return lines[:-1], True


def edit_lines(old: Sequence[str], new: Sequence[str]) -> list[Edit]:
    """The edits that turn the lines `old` into the lines `new`, in document order."""
    edits: list[Edit] = []
    i = j = 0
    for match in _matches(old, new):
        if match.old - i and match.new - j:
            edits.extend(_gap_edits(old, new, (i, match.old), (j, match.new)))
        elif match.old - i or match.new - j:
            before = edits[-1].end if edits else 0
            edits.append(_slide(old, Edit(i, match.old, list(new[j : match.new]), ()), before, match.old + match.size))
        i, j = match.old + match.size, match.new + match.size
    return edits


def edit_spans(old: str, new: str) -> tuple[Span, ...]:
    """The spans that turn the line `old` into `new`, from left to right; no two of them touch.

    What is taken off the indentation is taken off its start.
    """
    if len(old) + len(new) > _MAX_LINE_DIFF:
        return _middle_span(old, new)
    spans: list[Span] = []
    for span in _raw_spans(old, new):
        if spans and span.start - spans[-1].end < _SHORT_REST:
            before = spans.pop()
            text = before.text + old[before.end : span.start] + span.text
            span = Span(before.start, span.end, text)
        spans.append(span)
    if spans and not spans[0].text and old[: spans[0].end] == old[0] * spans[0].end:
        spans[0] = Span(0, spans[0].end - spans[0].start, "")
    return tuple(spans)


def _raw_spans(old: str, new: str) -> Iterator[Span]:
    i = j = start = new_start = 0
    for operation, length in [*fast_diff_match_patch.diff(old, new, cleanup="Semantic"), ("=", 0)]:
        if operation == "-":
            i += length
        elif operation == "+":
            j += length
        else:
            if i > start or j > new_start:
                yield Span(start, i, new[new_start:j])
            i, j = i + length, j + length
            start, new_start = i, j


def _middle_span(old: str, new: str) -> tuple[Span, ...]:
    """One span between the common start and the common end of two very long lines."""
    shorter = min(len(old), len(new))
    start = bisect.bisect_left(range(shorter), True, key=lambda n: old[: n + 1] != new[: n + 1])
    rest = shorter - start
    tail = bisect.bisect_left(range(rest), True, key=lambda n: old[len(old) - n - 1 :] != new[len(new) - n - 1 :])
    return (Span(start, len(old) - tail, new[start : len(new) - tail]),) if old != new else ()


def _matches(old: Sequence[str], new: Sequence[str]) -> Iterator[_Match]:
    """The runs of lines that stay, in order; the last one is empty and ends both texts."""
    shorter = min(len(old), len(new))
    prefix = next((n for n in range(shorter) if old[n] != new[n]), shorter)
    suffix = next((n for n in range(shorter - prefix) if old[-1 - n] != new[-1 - n]), shorter - prefix)
    yield _Match(0, 0, prefix)
    numbers: dict[str, int] = {}
    old_numbers = [numbers.setdefault(line, len(numbers)) for line in old[prefix : len(old) - suffix]]
    new_numbers = [numbers.setdefault(line, len(numbers)) for line in new[prefix : len(new) - suffix]]
    for match in _number_matches(old_numbers, new_numbers):
        yield _Match(prefix + match.old, prefix + match.new, match.size)
    yield _Match(len(old) - suffix, len(new) - suffix, suffix)


def _number_matches(old: list[int], new: list[int]) -> Iterator[_Match]:
    """A longest common subsequence; of texts too large for one, the best between lines that occur once in both."""
    if len(old) * len(new) <= _MAX_INDEL_CELLS:
        for block in Indel.editops(old, new).as_matching_blocks():
            yield _Match(block.a, block.b, block.size)
        return
    anchors = _unique_anchors(old, new)
    if not anchors:
        return
    i = j = 0
    for a, b in [*anchors, (len(old), len(new))]:
        for match in _number_matches(old[i:a], new[j:b]):
            yield _Match(i + match.old, j + match.new, match.size)
        if a < len(old):
            yield _Match(a, b, 1)
        i, j = a + 1, b + 1


def _unique_anchors(old: list[int], new: list[int]) -> list[tuple[int, int]]:
    """The longest increasing sequence of pairs of places of the numbers that occur once in both."""
    counts_old, counts_new = Counter(old), Counter(new)
    place = {number: j for j, number in enumerate(new) if counts_new[number] == 1}
    pairs = [(i, place[number]) for i, number in enumerate(old) if counts_old[number] == 1 and number in place]
    tails: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for index, (_, j) in enumerate(pairs):
        rank = bisect.bisect_left(tails, j)
        before.append(last[rank - 1] if rank else -1)
        if rank == len(tails):
            tails.append(j)
            last.append(index)
        else:
            tails[rank], last[rank] = j, index
    anchors = []
    index = last[-1] if last else -1
    while index >= 0:
        anchors.append(pairs[index])
        index = before[index]
    return anchors[::-1]


def _slide(old: Sequence[str], edit: Edit, lowest: int, highest: int) -> Edit:
    """The inserted or deleted block moved to where it begins least indented, as far as the text stays the same.

    It may move within the old lines [lowest, highest).
    """
    block = edit.lines or old[edit.start : edit.end]
    size = len(block)
    indents = [len(line) - len(line.lstrip()) if line.strip() else None for line in block]
    ups = downs = 0
    while ups < size and edit.start - ups > lowest and old[edit.start - ups - 1] == block[-1 - ups]:
        ups += 1
    while downs < size and edit.end + downs < highest and old[edit.end + downs] == block[downs]:
        downs += 1

    def looks(shift: int) -> tuple[int, int]:
        turned = indents[shift % size :] + indents[: shift % size]
        return next((indent for indent in turned if indent is not None), 0), abs(shift)

    shift = min(range(-ups, downs + 1), key=looks)
    lines = edit.lines[shift % size :] + edit.lines[: shift % size]
    return Edit(edit.start + shift, edit.end + shift, lines, ())


def _gap_edits(
    old: Sequence[str], new: Sequence[str], old_range: tuple[int, int], new_range: tuple[int, int]
) -> Iterator[Edit]:
    """The edits between two runs of lines that stay: changed lines one by one, and what lies between them."""
    (start, old_end), (new_start, new_end) = old_range, new_range
    i, j = start, new_start
    while i < old_end and j < new_end:
        found = _first_change(old[i : min(i + _LOOK_AHEAD, old_end)], new[j : min(j + _LOOK_AHEAD, new_end)])
        if found is None:
            i, j = i + 1, j + 1
            continue
        (a, old_size), (b, new_size) = found
        i, j = i + a, j + b
        if i > start or j > new_start:
            yield Edit(start, i, list(new[new_start:j]), ())
        lines = list(new[j : j + new_size])
        yield Edit(i, i + old_size, lines, edit_spans(old[i], "\n".join(lines)) if old_size == 1 else ())
        start, new_start = i, j = i + old_size, j + new_size
    if old_end > start or new_end > new_start:
        yield Edit(start, old_end, list(new[new_start:new_end]), ())


def _first_change(old: Sequence[str], new: Sequence[str]) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """The nearest lines that became one another, as (start, size) in either text: a pair, two joined or one broken."""
    old_words, new_words = ["".join(line.split()) for line in old], ["".join(line.split()) for line in new]
    for distance in range(_LOOK_AHEAD):
        for b in range(distance + 1):
            a = distance - b
            if a >= len(old) or b >= len(new):
                continue
            if all(old_words[a : a + 2]) and "".join(old_words[a : a + 2]) == new_words[b] != old_words[a]:
                return (a, 2), (b, 1)
            if all(new_words[b : b + 2]) and "".join(new_words[b : b + 2]) == old_words[a] != new_words[b]:
                return (a, 1), (b, 2)
            if Indel.normalized_similarity(old[a].strip(), new[b].strip(), score_cutoff=_SIMILAR) > 0:
                return (a, 1), (b, 1)
    return None
