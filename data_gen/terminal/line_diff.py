"""How many lines git says that a change adds and removes: the difference of two texts as git's xdiff finds it.

It is Myers' algorithm in linear space (An O(ND) Difference Algorithm and Its Variations, 1986), which alone would find
the fewest lines. Git saves time where that is dear, and so finds a few more: lines that occur often amid lines that the
other text lacks are not compared at all, and a search that has become long is cut short.
"""

from collections import defaultdict
from typing import NamedTuple

import numpy as np

from data_gen.kernel import inner_kernel, kernel

MAX_LINES = (1 << 16) - 4
"""The lines of two texts together, above which git's search has further ways to be cut short."""

_FREQUENT_WINDOW = 100  # lines before and after a frequent one that decide whether it is compared
_MAX_COST = 256  # changes after which the search for the shortest path is cut short
_FAR = np.iinfo(np.int64).max

_ABSENT, _ORDINARY, _FREQUENT = 0, 1, 2


class LineChanges(NamedTuple):
    """How many lines a change adds and removes."""

    added: int
    removed: int


class _Box(NamedTuple):
    """Lines [old_start, old_end) of the old text against lines [new_start, new_end) of the new one."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int


class _Reach(NamedTuple):
    """How far into the old text the search has come on each diagonal (old line - new line), from both ends."""

    forward_K: np.ndarray  # int64, diagonal d at d + zero
    backward_K: np.ndarray
    zero: int


def count_line_changes(old: bytes, new: bytes) -> LineChanges:
    """What `git diff --numstat` prints for two texts, of at most `MAX_LINES` together."""
    old_N, new_M, lines = _number_lines(old, new)
    common = int(_count_common(old_N, new_M, len(lines)))
    return LineChanges(len(new_M) - common, len(old_N) - common)


def count_kept_bytes(old: bytes, new: bytes) -> int:
    """The bytes of whole lines that both texts have, wherever; a return before the newline is not counted."""
    start = old.rfind(b"\n", 0, _common_start(old, new)) + 1
    end = _common_start(old[start:][::-1], new[start:][::-1])
    tail = old[len(old) - end :]
    tail = tail[tail.find(b"\n") + 1 :] if b"\n" in tail else b""
    old_N, new_M, lines = _number_lines(old[start : len(old) - len(tail)], new[start : len(new) - len(tail)])
    counts_V = np.minimum(np.bincount(old_N, minlength=len(lines)), np.bincount(new_M, minlength=len(lines)))
    sizes = [0 if line.endswith(b"\n") else len(line) + 1 - line.endswith(b"\r") for line in lines]
    ends = sum(len(text) - text.count(b"\r\n") for text in (old[:start], tail[: tail.rfind(b"\n") + 1]))
    return ends + int(counts_V @ np.array(sizes, np.int64))


def _common_start(old: bytes, new: bytes) -> int:
    """The size of the longest common start."""
    size = min(len(old), len(new))
    if size == 0:  # numpy takes no empty buffer
        return 0
    differs = np.frombuffer(old, np.uint8, size) != np.frombuffer(new, np.uint8, size)
    return int(differs.argmax()) if differs.any() else size


def _number_lines(old: bytes, new: bytes) -> tuple[np.ndarray, np.ndarray, list[bytes]]:
    """The lines of both texts as int64 numbers, equal where the lines are, and the line of each number."""
    numbers: defaultdict[bytes, int] = defaultdict()
    numbers.default_factory = numbers.__len__
    arrays = [np.fromiter(map(numbers.__getitem__, _split(text)), np.int64) for text in (old, new)]
    return arrays[0], arrays[1], list(numbers)


def _split(text: bytes) -> list[bytes]:
    """The lines of `text` without their newlines; one that lacks it has one, as it equals none that does not."""
    lines = text.split(b"\n")
    last = lines.pop()
    return [*lines, last + b"\n"] if last else lines


@kernel
def _count_common(old_N: np.ndarray, new_M: np.ndarray, num_lines: int) -> int:
    """How many lines stay."""
    start, old_end, new_end = 0, old_N.shape[0], new_M.shape[0]
    while start < min(old_end, new_end) and old_N[start] == new_M[start]:
        start += 1
    while min(old_end, new_end) > start and old_N[old_end - 1] == new_M[new_end - 1]:
        old_end -= 1
        new_end -= 1
    common = start + old_N.shape[0] - old_end
    if start == min(old_end, new_end):
        return common
    old_compared = _compared_lines(old_N, start, old_end, _frequencies(new_M, num_lines))
    new_compared = _compared_lines(new_M, start, new_end, _frequencies(old_N, num_lines))
    return common + _count_matches(old_compared, new_compared)


@inner_kernel
def _frequencies(lines_N: np.ndarray, num_lines: int) -> np.ndarray:
    counts_V = np.zeros(num_lines, np.int64)
    for line in lines_N:
        counts_V[line] += 1
    return counts_V


@inner_kernel
def _rough_root(number: int) -> int:
    """The power of two above the square root, as git has it."""
    root = 1
    while number > 0:
        root *= 2
        number //= 4
    return root


@inner_kernel
def _compared_lines(lines_N: np.ndarray, start: int, end: int, frequencies_V: np.ndarray) -> np.ndarray:
    """The lines of [start, end) that are worth a comparison; `frequencies_V` counts the lines of the other text."""
    frequent = _rough_root(lines_N.shape[0])
    kinds = np.empty(end - start, np.uint8)
    for i in range(end - start):
        frequency = frequencies_V[lines_N[start + i]]
        kinds[i] = _ABSENT if frequency == 0 else _FREQUENT if frequency >= frequent else _ORDINARY
    compared = np.empty(end - start, np.int64)
    size = 0
    for i in range(end - start):
        if kinds[i] == _ORDINARY or (kinds[i] == _FREQUENT and not _is_amid_absent(kinds, i)):
            compared[size] = lines_N[start + i]
            size += 1
    return compared[:size]


@inner_kernel
def _is_amid_absent(kinds: np.ndarray, at: int) -> bool:
    """Whether the frequent line is in a run, without ordinary lines, of which more than three quarters are absent."""
    absent, frequent = 0, 2
    for step in (-1, 1):
        absent_before = absent
        i = at + step
        while 0 <= i < kinds.shape[0] and abs(i - at) <= _FREQUENT_WINDOW and kinds[i] != _ORDINARY:
            if kinds[i] == _ABSENT:
                absent += 1
            else:
                frequent += 1
            i += step
        if absent == absent_before:
            return False
    return absent > 3 * frequent


@inner_kernel
def _count_matches(old_N: np.ndarray, new_M: np.ndarray) -> int:
    """How many lines stay, of those that are compared: boxes are split until one side of each is empty."""
    size = old_N.shape[0] + new_M.shape[0] + 3
    reach = _Reach(np.empty(size, np.int64), np.empty(size, np.int64), new_M.shape[0] + 1)
    boxes = np.empty((min(old_N.shape[0], new_M.shape[0]) + 2, 5), np.int64)
    boxes[0] = 0, old_N.shape[0], 0, new_M.shape[0], 0
    pending, matches = 1, 0
    while pending > 0:
        pending -= 1
        old_start, old_end, new_start, new_end, shortest = boxes[pending]
        while old_start < old_end and new_start < new_end and old_N[old_start] == new_M[new_start]:
            old_start, new_start, matches = old_start + 1, new_start + 1, matches + 1
        while old_start < old_end and new_start < new_end and old_N[old_end - 1] == new_M[new_end - 1]:
            old_end, new_end, matches = old_end - 1, new_end - 1, matches + 1
        if old_start < old_end and new_start < new_end:
            box = _Box(old_start, old_end, new_start, new_end)
            old, new, low_shortest, high_shortest = _cut(old_N, new_M, box, reach, shortest != 0)
            if old_start < old and new_start < new:
                boxes[pending] = old_start, old, new_start, new, int(low_shortest)
                pending += 1
            if old < old_end and new < new_end:
                boxes[pending] = old, old_end, new, new_end, int(high_shortest)
                pending += 1
    return matches


@inner_kernel
def _cut(old_N: np.ndarray, new_M: np.ndarray, box: _Box, reach: _Reach, shortest: bool) -> tuple[int, int, bool, bool]:
    """Where a path through the box is cut (old line, new line), and whether the shortest path is sought on each side.

    The searches from both ends meet there; or they became dear, unless `shortest`, and one is further than the other.
    """
    low, high = box.old_start - box.new_end, box.old_end - box.new_start
    forward_mid, backward_mid = box.old_start - box.new_start, box.old_end - box.new_end
    odd = (forward_mid - backward_mid) % 2 != 0
    forward_first = forward_last = forward_mid
    backward_first = backward_last = backward_mid
    reach.forward_K[reach.zero + forward_mid] = box.old_start
    reach.backward_K[reach.zero + backward_mid] = box.old_end
    cost = 0
    while True:
        cost += 1
        forward_first, forward_last = _widen(reach.forward_K, reach.zero, forward_first, forward_last, low, high, -1)
        for diagonal in range(forward_last, forward_first - 1, -2):
            old = _go_forward(old_N, new_M, box, reach, diagonal)
            if odd and backward_first <= diagonal <= backward_last and reach.backward_K[reach.zero + diagonal] <= old:
                return old, old - diagonal, True, True
        backward_first, backward_last = _widen(
            reach.backward_K, reach.zero, backward_first, backward_last, low, high, _FAR
        )
        for diagonal in range(backward_last, backward_first - 1, -2):
            old = _go_backward(old_N, new_M, box, reach, diagonal)
            met = forward_first <= diagonal <= forward_last and old <= reach.forward_K[reach.zero + diagonal]
            if met and not odd:
                return old, old - diagonal, True, True
        if not shortest and cost >= _MAX_COST:
            return _furthest(box, reach, forward_first, forward_last, backward_first, backward_last)


@inner_kernel
def _widen(
    reach_K: np.ndarray, zero: int, first: int, last: int, low: int, high: int, unreached: int
) -> tuple[int, int]:
    """The diagonals that the next change can reach: one more at each end, or one less where the box ends."""
    if first > low:
        first -= 1
        reach_K[zero + first - 1] = unreached
    else:
        first += 1
    if last < high:
        last += 1
        reach_K[zero + last + 1] = unreached
    else:
        last -= 1
    return first, last


@inner_kernel
def _go_forward(old_N: np.ndarray, new_M: np.ndarray, box: _Box, reach: _Reach, diagonal: int) -> int:
    """Make the next change on the diagonal and pass the equal lines that follow; return the old line reached."""
    at = reach.zero + diagonal
    old = max(reach.forward_K[at - 1] + 1, reach.forward_K[at + 1])
    while old < box.old_end and old - diagonal < box.new_end and old_N[old] == new_M[old - diagonal]:
        old += 1
    reach.forward_K[at] = old
    return old


@inner_kernel
def _go_backward(old_N: np.ndarray, new_M: np.ndarray, box: _Box, reach: _Reach, diagonal: int) -> int:
    at = reach.zero + diagonal
    old = min(reach.backward_K[at - 1], reach.backward_K[at + 1] - 1)
    while old > box.old_start and old - diagonal > box.new_start and old_N[old - 1] == new_M[old - diagonal - 1]:
        old -= 1
    reach.backward_K[at] = old
    return old


@inner_kernel
def _furthest(
    box: _Box, reach: _Reach, forward_first: int, forward_last: int, backward_first: int, backward_last: int
) -> tuple[int, int, bool, bool]:
    """Where the search that has come further stands."""
    forward, forward_old = -1, -1
    for diagonal in range(forward_last, forward_first - 1, -2):
        old = min(reach.forward_K[reach.zero + diagonal], box.old_end, box.new_end + diagonal)
        if old + old - diagonal > forward:
            forward, forward_old = old + old - diagonal, old
    backward, backward_old = _FAR, _FAR
    for diagonal in range(backward_last, backward_first - 1, -2):
        old = max(reach.backward_K[reach.zero + diagonal], box.old_start, box.new_start + diagonal)
        if old + old - diagonal < backward:
            backward, backward_old = old + old - diagonal, old
    if box.old_end + box.new_end - backward < forward - (box.old_start + box.new_start):
        return forward_old, forward - forward_old, True, False
    return backward_old, backward - backward_old, False, True
