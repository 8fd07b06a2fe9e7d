"""An asciicast, played on another terminal emulator, shows every frame."""

import json

import numpy as np
import pyte
from hypothesis import given
from hypothesis import strategies as st

from data_gen.actions import ENTER
from data_gen.cells import CURSOR, style_channels
from data_gen.viewing.asciicast import asciicast
from data_gen.viewing.film import milliseconds
from data_gen.viewing.paint import ansi, characters


class Screen(pyte.Screen):
    """Also knows the colours of each cell, and which cells are the right half of a character."""

    def cells(self):
        return [
            [(cell.data, cell.fg + cell.bg) for cell in (self.buffer[row][column] for column in range(self.columns))]
            for row in range(self.lines)
        ]


def expected_cells(codepoints_RxC, styles_RxC):
    channels = style_channels()
    return [
        [(text, channels[style].tobytes().hex()) for text, style in zip(characters(row_C), style_C, strict=True)]
        for row_C, style_C in zip(codepoints_RxC, styles_RxC, strict=True)
    ]


def without_right_halves(cells):
    """Their colours are those of the left half, whatever a frame says."""
    return [[cell for cell in row if cell[0]] for row in cells]


def test_every_frame_appears_with_its_cursor_at_its_time(film):
    film.cut(7, 900)
    header, *events = map(json.loads, asciicast(film, 2.0).splitlines())
    assert header == {"version": 2, "width": 44, "height": 10, "title": "hostile"}
    screen = Screen(44, 10)
    stream = pyte.Stream(screen)
    markers = [event for event in events if event[1] == "m"]
    events = [event for event in events if event[1] == "o"]
    remaining, elapsed, before = iter(events), 0, None
    for number, action, codepoints_RxC, styles_RxC in film:
        if before is None or (codepoints_RxC != before[0]).any() or (styles_RxC != before[1]).any():
            seconds, _, output = next(remaining)
            assert seconds == elapsed / 2000, number
            stream.feed(output)
        before = codepoints_RxC, styles_RxC
        row, column = np.argwhere(styles_RxC >= CURSOR)[0]
        assert (screen.cursor.y, screen.cursor.x) == (row, column), number
        assert without_right_halves(screen.cells()) == without_right_halves(
            expected_cells(codepoints_RxC, styles_RxC & (CURSOR - 1))
        ), number
        elapsed += milliseconds(action)
    assert list(remaining) == []
    assert [label.split()[1] for _, _, label in markers] == ["2", "3"]
    assert screen.title == ""


def test_only_what_changes_is_sent_and_markers_are_at_their_commits(film):
    content = asciicast(film, 1.0)
    assert content == asciicast(film, 1.0)
    lines = [json.loads(line) for line in content.splitlines()[1:]]
    assert len(content) < len(film) * 160
    second = film.commits[1]
    elapsed = sum(milliseconds(film.action(number)) for number in range(second.frame)) / 1000
    assert [elapsed, "m", f"commit 2 {second.id[:7]}"] in lines
    assert [time for time, *_ in lines] == sorted(time for time, *_ in lines)


def test_enter_takes_longer_than_a_letter():
    assert milliseconds(ENTER) > milliseconds(ord("a")) > milliseconds(0x80) == 0


TEXTS = st.lists(st.sampled_from(["a", "b", " ", "é", "漢", "🙂", "\x1b", "\u0301"]), min_size=0, max_size=12)


def as_row(texts):
    """The cells of a row of 12."""
    cells = []
    for text in texts:
        cells += [ord(text), 0] if text in "漢🙂" else [ord(text)]
    cells = cells[:12]
    return np.array(cells + [0x20] * (12 - len(cells)), np.uint32)[None]


@given(st.lists(st.tuples(TEXTS, st.integers(0, 3)), min_size=2, max_size=6))
def test_changes_lead_from_any_row_to_any_other(rows):
    screen = Screen(12, 1)
    stream = pyte.Stream(screen)
    before = None
    for texts, style in rows:
        row_1xC = as_row(texts)
        styles_1xC = np.where(np.arange(12) % 5 < 2, style, 0).astype(np.uint8)[None]
        stream.feed(ansi(row_1xC, styles_1xC, before))
        before = row_1xC, styles_1xC
        expected = [[text for text in characters(row_1xC[0]) if text]]
        assert [[data for data, _ in row if data] for row in screen.cells()] == expected
