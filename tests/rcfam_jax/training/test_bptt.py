"""Exactness: every way of backpropagation gives the gradient of ordinary automatic differentiation."""

import itertools

import jax
import numpy as np
import pytest
from exact_gradients import (
    CHUNKED,
    IN_GRAPH,
    PLAIN,
    assert_close,
    assert_same_gradient,
    compiled,
    gradient,
    make_batch,
    make_model,
    settings,
)
from flax import nnx

from data_gen.errors import UserError
from rcfam_jax.training.bptt.loss import check_bptt

SHAPES = [(1, 1, 1, 1), (2, 7, 3, 1), (2, 64, 24, 3)]
"""Windows B, their steps T, K, and steps of a group of frame heads. Slow tests have more."""

LENGTHS = (1, 2, 7, 64, 257)


@pytest.mark.parametrize("mode", ["in_graph", "chunked"])
@pytest.mark.parametrize(("batch_size", "window", "chunk", "head_steps"), SHAPES)
def test_gradients_are_those_of_plain_backpropagation(x64, mode, batch_size, window, chunk, head_steps):
    assert_same_gradient(batch_size, window, settings(mode, chunk, head_steps), "float64", 1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["in_graph", "chunked"])
@pytest.mark.parametrize(("batch_size", "window", "chunk"), list(itertools.product((1, 3), LENGTHS, (4, 6))))
def test_gradients_are_those_of_plain_backpropagation_at_all_lengths(mode, batch_size, window, chunk):
    config = settings(mode, chunk, 2)
    assert_same_gradient(batch_size, window, config, "float32", 1e-5)
    with jax.enable_x64(True):
        assert_same_gradient(batch_size, window, config, "float64", 1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["in_graph", "chunked"])
def test_gradients_are_those_of_plain_backpropagation_with_attention(x64, mode):
    assert_same_gradient(2, 64, settings(mode, 16, 4), "float64", 1e-10, pooling_stages=1)


@pytest.mark.parametrize("config", [IN_GRAPH(3), CHUNKED(3)], ids=["in_graph", "chunked"])
def test_gradients_are_those_of_plain_backpropagation_in_float32(config):
    assert_same_gradient(2, 7, config, "float32", 1e-5)


@pytest.mark.slow
def test_a_long_window_has_the_gradient_of_plain_backpropagation():
    assert_same_gradient(2, 257, CHUNKED(16, 4), "float32", 1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("config", [IN_GRAPH(3), CHUNKED(3)], ids=["in_graph", "chunked"])
def test_bfloat16_is_near_float32(config):
    """Computed in bfloat16, parameters and states in float32."""
    batch = make_batch(2, 64)
    graphdef, params = make_model("bfloat16", param_dtype="float32")
    actual = gradient(graphdef, params, batch, config)
    assert all(leaf.dtype == np.float32 for leaf in jax.tree.leaves(actual[1]))
    assert_close(actual, gradient(*make_model("float32"), batch, PLAIN), 2e-2)


def test_offloading_changes_nothing(x64):
    assert_same_gradient(2, 7, IN_GRAPH(2, 2, offload=True), "float64", 1e-10)


def test_loss_is_the_mean_over_valid_tokens_by_hand(x64):
    graphdef, params = make_model("float64")
    batch = make_batch(2, 7)
    (loss, measured), _ = compiled(graphdef, params, batch, IN_GRAPH(3))
    _, logits_BxTxV = nnx.merge(graphdef, params)(batch["codepoints"], batch["styles"])
    total = correct = 0
    valid = np.argwhere(batch["mask"])
    for row, step in valid:
        logits_V, token = np.asarray(logits_BxTxV[row, step]), batch["tokens"][row, step]
        total += np.log(np.exp(logits_V).sum()) - logits_V[token]
        correct += np.argmax(logits_V) == token
    np.testing.assert_allclose(loss, total / len(valid), rtol=1e-12)
    np.testing.assert_allclose(measured["accuracy"], correct / len(valid))
    assert measured["tokens"] == len(valid)


def test_masked_frames_and_tokens_do_not_matter(x64):
    graphdef, params = make_model("float64")
    batch = make_batch(2, 7)
    changed = {name: array.copy() for name, array in batch.items()}
    for name in ("codepoints", "styles", "tokens"):
        changed[name][~batch["mask"]] = 7
    (loss, _), grads = compiled(graphdef, params, batch, IN_GRAPH(3))
    (changed_loss, _), changed_grads = compiled(graphdef, params, changed, IN_GRAPH(3))
    assert loss == changed_loss
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-14), grads, changed_grads)


def test_a_batch_without_valid_tokens_has_no_gradient(x64):
    graphdef, params = make_model("float64")
    batch = make_batch(2, 7) | {"mask": np.zeros((2, 7), bool)}
    (loss, _), grads = compiled(graphdef, params, batch, IN_GRAPH(3))
    assert loss == 0
    assert all((leaf == 0).all() for leaf in jax.tree.leaves(grads))


def test_wrong_settings_are_named():
    with pytest.raises(UserError, match=r"bptt\.mode is 'truncated': it must be one of plain, in_graph, chunked, auto"):
        check_bptt(settings("truncated", 4))
    with pytest.raises(UserError, match=r"bptt\.head_steps is 3: it must divide bptt.chunk, which is 4"):
        check_bptt(IN_GRAPH(4, head_steps=3))
    with pytest.raises(UserError, match=r"bptt\.carry is 'keep': it must be reset or continue"):
        check_bptt(IN_GRAPH(4, carry="keep"))
