"""The programs as their users start them: help, and one clear line for each mistake."""

import subprocess
import sys

import pytest

TINY = "--config=experiments/configs/tiny.py"


def run(program, *arguments):
    command = [sys.executable, "-m", f"experiments.{program}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(("program", "flag"), [("train", "--workdir"), ("evaluate", "--windows")])
def test_help_tells_what_the_program_does(program, flag):
    result = run(program, "--help")
    assert f"python -m experiments.{program}" in result.stdout
    assert flag in result.stdout


@pytest.mark.parametrize(
    ("program", "arguments", "message"),
    [
        ("train", [TINY, "--config.train.stepz=3"], "the configuration has no field 'stepz' Did you mean \"steps\""),
        ("train", [TINY], "no dataset: give --config.data.path=DIR"),
        ("train", [TINY, "--config.data.path=x", "--processes=2"], "--processes and --process need a --coordinator="),
        ("train", ["--config=nowhere.py", "--config.data.path=x"], "nowhere.py"),
        ("train", [TINY, "--config.data.path=nowhere"], "nowhere: no such folder"),
        ("evaluate", [], "no run in "),
    ],
)
def test_a_mistake_ends_with_one_line(program, arguments, message, tmp_path):
    result = run(program, *arguments, f"--workdir={tmp_path / 'run'}")
    assert result.returncode == 1
    assert result.stderr.startswith("error: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
