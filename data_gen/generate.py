"""Replay git histories into a dataset of terminal frames and keystrokes.

  python -m data_gen.generate --repo=../some/repository --out=DIR
  python -m data_gen.generate --repo=A --repo=B --out=DIR --rows=24 --cols=80 --max_commits=500 --workers=2
  python -m data_gen.generate --repos_file=LIST --out=DIR
  python -m data_gen.generate --repos_file=LIST --out=DIR --executor=ray --ray_address=HOST:PORT

Nothing of a repository is ever executed. The folder is built as DIR.partial and gets its name when it is complete; a
run that was killed, or ended by a full disk, goes on with --resume and the same flags. The same repositories, settings
and seed give the same bytes.

With --repo any failure ends the run. With --repos_file repositories that fail are left out, listed at the end and in
the manifest: the exit code is 1 only if all of them fail, or nothing can be written.
"""

import dataclasses
import functools
import os
import pathlib
import sys
from collections.abc import Mapping

from absl import flags

from data_gen.atomic import unfinished_path
from data_gen.dataset import Dataset, recording_folder
from data_gen.errors import UserError
from data_gen.fleet import local
from data_gen.fleet.building import building, is_complete
from data_gen.fleet.clones import local_copy
from data_gen.fleet.fan_out import Execute, record_all, write_dataset
from data_gen.fleet.job import Job
from data_gen.fleet.repositories import is_url, name_recordings, read_list
from data_gen.program import run
from data_gen.record import Settings, check_head
from data_gen.replay.history import History
from data_gen.replay.typist import STYLES
from data_gen.texz.record import Codec

_REPO = flags.DEFINE_multi_string("repo", None, "A git repository, a path or URL; repeat for several.")
_REPOS_FILE = flags.DEFINE_string(
    "repos_file", None, "A text file of repositories instead, a path or URL a line; # begins a comment line."
)
flags.mark_flags_as_mutual_exclusive(["repo", "repos_file"], required=True)
_OUT = flags.DEFINE_string("out", None, "The dataset's folder; it must not exist.", required=True)
_RESUME = flags.DEFINE_bool("resume", False, "Go on with what an earlier run with the same flags left unfinished.")
_CLONES = flags.DEFINE_string("clones", None, "Where repositories are cloned to from URLs. By default OUT.clones.")
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
_WORKERS = flags.DEFINE_integer("workers", 2, "Repositories to replay at the same time, locally.", lower_bound=1)
_EXECUTOR = flags.DEFINE_enum("executor", "local", ["local", "ray"], "Replay on this machine, or on a Ray cluster.")
_RAY_ADDRESS = flags.DEFINE_string(
    "ray_address", "auto", "The Ray cluster; its machines must share the folders of --out, --clones and --repo."
)


def main() -> None:
    """Check everything first, then replay, then write the manifest and rename."""
    out = pathlib.Path(_OUT.value).absolute()
    sources = name_recordings(_REPO.value or read_list(pathlib.Path(str(_REPOS_FILE.value))))
    settings = _settings()
    asked = {"settings": dataclasses.asdict(settings), "recordings": list(sources)}
    if is_complete(out, asked, _RESUME.value):
        print(f"{_OUT.value}: already complete; {Dataset(out).summary()}")
        return
    clones = pathlib.Path(_CLONES.value or f"{out}.clones").absolute()
    if _REPO.value:
        _check_repositories(sources, clones, unfinished_path(out))
    execute = _executor()
    with building(out, asked, _RESUME.value) as folder:
        jobs = [Job(name, _absolute(source), folder, clones, settings) for name, source in sources.items()]
        failures, speed = record_all(jobs, execute, strict=bool(_REPO.value))
        write_dataset(folder, jobs, failures)
    print(f"{_OUT.value}: {Dataset(out).summary()}; {speed:,.0f} actions/s")
    for job in jobs:
        if job.name in failures:
            print(f"failed: {job.name}: {failures[job.name]}", file=sys.stderr)


def _settings() -> Settings:
    return Settings(
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


def _check_repositories(sources: Mapping[str, str], clones: pathlib.Path, folder: pathlib.Path) -> None:
    """Raise what is wrong with any repository, before anything is replayed."""
    for name, source in sources.items():
        with History(local_copy(source, clones)) as history:
            history.count()
            check_head(recording_folder(folder, name), history)


def _executor() -> Execute:
    if _EXECUTOR.value == "local":
        return functools.partial(local.run, workers=_WORKERS.value)
    try:
        from data_gen.fleet import ray_cluster
    except ModuleNotFoundError as error:
        raise UserError(f"--executor=ray: {error}: pip install 'rcfam_jax[cluster]'") from error
    return functools.partial(ray_cluster.run, address=_RAY_ADDRESS.value)


def _absolute(source: str) -> str:
    return source if is_url(source) else os.path.abspath(source)


if __name__ == "__main__":
    run(main)
