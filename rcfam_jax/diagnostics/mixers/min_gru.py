"""minGRU: Feng et al., "Were RNNs All We Needed?" (2024), section 3.1."""

import jax
from flax import nnx

from rcfam_jax.diagnostics.mixers import affine
from rcfam_jax.diagnostics.mixers.config import MixerConfig
from rcfam_jax.diagnostics.mixers.projection import projection
from rcfam_jax.model.layers import linear


class MinGRU(nnx.Module):
    """A GRU whose gate and candidate do not see the state, h' = (1 - z) h + z W x with z = sigmoid(W_z x); then W_o."""

    def __init__(self, config: MixerConfig, *, rngs: nnx.Rngs):
        self.form = config.form
        self.gate, self.candidate = (linear(config, config.width, config.width, rngs) for _ in range(2))
        self.output = projection(config, config.width, config.width, rngs)

    def __call__(self, x_BxTxD: jax.Array) -> jax.Array:
        """Mix along T."""
        z_BxTxD = jax.nn.sigmoid(self.gate(x_BxTxD))
        return self.output(affine.diagonal(1 - z_BxTxD, z_BxTxD * self.candidate(x_BxTxD), self.form))
