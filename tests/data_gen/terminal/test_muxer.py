"""The terminal as a whole: shell and editor share a pane above the status bar, and every frame is logged."""

import contextlib
import pathlib
import shutil
import subprocess
import time

import numpy as np
import pytest

from data_gen.actions import from_bytes
from data_gen.cells import Style
from data_gen.terminal.filesystem import File
from data_gen.terminal.muxer import Terminal
from data_gen.terminal.screen import FrameLog, new_log
from data_gen.terminal.words import ShellError

ROWS, COLUMNS = 10, 40
DOTFILES = pathlib.Path(__file__).parents[3] / "data_gen" / "terminal" / "dotfiles"
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


@pytest.mark.slow
def test_real_programs_show_the_same(tmp_path):
    """The keys typed into bash and Vim in tmux: the same characters and the same cursor before every key."""
    for program in ("tmux", "bash", "vim"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    pexpect, pyte = pytest.importorskip("pexpect"), pytest.importorskip("pyte")
    for name in ("vimrc", "bashrc", "tmux.conf", "gitconfig"):
        shutil.copyfile(DOTFILES / name, tmp_path / f".{name}")
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
    environment["TMUX_TMPDIR"] = str(tmp_path)
    project = tmp_path / "project"
    subprocess.run(["git", "init", "--quiet", project], check=True, env=environment)
    child = pexpect.spawn("tmux", ["new-session"], cwd=project, env=environment, dimensions=(ROWS, COLUMNS))
    child.delaybeforesend = None
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    _, frames = record(KEYS)
    try:
        for action, expected, cursor in zip(KEYS, frames.screens, frames.cursors, strict=True):
            deadline = time.monotonic() + 5
            shown = None
            while shown != (expected, cursor) and time.monotonic() < deadline:
                with contextlib.suppress(pexpect.TIMEOUT):
                    stream.feed(child.read_nonblocking(1 << 16, 0.02))
                shown = ([row.rstrip() for row in screen.display], (screen.cursor.y, screen.cursor.x))
            assert shown == (expected, cursor)
            child.send(bytes([action]))
    finally:
        subprocess.run(["tmux", "kill-server"], env=environment, check=True)
        child.close(force=True)
