"""The count of added and removed lines, against git's."""

import os
import pathlib
import random
import subprocess

import pytest

from data_gen.terminal.line_diff import LineChanges, count_kept_bytes, count_line_changes

Pair = tuple[bytes, bytes]


def counts_of_git(pairs: list[Pair], folder: pathlib.Path) -> list[LineChanges]:
    """What one `git diff --numstat` says of every pair."""
    for side in (0, 1):
        (folder / str(side)).mkdir()
        for number, pair in enumerate(pairs):
            (folder / str(side) / f"{number:06}").write_bytes(pair[side])
    command = ["git", "diff", "--no-index", "--numstat", "--no-renames", "0", "1"]
    environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    output = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, check=False).stdout
    counts = [LineChanges(0, 0)] * len(pairs)
    for line in output.splitlines():
        added, removed, path = line.split(b"\t")
        counts[int(path.rpartition(b"/")[2].removesuffix(b"}"))] = LineChanges(int(added), int(removed))
    return counts


def text(lines: list[int], rng: random.Random) -> bytes:
    return b"\n".join(b"%d" % line for line in lines) + rng.choice([b"\n", b"\n", b"\n", b""])


def random_pair(rng: random.Random) -> Pair:
    """Two texts of a few different lines."""
    kinds = rng.choice([1, 2, 3, 5, 20])
    old, new = ([rng.randrange(kinds) for _ in range(rng.randrange(40))] for _ in range(2))
    return text(old, rng), text(new, rng)


def edited_pair(rng: random.Random, size: int) -> Pair:
    """A text like source code, with blank and repeated lines, and what some edits make of it."""
    shares = [rng.random() * 0.6, rng.random() * 0.3]

    def line() -> int:
        draw = rng.random()
        return 0 if draw < shares[0] else rng.randrange(1, 8) if draw < sum(shares) else rng.randrange(8, 8 + 4 * size)

    old = [line() for _ in range(rng.randrange(size))]
    new = list(old)
    for _ in range(rng.choice([1, 3, 10, size // 5])):
        start = rng.randrange(len(new) + 1)
        block = new[start : start + rng.choice([1, 2, 5, 1 + size // 8])]
        kind = rng.randrange(4)
        if kind < 3:
            del new[start : start + len(block)]
        if kind == 1:
            block = [line() for _ in block]
        if kind:
            at = start if kind == 1 else rng.randrange(len(new) + 1)
            new[at:at] = block
    return text(old, rng), text(new, rng)


def expensive_pair(rng: random.Random) -> Pair:
    """Thousands of changed lines, with islands in common: the search for the shortest path is cut."""
    size = rng.choice([800, 2500, 6000])
    kinds = rng.choice([60, 400, 3000])
    old = [rng.randrange(kinds) for _ in range(size)]
    new = [rng.randrange(kinds) if rng.random() < rng.choice([0.5, 0.95]) else line for line in old]
    for _ in range(rng.randrange(12)):
        length, start, at = rng.randrange(15, 120), rng.randrange(size), rng.randrange(size)
        new[at : at + length] = old[start : start + length]
    if rng.random() < 0.3:
        third = size // 3
        new = new[third:] + new[:third]
    return text(old, rng), text(new, rng)


def frequent_pair(rng: random.Random) -> Pair:
    """Long runs of lines that the other text lacks, amid which are lines that it has often."""
    size, often, shared = rng.randrange(200, 900), rng.uniform(0.15, 0.35), rng.choice([0.0, 0.003, 0.02])
    sides = []
    for side in (0, 1):
        draws = [rng.random() for _ in range(size)]
        unlike = range(1000 + side, 1000 + 2 * size, 2)
        kinds = [0 if d < often else rng.randrange(1, 99) if d < often + shared else -1 for d in draws]
        sides.append([own if kind < 0 else kind for kind, own in zip(kinds, unlike, strict=False)])
    return text(sides[0], rng), text(sides[1], rng)


@pytest.mark.parametrize(
    ("make", "number"),
    [
        (random_pair, 1000),
        (lambda rng: edited_pair(rng, 30), 1000),
        (lambda rng: edited_pair(rng, 400), 400),
        (lambda rng: edited_pair(rng, 3000), 40),
        (expensive_pair, 15),
        (frequent_pair, 150),
    ],
    ids=["random", "short", "source", "long", "expensive", "frequent"],
)
def test_lines_are_counted_as_git_counts_them(make, number, tmp_path):
    rng = random.Random(number)
    pairs = [make(rng) for _ in range(number)]
    expected = counts_of_git(pairs, tmp_path)
    wrong = [n for n, pair in enumerate(pairs) if count_line_changes(*pair) != expected[n]]
    assert not wrong


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"", b""),
        (b"", b"\n"),
        (b"", b"a"),
        (b"a", b"a\n"),
        (b"a\r\nb\r\n", b"a\nb\r\n"),
        (b"a\r\nb", b"a\rb\n"),
        (b"\n\n\n", b"\n"),
    ],
)
def test_line_ends_count(old, new, tmp_path):
    assert [count_line_changes(old, new), count_line_changes(new, old)] == counts_of_git(
        [(old, new), (new, old)], tmp_path
    )


def test_kept_bytes_are_those_of_whole_lines_wherever_they_are():
    assert count_kept_bytes(b"a\nbc\nbc\r\nd", b"bc\r\nbc\nx\na\nd") == 2 + 3 + 3
    assert count_kept_bytes(b"a\na\nb\n", b"a\nb\nb\n") == 4
    assert count_kept_bytes(b"", b"a\n") == 0
    assert count_kept_bytes(b"a\r\nx\nb\r\nc", b"a\r\ny\nb\r\nc") == 2 + 2
    assert count_kept_bytes(b"xa\nb\n", b"ya\nb\n") == 2
