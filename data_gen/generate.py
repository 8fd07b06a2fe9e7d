"""Replay git histories into a dataset of terminal frames and keystrokes.

  python -m data_gen.generate --repo=../some/repository --out=DIR
  python -m data_gen.generate --repo=A --repo=B --out=DIR --rows=24 --cols=80 --max_commits=500 --workers=2

Nothing of a repository is ever executed. The folder is built as DIR.partial and gets its name when it is complete.
The same repositories, settings and seed give the same bytes.
"""

import concurrent.futures
import dataclasses
import multiprocessing
import pathlib
import queue
import re
import time
from typing import Any

from absl import flags
from tqdm import tqdm

from data_gen.atomic import new_folder
from data_gen.dataset import Dataset, recording_folder, write_manifest
from data_gen.program import run
from data_gen.record import Settings, record_history
from data_gen.replay.history import History
from data_gen.replay.typist import STYLES
from data_gen.texz.record import Codec

_REPO = flags.DEFINE_multi_string("repo", None, "A git repository; repeat for several.", required=True)
_OUT = flags.DEFINE_string("out", None, "The dataset's folder; it must not exist.", required=True)
_ROWS = flags.DEFINE_integer("rows", Settings.rows, "Rows of the terminal.", lower_bound=5, upper_bound=512)
_COLS = flags.DEFINE_integer("cols", Settings.columns, "Columns of the terminal.", lower_bound=20, upper_bound=1024)
_SEED = flags.DEFINE_integer("seed", Settings.seed, "Seeds the choices of the typist and the session.", lower_bound=0)
_STYLE = flags.DEFINE_enum(
    "style", Settings.style, STYLES, "How files are typed: like a Vim user, or in insert mode with arrow keys only."
)
_MAX_COMMITS = flags.DEFINE_integer("max_commits", None, "Only the oldest so many commits.", lower_bound=1)
_MAX_FRAMES = flags.DEFINE_integer(
    "max_frames", None, "End a recording after the commit in which it reaches so many frames.", lower_bound=1
)
_MAX_ACTIONS = flags.DEFINE_integer(
    "max_actions", Settings.max_actions, "Leave out a file whose change takes more actions.", lower_bound=1
)
_FRAMES_PER_RECORD = flags.DEFINE_integer(
    "frames_per_record",
    Settings.frames_per_record,
    "Frames that are compressed together.",
    lower_bound=1,
    upper_bound=65_535,
)
_CODEC = flags.DEFINE_enum(
    "codec", Settings.codec, [codec.name.lower() for codec in Codec], "How the frames are compressed (docs/texz.md)."
)
_WORKERS = flags.DEFINE_integer("workers", 2, "Repositories to replay at the same time.", lower_bound=1)


def main() -> None:
    """Check everything first, then replay, then write the manifest and rename."""
    out = pathlib.Path(_OUT.value)
    repositories = {name: pathlib.Path(path) for name, path in zip(_names(_REPO.value), _REPO.value, strict=True)}
    settings = Settings(
        rows=_ROWS.value,
        columns=_COLS.value,
        seed=_SEED.value,
        style=_STYLE.value,
        max_commits=_MAX_COMMITS.value,
        max_frames=_MAX_FRAMES.value,
        max_actions=_MAX_ACTIONS.value,
        frames_per_record=_FRAMES_PER_RECORD.value,
        codec=_CODEC.value,
    )
    commits = 0
    for path in repositories.values():
        with History(path, settings.max_commits) as history:
            commits += history.count()
    started = time.monotonic()
    with new_folder(out) as folder:
        recordings = _record_all(repositories, folder, settings, commits)
        write_manifest(
            folder,
            settings.rows,
            settings.columns,
            settings.frames_per_record,
            dataclasses.asdict(settings),
            recordings,
        )
    seconds = time.monotonic() - started
    actions = sum(recording["actions"] for recording in recordings)
    print(f"{out}: {Dataset(out).summary()}; {actions / seconds:,.0f} actions/s in {seconds:.1f} s")


def _record_all(
    repositories: dict[str, pathlib.Path], folder: pathlib.Path, settings: Settings, commits: int
) -> list[dict]:
    context = multiprocessing.get_context("spawn")
    workers = min(_WORKERS.value, len(repositories))
    with (
        context.Manager() as manager,
        concurrent.futures.ProcessPoolExecutor(workers, context) as pool,
        tqdm(total=commits, desc="replay", unit=" commits") as progress,
    ):
        reports: queue.Queue[int] = manager.Queue()
        jobs = [pool.submit(_record, path, name, folder, settings, reports) for name, path in repositories.items()]
        actions = 0
        while not all(job.done() for job in jobs) or not reports.empty():
            if any(job.done() and job.exception() for job in jobs):
                break
            try:
                actions += reports.get(timeout=0.2)
            except queue.Empty:
                continue
            progress.update()
            progress.set_postfix_str(f"{actions:,} actions", refresh=False)
        return [job.result() for job in jobs]


def _record(path: pathlib.Path, name: str, folder: pathlib.Path, settings: Settings, reports: Any) -> dict:
    return record_history(path, name, recording_folder(folder, name), settings, reports.put)


def _names(paths: list[str]) -> list[str]:
    """A name for each repository's recording: its folder's, made safe, and numbered where two are alike."""
    names: list[str] = []
    for path in paths:
        resolved = pathlib.Path(path).resolve()
        folder = resolved.parent if resolved.name == ".git" else resolved
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", folder.name.removesuffix(".git")).strip("-") or "repository"
        number = sum(other == name or other.startswith(name + "-") for other in names)
        names.append(f"{name}-{number + 1}" if name in names else name)
    return names


if __name__ == "__main__":
    run(main)
