"""The real programs: what is in a pseudo-terminal, and bash and Vim in tmux under the package's dotfiles."""

import os
import pathlib
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pexpect
import pyte

from data_gen import actions as keys
from data_gen.cells import BLANK, CONTINUATION
from data_gen.terminal.editor_characters import WIDTH_BITS, character_kinds

PROGRAMS = "bash", "git", "tmux", "vim"
DOTFILES = pathlib.Path(__file__).parent / "dotfiles"
_LOOK_INTERVAL = 0.0005
_BYTES_AT_ONCE = 256
"""Few enough that neither side waits for the other to read."""


class _Screen(pyte.Screen):
    """pyte's screen with Vim's widths, in which a character takes the cells that the program believes it takes, and
    mended where it differs from real terminals."""

    def __init__(self, columns: int, lines: int):
        super().__init__(columns, lines)
        self._widths = character_kinds() & WIDTH_BITS

    def select_graphic_rendition(self, *attributes: int, private: bool = False) -> None:
        if not private:  # `ESC [ > 4 m` asks for modified keys, not for a rendition
            super().select_graphic_rendition(*attributes)

    def draw(self, data: str) -> None:
        for character in data:
            width = int(self._widths[ord(character)])
            if width == 0:
                continue
            if self.cursor.x + width > self.columns:
                self.carriage_return()
                self.linefeed()
            if pyte.modes.IRM in self.mode:
                self.insert_characters(width)
            line = self.buffer[self.cursor.y]
            line[self.cursor.x] = self.cursor.attrs._replace(data=character)
            if width == 2:
                line[self.cursor.x + 1] = self.cursor.attrs._replace(data="")
            self.cursor.x += width
            self.dirty.add(self.cursor.y)

    def cursor_down(self, count: int | None = None) -> None:
        """Below the margins, stay there; pyte would go back to the lower one."""
        if self.margins and self.cursor.y > self.margins.bottom:
            self.cursor.y = min(self.cursor.y + (count or 1), self.lines - 1)
        else:
            super().cursor_down(count)

    def scroll_up(self, count: int = 1) -> None:
        """Move the lines between the margins up; pyte does not know `CSI S`."""
        self._scroll(self.delete_lines, count)

    def scroll_down(self, count: int = 1) -> None:
        """Move the lines between the margins down, as for `CSI T`."""
        self._scroll(self.insert_lines, count)

    def _scroll(self, change_lines: Callable[[int], None], count: int) -> None:
        row, column = self.cursor.y, self.cursor.x
        self.cursor.y = self.margins.top if self.margins else 0
        change_lines(count)
        self.cursor.y, self.cursor.x = row, column


class _Stream(pyte.ByteStream):
    csi = pyte.ByteStream.csi | {"S": "scroll_up", "T": "scroll_down"}
    events = pyte.ByteStream.events | {"scroll_up", "scroll_down"}


class PseudoTerminal:
    """A program in a pseudo-terminal of `rows` x `columns`, and the screen that it draws."""

    def __init__(
        self, command: Sequence[str], rows: int, columns: int, folder: pathlib.Path, environment: dict[str, str]
    ):
        self._screen = _Screen(columns, rows)
        self._stream = _Stream(self._screen)
        self._codepoints_RxC = np.full((rows, columns), BLANK, np.uint32)
        self.process = pexpect.spawn(
            command[0], list(command[1:]), dimensions=(rows, columns), cwd=str(folder), env=environment
        )
        self.process.delaybeforesend = None

    def send(self, actions: Iterable[int]) -> None:
        """Send actions, without waiting for what follows from them."""
        content = keys.to_bytes(actions)
        for start in range(0, len(content), _BYTES_AT_ONCE):
            self.process.send(content[start : start + _BYTES_AT_ONCE])
            self.read()

    def read(self) -> bool:
        """Draw what the program has written by now; whether there was anything."""
        try:
            output = self.process.read_nonblocking(1 << 16, timeout=0)
        except (pexpect.TIMEOUT, pexpect.EOF):
            return False
        self._stream.feed(output)  # type: ignore[arg-type]  # bytes, as no encoding was asked for
        return True

    def codepoints(self) -> np.ndarray:
        """The codepoint of every cell, `CONTINUATION` in the right half of a double-width character: uint32 [R, C]."""
        screen = self._screen
        for row in screen.dirty:
            line = screen.buffer[row]
            self._codepoints_RxC[row] = [
                ord(line[column].data or chr(CONTINUATION)) for column in range(screen.columns)
            ]
        screen.dirty.clear()
        return self._codepoints_RxC

    def cursor(self) -> tuple[int, int]:
        """Row and column of the cursor."""
        return self._screen.cursor.y, self._screen.cursor.x

    def shows(self, codepoints_RxC: np.ndarray, cursor: tuple[int, int], patience: float) -> bool:
        """Whether these characters and this cursor are shown, now or within `patience` seconds of the last change."""
        deadline = time.monotonic() + patience
        while True:
            has_drawn = self.read()
            if has_drawn:
                deadline = time.monotonic() + patience
            elif self.cursor() == cursor and np.array_equal(self.codepoints(), codepoints_RxC):
                return True
            elif time.monotonic() > deadline:
                return False
            else:
                time.sleep(_LOOK_INTERVAL)

    def close(self) -> None:
        """End the program."""
        self.process.close(force=True)


class RealTerminal(PseudoTerminal):
    """Bash in tmux, in the root of an empty repository `project`, which it makes in the folder `home`."""

    def __init__(self, rows: int, columns: int, project: str, home: pathlib.Path):
        self.project = home / project
        for dotfile in DOTFILES.iterdir():
            shutil.copyfile(dotfile, home / f".{dotfile.name}")
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "GIT_CONFIG_NOSYSTEM": "1",
            "TERM": "xterm-256color",
            "LC_ALL": "C.UTF-8",
            "TMUX_TMPDIR": str(home),
            "SHELL": shutil.which("bash") or "bash",
        }
        subprocess.run(["git", "init", "--quiet", self.project], check=True, env=self._environment)
        super().__init__(["tmux", "new-session"], rows, columns, self.project, self._environment)

    def close(self) -> None:
        """End tmux and all that runs in it."""
        subprocess.run(["tmux", "kill-server"], env=self._environment, check=False, capture_output=True)
        super().close()


def missing_programs() -> list[str]:
    """Those of the real programs that are not installed."""
    return [program for program in PROGRAMS if shutil.which(program) is None]
