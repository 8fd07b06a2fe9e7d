"""Exactness: every way of backpropagation gives the gradient of ordinary automatic differentiation."""

import collections
import functools
import math

import jax
import numpy as np
import pytest
from flax import nnx
from ml_collections import FrozenConfigDict

from data_gen.errors import UserError
from rcfam_jax.model.action_model import FrameActionModel
from rcfam_jax.model.config import ModelConfig
from rcfam_jax.training.bptt.loss import check_bptt, loss_and_grad

ROWS, COLUMNS, VOCABULARY, FRAME_WIDTH, CORE_WIDTH = 2, 8, 24, 8, 12
compiled = jax.jit(loss_and_grad, static_argnums=(0, 3))

PLAIN = FrozenConfigDict({"mode": "plain"})


def in_graph(chunk, head_steps=1, offload=False):
    return FrozenConfigDict({"mode": "in_graph", "chunk": chunk, "head_steps": head_steps, "offload": offload})


def make_model(dtype, pooling_stages=0):
    config = ModelConfig(
        rows=ROWS,
        columns=COLUMNS,
        frame_width=FRAME_WIDTH,
        pooling_stages=pooling_stages,
        frame_blocks=0,
        num_heads=2,
        core_width=CORE_WIDTH,
        core_layers=1,
        vocabulary_size=VOCABULARY,
        dtype=dtype,
        param_dtype=dtype,
    )
    graphdef, state = nnx.split(FrameActionModel(config, rngs=nnx.Rngs(0)), nnx.Param)
    params, generator = nnx.to_pure_dict(state), np.random.default_rng(1)
    nudge = lambda x: x + generator.normal(0, 0.1, x.shape).astype(x.dtype)  # noqa: E731 (initial states start at zero)
    return graphdef, jax.tree.map(nudge, params)


def make_batch(batch_size, window, seed=0):
    """Random frames and tokens; of the second window only a third is valid."""
    generator = np.random.default_rng(seed)
    lengths = np.full(batch_size, window)
    lengths[1:2] = math.ceil(window / 3)
    grid = (batch_size, window, ROWS, COLUMNS)
    return {
        "codepoints": generator.integers(0, 256, grid, dtype=np.uint8),
        "styles": generator.integers(0, 256, grid, dtype=np.uint8),
        "tokens": generator.integers(0, VOCABULARY, (batch_size, window), dtype=np.int32),
        "mask": np.arange(window) < lengths[:, None],
    }


def relative_error(actual, expected):
    actual, expected = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
    return np.linalg.norm(actual - expected) / np.linalg.norm(expected)


@functools.cache
def plain_gradient(batch_size, window, dtype, pooling_stages):
    graphdef, params = make_model(dtype, pooling_stages)
    return compiled(graphdef, params, make_batch(batch_size, window), PLAIN)


def assert_same_gradient(batch_size, window, config, dtype, tolerance, pooling_stages=0):
    graphdef, params = make_model(dtype, pooling_stages)
    (expected_loss, _), expected = plain_gradient(batch_size, window, dtype, pooling_stages)
    (loss, _), actual = compiled(graphdef, params, make_batch(batch_size, window), config)
    assert loss.dtype == dtype
    assert relative_error(loss, expected_loss) < tolerance
    assert jax.tree.structure(actual) == jax.tree.structure(expected)
    actual = dict(jax.tree_util.tree_leaves_with_path(actual))
    assert sum("initial" in str(path) for path in actual) == 4  # h and c of the reduction and of the core
    for path, leaf in jax.tree_util.tree_leaves_with_path(expected):
        name = jax.tree_util.keystr(path)
        assert np.linalg.norm(leaf) > 0, name
        error = relative_error(actual[path], leaf)
        assert error < tolerance, (name, error)


@pytest.mark.parametrize(
    ("batch_size", "window", "chunk", "head_steps"),
    [(1, 1, 1, 1), (2, 2, 4, 2), (2, 7, 7, 7), (2, 7, 3, 1), (2, 64, 24, 3)],
)
def test_in_graph_equals_plain_in_float64(x64, batch_size, window, chunk, head_steps):
    assert_same_gradient(batch_size, window, in_graph(chunk, head_steps), "float64", 1e-10)


def test_in_graph_equals_plain_with_attention(x64):
    assert_same_gradient(2, 64, in_graph(16, 4), "float64", 1e-10, pooling_stages=1)


def test_in_graph_equals_plain_in_float32():
    assert_same_gradient(2, 7, in_graph(3), "float32", 1e-5)


def test_offloading_changes_nothing(x64):
    assert_same_gradient(2, 7, in_graph(2, 2, offload=True), "float64", 1e-10)


def test_loss_is_the_mean_over_valid_tokens_by_hand(x64):
    graphdef, params = make_model("float64")
    batch = make_batch(2, 7)
    (loss, measured), _ = compiled(graphdef, params, batch, in_graph(3))
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
    (loss, _), grads = compiled(graphdef, params, batch, in_graph(3))
    (changed_loss, _), changed_grads = compiled(graphdef, params, changed, in_graph(3))
    assert loss == changed_loss
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-14), grads, changed_grads)


def test_a_batch_without_valid_tokens_has_no_gradient(x64):
    graphdef, params = make_model("float64")
    batch = make_batch(2, 7) | {"mask": np.zeros((2, 7), bool)}
    (loss, _), grads = compiled(graphdef, params, batch, in_graph(3))
    assert loss == 0
    assert all((leaf == 0).all() for leaf in jax.tree.leaves(grads))


@pytest.mark.parametrize("offload", [False, True])
def test_scan_saves_carries_and_embeddings_only(offload):
    """What the forward scan over chunks hands to the backward one, from the gradient's jaxpr."""
    batch_size, window, chunk = 2, 24, 4
    graphdef, params = make_model("float32")
    batch = make_batch(batch_size, window)
    config = in_graph(chunk, 2, offload)
    gradient = jax.make_jaxpr(lambda params: loss_and_grad(graphdef, params, batch, config))(params)
    forward = next(eqn for eqn in gradient.eqns if eqn.primitive.name == "scan")
    assert forward.params["length"] == window // chunk
    stacked = forward.outvars[forward.params["num_carry"] :]
    saved = [var.aval for var in stacked if var.aval.ndim > 1 and var.aval.dtype == np.float32]
    scores = (window // chunk, batch_size, chunk)
    carry = (window // chunk, batch_size, CORE_WIDTH)
    embeddings = (window // chunk, batch_size, chunk, FRAME_WIDTH)
    h_and_c = 2
    shapes = collections.Counter(aval.shape for aval in saved if aval.shape != scores)
    assert shapes == {carry: h_and_c, embeddings: 1}
    if offload:
        assert all("host" in str(aval.memory_space).lower() for aval in saved if aval.shape != scores)


def test_memory_grows_with_chunks_not_with_frames():
    """Eight times the window, at the same chunk, needs nowhere near eight times the temporary memory."""
    graphdef, params = make_model("float32")

    def temporary_bytes(config, window):
        lowered = compiled.lower(graphdef, params, make_batch(1, window), config)
        return lowered.compile().memory_analysis().temp_size_in_bytes

    long = temporary_bytes(in_graph(8), 256)
    assert long < 2 * temporary_bytes(in_graph(8), 32)
    assert long < temporary_bytes(PLAIN, 256) / 4


def test_wrong_settings_are_named():
    with pytest.raises(UserError, match=r"bptt\.mode is 'truncated': it must be one of plain, in_graph"):
        check_bptt(FrozenConfigDict({"mode": "truncated", "chunk": 4, "head_steps": 1}))
    with pytest.raises(UserError, match=r"bptt\.head_steps is 3: it must divide bptt.chunk, which is 4"):
        check_bptt(in_graph(4, head_steps=3))
