"""Mamba: Gu and Dao, "Mamba: Linear-Time Sequence Modeling with Selective State Spaces" (2023)."""

import math

import jax
import jax.numpy as jnp
from flax import nnx

from rcfam_jax.diagnostics.mixers import affine
from rcfam_jax.diagnostics.mixers.config import MixerConfig
from rcfam_jax.diagnostics.mixers.projection import projection
from rcfam_jax.diagnostics.mixers.shift import delayed
from rcfam_jax.diagnostics.mixers.state_space import log_steps, zero_order_hold
from rcfam_jax.model.layers import uniform

_EXPANSION = 2
_TAPS = 4


class Mamba(nnx.Module):
    """The block of section 3.4, E = 2 D channels wide: W_o (S6(SiLU(conv(W_x x))) SiLU(W_z x)).

    S6 is algorithm 2, N real states for each channel: the step, B and C depend on the input u,

    h_t = exp(step_t A) h_{t-1} + (exp(step_t A) - 1) / A B_t u_t,    y_t = C_t h_t + D u_t,
    step_t = softplus(W_2 W_1 u_t + b), where W_1 leads to D / 16 dimensions, and A starts at -1, ..., -N.

    The authors' code gives the convolution of four taps, the rank D / 16 and the steps at the start, uniform in their
    logarithms (section 3.6: uniform). It has step_t B_t where this, with equation 4, has (exp(step_t A) - 1) / A B_t.
    The optional norm of section 3.4 is left out.
    """

    def __init__(self, config: MixerConfig, *, rngs: nnx.Rngs):
        self.form = config.form
        width, states, dtype = config.width, config.state_width, config.param_dtype
        inner, rank = _EXPANSION * width, math.ceil(width / 16)
        self.input, self.gate = (projection(config, width, inner, rngs) for _ in range(2))
        self.taps = nnx.Param(uniform(_TAPS)(rngs.params(), (_TAPS, inner), dtype))
        self.taps_bias = nnx.Param(uniform(_TAPS)(rngs.params(), (inner,), dtype))
        self.write, self.read = (projection(config, inner, states, rngs) for _ in range(2))
        self.step_rank = projection(config, inner, rank, rngs)
        self.step = projection(config, rank, inner, rngs)
        start_E = jnp.exp(log_steps(rngs.params(), (inner,), dtype))
        self.step_bias = nnx.Param(start_E + jnp.log(-jnp.expm1(-start_E)))  # softplus of it is where steps start
        self.log_rate = nnx.Param(jnp.log(jnp.broadcast_to(jnp.arange(1, states + 1, dtype=dtype), (inner, states))))
        self.skip = nnx.Param(jnp.ones(inner, dtype))
        self.output = projection(config, inner, width, rngs)

    def __call__(self, x_BxTxD: jax.Array) -> jax.Array:
        """Mix along T."""
        projected_BxTxE = self.input(x_BxTxD)
        convolved_BxTxE = sum(tap_E * delayed(projected_BxTxE, ago) for ago, tap_E in enumerate(self.taps[...]))
        u_BxTxE = jax.nn.silu(convolved_BxTxE + self.taps_bias[...])
        mixed_BxTxE = self._selective(u_BxTxE) + self.skip[...] * u_BxTxE
        return self.output(mixed_BxTxE * jax.nn.silu(self.gate(x_BxTxD)))

    def _selective(self, u_BxTxE: jax.Array) -> jax.Array:
        evaluate = _parallel if self.form == "parallel" else _step_by_step
        step_BxTxE = jax.nn.softplus(self.step(self.step_rank(u_BxTxE)) + self.step_bias[...])
        return evaluate(-jnp.exp(self.log_rate[...]), step_BxTxE, u_BxTxE, self.write(u_BxTxE), self.read(u_BxTxE))


def _parallel(
    rate_ExN: jax.Array, step_BxTxE: jax.Array, u_BxTxE: jax.Array, write_BxTxN: jax.Array, read_BxTxN: jax.Array
) -> jax.Array:
    decay_BxTxExN, gain_BxTxExN = zero_order_hold(step_BxTxE[..., None], rate_ExN)
    written_BxTxExN = gain_BxTxExN * write_BxTxN[:, :, None] * u_BxTxE[..., None]
    states_BxTxExN = affine.diagonal(decay_BxTxExN, written_BxTxExN, "parallel")
    return jnp.einsum("bten,btn->bte", states_BxTxExN, read_BxTxN)


def _step_by_step(rate_ExN: jax.Array, *inputs_BxT: jax.Array) -> jax.Array:
    """The same, but of E x N numbers a step keeps the state alone: decay and gain are computed anew backwards."""
    rate_NxE = rate_ExN.T

    @jax.checkpoint
    def advance(state_BxNxE: jax.Array, at: tuple[jax.Array, ...]) -> tuple[jax.Array, jax.Array]:
        step_BxE, u_BxE, write_BxN, read_BxN = at
        # decay h + (decay - 1) / A B u, with one exponential for both
        drive_BxNxE = write_BxN[:, :, None] * u_BxE[:, None] / rate_NxE
        state_BxNxE = state_BxNxE + jnp.expm1(step_BxE[:, None] * rate_NxE) * (state_BxNxE + drive_BxNxE)
        return state_BxNxE, jnp.einsum("bne,bn->be", state_BxNxE, read_BxN)

    over_time = [jnp.moveaxis(input_BxT, 1, 0) for input_BxT in inputs_BxT]
    start_BxNxE = jnp.zeros((len(inputs_BxT[0]), *rate_NxE.shape), rate_NxE.dtype)
    return jnp.moveaxis(jax.lax.scan(advance, start_BxNxE, over_time)[1], 0, 1)
