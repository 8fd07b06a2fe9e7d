"""LSTM: Hochreiter and Schmidhuber (1997), with the forget gate of Gers et al. (2000); recurrence-complete."""

import jax
from flax import nnx

from rcfam_jax.diagnostics.mixers.config import MixerConfig
from rcfam_jax.diagnostics.mixers.projection import projection
from rcfam_jax.model import lstm


class LSTM(nnx.Module):
    """The model's LSTM from its learned state, then W_o.

    Both squashing functions are tanh; nothing is added to the forget gate's bias at the start.
    """

    def __init__(self, config: MixerConfig, *, rngs: nnx.Rngs):
        self.cell = lstm.LSTM(config, config.width, config.width, rngs=rngs)
        self.output = projection(config, config.width, config.width, rngs)

    def __call__(self, x_BxTxD: jax.Array) -> jax.Array:
        """Mix along T."""
        outputs_BxTxD, _ = self.cell(x_BxTxD, self.cell.initial_state(x_BxTxD.shape[0]))
        return self.output(outputs_BxTxD)
