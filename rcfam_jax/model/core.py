"""The core: the main sequence model, a residual stack over the frames' embeddings (section 10)."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from rcfam_jax.model.attention_core import AttentionLayer
from rcfam_jax.model.layers import Mlp, linear, norm
from rcfam_jax.model.lstm import LSTM, LSTMState

Carry = tuple[Any, ...]
"""What the model remembers of the frames so far: for each layer of the core an `LSTMState`, or () of attention."""


class LSTMLayer(nnx.Module):
    """x + W_o LSTM(RMSNorm(x)), then the MLP."""

    def __init__(self, config: Any, *, rngs: nnx.Rngs):
        width = config.core_width
        self.norm = norm(config, width, rngs)
        self.lstm = LSTM(config, width, width, rngs=rngs)
        self.output = linear(config, width, width, rngs)
        self.mlp = Mlp(config, width, rngs=rngs)

    def initial_state(self, batch: int) -> LSTMState:
        """The LSTM's learned state, once for each of `batch` windows."""
        return self.lstm.initial_state(batch)

    def __call__(self, x_BxKxH: jax.Array, state: LSTMState) -> tuple[jax.Array, LSTMState]:
        """Advance over K steps; the state is the LSTM's."""
        outputs_BxKxH, state = self.lstm(self.norm(x_BxKxH), state)
        return self.mlp(x_BxKxH + self.output(outputs_BxKxH)), state


class Core(nnx.Module):
    """Projection to the core's width where it differs from the frame head's, L layers, norm and logits."""

    def __init__(self, config: Any, *, rngs: nnx.Rngs):
        same_width = config.core_width == config.frame_width
        layer: type[LSTMLayer] | type[AttentionLayer] = AttentionLayer if config.core == "attention" else LSTMLayer
        self.projection = None if same_width else linear(config, config.frame_width, config.core_width, rngs)
        self.layers = nnx.List([layer(config, rngs=rngs) for _ in range(config.core_layers)])
        self.norm = norm(config, config.core_width, rngs)
        self.logits = linear(config, config.core_width, config.vocabulary_size, rngs)

    def initial_carry(self, batch: int) -> Carry:
        """The states that a window starts from."""
        return tuple(layer.initial_state(batch) for layer in self.layers)

    def __call__(self, carry: Carry, embeddings_BxKxD: jax.Array) -> tuple[Carry, jax.Array]:
        """Advance over K frames, layer by layer; returns the states after them and logits_BxKxV in float32 or wider."""
        x_BxKxH = embeddings_BxKxD if self.projection is None else self.projection(embeddings_BxKxD)
        states = []
        for layer, state in zip(self.layers, carry, strict=True):
            x_BxKxH, state = layer(x_BxKxH, state)
            states.append(state)
        logits_BxKxV = self.logits(self.norm(x_BxKxH))
        return tuple(states), logits_BxKxV.astype(jnp.promote_types(logits_BxKxV.dtype, jnp.float32))
