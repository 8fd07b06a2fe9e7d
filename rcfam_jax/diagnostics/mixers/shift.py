"""Sequences seen from later steps."""

import jax
import jax.numpy as jnp


def delayed(x_BxTxD: jax.Array, steps: int, *, before: float = 0.0) -> jax.Array:
    """What was at each place `steps` steps before; `before` where that is before the start."""
    padded = jnp.pad(x_BxTxD, ((0, 0), (steps, 0), (0, 0)), constant_values=before)
    return padded[:, : x_BxTxD.shape[1]]
