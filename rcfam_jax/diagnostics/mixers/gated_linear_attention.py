"""GLA: Yang et al., "Gated Linear Attention Transformers with Hardware-Efficient Training" (2024)."""

import jax
import jax.numpy as jnp
from flax import nnx

from rcfam_jax.diagnostics.mixers import affine
from rcfam_jax.diagnostics.mixers.config import MixerConfig
from rcfam_jax.diagnostics.mixers.projection import heads_projection, joined, projection
from rcfam_jax.model.layers import linear

_GATE_RANK = 16
_GATE_TEMPERATURE = 16


class GatedLinearAttention(nnx.Module):
    """Section 4.1's recurrence in section 4.4's layer; in each head keys are half as wide as values; then W_o.

    S_t = Diag(alpha_t) S_{t-1} + k_t v_t^T,    y_t = swish(W_r x_t + b_r) LayerNorm(S_t^T q_t),
    alpha_t = sigmoid(W_2 W_1 x_t + b)^(1/16), where W_1 leads to 16 dimensions.
    """

    def __init__(self, config: MixerConfig, *, rngs: nnx.Rngs):
        self.form = config.form
        keys = (config.heads, config.head_width // 2)
        self.query, self.key = (projection(config, config.width, keys, rngs) for _ in range(2))
        self.value = heads_projection(config, rngs)
        self.forget_rank = projection(config, config.width, _GATE_RANK, rngs)
        self.forget = linear(config, _GATE_RANK, keys, rngs)
        self.gate = linear(config, config.width, (config.heads, config.head_width), rngs)
        self.norm = nnx.LayerNorm(config.head_width, dtype=config.dtype, param_dtype=config.param_dtype, rngs=rngs)
        self.output = projection(config, config.width, config.width, rngs)

    def __call__(self, x_BxTxD: jax.Array) -> jax.Array:
        """Mix along T."""
        log_alpha_BxTxHxK = jax.nn.log_sigmoid(self.forget(self.forget_rank(x_BxTxD))) / _GATE_TEMPERATURE
        written_BxTxHxKxV = self.key(x_BxTxD)[..., :, None] * self.value(x_BxTxD)[..., None, :]
        memory_BxTxHxKxV = affine.diagonal(jnp.exp(log_alpha_BxTxHxK)[..., None], written_BxTxHxKxV, self.form)
        read_BxTxHxV = jnp.einsum("bthk,bthkv->bthv", self.query(x_BxTxD), memory_BxTxHxKxV)
        return self.output(joined(jax.nn.silu(self.gate(x_BxTxD)) * self.norm(read_BxTxHxV)))
