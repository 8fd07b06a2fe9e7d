"""The four streams of a columnar record: variable-length integers, written and read by kernels."""

from typing import NamedTuple

import numpy as np

from data_gen.kernel import inner_kernel

SELECTORS, PROGRAMS, LITERALS, ARGUMENTS = range(4)
MAX_VARINT = 5
"""Bytes of the longest integer: 35 bits."""


class Streams(NamedTuple):
    """Four streams in one array, and where the next integer of each is written or read."""

    data: np.ndarray  # uint8
    positions_4: np.ndarray  # int64
    ends_4: np.ndarray  # int64: one past each stream's last byte; a position beyond it: a read has gone wrong


def empty_streams(room: int) -> Streams:
    """Streams to write, each with room for so many bytes."""
    starts_4 = room * np.arange(4)
    return Streams(np.empty(4 * room, np.uint8), starts_4, starts_4 + room)


def written(streams: Streams) -> list[bytes]:
    """What was written to each stream."""
    starts_4 = len(streams.data) // 4 * np.arange(4)
    return [streams.data[start:end].tobytes() for start, end in zip(starts_4, streams.positions_4, strict=True)]


def streams_of(content: bytes, sizes: tuple[int, ...]) -> Streams:
    """Streams to read: `content` is the four of them, of so many bytes each, one after the other."""
    ends_4 = np.cumsum(sizes)
    return Streams(np.array(np.frombuffer(content, np.uint8)), ends_4 - sizes, ends_4)


@inner_kernel
def put(streams: Streams, stream: int, value: int) -> None:
    """Write `value`, 0 <= value < 2**35: seven bits a byte, lowest first, the high bit set on all but the last byte."""
    position = streams.positions_4[stream]
    while value >= 0x80:
        streams.data[position] = (value & 0x7F) | 0x80
        value >>= 7
        position += 1
    streams.data[position] = value
    streams.positions_4[stream] = position + 1


@inner_kernel
def take(streams: Streams, stream: int) -> int:
    """Read an integer. Where none is left, or it is too long: 0, and the stream `has_failed`."""
    position = streams.positions_4[stream]
    value = 0
    for shift in range(0, 7 * MAX_VARINT, 7):
        if position >= streams.ends_4[stream]:
            break
        byte = int(streams.data[position])
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            streams.positions_4[stream] = position
            return value
    streams.positions_4[stream] = streams.ends_4[stream] + 1
    return 0


@inner_kernel
def has_failed(streams: Streams) -> bool:
    """Whether a read has gone wrong."""
    failures = 0
    for stream in range(4):
        failures += streams.positions_4[stream] > streams.ends_4[stream]
    return failures > 0


@inner_kernel
def zigzag(value: int) -> int:
    """0, -1, 1, -2, 2 ... as 0, 1, 2, 3, 4 ..."""
    return 2 * value if value >= 0 else -2 * value - 1


@inner_kernel
def unzigzag(code: int) -> int:
    """The inverse of `zigzag`."""
    return -((code + 1) >> 1) if code & 1 else code >> 1
