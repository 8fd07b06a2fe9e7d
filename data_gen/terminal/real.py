"""The same keys into a real program: one program in a pseudo-terminal, and the screen that it draws."""

import fcntl
import os
import pathlib
import struct
import termios
import time
from collections.abc import Sequence

import pexpect
import pyte

from data_gen import actions as keys
from data_gen.cells import CONTINUATION
from data_gen.terminal.editor_characters import WIDTH_BITS, character_kinds

_LOOK_INTERVAL = 0.0003
_ESCAPE_REST = 0.045
"""Escape may be the start of a sequence: Vim waits 10 ms, and 25 ms in insert mode, before it takes it for a key."""

_PATIENCE = 20.0


class _Screen(pyte.Screen):
    """pyte's screen with Vim's widths: a character takes the cells that the program believes it takes."""

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


class RealTerminal:
    """A program in a pseudo-terminal of `rows` x `columns`; /proc tells when it has digested a key."""

    def __init__(
        self, command: Sequence[str], rows: int, columns: int, folder: pathlib.Path, environment: dict[str, str]
    ):
        self._screen = _Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._program = pexpect.spawn(
            command[0], list(command[1:]), dimensions=(rows, columns), cwd=str(folder), env=environment
        )
        self._program.delaybeforesend = None
        self.wait()

    def type(self, action: int) -> None:
        """Send one action and wait until the program has drawn what follows from it."""
        naps = self._naps()
        self._program.send(keys.to_bytes([action]))
        self.wait(naps, _ESCAPE_REST if action == keys.ESCAPE else 0.0)

    def wait(self, naps_before: int = 0, rest: float = 0.0) -> None:
        """Wait until the program has read all its input and drawn all its output, and has then slept `rest` seconds.

        It must have gone to sleep more than `naps_before` times, since what was just sent may still be on its way.
        """
        deadline = time.monotonic() + _PATIENCE
        naps, asleep_since, looks = 0, 0.0, 0
        while looks < 2 or time.monotonic() - asleep_since < rest:
            if time.monotonic() > deadline:
                raise TimeoutError("the program in the pseudo-terminal does not come to rest")
            has_drawn, naps_now, is_asleep = self._read(), self._naps(), self._is_asleep()
            if has_drawn or not is_asleep or naps_now != naps or naps_now <= naps_before:
                naps, asleep_since, looks = naps_now, time.monotonic(), 0
            else:
                looks += 1
            time.sleep(_LOOK_INTERVAL)

    def codepoints(self) -> list[list[int]]:
        """The codepoint of every cell, `CONTINUATION` in the right half of a double-width character."""
        screen = self._screen
        return [
            [ord(line[column].data) if line[column].data else CONTINUATION for column in range(screen.columns)]
            for line in (screen.buffer[row] for row in range(screen.lines))
        ]

    def cursor(self) -> tuple[int, int]:
        """Row and column of the cursor."""
        return self._screen.cursor.y, self._screen.cursor.x

    def is_alive(self) -> bool:
        """Whether the program is running."""
        return self._program.isalive()

    def close(self) -> None:
        """End the program."""
        self._program.close(force=True)

    def _read(self) -> bool:
        try:
            output = self._program.read_nonblocking(1 << 16, timeout=0)
        except (pexpect.TIMEOUT, pexpect.EOF):
            return False
        self._stream.feed(output)  # type: ignore[arg-type]  # bytes, as no encoding was asked for
        return True

    def _naps(self) -> int:
        """How often the program has gone to sleep of its own accord."""
        if not self.is_alive():
            return 1 << 62
        status = pathlib.Path(f"/proc/{self._program.pid}/status").read_text()
        return int(status.split("\nvoluntary_ctxt_switches:")[1].split()[0])

    def _is_asleep(self) -> bool:
        if not self.is_alive():
            return True
        stat = pathlib.Path(f"/proc/{self._program.pid}/stat").read_text()
        return stat.rpartition(")")[2].split()[0] == "S" and self._unread_input() == 0

    def _unread_input(self) -> int:
        terminal = os.open(f"/proc/{self._program.pid}/fd/0", os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            return struct.unpack("i", fcntl.ioctl(terminal, termios.FIONREAD, b"\0" * 4))[0]
        finally:
            os.close(terminal)
