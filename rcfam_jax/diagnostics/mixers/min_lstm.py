"""minLSTM: Feng et al., "Were RNNs All We Needed?" (2024), section 3.2."""

import jax
from flax import nnx

from rcfam_jax.diagnostics.mixers import affine
from rcfam_jax.diagnostics.mixers.config import MixerConfig
from rcfam_jax.diagnostics.mixers.projection import projection
from rcfam_jax.model.layers import linear


class MinLSTM(nnx.Module):
    """An LSTM whose gates do not see the state and share out one unit between keeping and writing, then W_o.

    h' = f / (f + i) h + i / (f + i) W x,    f = sigmoid(W_f x),    i = sigmoid(W_i x).
    """

    def __init__(self, config: MixerConfig, *, rngs: nnx.Rngs):
        self.form = config.form
        self.forget, self.write, self.candidate = (linear(config, config.width, config.width, rngs) for _ in range(3))
        self.output = projection(config, config.width, config.width, rngs)

    def __call__(self, x_BxTxD: jax.Array) -> jax.Array:
        """Mix along T."""
        f_BxTxD, i_BxTxD = jax.nn.sigmoid(self.forget(x_BxTxD)), jax.nn.sigmoid(self.write(x_BxTxD))
        both_BxTxD = f_BxTxD + i_BxTxD
        written_BxTxD = i_BxTxD / both_BxTxD * self.candidate(x_BxTxD)
        return self.output(affine.diagonal(f_BxTxD / both_BxTxD, written_BxTxD, self.form))
