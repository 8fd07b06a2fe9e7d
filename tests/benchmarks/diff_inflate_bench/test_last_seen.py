"""The approximation without state, held against what it gives by hand."""

import pytest
from moved_lines import STATES, lines

from benchmarks.diff_inflate_bench.diffs import git_diffs
from benchmarks.diff_inflate_bench.last_seen import last_seen

BY_HAND = {
    3: "t1 t2 t3 t4 a X b r c d r E",
    # The last diff could have moved what the third shows after an `r` to the first `r`, and the third is the latest.
    1: "t1 t2 t3 t4 a X b r E",
    # The lines 1 to 4 of the last diff, 5 to 7 of the first, 8 of the third.
    0: "t1 t2 t3 t4 d r e E",
}


def inflate(states, context):
    encoded = [lines(state).encode() for state in states]
    return last_seen(git_diffs(b"file", 0o100644, encoded, context), context)


@pytest.mark.parametrize("context", BY_HAND)
def test_lines_that_change_and_move(context):
    assert inflate(STATES, context) == lines(BY_HAND[context])


@pytest.mark.parametrize("context", [0, 1, 3])
def test_one_diff_is_a_copy(context):
    assert inflate(["a b a b"], context) == lines("a b a b")


def test_a_deletion_is_seen_with_context_only():
    states = ["a b c d e", "a b d e"]
    assert [inflate(states, context) for context in (3, 1, 0)] == [
        lines("a b d e"), lines("a b d e"), lines("a b c d e"),
    ]  # fmt: skip


def test_lines_that_lead_back_to_themselves_end():
    assert inflate(["a b a b c", "a b a c"], 1) == lines("a b a c")


def test_no_newline_at_the_end():
    diffs = git_diffs(b"file", 0o100644, [b"a\nb", b"a\nb\nc"], 3)
    assert last_seen(diffs, 3) == "a\nb\nc"
