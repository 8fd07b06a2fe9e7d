"""True depth of functions whose depth is known by hand, and of the paper's examples."""

import math

import jax
import jax.numpy as jnp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rcfam_jax.analysis.true_depth import true_depth
from rcfam_jax.model.lstm import LSTMState, LSTMWeights, lstm

X = jnp.ones(16)


def test_a_chain_is_as_deep_as_it_is_long():
    assert true_depth(lambda x: jnp.sin(jnp.sin(jnp.sin(x))), X) == 3
    assert true_depth(lambda x, y: jnp.sin(x) * y, X, X) == 2
    assert true_depth(lambda x: x, X) == 0
    assert true_depth(lambda x: jnp.sin(jnp.ones(3)), X) == 0, "what does not depend on an argument is free"


@pytest.mark.parametrize("length", [1, 2, 7, 64, 1024])
def test_a_recurrence_is_linear(length):
    def recur(x):
        return jax.lax.scan(lambda c, x: (jnp.tanh(c + x), c), jnp.zeros(()), x)

    assert true_depth(recur, jnp.ones(length)) == 2 * length
    # Backwards, after all steps forwards, each multiplies by the derivative of tanh, which JAX writes (1 - t) (1 + t):
    # the subtraction, which only that of the last step waits for, then two products and a sum.
    assert true_depth(jax.grad(lambda x: recur(x)[0]), jnp.ones(length)) == 2 * length + 1 + 3 * length


@pytest.mark.parametrize("length", [2, 64, 1024])
def test_a_carry_that_does_not_depend_on_itself_is_constant(length):
    def shift(x):
        return jax.lax.scan(lambda before, x: (jnp.sin(x), jnp.exp(before) * x), jnp.zeros(()), x)

    assert true_depth(shift, jnp.ones(length)) == 3


def test_the_counter_of_a_loop_is_free():
    def gathered(x):
        return jax.lax.fori_loop(0, 100, lambda i, total: jnp.maximum(x[i % 16] * 0, 0 * total[:1]), jnp.zeros(1))

    assert true_depth(lambda x: jax.lax.map(lambda i: jnp.sin(x[i]), jnp.arange(16)), X) == 1
    assert true_depth(gathered, X) == 2 * 100


@pytest.mark.parametrize("length", [4, 64, 1024])
def test_an_associative_scan_is_logarithmic(length):
    def affine(x, y):
        return x[0] * y[0], x[1] * y[0] + y[1]

    depth = true_depth(lambda a, b: jax.lax.associative_scan(affine, (a, b)), jnp.ones(length), jnp.ones(length))
    assert depth == 5 * math.log2(length), "two sweeps of a product and a sum, and an interleaving"


def test_a_while_loop_needs_its_trip_count():
    def halve(x):
        return jax.lax.while_loop(lambda x: (x > 1).all(), lambda x: x / 2, x)

    with pytest.raises(ValueError, match="trip_count"):
        true_depth(halve, X)
    for trip_count in (0, 1, 5):
        # A comparison and its tree over 16 values before each step, the halving beside them; and once more at the end.
        assert true_depth(halve, X, trip_count=trip_count) == (trip_count + 1) * (1 + 4)
    with pytest.raises(ValueError, match="trip_count: a loop cannot run -1 times"):
        true_depth(halve, X, trip_count=-1)


def test_a_while_loop_is_as_deep_as_its_body_where_that_is_deeper_than_its_condition():
    def shrink(x):
        return jax.lax.while_loop(lambda x: x > 1, lambda x: jnp.sin(jnp.sin(jnp.sin(x))), x)

    assert true_depth(shrink, 1.0, trip_count=5) == 5 * 3 + 1, "the last condition tells that the result is one"


def test_branches_and_calls_are_looked_into():
    def choose(x, deep):
        return jax.lax.cond(deep(x[0]) > 0, lambda x: jnp.sin(jnp.sin(x)), lambda x: x, x)

    def declared_linear(scale, x):
        return jax.custom_derivatives.linear_call(lambda r, x: r * (r * x), lambda r, t: r * (r * t), scale, x)

    assert true_depth(lambda x: choose(x, lambda x: x), X) == 2, "the condition is known before the branch is through"
    assert true_depth(lambda x: choose(x, lambda x: jnp.sin(jnp.sin(x))), X) == 3, "and here after it"
    assert true_depth(jax.jit(jax.checkpoint(lambda x: jnp.sin(jnp.cos(x)))), X) == 2
    assert true_depth(jax.lax.composite(lambda x: jnp.sin(jnp.cos(x)), name="two.steps"), X) == 2
    assert true_depth(jax.custom_batching.sequential_vmap(lambda x: jnp.sin(jnp.cos(x))), X) == 2
    assert true_depth(declared_linear, X, X) == 2
    assert true_depth(jax.nn.relu, X) == 1, "a function with its own derivative"


def test_a_call_without_arguments_is_free():
    zeros = jax.jit(lambda: jnp.sin(jnp.ones(16)))
    assert true_depth(lambda x: jax.lax.scan(lambda c, x: (c + zeros()[0] * x, None), 0.0, x), X) == 1 + 16


def test_a_loop_without_inputs_is_free():
    def shifted(x):
        return x + jax.lax.scan(lambda _, __: (None, jnp.sin(jnp.ones(()))), None, None, length=16)[1]

    assert true_depth(shifted, X) == 1


@pytest.mark.parametrize("length", [1, 2, 7, 30])
def test_a_loop_that_adds_into_cells_is_linear(length):
    def count(x):
        return jax.lax.fori_loop(0, length, lambda i, h: h.at[i % 4].add(x[i]), jnp.zeros(4))

    assert true_depth(count, jnp.ones(length)) == length, "h is one array, though no cell takes more than every fourth"


@pytest.mark.parametrize("length", [1, 2, 64])
def test_loops_one_after_the_other_add_up_though_they_could_overlap(length):
    def step(h, x):
        h = jnp.sin(h + x)
        return h, h

    def one_after_the_other(x, layers):
        for _ in range(layers):
            x = jax.lax.scan(step, 0.0, x)[1]
        return x

    def together(x, layers):
        def steps(hs, x):
            below = [x]
            for h in hs:
                below.append(step(h, below[-1])[0])
            return below[1:], below[-1]

        return jax.lax.scan(steps, [0.0] * layers, x)[1]

    for layers in (1, 2, 5):
        assert true_depth(lambda x, n=layers: one_after_the_other(x, n), jnp.ones(length)) == 2 * layers * length
        assert true_depth(lambda x, n=layers: together(x, n), jnp.ones(length)) == 2 * (layers + length - 1)


def test_the_lstm_is_exactly_linear_forwards_and_backwards():
    def depth(length, differentiate):
        weights = LSTMWeights(jnp.ones((4, 4, 4)), jnp.ones((4, 4, 4)), jnp.ones((4, 4)))
        state = LSTMState(jnp.ones((2, 4)), jnp.ones((2, 4)))

        def run(x, weights, state):
            return lstm(x, weights, state)[0].sum()

        function = jax.grad(run) if differentiate else run
        return true_depth(function, jnp.ones((2, length, 4)), weights, state, unit_reductions=True)

    for differentiate in (False, True):
        steps = [depth(length, differentiate) for length in (64, 65, 66, 128)]
        assert steps[1] - steps[0] == steps[2] - steps[1] > 0
        assert steps[3] - steps[0] == 64 * (steps[1] - steps[0])


@pytest.mark.parametrize("layers", [1, 2, 4])
def test_attention_is_constant_in_its_length_and_proportional_to_its_layers(layers):
    def depth(length, layers):
        def run(x):
            for _ in range(layers):
                x = x + jax.nn.softmax(x @ x.T) @ x
            return x

        return true_depth(run, jnp.ones((length, 8)), unit_reductions=True)

    assert depth(16, layers) == depth(1024, layers) == layers * depth(16, 1)


# The paper's appendices A to C. A recurrence h_t = g(h_{t-1}, x_t) of a g without further properties; here g adds, then
# applies so many functions, and is that deep.

FUNCTIONS = jnp.sin, jnp.cos, jnp.tanh, jnp.exp


def recurrence(functions, form):
    def g(h, x):
        h = h + x
        for function in functions:
            h = function(h)
        return h

    def unrolled(h, x):
        for x_t in x:
            h = g(h, x_t)
        return h

    def scanned(h, x):
        return jax.lax.scan(lambda h, x_t: (g(h, x_t), None), h, x)[0]

    def rematerialised(h, x):
        return jax.lax.scan(jax.checkpoint(lambda h, x_t: (g(h, x_t), None)), h, x)[0]

    def looped(h, x):
        return jax.lax.while_loop(lambda c: c[0] < len(x), lambda c: (c[0] + 1, g(c[1], x[c[0]])), (0, h))[1]

    return {"unrolled": unrolled, "scanned": scanned, "rematerialised": rematerialised, "looped": looped}[form]


FORMS = "unrolled", "scanned", "rematerialised", "looped"


@given(st.lists(st.sampled_from(FUNCTIONS), min_size=1, max_size=4), st.sampled_from(FORMS), st.integers(1, 40))
def test_theorem_1_a_recurrence_is_as_deep_as_it_is_long(functions, form, length):
    depth = true_depth(recurrence(functions, form), 0.0, jnp.ones(length), trip_count=length)
    assert depth == length * (1 + len(functions)) >= length


@pytest.mark.parametrize("length", [2, 64, 1024])
def test_remark_1_a_recurrence_that_is_associative_need_not_be(length):
    assert true_depth(recurrence([], "scanned"), 0.0, jnp.ones(length)) == length
    assert true_depth(lambda h, x: h + jnp.sum(x), 0.0, jnp.ones(length)) == 1 + math.log2(length)


@pytest.mark.parametrize("form", ["unrolled", "scanned"])
@pytest.mark.parametrize("length", [1, 2, 7, 24])
def test_lemma_1_so_is_the_backward_pass_where_the_jacobian_depends_on_the_state(form, length):
    recur, x = recurrence([jnp.sin], form), jnp.ones(length)
    pull_back = jax.vjp(lambda h: recur(h, x), 0.0)[1]
    assert true_depth(pull_back, 1.0) == length, "a product with each step's Jacobian, one after the other"
    # The last Jacobian, cos(h + x), waits for all sums and sines before it, the first product for the others.
    assert true_depth(jax.grad(recur), 0.0, x) == 2 * length + length


@pytest.mark.parametrize("length", [2, 64, 1024])
def test_lemma_1_needs_a_jacobian_that_depends_on_the_state(length):
    def recur(h, x):
        return jax.lax.scan(lambda h, x_t: (h + jnp.sin(x_t), None), h, x)[0]

    assert true_depth(recur, 0.0, jnp.ones(length)) == 1 + length
    assert true_depth(jax.grad(recur, argnums=1), 0.0, jnp.ones(length)) == 2, "the derivative of sin, and a product"


@pytest.mark.parametrize("layers", [1, 2, 8])
def test_theorem_2_an_aggregation_of_sublinear_depth_falls_behind_the_recurrence(layers):
    def aggregate(x, weights):
        for weight in weights:
            x = jnp.tanh(jnp.sum(weight * x)) * x  # a product, a sum as a tree, tanh, a product
        return x

    lengths = [2**power for power in range(1, 11)]
    aggregated = [true_depth(aggregate, jnp.ones(length), jnp.ones(layers)) for length in lengths]
    assert aggregated == [layers * (3 + math.log2(length)) for length in lengths]
    needed = [true_depth(recurrence([jnp.sin], "scanned"), 0.0, jnp.ones(length)) for length in lengths]
    assert needed == [2 * length for length in lengths]
    # Deep enough for short sequences at most: beyond a length that grows with the layers it never is again.
    enough = [has >= needs for has, needs in zip(aggregated, needed, strict=True)]
    assert enough == sorted(enough, reverse=True)
    assert enough[0] and not enough[-1]
