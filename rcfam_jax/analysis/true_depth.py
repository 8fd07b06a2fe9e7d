"""True depth: the longest chain of operations, each of which needs the result of the one before (paper, section 2).

It is read off the jaxpr. Every arithmetic operation is one step. A sum or product over n values is a tree of
ceil(log2 n) steps, or one step where reductions count as a unit. Moving and selecting data by index is free, and so is
whatever does not depend on the function's arguments, such as a loop's counter. A `scan` is as deep as the paths from
carry to carry make it: one whose carry does not depend on itself is no deeper than its body.

Depths are kept for each argument apart, as a vector: -inf where a value does not depend on that argument. A loop's body
is a matrix in the (max, +) algebra, of which each step is a product with the vectors of the step before.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal, Var

_FREE = frozenset(
    """
    bitcast_convert_type broadcast_in_dim complex concatenate convert_element_type copy copy_p device_put dynamic_slice
    dynamic_update_slice expand_dims gather imag iota name optimization_barrier pad pvary real reshape rev scatter
    sharding_constraint slice split squeeze stack stop_gradient transpose unstack
    """.split()  # noqa: SIM905
)
_REDUCTIONS = frozenset("reduce_sum reduce_max reduce_min reduce_prod reduce_and reduce_or argmax argmin".split())  # noqa: SIM905
_CUMULATIVE = frozenset("cumsum cumprod cummax cummin cumlogsumexp".split())  # noqa: SIM905
_REFUSED = frozenset(
    """
    cholesky custom_linear_solve custom_root eig eigh ffi_call geqp3 geqrf hessenberg householder_product io_callback lu
    pallas_call pure_callback qr reduce reduce_window schur svd triangular_solve tridiagonal tridiagonal_solve
    """.split()  # noqa: SIM905
)
_CALLS = ("jaxpr", "call_jaxpr", "fun_jaxpr")
_INDEPENDENT = -math.inf


class Rules(NamedTuple):
    """How operations count."""

    unit_reductions: bool  # a reduction or product is one step, however many values it takes
    trip_count: int | None  # of `while` loops


def true_depth(
    function: Callable, *arguments: Any, unit_reductions: bool = False, trip_count: int | None = None
) -> int:
    """The longest chain of dependent operations from an argument of `function` to a result; 0 if none is needed.

    `arguments` are arrays, shapes or trees of them. `ValueError` for a `while` loop where no `trip_count` is given, and
    for an operation that is many steps, but it is not known here how many: a matrix factorisation, a kernel.
    """
    closed = jax.make_jaxpr(function)(*arguments)
    inputs = len(closed.jaxpr.invars)
    depths = _run(closed.jaxpr, _sources(inputs), Rules(unit_reductions, trip_count), inputs)
    deepest = max((depth.max(initial=_INDEPENDENT) for depth in depths), default=_INDEPENDENT)
    return max(int(deepest), 0) if deepest > _INDEPENDENT else 0


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
    if name in _REFUSED:
        raise ValueError(f"the depth of the operation {name!r} is not known")
    if name == "scan":
        return _scan(parameters, inputs, rules)
    if name == "while":
        return _while(parameters, inputs, rules)
    if name == "cond":
        branches = [_run(branch.jaxpr, inputs[1:], rules, len(independent)) for branch in parameters["branches"]]
        return [np.maximum.reduce([inputs[0], *results]) for results in zip(*branches, strict=True)]
    for key in _CALLS:
        if key in parameters:
            inner = parameters[key]
            return _run(inner.jaxpr if isinstance(inner, ClosedJaxpr) else inner, inputs, rules, len(independent))
    deepest = np.maximum.reduce(inputs, initial=_INDEPENDENT) if inputs else independent
    return [deepest + _steps(equation, rules)] * len(equation.outvars)


def _steps(equation: Any, rules: Rules) -> int:
    """How deep one operation is."""
    name, parameters = equation.primitive.name, equation.params
    if name in _FREE:
        return 0
    shape = equation.invars[0].aval.shape if equation.invars else ()
    if name in _REDUCTIONS:
        return _tree([shape[axis] for axis in parameters["axes"]], rules)
    if name in _CUMULATIVE:
        return _tree([shape[parameters["axis"]]], rules)
    if name == "dot_general":
        (contracted, _), _ = parameters["dimension_numbers"]
        return _product(_tree([shape[axis] for axis in contracted], rules), rules)
    if name == "conv_general_dilated":
        kernel, layout = equation.invars[1].aval.shape, parameters["dimension_numbers"].rhs_spec
        return _product(_tree([kernel[axis] for axis in layout[1:]], rules), rules)
    if name in ("scatter-add", "scatter-mul", "scatter-max", "scatter-min"):
        return _tree([math.prod(equation.invars[2].aval.shape[: equation.invars[1].aval.ndim - 1])], rules)
    if name == "fft":
        return _product(_tree(parameters["fft_lengths"], rules), rules)
    if name.startswith("reduce_window"):
        return _tree(parameters["window_dimensions"], rules)
    if name in ("sort", "top_k"):
        levels = _tree([shape[parameters.get("dimension", -1)]], rules)
        return levels if rules.unit_reductions else levels * (levels + 1) // 2
    return 1


def _tree(sizes: Sequence[int], rules: Rules) -> int:
    """The depth of a reduction over so many values; nothing is to be done for one."""
    count = math.prod(sizes)
    if count <= 1:
        return 0
    return 1 if rules.unit_reductions else math.ceil(math.log2(count))


def _product(sums: int, rules: Rules) -> int:
    """A product of matrices: the multiplications, then the sums."""
    return 1 if rules.unit_reductions else 1 + sums


def _matrix(jaxpr: Jaxpr, rules: Rules) -> np.ndarray:
    """The depth of each result over each input: [inputs, results]."""
    inputs = len(jaxpr.invars)
    results = _run(jaxpr, _sources(inputs), rules, inputs)
    return np.stack(results, axis=1) if results else np.empty((inputs, 0))


def _through(inputs_IxS: np.ndarray, matrix_IxR: np.ndarray) -> np.ndarray:
    """The depths of results: [R, S], the product in the (max, +) algebra."""
    if not len(inputs_IxS):
        return np.full((matrix_IxR.shape[1], inputs_IxS.shape[1]), _INDEPENDENT)
    return (matrix_IxR[:, :, None] + inputs_IxS[:, None, :]).max(axis=0)


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
    """Each step needs the condition of the step before it."""
    if rules.trip_count is None:
        raise ValueError("the depth of a while loop depends on how often it runs: give a trip_count")
    condition = _matrix(parameters["cond_jaxpr"].jaxpr, rules)
    body = _matrix(parameters["body_jaxpr"].jaxpr, rules)
    split = parameters["cond_nconsts"], parameters["cond_nconsts"] + parameters["body_nconsts"]
    cond_fixed, body_fixed, carry = np.split(np.stack(inputs), split)
    for _ in range(rules.trip_count):
        goes_on = _through(np.concatenate([cond_fixed, carry]), condition)
        carry = np.maximum(_through(np.concatenate([body_fixed, carry]), body), goes_on)
    return list(carry)
