"""sLSTM: Beck et al., "xLSTM: Extended Long Short-Term Memory" (2024), section 2.2; recurrence-complete."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

from rcfam_jax.diagnostics.mixers.config import MixerConfig
from rcfam_jax.diagnostics.mixers.projection import joined, projection
from rcfam_jax.model.layers import linear, uniform


class State(NamedTuple):
    """What one step hands to the next, [B, H, A] each."""

    output: jax.Array
    cell: jax.Array
    normaliser: jax.Array
    stabiliser: jax.Array


class SLSTM(nnx.Module):
    """Equations 8 to 17, with memory mixing inside each head and a sigmoid as forget gate, then W_o.

    Exponential input gates may overflow: cell c and normaliser n are kept divided by exp(m),

    m' = max(log f + m, i),    c' = exp(log f + m - m') c + exp(i - m') tanh(z),
    n' = exp(log f + m - m') n + exp(i - m'),    h' = sigmoid(o) c' / n'.

    Of the paper's block (figure 10) this is the cell: without the optional convolution before i and f, and without the
    norm of each head's output. Weights and biases start as the LSTM's do.
    """

    def __init__(self, config: MixerConfig, *, rngs: nnx.Rngs):
        heads, width = config.heads, config.head_width
        self.input = linear(config, config.width, (heads, 4, width), rngs)
        self.recurrent = nnx.Param(uniform(width)(rngs.params(), (heads, width, 4, width), config.param_dtype))
        self.output = projection(config, config.width, config.width, rngs)

    def __call__(self, x_BxTxD: jax.Array) -> jax.Array:
        """Mix along T."""
        recurrent_HxAx4xA = self.recurrent[...]

        def step(state: State, projected_BxHx4xA: jax.Array) -> tuple[State, jax.Array]:
            h_BxHxA, c_BxHxA, n_BxHxA, m_BxHxA = state
            gates = projected_BxHx4xA + jnp.einsum("bha,hagc->bhgc", h_BxHxA, recurrent_HxAx4xA)
            i, f, z, o = jnp.moveaxis(gates, 2, 0)
            kept = jax.nn.log_sigmoid(f) + m_BxHxA
            # c / n does not depend on m, so neither does its gradient.
            m_BxHxA = jax.lax.stop_gradient(jnp.maximum(kept, i))
            forget, write = jnp.exp(kept - m_BxHxA), jnp.exp(i - m_BxHxA)
            c_BxHxA = forget * c_BxHxA + write * jnp.tanh(z)
            n_BxHxA = forget * n_BxHxA + write
            h_BxHxA = jax.nn.sigmoid(o) * c_BxHxA / n_BxHxA
            return State(h_BxHxA, c_BxHxA, n_BxHxA, m_BxHxA), h_BxHxA

        projected_TxBxHx4xA = jnp.moveaxis(self.input(x_BxTxD), 1, 0)
        zeros_BxHxA = jnp.zeros_like(projected_TxBxHx4xA[0, :, :, 0])
        empty = State(zeros_BxHxA, zeros_BxHxA, zeros_BxHxA, zeros_BxHxA - jnp.inf)
        _, outputs_TxBxHxA = jax.lax.scan(step, empty, projected_TxBxHx4xA)
        return self.output(joined(jnp.moveaxis(outputs_TxBxHxA, 0, 1)))
