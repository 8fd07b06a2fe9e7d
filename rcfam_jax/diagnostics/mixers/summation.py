"""The sum of what has been seen: the simplest aggregation of inputs (paper, section 8.1.3)."""

import jax
import jax.numpy as jnp
from flax import nnx

from rcfam_jax.diagnostics.mixers.config import MixerConfig
from rcfam_jax.diagnostics.mixers.projection import projection


class Sum(nnx.Module):
    """y_t = W_o (x_1 + ... + x_t)."""

    def __init__(self, config: MixerConfig, *, rngs: nnx.Rngs):
        self.output = projection(config, config.width, config.width, rngs)

    def __call__(self, x_BxTxD: jax.Array) -> jax.Array:
        """Mix along T."""
        return self.output(jnp.cumsum(x_BxTxD, axis=1))
