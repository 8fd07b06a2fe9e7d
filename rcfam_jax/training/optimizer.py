"""Muon for the matrices of the frame head and the core, AdamW for everything else (paper, section 10.4)."""

from typing import Any

import jax
import jax.numpy as jnp
import optax
from optax.contrib import MuonDimensionNumbers, muon

MATRICES = ("kernel", "input", "recurrent")
"""The last names of parameters that are matrices: of linear maps, and of LSTMs."""


def muon_dimensions(params: Any) -> Any:
    """For every parameter that Muon updates, which axes are a matrix's inputs and outputs; None for the others.

    Matrices that are stored as [inputs, n, outputs], an LSTM's four gates and attention's query, key and value, are n
    matrices. The paper gives "all matrix-parameters" to Muon; here the tables of embeddings and the logits' matrix
    are AdamW's, as Muon's authors recommend.
    """

    def dimensions(path: tuple, param: jax.Array) -> MuonDimensionNumbers | None:
        names = [str(entry.key) for entry in path]
        if names[-1] not in MATRICES or "logits" in names:
            return None
        return MuonDimensionNumbers(reduction_axis=0, output_axis=param.ndim - 1)

    return jax.tree_util.tree_map_with_path(dimensions, params)


def optimizer_groups(params: Any) -> Any:
    """For every parameter the optimizer that updates it: "muon" or "adamw"."""
    is_leaf = lambda x: x is None or isinstance(x, MuonDimensionNumbers)  # noqa: E731
    return jax.tree.map(lambda x: "adamw" if x is None else "muon", muon_dimensions(params), is_leaf=is_leaf)


def update_ratios(updates: Any, params: Any) -> dict[str, jax.Array]:
    """How large a step's updates are beside the parameters: the ratio of their norms, for each optimizer's group."""
    groups = jax.tree.leaves(optimizer_groups(params))
    leaves = list(zip(groups, jax.tree.leaves(updates), jax.tree.leaves(params), strict=True))
    ratios = {}
    for name in sorted(set(groups)):
        _, group_updates, group_params = zip(*(leaf for leaf in leaves if leaf[0] == name), strict=True)
        ratios[f"update_ratio_{name}"] = optax.tree.norm(group_updates) / optax.tree.norm(group_params)
    return ratios


def make_optimizer(config: Any) -> optax.GradientTransformation:
    """Both optimizers at fixed rates after `warmup_steps` steps of rising ones; `config` is the section `optimizer`."""

    def rate(peak: float) -> optax.Schedule:
        return lambda step: peak * jnp.minimum(1.0, (step + 1) / (config.warmup_steps + 1))

    transforms = {
        "muon": muon(
            rate(config.muon_learning_rate),
            beta=config.muon_momentum,
            weight_decay=config.weight_decay,
            muon_weight_dimension_numbers=muon_dimensions,
        ),
        "adamw": optax.adamw(
            rate(config.adamw_learning_rate), config.adam_b1, config.adam_b2, weight_decay=config.weight_decay
        ),
    }
    return optax.partition(transforms, optimizer_groups)
