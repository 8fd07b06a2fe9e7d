"""Which way of backpropagation through time a run takes, where its configuration leaves that open."""

import math
import os
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from ml_collections import ConfigDict

from data_gen.errors import UserError
from rcfam_jax.training.metrics import score_tokens
from rcfam_jax.training.parallel import micro_batch_size

SHARE = 0.5
"""Of the memory that parameters, their gradients and the optimizer leave free, what a way may take by estimate."""

COPIES = 4
"""Parameters, gradients, and two numbers a parameter for the optimizer."""


def decide(config: ConfigDict, graphdef: Any, params: Any) -> ConfigDict:
    """A whole configuration in which `bptt.mode` is not "auto". `UserError` if the mode cannot hand on carries.

    The fastest that fits is taken: "plain", then "in_graph", then "chunked", which always does. Chunks longer than the
    windows are shortened: their frames past a window's end would be computed too.
    """
    decided = config.copy_and_resolve_references()
    if config.data.window < config.bptt.chunk:
        decided.bptt.chunk = config.data.window
        decided.bptt.head_steps = math.gcd(config.bptt.head_steps, config.data.window)
    if config.bptt.mode == "auto":
        decided.bptt.mode = _fastest_that_fits(decided, graphdef, params)
    if config.bptt.carry == "continue" and decided.bptt.mode != "plain" and config.data.window % decided.bptt.chunk:
        raise UserError(
            f"bptt.carry is 'continue': bptt.chunk, {config.bptt.chunk}, must divide data.window, {config.data.window}"
        )
    return decided


def device_bytes() -> int:
    """The memory of one device; of one on a CPU, its share of the machine's."""
    stats = jax.local_devices()[0].memory_stats() or {}
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return stats.get("bytes_limit", machine // jax.local_device_count())


def free_bytes(params: Any) -> float:
    """What activations may take of a device's memory beside the model."""
    return SHARE * (device_bytes() - COPIES * sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(params)))


def plain_bytes(graphdef: Any, params: Any, grid: tuple[int, int]) -> int:
    """What plain backpropagation keeps of one step of one window: the sizes of the residuals, nothing is computed."""

    def residuals(params: Any, frames_1xTxRxC: jax.Array) -> Any:
        def cross_entropy(params: Any) -> jax.Array:
            _, logits_1xTxV = nnx.merge(graphdef, params)(frames_1xTxRxC, frames_1xTxRxC)
            return score_tokens(logits_1xTxV, jnp.zeros(frames_1xTxRxC.shape[:2], int)).cross_entropy_BxT.sum()

        return jax.vjp(cross_entropy, params)[1]

    def size(steps: int) -> int:
        leaves = jax.tree.leaves(jax.eval_shape(residuals, params, jax.ShapeDtypeStruct((1, steps, *grid), "uint8")))
        return sum(leaf.size * leaf.dtype.itemsize for leaf in leaves)

    return size(3) - size(2)  # without what does not depend on T, such as weights


def _fastest_that_fits(config: ConfigDict, graphdef: Any, params: Any) -> str:
    model, free = config.model, free_bytes(params)
    steps = config.data.window * micro_batch_size(config) // jax.device_count()
    if steps * plain_bytes(graphdef, params, (model.rows, model.columns)) <= free:
        return "plain"
    carries = 2 * model.core_layers * model.core_width / config.bptt.chunk
    pages = 0 if config.bptt.offload else 4 * (model.frame_width + carries)
    frames = 2 * model.rows * model.columns * config.train.accumulate  # of the whole batch
    return "in_graph" if steps * (frames + pages) <= free else "chunked"
