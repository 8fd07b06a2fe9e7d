"""S4D: Gu et al., "On the Parameterization and Initialization of Diagonal State Space Models" (2022).

Evaluated by an associative scan, as S5 is (Smith et al., "Simplified State Space Layers", 2023), not by a convolution.
"""

import math

import jax
import jax.numpy as jnp
from flax import nnx

from rcfam_jax.diagnostics.mixers import affine
from rcfam_jax.diagnostics.mixers.config import MixerConfig
from rcfam_jax.diagnostics.mixers.projection import projection
from rcfam_jax.diagnostics.mixers.state_space import log_steps, zero_order_hold


class S4D(nnx.Module):
    """A diagonal state space model of N conjugate pairs of states for each channel, by zero-order hold, B = 1.

    h_t = exp(step A) h_{t-1} + (exp(step A) - 1) / A u_t,    y_t = W_o GELU(2 Re(C h_t) + D u_t),

    where A = -exp(a) + i b starts at S4D-Lin, -1/2 + i pi n, and C, D and the steps where the authors' code starts
    them. That has a gated linear unit for W_o.
    """

    def __init__(self, config: MixerConfig, *, rngs: nnx.Rngs):
        self.form = config.form
        width, states, dtype = config.width, config.state_width, config.param_dtype
        self.log_step = nnx.Param(log_steps(rngs.params(), (width,), dtype))
        self.log_rate = nnx.Param(jnp.full((width, states), math.log(0.5), dtype))
        self.frequency = nnx.Param(jnp.broadcast_to(math.pi * jnp.arange(states, dtype=dtype), (width, states)))
        self.readout = nnx.Param(math.sqrt(0.5) * jax.random.normal(rngs.params(), (2, width, states), dtype))
        self.skip = nnx.Param(jax.random.normal(rngs.params(), (width,), dtype))
        self.output = projection(config, width, width, rngs)

    def __call__(self, x_BxTxD: jax.Array) -> jax.Array:
        """Mix along T."""
        rate_DxN = jax.lax.complex(-jnp.exp(self.log_rate[...]), self.frequency[...])
        decay_DxN, gain_DxN = zero_order_hold(jnp.exp(self.log_step[...])[:, None], rate_DxN)
        decay_1xTxDxN = jnp.broadcast_to(decay_DxN, (1, x_BxTxD.shape[1], *decay_DxN.shape))
        states_BxTxDxN = affine.diagonal(decay_1xTxDxN, gain_DxN * x_BxTxD[..., None], self.form)
        readout_DxN = jax.lax.complex(*self.readout[...])
        read_BxTxD = 2 * jnp.sum(readout_DxN * states_BxTxDxN, axis=-1).real
        return self.output(jax.nn.gelu(read_BxTxD + self.skip[...] * x_BxTxD))
