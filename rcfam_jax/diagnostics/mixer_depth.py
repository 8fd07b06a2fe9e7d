"""The true depth of a mixer over T steps, forwards and backwards. Nothing is computed: shapes are enough."""

from collections.abc import Callable

import jax
from flax import nnx

from rcfam_jax.analysis.true_depth import true_depth


def forward_depth(build: Callable[[], nnx.Module], inputs: jax.ShapeDtypeStruct, *, unit_reductions: bool) -> int:
    """From inputs and parameters to the outputs of the module that `build` makes."""
    run, params = _abstract(build)
    return true_depth(run, params, inputs, unit_reductions=unit_reductions)


def gradient_depth(build: Callable[[], nnx.Module], inputs: jax.ShapeDtypeStruct, *, unit_reductions: bool) -> int:
    """From inputs, parameters and the outputs' cotangents to the gradients of parameters and inputs."""
    run, params = _abstract(build)

    def pull_back(params: nnx.State, inputs: jax.Array, cotangents: jax.Array) -> tuple:
        return jax.vjp(run, params, inputs)[1](cotangents)

    return true_depth(pull_back, params, inputs, jax.eval_shape(run, params, inputs), unit_reductions=unit_reductions)


def _abstract(build: Callable[[], nnx.Module]) -> tuple[Callable, nnx.State]:
    """A module as a function of its parameters and inputs, and their shapes."""
    graph, params = nnx.split(nnx.eval_shape(build))
    return lambda params, inputs: nnx.merge(graph, params)(inputs), params
