"""The steps of single operations, counted by hand."""

import math

import jax
import jax.numpy as jnp
import pytest
from jax import lax

from rcfam_jax.analysis.true_depth import true_depth

X = jnp.ones(16)
X_4x16 = jnp.ones((4, 16))
NOWHERE_ELSE = jnp.zeros(16, int)  # indices that all mean one cell

OF_ONE_VALUE = """
    abs acos acosh asin asinh atan atanh bessel_i0e bessel_i1e cbrt ceil conj cos cosh digamma erf erf_inv erfc exp exp2
    expm1 floor is_finite lgamma log log1p logistic neg round rsqrt sign sin sinh sqrt square tan tanh
    """
OF_TWO_VALUES = "add atan2 div eq ge gt igamma igammac le lt max min mul ne nextafter polygamma pow rem sub zeta"
OF_ONE_INTEGER = "clz bitwise_not population_count"
OF_TWO_INTEGERS = """
    bitwise_and bitwise_or bitwise_xor mulhi shift_left shift_right_arithmetic shift_right_logical
    """


def test_what_is_done_to_each_value_apart_is_one_step():
    integers = jnp.ones(16, jnp.uint32)
    for names, arguments in [
        (OF_ONE_VALUE, [X]),
        (OF_TWO_VALUES, [X, X]),
        (OF_ONE_INTEGER, [integers]),
        (OF_TWO_INTEGERS, [integers, integers]),
    ]:
        for name in names.split():
            assert true_depth(getattr(lax, name), *arguments) == 1, name
    assert true_depth(lambda x: x**7, X) == 1
    assert true_depth(lax.betainc, X, X, X) == true_depth(lax.clamp, X, X, X) == 1


def test_index_and_layout_are_free():
    assert true_depth(lambda x: jnp.concatenate([x[::-1].reshape(4, 4).T.ravel()[3:7], jnp.tile(x, 2)]), X) == 0
    assert true_depth(lambda x: x[jnp.array([3, 1, 1])], X) == 0
    assert true_depth(lambda x, y: x.at[3:5].set(y), X, 1.0) == 0
    assert true_depth(lambda x, y: jnp.stack([lax.complex(x, y).real, x]), X, X) == 0
    assert true_depth(lambda x: lax.reduce_precision(x.astype(jnp.bfloat16), 8, 3), X) == 0


def test_arithmetic_of_an_index_and_a_choice_between_values_are_not():
    # Is it negative? Then the one with the length added is chosen. Then the sine.
    assert true_depth(lambda x, i: jnp.sin(x[i]), X, 3) == 2 + 1
    assert true_depth(jnp.where, X > 0, X, X) == 1


@pytest.mark.parametrize("size", [1, 2, 3, 16, 17, 1000])
def test_reductions_are_trees(size):
    x, tree = jnp.ones(size), math.ceil(math.log2(size))
    for reduction in (jnp.sum, jnp.prod, jnp.argmin, jnp.cumsum):
        assert true_depth(reduction, x) == tree
        assert true_depth(reduction, x, unit_reductions=True) == min(tree, 1)
    assert true_depth(lambda x: lax.reduce_xor(x, axes=(0,)), x.astype(int)) == tree
    assert true_depth(lambda x: x @ jnp.ones((size, 3)), x) == 1 + tree
    assert true_depth(lambda x: x @ jnp.ones((size, 3)), x, unit_reductions=True) == 1
    assert true_depth(lambda x: lax.reduce_window(x, 0.0, lax.add, (size,), (1,), "SAME"), x) == tree
    assert true_depth(jnp.fft.fft, x) == 1 + tree


def test_a_convolution_sums_over_its_kernel_and_the_channels_of_its_inputs():
    inputs, kernel = jnp.ones((1, 3, 20)), jnp.ones((7, 3, 5))
    assert true_depth(lambda x, k: lax.conv(x, k, (1,), "SAME"), inputs, kernel) == 1 + 4  # 15 products


def test_sorting_is_a_network_over_the_axis_that_is_sorted():
    for axis, levels in [(0, 2), (1, 4)]:
        assert true_depth(lambda x, axis=axis: lax.top_k(x, 2, axis=axis), X_4x16) == levels * (levels + 1) // 2
        assert true_depth(lambda x, axis=axis: lax.sort(x, dimension=axis), X_4x16) == levels * (levels + 1) // 2
    assert true_depth(lax.sort, X, unit_reductions=True) == 1


@pytest.mark.parametrize("combine", ["add", "subtract", "mul", "min", "max"])
def test_scatters_combine_a_cell_with_all_updates_that_may_meet_there(combine):
    def scatter(index, **promises):
        return lambda x, updates: getattr(x.at[index], combine)(updates, **promises)

    def by_rows(x, updates):
        return jax.vmap(lambda x, i, u: getattr(x.at[i], combine)(u))(x, jnp.zeros((4, 3), int), updates)

    assert true_depth(scatter(0), X, 1.0) == 1
    assert true_depth(scatter(NOWHERE_ELSE), X, X) == 5, "the cell and 16 updates: a tree over 17"
    assert true_depth(scatter(NOWHERE_ELSE), X, X, unit_reductions=True) == 1
    assert true_depth(scatter(NOWHERE_ELSE, unique_indices=True), X, X) == 1, "as they say that none meet"
    assert true_depth(scatter((slice(None), NOWHERE_ELSE)), X_4x16, X_4x16) == 5
    assert true_depth(scatter((jnp.zeros(4, int),)), X_4x16, X_4x16) == 3, "4 rows that meet in one"
    assert true_depth(by_rows, X_4x16, jnp.ones((4, 3))) == 2, "a cell and the 3 updates of its own row"


def max_pool(x):
    return lax.reduce_window(x, -jnp.inf, lax.max, (2,), (1,), "VALID").sum()


def written_to(x):
    reference = jax.new_ref(jnp.zeros(16))
    reference[...] = jnp.sin(x)
    return reference[...]


@pytest.mark.parametrize(
    "operation, function",
    {
        "cholesky": lambda x: jnp.linalg.cholesky(x[:4, None]),
        "ragged_dot_general": lambda x: lax.ragged_dot(x[:, None], X_4x16[:, None], jnp.full(4, 4)),
        "approx_top_k": lambda x: lax.approx_max_k(x, 2),
        "reduce": lambda x: lax.reduce(x, 0.0, lambda a, b: jnp.sin(a) + b, (0,)),
        "custom_linear_solve": lambda x: lax.custom_linear_solve(lambda y: 2 * y, x, lambda _, y: y / 2),
        "select_and_scatter_add": jax.grad(max_pool),
        "scatter": lambda x: x.at[0].apply(jnp.sin),
        "random_wrap": lambda x: jax.random.normal(jax.random.wrap_key_data(x[:2].astype(jnp.uint32))),
        "pure_callback": lambda x: jax.pure_callback(lambda x: x, x, x),
        "swap": written_to,
    }.items(),
)
def test_what_is_many_steps_or_unknown_is_refused(operation, function):
    with pytest.raises(ValueError, match=f"the depth of the operation '{operation}' is not known"):
        true_depth(function, X)


def test_what_depends_on_no_argument_is_free_even_where_its_depth_is_not_known():
    def noisy(x):
        scale = lax.while_loop(lambda n: n < 100, lambda n: 2 * n, jnp.ones(()))
        return x + scale * jax.random.normal(jax.random.key(0)) + jnp.linalg.cholesky(jnp.eye(16))[0]

    assert true_depth(noisy, X) == 2
