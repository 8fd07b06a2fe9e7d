"""Prove that a dataset's recordings are what they say, from the shards alone.

  python -m data_gen.verify --data=DIR
  python -m data_gen.verify --data=DIR --against=real --commits=20

--against=git types every recording's actions into a fresh terminal, compares every frame with the recorded one, and
after each commit all files with the tree that git names. --against=real types them into bash and Vim in tmux, which
must be installed, in a folder of their own; after each commit every file must be the same, byte for byte, and the share
of identical screens is printed.
"""

import importlib
import pathlib
import sys

from absl import flags
from tqdm import tqdm

from data_gen.actions import describe
from data_gen.dataset import Dataset
from data_gen.errors import UserError
from data_gen.program import run
from data_gen.texz.recording import Recording
from data_gen.verification.retyping import Retyped, TreeCheck, commits_of

_DATA = flags.DEFINE_string("data", None, "The dataset's folder.", required=True)
_RECORDING = flags.DEFINE_string("recording", None, "Only this recording.")
_AGAINST = flags.DEFINE_enum(
    "against", "git", ["git", "real"], "What to compare with: git, or real bash, Vim and tmux."
)
_COMMITS = flags.DEFINE_integer("commits", None, "Only each recording's first so many commits.", lower_bound=1)


def main() -> None:
    """Verify each recording; exit with code 1 if anything differs."""
    dataset = Dataset(pathlib.Path(_DATA.value))
    names = [_RECORDING.value] if _RECORDING.value else list(dataset.recordings)
    if unknown := set(names) - dataset.recordings.keys():
        raise UserError(f"no recording {unknown.pop()!r} in {_DATA.value}: there are {', '.join(dataset.recordings)}")
    dataset.check_files()
    verify = against_git if _AGAINST.value == "git" else against_real
    are_the_same = [verify(dataset.recordings[name], dataset.rows, dataset.columns) for name in names]
    sys.exit(0 if all(are_the_same) else 1)


def against_git(recording: Recording, rows: int, columns: int) -> bool:
    """Compare all frames, and all files after each commit; `VerificationError` if any differs."""
    trees, retyped = TreeCheck(), Retyped(recording, rows, columns)
    commits = retyped.planned[: _COMMITS.value]
    for commit in tqdm(retyped.commits(len(commits)), recording.name, len(commits)):
        trees.check(retyped.terminal.filesystem, commit)
    print(
        f"{recording.name}: after each of {len(commits):,} commits every file is git's ({trees.left_out:,} left out), "
        f"and {commits[-1].end:,} frames are what was typed"
    )
    return True


def against_real(recording: Recording, rows: int, columns: int) -> bool:
    """Compare screens and files with those of the real programs; whether all were the same."""
    try:
        real = importlib.import_module("data_gen.verification.against_real")
        terminal = importlib.import_module("data_gen.terminal.real")
    except ModuleNotFoundError as error:
        raise UserError(f"--against=real needs {error.name}: pip install 'rcfam_jax[verify]'") from error
    if missing := terminal.missing_programs():
        raise UserError(f"--against=real needs programs that are not installed: {', '.join(missing)}")
    session = real.RealSession(recording, rows, columns)
    commits = commits_of(recording)[: _COMMITS.value]
    try:
        for commit in tqdm(commits, recording.name):
            session.type(commit)
    finally:
        session.close()
    for difference in session.differences:
        print(f"frame {difference.frame:,}, after {describe([difference.action])}, in commit {difference.commit}:")
        print(f"  here:  {difference.expected}\n  there: {difference.shown}")
    same = session.screens - len(session.differences)
    print(
        f"{recording.name}: after each of {len(commits):,} commits every file is the same; "
        f"{same:,} of {session.screens:,} screens are ({100 * same / session.screens:.2f}%)"
    )
    return not session.differences


if __name__ == "__main__":
    run(main)
