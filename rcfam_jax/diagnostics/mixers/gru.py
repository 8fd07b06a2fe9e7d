"""GRU: Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder" (2014); recurrence-complete."""

import jax
import jax.numpy as jnp
from flax import nnx

from rcfam_jax.diagnostics.mixers.config import MixerConfig
from rcfam_jax.diagnostics.mixers.projection import projection
from rcfam_jax.model.layers import linear, uniform


class GRU(nnx.Module):
    """Equations 5 to 8, with the biases that they leave out, then W_o.

    r = sigmoid(W_r x + U_r h),    z = sigmoid(W_z x + U_z h),
    h' = z h + (1 - z) tanh(W x + U (r h)).
    """

    def __init__(self, config: MixerConfig, *, rngs: nnx.Rngs):
        width = config.width
        self.input = linear(config, width, (3, width), rngs)
        self.recurrent = nnx.Param(uniform(width)(rngs.params(), (width, 3, width), config.param_dtype))
        self.output = projection(config, width, width, rngs)

    def __call__(self, x_BxTxD: jax.Array) -> jax.Array:
        """Mix along T."""
        recurrent_Dx3xD = self.recurrent[...]

        def step(h_BxD: jax.Array, projected_Bx3xD: jax.Array) -> tuple[jax.Array, jax.Array]:
            gates_Bx2xD = projected_Bx3xD[:, :2] + jnp.einsum("bd,dge->bge", h_BxD, recurrent_Dx3xD[:, :2])
            r_BxD, z_BxD = jnp.moveaxis(jax.nn.sigmoid(gates_Bx2xD), 1, 0)
            candidate_BxD = jnp.tanh(projected_Bx3xD[:, 2] + (r_BxD * h_BxD) @ recurrent_Dx3xD[:, 2])
            h_BxD = z_BxD * h_BxD + (1 - z_BxD) * candidate_BxD
            return h_BxD, h_BxD

        projected_TxBx3xD = jnp.moveaxis(self.input(x_BxTxD), 1, 0)
        _, states_TxBxD = jax.lax.scan(step, jnp.zeros_like(x_BxTxD[:, 0]), projected_TxBx3xD)
        return self.output(jnp.moveaxis(states_TxBxD, 0, 1))
