"""Data parallelism: each device holds the whole model and its share of a batch's windows."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from data_gen.errors import UserError


class Devices:
    """Devices in one row, by default all of all processes."""

    def __init__(self, batch_size: int, devices: Sequence[jax.Device] | None = None):
        """`UserError` if they cannot share `batch_size` windows evenly."""
        devices = jax.devices() if devices is None else devices
        if batch_size % len(devices):
            raise UserError(f"data.batch_size is {batch_size}: the {len(devices)} devices cannot share it evenly")
        mesh = Mesh(np.array(devices), ("batch",))
        self._whole = NamedSharding(mesh, PartitionSpec())
        self._split = NamedSharding(mesh, PartitionSpec("batch"))

    def replicate(self, tree: Any) -> Any:
        """Put a tree of arrays, the same in every process, on every device."""
        return jax.device_put(tree, self._whole)

    def scatter(self, local_batch: Any) -> Any:
        """Make one batch of the rows that each process has, divided over the devices."""
        return jax.tree.map(lambda rows: jax.make_array_from_process_local_data(self._split, rows), local_batch)


def gather(tree: Any) -> Any:
    """The whole of divided arrays as numpy arrays, in every process."""
    return multihost_utils.process_allgather(tree, tiled=True)
