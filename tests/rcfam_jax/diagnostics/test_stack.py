"""The residual stack around a mixer, against numpy, with every mixer inside."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from plain_mixers import PLAIN, apply, array, gelu, rms_norm

from rcfam_jax.diagnostics.mixers import MIXERS, MixerConfig
from rcfam_jax.diagnostics.stack import Stack

CONFIG = MixerConfig(width=16, heads=2, state_width=3, dtype="float64")
TOKENS_BxT = np.random.default_rng(0).integers(0, 5, (2, 6))


def build(name, layers=2):
    return Stack(name, CONFIG, layers=layers, vocabulary_size=5, outputs=3, rngs=nnx.Rngs(0))


def plain(stack, name, tokens_T):
    """Pre-norm residual blocks, place by place."""
    x = [array(stack.embedding)[token] for token in tokens_T]
    for block in stack.blocks:
        mixed = PLAIN[name](block.mixer, np.stack([rms_norm(block.norm, x_t) for x_t in x]))
        x = [x_t + mixed_t for x_t, mixed_t in zip(x, mixed, strict=True)]
        mlp = block.mlp
        x = [x_t + apply(mlp.contract, gelu(apply(mlp.expand, rms_norm(mlp.norm, x_t)))) for x_t in x]
    return [apply(stack.head, rms_norm(stack.norm, x_t)) for x_t in x]


@pytest.mark.parametrize("name", ["transformer", "lstm"])
def test_a_stack_is_embedding_blocks_norm_and_head(name, x64):
    stack = build(name)
    outputs_BxTxO = jax.jit(lambda stack, tokens: stack(tokens))(stack, jnp.asarray(TOKENS_BxT))
    expected = np.stack([plain(stack, name, tokens_T) for tokens_T in TOKENS_BxT])
    np.testing.assert_allclose(outputs_BxTxO, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["lstm", "lru", "s4d", "mamba"])
def test_a_stack_starts_finite_and_the_same_for_the_same_seed(name, x64):
    initialise = jax.jit(lambda: nnx.split(build(name, layers=1))[1])
    for first, second in zip(jax.tree.leaves(initialise()), jax.tree.leaves(initialise()), strict=True):
        assert first.dtype == jnp.float64
        assert np.isfinite(first).all()
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", MIXERS)
def test_every_mixer_fits_the_stack(name, x64):
    outputs = nnx.eval_shape(lambda tokens: build(name)(tokens), jax.ShapeDtypeStruct((2, 6), jnp.int32))
    assert outputs.shape == (2, 6, 3)
