"""The frame head: one frame of cells becomes one embedding (section 10.2)."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from data_gen.cells import style_channels
from rcfam_jax.model.attention import attention
from rcfam_jax.model.block import Block
from rcfam_jax.model.lstm import LSTM


class CellEmbedding(nnx.Module):
    """A cell's vector: its codepoint's, its place's, and those of six colour channels scaled by their values (0 to 1).

    A style's colours are summed once per style, not per cell.
    """

    def __init__(self, config: Any, *, rngs: nnx.Rngs):
        def normal_param(*shape: int) -> nnx.Param:
            return nnx.Param(jax.random.normal(rngs.params(), shape, config.param_dtype))

        self.dtype = config.dtype
        self.codepoint = normal_param(config.max_codepoint + 1, config.frame_width)
        self.position = normal_param(config.rows * config.columns, config.frame_width)
        self.channel = normal_param(6, config.frame_width)

    def __call__(self, codepoints_FxRxC: jax.Array, styles_FxRxC: jax.Array) -> jax.Array:
        """Embed frames as cells_FxNxD, row after row."""
        frames = len(codepoints_FxRxC)
        codepoints_FxN = jnp.minimum(codepoints_FxRxC, self.codepoint.shape[0] - 1).reshape(frames, -1)
        styles_FxN = styles_FxRxC.reshape(frames, -1)
        styles_256xD = jnp.asarray(style_channels() / 255, self.channel.dtype) @ self.channel[...]
        cells_FxNxD = self.codepoint[...][codepoints_FxN] + styles_256xD[styles_FxN] + self.position[...]
        return cells_FxNxD.astype(self.dtype)


def pool(x_FxNxD: jax.Array) -> jax.Array:
    """Halve a sequence: the mean of each pair of neighbours."""
    frames, cells, width = x_FxNxD.shape
    return x_FxNxD.reshape(frames, cells // 2, 2, width).mean(axis=2)


class FrameHead(nnx.Module):
    """Cells, P times (block, pooling), n blocks, and an LSTM whose last output is the frame's embedding."""

    def __init__(self, config: Any, *, rngs: nnx.Rngs):
        self.cells = CellEmbedding(config, rngs=rngs)
        self.stages = nnx.List([self._block(config, rngs) for _ in range(config.pooling_stages)])
        self.blocks = nnx.List([self._block(config, rngs) for _ in range(config.frame_blocks)])
        span = config.rows * config.columns // 2**config.pooling_stages
        self.reduction = LSTM(config, config.frame_width, config.frame_width, span=span, rngs=rngs)

    def __call__(self, codepoints_FxRxC: jax.Array, styles_FxRxC: jax.Array) -> jax.Array:
        """Embed F frames as embeddings_FxD."""
        x_FxNxD = self.cells(codepoints_FxRxC, styles_FxRxC)
        for block in self.stages:
            x_FxNxD = pool(block(x_FxNxD))
        for block in self.blocks:
            x_FxNxD = block(x_FxNxD)
        outputs_FxNxD, _ = self.reduction(x_FxNxD, self.reduction.initial_state(len(x_FxNxD)))
        return outputs_FxNxD[:, -1]

    @staticmethod
    def _block(config: Any, rngs: nnx.Rngs) -> Block:
        return Block(config, config.frame_width, attention, rngs=rngs)
