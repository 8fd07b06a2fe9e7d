"""The whole street on one repository: replay, tokenizer, training, evaluation, a look at the recording, a report.

  make demo
  make demo REPO=../some/repository

Runs the programs as a person would, each command printed before it starts. Everything lies in demo/NAME, which is made
anew each time.
"""

import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import time

from absl import flags

from data_gen.dataset import Dataset
from data_gen.errors import UserError
from data_gen.program import run
from experiments.report import conclusion, write_report

_REPO = flags.DEFINE_string("repo", ".", "The git repository to replay.")
_OUT = flags.DEFINE_string("out", "demo", "The folder under which the demo's folder is made.")

TWO_DEVICES = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2", "JAX_PLATFORMS": "cpu"}
"""One device a core: XLA leaves the second core idle where matrices are as small as here."""

_MARK = ".made-by-demo"


def main() -> None:
    """Run the steps, then print what came of them."""
    started = time.monotonic()
    repository = pathlib.Path(_REPO.value)
    folder = _fresh_folder(pathlib.Path(_OUT.value) / (repository.resolve().name or "repository"))
    data, workdir = folder / "data", folder / "run"
    seconds = _step(
        "data_gen.generate",
        f"--repo={repository}",
        f"--out={data}",
        *("--rows=6", "--cols=24", "--frames_per_record=256"),
        *("--max_commits=300", "--max_frames=400000", "--max_actions=20000"),
    )
    _step("data_gen.train_tokenizer", f"--data={data}", "--vocab_size=272")
    _step(
        "experiments.train",
        "--config=experiments/configs/tiny.py",
        f"--config.data.path={data}",
        f"--workdir={workdir}",
        environment=TWO_DEVICES,
    )
    _step("experiments.evaluate", f"--workdir={workdir}", environment=TWO_DEVICES)
    _step("data_gen.play", f"--data={data}", *_scene(data))
    report = write_report(folder, data, workdir, _describe(repository))
    dataset = Dataset(data)
    actions = sum(recording.frames for recording in dataset.recordings.values())
    print(f"\n{dataset.summary()}")
    print(f"generated at {actions / seconds:,.0f} actions/s, compilation included\n{conclusion(workdir)}")
    print(f"report {report}, plots beside it, checkpoints in {workdir / 'checkpoints'}")
    print(f"the demo took {time.monotonic() - started:.0f} s")


def _step(program: str, *arguments: str, environment: dict[str, str] | None = None) -> float:
    """Run one program of the project and return its seconds; end the demo with its exit code if it fails."""
    started = time.monotonic()
    settings = [f"{name}={value}" for name, value in (environment or {}).items()]
    print("\n$ " + shlex.join([*settings, "python", "-m", program, *arguments]), flush=True)
    done = subprocess.run([sys.executable, "-m", program, *arguments], env=os.environ | (environment or {}))
    if done.returncode:
        sys.exit(done.returncode)
    return time.monotonic() - started


def _fresh_folder(folder: pathlib.Path) -> pathlib.Path:
    if folder.exists() and not (folder / _MARK).exists():
        raise UserError(f"{folder} exists and no demo made it: choose another --out")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / _MARK).touch()
    return folder


def _scene(data: pathlib.Path) -> list[str]:
    """Four seconds from the middle of the recording in a terminal; a single frame where the output is a file."""
    recording = next(iter(Dataset(data).recordings.values()))
    frames = 200 if sys.stdout.isatty() else 1
    return [f"--start={recording.frames // 2}", f"--frames={frames}", "--speed=2"]


def _describe(repository: pathlib.Path) -> str:
    return "this repository" if repository.resolve() == pathlib.Path.cwd() else repository.resolve().name


if __name__ == "__main__":
    run(main)
