"""Causal softmax attention: Vaswani et al., "Attention Is All You Need" (2017), with rotary positions."""

import math

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from rcfam_jax.diagnostics.mixers.config import MixerConfig
from rcfam_jax.diagnostics.mixers.projection import heads_projection, joined, projection
from rcfam_jax.diagnostics.mixers.rotary import rotate


class Attention(nnx.Module):
    """Equation 1 in each head, masked: softmax(q k^T / sqrt(A)) v over what is not later, then W_o."""

    def __init__(self, config: MixerConfig, *, rngs: nnx.Rngs):
        self.query, self.key, self.value = (heads_projection(config, rngs) for _ in range(3))
        self.output = projection(config, config.width, config.width, rngs)

    def __call__(self, x_BxTxD: jax.Array) -> jax.Array:
        """Mix along T."""
        query_BxTxHxA, key_BxTxHxA = rotate(self.query(x_BxTxD)), rotate(self.key(x_BxTxD))
        scores_BxHxTxT = jnp.einsum("btha,bsha->bhts", query_BxTxHxA, key_BxTxHxA) / math.sqrt(query_BxTxHxA.shape[-1])
        seen_TxT = np.tri(x_BxTxD.shape[1], dtype=bool)
        weights_BxHxTxT = jax.nn.softmax(jnp.where(seen_TxT, scores_BxHxTxT, -jnp.inf))
        attended_BxTxHxA = jnp.einsum("bhts,bsha->btha", weights_BxHxTxT, self.value(x_BxTxD))
        return self.output(joined(attended_BxTxHxA))
