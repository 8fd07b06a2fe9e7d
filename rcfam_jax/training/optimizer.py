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


def make_optimizer(config: Any) -> optax.GradientTransformation:
    """Both optimizers at fixed rates after `warmup_steps` steps of rising ones; `config` is the section `optimizer`."""

    def rate(peak: float) -> optax.Schedule:
        return lambda step: peak * jnp.minimum(1.0, (step + 1) / (config.warmup_steps + 1))

    def labels(params: Any) -> Any:
        is_leaf = lambda x: x is None or isinstance(x, MuonDimensionNumbers)  # noqa: E731
        return jax.tree.map(lambda x: "adamw" if x is None else "muon", muon_dimensions(params), is_leaf=is_leaf)

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
    return optax.partition(transforms, labels)
