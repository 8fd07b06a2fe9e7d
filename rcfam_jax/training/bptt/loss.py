"""The loss of a batch and its exact gradient, in the way that the configuration names."""

from typing import Any

import jax

from data_gen.errors import UserError
from rcfam_jax.model.action_model import Carry
from rcfam_jax.training.bptt import in_graph, plain
from rcfam_jax.training.metrics import TokenScores, masked_mean
from rcfam_jax.training.windows import Batch

IN_ONE_COMPUTATION = {"plain": plain.token_scores, "in_graph": in_graph.token_scores}
MODES = (*IN_ONE_COMPUTATION, "chunked", "auto")


def check_bptt(config: Any) -> None:
    """`UserError` if the section `bptt` cannot be followed."""
    if config.mode not in MODES:
        raise UserError(f"bptt.mode is {config.mode!r}: it must be one of {', '.join(MODES)}")
    if config.carry not in ("reset", "continue"):
        raise UserError(f"bptt.carry is {config.carry!r}: it must be reset or continue")
    if config.chunk % config.head_steps:
        raise UserError(f"bptt.head_steps is {config.head_steps}: it must divide bptt.chunk, which is {config.chunk}")


def token_scores(graphdef: Any, params: Any, batch: Batch, config: Any) -> tuple[Carry, TokenScores]:
    """Score a batch's tokens; `config` is the section `bptt`, `graphdef` and `params` the two parts of the model.

    Returns the carry after the windows, too. They start from `batch["carry"]` where that is given: all of them, or
    those in `batch["continues"]`.
    """
    return IN_ONE_COMPUTATION[config.mode](graphdef, params, batch, config)


def loss_and_grad(graphdef: Any, params: Any, batch: Batch, config: Any) -> tuple[tuple[jax.Array, dict], Any]:
    """`(loss, measured), grads`: the mean cross-entropy of a batch's unmasked tokens, its gradient in `params`.

    Measured are accuracy, the number of tokens and, where a carry was handed in, the one to hand on.
    """

    def loss(params: Any) -> tuple[jax.Array, dict]:
        carry, scores = token_scores(graphdef, params, batch, config)
        mask_BxT = batch["mask"]
        measured = {"accuracy": masked_mean(scores.correct_BxT, mask_BxT), "tokens": mask_BxT.sum()}
        if "carry" in batch:
            measured["carry"] = carry
        return masked_mean(scores.cross_entropy_BxT, mask_BxT), measured

    return jax.value_and_grad(loss, has_aux=True)(params)
