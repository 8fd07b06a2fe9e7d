"""Full attention inside a frame, in the form that is fastest on this process's backend."""

import math
from typing import Literal

import jax
import jax.numpy as jnp


def attention(query_FxNxMxA: jax.Array, key_FxNxMxA: jax.Array, value_FxNxMxA: jax.Array) -> jax.Array:
    """Softmax(q k^T / sqrt(A)) v within each of F frames and M heads of width A, over all N cells, unmasked.

    On a GPU this is cuDNN's kernel where that applies (bfloat16, compute capability 8, A a multiple of 8), else XLA's.
    In a process without a GPU or TPU it is `_one_by_one`, which also is what is then lowered for another platform.
    """
    if jax.default_backend() == "cpu":
        return _one_by_one(query_FxNxMxA, key_FxNxMxA, value_FxNxMxA)
    implementation: Literal["cudnn", "xla"] = "cudnn" if _cudnn_applies(query_FxNxMxA) else "xla"
    return jax.nn.dot_product_attention(query_FxNxMxA, key_FxNxMxA, value_FxNxMxA, implementation=implementation)


def _cudnn_applies(query_FxNxMxA: jax.Array) -> bool:
    if jax.default_backend() != "gpu" or query_FxNxMxA.dtype != jnp.bfloat16 or query_FxNxMxA.shape[-1] % 8:
        return False
    return float(jax.devices()[0].compute_capability) >= 8


def _one_by_one(query_FxNxMxA: jax.Array, key_FxNxMxA: jax.Array, value_FxNxMxA: jax.Array) -> jax.Array:
    """Attend one head of one frame after the other, its weights recomputed in the backward pass.

    So one N x N matrix at a time is alive, and it may fit the cache. Keys and values are laid out as [A, N]: with
    [N, A] their gradients would read that matrix by columns, several times slower on a CPU.
    """
    frames, cells, heads, width = query_FxNxMxA.shape
    query_JxNxA = jnp.moveaxis(query_FxNxMxA, 2, 1).reshape(frames * heads, cells, width)
    key_JxAxN, value_JxAxN = (
        jnp.moveaxis(x, 1, 3).reshape(frames * heads, width, cells) for x in (key_FxNxMxA, value_FxNxMxA)
    )
    attended_JxNxA = jax.lax.map(_attend, (query_JxNxA, key_JxAxN, value_JxAxN))
    return jnp.moveaxis(attended_JxNxA.reshape(frames, heads, cells, width), 1, 2)


@jax.checkpoint
def _attend(head: tuple[jax.Array, jax.Array, jax.Array]) -> jax.Array:
    query_NxA, key_AxN, value_AxN = head
    wide = jnp.promote_types(query_NxA.dtype, jnp.float32)
    query_NxA = query_NxA * (1 / math.sqrt(query_NxA.shape[-1]))
    scores_NxN = jnp.matmul(query_NxA, key_AxN, preferred_element_type=wide)
    # Softmax does not depend on what is subtracted, so neither does its gradient.
    weights_NxN = jnp.exp(scores_NxN - jax.lax.stop_gradient(scores_NxN.max(axis=1, keepdims=True)))
    weighted_NxA = jnp.matmul(weights_NxN.astype(value_AxN.dtype), value_AxN.T, preferred_element_type=wide)
    return (weighted_NxA / weights_NxN.sum(axis=1, keepdims=True)).astype(value_AxN.dtype)
