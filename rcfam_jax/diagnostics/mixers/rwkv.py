"""RWKV-4's time mixing: Peng et al., "RWKV: Reinventing RNNs for the Transformer Era" (2023)."""

import math

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from rcfam_jax.diagnostics.mixers import affine
from rcfam_jax.diagnostics.mixers.config import MixerConfig
from rcfam_jax.diagnostics.mixers.projection import projection
from rcfam_jax.diagnostics.mixers.shift import delayed


class RWKV(nnx.Module):
    """Sections 3.1.1 to 3.1.3: W_o (sigmoid(r) wkv); r, k and v are projections of the input blended with the last one.

    wkv_t = (sum over s < t of exp(-(t - 1 - s) w + k_s) v_s + exp(u + k_t) v_t) / (the same without v)

    in each channel, with w > 0 and u learned. mu, log w and u start as appendix E starts those of a first layer;
    the projections start as everywhere here, where it has zeros for all but W_o.
    """

    def __init__(self, config: MixerConfig, *, rngs: nnx.Rngs):
        self.form = config.form
        width = config.width
        channel_D = np.arange(width)
        share_D = channel_D / width
        self.blend = nnx.Param(jnp.asarray(np.stack([share_D / 2, share_D, share_D]), config.param_dtype))
        self.receptance, self.key, self.value = (projection(config, width, width, rngs) for _ in range(3))
        self.log_decay = nnx.Param(jnp.asarray(-5 + 8 * (channel_D / (width - 1)) ** 0.7, config.param_dtype))
        self.bonus = nnx.Param(jnp.asarray(math.log(0.3) + ((channel_D + 1) % 3 - 1) / 2, config.param_dtype))
        self.output = projection(config, width, width, rngs)

    def __call__(self, x_BxTxD: jax.Array) -> jax.Array:
        """Mix along T."""
        before_BxTxD = delayed(x_BxTxD, 1)
        r_BxTxD, k_BxTxD, v_BxTxD = (
            to(mu_D * x_BxTxD + (1 - mu_D) * before_BxTxD)
            for mu_D, to in zip(self.blend[...], (self.receptance, self.key, self.value), strict=True)
        )
        mixed_BxTxD = _wkv(jnp.exp(self.log_decay[...]), self.bonus[...], k_BxTxD, v_BxTxD, self.form)
        return self.output(jax.nn.sigmoid(r_BxTxD) * mixed_BxTxD)


def _wkv(w_D: jax.Array, u_D: jax.Array, k_BxTxD: jax.Array, v_BxTxD: jax.Array, form: affine.Form) -> jax.Array:
    """See `RWKV`; the sums are kept divided by the exponential of their largest term's exponent m, as in appendix D."""
    # m_t = max(m_{t-1} - w, k_t), the largest of k_s - (t - s) w. What is computed does not depend on it, so neither
    # does its gradient.
    age_TxD = jnp.arange(k_BxTxD.shape[1], dtype=k_BxTxD.dtype)[:, None] * jax.lax.stop_gradient(w_D)
    m_BxTxD = jax.lax.cummax(jax.lax.stop_gradient(k_BxTxD) + age_TxD, axis=1) - age_TxD
    before_BxTxD = delayed(m_BxTxD, 1, before=-math.inf)
    decay_BxTxD, write_BxTxD = jnp.exp(before_BxTxD - w_D - m_BxTxD), jnp.exp(k_BxTxD - m_BxTxD)
    weighted_BxTxD = delayed(affine.diagonal(decay_BxTxD, write_BxTxD * v_BxTxD, form), 1)
    weights_BxTxD = delayed(affine.diagonal(decay_BxTxD, write_BxTxD, form), 1)
    largest_BxTxD = jax.lax.stop_gradient(jnp.maximum(before_BxTxD, u_D + k_BxTxD))
    past_BxTxD, now_BxTxD = jnp.exp(before_BxTxD - largest_BxTxD), jnp.exp(u_D + k_BxTxD - largest_BxTxD)
    return (past_BxTxD * weighted_BxTxD + now_BxTxD * v_BxTxD) / (past_BxTxD * weights_BxTxD + now_BxTxD)
