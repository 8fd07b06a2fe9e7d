"""A window of the muxer: the panes it is split into, of which one has the keyboard."""

from collections.abc import Callable

from data_gen.actions import Key
from data_gen.cells import Style
from data_gen.terminal.pane import Pane, borders, is_large_enough, split_downwards, split_sideways
from data_gen.terminal.programs import Programs
from data_gen.terminal.screen import Screen, Snapshot, restore, snapshot
from data_gen.terminal.words import ShellError


class Window:
    """A window that is shown in `area` of `screen`; `start` starts the programs of a pane."""

    def __init__(self, screen: Screen, area: Pane, start: Callable[[Pane], Programs]) -> None:
        self._screen = screen
        self._area = area
        self._start = start
        self._hidden: Snapshot | None = None
        self._panes = [start(area)]
        self.active = self._panes[0]
        """The pane that has the keyboard."""
        self._previous: Programs | None = None

    @property
    def is_split(self) -> bool:
        """Whether there is more than one pane."""
        return len(self._panes) > 1

    def hide(self) -> None:
        """Another window is going to be shown."""
        self._hidden = snapshot(self._screen, self._area)

    def show(self) -> None:
        """Be shown again."""
        assert self._hidden is not None
        restore(self._screen, self._hidden)

    def split(self, sideways: bool) -> None:
        """Split the active pane; the new one is to the right of it, or below, and has the keyboard.

        `ShellError` if the halves are too small, or if the pane shows more than a prompt: tmux would wrap what it shows
        anew.
        """
        old = self.active
        halves = (split_sideways if sideways else split_downwards)(old.pane)
        if not old.is_fresh or not all(map(is_large_enough, halves)):
            raise ShellError("the pane cannot be split: it is in use, or too small")
        first, second = map(self._start, halves)
        at = self._panes.index(old)
        self._panes[at : at + 1] = first, second
        self._previous, self.active = first, second
        self._draw_borders()
        second.focus()

    def go_to_next(self) -> None:
        """Give the keyboard to the next pane."""
        self._go_to(self._panes[(self._panes.index(self.active) + 1) % len(self._panes)])

    def go_to_previous(self) -> None:
        """Give the keyboard to the pane that had it before; `ShellError` if there is none."""
        if self._previous is None:
            raise ShellError("no pane had the keyboard before")
        self._go_to(self._previous)

    def go_towards(self, arrow: int) -> None:
        """Give the keyboard to the pane beside the active one; `ShellError` unless there is just one there."""
        near = [pane for pane in self._panes if _is_beside(self.active.pane, pane.pane, arrow)]
        if len(near) != 1:
            raise ShellError(f"{len(near)} panes lie in that direction")
        self._go_to(near[0])

    def _go_to(self, pane: Programs) -> None:
        if pane is not self.active:
            self.active.blur()
            self._previous, self.active = self.active, pane
            pane.focus()

    def _draw_borders(self) -> None:
        rows, columns = slice(0, self._area.height), slice(0, self._area.width)
        codepoints_HxW = borders(self._area, [pane.pane for pane in self._panes])
        is_border_HxW = codepoints_HxW > 0
        self._screen.codepoints_RxC[rows, columns][is_border_HxW] = codepoints_HxW[is_border_HxW]
        self._screen.styles_RxC[rows, columns][is_border_HxW] = Style.MUXER_BORDER
        self._screen.dirty_R[rows] |= is_border_HxW.any(axis=1)


def _is_beside(here: Pane, there: Pane, arrow: int) -> bool:
    """Whether `there` is the next pane from `here` on in the direction of an arrow key."""
    overlaps_rows = here.top < there.top + there.height and there.top < here.top + here.height
    overlaps_columns = here.left < there.left + there.width and there.left < here.left + here.width
    return {
        Key.LEFT: overlaps_rows and there.left + there.width + 1 == here.left,
        Key.RIGHT: overlaps_rows and here.left + here.width + 1 == there.left,
        Key.UP: overlaps_columns and there.top + there.height + 1 == here.top,
        Key.DOWN: overlaps_columns and here.top + here.height + 1 == there.top,
    }[Key(arrow)]
