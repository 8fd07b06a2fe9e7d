"""What a record that nobody encoded must do: give the frames that the description gives, or an error of one kind."""

import zlib

import numpy as np
import plain_decoder

from data_gen.cells import CURSOR
from data_gen.texz.codec import decode_actions, decode_frames
from data_gen.texz.record import TexzError, unpack


def with_right_checksum(content: bytes) -> bytes:
    return content[:-4] + zlib.crc32(content[:-4]).to_bytes(4, "little")


_MOST_CELLS = 1 << 16


def decode_or_refuse(encoded: bytes) -> bool:
    """Whether there are frames: of the record's size, and those of the plain decoder.

    Of a record with more than 2**16 cells only the first frames are decoded, and not plainly.
    """
    try:
        unpacked, actions_S = unpack(encoded), decode_actions(encoded)
        frames = min(unpacked.frames, max(1, _MOST_CELLS // (unpacked.rows * unpacked.columns)))
        codepoints_FxRxC, styles_FxRxC = decode_frames(encoded, np.arange(frames))
    except TexzError:
        return False
    assert codepoints_FxRxC.shape == styles_FxRxC.shape == (frames, unpacked.rows, unpacked.columns)
    assert ((styles_FxRxC & CURSOR) != 0).sum() == frames
    if frames == unpacked.frames:
        plain = plain_decoder.decode(encoded)
        np.testing.assert_array_equal(codepoints_FxRxC, plain[0])
        np.testing.assert_array_equal(styles_FxRxC, plain[1])
        np.testing.assert_array_equal(actions_S, plain[2])
    return True
