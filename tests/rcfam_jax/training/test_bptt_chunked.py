"""The loop over chunks: what it compiles, and how it works in a run."""

import jax
import numpy as np
import pytest
from exact_gradients import CHUNKED, PLAIN, assert_close, compiled, make_batch, make_model, streamed

from rcfam_jax.training import metrics
from rcfam_jax.training.bptt import chunked
from rcfam_jax.training.bptt.loss import token_scores
from rcfam_jax.training.parallel import Devices


@pytest.fixture
def compilations():
    """What is compiled while a test runs, by name."""
    names = []

    def listen(event, seconds, fun_name="", **_):
        if event.endswith("backend_compile_duration"):
            names.append(fun_name)

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield names
    jax.monitoring.unregister_event_duration_listener(listen)


@pytest.mark.parametrize("num_devices", [1, 2])
def test_all_is_compiled_once_whatever_the_length(compilations, num_devices):
    """And several devices compute the gradient of one."""
    devices = Devices(2, jax.devices()[:num_devices])
    graphdef, params = make_model("float32")
    config = CHUNKED(4, 2)
    for window in (3, 4, 9, 40):
        batch = make_batch(2, window)
        compilations.clear()
        actual = chunked.loss_and_grad(graphdef, devices.replicate(params), streamed(batch, 4), config, devices.scatter)
        if window == 3:
            assert compilations.count("jit(_forward)") == compilations.count("jit(_backward)") == 1
        else:
            assert compilations == []
    assert_close(actual, compiled(graphdef, params, batch, PLAIN), 1e-5)


def test_scores_are_those_of_a_whole_window(x64):
    graphdef, params = make_model("float64")
    batch = make_batch(2, 10)
    carry, scores = chunked.token_scores(graphdef, params, streamed(batch, 5), CHUNKED(5))
    expected_carry, expected = jax.jit(token_scores, static_argnums=(0, 3))(graphdef, params, batch, PLAIN)
    assert isinstance(scores, metrics.TokenScores)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-10), (carry, scores), (expected_carry, expected))
    _, padded = chunked.token_scores(graphdef, params, streamed(batch, 4), CHUNKED(4))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-10), padded, expected)


def test_a_batch_without_valid_tokens_has_no_gradient():
    graphdef, params = make_model("float32")
    batch = make_batch(2, 7) | {"mask": np.zeros((2, 7), bool)}
    (value, measured), grads = chunked.loss_and_grad(graphdef, params, streamed(batch, 4), CHUNKED(4, 2))
    assert value == measured["tokens"] == 0
    assert all((leaf == 0).all() for leaf in jax.tree.leaves(grads))
