"""Each mixer against the loop that its paper's equations are, its two forms against each other, and causality."""

import dataclasses
import functools
from typing import get_args

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from plain_mixers import PLAIN

from rcfam_jax.diagnostics.mixers import MIXERS, MixerConfig
from rcfam_jax.diagnostics.mixers.affine import Form

CONFIG = MixerConfig(width=12, heads=3, state_width=5, dtype="float64")
LENGTH = 7
WITH_TWO_FORMS = [name for name in MIXERS if name not in ("lstm", "gru", "slstm", "transformer", "sum")]


X_BxTxD = np.random.default_rng(1).normal(size=(2, LENGTH, CONFIG.width))
WEIGHTS_BxTxD = np.random.default_rng(2).normal(size=X_BxTxD.shape)


def with_random_parameters(name, form="parallel"):
    """A mixer's graph and parameters, all random: zeros and ones at the start would hide that one is not used."""
    config = dataclasses.replace(CONFIG, form=form)
    graph, shapes = nnx.split(nnx.eval_shape(lambda: MIXERS[name](config, rngs=nnx.Rngs(0))))
    generator = np.random.default_rng(0)
    return graph, jax.tree.map(lambda shape: jnp.asarray(generator.normal(size=shape.shape) / 2), shapes)


@functools.cache
def evaluated(name):
    """Outputs [B, T, D], and for each place the gradient of the inputs from it alone, [place, B, T, D]."""
    graph, params = with_random_parameters(name)

    @jax.jit
    def evaluate(params, x_BxTxD):
        y_BxTxD, pullback = jax.vjp(nnx.merge(graph, params), x_BxTxD)
        (gradients_PxBxTxD,) = jax.vmap(pullback)(jnp.eye(LENGTH)[:, None, :, None] * WEIGHTS_BxTxD)
        return y_BxTxD, gradients_PxBxTxD

    return jax.tree.map(np.asarray, evaluate(params, jnp.asarray(X_BxTxD)))


def test_every_mixer_has_a_reference():
    assert PLAIN.keys() == MIXERS.keys()


@pytest.mark.parametrize("name", MIXERS)
def test_a_mixer_follows_its_equations(name, x64):
    mixer = nnx.merge(*with_random_parameters(name))
    expected = np.stack([PLAIN[name](mixer, x_TxD) for x_TxD in X_BxTxD])
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(evaluated(name)[0], expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", MIXERS)
def test_an_output_depends_on_all_earlier_inputs_and_on_no_later_one(name, x64):
    for place, gradient_BxTxD in enumerate(evaluated(name)[1]):
        assert np.abs(gradient_BxTxD[:, : place + 1]).max(axis=2).min() > 0
        np.testing.assert_array_equal(gradient_BxTxD[:, place + 1 :], 0)


@pytest.mark.parametrize("name", WITH_TWO_FORMS)
def test_the_parallel_and_the_recurrent_form_agree_in_outputs_and_gradients(name, x64):
    def evaluate(form):
        graph, params = with_random_parameters(name, form)
        output_BxTxD, pullback = jax.vjp(lambda params, x: nnx.merge(graph, params)(x), params, jnp.asarray(X_BxTxD))
        return output_BxTxD, *pullback(jnp.asarray(WEIGHTS_BxTxD))

    parallel, recurrent = (jax.tree.leaves(jax.jit(evaluate, static_argnums=0)(form)) for form in get_args(Form))
    for one, other in zip(parallel, recurrent, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", MIXERS)
def test_a_mixer_has_two_forms_unless_it_is_recurrent_or_sums(name, x64):
    def program(form):
        graph, params = with_random_parameters(name, form)
        return str(jax.make_jaxpr(lambda params, x: nnx.merge(graph, params)(x))(params, jnp.asarray(X_BxTxD)))

    assert (program("parallel") != program("recurrent")) == (name in WITH_TWO_FORMS)


@pytest.mark.parametrize("name", ["slstm", "rwkv"])
def test_what_keeps_exponentials_small_is_rightly_left_out_of_the_gradient(name, x64):
    graph, params = with_random_parameters(name)
    generator = np.random.default_rng(4)
    start = params, jnp.asarray(X_BxTxD)
    direction = jax.tree.map(lambda x: jnp.asarray(generator.normal(size=x.shape)), start)

    @jax.jit
    def along(distance):
        params, x_BxTxD = jax.tree.map(lambda x, d: x + distance * d, start, direction)
        return (nnx.merge(graph, params)(x_BxTxD) * WEIGHTS_BxTxD).sum()

    expected = (along(1e-5) - along(-1e-5)) / 2e-5
    np.testing.assert_allclose(jax.jvp(along, (0.0,), (1.0,))[1], expected, rtol=1e-6)


@pytest.mark.parametrize("name", ["slstm", "rwkv"])
def test_exponentials_of_large_inputs_stay_finite_in_float32(name):
    graph, params = nnx.split(MIXERS[name](dataclasses.replace(CONFIG, dtype="float32"), rngs=nnx.Rngs(0)))
    x_BxTxD = jnp.asarray(1000 * np.random.default_rng(5).normal(size=(1, 64, CONFIG.width)), jnp.float32)
    value, gradient = jax.jit(jax.value_and_grad(lambda params: nnx.merge(graph, params)(x_BxTxD).mean()))(params)
    assert all(np.isfinite(x).all() for x in jax.tree.leaves((value, gradient)))


def test_state_space_models_start_with_steps_from_a_thousandth_to_a_tenth_and_stable(x64):
    s4d, mamba, lru = (MIXERS[name](CONFIG, rngs=nnx.Rngs(0)) for name in ("s4d", "mamba", "lru"))
    for steps in (jnp.exp(s4d.log_step[...]), jax.nn.softplus(mamba.step_bias[...])):
        assert 0.001 <= steps.min() < 0.01 < steps.max() <= 0.1
    radii = np.exp(-np.exp(lru.log_nu[...]))
    assert radii.max() < 1
    np.testing.assert_allclose(np.exp(2 * lru.log_gain[...]), 1 - radii**2, rtol=1e-9)


def test_rwkv_starts_with_time_scales_from_a_fraction_of_a_step_to_over_a_hundred(x64):
    rwkv = MIXERS["rwkv"](CONFIG, rngs=nnx.Rngs(0))
    time_scales = np.exp(-rwkv.log_decay[...])
    np.testing.assert_allclose(time_scales[[0, -1]], np.exp([5, -3]))
    assert (np.diff(time_scales) < 0).all()
    np.testing.assert_allclose(np.exp(rwkv.bonus[:3]), 0.3 * np.exp([0, 0.5, -0.5]))
    np.testing.assert_allclose(rwkv.blend[:, CONFIG.width // 2], [0.25, 0.5, 0.5])


@pytest.mark.parametrize(("width", "heads"), [(24, 5), (24, 8)])
def test_heads_that_do_not_fit_the_width_are_refused(width, heads):
    with pytest.raises(ValueError, match=f"{width}.*{heads}"):
        MixerConfig(width=width, heads=heads)
