"""Arrays of a device, or divided over several, kept in the host's memory for a while.

As plain numpy arrays: JAX's own arrays in host memory take some 4 KiB more each, which counts where pages are many.
"""

from typing import Any, NamedTuple

import jax
import numpy as np
from jax.sharding import Sharding


class Paged(NamedTuple):
    """This process's parts of an array, each with its device."""

    shape: tuple[int, ...]
    sharding: Sharding
    parts: list[tuple[jax.Device, np.ndarray]]


def page_out(tree: Any) -> Any:
    """Copy a tree of arrays to the host; waits until they are computed."""

    def copy(array: jax.Array) -> Paged:
        parts = [(shard.device, np.array(shard.data)) for shard in array.addressable_shards]
        return Paged(array.shape, array.sharding, parts)

    return jax.tree.map(copy, tree)


def page_in(tree: Any) -> Any:
    """Put back where they were what `page_out` has given."""

    def put_back(paged: Paged) -> jax.Array:
        parts = [jax.device_put(part, device) for device, part in paged.parts]
        return jax.make_array_from_single_device_arrays(paged.shape, paged.sharding, parts)

    return jax.tree.map(put_back, tree, is_leaf=lambda node: isinstance(node, Paged))
