"""Plays a film in the terminal, with keys to control it."""

import contextlib
import os
import re
import select
import signal
import sys
import termios
import time
import tty
from collections.abc import Iterator

import numpy as np

from data_gen.actions import describe
from data_gen.cells import CURSOR
from data_gen.viewing.film import Film, milliseconds
from data_gen.viewing.paint import ansi, fitted

_HELP = (
    "space pause  . next  , previous  + - speed  n p commit  ] [ file  g frame  q quit",
    "space ., +- np ][ g q",
)
_KEY = re.compile(rb"\x1b[\[O][0-9;]*[A-Za-z~]|[\xc2-\xf4][\x80-\xbf]+|.", re.DOTALL)
_UNFINISHED_KEY = re.compile(rb"\x1b([\[O][0-9;]*)?\Z")
_RIGHT, _LEFT = (b"\x1b[C", b"\x1bOC"), (b"\x1b[D", b"\x1bOD")
_CTRL_C = b"\x03"
_SLOWEST, _FASTEST = 1 / 16, 256
_MAX_DIGITS = 12
_RESIZE_SECONDS = 0.2
"""How long a change of the terminal's size may go unseen."""

_KEY_SECONDS = 0.05
"""How long the rest of a key may take to arrive."""


class Player:
    """What is shown and when the next frame is due; times are seconds on any clock."""

    def __init__(self, film: Film, speed: float, now: float):
        self.film = film
        self.speed = speed
        self.number = film.first
        self.is_paused = self.is_over = self.shows_help = False
        self._entry: str | None = None  # the digits typed after `g`
        self._due = 0.0
        self._hold(now)

    def advance(self, now: float) -> None:
        """Show the frame that is due. Those whose time is over are skipped, but not the last, which ends the film."""
        last = self.film.end - 1
        while not self.is_paused and not self.is_over and now >= self._due:
            self.is_over = self.number == last
            self.number = min(self.number + 1, last)
            if self.number == last:
                self._hold(now)
            else:
                self._due += self._seconds()

    def wait(self, now: float) -> float:
        """Seconds until there is something to do without a key."""
        return _RESIZE_SECONDS if self.is_paused else min(_RESIZE_SECONDS, max(0.0, self._due - now))

    def press(self, key: bytes, now: float) -> None:
        """Do what a key says. Other keys do nothing."""
        if key == _CTRL_C:
            raise KeyboardInterrupt
        if self._entry is not None:
            self._type(key)
        elif key == b"q":
            self.is_over = True
        elif key == b" ":
            self.is_paused = not self.is_paused
        elif key in (b".", *_RIGHT):
            self._step(1)
        elif key in (b",", *_LEFT):
            self._step(-1)
        elif key in (b"+", b"="):
            self.speed = min(self.speed * 2, max(self.speed, _FASTEST))
        elif key == b"-":
            self.speed = max(self.speed / 2, min(self.speed, _SLOWEST))
        elif key in (b"n", b"p"):
            self._jump([commit.frame for commit in self.film.commits], key == b"n")
        elif key in (b"]", b"["):
            self._jump([file.frame for file in self.film.files if file.path], key == b"]")
        elif key == b"g":
            self._entry = ""
        elif key == b"?":
            self.shows_help = not self.shows_help
        self._hold(now)

    def caption(self) -> str:
        """One line about the frame; the path comes last as it may be long."""
        film, commit = self.film, self.film.commit(self.number)
        if self._entry is not None:
            return f"go to frame ({film.first}-{film.end - 1}): {self._entry}"
        parts = [f"{self.number:,}/{film.total - 1:,}", f"then {describe([film.action(self.number)])}"]
        parts += [f"commit {commit.number}/{len(film.commits)} {commit.id[:7]}"] if commit else []
        parts += [f"{self.speed:g}x", *["paused"] * self.is_paused, film.path(self.number) or film.name, "? help"]
        return "  ".join(parts)

    def _type(self, key: bytes) -> None:
        entry = self._entry or ""
        if key.isdigit():
            self._entry = (entry + key.decode())[:_MAX_DIGITS]
        elif key in (b"\x7f", b"\x08"):
            self._entry = entry[:-1]
        elif key in (b"\r", b"\n", b"\x1b"):
            self._entry = None
            if entry and key != b"\x1b":
                self._go_to(int(entry))

    def _step(self, direction: int) -> None:
        self.is_paused = True
        self._go_to(self.number + direction)

    def _jump(self, frames: list[int], forward: bool) -> None:
        """To the nearest of `frames` in that direction, if there is one."""
        frames = [frame for frame in frames if self.film.first <= frame < self.film.end]
        if forward:
            self._go_to(min((frame for frame in frames if frame > self.number), default=self.number))
        else:
            self._go_to(max((frame for frame in frames if frame < self.number), default=self.film.first))

    def _go_to(self, number: int) -> None:
        self.number = min(max(number, self.film.first), self.film.end - 1)

    def _hold(self, now: float) -> None:
        """Let the frame stay as long as it should from now on."""
        self._due = now + self._seconds()

    def _seconds(self) -> float:
        return milliseconds(self.film.action(self.number)) / 1000 / self.speed


class _View:
    """What the terminal shows: as much of the frame as it has room for, and below it the caption."""

    def __init__(self) -> None:
        self._shown: tuple[np.ndarray, np.ndarray] | None = None
        self._size = (0, 0)

    def draw(self, player: Player, size: tuple[int, int]) -> str:
        """What to write to a terminal of `size` columns and lines."""
        columns, lines = size
        _, _, codepoints_RxC, styles_RxC = player.film.frame(player.number)
        codepoints_RxC, styles_RxC = _around_cursor(codepoints_RxC, styles_RxC, max(0, lines - 1), columns)
        clearing = ""
        if size != self._size:
            clearing, self._shown, self._size = "\x1b[0m\x1b[2J", None, size
        painted = ansi(codepoints_RxC, styles_RxC, self._shown)
        self._shown = codepoints_RxC, styles_RxC
        caption = player.caption()
        if player.shows_help:
            caption = _HELP[len(_HELP[0]) > columns]
        return f"{clearing}{painted}\x1b[{len(codepoints_RxC) + 1};1H\x1b[0;7m{fitted(caption, columns)}\x1b[0m"


def play(film: Film, speed: float) -> None:
    """Show a film in this terminal until it ends or someone quits, and leave the terminal as it was."""
    view = _View()
    with _terminal():
        player = Player(film, speed, time.monotonic())
        while not player.is_over:
            sys.stdout.write(view.draw(player, os.get_terminal_size(sys.stdout.fileno())))
            sys.stdout.flush()
            for key in _keys(player.wait(time.monotonic())):
                player.press(key, time.monotonic())
            player.advance(time.monotonic())


def _around_cursor(
    codepoints_RxC: np.ndarray, styles_RxC: np.ndarray, lines: int, columns: int
) -> tuple[np.ndarray, np.ndarray]:
    """The part of a frame that is shown where there is no room for all of it: the upper left one with the cursor."""
    row, column = np.unravel_index((styles_RxC >= CURSOR).argmax(), styles_RxC.shape)
    top, left = max(0, int(row) + 1 - lines), max(0, int(column) + 1 - columns)
    part = slice(top, top + lines), slice(left, left + columns)
    return codepoints_RxC[part], styles_RxC[part]


def _keys(seconds: float) -> list[bytes]:
    """The keys that were pressed, after waiting for one. The end of the input is a `q`."""
    descriptor = sys.stdin.fileno()
    if not select.select([descriptor], [], [], seconds)[0]:
        return []
    text = os.read(descriptor, 1024)
    while _UNFINISHED_KEY.search(text) and select.select([descriptor], [], [], _KEY_SECONDS)[0]:
        more = os.read(descriptor, 1024)
        if not more:
            break
        text += more
    return _KEY.findall(text) or [b"q"]


@contextlib.contextmanager
def _terminal() -> Iterator[None]:
    """Raw input, the alternate screen and no cursor; undone also if the process is told to end."""
    descriptor = sys.stdin.fileno()
    saved = termios.tcgetattr(descriptor)
    handlers = {number: signal.signal(number, _exit) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        tty.setraw(descriptor)
        sys.stdout.write("\x1b[?1049h\x1b[?25l\x1b[?7l")
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, saved)
        sys.stdout.write("\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l")
        sys.stdout.flush()
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _exit(number: int, _: object) -> None:
    sys.exit(128 + number)
