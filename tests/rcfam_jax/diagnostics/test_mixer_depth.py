"""The true depth of every mixer: how it grows with the length, and with the layers."""

import dataclasses

import jax
import jax.numpy as jnp
import pytest
from flax import nnx

from rcfam_jax.analysis.growth import growth
from rcfam_jax.diagnostics.mixer_depth import forward_depth, gradient_depth
from rcfam_jax.diagnostics.mixers import MIXERS, MixerConfig
from rcfam_jax.diagnostics.stack import Block, Stack

CONFIG = MixerConfig(width=32, heads=2, state_width=4)
LENGTHS = 16, 32, 64
ALL_LENGTHS = 16, 32, 64, 128, 256, 512, 1024
RECURRENCE_COMPLETE = "lstm", "gru", "slstm"
CONSTANT_APART_FROM_SUMS = "transformer", "linear_attention", "retnet", "sum"


def measured_growth(name, measure, unit_reductions, lengths=LENGTHS, form="parallel"):
    inputs = [jax.ShapeDtypeStruct((1, length, CONFIG.width), CONFIG.dtype) for length in lengths]

    def build():
        return MIXERS[name](dataclasses.replace(CONFIG, form=form), rngs=nnx.Rngs(0))

    return growth([measure(build, x_BxTxD, unit_reductions=unit_reductions) for x_BxTxD in inputs])


def expected_growth(name, unit_reductions):
    if name in RECURRENCE_COMPLETE:
        return "linear"
    return "constant" if unit_reductions and name in CONSTANT_APART_FROM_SUMS else "logarithmic"


@pytest.mark.parametrize("measure", [forward_depth, gradient_depth])
@pytest.mark.parametrize("name", MIXERS)
def test_true_recurrence_alone_is_linear(name, measure):
    assert measured_growth(name, measure, True) == expected_growth(name, True)


@pytest.mark.slow
@pytest.mark.parametrize("unit_reductions", [False, True])
@pytest.mark.parametrize("name", MIXERS)
def test_true_recurrence_alone_is_linear_over_all_lengths(name, unit_reductions):
    for measure in (forward_depth, gradient_depth):
        assert measured_growth(name, measure, unit_reductions, ALL_LENGTHS) == expected_growth(name, unit_reductions)


@pytest.mark.parametrize("name", ["lstm", "transformer", "sum"])
def test_sums_as_trees_make_no_growth_linear_and_none_constant(name):
    for measure in (forward_depth, gradient_depth):
        assert measured_growth(name, measure, False, ALL_LENGTHS) == expected_growth(name, False)


@pytest.mark.parametrize("name", ["mamba", "retnet", "delta_net"])
def test_evaluated_step_by_step_a_mixer_is_linear_though_it_need_not_be(name):
    assert measured_growth(name, forward_depth, True, form="recurrent") == "linear"


@pytest.mark.parametrize("name", ["transformer", "sum"])
def test_the_depth_of_what_has_no_recurrence_is_proportional_to_its_layers(name):
    tokens_BxT = jax.ShapeDtypeStruct((1, 64), jnp.int32)
    x_BxTxD = jax.ShapeDtypeStruct((1, 64, CONFIG.width), CONFIG.dtype)

    def stack(layers):
        return Stack(name, CONFIG, layers=layers, vocabulary_size=5, outputs=1, rngs=nnx.Rngs(0))

    depths = [forward_depth(lambda n=n: stack(n), tokens_BxT, unit_reductions=True) for n in range(5)]
    block = forward_depth(lambda: Block(name, CONFIG, rngs=nnx.Rngs(0)), x_BxTxD, unit_reductions=True)
    assert depths == [depths[0] + layers * block for layers in range(5)]


def test_the_transformer_of_any_layers_is_constant_apart_from_its_sums():
    def depth(length):
        tokens_BxT = jax.ShapeDtypeStruct((1, length), jnp.int32)
        return forward_depth(
            lambda: Stack("transformer", CONFIG, layers=3, vocabulary_size=5, outputs=1, rngs=nnx.Rngs(0)),
            tokens_BxT,
            unit_reductions=True,
        )

    assert depth(16) == depth(1024)
