"""Jobs on this machine, each in a process of its own, so that one that crashes takes no other with it."""

import contextlib
import multiprocessing
import multiprocessing.connection
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection

from data_gen.fleet.job import Job, Outcome, perform
from data_gen.record import Progress


def run(jobs: Sequence[Job], on_progress: Callable[[str, Progress], None], workers: int) -> Iterator[Outcome]:
    """Perform `jobs`, so many at a time, and yield their outcomes as they come; `on_progress` hears a job's name."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["data_gen.fleet.job"])  # imported once: seconds for each process
    temporary = tempfile.TemporaryDirectory(prefix="jobs-", ignore_cleanup_errors=True)  # also of those that are killed
    waiting = iter(jobs)
    running: dict[Connection, tuple[Job, multiprocessing.process.BaseProcess]] = {}

    def start_next() -> None:
        if (job := next(waiting, None)) is not None:
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(target=_perform, args=(job, theirs, temporary.name), name=job.name)
            process.start()
            theirs.close()
            running[ours] = job, process

    try:
        for _ in range(workers):
            start_next()
        while running:
            for connection in multiprocessing.connection.wait(list(running)):
                assert isinstance(connection, Connection)
                job, process = running[connection]
                message = _receive(connection)
                if isinstance(message, Progress):
                    on_progress(job.name, message)
                    continue
                process.join()
                connection.close()
                del running[connection]
                start_next()
                yield message or Outcome(job.name, f"{job.source}: its process ended with code {process.exitcode}")
    finally:
        for _, process in running.values():
            process.terminate()
        for _, process in running.values():
            process.join()
        temporary.cleanup()


def _receive(connection: Connection) -> Progress | Outcome | None:
    """The next message; `None` if its sender is gone."""
    try:
        return connection.recv()
    except (EOFError, OSError):
        return None


def _perform(job: Job, connection: Connection, temporary: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one
    tempfile.tempdir = temporary
    with contextlib.suppress(BrokenPipeError):  # that process is gone
        connection.send(perform(job, connection.send))
