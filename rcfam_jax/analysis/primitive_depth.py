"""How many dependent steps one primitive of a jaxpr takes.

What is done to each value apart is one step, be it a sum or a logarithm, and so is choosing between values, as
`jnp.where` does. Moving values, changing their number format, and reading or replacing them by index are free. The
arithmetic that makes an index is not: `x[i]` first wraps a negative `i` around, in two steps where `i` depends on an
argument. A sum or product of n values is a tree of ceil(log2 n) steps, and so is an update that combines
(`x.at[i].add`), over the value that is there and the updates that may meet it. Every primitive that is counted is
named here; any other is refused.
"""

import math
from collections.abc import Iterable
from typing import Any

_FREE = frozenset(
    """
    bitcast_convert_type broadcast_in_dim complex concatenate convert_element_type copy copy_p device_put dynamic_slice
    dynamic_update_slice gather imag iota layout_constraint name optimization_barrier pad pvary real reduce_precision
    reshape reshard rev scatter sharding_constraint slice split squeeze stack stop_gradient tile transpose unstack
    """.split()  # noqa: SIM905
)
_ELEMENTWISE = frozenset(
    """
    abs acos acosh add add_any and asin asinh atan atan2 atanh bessel_i0e bessel_i1e cbrt ceil clamp clz conj cos cosh
    digamma div eq eq_to erf erf_inv erfc exp exp2 expm1 floor ge gt igamma igamma_grad_a igammac integer_pow is_finite
    le le_to lgamma log log1p logistic lt lt_to max min mul mulhi ne neg nextafter not or polygamma population_count pow
    regularized_incomplete_beta rem round rsqrt select_n shift_left shift_right_arithmetic shift_right_logical sign sin
    sinh sqrt square sub tan tanh xor zeta
    """.split()  # noqa: SIM905
)
_REDUCTIONS = frozenset(
    "argmax argmin reduce_and reduce_max reduce_min reduce_or reduce_prod reduce_sum reduce_xor".split()  # noqa: SIM905
)
_WINDOWED = frozenset("reduce_window_max reduce_window_min reduce_window_sum".split())  # noqa: SIM905
_CUMULATIVE = frozenset("cumlogsumexp cummax cummin cumprod cumsum".split())  # noqa: SIM905
_SCATTERS = frozenset("scatter-add scatter-max scatter-min scatter-mul scatter-sub".split())  # noqa: SIM905


def primitive_depth(equation: Any, *, unit_reductions: bool) -> int:
    """The steps of a jaxpr's equation; a reduction or product is one step where `unit_reductions`.

    `ValueError` for a primitive that is not known here: a loop or call, a matrix factorisation, a kernel, a collective.
    """
    levels, products = _counts(equation)
    if unit_reductions:
        return min(levels + products, 1)
    if equation.primitive.name in ("sort", "top_k"):  # Batcher's network: a tree of merges, each of them a tree
        return levels * (levels + 1) // 2
    return levels + products


def _counts(equation: Any) -> tuple[int, int]:
    """The levels of a primitive's tree and the steps done to each value apart."""
    name, parameters = equation.primitive.name, equation.params
    shapes = [atom.aval.shape for atom in equation.invars]
    if name in _ELEMENTWISE:
        return 0, 1
    if name in _FREE and not _applies_a_function(equation):
        return 0, 0
    if name in _REDUCTIONS:
        return _tree(shapes[0][axis] for axis in parameters["axes"]), 0
    if name in _CUMULATIVE:
        return _tree([shapes[0][parameters["axis"]]]), 0
    if name in _WINDOWED:
        return _tree(parameters["window_dimensions"]), 0
    if name in _SCATTERS:
        return _scatter_tree(shapes[1], parameters), 0
    if name == "sort":
        return _tree([shapes[0][parameters["dimension"]]]), 0
    if name == "top_k":
        return _tree([shapes[0][parameters.get("axis", -1)]]), 0
    if name == "dot_general":
        (contracted, _), _ = parameters["dimension_numbers"]
        return _tree(shapes[0][axis] for axis in contracted), 1
    if name == "conv_general_dilated":
        _, *contracted = parameters["dimension_numbers"].rhs_spec
        return _tree(shapes[1][axis] for axis in contracted), 1
    if name == "fft":
        return _tree(parameters["fft_lengths"]), 1
    raise ValueError(f"the depth of the operation {name!r} is not known")


def _tree(sizes: Iterable[int]) -> int:
    """The depth of a reduction over so many values; nothing is to be done for one."""
    count = math.prod(sizes)
    return (count - 1).bit_length() if count > 1 else 0


def _scatter_tree(indices_shape: tuple[int, ...], parameters: dict) -> int:
    """The depth of combining the value of a cell with the updates that may meet there.

    Each index brings a cell one update at most, and those of another batch go to other cells. The last axis of the
    indices holds the coordinates of one.
    """
    batching = parameters["dimension_numbers"].scatter_indices_batching_dims
    meeting = math.prod(size for axis, size in enumerate(indices_shape[:-1]) if axis not in batching)
    return _tree([1 + (min(meeting, 1) if parameters["unique_indices"] else meeting)])


def _applies_a_function(equation: Any) -> bool:
    """Whether a scatter is that of `x.at[i].apply(f)`."""
    return bool(getattr(equation.params.get("update_jaxpr"), "eqns", ()))
