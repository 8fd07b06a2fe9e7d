"""The model around a mixer: embedded tokens, residual blocks, outputs; the same for every mixer."""

import jax
from flax import nnx

from rcfam_jax.diagnostics.mixers import MIXERS, MixerConfig
from rcfam_jax.model.layers import Mlp, linear, norm


class Block(nnx.Module):
    """x + Mixer(RMSNorm(x)), then the MLP."""

    def __init__(self, mixer: str, config: MixerConfig, *, rngs: nnx.Rngs):
        self.norm = norm(config, config.width, rngs)
        self.mixer = MIXERS[mixer](config, rngs=rngs)
        self.mlp = Mlp(config, config.width, rngs=rngs)

    def __call__(self, x_BxTxD: jax.Array) -> jax.Array:
        """Mix along T, then each place by itself."""
        return self.mlp(x_BxTxD + self.mixer(self.norm(x_BxTxD)))


class Stack(nnx.Module):
    """An embedding of tokens, L blocks, RMSNorm, and a linear head."""

    def __init__(
        self, mixer: str, config: MixerConfig, *, layers: int, vocabulary_size: int, outputs: int, rngs: nnx.Rngs
    ):
        """`mixer` is a key of `MIXERS`; `outputs` the numbers that are wanted at every place."""
        self.embedding = nnx.Param(
            jax.random.normal(rngs.params(), (vocabulary_size, config.width), config.param_dtype)
        )
        self.blocks = nnx.List([Block(mixer, config, rngs=rngs) for _ in range(layers)])
        self.norm = norm(config, config.width, rngs)
        self.head = linear(config, config.width, outputs, rngs)

    def __call__(self, tokens_BxT: jax.Array) -> jax.Array:
        """Read tokens; returns outputs_BxTxO."""
        x_BxTxD = self.embedding[...][tokens_BxT]
        for block in self.blocks:
            x_BxTxD = block(x_BxTxD)
        return self.head(self.norm(x_BxTxD))
