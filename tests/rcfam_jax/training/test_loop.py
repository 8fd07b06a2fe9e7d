"""Training as a whole, on a toy dataset: exact resumption, what is refused, and data parallelism."""

import json
import subprocess
import sys
import time

import jax
import numpy as np
import pytest

from data_gen.errors import UserError
from experiments.configs import tiny
from rcfam_jax.training import loop
from rcfam_jax.training.bptt.loss import loss_and_grad
from rcfam_jax.training.checkpoints import load_config
from rcfam_jax.training.parallel import Devices, gather
from rcfam_jax.training.run_log import RunLog
from rcfam_jax.training.windows import validation_places


@pytest.fixture(scope="module", autouse=True)
def compilation_cache(tmp_path_factory):
    """The runs below compile the same functions: once is enough."""
    before = jax.config.jax_compilation_cache_dir, jax.config.jax_persistent_cache_min_compile_time_secs
    jax.config.update("jax_compilation_cache_dir", str(tmp_path_factory.mktemp("compiled")))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    yield
    jax.config.update("jax_compilation_cache_dir", before[0])
    jax.config.update("jax_persistent_cache_min_compile_time_secs", before[1])


@pytest.fixture
def config(dataset_folder):
    config = tiny.get_config()
    config.model.update(
        rows=4, columns=16, vocabulary_size=512, frame_width=8, core_width=12, pooling_stages=0, frame_blocks=0
    )
    config.data.update(path=str(dataset_folder), window=8, batch_size=4)
    config.bptt.update(mode="in_graph", chunk=4, head_steps=2)
    config.train.update(steps=6, log_every=1, validate_every=3, validation_windows=4, checkpoint_every=3)
    return config


def lines(workdir):
    """The log without its speeds, which are never the same twice."""
    parsed = [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "frames_per_second"} for line in parsed]


def test_a_run_that_was_stopped_goes_on_bit_for_bit(config, tmp_path):
    loop.train(config, tmp_path / "whole")
    config.train.steps = 3
    loop.train(config, tmp_path / "parts")
    with (tmp_path / "parts" / "metrics.jsonl").open("a") as log:
        log.write('{"step": 4, "loss": 1.0}\n{"step": 5, "lo')  # what a run writes that is killed after its checkpoint
    config.train.steps = 6
    loop.train(config, tmp_path / "parts")
    assert lines(tmp_path / "parts") == lines(tmp_path / "whole")
    assert [line["step"] for line in lines(tmp_path / "whole")] == [1, 2, 3, 3, 4, 5, 6, 6]
    trained = [loop.load_trained(tmp_path / name, load_config(tmp_path / name)) for name in ("whole", "parts")]
    assert trained[0].step == trained[1].step == 6
    jax.tree.map(np.testing.assert_array_equal, trained[0].params, trained[1].params)


def test_the_loss_goes_down(config, tmp_path):
    config.train.update(steps=60, checkpoint_every=100, validate_every=100)
    loop.train(config, tmp_path)
    losses = [line["loss"] for line in lines(tmp_path) if "loss" in line]
    assert np.mean(losses[-10:]) < np.mean(losses[:3]) - 1


def test_another_run_is_not_continued(config, tmp_path, dataset_folder):
    config.train.update(steps=1)
    loop.train(config, tmp_path)
    config.optimizer.weight_decay = 0.5
    config.train.seed = 7
    with pytest.raises(UserError, match=r"optimizer\.weight_decay: was 0.0, now 0.5; train.seed: was 0, now 7"):
        loop.train(config, tmp_path)
    assert load_config(tmp_path).train.seed == 0


def test_another_tokenizer_is_refused(config, tmp_path, dataset_folder):
    config.train.update(steps=1)
    loop.train(config, tmp_path / "run")
    fields = json.loads((dataset_folder / "tokenizer.json").read_text())
    fields["pieces"] = fields["pieces"][::-1]
    (tmp_path / "other.json").write_text(json.dumps(fields))
    config.data.tokenizer = str(tmp_path / "other.json")
    with pytest.raises(UserError, match="holds a run on another tokenizer"):
        loop.train(config, tmp_path / "run")


def test_a_loss_that_is_not_finite_stops_the_run_and_is_not_saved(config, tmp_path):
    config.optimizer.update(muon_learning_rate=float("inf"))
    config.train.update(checkpoint_every=1)
    with pytest.raises(UserError, match="the loss of step 2 is nan"):
        loop.train(config, tmp_path)
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["1"]


@pytest.mark.parametrize(
    ("section", "field", "value", "message"),
    [
        ("model", "rows", 5, "model.rows is 5, but .* has 4 rows"),
        ("model", "vocabulary_size", 1024, "model.vocabulary_size is 1024, but the tokenizer's is 512"),
        ("model", "num_heads", 3, "num_heads 3 does not divide frame_width 8"),
        ("data", "batch_size", 6, "data.batch_size is 6: the 4 devices cannot share it evenly"),
        ("data", "path", "/nowhere", "/nowhere: no such folder"),
        ("bptt", "mode", "none", "bptt.mode is 'none'"),
    ],
)
def test_what_does_not_fit_is_named(config, tmp_path, section, field, value, message):
    config[section][field] = value
    with pytest.raises(UserError, match=message):
        loop.train(config, tmp_path)


def test_four_devices_compute_the_gradient_of_one(config, x64):
    config.model.update(dtype="float64", param_dtype="float64")
    graphdef, params = loop.build_model(config)
    corpus = loop.open_corpus(config)
    batch = next(loop.batches(loop._training_windows(corpus, config), config.data))
    compiled = jax.jit(lambda params, batch: loss_and_grad(graphdef, params, batch, config.bptt))
    results = []
    for devices in (jax.devices(), jax.devices()[:1]):
        group = Devices(4, devices)
        results.append(gather(compiled(group.replicate(params), group.scatter(batch))))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12), *results)


def test_validation_does_not_depend_on_the_batch_size(config):
    corpus = loop.open_corpus(config)
    graphdef, params = loop.build_model(config)
    streams = corpus.splits.validation
    places = validation_places(streams, config.data.window)
    counts = []
    for batch_size in (4, 8):
        config.data.batch_size = batch_size
        counts.append(loop.Evaluator(graphdef, Devices(batch_size), config).count(params, streams, places))
    assert counts[0].tokens_W.sum() == sum(map(len, streams))
    for one, other in zip(*counts, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)


def test_the_log_forgets_later_steps_and_an_unfinished_line(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1, "loss": 2.0}\n{"step": 3, "loss": 1.0}\n{"step": 2')
    with RunLog(tmp_path, 2) as log:
        log.write(3, {"loss": 1.5})
    assert lines(tmp_path) == [{"step": 1, "loss": 2.0}, {"step": 3, "loss": 1.5}]
    assert list((tmp_path / "tensorboard").iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("checkpoint", [2, 6, 14])
def test_a_run_that_was_killed_goes_on_bit_for_bit(config, tmp_path, checkpoint):
    """SIGKILL in the midst of steps and of the writing of checkpoints, once the given one is there."""
    config.train.update(steps=24, checkpoint_every=2, validate_every=1000)
    script = tmp_path / "config.py"
    fields = config.to_dict()
    script.write_text(f"from ml_collections import ConfigDict\ndef get_config():\n    return ConfigDict({fields})\n")

    def start(workdir):
        command = [sys.executable, "-m", "experiments.train", f"--config={script}", f"--workdir={workdir}"]
        return subprocess.Popen(command, stderr=subprocess.DEVNULL)

    assert start(tmp_path / "whole").wait() == 0
    run, checkpoints = start(tmp_path / "killed"), tmp_path / "killed" / "checkpoints"
    while run.poll() is None and not any(
        path.name.isdigit() and int(path.name) >= checkpoint for path in checkpoints.glob("*")
    ):
        time.sleep(0.01)
    run.kill()
    assert run.wait() != 0
    assert start(tmp_path / "killed").wait() == 0
    assert lines(tmp_path / "killed") == lines(tmp_path / "whole")
