"""A stream of bits, written and read by kernels: the lowest bit of a byte and of an integer comes first."""

from typing import NamedTuple

import numpy as np

from data_gen.kernel import inner_kernel

_MAX_GAMMA = 32
"""Bits after the first of the longest gamma code."""


class Bits(NamedTuple):
    """Bits in an array, and where the next one is written or read."""

    data: np.ndarray  # uint8; zero where nothing is written yet
    position_1: np.ndarray  # int64: a number of bits; beyond the data: a read has gone wrong


def bits_of(data: np.ndarray) -> Bits:
    """The bits in `data`, uint8, from the first on."""
    return Bits(data, np.zeros(1, np.int64))


@inner_kernel
def put_bits(bits: Bits, value: int, width: int) -> None:
    """Write the lowest `width` bits of `value`."""
    position, end = bits.position_1[0], bits.position_1[0] + width
    while position < end:
        offset = position & 7
        count = min(8 - offset, end - position)
        bits.data[position >> 3] |= (value & ((1 << count) - 1)) << offset
        value >>= count
        position += count
    bits.position_1[0] = end


@inner_kernel
def take_bits(bits: Bits, width: int) -> int:
    """Read an integer of `width` bits. Where fewer are left: 0, and the stream `has_failed`."""
    position, end = bits.position_1[0], bits.position_1[0] + width
    if end > 8 * bits.data.shape[0]:
        bits.position_1[0] = 8 * bits.data.shape[0] + 1
        return 0
    value = shift = 0
    while position < end:
        offset = position & 7
        count = min(8 - offset, end - position)
        value |= ((int(bits.data[position >> 3]) >> offset) & ((1 << count) - 1)) << shift
        shift += count
        position += count
    bits.position_1[0] = end
    return value


@inner_kernel
def bits_left(bits: Bits) -> int:
    """How many bits are still to be read; negative when a read has gone wrong."""
    return 8 * bits.data.shape[0] - bits.position_1[0]


@inner_kernel
def has_failed(bits: Bits) -> bool:
    """Whether a read has gone wrong."""
    return bits_left(bits) < 0


@inner_kernel
def width_of(value: int) -> int:
    """The bits that the numbers 0 to `value` need."""
    width = 0
    while value >> width:
        width += 1
    return width


@inner_kernel
def put_gamma(bits: Bits, value: int) -> None:
    """Write an integer from 1 to 2**33 - 1 as an Elias gamma code: k zeros, a one, then all of its k + 1 bits but the
    highest.
    """
    width = width_of(value) - 1
    put_bits(bits, 1 << width, width + 1)
    put_bits(bits, value, width)


@inner_kernel
def take_gamma(bits: Bits) -> int:
    """Read an Elias gamma code. Where it is cut off or too long: 0, and the stream `has_failed`."""
    for width in range(_MAX_GAMMA + 1):
        if take_bits(bits, 1):
            value = take_bits(bits, width)
            return 0 if has_failed(bits) else value | 1 << width
    bits.position_1[0] = 8 * bits.data.shape[0] + 1
    return 0
