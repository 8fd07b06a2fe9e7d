"""Rotary positions: Su et al., "RoFormer" (2021), equations 14, 15 and 34."""

import jax
import jax.numpy as jnp
import numpy as np


def rotate(x_BxTxHxA: jax.Array) -> jax.Array:
    """Turn the pair (2i, 2i + 1) of each head at place t by the angle t * 10000^(-2i / A).

    The product of a query and a key that are turned depends on how far apart they are only.
    """
    length, width = x_BxTxHxA.shape[1], x_BxTxHxA.shape[-1]
    angle_TxP = np.arange(length)[:, None] * 10000.0 ** (-np.arange(0, width, 2) / width)
    cos_Tx1xP, sin_Tx1xP = (turn(angle_TxP)[:, None].astype(x_BxTxHxA.dtype) for turn in (np.cos, np.sin))
    even, odd = x_BxTxHxA[..., ::2], x_BxTxHxA[..., 1::2]
    turned = even * cos_Tx1xP - odd * sin_Tx1xP, even * sin_Tx1xP + odd * cos_Tx1xP
    return jnp.stack(turned, axis=-1).reshape(x_BxTxHxA.shape)
