"""Data parallelism: each device holds the whole model and its share of a batch's windows."""

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from data_gen.errors import UserError, one_line

AUTOMATIC = "auto"
"""As the coordinator's address: the cluster's own variables tell it, as those of Slurm and TPU pods do."""

PATIENCE = 30
"""Seconds that a process waits for the others at its end."""


def join_processes(coordinator: str, processes: int | None, process: int | None) -> None:
    """Make this process one of several, before anything else asks for devices; `coordinator` is process 0's HOST:PORT.

    On CPUs they talk through gloo. `UserError` if the others cannot be reached.
    """
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    try:
        if coordinator == AUTOMATIC:
            jax.distributed.initialize(shutdown_timeout_seconds=PATIENCE)
        else:
            jax.distributed.initialize(coordinator, processes, process, shutdown_timeout_seconds=PATIENCE)
    except (ValueError, RuntimeError) as error:
        raise UserError(f"cannot join the processes at {coordinator}: {error}") from error


@contextlib.contextmanager
def leaving_at_once() -> Iterator[None]:
    """End one of several processes with its error's line where it fails: the others, amid a step, could wait forever.

    They end too, since they lose it.
    """
    try:
        yield
    except (UserError, OSError) as error:
        if jax.process_count() == 1:
            raise
        print(f"error: {one_line(error)}", file=sys.stderr, flush=True)
        os._exit(1)  # at an ordinary exit JAX would wait for the others


def is_primary() -> bool:
    """Whether this process is the one that writes what only one may write."""
    return jax.process_index() == 0


def micro_batch_size(config: Any) -> int:
    """How many windows of a batch are on the devices at a time, over all processes."""
    return config.data.batch_size // config.train.accumulate


class Devices:
    """Devices in one row, by default all of all processes."""

    def __init__(self, batch_size: int, devices: Sequence[jax.Device] | None = None, parts: int = 1):
        """`UserError` if they cannot share `batch_size` windows evenly, in `parts` that are computed one by one."""
        devices = jax.devices() if devices is None else devices
        if parts < 1 or batch_size % (len(devices) * parts):
            raise UserError(
                f"data.batch_size is {batch_size}: "
                + (f"{parts} parts (train.accumulate) on " if parts != 1 else "")
                + f"the {len(devices)} devices cannot share it evenly"
            )
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
