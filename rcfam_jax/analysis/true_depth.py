"""True depth: the longest chain of operations, each of which needs the result of the one before (paper, section 2).

It is read off the jaxpr, whose primitives count as `primitive_depth` says. What does not depend on the function's
arguments, such as a loop's counter, is free. A `scan` is as deep as the paths from carry to carry make it: one whose
carry does not depend on itself is no deeper than its body. The branches of a `cond` run beside its condition, the
body of a `while` loop beside the loop's; taking what the condition says is free. A loop of n steps has n + 1
conditions: without the last, its result is not known to be one.

An array has one depth, that of its deepest part: what running the program needs as it is written. So a `scan` over
another's outputs waits for the last of them, and L recurrences over T steps, one after the other, count L T, although
a single loop over all of them, where each layer follows close behind the one below, counts about T + L.

Depths are kept for each argument apart, as a vector: -inf where a value does not depend on that argument. A loop's
body is a matrix in the (max, +) algebra, of which each step is a product with the vectors of the step before.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal, Var

from rcfam_jax.analysis.primitive_depth import primitive_depth

_CALLS = frozenset(
    """
    call checkpoint closed_call composite custom_jvp_call custom_vjp_call custom_vmap_call jit linear_call pjit
    remat2 shard_map
    """.split()  # noqa: SIM905
)
_CALLED = "jaxpr", "call_jaxpr", "call", "callee"
_INDEPENDENT = -math.inf


class Rules(NamedTuple):
    """How operations count."""

    unit_reductions: bool  # a reduction or product is one step, however many values it takes
    trip_count: int | None  # of `while` loops


def true_depth(
    function: Callable, *arguments: Any, unit_reductions: bool = False, trip_count: int | None = None
) -> int:
    """The longest chain of dependent operations from an argument of `function` to a result; 0 if none is needed.

    `arguments` are arrays, shapes or trees of them. `ValueError` for a `while` loop that depends on them where no
    `trip_count` is given, and for an operation whose depth is not known here: a matrix factorisation, a kernel.
    """
    if trip_count is not None and trip_count < 0:
        raise ValueError(f"trip_count: a loop cannot run {trip_count} times")
    closed = jax.make_jaxpr(function)(*arguments)
    inputs = len(closed.jaxpr.invars)
    depths = _run(closed.jaxpr, _sources(inputs), Rules(unit_reductions, trip_count), inputs)
    return max((int(depth.max(initial=0)) for depth in depths), default=0)


def _sources(count: int) -> list[np.ndarray]:
    """The depths of `count` arguments: each depends on itself alone."""
    return list(np.where(np.eye(count, dtype=bool), 0.0, _INDEPENDENT))


def _run(jaxpr: Jaxpr, inputs: Sequence[np.ndarray], rules: Rules, sources: int) -> list[np.ndarray]:
    """The depths of a jaxpr's results over so many sources, given those of its inputs."""
    independent = np.full(sources, _INDEPENDENT)
    depths: dict[Var, np.ndarray] = dict(zip(jaxpr.invars, inputs, strict=True))

    def read(atom: Any) -> np.ndarray:
        return independent if isinstance(atom, Literal) else depths.get(atom, independent)

    for equation in jaxpr.eqns:
        results = _apply(equation, [read(atom) for atom in equation.invars], rules, independent)
        depths.update(zip(equation.outvars, results, strict=True))
    return [read(atom) for atom in jaxpr.outvars]


def _apply(equation: Any, inputs: list[np.ndarray], rules: Rules, independent: np.ndarray) -> list[np.ndarray]:
    name, parameters = equation.primitive.name, equation.params
    deepest = np.maximum.reduce([independent, *inputs])
    if deepest.max(initial=_INDEPENDENT) == _INDEPENDENT:
        return [independent] * len(equation.outvars)
    if name == "scan":
        return _scan(parameters, inputs, rules)
    if name == "while":
        return _while(parameters, inputs, rules)
    if name == "cond":
        branches = [_run(branch.jaxpr, inputs[1:], rules, len(independent)) for branch in parameters["branches"]]
        return [np.maximum.reduce([inputs[0], *results]) for results in zip(*branches, strict=True)]
    if name in _CALLS:
        inner = next(parameters[key] for key in _CALLED if key in parameters)
        return _run(inner.jaxpr if isinstance(inner, ClosedJaxpr) else inner, inputs, rules, len(independent))
    return [deepest + primitive_depth(equation, unit_reductions=rules.unit_reductions)] * len(equation.outvars)


def _matrix(jaxpr: Jaxpr, rules: Rules) -> np.ndarray:
    """The depth of each result over each input: [inputs, results]."""
    inputs = len(jaxpr.invars)
    results = _run(jaxpr, _sources(inputs), rules, inputs)
    return np.stack(results, axis=1) if results else np.empty((inputs, 0))


def _through(inputs_IxS: np.ndarray, matrix_IxR: np.ndarray) -> np.ndarray:
    """The depths of results: [R, S], the product in the (max, +) algebra."""
    return (matrix_IxR[:, :, None] + inputs_IxS[:, None, :]).max(axis=0, initial=_INDEPENDENT)


def _scan(parameters: dict, inputs: list[np.ndarray], rules: Rules) -> list[np.ndarray]:
    matrix = _matrix(parameters["jaxpr"].jaxpr, rules)
    consts, carries, length = parameters["num_consts"], parameters["num_carry"], parameters["length"]
    fixed, carry, slices = np.split(np.stack(inputs), [consts, consts + carries])
    outputs = np.full((matrix.shape[1] - carries, inputs[0].shape[0]), _INDEPENDENT)
    for _ in range(length):
        results = _through(np.concatenate([fixed, carry, slices]), matrix)
        outputs = np.maximum(outputs, results[carries:])
        if np.array_equal(results[:carries], carry):
            break
        carry = results[:carries]
    return [*carry, *outputs]


def _while(parameters: dict, inputs: list[np.ndarray], rules: Rules) -> list[np.ndarray]:
    """A step's results are known when the condition before it is, and the last step's when that after it is too."""
    if rules.trip_count is None:
        raise ValueError("the depth of a while loop depends on how often it runs: give a trip_count")
    condition = _matrix(parameters["cond_jaxpr"].jaxpr, rules)
    body = _matrix(parameters["body_jaxpr"].jaxpr, rules)
    split = parameters["cond_nconsts"], parameters["cond_nconsts"] + parameters["body_nconsts"]
    cond_fixed, body_fixed, carry = np.split(np.stack(inputs), split)
    goes_on = _through(np.concatenate([cond_fixed, carry]), condition)
    for _ in range(rules.trip_count):
        carry = np.maximum(_through(np.concatenate([body_fixed, carry]), body), goes_on)
        goes_on = _through(np.concatenate([cond_fixed, carry]), condition)
    return list(np.maximum(carry, goes_on))
