"""The muxer's windows as a person uses them: one for everything, or the editor in a window or a pane of its own."""

import enum
import random

from data_gen.actions import Key
from data_gen.replay.script import ScriptWriter
from data_gen.terminal.pane import Pane, is_large_enough, split_downwards, split_sideways

_ROOM_FOR_WINDOWS = len("[0] 0:bash- 1:bash*")
_SHARES = {"window": 0.03, "beside": 0.05, "above": 0.02}
"""How often a person in one window sets up another desk before editing."""

_TIDY_SHARE = 0.4


class _Place(enum.Enum):
    SHELL = enum.auto()
    EDITOR = enum.auto()


class Desk:
    """Knows which windows are open and which has the keyboard, and presses the muxer's keys.

    In a second window the editor is alone, or has a shell to its right or below.
    """

    def __init__(self, rng: random.Random, writer: ScriptWriter, rows: int, columns: int) -> None:
        self._random = rng
        self._writer = writer
        screen = Pane(0, 0, rows - 1, columns)
        self._columns = {"": columns, "window": columns, "above": columns, "beside": split_sideways(screen)[0].width}
        self._kinds = [""]
        if columns >= _ROOM_FOR_WINDOWS:
            self._kinds.append("window")
        if all(map(is_large_enough, split_sideways(screen))):
            self._kinds.append("beside")
        if all(map(is_large_enough, split_downwards(screen))):
            self._kinds.append("above")
        self._kind = ""
        self._place = _Place.SHELL

    @property
    def has_both(self) -> bool:
        """Whether a shell can be used while a file is open in the editor."""
        return self._kind != ""

    @property
    def editor_columns(self) -> int:
        """How wide the editor is."""
        return self._columns[self._kind]

    def arrange(self) -> None:
        """Before a commit's files are edited, the editor closed: perhaps set up another desk, or tidy up."""
        if self.has_both:
            if self._random.random() < _TIDY_SHARE:
                self._tidy()
            return
        choice = self._random.random()
        for kind, share in _SHARES.items():
            if 0 <= choice < share and kind in self._kinds:
                self._set_up(kind)
            choice -= share

    def go_to_shell(self) -> None:
        """Go to where commands are typed."""
        self._go_to(_Place.SHELL)

    def go_to_editor(self) -> None:
        """Go to where the editor is, or is opened."""
        self._go_to(_Place.EDITOR)

    def _set_up(self, kind: str) -> None:
        self._kind = kind
        self._writer.press_muxer(ord("c"))
        if kind == "window":
            self._place = _Place.EDITOR
        else:
            self._writer.press_muxer(ord("%" if kind == "beside" else '"'))
            self._place = _Place.SHELL

    def _tidy(self) -> None:
        """Close the second window. Nothing runs in it but shells."""
        if self._kind == "window":
            self.go_to_editor()
            self._writer.type(b"exit\n")
        else:
            self._writer.press_muxer(ord("&"))
            self._writer.type(b"y")
        self._kind, self._place = "", _Place.SHELL

    def _go_to(self, place: _Place) -> None:
        if not self.has_both or place is self._place:
            return
        if self._kind == "window":
            keys = [ord("l"), ord("p"), ord("n"), ord("1" if place is _Place.EDITOR else "0")]
        else:
            back, forth = (Key.LEFT, Key.RIGHT) if self._kind == "beside" else (Key.UP, Key.DOWN)
            keys = [ord("o"), ord(";"), int(back if place is _Place.EDITOR else forth)]
        self._writer.press_muxer(self._random.choice(keys))
        self._place = place
