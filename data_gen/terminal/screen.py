"""The screen of the terminal, and the log of the frames that it showed."""

from typing import NamedTuple

import numpy as np

from data_gen.cells import BLANK, Style
from data_gen.kernel import kernel
from data_gen.terminal.pane import Pane


class Screen(NamedTuple):
    """What the terminal shows now. Whoever changes a row marks it in `dirty_R`."""

    codepoints_RxC: np.ndarray  # uint32
    styles_RxC: np.ndarray  # uint8
    cursor_2: np.ndarray  # int64: row, column
    dirty_R: np.ndarray  # bool: rows changed since the last frame was logged


class Snapshot(NamedTuple):
    """What a rectangle of the screen has shown, and where the cursor was."""

    pane: Pane
    codepoints_HxW: np.ndarray
    styles_HxW: np.ndarray
    cursor_2: np.ndarray


class FrameLog(NamedTuple):
    """At most S frames, each with the action that followed it and the rows in which it differs from the frame before.

    The first frame has all its rows, so that the log stands alone. U = S * R row changes always fit.
    """

    size_2: np.ndarray  # int64: frames, row changes
    actions_S: np.ndarray  # uint16
    cursors_Sx2: np.ndarray  # uint16: row, column
    ends_S: np.ndarray  # int64: where the row changes of each frame end
    rows_U: np.ndarray  # uint16
    codepoints_UxC: np.ndarray  # uint32
    styles_UxC: np.ndarray  # uint8


def new_screen(rows: int, columns: int) -> Screen:
    """A blank screen, all of it dirty, with the cursor in the upper left corner."""
    return Screen(
        np.full((rows, columns), BLANK, np.uint32),
        np.full((rows, columns), Style.PLAIN, np.uint8),
        np.zeros(2, np.int64),
        np.ones(rows, np.bool_),
    )


def snapshot(screen: Screen, pane: Pane) -> Snapshot:
    """What `screen` shows in `pane`."""
    rows, columns = _slices(pane)
    return Snapshot(
        pane,
        screen.codepoints_RxC[rows, columns].copy(),
        screen.styles_RxC[rows, columns].copy(),
        screen.cursor_2.copy(),
    )


def restore(screen: Screen, old: Snapshot) -> None:
    """Show again what a snapshot holds."""
    rows, columns = _slices(old.pane)
    codepoints_HxW, styles_HxW = screen.codepoints_RxC[rows, columns], screen.styles_RxC[rows, columns]
    differs_HxW = (codepoints_HxW != old.codepoints_HxW) | (styles_HxW != old.styles_HxW)
    screen.dirty_R[rows] |= differs_HxW.any(axis=1)
    codepoints_HxW[:], styles_HxW[:] = old.codepoints_HxW, old.styles_HxW
    screen.cursor_2[:] = old.cursor_2


def wipe(screen: Screen, pane: Pane) -> None:
    """Show nothing in `pane`, with the cursor in its upper left corner."""
    rows, columns = _slices(pane)
    screen.codepoints_RxC[rows, columns], screen.styles_RxC[rows, columns] = BLANK, Style.PLAIN
    screen.dirty_R[rows] = True
    screen.cursor_2[:] = pane.top, pane.left


def _slices(pane: Pane) -> tuple[slice, slice]:
    return slice(pane.top, pane.top + pane.height), slice(pane.left, pane.left + pane.width)


def new_log(frames: int, rows: int, columns: int) -> FrameLog:
    """An empty log for `frames` frames."""
    return FrameLog(
        np.zeros(2, np.int64),
        np.empty(frames, np.uint16),
        np.empty((frames, 2), np.uint16),
        np.empty(frames, np.int64),
        np.empty(frames * rows, np.uint16),
        np.empty((frames * rows, columns), np.uint32),
        np.empty((frames * rows, columns), np.uint8),
    )


def clear_log(log: FrameLog) -> None:
    """Forget the frames of `log`."""
    log.size_2[:] = 0


@kernel
def log_is_full(log: FrameLog) -> bool:
    """Whether `log` has no room for another frame."""
    return log.size_2[0] == log.actions_S.shape[0]


@kernel
def log_frame(screen: Screen, log: FrameLog, action: int) -> None:
    """Add the frame that `screen` shows before `action`; its rows are clean afterwards. `log` must not be full."""
    frame, change = log.size_2[0], log.size_2[1]
    log.actions_S[frame] = action
    log.cursors_Sx2[frame, 0] = screen.cursor_2[0]
    log.cursors_Sx2[frame, 1] = screen.cursor_2[1]
    for row in range(screen.dirty_R.shape[0]):
        if screen.dirty_R[row] or frame == 0:
            log.rows_U[change] = row
            for column in range(screen.codepoints_RxC.shape[1]):  # compiles many times faster than a copy of slices
                log.codepoints_UxC[change, column] = screen.codepoints_RxC[row, column]
                log.styles_UxC[change, column] = screen.styles_RxC[row, column]
            screen.dirty_R[row] = False
            change += 1
    log.ends_S[frame] = change
    log.size_2[0] = frame + 1
    log.size_2[1] = change
