"""RetNet: Sun et al., "Retentive Network: A Successor to Transformer for Large Language Models" (2023)."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from rcfam_jax.diagnostics.mixers import affine
from rcfam_jax.diagnostics.mixers.config import MixerConfig
from rcfam_jax.diagnostics.mixers.projection import heads_projection, joined, projection
from rcfam_jax.diagnostics.mixers.rotary import rotate


class Retention(nnx.Module):
    """Multi-scale retention, equation 8: (swish(W_g x) norm(retained)) W_o, the norm of each head by itself.

    In parallel (equation 5) a head is (Q K^T D) V, where D_ts = gamma^(t - s) for s <= t, else 0, and Q and K are
    turned by their position; step by step (equation 6), S_t = gamma S_{t-1} + k_t v_t^T, read by q_t. The decays are
    gamma = 1 - 2^-5, 1 - 2^-6, ... from head to head; the angles, which the paper leaves open, are RoFormer's. Left out
    are the scores' normalisations (section 2.2), which the norm undoes; its scale and shift are the same in all heads.
    """

    def __init__(self, config: MixerConfig, *, rngs: nnx.Rngs):
        self.form = config.form
        self.query, self.key, self.value, self.gate = (heads_projection(config, rngs) for _ in range(4))
        self.norm = nnx.LayerNorm(config.head_width, dtype=config.dtype, param_dtype=config.param_dtype, rngs=rngs)
        self.output = projection(config, config.width, config.width, rngs)

    def __call__(self, x_BxTxD: jax.Array) -> jax.Array:
        """Mix along T."""
        query_BxTxHxA, key_BxTxHxA = rotate(self.query(x_BxTxD)), rotate(self.key(x_BxTxD))
        evaluate = _masked if self.form == "parallel" else _step_by_step
        retained_BxTxHxA = evaluate(query_BxTxHxA, key_BxTxHxA, self.value(x_BxTxD))
        return self.output(joined(jax.nn.silu(self.gate(x_BxTxD)) * self.norm(retained_BxTxHxA)))


def _decays(heads: int) -> np.ndarray:
    return 1 - 2.0 ** (-5 - np.arange(heads))


def _masked(query_BxTxHxA: jax.Array, key_BxTxHxA: jax.Array, value_BxTxHxA: jax.Array) -> jax.Array:
    _, length, heads, _ = query_BxTxHxA.shape
    distance_TxT = np.subtract.outer(np.arange(length), np.arange(length))
    decay_HxTxT = np.tril(_decays(heads)[:, None, None] ** np.maximum(distance_TxT, 0)).astype(query_BxTxHxA.dtype)
    scores_BxHxTxT = jnp.einsum("btha,bsha->bhts", query_BxTxHxA, key_BxTxHxA) * decay_HxTxT
    return jnp.einsum("bhts,bsha->btha", scores_BxHxTxT, value_BxTxHxA)


def _step_by_step(query_BxTxHxA: jax.Array, key_BxTxHxA: jax.Array, value_BxTxHxA: jax.Array) -> jax.Array:
    written_BxTxHxKxV = key_BxTxHxA[..., :, None] * value_BxTxHxA[..., None, :]
    decay_Hx1x1 = _decays(query_BxTxHxA.shape[2]).astype(query_BxTxHxA.dtype)[:, None, None]
    decay_BxTxHxKxV = jnp.broadcast_to(decay_Hx1x1, written_BxTxHxKxV.shape)
    memory_BxTxHxKxV = affine.diagonal(decay_BxTxHxKxV, written_BxTxHxKxV, "recurrent")
    return jnp.einsum("bthk,bthkv->bthv", query_BxTxHxA, memory_BxTxHxKxV)
