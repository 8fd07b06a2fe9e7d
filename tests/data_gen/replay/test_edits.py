"""Edits applied by a few plain lines give the new text, keep as many lines as can be kept, and touch little."""

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.replay import edits
from data_gen.replay.edits import Edit, Span, edit_lines, edit_spans, split_lines

LINES = st.sampled_from(
    ["", "  ", "a", "b", "  a", "\tb", "foo(bar, baz)", "foo(bar)", "bar, baz", "é漢", "}", "return x"]
)
TEXTS = st.lists(LINES, max_size=14)
LONG_TEXTS = st.lists(LINES | st.integers(0, 30).map(str), max_size=60)
WORDS = st.text(st.sampled_from("ab (é漢\U0001f600\u0301"), max_size=24)


def apply_spans(line: str, spans: Sequence[Span]) -> str:
    for start, end, text in reversed(spans):
        line = line[:start] + text + line[end:]
    return line


def apply_edits(old: list[str], changes: Sequence[Edit]) -> list[str]:
    new = list(old)
    for start, end, lines, _ in reversed(changes):
        new[start:end] = lines
    return new


def longest_common_subsequence(a: list[str], b: list[str]) -> int:
    best = [0] * (len(b) + 1)
    for line in a:
        previous = best
        best = [0]
        for j, other in enumerate(b):
            best.append(previous[j] + 1 if line == other else max(previous[j + 1], best[j]))
    return best[-1]


@given(TEXTS, TEXTS)
def test_edits_turn_the_old_text_into_the_new_one(old, new):
    assert apply_edits(old, edit_lines(old, new)) == new


@given(TEXTS, TEXTS)
def test_edits_are_in_order_and_change_something(old, new):
    changes = edit_lines(old, new)
    assert all(a.end <= b.start for a, b in itertools.pairwise(changes))
    assert all(old[edit.start : edit.end] != edit.lines for edit in changes)


@given(TEXTS, TEXTS)
def test_as_many_lines_stay_as_can(old, new):
    changed = sum(edit.end - edit.start for edit in edit_lines(old, new))
    assert len(old) - changed == longest_common_subsequence(old, new)


@given(TEXTS, TEXTS)
def test_spans_say_how_one_line_becomes_the_new_ones(old, new):
    for start, end, lines, spans in edit_lines(old, new):
        if spans:
            assert end == start + 1
            assert apply_spans(old[start], spans) == "\n".join(lines)


@given(WORDS, WORDS)
def test_spans_turn_the_old_line_into_the_new_one(old, new):
    spans = edit_spans(old, new)
    assert apply_spans(old, spans) == new
    assert all(a.end + 3 <= b.start for a, b in itertools.pairwise(spans))
    assert all(old[start:end] != text for start, end, text in spans)


@given(WORDS, WORDS, WORDS)
def test_a_very_long_line_changes_between_its_common_ends(start, end, middle):
    old, new = start + "x" * 20_000 + end, start + "x" * 20_000 + middle + end
    spans = edit_spans(old, new)
    assert apply_spans(old, spans) == new
    assert sum(end - start + len(text) for start, end, text in spans) <= len(middle)


@given(LONG_TEXTS, LONG_TEXTS)
def test_texts_too_large_for_one_table_are_divided(old, new):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(edits, "_MAX_INDEL_CELLS", 50)
        changes = edit_lines(old, new)
    assert apply_edits(old, changes) == new


def test_two_changes_in_a_text_too_large_for_one_table():
    old = [str(n) for n in range(30_000)]
    new = [*old[:10], "x", *old[10:29_000], *old[29_001:]]
    assert edit_lines(old, new) == [Edit(10, 10, ["x"], ()), Edit(29_000, 29_001, [], ())]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", ([], True)),
        ("\n", ([""], True)),
        ("a", (["a"], False)),
        ("a\n", (["a"], True)),
        ("a\n\nb", (["a", "", "b"], False)),
    ],
)
def test_the_final_newline_is_told_apart(text, lines):
    assert split_lines(text) == lines


def test_a_changed_word_is_one_span():
    assert edit_spans("x = old_name(1)", "x = fresh(1)") == (Span(4, 12, "fresh"),)


def test_an_inserted_function_begins_with_its_head():
    old = ["def a():", "  return 1", "", "def c():", "  return 1"]
    new = [*old[:3], "def b():", "  return 1", "", *old[3:]]
    assert edit_lines(old, new)[0].lines[0] in ("def b():", "")


def test_joined_and_broken_lines_are_told():
    assert edit_lines(["f(a,", "  b)"], ["f(a, b)"]) == [Edit(0, 2, ["f(a, b)"], ())]
    assert edit_lines(["f(a, b)"], ["f(a,", "  b)"]) == [Edit(0, 1, ["f(a,", "  b)"], (Span(4, 4, "\n "),))]
