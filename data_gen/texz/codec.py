"""Frames and actions to a record and back, whichever codec the record is written in."""

import numpy as np

from data_gen.cells import CURSOR
from data_gen.terminal.screen import FrameLog
from data_gen.texz import bitpacked, columnar
from data_gen.texz.record import MAX_CELLS, MAX_FRAMES, Codec, TexzError, pack, unpack, unpack_actions


def encode(log: FrameLog, codec: Codec = Codec.COLUMNAR) -> bytes:
    """The frames of `log` and their actions as a record. `ValueError` if they cannot be encoded."""
    frames, changes = map(int, log.size_2)
    columns = log.codepoints_UxC.shape[1]
    rows = log.rows_U.shape[0] // log.actions_S.shape[0]
    _check(log, frames, changes, rows, columns)
    encode_body = bitpacked.encode_body if codec == Codec.BITPACKED else columnar.encode_body
    return pack(codec, rows, columns, log.actions_S[:frames], encode_body(log, rows))


def _check(log: FrameLog, frames: int, changes: int, rows: int, columns: int) -> None:
    if not 0 < frames <= MAX_FRAMES or not 0 < rows * columns <= MAX_CELLS:
        raise ValueError(
            f"a record holds 1 to {MAX_FRAMES} frames of at most {MAX_CELLS} cells, not {frames} of {rows}x{columns}"
        )
    if (log.rows_U[:changes] >= rows).any() or (log.cursors_Sx2[:frames] >= (rows, columns)).any():
        raise ValueError(f"a changed row or the cursor is outside of the {rows}x{columns} screen")
    if (log.styles_UxC[:changes] >= CURSOR).any():
        raise ValueError(f"a style is not below {CURSOR}")


def decode_actions(record: bytes) -> np.ndarray:
    """The actions of a record: uint16 [S]. The frames are not looked at. `TexzError` if the record is damaged."""
    return unpack_actions(unpack(record))


def new_frames(record: bytes, count: int, max_codepoint: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Arrays for `count` frames of a record, as `decode_frames` fills them."""
    unpacked = unpack(record)
    shape = (count, unpacked.rows, unpacked.columns)
    return np.empty(shape, np.uint32 if max_codepoint is None else np.uint8), np.empty(shape, np.uint8)


def decode_frames(
    record: bytes,
    frames_F: np.ndarray,
    max_codepoint: int | None = None,
    out: tuple[np.ndarray, np.ndarray] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Frames of a record: codepoints_FxRxC uint32 and styles_FxRxC uint8, with the cursor's cell marked `CURSOR`.

    `frames_F` counts from the record's first frame and ascends. With `max_codepoint`, at most 255, codepoints are uint8
    and greater ones become `max_codepoint`. Arrays in `out` are filled and returned instead of new ones.
    `TexzError` if the record is damaged or `out` is not for it, `IndexError` if it has no such frame.
    """
    unpacked = unpack(record)
    if unpacked.codec not in set(Codec):
        raise TexzError(f"codec {unpacked.codec} was read, but only {', '.join(map(str, Codec))} are known")
    frames_F = np.ascontiguousarray(frames_F, np.int64)
    if len(frames_F) and (frames_F[0] < 0 or frames_F[-1] >= unpacked.frames or (np.diff(frames_F) < 0).any()):
        raise IndexError(f"frames must ascend within 0 to {unpacked.frames - 1}")
    if out is None:
        out = new_frames(record, len(frames_F), max_codepoint)
    shape = (len(frames_F), unpacked.rows, unpacked.columns)
    dtypes = np.uint32 if max_codepoint is None else np.uint8, np.uint8
    for array, dtype in zip(out, dtypes, strict=True):
        if array.shape != shape or array.dtype != dtype:
            raise TexzError(f"the frames are {np.dtype(dtype)} {shape}, not {array.dtype} {array.shape}")
    decode_body = bitpacked.decode_body if unpacked.codec == Codec.BITPACKED else columnar.decode_body
    decoded = decode_body(unpacked, frames_F, out, 0xFFFFFFFF if max_codepoint is None else max_codepoint)
    if decoded < len(frames_F):
        raise TexzError(f"frame {frames_F[decoded]} of the record cannot be decoded")
    return out
