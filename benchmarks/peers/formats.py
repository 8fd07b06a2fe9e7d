"""Other formats for what a terminal showed, before compression: asciicast v2, ttyrec and plain cell deltas."""

import json
import struct

import numpy as np

from benchmarks.peers.terminal_output import terminal_output
from data_gen.actions import to_bytes
from data_gen.cells import BLANK, CURSOR

_FRAME_SECONDS = 0.04
_TTYREC_HEADER = struct.Struct("<III")


def asciicast(codepoints_FxRxC: np.ndarray, styles_FxRxC: np.ndarray, actions_F: np.ndarray) -> bytes:
    """An asciicast v2 file: https://docs.asciinema.org/manual/asciicast/v2/. Actions are its input events."""
    _, rows, columns = codepoints_FxRxC.shape
    lines = [json.dumps({"version": 2, "width": columns, "height": rows})]
    for frame, text in enumerate(terminal_output(codepoints_FxRxC, styles_FxRxC)):
        seconds = round(frame * _FRAME_SECONDS, 6)
        typed = to_bytes(actions_F[frame : frame + 1]).decode("latin-1")
        lines.append(json.dumps([seconds, "o", text], ensure_ascii=False))
        lines.append(json.dumps([seconds, "i", typed], ensure_ascii=False))
    return "\n".join([*lines, ""]).encode()


def ttyrec(codepoints_FxRxC: np.ndarray, styles_FxRxC: np.ndarray) -> bytes:
    """A ttyrec file: seconds, microseconds and length, then the output. It cannot hold actions."""
    parts = []
    for frame, text in enumerate(terminal_output(codepoints_FxRxC, styles_FxRxC)):
        content = text.encode()
        seconds, microseconds = divmod(round(frame * _FRAME_SECONDS * 1e6), 1_000_000)
        parts.append(_TTYREC_HEADER.pack(seconds, microseconds, len(content)) + content)
    return b"".join(parts)


def cell_deltas(codepoints_FxRxC: np.ndarray, styles_FxRxC: np.ndarray, actions_F: np.ndarray) -> bytes:
    """Of each frame the action, the cursor's cell, how many cells changed, and of those place, codepoint and style."""
    frames = len(actions_F)
    codepoints_FxN = codepoints_FxRxC.reshape(frames, -1)
    styles_FxN = styles_FxRxC.reshape(frames, -1)
    before_N, before_styles_N = np.full(codepoints_FxN.shape[1], BLANK), np.zeros(codepoints_FxN.shape[1], np.uint8)
    parts = []
    for action, codepoints_N, marked_N in zip(actions_F, codepoints_FxN, styles_FxN, strict=True):
        styles_N = marked_N & ~np.uint8(CURSOR)
        changed = np.flatnonzero((codepoints_N != before_N) | (styles_N != before_styles_N))
        header = np.array((action, np.argmax(marked_N & CURSOR), len(changed)), "<u4")
        parts += [header, changed.astype("<u4"), codepoints_N[changed].astype("<u4"), styles_N[changed]]
        before_N, before_styles_N = codepoints_N, styles_N
    return b"".join(part.tobytes() for part in parts)
