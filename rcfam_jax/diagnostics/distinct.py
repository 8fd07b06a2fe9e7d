"""Examples of which no two are alike, so that what a model is validated with it has not learned from."""

from collections.abc import Callable, Sequence

import numpy as np


def distinct(draw: Callable[[int], Sequence[np.ndarray]], count: int, what: str) -> list[np.ndarray]:
    """Arrays of `count` rows, no two of which are alike in all arrays, in the order in which `draw` gave them.

    `draw(n)` gives arrays of n rows. `ValueError`, saying `what` there is not enough of, if they are alike too often.
    """
    drawn = list(draw(2 * count))
    for _ in range(4):
        rows = np.concatenate([array.reshape(len(array), -1) for array in drawn], axis=1)
        as_bytes = np.ascontiguousarray(rows).view(np.dtype((np.void, rows.itemsize * rows.shape[1])))
        _, first = np.unique(as_bytes, return_index=True)
        if len(first) >= count:
            kept = np.sort(first)[:count]
            return [array[kept] for array in drawn]
        drawn = [np.concatenate(both) for both in zip(drawn, draw(2 * count), strict=True)]
    raise ValueError(f"there are not {count} different {what}")
