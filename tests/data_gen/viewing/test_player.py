"""The player in a pseudo-terminal, as a person uses it, seen through another terminal emulator."""

import contextlib
import os
import re
import signal
import sys
import termios
import time

import numpy as np
import pexpect
import pyte
import pytest
from typed_films import write_film

from data_gen.cells import CURSOR
from data_gen.viewing.paint import characters
from data_gen.viewing.player import Player

ROWS, COLUMNS = 10, 44


class Terminal:
    """A terminal that runs the player; waits for what it should show."""

    def __init__(self, dataset, *flags, size=(24, 100)):
        command = ["-m", "data_gen.play", f"--data={dataset}", *flags]
        self.screen = pyte.Screen(size[1], size[0])
        self.stream = pyte.ByteStream(self.screen)
        self.child = pexpect.spawn(sys.executable, command, dimensions=size, timeout=30)
        self.child.delaybeforesend = None
        self.settings = termios.tcgetattr(self.child.child_fd)
        self.output = b""

    def read(self):
        """Take in what has been printed; whether the player still runs."""
        try:
            output = self.child.read_nonblocking(65536, timeout=0.05)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.output += output
        self.stream.feed(output.replace(b"\x1b[?1049h", b"").replace(b"\x1b[?1049l", b"\x1b[2J"))
        return True

    def until(self, shown, seconds=20):
        """Return when `shown()` is true; the screen must not be redrawn while it is looked at."""
        deadline = time.monotonic() + seconds
        while not shown():
            assert time.monotonic() < deadline, "\n".join(self.screen.display)
            assert self.read() or shown(), "\n".join(self.screen.display)

    def caption(self):
        """The line below the frame."""
        return self.screen.display[min(ROWS, self.screen.lines - 1)]

    def press(self, keys, caption):
        """Send keys, and wait until the caption has a text."""
        self.child.send(keys)
        self.until(lambda: caption in self.caption())

    def end(self):
        """Wait for the end; the exit code. The terminal must be as it was before."""
        while self.read():
            pass
        settings = termios.tcgetattr(self.child.child_fd)
        self.child.wait()
        assert settings == self.settings
        _, _, inside = self.output.partition(b"\x1b[?1049h\x1b[?25l\x1b[?7l")
        _, _, after = inside.partition(b"\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l")
        assert inside and b"\x1b" not in after, self.output
        return self.child.exitstatus


def text(frame):
    return ["".join(characters(row_C)).rstrip() for row_C in frame.codepoints_RxC]


def shown_rows(terminal):
    """The screen's text without pyte's stand-ins for right halves."""
    buffer = terminal.screen.buffer
    return ["".join(buffer[r][c].data for c in range(terminal.screen.columns)).rstrip() for r in range(ROWS)]


def assert_shows(terminal, film, number):
    frame = film.frame(number)
    terminal.until(lambda: f"{number:,}/" in terminal.caption() and shown_rows(terminal) == text(frame))
    row, column = np.argwhere(frame.styles_RxC >= CURSOR)[0]
    assert terminal.screen.buffer[row][column].bg != "000000"


def test_keys_step_jump_and_quit(dataset, film):
    terminal = Terminal(dataset, "--start=20", "--speed=0.01")
    terminal.until(lambda: "20/" in terminal.caption())
    terminal.press(" ", "paused")
    assert_shows(terminal, film, 20)
    terminal.press("..\x1b[C", "23/")
    assert_shows(terminal, film, 23)
    terminal.press(",\x1b[D", "21/")
    assert_shows(terminal, film, 21)
    terminal.press("n", "commit 2/3")
    assert_shows(terminal, film, film.commits[1].frame)
    terminal.press("n", "commit 3/3")
    assert_shows(terminal, film, film.commits[2].frame)
    terminal.press("g100\r", "100/")
    assert_shows(terminal, film, 100)
    assert film.path(100) in terminal.caption()
    terminal.press("++", "0.04x")
    terminal.press("?", "space pause")
    terminal.press("?", "paused")
    terminal.child.send("\x03")
    assert terminal.end() == 130


def test_the_terminal_is_restored_when_it_is_told_to_end(dataset):
    terminal = Terminal(dataset, "--speed=0.01")
    terminal.until(lambda: "0/" in terminal.caption())
    assert termios.tcgetattr(terminal.child.child_fd) != terminal.settings
    os.kill(terminal.child.pid, signal.SIGTERM)
    assert terminal.end() == 143


def test_an_error_while_playing_restores_the_terminal(tmp_path):
    write_film(tmp_path, frames=80, frames_per_record=8)
    file = next(tmp_path.rglob("*.array_record"))
    content = bytearray(file.read_bytes())
    content[content.rindex(b"TEXZ") + 30] ^= 1
    file.write_bytes(content)
    terminal = Terminal(tmp_path, "--speed=100")
    assert terminal.end() == 1
    assert b"error: " in terminal.output and b"Traceback" not in terminal.output


def test_a_small_terminal_shows_the_part_with_the_cursor_and_can_grow(dataset, film):
    number = max(range(len(film)), key=lambda n: int((film.frame(n).styles_RxC >= CURSOR).argmax()))
    row, column = np.argwhere(film.frame(number).styles_RxC >= CURSOR)[0]
    terminal = Terminal(dataset, f"--start={number}", "--speed=0.01", size=(int(row), 30))
    terminal.until(lambda: f"{number:,}/" in terminal.screen.display[-1])
    assert terminal.screen.buffer[int(row) - 2][min(int(column), 29)].bg == "c0c0c0"
    terminal.screen.resize(24, 100)
    terminal.child.setwinsize(24, 100)
    assert_shows(terminal, film, number)
    terminal.child.send("q")
    assert terminal.end() == 0


def assert_inert(terminal):
    """The only escape sequences are the player's own, and there is no other control character."""
    rest = re.sub(r"\x1b\[([0-9]+;[0-9]+H|[0-9;]*m|2J|\?(1049|25|7)[hl])", "", terminal.output.decode())
    assert re.fullmatch(r"[^\x00-\x1f\x7f-\x9f\u202e]*", rest), rest
    assert terminal.screen.title == ""


@pytest.mark.slow
def test_a_hostile_history_is_played_to_its_end_without_harm(dataset, film):
    terminal = Terminal(dataset, "--speed=100")
    assert terminal.end() == 0
    assert_inert(terminal)
    assert f"{film.end - 1}/{film.end - 1}".encode() in terminal.output


def test_no_cell_and_no_path_can_harm_the_terminal(tmp_path):
    hostile = "\x1b[2J\x07\x9b\u202e"
    write_film(tmp_path, frames=30, frames_per_record=8, path=b"\x1b]0;owned\x07\xc2\x9b31m", text=hostile)
    terminal = Terminal(tmp_path, "--speed=8")
    assert terminal.end() == 0
    assert_inert(terminal)
    assert b"owned" in terminal.output


def test_time_decides_what_is_shown_and_pausing_stops_it(film):
    player = Player(film, 1.0, now=100.0)
    assert player.number == 0
    player.advance(100.0 + 10.0)
    shown = player.number
    assert 50 < shown < 10 / 0.02
    player.press(b" ", 110.0)
    player.advance(1000.0)
    assert player.number == shown and "paused" in player.caption()
    player.press(b" ", 1000.0)
    player.advance(1000.01)
    assert player.number == shown
    player.advance(10_000.0)
    assert player.number == film.end - 1 and not player.is_over, "the last frame must be seen"
    player.advance(10_001.0)
    assert player.is_over


def test_steps_stay_within_the_film(film):
    film.cut(50, 10)
    player = Player(film, 1.0, now=0.0)
    player.press(b",", 0.0)
    assert player.number == 50
    for _ in range(20):
        player.press(b".", 0.0)
    assert player.number == 59
    for key in (b"g", b"5", b"x", b"\x7f", b"5", b"3", b"\r"):
        player.press(key, 0.0)
    assert player.number == 53
    for key in (b"g", b"5", b"\x1b"):
        player.press(key, 0.0)
    assert player.number == 53
    with contextlib.suppress(KeyboardInterrupt):
        player.press(b"\x03", 0.0)
        raise AssertionError("Ctrl-C must end it")
