"""Backpropagation through time in chunks of K frames inside one computation (paper, section 10.3).

A scan over chunks saves only two things a chunk: the core's state on entry, and the frames' embeddings. Both can go to
the host's memory. All else is computed again in the backward pass, one group of frame heads at a time: each head goes
forward twice and backward once. The frames themselves are read where they lie.
"""

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jax.ad_checkpoint import checkpoint_name

from rcfam_jax.model.action_model import Carry
from rcfam_jax.training.bptt.carry import carry_on_entry
from rcfam_jax.training.bptt.frame_heads import embed
from rcfam_jax.training.metrics import TokenScores, score_tokens
from rcfam_jax.training.windows import Batch

SAVED = ["carry", "embeddings"]
"""Names of what a chunk's forward pass leaves for its backward pass."""


def token_scores(graphdef: Any, params: Any, batch: Batch, config: Any) -> tuple[Carry, TokenScores]:
    """Run the model over a batch of windows; `config` is the section `bptt`. Returns the carry after them, too.

    A window that K does not divide is lengthened with empty frames. They come last, so nothing but that carry depends
    on them.
    """
    batch_size, window = batch["tokens"].shape
    padded = {name: _pad_time(batch[name], -window % config.chunk) for name in ("codepoints", "styles", "tokens")}

    def advance_chunk(params: Any, carry: Carry, start: jax.Array) -> tuple[Carry, TokenScores]:
        carry = checkpoint_name(carry, "carry")
        model = nnx.merge(graphdef, params)
        chunk = {
            name: jax.lax.dynamic_slice_in_dim(array, start, config.chunk, axis=1) for name, array in padded.items()
        }
        embeddings_BxKxD = embed(model, chunk["codepoints"], chunk["styles"], config.head_steps)
        carry, logits_BxKxV = model.advance(carry, checkpoint_name(embeddings_BxKxD, "embeddings"))
        return carry, score_tokens(logits_BxKxV, chunk["tokens"])

    advance_chunk = jax.checkpoint(advance_chunk, policy=_policy(config), prevent_cse=False)
    model = nnx.merge(graphdef, params)
    carry = carry_on_entry(model, batch_size, batch.get("carry"), batch.get("continues"))
    starts = jnp.arange(0, window, config.chunk)
    carry, chunk_scores = jax.lax.scan(lambda carry, start: advance_chunk(params, carry, start), carry, starts)
    scores = (jnp.moveaxis(score, 0, 1).reshape(batch_size, -1)[:, :window] for score in chunk_scores)
    return carry, TokenScores(*scores)


def _pad_time(array_BxT: jax.Array, missing: int) -> jax.Array:
    return jnp.pad(array_BxT, [(0, 0), (0, missing)] + [(0, 0)] * (array_BxT.ndim - 2)) if missing else array_BxT


def _policy(config: Any) -> Any:
    if not config.offload:
        return jax.checkpoint_policies.save_only_these_names(*SAVED)
    return jax.checkpoint_policies.save_and_offload_only_these_names(
        names_which_can_be_saved=[],
        names_which_can_be_offloaded=SAVED,
        offload_src="device",
        offload_dst="pinned_host",
    )
