"""How fast the generator is, from git objects to synced shards, on one core and on two, and where the time goes.

  python -m benchmarks.generation --repo=../some/repository --out=DIR
  python -m benchmarks.generation --repo=../some/repository --out=DIR --max_commits=100 --rows=24 --cols=80

Each run is a process of its own, bound to so many cores; the runs take turns. Prints a table; with --out also writes
it there as generation.json and generation.png.
"""

import multiprocessing
import os
import pathlib
import resource
import statistics
import tempfile
import time
from collections.abc import Sequence
from typing import NamedTuple

from absl import flags
from matplotlib.figure import Figure

from data_gen.atomic import write_file
from data_gen.dataset import to_json
from data_gen.program import run
from data_gen.record import Settings, record_history
from data_gen.replay.history import History
from data_gen.replay.session import Session
from data_gen.replay.typist import Typist
from data_gen.terminal.muxer import Terminal
from data_gen.terminal.screen import FrameLog, clear_log
from data_gen.texz.codec import encode
from data_gen.texz.record import Codec
from rcfam_jax.analysis.figures import write_figure

_REPO = flags.DEFINE_string("repo", None, "The git repository to replay.", required=True)
_OUT = flags.DEFINE_string("out", None, "Where the table and the plot are written.")
_MAX_COMMITS = flags.DEFINE_integer("max_commits", 500, "Only the oldest so many commits.", lower_bound=1)
_ROWS = flags.DEFINE_integer("rows", Settings.rows, "Rows of the terminal.", lower_bound=5, upper_bound=512)
_COLS = flags.DEFINE_integer("cols", Settings.columns, "Columns of the terminal.", lower_bound=20, upper_bound=1024)
_ROUNDS = flags.DEFINE_integer("rounds", 3, "How often each is measured, in turns.", lower_bound=1)


class Measured(NamedTuple):
    """One run of the generator."""

    cores: int
    actions_per_second: float
    bytes_per_frame: float
    mebibytes: float  # resident, at most


class Stages(NamedTuple):
    """Microseconds of one core for an action."""

    session: float  # git objects, differences, keys
    terminal: float
    texz: float


def main() -> None:
    """Measure in turns, print, write."""
    settings = Settings(rows=_ROWS.value, columns=_COLS.value, max_commits=_MAX_COMMITS.value)
    repository = pathlib.Path(_REPO.value)
    runs: list[Measured] = []
    stages: list[Stages] = []
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        for _ in range(_ROUNDS.value):
            runs += [pool.apply(measure, (repository, settings, cores)) for cores in (1, 2)]
            stages.append(pool.apply(measure_stages, (repository, settings)))
    print(table(runs, stages))
    if _OUT.value:
        folder = pathlib.Path(_OUT.value)
        folder.mkdir(parents=True, exist_ok=True)
        content = {"runs": [run._asdict() for run in runs], "stages": [stage._asdict() for stage in stages]}
        write_file(folder / "generation.json", to_json(content))
        plot(runs, stages, folder / "generation.png")


def measure(repository: pathlib.Path, settings: Settings, cores: int) -> Measured:
    """Replay `repository` in this process, on so many cores. What is compiled has been compiled before."""
    os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:cores]))
    with tempfile.TemporaryDirectory() as folder:
        first = Settings(rows=settings.rows, columns=settings.columns, max_commits=5)
        record_history(repository, "first", pathlib.Path(folder, "first"), first, lambda _: None)
        started = time.perf_counter()
        entry = record_history(repository, "measured", pathlib.Path(folder, "measured"), settings, lambda _: None)
        seconds = time.perf_counter() - started
    size = sum(file["bytes"] for file in entry["files"])
    mebibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Measured(cores, entry["actions"] / seconds, size / entry["frames"], mebibytes)


def measure_stages(repository: pathlib.Path, settings: Settings) -> Stages:
    """Replay `repository` in this process, one stage after the other on one thread, and time each."""
    seconds = dict.fromkeys(Stages._fields, 0.0)
    actions = 0

    def spend(stage: str, started: float) -> float:
        now = time.perf_counter()
        seconds[stage] += now - started
        return now

    def sink(log: FrameLog) -> FrameLog:
        started = time.perf_counter()
        encode(log, Codec.COLUMNAR)
        clear_log(log)
        seconds["terminal"] -= spend("texz", started) - started
        return log

    with History(repository, settings.max_commits) as history:
        typist = Typist(settings.seed, settings.max_actions, settings.style)
        session = Session(settings.seed, history, typist, settings.rows, settings.columns)
        terminal = Terminal(settings.rows, settings.columns, "measured", sink, settings.frames_per_record)
        started = time.perf_counter()
        for commit in history:
            script = session.script(commit)
            started = spend("session", started)
            terminal.type(script.actions)
            started = spend("terminal", started)
            actions += len(script.actions)
    return Stages(**{stage: 1e6 * total / actions for stage, total in seconds.items()})


def table(runs: Sequence[Measured], stages: Sequence[Stages]) -> str:
    """Medians, with the least and the greatest of the speeds."""
    lines = [f"{'cores':>5} {'actions/s':>10} {'least':>10} {'greatest':>10} {'bytes/frame':>12} {'memory MiB':>11}"]
    for cores in (1, 2):
        same = [run for run in runs if run.cores == cores]
        speeds = [run.actions_per_second for run in same]
        lines.append(
            f"{cores:>5} {statistics.median(speeds):>10,.0f} {min(speeds):>10,.0f} {max(speeds):>10,.0f} "
            f"{same[0].bytes_per_frame:>12.2f} {max(run.mebibytes for run in same):>11.0f}"
        )
    lines.append("microseconds an action on one core, stage by stage:")
    for stage in Stages._fields:
        lines.append(f"{stage:>10} {statistics.median(getattr(stages_, stage) for stages_ in stages):>7.2f}")
    return "\n".join(lines)


def plot(runs: Sequence[Measured], stages: Sequence[Stages], path: pathlib.Path) -> None:
    """Speeds of all runs, and the medians of the stages."""
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    speeds, shares = figure.subplots(1, 2)
    for cores in (1, 2):
        values = [run.actions_per_second for run in runs if run.cores == cores]
        speeds.bar(str(cores), statistics.median(values), color="#4878a8")
        speeds.plot([str(cores)] * len(values), values, "k.")
    speeds.set(title="from git objects to synced shards", xlabel="cores", ylabel="actions/s")
    medians = [statistics.median(getattr(stages_, stage) for stages_ in stages) for stage in Stages._fields]
    shares.barh(Stages._fields, medians, color="#4878a8")
    shares.set(title="where the time goes", xlabel="microseconds an action")
    write_figure(figure, path)


if __name__ == "__main__":
    run(main)
