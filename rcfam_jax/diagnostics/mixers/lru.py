"""LRU: Orvieto et al., "Resurrecting Recurrent Neural Networks for Long Sequences" (2023)."""

import math

import jax
import jax.numpy as jnp
from flax import nnx

from rcfam_jax.diagnostics.mixers import affine
from rcfam_jax.diagnostics.mixers.config import MixerConfig


class LRU(nnx.Module):
    """The linear recurrent unit of sections 3.2 to 3.4, with as many complex states as the width.

    h_t = lambda h_{t-1} + exp(g) B u_t,    y_t = Re(C h_t) + D u_t,    lambda = exp(-exp(nu) + i exp(theta)).

    lambda starts uniformly in the unit disc (lemma 3.2), g at log sqrt(1 - |lambda|^2) (equation 7).
    """

    def __init__(self, config: MixerConfig, *, rngs: nnx.Rngs):
        self.form = config.form
        width, dtype = config.width, config.param_dtype
        squared_radius_D, turn_D = jax.random.uniform(rngs.params(), (2, width), dtype, minval=1e-6)
        self.log_nu = nnx.Param(jnp.log(-0.5 * jnp.log(squared_radius_D)))
        self.log_theta = nnx.Param(jnp.log(2 * math.pi * turn_D))
        self.log_gain = nnx.Param(0.5 * jnp.log1p(-squared_radius_D))
        self.drive = nnx.Param(jax.random.normal(rngs.params(), (2, width, width), dtype) / math.sqrt(2 * width))
        self.readout = nnx.Param(jax.random.normal(rngs.params(), (2, width, width), dtype) / math.sqrt(width))
        self.skip = nnx.Param(jax.random.normal(rngs.params(), (width,), dtype))

    def __call__(self, x_BxTxD: jax.Array) -> jax.Array:
        """Mix along T."""
        decay_D = jnp.exp(jax.lax.complex(-jnp.exp(self.log_nu[...]), jnp.exp(self.log_theta[...])))
        drive_DxD, readout_DxD = jax.lax.complex(*self.drive[...]), jax.lax.complex(*self.readout[...])
        driven_BxTxD = jnp.exp(self.log_gain[...]) * (x_BxTxD @ drive_DxD)
        decay_1xTxD = jnp.broadcast_to(decay_D, (1, *x_BxTxD.shape[1:]))
        states_BxTxD = affine.diagonal(decay_1xTxD, driven_BxTxD, self.form)
        return (states_BxTxD @ readout_DxD).real + self.skip[...] * x_BxTxD
