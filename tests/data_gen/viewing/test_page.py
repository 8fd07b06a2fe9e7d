"""The page's data, unpacked here in Python, are the frames; nothing untrusted is in its HTML."""

import base64
import hashlib
import html.parser
import itertools
import json
import zlib

import numpy as np
import pytest

from data_gen.actions import describe
from data_gen.cells import CURSOR, style_channels
from data_gen.tokenizer import train
from data_gen.viewing.page import page
from data_gen.viewing.paint import characters


class Elements(html.parser.HTMLParser):
    """A page's elements as [name, attributes, text up to the next tag]."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append([tag, dict(attributes), ""])

    def handle_endtag(self, tag):
        self.found.append(["", {}, ""])

    def handle_data(self, data):
        if self.found:
            self.found[-1][2] += data

    def text(self, tag, **attributes):
        return next(text for name, found, text in self.found if name == tag and found.items() >= attributes.items())


def unpack(content):
    return json.loads(zlib.decompress(base64.b64decode(Elements(content.decode()).text("script", id="film"))))


@pytest.fixture
def tokenizer(film):
    return train([np.array([film.action(number) for number in range(film.total)], np.uint16)], 320)


def test_all_frames_can_be_rebuilt(film):
    film.cut(33, 500)
    data = unpack(page(film, None, 1.0))
    rows, columns = data["size"]
    screen = [None] * rows
    for position, frame in enumerate(film):
        changes = data["changes"][position]
        for row, number in zip(changes[::2], changes[1::2], strict=True):
            screen[row] = data["rows"][number]
        cursor = data["cursors"][position]
        assert frame.styles_RxC[tuple(cursor)] >= CURSOR
        for (text, runs), row_C, style_C in zip(screen, frame.codepoints_RxC, frame.styles_RxC, strict=True):
            assert ["" if c == "\0" else c for c in text.ljust(columns)] == characters(row_C)
            assert np.repeat(runs[::2], runs[1::2]).tolist() == (style_C % CURSOR)[: sum(runs[1::2])].tolist()
            assert not (style_C % CURSOR)[sum(runs[1::2]) :].any()
    assert len(data["typed"]) == len(film) and (data["first"], data["total"]) == (33, film.total)
    assert data["colours"][3] == style_channels()[3].tobytes().hex()


def test_the_keys_are_those_typed_with_whole_characters(film):
    data = unpack(page(film, None, 1.0))
    typed = "".join(data["keys"][key][0] for key in data["typed"])
    assert typed == describe([film.action(number) for number in range(film.total)])


def test_commits_and_files_are_counted_from_the_first_frame(film):
    second = film.commits[1]
    film.cut(second.frame - 5, 40)
    data = unpack(page(film, None, 1.0))
    assert data["commits"] == [[0, 1, film.commits[0].id], [5, 2, second.id]]
    assert [frame for frame, _ in data["files"]] == sorted(frame for frame, _ in data["files"])
    for frame, path in data["files"]:
        assert film.path(film.first + frame) == path


def test_tokens_are_the_tokenizers(film, tokenizer):
    film.cut(100, 300)
    data = unpack(page(film, tokenizer, 1.0))
    starts, numbers = data["tokenAt"]
    described = [data["tokens"][number] for number in numbers]
    for start, end, text in zip(starts, starts[1:], described, strict=False):
        assert text == describe([film.action(100 + position) for position in range(start, end)])
    borders = [film.first + start for start in starts]
    assert {64 * record for record in range(2, 7)} <= set(borders), "records are tokenised alone"
    assert any(end - start > 1 for start, end in itertools.pairwise(starts))
    assert "tokens" not in unpack(page(film, None, 1.0))


def test_nothing_untrusted_is_html_and_the_policy_allows_only_the_pages_own_code(film):
    content = page(film, None, 1.0)
    assert content == page(film, None, 1.0)
    text = content.decode()
    assert "owned" not in text and "hostile" not in text and "http:" not in text and "https:" not in text
    elements = Elements(text)
    policy = next(found["content"] for tag, found, _ in elements.found if "http-equiv" in found)
    assert policy.startswith("default-src 'none'; ")
    for kind, own in (("script", elements.text("script", type="module")), ("style", elements.text("style"))):
        digest = base64.b64encode(hashlib.sha256(own.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}';" in policy
    for tag, attributes, _ in elements.found:
        assert not {name for name in attributes if name.startswith("on") or name in ("src", "href", "style")}, tag
    script = elements.text("script", type="module")
    assert not any(word in script for word in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval("))
