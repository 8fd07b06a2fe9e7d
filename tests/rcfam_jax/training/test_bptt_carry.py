"""A carry can be handed in and taken out, so that windows continue where the ones before ended."""

import collections

import jax
import numpy as np
import pytest
from exact_gradients import (
    CHUNKED,
    IN_GRAPH,
    PLAIN,
    assert_close,
    gradient,
    make_batch,
    make_model,
)
from hypothesis import given
from hypothesis import strategies as st

from rcfam_jax.training.bptt.loss import token_scores
from rcfam_jax.training.windows import NOWHERE, ConsecutiveEpochs

CONFIGS = [
    pytest.param(PLAIN, id="plain", marks=pytest.mark.slow),
    pytest.param(IN_GRAPH(4, 2), id="in_graph", marks=pytest.mark.slow),
    pytest.param(CHUNKED(4, 2), id="chunked"),
]
scores = jax.jit(token_scores, static_argnums=(0, 3))


def cut(batch, start, stop):
    return {name: array[:, start:stop] for name, array in batch.items()}


@pytest.mark.parametrize("config", CONFIGS)
def test_continued_windows_have_the_loss_of_one_long_window(x64, config):
    graphdef, params = make_model("float64")
    batch = make_batch(2, 24)
    batch["mask"] = np.random.default_rng(2).random((2, 24)) < 0.7
    (expected, _), _ = gradient(graphdef, params, batch, PLAIN)
    _, all_scores = scores(graphdef, params, batch, PLAIN)
    carry, _ = scores(graphdef, params, cut(batch, 0, 8), PLAIN)
    carry, total, tokens = jax.tree.map(np.zeros_like, carry), 0.0, 0
    for start in range(0, 24, 8):
        part = cut(batch, start, start + 8)
        handed = {"carry": carry, "continues": np.full(2, start > 0)}
        (value, measured), _ = gradient(graphdef, params, part | handed, config)
        carry = measured["carry"]
        total, tokens = total + float(value) * int(measured["tokens"]), tokens + int(measured["tokens"])
        np.testing.assert_allclose(
            value, all_scores.cross_entropy_BxT[:, start : start + 8][part["mask"]].mean(), rtol=1e-10
        )
    np.testing.assert_allclose(total / tokens, expected, rtol=1e-10)


@pytest.mark.parametrize("config", CONFIGS[1:])
def test_gradients_after_a_carry_are_those_of_plain_backpropagation(x64, config):
    """One window continues, the other does not; no gradient flows into what is handed in."""
    graphdef, params = make_model("float64")
    batch = make_batch(2, 8)
    carry, _ = scores(graphdef, params, make_batch(2, 8, seed=5), PLAIN)
    handed = batch | {"carry": carry, "continues": np.array([True, False])}
    expected = gradient(graphdef, params, handed, PLAIN)
    assert_close(gradient(graphdef, params, handed, config), expected, 1e-10)
    _, grads = gradient(graphdef, params, handed | {"continues": np.ones(2, bool)}, config)
    lstm = grads["core"]["layers"][0]["lstm"]
    assert not lstm["initial_h"].any() and not lstm["initial_c"].any()


@given(st.lists(st.integers(1, 60), min_size=1, max_size=6), st.integers(1, 20), st.integers(1, 5), st.integers(0, 99))
def test_consecutive_epochs_have_every_token_once_and_in_order(lengths, window, batch_size, seed):
    epochs = ConsecutiveEpochs(lengths, window, batch_size, seed)
    windows = sum(-(-length // window) for length in lengths)
    steps = -(-windows // batch_size)
    for epoch in range(2):
        places = [epochs[position] for position in range(epoch * steps * batch_size, (epoch + 1) * steps * batch_size)]
        seen = collections.Counter(
            (place.stream, token) for place in places for token in range(place.start, place.stop)
        )
        assert seen == {(stream, token): 1 for stream, length in enumerate(lengths) for token in range(length)}
        for before, after in zip(places, places[batch_size:], strict=False):
            if after != NOWHERE and after.start > 0:
                assert before == (after.stream, after.start - window, after.start)
    assert [epochs[position] for position in range(8)] == [
        ConsecutiveEpochs(lengths, window, batch_size, seed)[position] for position in range(8)
    ]
