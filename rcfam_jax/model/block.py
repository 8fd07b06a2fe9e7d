"""An attention block, of the frame head over a frame's cells and of the attention core over a window's frames."""

from collections.abc import Callable
from typing import Any

import jax
from flax import nnx

from rcfam_jax.model.layers import Mlp, linear, norm


class Block(nnx.Module):
    """x + W_o attention(RMSNorm(x)), then the MLP."""

    def __init__(self, config: Any, width: int, attention: Callable[..., jax.Array], *, rngs: nnx.Rngs):
        """`attention` is given queries, keys and values [F, N, heads, width of a head]."""
        self.attention = attention
        self.num_heads = config.num_heads
        self.norm = norm(config, width, rngs)
        self.query_key_value = linear(config, width, (3, width), rngs)
        self.output = linear(config, width, width, rngs)
        self.mlp = Mlp(config, width, rngs=rngs)

    def __call__(self, x_FxNxD: jax.Array) -> jax.Array:
        """Map F sequences of N to the same shape."""
        frames, cells, width = x_FxNxD.shape
        # As one matrix, as in the MLP.
        x_FNxD = x_FxNxD.reshape(-1, width)
        qkv_FNx3xD = self.query_key_value(self.norm(x_FNxD))
        qkv_FxNx3xMxA = qkv_FNx3xD.reshape(frames, cells, 3, self.num_heads, width // self.num_heads)
        attended_FxNxMxA = self.attention(*(qkv_FxNx3xMxA[:, :, part] for part in range(3)))
        x_FNxD = x_FNxD + self.output(attended_FxNxMxA.reshape(-1, width))
        return self.mlp(x_FNxD).reshape(x_FxNxD.shape)
