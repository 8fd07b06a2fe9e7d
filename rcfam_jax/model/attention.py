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
    attended_JxNxA = jax.lax.map(lambda head: _attend(*head), (query_JxNxA, key_JxAxN, value_JxAxN))
    return jnp.moveaxis(attended_JxNxA.reshape(frames, heads, cells, width), 1, 2)


@jax.custom_vjp
def _attend(query_NxA: jax.Array, key_AxN: jax.Array, value_AxN: jax.Array) -> jax.Array:
    return _attend_forward(query_NxA, key_AxN, value_AxN)[0]


def _attend_forward(query_NxA: jax.Array, key_AxN: jax.Array, value_AxN: jax.Array) -> tuple[jax.Array, tuple]:
    scores_NxN = _scores(query_NxA, key_AxN)
    greatest_Nx1 = scores_NxN.max(axis=1, keepdims=True)
    weights_NxN = jnp.exp(scores_NxN - greatest_Nx1)
    total_Nx1 = weights_NxN.sum(axis=1, keepdims=True)
    attended_NxA = (_product(weights_NxN.astype(value_AxN.dtype), value_AxN.T) / total_Nx1).astype(value_AxN.dtype)
    return attended_NxA, (query_NxA, key_AxN, value_AxN, attended_NxA, greatest_Nx1 + jnp.log(total_Nx1))


def _attend_backward(saved: tuple, d_attended_NxA: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """The weights are computed again, from the scores and the logarithms of their sums.

    The softmax's own share of its gradient is d_attended * attended, summed along A (Dao et al., FlashAttention, 2022).
    """
    query_NxA, key_AxN, value_AxN, attended_NxA, log_total_Nx1 = saved
    dtype = query_NxA.dtype
    weights_NxN = jnp.exp(_scores(query_NxA, key_AxN) - log_total_Nx1)
    d_weights_NxN = _product(d_attended_NxA, value_AxN)
    share_Nx1 = (d_attended_NxA.astype(weights_NxN.dtype) * attended_NxA).sum(axis=1, keepdims=True)
    d_scores_NxN = (weights_NxN * (d_weights_NxN - share_Nx1)).astype(dtype)
    d_query_NxA = _product(d_scores_NxN, key_AxN.T) * _scale(query_NxA)
    d_key_AxN = _product((query_NxA * _scale(query_NxA)).T, d_scores_NxN)
    d_value_AxN = _product(d_attended_NxA.T, weights_NxN.astype(dtype))
    return d_query_NxA.astype(dtype), d_key_AxN.astype(dtype), d_value_AxN.astype(dtype)


_attend.defvjp(_attend_forward, _attend_backward)


def _scores(query_NxA: jax.Array, key_AxN: jax.Array) -> jax.Array:
    return _product(query_NxA * _scale(query_NxA), key_AxN)


def _scale(query_NxA: jax.Array) -> float:
    return 1 / math.sqrt(query_NxA.shape[-1])


def _product(left: jax.Array, right: jax.Array) -> jax.Array:
    """Accumulated in float32 or wider."""
    return jnp.matmul(left, right, preferred_element_type=jnp.promote_types(left.dtype, jnp.float32))
