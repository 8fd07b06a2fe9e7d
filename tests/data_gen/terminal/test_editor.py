"""The editor alone: what Vim showed once, text as a list of lines, and painting piecemeal against painting anew."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_editing import Typist, keys_of

from data_gen.actions import Key
from data_gen.cells import Style
from data_gen.terminal.editor import Editor, EditorError
from data_gen.terminal.pane import Pane
from data_gen.terminal.screen import FrameLog, Screen, clear_log, new_log, new_screen

ROWS, COLUMNS = 8, 40
NUMBERED = b"".join(b"line %d\n" % number for number in range(1, 101))

SHOWN_BY_VIM = {  # content, keys, rows without trailing blanks, cursor: as Vim 9.0.1378 showed them in 8 x 40
    "new file": (
        None,
        "ihi\tyou\x1b",
        ["  1 hi      you", "~", "~", "~", "~", "~", "a.py [+]              1,6-11         All", ""],
        (0, 14),
    ),
    "no newline at the end": (
        b"one\ntwo",
        "jx:w\r",
        [
            *["  1 one", "  2 wo", "~", "~", "~", "~", "a.py                  2,1            All"],
            '"a.py" [noeol] 2L, 6B written',
        ],
        (1, 4),
    ),
    "unprintable": (
        "a\rb\x01\x85\u200b漢字é\tz\n".encode(),
        "$",
        [
            *["  1 a^Mb^A<85><200b>漢字é   z", "~", "~", "~", "~", "~"],
            *["a.py                  1,19-25        All", '"a.py" 1L, 20B'],
        ],
        (0, 28),
    ),
    "caret": (
        b"abc\n",
        "a\x16",
        ["  1 a^c", "~", "~", "~", "~", "~", "a.py                  1,2            All", "-- INSERT --"],
        (0, 5),
    ),
    "far jump": (
        NUMBERED,
        ":50\r",
        [*[f" {n} line {n}" for n in range(48, 54)], "a.py                  50,1           50%", ":50"],
        (2, 4),
    ),
    "near jump": (
        NUMBERED,
        "9j",
        [
            *[f" {n:2} line {n}" for n in range(7, 13)],
            *["a.py                  10,1            6%", '"a.py" 100L, 792B'],
        ],
        (3, 4),
    ),
    "no lines": (
        b"a\nb\n",
        "2dd",
        ["  1", "~", "~", "~", "~", "~", "a.py [+]              0,0-1          All", "--No lines in buffer--"],
        (0, 4),
    ),
    "not found": (
        b"a\n",
        "/zz\r",
        ["  1 a", "~", "~", "~", "~", "~", "a.py                  1,1            All", "E486: Pattern not found: zz"],
        (0, 4),
    ),
    "command line": (
        b"a\n",
        "/wh\x7f",
        ["  1 a", "~", "~", "~", "~", "~", "a.py                  1,1            All", "/w"],
        (7, 2),
    ),
    "join": (
        b"a \n  b\n\n)c\n",
        "4J",
        ["  1 a b)c", "~", "~", "~", "~", "~", "a.py [+]              1,4            All", '"a.py" 4L, 11B'],
        (0, 7),
    ),
    "put": (
        b"ab\ncd\n",
        "x$pjyyP",
        ["  1 ba", "  2 cd", "  3 cd", "~", "~", "~", "a.py [+]              2,1            All", '"a.py" 2L, 6B'],
        (1, 4),
    ),
}


class Desk:
    """An editor on a screen of its own, with a log that is emptied as it fills."""

    def __init__(self, content: bytes | None, rows: int = ROWS, columns: int = COLUMNS, name: bytes = b"a.py"):
        self.screen: Screen = new_screen(rows, columns)
        self.log: FrameLog = new_log(64, rows, columns)
        self.files: dict[bytes, bytes] = {}
        self.editor = Editor(self.screen, Pane(0, 0, rows, columns), self.files.get)
        self.editor.open(name, content)

    def type(self, keys: np.ndarray | str) -> None:
        """Type all of `keys`, and keep what is written."""
        keys = keys_of(keys) if isinstance(keys, str) else keys
        at = 0
        while at < len(keys) and not self.editor.finished:
            clear_log(self.log)
            at = self.editor.type(keys, at, self.log)
            if self.editor.written is not None:
                path, content = self.editor.written
                self.files[path] = content
                self.editor.written = None

    def rows(self) -> list[str]:
        """What the screen shows, without trailing blanks."""
        return ["".join(chr(c) for c in row if c).rstrip() for row in self.screen.codepoints_RxC]


@pytest.mark.parametrize("case", SHOWN_BY_VIM)
def test_shows_what_vim_shows(case: str) -> None:
    content, keys, rows, cursor = SHOWN_BY_VIM[case]
    desk = Desk(content)
    desk.type(keys)
    assert (desk.rows(), tuple(desk.screen.cursor_2)) == (rows, cursor)


def test_styles_tell_what_is_not_text() -> None:
    desk = Desk(b"a\x01\n")
    desk.type("i")
    styles = desk.screen.styles_RxC
    assert styles[0, :7].tolist() == [Style.LINE_NUMBER] * 4 + [Style.PLAIN] + [Style.SPECIAL_KEY] * 2
    assert styles[1, 0] == Style.NON_TEXT
    assert (styles[-2] == Style.STATUS_LINE).all()
    assert styles[-1, :12].tolist() == [Style.BOLD] * 12


@pytest.mark.parametrize("seed", range(40))
def test_painting_what_changed_is_painting_everything(seed: int) -> None:
    typist = Typist(seed)
    content, (rows, columns), keys = typist.file(), typist.screen_size(), typist.keys(150)
    desk = Desk(content, rows, columns)
    for at in range(len(keys)):
        try:
            desk.type(keys[at : at + 1])
        except EditorError:
            return
        codepoints, cursor = desk.screen.codepoints_RxC.copy(), desk.screen.cursor_2.copy()
        desk.screen.codepoints_RxC[:] = 0
        desk.editor.paint()
        np.testing.assert_array_equal(desk.screen.codepoints_RxC, codepoints)
        np.testing.assert_array_equal(desk.screen.cursor_2, cursor)


@pytest.mark.parametrize("seed", range(5))
def test_the_log_holds_the_screen_before_every_key(seed: int) -> None:
    keys = np.concatenate([keys_of("yy"), Typist(seed).keys(100)])
    desk = Desk(b"some\ntext\n")
    log = new_log(len(keys), ROWS, COLUMNS)
    before = []
    for key in keys:
        before.append((desk.screen.codepoints_RxC.copy(), desk.screen.cursor_2.copy()))
        desk.type(np.array([key], np.uint16))
    again = Desk(b"some\ntext\n")
    at = 0
    while at < len(keys):
        at = again.editor.type(keys, at, log)
        again.editor.written = None
    assert log.actions_S.tolist() == keys.tolist()
    shown = np.zeros((ROWS, COLUMNS), np.uint32)
    start = 0
    for frame, (codepoints, cursor) in enumerate(before):
        end = log.ends_S[frame]
        shown[log.rows_U[start:end]] = log.codepoints_UxC[start:end]
        start = end
        np.testing.assert_array_equal(shown, codepoints)
        np.testing.assert_array_equal(log.cursors_Sx2[frame], cursor)


class Lines:
    """What insert mode does to text, on a list of strings."""

    def __init__(self, text: str):
        self.lines = text.split("\n")
        self.line = self.column = 0

    def press(self, key: int | str) -> None:
        """One key of insert mode."""
        line = self.lines[self.line]
        before, after = line[: self.column], line[self.column :]
        if key == "\r":
            self.lines[self.line : self.line + 1] = [before, after]
            self.line, self.column = self.line + 1, 0
        elif key == "\x7f" and self.column:
            self.lines[self.line], self.column = before[:-1] + after, self.column - 1
        elif key == "\x7f" and self.line:
            self.column = len(self.lines[self.line - 1])
            self.lines[self.line - 1 : self.line + 1] = [self.lines[self.line - 1] + line]
            self.line -= 1
        elif key == Key.DELETE and after:
            self.lines[self.line] = before + after[1:]
        elif key == Key.DELETE and self.line + 1 < len(self.lines):
            self.lines[self.line : self.line + 2] = [line + self.lines[self.line + 1]]
        elif key == Key.LEFT:
            self.column = max(self.column - 1, 0)
        elif key == Key.RIGHT:
            self.column = min(self.column + 1, len(line))
        elif isinstance(key, str) and key != "\x7f":
            self.lines[self.line], self.column = before + key + after, self.column + 1


@given(
    st.text("ab \té漢😀\n", max_size=60),
    st.lists(st.sampled_from([*"abc\té漢😀\r\r", "\x7f", "\x7f", Key.DELETE, Key.LEFT, Key.RIGHT]), max_size=120),
)
def test_insert_mode_edits_a_list_of_lines(text: str, keys: list[int | str]) -> None:
    desk, model = Desk((text + "\n").encode()), Lines(text)
    desk.type("0i")
    for key in keys:
        model.press(key)
        desk.type(np.array([key], np.uint16) if isinstance(key, Key) else str(key))
    assert desk.editor.content().decode() == "\n".join(model.lines) + "\n"
    assert desk.editor.cursor == (model.line, model.column)


@given(st.lists(st.text("ab c", max_size=8), min_size=2, max_size=12), st.integers(1, 5), st.integers(0, 11))
def test_lines_can_be_moved(lines: list[str], count: int, line: int) -> None:
    line %= len(lines) - 1
    desk = Desk(("\n".join(lines) + "\n").encode())
    desk.type(f":{line + 1}\r{count}ddP")
    assert desk.editor.content().decode() == (
        "\n".join(lines) + "\n" if line + count < len(lines) else "\n".join(_put_before_last(lines, line)) + "\n"
    )


def _put_before_last(lines: list[str], line: int) -> list[str]:
    kept, cut = lines[:line], lines[line:]
    return [*kept[:-1], *cut, *(kept[-1:] or [""])]


def test_text_outgrows_its_buffers() -> None:
    desk = Desk(b"x" * 1000 + b"\n")
    desk.type("yy" + "999p" * 3 + "G$i" + "word " * 300 + "\x1b")
    lines = desk.editor.content().split(b"\n")[:-1]
    assert len(lines) == 2998
    assert lines[-1] == b"x" * 999 + b"word " * 300 + b"x"
    assert set(lines[:-1]) == {b"x" * 1000}


def test_the_register_outgrows_its_buffer() -> None:
    content = b"".join(b"%d\n" % number for number in range(20_000))
    desk = Desk(content)
    desk.type("30000ddPGdd")
    assert desk.editor.content() == content


def test_writing_and_quitting() -> None:
    desk = Desk(None, columns=70)
    desk.type("inew\x1b:q\r")
    assert desk.rows()[-1] == "E37: No write since last change (add ! to override)"
    desk.type(":wq\r")
    assert desk.files == {b"a.py": b"new\n"}
    assert desk.editor.finished


def test_the_newline_at_the_end_is_an_option() -> None:
    desk = Desk(b"a\n")
    desk.type(":set noeol\r:w\r")
    assert desk.files[b"a.py"] == b"a"
    desk.type(":set eol\r:w\r")
    assert desk.files[b"a.py"] == b"a\n"


def test_another_file_is_read() -> None:
    desk = Desk(b"a\n")
    desk.files[b"b.py"] = b"b\n"
    desk.type(":e b.py\rxi")
    assert desk.rows()[-2:] == ["b.py [+]              1,1            All", "-- INSERT --"]


@pytest.mark.parametrize(
    "keys", ["u", "3ix", "dj", "\x12", "i\x01", "ia\x16x", ":s/a/b/\r", ":e a b\r", "/a.\r", "/\r", "i\xff"]
)
def test_what_is_outside_the_subset_is_refused(keys: str) -> None:
    desk = Desk(b"a\n")
    with pytest.raises(EditorError, match=r"a\.py: "):
        desk.type(np.array([ord(key) for key in keys], np.uint16))


def test_only_utf8_text_is_opened() -> None:
    with pytest.raises(ValueError, match="NUL"):
        Desk(b"a\0b\n")
    with pytest.raises(ValueError, match="utf-8"):
        Desk(b"\xff\n")
