"""The training loop of the diagnostics: it learns, stops, goes on to the same result, and ends as it is told."""

import itertools
import json
import os
import signal

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from ml_collections import ConfigDict

from data_gen.errors import UserError
from rcfam_jax.diagnostics import fit
from rcfam_jax.diagnostics.criticality import constant, greatest_depth
from rcfam_jax.diagnostics.mixers import MixerConfig
from rcfam_jax.diagnostics.stack import Stack

OBJECTIVE = fit.Objective(
    lambda outputs_BxTx1, labels_B: ((outputs_BxTx1[:, -1, 0] - labels_B) ** 2).mean(),
    lambda outputs_BxTx1, labels_B: (jnp.round(outputs_BxTx1[:, -1, 0]) == labels_B).astype(jnp.float32),
)


def counting(seed, count):
    """How many ones there are among six bits."""
    tokens_PxT = np.random.default_rng(seed).integers(2, size=(count, 6)).astype(np.int32)
    return fit.Data(tokens_PxT, tokens_PxT.sum(1).astype(np.float32))


def stack():
    return Stack("sum", MixerConfig(width=16, heads=2), layers=1, vocabulary_size=2, outputs=1, rngs=nnx.Rngs(0))


def settings(**changes):
    train = {
        **{"seed": 0, "steps": 2000, "minutes": 10.0, "batch_size": 32, "learning_rate": 5e-3, "warmup_steps": 10},
        **{"weight_decay": 0.0, "average_decay": 0.5, "round_steps": 20, "patience": 10, "keep_checkpoints": 1},
        **changes,
    }
    return ConfigDict({"train": train})


def run(config, workdir):
    return fit.fit(stack(), OBJECTIVE, counting(0, 500), counting(1, 100), config, workdir)


def test_what_is_learned_is_the_best_model_and_training_stops_once_it_is_perfect(tmp_path):
    fitted = run(settings(), tmp_path)
    assert fitted.converged and fitted.progress.best_accuracy == 1
    assert fitted.progress.best_step == fitted.progress.step < 2000
    held_out = counting(1, 100)
    assert fit.score(stack(), fitted.params, OBJECTIVE, held_out, batch_size=32).shape == (100,)
    assert fit.score(stack(), fitted.params, OBJECTIVE, held_out, batch_size=32).mean() == 1
    start = nnx.state(stack())
    assert fit.score(stack(), start, OBJECTIVE, held_out, batch_size=7).mean() < 0.9


def test_a_run_that_goes_on_ends_as_one_that_was_never_stopped(tmp_path):
    slowly = {"learning_rate": 1e-3}
    whole = run(settings(steps=80, **slowly), tmp_path / "whole")
    run(settings(steps=40, **slowly), tmp_path / "halves")
    halves = run(settings(steps=80, **slowly), tmp_path / "halves")
    assert not whole.converged and not halves.converged
    for one, other in zip(jax.tree.leaves(whole.params), jax.tree.leaves(halves.params), strict=True):
        np.testing.assert_array_equal(one, other)
    lines = [
        [json.loads(line) for line in (tmp_path / name / "metrics.jsonl").read_text().splitlines()]
        for name in ("whole", "halves")
    ]
    assert lines[0] == lines[1] and [line["step"] for line in lines[0]] == [20, 40, 60, 80]


@pytest.mark.parametrize("decay", [0.0, 0.75])
def test_the_average_weighs_each_step_less_than_the_next(decay):
    graph, params = nnx.split(stack())
    train = settings(average_decay=decay, warmup_steps=1).train
    optimizer = fit._make_optimizer(train)

    def trained(learner, step, steps):
        train.round_steps = steps
        return fit._make_round(graph, OBJECTIVE, optimizer, train)(learner, counting(0, 500), step)[0]

    start = fit.Learner(params, optimizer.init(params), params, params)
    after, expected = start, params
    for step in range(4):
        after = trained(after, step, 1)
        expected = jax.tree.map(lambda old, new: decay * old + (1 - decay) * new, expected, after.params)
    average = trained(start, 0, 4).average
    for one, other, first in zip(*map(jax.tree.leaves, (average, expected, params)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6)
        assert (jnp.abs(one - first) > 1e-4).any()


def test_training_stops_where_nothing_becomes_better_and_where_the_time_is_over(tmp_path):
    stuck = run(settings(learning_rate=0.0, patience=3), tmp_path / "stuck")
    assert stuck.converged and stuck.progress.step == stuck.progress.best_step + 60
    late = run(settings(minutes=0.0), tmp_path / "late")
    assert not late.converged and late.progress.step == 0


def test_sigterm_ends_a_run_after_a_round_and_it_goes_on(tmp_path, monkeypatch):
    saved = fit.Checkpoints.save
    rounds = itertools.count()

    def save(self, *args):
        saved(self, *args)
        if next(rounds) == 1:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(fit.Checkpoints, "save", save)
    assert run(settings(steps=80, learning_rate=1e-3), tmp_path) is None
    assert run(settings(steps=80, learning_rate=1e-3), tmp_path).progress.step == 80
    assert next(rounds) == 4


def test_no_round_is_begun_that_the_budget_would_not_cover():
    train = settings(minutes=1.0).train
    assert not fit.Progress(step=100, seconds=49.0).is_over(train)  # rounds of 20 steps, of 9.8 seconds
    assert fit.Progress(step=100, seconds=51.0).is_over(train)


def test_another_configuration_or_dataset_and_a_loss_that_is_not_finite_are_named(tmp_path):
    run(settings(steps=20), tmp_path / "one")
    with pytest.raises(UserError, match=r"another configuration: train.batch_size: 32 -> 16"):
        run(settings(steps=20, batch_size=16), tmp_path / "one")
    with pytest.raises(UserError, match=r"one holds a run on another dataset"):
        fit.fit(stack(), OBJECTIVE, counting(2, 500), counting(1, 100), settings(steps=20), tmp_path / "one")
    objective = OBJECTIVE._replace(loss=lambda outputs, labels: jnp.log(outputs).sum())
    with pytest.raises(UserError, match="the loss is nan before step 20"):
        fit.fit(stack(), objective, counting(0, 50), counting(1, 10), settings(), tmp_path / "two")


def test_criticality_is_the_depth_up_to_which_all_is_solved():
    assert greatest_depth({1: 0.99, 2: 0.95, 3: 0.9, 4: 0.97}) == 2
    assert greatest_depth({2: 0.5, 1: 0.95}) == 1 and greatest_depth({1: 0.5}) == 0
    assert constant({1: 3, 2: 6, 4: 12}) == 3
    slope = np.linalg.lstsq(np.array([[1.0], [2.0], [4.0]]), np.array([2.0, 5.0, 7.0]), rcond=None)[0][0]
    assert constant({1: 2, 2: 5, 4: 7}) == pytest.approx(slope)
