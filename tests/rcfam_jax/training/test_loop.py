"""Training as a whole, on a toy dataset: exact resumption, what is refused, and data parallelism."""

import itertools
import json
import math
import os
import re
import shutil
import signal

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ml_collections import ConfigDict

from data_gen.errors import UserError
from rcfam_jax.training import checkpoints, loop
from rcfam_jax.training.bptt.loss import loss_and_grad
from rcfam_jax.training.checkpoints import load_config
from rcfam_jax.training.parallel import Devices, gather
from rcfam_jax.training.run_log import RunLog
from rcfam_jax.training.token_counts import FOLDER
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


@pytest.fixture(scope="module")
def first_step(small_config, tmp_path_factory):
    """The folder of a run of one step."""
    config = ConfigDict(small_config.to_dict())
    config.train.steps = 1
    folder = tmp_path_factory.mktemp("first") / "run"
    loop.train(config, folder)
    return folder


@pytest.fixture
def workdir(first_step, tmp_path):
    """A copy of that run, to go on with."""
    return shutil.copytree(first_step, tmp_path / "run")


def lines(workdir):
    """The log without its speeds, which are never the same twice."""
    parsed = [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]
    speeds = ("frames_per_second", "data_wait")
    return [{name: value for name, value in line.items() if name not in speeds} for line in parsed]


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


def test_another_run_is_not_continued(config, workdir):
    config.optimizer.weight_decay = 0.5
    config.train.seed = 7
    with pytest.raises(UserError, match=r"optimizer\.weight_decay: 0\.0 -> 0\.5; train\.seed: 0 -> 7"):
        loop.train(config, workdir)
    assert load_config(workdir).train.seed == 0


def test_another_tokenizer_is_refused(config, workdir, tmp_path, dataset_folder):
    fields = json.loads((dataset_folder / "tokenizer.json").read_text())
    fields["pieces"] = fields["pieces"][::-1]
    (tmp_path / "other.json").write_text(json.dumps(fields))
    config.data.tokenizer = str(tmp_path / "other.json")
    with pytest.raises(UserError, match="holds a run on another tokenizer"):
        loop.train(config, workdir)


def test_another_dataset_is_refused(config, workdir, tmp_path, dataset_folder):
    """The same one elsewhere is not: that run only has other speeds."""
    config.data.path = str(shutil.copytree(dataset_folder, tmp_path / "copy"))
    config.data.update(read_threads=1, read_ahead=1, skip_corrupt=True)
    config.train.update(steps=2, log_every=2, validate_every=2, validation_windows=2, checkpoint_every=1)
    loop.train(config, workdir)
    assert [line["step"] for line in lines(workdir)] == [1, 1, 2, 2]
    manifest = json.loads((tmp_path / "copy" / "dataset.json").read_text())
    (tmp_path / "copy" / "dataset.json").write_text(json.dumps(manifest | {"generator": {"seed": 1}}))
    with pytest.raises(UserError, match="holds a run on another dataset"):
        loop.train(config, workdir)


def test_a_checkpoint_tells_what_code_wrote_it(config, workdir, capsys, monkeypatch):
    metadata = workdir / "checkpoints" / "1" / "run" / "metadata"
    assert json.loads(metadata.read_text())["code"] == checkpoints.code_version()
    monkeypatch.setattr(checkpoints, "code_version", lambda: {"version": "7.0"})
    checkpoints.Checkpoints(workdir, config, loop.open_corpus(config).checksums())
    assert re.search(r"the code has changed since the last checkpoint: .+ -> 7\.0\n", capsys.readouterr().err)


def test_an_unfinished_checkpoint_is_removed_by_the_run_alone(config, workdir):
    """Not by who evaluates: it may be in the making."""
    folder = workdir / "checkpoints"
    unfinished = shutil.copytree(folder / "1", folder / "7.orbax-checkpoint-tmp")
    assert loop.load_trained(workdir, config).step == 1
    assert unfinished.exists()
    config.train.steps = 2
    loop.train(config, workdir)
    assert sorted(path.name for path in folder.iterdir()) == ["1", "2"]


def test_without_a_checkpoint_there_is_nothing_to_evaluate(config, tmp_path):
    with pytest.raises(UserError, match=f"no checkpoint in {tmp_path} yet"):
        loop.load_trained(tmp_path, config)


def on_step(monkeypatch, step, act):
    """Let `act` change what is measured in a step, or do something while it is under way."""
    make = loop.make_train_step

    def make_train_step(*args):
        train_step, taken = make(*args), 0

        def acting(state, batch):
            nonlocal taken
            taken += 1
            state, measured = train_step(state, batch)
            return state, (act(measured) or measured) if taken == step else measured

        return acting

    monkeypatch.setattr(loop, "make_train_step", make_train_step)


def test_sigterm_finishes_the_step_and_saves_it(config, tmp_path, monkeypatch, capsys):
    config.train.update(checkpoint_every=100, validate_every=100)
    config.train.steps = 5
    loop.train(config, tmp_path / "whole")
    with monkeypatch.context() as patch:
        on_step(patch, 4, lambda _: os.kill(os.getpid(), signal.SIGTERM))
        loop.train(config, tmp_path / "parts")
    assert "stopped by SIGTERM after step 4, which is saved" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "parts" / "checkpoints").iterdir()] == ["4"]
    assert lines(tmp_path / "parts") == lines(tmp_path / "whole")[:4]
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    loop.train(config, tmp_path / "parts")
    assert lines(tmp_path / "parts") == lines(tmp_path / "whole")


def test_what_is_not_finite_stops_the_run_with_windows_and_checkpoint(config, tmp_path, monkeypatch):
    config.train.update(checkpoint_every=1)
    on_step(monkeypatch, 3, lambda measured: measured | {"loss": jnp.nan})
    with pytest.raises(UserError, match=r"loss is nan in step 3: stopped; the last good checkpoint: .*/2;") as stopped:
        loop.train(config, tmp_path)
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["1", "2"]
    found = json.loads((tmp_path / "not_finite.json").read_text())
    assert found["step"] == 3
    assert found["checkpoint"] == str(tmp_path / "checkpoints" / "2")
    assert "; ".join(found["windows"]) in str(stopped.value)
    corpus = loop.open_corpus(config)
    third = list(itertools.islice(loop.batches(loop._training_windows(corpus, config), config.data), 3))[2]
    streams = {stream.name: stream for stream in corpus.splits.training}
    for described, tokens_T, mask_T in zip(found["windows"], third["tokens"], third["mask"], strict=True):
        name, start, stop = re.fullmatch(r"(\w+), tokens (\d+) to (\d+)", described).groups()
        np.testing.assert_array_equal(streams[name].tokens(int(start), int(stop) + 1)[0], tokens_T[mask_T])


def test_parameters_that_are_not_finite_are_not_saved(config, tmp_path):
    """The loss of the first step is finite, its update is not."""
    config.optimizer.update(muon_learning_rate=float("inf"))
    config.train.update(checkpoint_every=1)
    with pytest.raises(UserError, match=r"update_ratio_muon is .* in step 1: stopped; .* checkpoint: none yet"):
        loop.train(config, tmp_path)
    assert not list((tmp_path / "checkpoints").iterdir())


def test_a_corrupt_record_stops_the_run_or_is_counted(config, tmp_path, dataset_folder, damage, capsys):
    """Damaged after its tokens were counted, and before."""
    loop.open_corpus(config)
    data = shutil.copytree(dataset_folder, tmp_path / "data")
    path = damage(data, "long", 2)
    config.data.path = str(data)
    command = re.escape(f"python -m data_gen.generate --repo=long --repo=short --out={data} --seed=0")
    config.train.update(steps=30, validate_every=100, checkpoint_every=100)
    with pytest.raises(UserError, match=f"{path}, record 2: .*; regenerate it with: {command}; or leave it out with"):
        loop.train(config, tmp_path / "stopped")
    shutil.rmtree(data / FOLDER)
    with pytest.raises(UserError, match=f"{path}, record 2: .*; regenerate it with: {command}"):
        loop.open_corpus(config)
    config.data.skip_corrupt = True
    losses = lines_of_skipping(config, tmp_path / "uncounted")
    shutil.copytree(dataset_folder / FOLDER, data / FOLDER)
    assert all(map(math.isfinite, losses + lines_of_skipping(config, tmp_path / "counted")))
    assert f"left out: {path}, record 2" in capsys.readouterr().err


def lines_of_skipping(config, workdir):
    """The losses of a run that leaves out some windows and not others."""
    loop.train(config, workdir)
    skipped = [line["skipped_windows"] for line in lines(workdir) if "skipped_windows" in line]
    assert 0 < sum(skipped) < len(skipped) * config.data.batch_size / 2
    return [line["loss"] for line in lines(workdir)]


def test_the_log_has_speed_waiting_and_update_ratios(config, tmp_path):
    loop.train(config, tmp_path)
    logged = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    for line in logged:
        if "frames_per_second" in line:
            assert line["frames_per_second"] > 0
            assert 0 <= line["data_wait"] < 1
            assert 0 < line["update_ratio_muon"] < 1
            assert 0 < line["update_ratio_adamw"] < 1
            assert line["gradient_norm"] > 0
            assert line["skipped_windows"] == 0
    assert sum("frames_per_second" in line for line in logged) == 6
    assert max(line.get("data_wait", 0) for line in logged) > 0


@pytest.mark.parametrize(
    ("section", "field", "value", "message"),
    [
        ("model", "rows", 5, "model.rows is 5, but .* has 4 rows"),
        ("model", "vocabulary_size", 1024, "model.vocabulary_size is 1024, but the tokenizer's is 512"),
        ("model", "num_heads", 3, "num_heads 3 does not divide frame_width 8"),
        ("data", "batch_size", 6, "data.batch_size is 6: the 4 devices cannot share it evenly"),
        ("train", "accumulate", 3, r"batch_size is 4: 3 parts \(train.accumulate\) on the 4 devices cannot"),
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
