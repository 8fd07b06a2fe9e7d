"""Jobs on a Ray cluster, all of whose machines see the dataset's folder, the clones and the repositories."""

import socket
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from data_gen.errors import UserError, one_line
from data_gen.fleet.job import Job, Outcome, perform
from data_gen.record import Progress

_RETRIES = 5  # of a job whose process or machine has died
_SECONDS_BETWEEN_LOOKS = 0.5


def run(jobs: Sequence[Job], on_progress: Callable[[str, Progress], None], address: str) -> Iterator[Outcome]:
    """Perform `jobs` on the cluster at `address` and yield their outcomes as they come.

    A job whose machine dies is done again on another, which goes on after the last file that is complete.
    """
    _connect(address)
    try:
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        board: Any = ray.remote(_Board).options(num_cpus=0, scheduling_strategy=here).remote()
        task = ray.remote(max_retries=_RETRIES)(_perform)
        names = {task.remote(job, board): job.name for job in jobs}
        while names:
            done, _ = ray.wait(list(names), timeout=_SECONDS_BETWEEN_LOOKS)
            for name, progress in ray.get(board.take.remote()).items():
                on_progress(name, progress)
            for reference in done:
                yield _outcome(reference, names.pop(reference))
    finally:
        ray.shutdown()


def _connect(address: str) -> None:
    """`UserError` if there is no cluster."""
    try:
        host, _, port = address.rpartition(":")
        if port.isdecimal():  # Ray itself would try for many minutes
            socket.create_connection((host, int(port)), timeout=10).close()
        ray.init(address, configure_logging=False)
    except (OSError, ValueError, RuntimeError) as error:
        raise UserError(f"--ray_address={address}: {one_line(error)}") from error


def _perform(job: Job, board: Any) -> Outcome:
    return perform(job, lambda progress: board.put.remote(job.name, progress))


class _Board:
    """Where jobs write how far they have come, until the driver looks."""

    def __init__(self) -> None:
        self._news: dict[str, Progress] = {}

    def put(self, name: str, progress: Progress) -> None:
        self._news[name] = progress

    def take(self) -> dict[str, Progress]:
        news, self._news = self._news, {}
        return news


def _outcome(reference: ray.ObjectRef, name: str) -> Outcome:
    try:
        return ray.get(reference)
    except ray.exceptions.RayError as error:
        return Outcome(name, f"{name}: {type(error).__name__}: {one_line(error)[:300]}")
