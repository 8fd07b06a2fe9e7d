"""Appendix J's counts, against its closed form and against what XLA counts in the compiled pieces."""

import dataclasses

import jax
import jax.numpy as jnp
import pytest
from flax import nnx
from hypothesis import given
from hypothesis import strategies as st

from rcfam_jax.analysis.flops import block_flops, forward_flops, lstm_flops
from rcfam_jax.model.attention import attention
from rcfam_jax.model.block import Block
from rcfam_jax.model.config import ModelConfig
from rcfam_jax.model.core import Core
from rcfam_jax.model.layers import Mlp, linear

MARGIN = 0.03
"""XLA also counts work per element (softmax, GELU, norms), which the paper leaves out: at these widths under 3%."""

CONFIG = ModelConfig(
    rows=8, columns=32, frame_width=256, num_heads=2, core_width=384, core_layers=2, vocabulary_size=1024
)


def counted(module, *shapes):
    """FLOPs that XLA counts in a compiled call; a loop's body counts once, whatever its number of turns."""
    graphdef, params = nnx.split(module, nnx.Param)
    arguments = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes]
    compiled = jax.jit(lambda params, *x: nnx.merge(graphdef, params)(*x)).lower(params, *arguments).compile()
    return compiled.cost_analysis()["flops"]


@given(st.integers(0, 3), st.integers(1, 20), st.integers(1, 64), st.integers(0, 4), st.integers(1, 9))
def test_frame_head_equals_the_papers_closed_form(stages, rows, width, blocks, frames):
    """Equation 16: the sums over p < P are 2N (1 - 2^-P) and (4/3) N^2 (1 - 4^-P)."""
    config = dataclasses.replace(CONFIG, rows=rows, frame_width=width, pooling_stages=stages, frame_blocks=blocks)
    n = rows * config.columns
    pooled = n / 2**stages
    linear_part = 24 * width**2 * (2 * n * (1 - 2.0**-stages) + blocks * pooled)
    quadratic_part = 4 * width * (4 / 3 * n**2 * (1 - 4.0**-stages) + blocks * pooled**2)
    expected = frames * (linear_part + quadratic_part + 16 * width**2 * pooled)
    assert forward_flops(config, 1, frames).frame_head == pytest.approx(expected, rel=1e-12)


@pytest.fixture(scope="module")
def rngs():
    return nnx.Rngs(0)


def test_attention_block_equals_what_xla_counts(rngs):
    """With one head of one frame, attention is no loop."""
    config = dataclasses.replace(CONFIG, num_heads=1)
    cells = config.rows * config.columns
    expected = block_flops(cells, config.frame_width)
    block = Block(config, config.frame_width, attention, rngs=rngs)
    assert counted(block, (1, cells, config.frame_width)) == pytest.approx(expected, rel=MARGIN)


def test_attention_core_equals_what_xla_counts(rngs):
    config, batch, frames = dataclasses.replace(CONFIG, core="attention", core_layers=1), 2, 64
    graphdef, params = nnx.split(Core(config, rngs=rngs), nnx.Param)
    embeddings = jax.ShapeDtypeStruct((batch, frames, config.frame_width), jnp.float32)
    advance = jax.jit(lambda params, x: nnx.merge(graphdef, params)(((),), x))
    flops = advance.lower(params, embeddings).compile().cost_analysis()["flops"]
    expected = forward_flops(config, batch, frames)
    assert expected.core_lstms == 0 < expected.core_attention
    assert flops == pytest.approx(expected.main_sequence + expected.logits, rel=MARGIN)


def test_core_equals_what_xla_counts(rngs):
    """One step over a batch, so that the LSTM's loop turns once."""
    config, batch = dataclasses.replace(CONFIG, core_layers=1), 8
    graphdef, params = nnx.split(Core(config, rngs=rngs), nnx.Param)

    def advance(params, embeddings_BxKxD):
        core = nnx.merge(graphdef, params)
        return core(core.initial_carry(batch), embeddings_BxKxD)

    embeddings = jax.ShapeDtypeStruct((batch, 1, config.frame_width), jnp.float32)
    flops = jax.jit(advance).lower(params, embeddings).compile().cost_analysis()["flops"]
    expected = forward_flops(config, batch, 1)
    assert flops == pytest.approx(expected.main_sequence + expected.logits, rel=MARGIN)


def test_linear_map_and_mlp_equal_what_xla_counts(rngs):
    width, tokens = CONFIG.core_width, 16
    logits = linear(CONFIG, width, CONFIG.vocabulary_size, rngs)
    assert counted(logits, (tokens, width)) == pytest.approx(2 * tokens * width * CONFIG.vocabulary_size, rel=MARGIN)
    assert counted(Mlp(CONFIG, width, rngs=rngs), (tokens, width)) == pytest.approx(16 * tokens * width**2, rel=MARGIN)


def test_components_by_hand():
    """A frame of 4 cells, widths 2 and 3, every product counted on its own: rows x inner x columns, twice."""
    config = ModelConfig(
        rows=1, columns=4, frame_width=2, pooling_stages=1, frame_blocks=1, num_heads=1, core_width=3, core_layers=1,
        vocabulary_size=5,
    )  # fmt: skip
    block = lambda n: 2 * (4 * n * 2 * 2 + 2 * n * 2 * 8 + 2 * n * n * 2)  # noqa: E731
    flops = forward_flops(config, batch=2, frames=3)
    assert flops.pooled_blocks == 6 * block(4)
    assert flops.frame_blocks == 6 * block(2)
    assert flops.reduction_lstm == 6 * 2 * 2 * (2 * 8 + 2 * 8)
    assert flops.projection == 6 * 2 * 2 * 3
    assert flops.core_lstms == 6 * 2 * (3 * 12 + 3 * 12 + 3 * 3)
    assert flops.core_mlps == 6 * 2 * (3 * 12 + 12 * 3)
    assert flops.logits == 6 * 2 * 3 * 5
    assert flops.core_attention == 0
    attention = forward_flops(dataclasses.replace(config, core="attention"), batch=2, frames=3)
    assert attention.core_attention == 2 * 2 * (4 * 3 * 3 * 3 + 2 * 3 * 3 * 3)
    assert attention.total == flops.total - flops.core_lstms + attention.core_attention
    assert flops.total == flops.frame_head + flops.main_sequence + flops.logits
    assert lstm_flops(steps=7, inputs=3, width=3) == 16 * 7 * 3**2
