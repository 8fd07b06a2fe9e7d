"""The terminal as a whole: shell and editor share a pane above the status bar, and every frame is logged."""

import numpy as np
import pytest

from data_gen.actions import CTRL_B, CTRL_V, ENTER, ESCAPE, Key, from_bytes
from data_gen.cells import Style
from data_gen.terminal.filesystem import File
from data_gen.terminal.muxer import Terminal
from data_gen.terminal.screen import FrameLog, new_log
from data_gen.terminal.words import ShellError

ROWS, COLUMNS = 10, 40
KEYS = from_bytes(b"mkdir -p d\rcd d\rvim f.txt\rihello\x1b:wq\rgit add f.txt\rgit commit -q -m 'say hello'\r")


class Frames:
    """Takes logs and plays them back: the whole screen, the cursor and the action of every frame."""

    def __init__(self) -> None:
        self.screens: list[list[str]] = []
        self.styles: list[np.ndarray] = []
        self.actions: list[int] = []
        self.cursors: list[tuple[int, int]] = []
        self.logs: list[int] = []

    def __call__(self, log: FrameLog) -> FrameLog:
        codepoints_RxC, styles_RxC = np.zeros((ROWS, COLUMNS), np.uint32), np.zeros((ROWS, COLUMNS), np.uint8)
        frames = int(log.size_2[0])
        starts = [0, *log.ends_S[: frames - 1]]
        for frame in range(frames):
            changes = slice(starts[frame], log.ends_S[frame])
            codepoints_RxC[log.rows_U[changes]] = log.codepoints_UxC[changes]
            styles_RxC[log.rows_U[changes]] = log.styles_UxC[changes]
            self.screens.append(["".join(map(chr, row)).rstrip() for row in codepoints_RxC])
            self.styles.append(styles_RxC.copy())
        self.actions += log.actions_S[:frames].tolist()
        self.cursors += map(tuple, log.cursors_Sx2[:frames].tolist())
        self.logs.append(frames)
        return new_log(len(log.actions_S), ROWS, COLUMNS)


def record(keys: np.ndarray, frames_per_record: int = 15) -> tuple[Terminal, Frames]:
    frames = Frames()
    terminal = Terminal(ROWS, COLUMNS, "project", frames, frames_per_record)
    terminal.type(keys)
    terminal.close()
    return terminal, frames


def test_what_is_typed_ends_in_the_file_system():
    terminal, _ = record(KEYS)
    assert dict(terminal.filesystem.entries()) == {b"d/f.txt": File(b"hello\n")}
    assert terminal.message == b"say hello\n"


def test_there_is_one_frame_for_each_action_whatever_the_size_of_a_record():
    _, frames = record(KEYS)
    assert frames.actions == KEYS.tolist()
    assert frames.logs == [15] * (len(KEYS) // 15) + [len(KEYS) % 15]
    for size in (1, 7, len(KEYS)):
        _, others = record(KEYS, size)
        assert others.screens == frames.screens and others.cursors == frames.cursors
        assert np.array_equal(others.styles, frames.styles)


def test_keys_may_come_in_pieces():
    frames = Frames()
    terminal = Terminal(ROWS, COLUMNS, "project", frames, 16)
    for key in KEYS:
        terminal.type(np.array([key], np.uint16))
    terminal.close()
    assert frames.screens == record(KEYS)[1].screens


def test_the_status_bar_stays():
    _, frames = record(KEYS)
    assert {screen[-1] for screen in frames.screens} == {"[0] 0:bash*"}
    assert all((styles[-1] == Style.MUXER_BAR).all() for styles in frames.styles)


def test_the_shell_comes_back_when_the_editor_has_quit():
    _, frames = record(KEYS)
    opened = frames.actions.index(ord("i"), len(b"mkdir -p d\rcd d\rvim f.txt"))
    closed = opened + len(b"ihello\x1b:wq\r")
    before = ["project (main)$ mkdir -p d", "project (main)$ cd d", "d (main)$ vim f.txt"]
    assert frames.screens[opened - 1][:4] == [*before, ""]
    assert frames.screens[opened][0] != before[0], "the editor covers the pane"
    assert frames.screens[closed][:4] == [*before, "d (main)$"]
    assert frames.cursors[closed] == (3, 10)


def test_an_edit_keeps_the_mode_of_a_file():
    terminal, _ = record(from_bytes(b"vim f\rix\x1b:wq\rchmod +x f\rvim f\rx\x1b:wq\r"))
    assert terminal.filesystem.find(b"f") == File(b"\n", executable=True)


def test_what_is_unknown_stops_the_typing():
    with pytest.raises(ShellError, match="unknown command b'ls'"):
        record(from_bytes(b"ls\r"))


WINDOWS = {
    "windows": """
        mkdir -p a⏎|ᵇc|cd a⏎|ᵇc|vim f⏎|ihello⎋|:w⏎|ᵇ0|ᵇl|ᵇp|ᵇn|ᵇn|ᵇ1|exit⏎|ᵇ0|ᵇc|exit⏎|ᵇl|:q⏎|ᵇ&|n|ᵇ&|y|git status -s⏎
    """,
    "panes": """
        ᵇc|ᵇ%|ᵇ←|vim f.txt⏎|i1⏎2⏎3 a long line that scrolls sideways⎋|:w⏎|ᵇo|git add f.txt⏎|
        git commit -q -m 'a long message that wraps'⏎|ᵇ;|ggdd|:w⏎|ᵇ→|git status -s⏎|git add f.txt⏎|
        git commit -q -m second⏎|ᵇ0|ᵇl|ᵇo|jddP|:wq⏎|ᵇ&|y|ᵇc|ᵇ"|vim f.txt⏎|yyp|:q!⏎|ᵇ↑|cd .⏎
    """,
    "nested": 'ᵇc|ᵇ%|ᵇ"|vim g⏎|ix⎋|ᵇ↑|mkdir -p d⏎|ᵇ←|cd d⏎|ᵇo|ᵇo|:wq⏎|ᵇ;|ᵇo|ᵇ&|y',
    "literal": "vim f⏎|iᵛᵇᵇ|ᵛ⎋⎋|:wq⏎|git add f⏎",
}


def keys_of(text: str) -> np.ndarray:
    """The actions of a script: `⏎`, `⎋`, arrows, `ᵇ` for C-b and `ᵛ` for C-v."""
    special = {"⏎": ENTER, "⎋": ESCAPE, "ᵇ": CTRL_B, "ᵛ": CTRL_V, "←": Key.LEFT, "→": Key.RIGHT, "↑": Key.UP}
    return np.array([special.get(character, ord(character)) for character in text], np.uint16)


def text_of(codepoints_RxC: np.ndarray) -> list[str]:
    return ["".join(map(chr, row)).rstrip() for row in codepoints_RxC.tolist()]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("ln -s g l⏎vim g⏎:e l⏎", "b'l': not a file"),
        ("mkdir -p d⏎vim g⏎:e d⏎", "b'd': not a file"),
        ("vim g⏎:e no/x⏎", "b'no/x': no such folder"),
        ("vim g⏎:e .git/config⏎", "not a safe path"),
        ("mkdir -p d⏎ᵇcvim d/a⏎ix⎋ᵇlrm -r d⏎ᵇl:w⏎", "b'd/a': no such folder"),
        ("ᵇcvim a⏎ix⎋:w⏎ᵇlrm a⏎ᵇlix⎋:w⏎", "has changed since the editor read it"),
        ("ᵇcvim a⏎ix⎋ᵇlvim a⏎iy⎋:wq⏎ᵇl:w⏎", "has changed since the editor read it"),
    ],
)
def test_an_editor_takes_files_only_and_those_that_no_other_program_has_changed(script, reason):
    with pytest.raises(ShellError, match=reason):
        record(keys_of(script))


@pytest.mark.slow
@pytest.mark.parametrize("name", WINDOWS)
def test_real_programs_show_the_same(name, tmp_path):
    """Pieces typed into bash and Vim in tmux: after each, the same characters and the same cursor."""
    real = pytest.importorskip("data_gen.terminal.real", reason="pexpect or pyte is not installed")
    if missing := real.missing_programs():
        pytest.skip(f"not installed: {', '.join(missing)}")
    rows, columns = 14, 60
    terminal = Terminal(rows, columns, "project", lambda log: log, 1000)
    programs = real.RealTerminal(rows, columns, "project", tmp_path)
    try:
        for piece in ["", *map(str.strip, WINDOWS[name].split("|"))]:
            actions = keys_of(piece)
            terminal.type(actions)
            programs.send(actions)
            screen = terminal.screen
            cursor = tuple(map(int, screen.cursor_2))
            if not programs.shows(screen.codepoints_RxC, cursor, 3.0):
                assert (piece, text_of(programs.codepoints()), programs.cursor()) == (
                    piece,
                    text_of(screen.codepoints_RxC),
                    cursor,
                )
    finally:
        programs.close()
