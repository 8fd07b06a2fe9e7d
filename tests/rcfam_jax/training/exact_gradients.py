"""A toy model and batches, and how gradients are compared."""

import functools
import math

import jax
import numpy as np
from flax import nnx
from ml_collections import FrozenConfigDict

from rcfam_jax.model.action_model import FrameActionModel
from rcfam_jax.model.config import ModelConfig
from rcfam_jax.training.bptt import chunked
from rcfam_jax.training.bptt.loss import loss_and_grad
from rcfam_jax.training.frame_stream import FrameStream

ROWS, COLUMNS, VOCABULARY, FRAME_WIDTH, CORE_WIDTH = 2, 8, 24, 8, 12
compiled = jax.jit(loss_and_grad, static_argnums=(0, 3))


def settings(mode, chunk=1, head_steps=1, offload=False, carry="reset"):
    return FrozenConfigDict(
        {"mode": mode, "chunk": chunk, "head_steps": head_steps, "offload": offload, "carry": carry, "self_check": True}
    )


PLAIN = settings("plain")
IN_GRAPH = functools.partial(settings, "in_graph")
CHUNKED = functools.partial(settings, "chunked")


def make_model(dtype, pooling_stages=0, param_dtype=None):
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
        param_dtype=param_dtype or dtype,
    )
    graphdef, state = nnx.split(FrameActionModel(config, rngs=nnx.Rngs(0)), nnx.Param)
    params, generator = nnx.to_pure_dict(state), np.random.default_rng(1)
    nudge = lambda x: x + generator.normal(0, 0.1, x.shape).astype(x.dtype)  # noqa: E731 (initial states start at zero)
    return graphdef, jax.device_put(jax.tree.map(nudge, params), jax.devices()[0])


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


def streamed(batch, chunk):
    """The batch as `chunked` takes it."""
    frames = FrameStream.of_arrays(batch["codepoints"], batch["styles"], chunk)
    return {name: array for name, array in batch.items() if name not in ("codepoints", "styles")} | {"frames": frames}


def gradient(graphdef, params, batch, config):
    """`loss_and_grad` in any mode."""
    if config.mode == "chunked":
        return chunked.loss_and_grad(graphdef, params, streamed(batch, config.chunk), config)
    return compiled(graphdef, params, batch, config)


def relative_error(actual, expected):
    actual, expected = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
    return np.linalg.norm(actual - expected) / np.linalg.norm(expected)


@functools.cache
def plain_gradient(batch_size, window, dtype, pooling_stages):
    graphdef, params = make_model(dtype, pooling_stages)
    return gradient(graphdef, params, make_batch(batch_size, window), PLAIN)


def assert_same_gradient(batch_size, window, config, dtype, tolerance, pooling_stages=0):
    """A loss and gradient in the way of `config` are those of plain backpropagation, none of which is zero."""
    graphdef, params = make_model(dtype, pooling_stages)
    expected = plain_gradient(batch_size, window, dtype, pooling_stages)
    actual = gradient(graphdef, params, make_batch(batch_size, window), config)
    assert actual[0][0].dtype == dtype
    assert actual[0][1]["tokens"] == expected[0][1]["tokens"]
    np.testing.assert_allclose(actual[0][1]["accuracy"], expected[0][1]["accuracy"], rtol=1e-6)
    assert_close(actual, expected, tolerance)


def assert_close(actual, expected, tolerance):
    """Losses and every leaf of the gradients are within a relative L2 distance, and no leaf is zero."""
    (loss, _), grads = actual
    (expected_loss, _), expected_grads = expected
    assert relative_error(loss, expected_loss) < tolerance
    assert jax.tree.structure(grads) == jax.tree.structure(expected_grads)
    grads = dict(jax.tree_util.tree_leaves_with_path(grads))
    assert sum("initial" in str(path) for path in grads) == 4  # h and c of the reduction and of the core
    for path, leaf in jax.tree_util.tree_leaves_with_path(expected_grads):
        name = jax.tree_util.keystr(path)
        assert np.linalg.norm(leaf) > 0, name
        error = relative_error(grads[path], leaf)
        assert error < tolerance, (name, error)
