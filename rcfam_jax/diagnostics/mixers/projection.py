"""Linear maps without a bias, and parameters of a given start."""

import math
from typing import Any

import jax
from flax import nnx

from rcfam_jax.model.layers import uniform


def projection(config: Any, inputs: int, outputs: int | tuple[int, ...], rngs: nnx.Rngs) -> nnx.LinearGeneral:
    """A map without bias from the last axis, of `inputs`, to `outputs`; several axes where that is a tuple."""
    return nnx.LinearGeneral(
        inputs,
        outputs,
        use_bias=False,
        dtype=config.dtype,
        param_dtype=config.param_dtype,
        kernel_init=uniform(inputs),
        rngs=rngs,
    )


def heads_projection(config: Any, rngs: nnx.Rngs) -> nnx.LinearGeneral:
    """A map without bias to H heads of width A: [..., D] to [..., H, A]."""
    return projection(config, config.width, (config.heads, config.head_width), rngs)


def joined(x_BxTxHxA: jax.Array) -> jax.Array:
    """The heads side by side, [B, T, H * A]."""
    return x_BxTxHxA.reshape(*x_BxTxHxA.shape[:2], math.prod(x_BxTxHxA.shape[2:]))
