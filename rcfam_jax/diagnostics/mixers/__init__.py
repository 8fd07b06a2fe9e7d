"""Sequence mixers: modules of (config, rngs) that map x_BxTxD to y_BxTxD, causally."""

from collections.abc import Callable

from flax import nnx

from rcfam_jax.diagnostics.mixers.attention import Attention
from rcfam_jax.diagnostics.mixers.config import MixerConfig
from rcfam_jax.diagnostics.mixers.delta_net import DeltaNet
from rcfam_jax.diagnostics.mixers.gated_linear_attention import GatedLinearAttention
from rcfam_jax.diagnostics.mixers.gru import GRU
from rcfam_jax.diagnostics.mixers.linear_attention import LinearAttention
from rcfam_jax.diagnostics.mixers.lru import LRU
from rcfam_jax.diagnostics.mixers.lstm import LSTM
from rcfam_jax.diagnostics.mixers.mamba import Mamba
from rcfam_jax.diagnostics.mixers.min_gru import MinGRU
from rcfam_jax.diagnostics.mixers.min_lstm import MinLSTM
from rcfam_jax.diagnostics.mixers.retention import Retention
from rcfam_jax.diagnostics.mixers.rwkv import RWKV
from rcfam_jax.diagnostics.mixers.s4d import S4D
from rcfam_jax.diagnostics.mixers.slstm import SLSTM
from rcfam_jax.diagnostics.mixers.summation import Sum

__all__ = ["MIXERS", "MixerConfig"]

MIXERS: dict[str, Callable[..., nnx.Module]] = {
    "lstm": LSTM,
    "gru": GRU,
    "slstm": SLSTM,
    "transformer": Attention,
    "mamba": Mamba,
    "s4d": S4D,
    "lru": LRU,
    "min_lstm": MinLSTM,
    "min_gru": MinGRU,
    "linear_attention": LinearAttention,
    "retnet": Retention,
    "gla": GatedLinearAttention,
    "delta_net": DeltaNet,
    "rwkv": RWKV,
    "sum": Sum,
}
"""By the names that programs know them by."""
