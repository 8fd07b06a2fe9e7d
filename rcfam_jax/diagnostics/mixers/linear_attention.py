"""Linear attention: Katharopoulos et al., "Transformers are RNNs" (2020)."""

import jax
import jax.numpy as jnp
from flax import nnx

from rcfam_jax.diagnostics.mixers import affine
from rcfam_jax.diagnostics.mixers.config import MixerConfig
from rcfam_jax.diagnostics.mixers.projection import heads_projection, joined, projection


class LinearAttention(nnx.Module):
    """Causal linear attention (section 3.3) in each head, with the features elu(x) + 1, then W_o.

    y_t = (sum over s <= t of (q_t . k_s) v_s) / (sum over s <= t of q_t . k_s), where q and k are features. In
    parallel that is a masked product; step by step the sums are states (section 3.4).
    """

    def __init__(self, config: MixerConfig, *, rngs: nnx.Rngs):
        self.form = config.form
        self.query, self.key, self.value = (heads_projection(config, rngs) for _ in range(3))
        self.output = projection(config, config.width, config.width, rngs)

    def __call__(self, x_BxTxD: jax.Array) -> jax.Array:
        """Mix along T."""
        query_BxTxHxA, key_BxTxHxA = (jax.nn.elu(to(x_BxTxD)) + 1 for to in (self.query, self.key))
        evaluate = _masked if self.form == "parallel" else _step_by_step
        return self.output(joined(evaluate(query_BxTxHxA, key_BxTxHxA, self.value(x_BxTxD))))


def _masked(query_BxTxHxA: jax.Array, key_BxTxHxA: jax.Array, value_BxTxHxA: jax.Array) -> jax.Array:
    scores_BxHxTxT = jnp.tril(jnp.einsum("btha,bsha->bhts", query_BxTxHxA, key_BxTxHxA))
    weighted_BxTxHxA = jnp.einsum("bhts,bsha->btha", scores_BxHxTxT, value_BxTxHxA)
    return weighted_BxTxHxA / jnp.moveaxis(scores_BxHxTxT.sum(axis=-1), 1, 2)[..., None]


def _step_by_step(query_BxTxHxA: jax.Array, key_BxTxHxA: jax.Array, value_BxTxHxA: jax.Array) -> jax.Array:
    written_BxTxHxKxV = key_BxTxHxA[..., :, None] * value_BxTxHxA[..., None, :]
    memory_BxTxHxKxV = affine.diagonal(jnp.ones_like(written_BxTxHxKxV), written_BxTxHxKxV, "recurrent")
    norm_BxTxHxK = affine.diagonal(jnp.ones_like(key_BxTxHxA), key_BxTxHxA, "recurrent")
    read_BxTxHxV = jnp.einsum("bthk,bthkv->bthv", query_BxTxHxA, memory_BxTxHxKxV)
    return read_BxTxHxV / jnp.einsum("bthk,bthk->bth", query_BxTxHxA, norm_BxTxHxK)[..., None]
