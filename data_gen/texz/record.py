"""What is around the frames of every record, whatever their codec: version, sizes, a checksum, and the actions."""

import enum
import lzma
import struct
import zlib
from typing import NamedTuple

import numpy as np

from data_gen.errors import UserError

MAGIC = b"TEXZ"
VERSION = 1
MAX_CELLS = 1 << 20
MAX_FRAMES = 0xFFFF


_HEADER = struct.Struct("<4sBBHHHII")
_CHECKSUM = struct.Struct("<I")
_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9, "dict_size": 1 << 20, "lc": 0, "lp": 0, "pb": 0}]


class TexzError(UserError):
    """What is to be decoded is not what was encoded."""


class Codec(enum.IntEnum):
    """How the frames are written."""

    COLUMNAR = 0
    BITPACKED = 1


class Record(NamedTuple):
    """A record taken apart, its checksum right."""

    codec: int
    rows: int
    columns: int
    frames: int
    actions: bytes  # compressed
    body: bytes  # as the codec wrote it


def compress(content: bytes) -> bytes:
    """`content` as raw LZMA2: deterministic, without a container."""
    return lzma.compress(content, lzma.FORMAT_RAW, filters=_FILTERS)


def decompress(content: bytes, size: int) -> bytes:
    """The `size` bytes that were compressed; `TexzError` if it is anything else."""
    decompressor = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=_FILTERS)
    try:
        decompressed = decompressor.decompress(content, max_length=size + 1)
    except lzma.LZMAError as error:
        raise TexzError(f"a compressed block is damaged: {error}") from error
    if len(decompressed) != size or not decompressor.eof or decompressor.unused_data:
        raise TexzError(f"a compressed block does not hold the {size} bytes that it should")
    return decompressed


def pack(codec: Codec, rows: int, columns: int, actions_S: np.ndarray, body: bytes) -> bytes:
    """A record of the frames in `body` and their actions, uint16 [S]."""
    planes_2xS = np.stack((actions_S & 0xFF, actions_S >> 8)).astype(np.uint8)
    actions = compress(planes_2xS.tobytes())
    header = _HEADER.pack(MAGIC, VERSION, codec, rows, columns, len(actions_S), len(actions), len(body))
    content = header + actions + body
    return content + _CHECKSUM.pack(zlib.crc32(content))


def unpack(record: bytes) -> Record:
    """Take a record apart; `TexzError` if it is not whole, or not of this version."""
    if len(record) < _HEADER.size + _CHECKSUM.size:
        raise TexzError(f"{len(record)} bytes are too few for a record")
    magic, version, codec, rows, columns, frames, actions_size, body_size = _HEADER.unpack_from(record)
    if magic != MAGIC:
        raise TexzError("this is not a texz record")
    if version != VERSION:
        raise TexzError(f"texz version {version} was read, but only version {VERSION} is known")
    if len(record) != _HEADER.size + actions_size + body_size + _CHECKSUM.size:
        raise TexzError(
            f"a record of {_HEADER.size + actions_size + body_size + _CHECKSUM.size} bytes has {len(record)}"
        )
    if zlib.crc32(record[: -_CHECKSUM.size]) != _CHECKSUM.unpack(record[-_CHECKSUM.size :])[0]:
        raise TexzError("the checksum is wrong: the record is damaged")
    if not frames or not 0 < rows * columns <= MAX_CELLS:
        raise TexzError(f"{frames} frames of {rows}x{columns} cells are out of bounds")
    body_start = _HEADER.size + actions_size
    return Record(codec, rows, columns, frames, record[_HEADER.size : body_start], record[body_start : -_CHECKSUM.size])


def unpack_actions(record: Record) -> np.ndarray:
    """The actions of a record: uint16 [S]."""
    planes_2xS = np.frombuffer(decompress(record.actions, 2 * record.frames), np.uint8).reshape(2, -1).astype(np.uint16)
    return planes_2xS[0] | planes_2xS[1] << 8
