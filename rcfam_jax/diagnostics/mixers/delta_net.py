"""DeltaNet: Yang et al., "Parallelizing Linear Transformers with the Delta Rule over Sequence Length" (2024)."""

import jax
import jax.numpy as jnp
from flax import nnx

from rcfam_jax.diagnostics.mixers import affine
from rcfam_jax.diagnostics.mixers.config import MixerConfig
from rcfam_jax.diagnostics.mixers.projection import heads_projection, joined, projection
from rcfam_jax.model.layers import norm


class DeltaNet(nnx.Module):
    """The delta rule (section 2.2) in the layer of section 3.3, without its optional short convolutions; then W_o.

    S_t = S_{t-1} (I - beta_t k_t k_t^T) + beta_t v_t k_t^T,    y_t = RMSNorm(S_t q_t),    beta_t = sigmoid(W_b x_t),

    where q, k and v are SiLU of projections, q and k of unit length (the SiLU of v is the authors' code's).
    """

    def __init__(self, config: MixerConfig, *, rngs: nnx.Rngs):
        self.form = config.form
        self.query, self.key, self.value = (heads_projection(config, rngs) for _ in range(3))
        self.rate = projection(config, config.width, config.heads, rngs)
        self.norm = norm(config, config.head_width, rngs)
        self.output = projection(config, config.width, config.width, rngs)

    def __call__(self, x_BxTxD: jax.Array) -> jax.Array:
        """Mix along T."""
        query_BxTxHxA, key_BxTxHxA, value_BxTxHxA = (
            jax.nn.silu(to(x_BxTxD)) for to in (self.query, self.key, self.value)
        )
        query_BxTxHxA, key_BxTxHxA = _unit(query_BxTxHxA), _unit(key_BxTxHxA)
        scaled_BxTxHxA = jax.nn.sigmoid(self.rate(x_BxTxD))[..., None] * key_BxTxHxA
        identity_AxA = jnp.eye(key_BxTxHxA.shape[-1], dtype=key_BxTxHxA.dtype)
        keep_BxTxHxAxA = identity_AxA - key_BxTxHxA[..., :, None] * scaled_BxTxHxA[..., None, :]
        written_BxTxHxAxA = value_BxTxHxA[..., :, None] * scaled_BxTxHxA[..., None, :]
        memory_BxTxHxAxA = affine.matrix(keep_BxTxHxAxA, written_BxTxHxAxA, self.form)
        read_BxTxHxA = jnp.einsum("bthvk,bthk->bthv", memory_BxTxHxAxA, query_BxTxHxA)
        return self.output(joined(self.norm(read_BxTxHxA)))


def _unit(x_BxTxHxA: jax.Array) -> jax.Array:
    """Vectors of length 1; the small constant keeps the gradient at zero finite."""
    return x_BxTxHxA * jax.lax.rsqrt(jnp.sum(x_BxTxHxA**2, axis=-1, keepdims=True) + 1e-6)
