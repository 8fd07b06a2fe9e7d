"""The page in a real browser: what it shows after clicks and keys are the decoded frames, and it asks for nothing."""

import json

import chromium
import numpy as np
import pytest
from chromium import browser

from data_gen.actions import describe
from data_gen.cells import CURSOR
from data_gen.tokenizer import train
from data_gen.viewing.page import page
from data_gen.viewing.paint import characters

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(chromium.PROGRAM is None, reason="chromium is missing"),
]

SHOWN = "[...document.querySelectorAll('#screen > div')].map((line) => line.textContent)"
NUMBER = "Number(document.querySelector('#number').value)"


@pytest.fixture
def tokenizer(film):
    return train([np.array([film.action(number) for number in range(film.total)], np.uint16)], 320)


@pytest.fixture
def opened(film, tokenizer, tmp_path):
    """The page of all frames in a browser, at its first frame."""
    (tmp_path / "page.html").write_bytes(page(film, tokenizer, 1.0))
    with browser() as opened:
        opened.open(tmp_path / "page.html")
        opened.wait_until("document.title === 'hostile'")
        yield opened
        assert opened.complaints == []
        assert opened.requests == [(tmp_path / "page.html").as_uri()]


def assert_shows(opened, film, number):
    """The frame with this number, with its cursor, the action that follows and where in the history it is."""
    assert opened.evaluate(NUMBER) == number
    frame = film.frame(number)
    assert opened.evaluate(SHOWN) == ["".join(characters(row_C)) for row_C in frame.codepoints_RxC]
    row, column = divmod(int((frame.styles_RxC >= CURSOR).argmax()), film.columns)
    cursors = "[...document.querySelectorAll('[data-cursor]')]"
    lines = f"{cursors}.map((cell) => [...cell.parentNode.parentNode.children].indexOf(cell.parentNode))"
    assert opened.evaluate(lines) == [row]
    text = characters(frame.codepoints_RxC[row])[column]
    assert opened.evaluate(f"{cursors}[0].textContent") == text
    assert opened.evaluate("document.querySelector('#keys .now').textContent") == key(film, number)
    where = opened.evaluate("document.querySelector('#where').textContent")
    commit = film.commit(number)
    assert where == " · ".join(filter(None, (f"commit {commit.number}", film.path(number))))


def key(film, number):
    """The character that begins to be typed at a frame, a dot where it goes on."""
    actions = [film.action(number)]
    if 0x80 <= actions[0] < 0xC0:
        return "·"
    while actions[0] in range(0xC0, 0x100) and film.action(number + len(actions)) in range(0x80, 0xC0):
        actions.append(film.action(number + len(actions)))
    return describe(actions)


def go_to(opened, number):
    opened.press("g")
    for digit in str(number):
        opened.press(digit)
    opened.press("Enter")


def test_steps_jumps_and_scrubbing_show_the_decoded_frames(opened, film, tokenizer):
    assert_shows(opened, film, 0)
    for _ in range(3):
        opened.click("#next")
    assert_shows(opened, film, 3)
    opened.press("ArrowLeft")
    assert_shows(opened, film, 2)
    for number in (150, 150, 70):
        go_to(opened, number)
        assert_shows(opened, film, number)
    opened.click("nav .commit:nth-of-type(1)")
    assert_shows(opened, film, 0)
    opened.press("n")
    assert_shows(opened, film, film.commits[1].frame)
    opened.press("n")
    assert_shows(opened, film, film.commits[2].frame)
    opened.click("#previous-commit")
    assert_shows(opened, film, film.commits[1].frame)
    files = [file for file in film.files if file.path]
    opened.press("]")
    following = next(file for file in files if file.frame > film.commits[1].frame)
    assert_shows(opened, film, following.frame)
    opened.click("#scrub", across=0.7)
    scrubbed = opened.evaluate(NUMBER)
    assert abs(scrubbed / film.end - 0.7) < 0.05
    assert_shows(opened, film, scrubbed)
    _, starts = film.tokens(tokenizer)
    opened.press("ArrowRight", shift=True)
    assert_shows(opened, film, min(int(start) for start in starts if start > scrubbed))
    opened.click("#previous-token")
    assert_shows(opened, film, max(int(start) for start in starts if start <= scrubbed))
    opened.press("End")
    assert_shows(opened, film, film.end - 1)


def test_every_frame_is_shown_as_decoded(opened, film):
    """Each is stepped to in the page itself; the texts come back at once."""
    script = f"""(() => {{
        const shown = [];
        for (let i = 0; i < {len(film)}; i += 1) {{
            shown.push({SHOWN});
            document.querySelector('#next').click();
        }}
        return shown;
    }})()"""
    shown = opened.evaluate(script)
    assert shown == [["".join(characters(row_C)) for row_C in frame.codepoints_RxC] for frame in film]


def test_it_plays_pauses_and_stops_at_the_end(opened, film):
    for _ in range(6):
        opened.press("+")
    assert opened.evaluate("document.querySelector('#speed').value") == "64"
    opened.press(" ")
    opened.wait_until(f"{NUMBER} > 5")
    opened.click("#play")
    paused = opened.evaluate(NUMBER)
    assert_shows(opened, film, paused)
    assert opened.evaluate("document.querySelector('#play').textContent") == "Play"
    opened.press(" ")
    opened.wait_until(f"{NUMBER} === {film.end - 1}")
    opened.wait_until("document.querySelector('#play').textContent === 'Play'")
    assert_shows(opened, film, film.end - 1)


def test_hostile_text_is_text(opened, film):
    paths = [file.path for file in film.files if file.path]
    assert any("<script>" in path for path in paths)
    buttons = "[...document.querySelectorAll('nav .file')]"
    assert opened.evaluate(f"{buttons}.map((button) => button.textContent)") == paths
    opened.evaluate(f"{buttons}.find((button) => button.textContent.includes('<script>')).click()")
    assert "<script>" in opened.evaluate("document.querySelector('#where').textContent")
    assert opened.evaluate("document.querySelectorAll('script').length") == 2
    assert opened.evaluate("document.querySelectorAll('img').length") == 0
    opened.press("End")
    assert opened.evaluate("document.title") == "hostile"


def test_columns_are_aligned_also_behind_wide_characters(opened, film):
    number = next(n for n in range(film.end) if film.frame(n).codepoints_RxC[0].tolist().count(0) >= 3)
    go_to(opened, number)
    widths = opened.evaluate(
        "[...document.querySelectorAll('#screen > div')].map((line) => "
        "[...line.children].reduce((sum, span) => sum + span.getBoundingClientRect().width, 0))"
    )
    assert max(widths) - min(widths) < 0.5, json.dumps(widths)


def test_colours_are_those_of_the_style_table(opened, film):
    colours = opened.evaluate(
        "[...document.querySelectorAll('#screen > div:last-child span')].map((span) => "
        "[getComputedStyle(span).color, getComputedStyle(span).backgroundColor])"
    )
    assert colours[0] == ["rgb(0, 0, 0)", "rgb(0, 160, 0)"]
