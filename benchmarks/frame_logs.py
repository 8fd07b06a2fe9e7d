"""Decoded frames as the logs from which they are encoded."""

import numpy as np

from data_gen.cells import CURSOR
from data_gen.terminal.screen import FrameLog


def log_of(codepoints_FxRxC: np.ndarray, styles_FxRxC: np.ndarray, actions_F: np.ndarray) -> FrameLog:
    """A full log of frames as `decode_frames` gives them, each with the rows that really differ from the one before."""
    frames, rows, _ = codepoints_FxRxC.shape
    cursors_Fx2 = np.argwhere(styles_FxRxC & CURSOR)[:, 1:]
    styles_FxRxC = styles_FxRxC & ~np.uint8(CURSOR)
    is_changed_FxR = np.ones((frames, rows), bool)
    is_changed_FxR[1:] = (np.diff(codepoints_FxRxC, axis=0) != 0).any(-1) | (np.diff(styles_FxRxC, axis=0) != 0).any(-1)
    frames_U, rows_U = np.nonzero(is_changed_FxR)
    return FrameLog(
        np.array((frames, len(rows_U)), np.int64),
        actions_F,
        cursors_Fx2.astype(np.uint16),
        np.cumsum(is_changed_FxR.sum(1)),
        np.resize(rows_U.astype(np.uint16), frames * rows),
        codepoints_FxRxC[frames_U, rows_U],
        styles_FxRxC[frames_U, rows_U],
    )
