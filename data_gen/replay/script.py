"""What is typed for one commit, as it grows."""

from typing import NamedTuple

import numpy as np

from data_gen.actions import CTRL_B, from_bytes
from data_gen.terminal.words import quote

_PATHS_PER_COMMAND = 4


class Script(NamedTuple):
    """What is typed for one commit, and where in it things begin.

    `events` are (offset, kind, path, entry): the "commit" and its "message", without a path, each "file" in the editor,
    and each path of the commit that is "left out", with the mode and the object name that git has there, if any.
    """

    actions: np.ndarray  # uint16
    events: list[tuple[int, str, bytes, str]]


class ScriptWriter:
    """Collects the actions and events of one script after the other."""

    def __init__(self) -> None:
        self._pieces: list[np.ndarray] = []
        self._size = 0
        self._events: list[tuple[int, str, bytes, str]] = []

    def mark(self, kind: str, path: bytes = b"", entry: str = "") -> None:
        """Note that something begins here."""
        self._events.append((self._size, kind, path, entry))

    def press(self, actions: np.ndarray) -> None:
        """Add actions for a program; C-b, which the muxer would keep for itself, is pressed twice."""
        self._add(np.repeat(actions, 1 + (actions == CTRL_B)))

    def press_muxer(self, key: int) -> None:
        """Add C-b and the muxer's key."""
        self._add(np.array([CTRL_B, key], np.uint16))

    def type(self, text: bytes) -> None:
        """Add text; its newlines are typed as Enter."""
        self._add(from_bytes(text.replace(b"\n", b"\r")))

    def command(self, command: bytes, *paths: bytes) -> None:
        """Type a command and its operands."""
        self.type(b" ".join([command, *map(operand, paths)]) + b"\n")

    def commands(self, command: bytes, paths: list[bytes]) -> None:
        """Type the command as often as it takes for all `paths`."""
        for first in range(0, len(paths), _PATHS_PER_COMMAND):
            self.command(command, *paths[first : first + _PATHS_PER_COMMAND])

    def take(self) -> Script:
        """All since the last time."""
        script = Script(np.concatenate(self._pieces), self._events)
        self._pieces, self._size, self._events = [], 0, []
        return script

    def _add(self, actions: np.ndarray) -> None:
        self._pieces.append(actions)
        self._size += len(actions)


def operand(path: bytes) -> bytes:
    """`path` in quotes, where it needs them, and never to be taken for an option."""
    return quote(b"./" + path if path.startswith((b"-", b"+")) else path)
