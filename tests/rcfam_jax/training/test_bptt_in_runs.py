"""Runs whose windows are streamed in chunks, or continue where the ones before ended."""

import json
import shutil

import jax
import numpy as np
import pytest

from data_gen.errors import UserError
from data_gen.texz.record import TexzError
from rcfam_jax.training import loop
from rcfam_jax.training.bptt.loss import token_scores
from rcfam_jax.training.windows import ConsecutiveEpochs, Place, read_window


def train(config, workdir):
    """The lines that a run logs."""
    loop.train(config, workdir)
    return [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]


def losses(lines):
    """Of the steps; validations have none of their own."""
    return [line["loss"] for line in lines if "accuracy" in line]


@pytest.mark.slow
@pytest.mark.parametrize("carry", ["reset", "continue"])
def test_a_run_in_chunks_learns_as_one_in_one_computation(config, tmp_path, carry):
    config.bptt.carry = carry
    in_graph = train(config, tmp_path / "in_graph")
    config.bptt.mode = "chunked"
    chunked = train(config, tmp_path / "chunked")
    assert len(losses(chunked)) == config.train.steps
    np.testing.assert_allclose(losses(chunked), losses(in_graph), rtol=1e-4)
    validations = [
        [line["validation_cross_entropy"] for line in lines if "validation_cross_entropy" in line]
        for lines in (in_graph, chunked)
    ]
    assert len(validations[0]) == 2
    np.testing.assert_allclose(*validations, rtol=1e-4)


@pytest.mark.parametrize("carry", [pytest.param("reset", marks=pytest.mark.slow), "continue"])
def test_a_run_in_chunks_skips_what_one_in_one_computation_skips(config, tmp_path, dataset_folder, damage, carry):
    """The tokens were counted before the record was damaged. Windows that only fill up an epoch are not counted."""
    loop.open_corpus(config)
    damage(shutil.copytree(dataset_folder, tmp_path / "data"), "long", 2)
    config.data.update(path=str(tmp_path / "data"), skip_corrupt=True)
    config.bptt.carry = carry
    steps = sum(-(-len(stream) // config.data.window) for stream in loop.open_corpus(config).splits.training)
    config.train.update(steps=-(-steps // config.data.batch_size), validate_every=100)
    in_graph = train(config, tmp_path / "in_graph")
    config.bptt.mode = "chunked"
    chunked = train(config, tmp_path / "chunked")
    np.testing.assert_allclose(losses(chunked), losses(in_graph), rtol=1e-4)
    skipped, expected = (
        [line["skipped_windows"] for line in lines if "accuracy" in line] for lines in (chunked, in_graph)
    )
    assert skipped == expected
    if carry == "continue":
        assert sum(skipped) == len(unreadable_windows(config))
    assert 0 < sum(skipped) < steps / 2


def unreadable_windows(config):
    """The windows of an epoch of consecutive ones that cannot be read, each tried on its own."""
    streams = loop.open_corpus(config).splits.training
    epochs = ConsecutiveEpochs(list(map(len, streams)), config.data.window, config.data.batch_size, config.train.seed)
    unreadable = []
    for position in range(config.train.steps * config.data.batch_size):
        try:
            read_window(streams, epochs[position], config.data.window)
        except TexzError:
            unreadable.append(position)
    return unreadable


@pytest.mark.slow
def test_a_run_that_hands_on_carries_has_the_loss_of_long_windows(config, tmp_path):
    """With nothing learned: each row of the batches is one window as long as the run, or several where streams end."""
    config.bptt.carry = "continue"
    config.optimizer.update(muon_learning_rate=0.0, adamw_learning_rate=0.0)
    actual = losses(train(config, tmp_path))
    corpus = loop.open_corpus(config)
    streams, batch_size = corpus.splits.training, config.data.batch_size
    graphdef, params = loop.build_model(config)
    epochs = ConsecutiveEpochs([len(stream) for stream in streams], config.data.window, batch_size, config.train.seed)
    scores = jax.jit(lambda batch: token_scores(graphdef, params, batch, config.bptt)[1])
    sums, tokens = np.zeros((2, config.train.steps))
    for row in range(batch_size):
        places = [epochs[step * batch_size + row] for step in range(config.train.steps)]
        runs = np.cumsum([step == 0 or place.start == 0 for step, place in enumerate(places)])
        for run in np.unique(runs):
            steps = np.flatnonzero(runs == run)
            whole = Place(places[steps[0]].stream, places[steps[0]].start, places[steps[-1]].stop)
            window = read_window(streams, whole, config.data.window * config.train.steps)
            entropy = np.asarray(scores(jax.tree.map(lambda array: array[None], window)).cross_entropy_BxT[0])
            for part, step in enumerate(steps):
                length = places[step].stop - places[step].start
                first = part * config.data.window
                sums[step] += entropy[first : first + length].sum()
                tokens[step] += length
    np.testing.assert_allclose(actual, sums / tokens, rtol=1e-5)


@pytest.mark.slow
def test_a_run_that_hands_on_carries_and_was_stopped_goes_on_bit_for_bit(config, tmp_path):
    config.bptt.carry = "continue"
    expected = losses(train(config, tmp_path / "whole"))
    config.train.steps = 3
    loop.train(config, tmp_path / "parts")
    config.train.steps = 6
    assert losses(train(config, tmp_path / "parts")) == expected


@pytest.mark.slow
def test_a_run_goes_on_in_another_way(config, tmp_path):
    """From chunks to one computation in other chunks, then the plain way: nothing changes but rounding."""
    config.bptt.carry = "continue"
    config.train.update(steps=9, validate_every=100)
    expected = losses(train(config, tmp_path / "whole"))
    ways = ({"mode": "chunked"}, {"mode": "in_graph", "chunk": 8, "head_steps": 4}, {"mode": "plain"})
    for part, way in enumerate(ways, 1):
        config.bptt.update(way)
        config.train.steps = 3 * part
        actual = losses(train(config, tmp_path / "parts"))
    assert len(actual) == 9
    np.testing.assert_allclose(actual, expected, rtol=1e-6)


def test_a_run_that_offloads_proves_that_first_unless_told_not_to(config, tmp_path, monkeypatch):
    def refuse(config, devices):
        raise UserError("wrong here")

    monkeypatch.setattr(loop, "check_offloading", refuse)
    config.bptt.offload = True
    with pytest.raises(UserError, match="wrong here"):
        loop.train(config, tmp_path)
    config.bptt.self_check = False
    config.train.steps = 0
    loop.train(config, tmp_path)
