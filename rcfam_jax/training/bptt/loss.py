"""The loss of a batch and its exact gradient, in the way that the configuration names."""

from typing import Any

import jax

from data_gen.errors import UserError
from rcfam_jax.training.bptt import in_graph, plain
from rcfam_jax.training.metrics import TokenScores, masked_mean
from rcfam_jax.training.windows import Batch

MODES = {"plain": plain.token_scores, "in_graph": in_graph.token_scores}


def check_bptt(config: Any) -> None:
    """`UserError` if the section `bptt` cannot be followed."""
    if config.mode not in MODES:
        raise UserError(f"bptt.mode is {config.mode!r}: it must be one of {', '.join(MODES)}")
    if config.chunk % config.head_steps:
        raise UserError(f"bptt.head_steps is {config.head_steps}: it must divide bptt.chunk, which is {config.chunk}")


def token_scores(graphdef: Any, params: Any, batch: Batch, config: Any) -> TokenScores:
    """Score a batch's tokens; `config` is the section `bptt`, `graphdef` and `params` the two parts of the model."""
    return MODES[config.mode](graphdef, params, batch, config)


def loss_and_grad(graphdef: Any, params: Any, batch: Batch, config: Any) -> tuple[tuple[jax.Array, dict], Any]:
    """`(loss, measured), grads`: the mean cross-entropy of a batch's unmasked tokens, its gradient in `params`."""

    def loss(params: Any) -> tuple[jax.Array, dict]:
        scores = token_scores(graphdef, params, batch, config)
        mask_BxT = batch["mask"]
        measured = {"accuracy": masked_mean(scores.correct_BxT, mask_BxT), "tokens": mask_BxT.sum()}
        return masked_mean(scores.cross_entropy_BxT, mask_BxT), measured

    return jax.value_and_grad(loss, has_aux=True)(params)
