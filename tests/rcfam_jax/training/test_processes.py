"""Several processes train as one does."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time

import jax
import numpy as np
import pytest

from rcfam_jax.training import loop
from rcfam_jax.training.bptt import plain
from rcfam_jax.training.checkpoints import Checkpoints
from rcfam_jax.training.optimizer import make_optimizer
from rcfam_jax.training.parallel import Devices
from rcfam_jax.training.train_step import initial_state
from rcfam_jax.training.windows import ConsecutiveEpochs, Place, read_window

PROGRAM = pathlib.Path(__file__).with_name("one_of_several.py")


def free_port():
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


def start(command, devices=1):
    flags = f"--xla_force_host_platform_device_count={devices} --xla_backend_optimization_level=0"
    environment = os.environ | {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
    return subprocess.Popen([sys.executable, *map(str, command)], env=environment, stderr=subprocess.PIPE, text=True)


def finish(processes):
    """Wait for all; what they wrote to standard error."""
    try:
        errors = [process.communicate(timeout=300)[1] for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [process.returncode for process in processes] == [0] * len(processes), errors
    return errors


def run_program(config, out, processes=1, devices=1):
    out.mkdir()
    (out / "config.json").write_text(json.dumps(config.to_dict()))
    port = free_port()
    command = [PROGRAM, out / "config.json", out, processes]
    finish([start([*command, process, port], devices) for process in range(processes)])
    return out


def losses(out):
    lines = [json.loads(line) for line in (out / "run" / "metrics.jsonl").read_text().splitlines()]
    return [line["loss"] for line in lines if "data_wait" in line]


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["in_graph", "chunked"])
def test_two_processes_and_four_devices_train_as_one(config, tmp_path, mode):
    config.bptt.mode = mode
    config.train.update(steps=50, validate_every=50, checkpoint_every=25)
    alone = run_program(config, tmp_path / "alone")
    two = run_program(config, tmp_path / "two", processes=2)
    four = run_program(config, tmp_path / "four", devices=4)
    expected = np.load(alone / "gradient.npz")
    for out in (two, four):
        gradient = np.load(out / "gradient.npz")
        assert gradient.keys() == expected.keys()
        for name, array in expected.items():
            assert np.linalg.norm(array) > 0, name
            assert np.linalg.norm(gradient[name] - array) <= 1e-6 * np.linalg.norm(array), name
        assert losses(out) == pytest.approx(losses(alone), rel=0.01)
        assert len(losses(out)) == 50
    shares = [json.loads((two / f"windows-{process}.json").read_text()) for process in range(2)]
    everything = json.loads((alone / "windows-0.json").read_text())
    assert len(shares[0]) == len(shares[1]) > 20
    assert sorted(shares[0] + shares[1]) == sorted(everything)
    assert len(set(map(tuple, everything))) == len(everything)


def train_command(config, tmp_path):
    """What starts `experiments.train` with a configuration and the workdir tmp_path/run."""
    script = tmp_path / "config.py"
    script.write_text(
        f"from ml_collections import ConfigDict\ndef get_config():\n    return ConfigDict({config.to_dict()})\n"
    )
    return ["-m", "experiments.train", f"--config={script}", f"--workdir={tmp_path / 'run'}"]


def start_two(command):
    joined = [*command, f"--coordinator=localhost:{free_port()}", "--processes=2"]
    return [start([*joined, f"--process={process}"]) for process in range(2)]


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["in_graph", "chunked"])
def test_each_row_of_two_processes_hands_on_the_carry_of_its_own_stream(config, tmp_path, mode):
    """With nothing learned, it is the carry after all of the stream's windows so far as one window."""
    config.bptt.update(mode=mode, carry="continue")
    config.optimizer.update(muon_learning_rate=0.0, adamw_learning_rate=0.0)
    config.train.update(steps=6, validate_every=100, checkpoint_every=100)
    finish(start_two(train_command(config, tmp_path)))
    corpus, (graphdef, params) = loop.open_corpus(config), loop.build_model(config)
    state = initial_state(graphdef, params, make_optimizer(config.optimizer), Devices(4), config)
    with Checkpoints(tmp_path / "run", config, corpus.checksums(), read_only=True) as checkpoints:
        step, state, _ = checkpoints.restore(state)
    assert step == 6
    expected = [carry_of_row(config, corpus.splits.training, graphdef, params, row) for row in range(4)]
    for actual_BxH, *rows in zip(jax.tree.leaves(state.carry), *map(jax.tree.leaves, expected), strict=True):
        expected_BxH = np.concatenate(rows)
        assert np.abs(expected_BxH[:, None] - expected_BxH).max(-1)[~np.eye(4, dtype=bool)].min() > 1e-3
        np.testing.assert_allclose(actual_BxH, expected_BxH, rtol=1e-5, atol=1e-6)


def carry_of_row(config, streams, graphdef, params, row):
    """The carry after the windows of a row of the batches since one last began a stream, by plain computation."""
    window, batch_size, steps = config.data.window, config.data.batch_size, config.train.steps
    epochs = ConsecutiveEpochs([len(stream) for stream in streams], window, batch_size, config.train.seed)
    places = [epochs[step * batch_size + row] for step in range(steps)]
    first = max(step for step, place in enumerate(places) if step == 0 or place.start == 0)
    whole = Place(places[first].stream, places[first].start, places[-1].stop)
    frames = jax.tree.map(lambda array: array[None], read_window(streams, whole, window * (steps - first)))
    return plain.token_scores(graphdef, params, frames, config.bptt)[0]


@pytest.mark.slow
def test_one_that_fails_says_why_and_leaves_none_behind(config, tmp_path, dataset_folder, damage):
    loop.open_corpus(config)  # its tokens are counted before it is damaged
    config.data.path = str(shutil.copytree(dataset_folder, tmp_path / "data"))
    path = damage(tmp_path / "data", "long", 2)
    config.train.update(steps=400, validate_every=1000, checkpoint_every=1000)
    processes = start_two(train_command(config, tmp_path))
    errors = [process.communicate(timeout=200)[1] for process in processes]
    assert all(process.returncode for process in processes)
    failed = [error for process, error in zip(processes, errors, strict=True) if process.returncode == 1]
    assert any(f"\nerror: {path}, record 2: " in error for error in failed), errors


@pytest.mark.slow
def test_sigterm_to_one_of_two_stops_both_and_any_number_goes_on(config, tmp_path):
    config.train.update(steps=10_000, validate_every=10_000, checkpoint_every=10_000)
    command = train_command(config, tmp_path)
    processes = start_two(command)
    log = tmp_path / "run" / "metrics.jsonl"
    while not (log.exists() and log.read_text().count("\n") > 5):
        assert all(process.poll() is None for process in processes), finish(processes)
        time.sleep(0.05)
    processes[1].send_signal(signal.SIGTERM)
    errors = finish(processes)
    (saved,) = (int(path.name) for path in (tmp_path / "run" / "checkpoints").iterdir())
    assert f"stopped by SIGTERM after step {saved}, which is saved" in errors[0]
    assert len(losses(tmp_path)) == saved
    finish([start([*command, f"--config.train.steps={saved + 5}"])])
    assert len(losses(tmp_path)) == saved + 5
    assert np.isfinite(losses(tmp_path)).all()
