"""How a depth grows with the length of the sequence, seen from lengths that double."""

import math
from collections.abc import Sequence
from typing import Literal

Growth = Literal["constant", "logarithmic", "linear"]


def growth(depths: Sequence[int]) -> Growth:
    """The growth class of depths at lengths T, 2 T, 4 T, ..., an odd number of them.

    What is added over the later half of the doublings is held against what is added over the earlier half: nothing, as
    much (each doubling adds a constant), or 2^n times as much over n doublings (each adds twice what the last one did).
    `ValueError` where it is neither, as for a square root, whose additions grow by 2^(n/2).
    """
    half, odd = divmod(len(depths) - 1, 2)
    if half < 1 or odd:
        raise ValueError(f"{len(depths)} depths do not have two halves of doublings")
    earlier, later = depths[half] - depths[0], depths[-1] - depths[half]
    if later == 0:
        return "constant"
    exponent = math.log2(later / earlier) / half if later > 0 and earlier > 0 else math.nan
    if abs(exponent) < 1 / 3:
        return "logarithmic"
    if abs(exponent - 1) < 1 / 3:
        return "linear"
    raise ValueError(f"depths grow neither logarithmically nor linearly: {list(depths)}")
