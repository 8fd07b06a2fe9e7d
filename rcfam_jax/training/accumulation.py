"""Gradients of a batch that goes through the device in several parts, one after the other."""

from typing import Any

import jax
import jax.numpy as jnp

from data_gen.errors import UserError
from rcfam_jax.training.bptt.loss import loss_and_grad
from rcfam_jax.training.windows import Batch


def check_accumulation(config: Any) -> None:
    """`UserError` if batches have several parts and cannot be divided; `config`, a whole one, has its mode decided."""
    if config.train.accumulate == 1:
        return
    if config.bptt.mode == "chunked":
        raise UserError(
            f"train.accumulate is {config.train.accumulate}: it must be 1 where bptt.mode is chunked, as named or as "
            "chosen by auto"
        )
    if config.bptt.carry == "continue":
        raise UserError(f"train.accumulate is {config.train.accumulate}: it must be 1 where bptt.carry is continue")


def accumulated_loss_and_grad(
    graphdef: Any, params: Any, batch: Batch, parts: int, config: Any
) -> tuple[tuple[jax.Array, dict], Any]:
    """What `loss_and_grad` computes, with a `parts`-th of the batch's windows on the device at a time.

    `config` is the section `bptt`. A part's means weigh as much as it has unmasked tokens, so the result is the mean
    over the tokens of the whole batch, whatever the split. Part i has the windows i, i + parts, i + 2 parts, ...: so
    each device has its share of every part, and none has to be sent to another.
    """
    if parts == 1:
        return loss_and_grad(graphdef, params, batch, config)
    batch = jax.tree.map(lambda rows: rows.reshape(-1, parts, *rows.shape[1:]), batch)
    num_tokens = batch["mask"].sum()

    def share_of(part: jax.Array) -> Any:
        windows = jax.tree.map(lambda rows: jax.lax.dynamic_index_in_dim(rows, part, 1, keepdims=False), batch)
        (loss, measured), grads = loss_and_grad(graphdef, params, windows, config)
        share = measured.pop("tokens") / jnp.maximum(num_tokens, 1)
        return jax.tree.map(lambda mean: mean * share.astype(mean.dtype), ((loss, measured), grads))

    zeros = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), jax.eval_shape(share_of, 0))
    sums, _ = jax.lax.scan(
        lambda sums, part: (jax.tree.map(jnp.add, sums, share_of(part)), None), zeros, jnp.arange(parts)
    )
    (loss, measured), grads = sums
    return (loss, measured | {"tokens": num_tokens}), grads
