"""A program in a pseudo-terminal that is given one key at a time: /proc tells when it has digested a key."""

import fcntl
import os
import pathlib
import struct
import termios
import time

from data_gen.actions import ESCAPE
from data_gen.terminal.real import PseudoTerminal

_LOOK_INTERVAL = 0.0003
_ESCAPE_REST = 0.045
"""Escape may be the start of a sequence: Vim waits 10 ms, and 25 ms in insert mode, before it takes it for a key."""

_PATIENCE = 20.0


class AwaitedProgram(PseudoTerminal):
    """After `type` the screen shows all that follows from the key."""

    def type(self, action: int) -> None:
        """Send one action and wait until the program has drawn what follows from it."""
        naps = self._naps()
        self.send([action])
        self.wait(naps, _ESCAPE_REST if action == ESCAPE else 0.0)

    def wait(self, naps_before: int = 0, rest: float = 0.0) -> None:
        """Wait until the program has read all its input and drawn all its output, and has then slept `rest` seconds.

        It must have gone to sleep more than `naps_before` times, since what was just sent may still be on its way.
        """
        deadline = time.monotonic() + _PATIENCE
        naps, asleep_since, looks = 0, 0.0, 0
        while looks < 2 or time.monotonic() - asleep_since < rest:
            if time.monotonic() > deadline:
                raise TimeoutError("the program in the pseudo-terminal does not come to rest")
            has_drawn, naps_now, is_asleep = self.read(), self._naps(), self._is_asleep()
            if has_drawn or not is_asleep or naps_now != naps or naps_now <= naps_before:
                naps, asleep_since, looks = naps_now, time.monotonic(), 0
            else:
                looks += 1
            time.sleep(_LOOK_INTERVAL)

    def _naps(self) -> int:
        """How often the program has gone to sleep of its own accord."""
        if not self.process.isalive():
            return 1 << 62
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("\nvoluntary_ctxt_switches:")[1].split()[0])

    def _is_asleep(self) -> bool:
        if not self.process.isalive():
            return True
        stat = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        return stat.rpartition(")")[2].split()[0] == "S" and self._unread_input() == 0

    def _unread_input(self) -> int:
        terminal = os.open(f"/proc/{self.process.pid}/fd/0", os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            return struct.unpack("i", fcntl.ioctl(terminal, termios.FIONREAD, b"\0" * 4))[0]
        finally:
            os.close(terminal)
