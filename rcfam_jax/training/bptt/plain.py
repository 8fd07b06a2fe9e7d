"""Backpropagation through time by ordinary automatic differentiation: all activations of a window stay on the device.

The reference for the other ways, and the fastest where it fits.
"""

from typing import Any

from flax import nnx

from rcfam_jax.training.metrics import TokenScores, score_tokens
from rcfam_jax.training.windows import Batch


def token_scores(graphdef: Any, params: Any, batch: Batch, config: Any) -> TokenScores:
    """Run the model over a batch of windows; `config` is the section `bptt`."""
    del config
    model = nnx.merge(graphdef, params)
    _, logits_BxTxV = model(batch["codepoints"], batch["styles"])
    return score_tokens(logits_BxTxV, batch["tokens"])
