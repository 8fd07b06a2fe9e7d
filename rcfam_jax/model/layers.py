"""What the frame head and the core share: linear maps, norms and MLPs, and how they are initialised."""

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jax.nn.initializers import Initializer

MLP_EXPANSION = 4


def uniform(fan_in: int) -> Initializer:
    """The initialiser of every weight and bias: uniform between -1/sqrt(fan_in) and 1/sqrt(fan_in)."""
    bound = 1 / math.sqrt(fan_in)

    def init(key: jax.Array, shape: Sequence[int], dtype: Any = jnp.float32, out_sharding: Any = None) -> jax.Array:
        return jax.random.uniform(key, shape, dtype, -bound, bound, out_sharding=out_sharding)

    return init


def linear(config: Any, inputs: int, outputs: int | tuple[int, ...], rngs: nnx.Rngs) -> nnx.LinearGeneral:
    """A map with bias from the last axis, of `inputs`, to `outputs`; several axes where that is a tuple."""
    return nnx.LinearGeneral(
        inputs,
        outputs,
        dtype=config.dtype,
        param_dtype=config.param_dtype,
        kernel_init=uniform(inputs),
        bias_init=uniform(inputs),
        rngs=rngs,
    )


def norm(config: Any, width: int, rngs: nnx.Rngs) -> nnx.RMSNorm:
    """RMSNorm of the last axis with a learned scale."""
    return nnx.RMSNorm(width, dtype=config.dtype, param_dtype=config.param_dtype, rngs=rngs)


class Mlp(nnx.Module):
    """x + W_2 GELU(W_1 RMSNorm(x)), four times as wide inside."""

    def __init__(self, config: Any, width: int, *, rngs: nnx.Rngs):
        self.norm = norm(config, width, rngs)
        self.expand = linear(config, width, MLP_EXPANSION * width, rngs)
        self.contract = linear(config, MLP_EXPANSION * width, width, rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Map x of shape [..., width] to the same shape."""
        # As one matrix: with more axes, XLA takes longer over the gradients of the weights.
        rows = x.reshape(-1, x.shape[-1])
        return (rows + self.contract(jax.nn.gelu(self.expand(self.norm(rows))))).reshape(x.shape)
