"""The core that the paper compares with (appendix E): causal attention over the frames' embeddings.

It aggregates the past by weighting it and carries no memory, so that a window has to be given whole. Positions are
rotary (Su et al., 2021) where the paper learns them: so there is no longest window.
"""

import math
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from rcfam_jax.model.block import Block

ROTARY_BASE = 10_000
"""The pairs of a head's channels turn by 1 down to nearly 1 / ROTARY_BASE radians a step."""


def rotate(x_BxTxMxA: jax.Array) -> jax.Array:
    """Turn channels j and j + A/2 of step t, together a point of a plane, by t ROTARY_BASE^(-2j/A) radians.

    Then the product of a query and a key depends on how far apart they are, not on where.
    """
    steps, half = x_BxTxMxA.shape[1], x_BxTxMxA.shape[3] // 2
    wide = jnp.promote_types(x_BxTxMxA.dtype, jnp.float32)
    speed = ROTARY_BASE ** (-jnp.arange(half, dtype=wide) / half)
    angle_Tx1xP = (jnp.arange(steps, dtype=wide)[:, None] * speed)[:, None]
    cos, sin = jnp.cos(angle_Tx1xP), jnp.sin(angle_Tx1xP)
    first, second = x_BxTxMxA[..., :half], x_BxTxMxA[..., half:]
    return jnp.concatenate([first * cos - second * sin, second * cos + first * sin], axis=-1).astype(x_BxTxMxA.dtype)


def rotary_causal_attention(query_BxTxMxA: jax.Array, key_BxTxMxA: jax.Array, value_BxTxMxA: jax.Array) -> jax.Array:
    """Softmax(q k^T / sqrt(A)) v of rotated q and k within each head; a step sees itself and those before it."""
    steps, width = query_BxTxMxA.shape[1], query_BxTxMxA.shape[3]
    wide = jnp.promote_types(query_BxTxMxA.dtype, jnp.float32)
    scores_BxMxTxS = jnp.einsum(
        "btma,bsma->bmts", rotate(query_BxTxMxA), rotate(key_BxTxMxA), preferred_element_type=wide
    )
    seen_TxS = jnp.tril(jnp.ones((steps, steps), bool))
    weights_BxMxTxS = jax.nn.softmax(jnp.where(seen_TxS, scores_BxMxTxS / math.sqrt(width), -jnp.inf))
    return jnp.einsum("bmts,bsma->btma", weights_BxMxTxS.astype(value_BxTxMxA.dtype), value_BxTxMxA)


class AttentionLayer(nnx.Module):
    """A block over time, to be used as a layer of the core that remembers nothing."""

    def __init__(self, config: Any, *, rngs: nnx.Rngs):
        self.block = Block(config, config.core_width, rotary_causal_attention, rngs=rngs)

    def initial_state(self, batch: int) -> tuple[()]:
        """Nothing."""
        del batch
        return ()

    def __call__(self, x_BxTxH: jax.Array, state: tuple[()]) -> tuple[jax.Array, tuple[()]]:
        """Map windows, from their first step on."""
        return self.block(x_BxTxH), state
