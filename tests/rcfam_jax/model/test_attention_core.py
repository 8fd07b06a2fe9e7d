"""The core of causal attention against one in float64 numpy, what depends on what, and where it cannot be used."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from ml_collections import ConfigDict

from data_gen.errors import UserError
from rcfam_jax.model.action_model import FrameActionModel
from rcfam_jax.model.config import ModelConfig
from rcfam_jax.model.core import Core
from rcfam_jax.training.bptt.loss import loss_and_grad

SMALL = ModelConfig(
    rows=2, columns=4, frame_width=8, pooling_stages=1, frame_blocks=1, num_heads=2, core_width=12, core_layers=2,
    vocabulary_size=20, core="attention",
)  # fmt: skip
STEPS = 6


@functools.cache
def make_core(**changes):
    """A small core none of whose parameters is zero or one."""
    core = Core(dataclasses.replace(SMALL, **changes), rngs=nnx.Rngs(0))
    graphdef, params = nnx.split(core, nnx.Param)
    generator = np.random.default_rng(0)
    params = jax.tree.map(lambda x: x + jnp.asarray(generator.normal(0, 0.3, x.shape), x.dtype), params)
    return nnx.merge(graphdef, params)


@jax.jit
def predict(core, embeddings):
    return core(core.initial_carry(len(embeddings)), embeddings)[1]


def random_embeddings(dtype):
    return np.random.default_rng(1).normal(size=(2, STEPS, SMALL.frame_width)).astype(dtype)


def linear(params, x):
    return np.tensordot(x, params["kernel"], 1) + params["bias"]


def norm(params, x):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-6) * params["scale"]


def turned(x_A, step):
    """Channels j and j + A/2 are one complex number, which turns by step / 10,000^(2j/A)."""
    half = len(x_A) // 2
    points = x_A[:half] + 1j * x_A[half:]
    points = points * np.exp([1j * step / 10_000 ** (2 * pair / len(x_A)) for pair in range(half)])
    return np.concatenate([points.real, points.imag])


def attended(q_TxA, k_TxA, v_TxA):
    """One head of one window, step by step, over the steps up to each."""
    rows = []
    for step, q in enumerate(q_TxA):
        scores = [turned(q, step) @ turned(k_TxA[past], past) / np.sqrt(len(q)) for past in range(step + 1)]
        weights = np.exp(scores) / np.exp(scores).sum()
        rows.append(weights @ v_TxA[: step + 1])
    return np.array(rows)


def reference(core, embeddings_TxD):
    params = jax.tree.map(np.float64, nnx.to_pure_dict(nnx.state(core, nnx.Param)))
    x = linear(params["projection"], embeddings_TxD)
    for index in range(SMALL.core_layers):
        block = params["layers"][index]["block"]
        qkv = linear(block["query_key_value"], norm(block["norm"], x))
        heads = zip(*(np.split(qkv[:, part], SMALL.num_heads, axis=1) for part in range(3)), strict=True)
        x = x + linear(block["output"], np.concatenate([attended(*head) for head in heads], axis=1))
        hidden = linear(block["mlp"]["expand"], norm(block["mlp"]["norm"], x))
        gelu = hidden / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (hidden + 0.044715 * hidden**3)))
        x = x + linear(block["mlp"]["contract"], gelu)
    return linear(params["logits"], norm(params["norm"], x))


@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-13), ("float32", 1e-5)])
def test_logits_equal_the_reference(dtype, tolerance, x64):
    core, embeddings = make_core(dtype=dtype, param_dtype=dtype), random_embeddings(dtype)
    logits = predict(core, embeddings)
    assert logits.dtype == dtype
    for window in range(2):
        expected = reference(core, np.float64(embeddings[window]))
        assert np.linalg.norm(logits[window] - expected) < tolerance * np.linalg.norm(expected)


def test_bfloat16_is_close():
    expected = predict(make_core(), random_embeddings(np.float32))
    logits = predict(make_core(dtype="bfloat16"), random_embeddings(np.float32))
    assert logits.dtype == jnp.float32
    assert np.linalg.norm(logits - expected) < 0.05 * np.linalg.norm(expected)


def test_no_prediction_depends_on_a_later_frame():
    core = make_core()
    direction = jnp.asarray(np.random.default_rng(3).normal(size=SMALL.vocabulary_size), jnp.float32)
    jacobian = jax.jit(jax.jacrev(lambda x: predict(core, x)[0] @ direction))
    gradient_TxTxD = jacobian(jnp.asarray(random_embeddings(np.float32)))[:, 0]
    for time, gradient_TxD in enumerate(gradient_TxTxD):
        assert (np.abs(gradient_TxD[: time + 1]).max(axis=1) > 0).all()
        assert (gradient_TxD[time + 1 :] == 0).all()


@pytest.fixture(scope="module")
def split_model():
    return nnx.split(FrameActionModel(SMALL, rngs=nnx.Rngs(0)), nnx.Param)


def random_batch():
    generator = np.random.default_rng(5)
    frames = generator.integers(0, 256, (2, 2, STEPS, SMALL.rows, SMALL.columns), dtype=np.uint8)
    tokens = generator.integers(0, SMALL.vocabulary_size, (2, STEPS), dtype=np.int32)
    return {"codepoints": frames[0], "styles": frames[1], "tokens": tokens, "mask": np.ones((2, STEPS), bool)}


def test_trains_on_whole_windows(split_model):
    graphdef, params = split_model
    bptt = ConfigDict({"mode": "plain"})
    compute = jax.jit(lambda params, batch: loss_and_grad(graphdef, params, batch, bptt))
    (loss, _), grads = compute(params, random_batch())
    assert np.isfinite(loss)
    for path, leaf in jax.tree_util.tree_leaves_with_path(grads):
        assert np.isfinite(leaf).all() and np.abs(leaf).max() > 0, jax.tree_util.keystr(path)


def test_is_refused_where_windows_are_cut(split_model):
    graphdef, params = split_model
    bptt = ConfigDict({"mode": "in_graph", "chunk": 3, "head_steps": 1, "offload": False})
    with pytest.raises(UserError, match=r"model\.core is 'attention'.*bptt\.mode must be 'plain'"):
        jax.eval_shape(lambda params, batch: loss_and_grad(graphdef, params, batch, bptt), params, random_batch())


def test_number_of_parameters():
    """Per layer 4 H^2 + 4 H for attention, 8 H^2 + 5 H for the MLP, two norms of H."""
    width = SMALL.core_width
    parameters = sum(x.size for x in jax.tree.leaves(nnx.state(make_core().layers, nnx.Param)))
    assert parameters == SMALL.core_layers * (12 * width**2 + 11 * width)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"core": "mamba"}, "model: core is 'mamba': it must be 'lstm' or 'attention'"),
        ({"core_width": 14}, "model: num_heads 2 does not divide half of core_width 14"),
    ],
)
def test_impossible_cores_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        FrameActionModel(dataclasses.replace(SMALL, **changes), rngs=nnx.Rngs(0))
