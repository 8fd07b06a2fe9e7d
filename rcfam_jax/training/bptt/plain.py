"""Backpropagation through time by ordinary automatic differentiation: all activations of a window stay on the device.

The reference for the other ways, and the fastest where it fits.
"""

from typing import Any

from flax import nnx

from rcfam_jax.model.action_model import Carry
from rcfam_jax.training.bptt.carry import carry_on_entry
from rcfam_jax.training.metrics import TokenScores, score_tokens
from rcfam_jax.training.windows import Batch


def token_scores(graphdef: Any, params: Any, batch: Batch, config: Any) -> tuple[Carry, TokenScores]:
    """Run the model over a batch of windows; `config` is the section `bptt`. Returns the carry after them, too."""
    del config
    model = nnx.merge(graphdef, params)
    carry = None
    if "carry" in batch:
        carry = carry_on_entry(model, len(batch["tokens"]), batch["carry"], batch.get("continues"))
    carry, logits_BxTxV = model(batch["codepoints"], batch["styles"], carry)
    return carry, score_tokens(logits_BxTxV, batch["tokens"])
