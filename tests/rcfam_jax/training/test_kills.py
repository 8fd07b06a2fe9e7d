"""SIGKILL at any moment, also while a checkpoint is being written: the run goes on as if nothing had happened."""

import json
import os
import random
import subprocess
import sys
import time

import pytest

STEPS = 120


def lines(workdir):
    """The log without its speeds, which are never the same twice."""
    log = workdir / "metrics.jsonl"
    parsed = [json.loads(line) for line in log.read_text().splitlines(keepends=True) if line.endswith("\n")]
    speeds = ("frames_per_second", "data_wait")
    return [{name: value for name, value in line.items() if name not in speeds} for line in parsed]


def wait_until(condition, run):
    """Return when `condition` holds; the run must not have ended by itself."""
    while not condition():
        assert run.poll() is None, "the run ended before it could be killed"
        time.sleep(0.002)


@pytest.mark.slow
def test_a_run_killed_at_random_moments_goes_on_bit_for_bit(config, tmp_path):
    config.train.update(steps=STEPS, checkpoint_every=1, validate_every=50)
    script = tmp_path / "config.py"
    script.write_text(
        f"from ml_collections import ConfigDict\ndef get_config():\n    return ConfigDict({config.to_dict()})\n"
    )
    environment = os.environ | {
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "compiled"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }

    def start(workdir):
        command = [sys.executable, "-m", "experiments.train", f"--config={script}", f"--workdir={workdir}"]
        return subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment)

    assert start(tmp_path / "whole").wait() == 0
    killed, generator = tmp_path / "killed", random.Random(0)
    checkpoints = killed / "checkpoints"
    saved = lambda: {path.name for path in checkpoints.glob("*") if path.name.isdigit()}  # noqa: E731
    for kill in range(8):
        before, run = saved(), start(killed)
        wait_until(lambda before=before: saved() - before, run)  # it goes on from there, and has saved anew
        time.sleep(generator.uniform(0, 0.7))
        if kill % 4 == 3:  # in the midst of a save for certain; the others may be too
            wait_until(lambda: any("tmp" in path.name for path in checkpoints.glob("*")), run)
        run.kill()
        assert run.wait() < 0
    assert 8 <= max(map(int, saved())) < STEPS
    assert start(killed).wait() == 0
    assert lines(killed) == lines(tmp_path / "whole")
    assert [line["step"] for line in lines(killed) if "gradient_norm" in line] == list(range(1, STEPS + 1))
