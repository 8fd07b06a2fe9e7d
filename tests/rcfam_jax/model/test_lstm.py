"""The LSTM and its hand-written backward pass against a loop over steps in numpy, finite differences and torch."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rcfam_jax.model.lstm import LSTMState, LSTMWeights, lstm


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def reference(inputs_BxTxI, weights, state):
    """The textbook's LSTM, gate by gate and step by step, in float64; returns each step's activations as well."""
    inputs_BxTxI, weights, (h, c) = jax.tree.map(np.float64, (inputs_BxTxI, weights, tuple(state)))
    outputs, steps = [], []
    for x in np.moveaxis(inputs_BxTxI, 1, 0):
        i, f, g, o = (
            x @ weights.input_Ix4xH[:, gate] + h @ weights.recurrent_Hx4xH[:, gate] + weights.bias_4xH[gate]
            for gate in range(4)
        )
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        steps.append((x, h, c, i, f, g, o))
        c = f * c + i * g
        h = o * np.tanh(c)
        outputs.append(h)
    return (np.stack(outputs, axis=1), LSTMState(h, c)), steps


def reference_gradient(arguments, cotangents):
    """Backpropagation through `reference`, summing the weights' gradients step by step."""
    _, steps = reference(*arguments)
    weights = jax.tree.map(np.float64, arguments[1])
    d_outputs, (d_h, d_c) = jax.tree.map(np.float64, (cotangents[0], tuple(cotangents[1])))
    d_inputs, d_weights = np.zeros(arguments[0].shape), jax.tree.map(np.zeros_like, weights)
    for step, (x, h, c, i, f, g, o) in reversed(list(enumerate(steps))):
        d_h = d_h + d_outputs[:, step]
        tanh_c = np.tanh(f * c + i * g)
        d_c = d_c + d_h * o * (1 - tanh_c**2)
        d_gates = d_c * g * i * (1 - i), d_c * c * f * (1 - f), d_c * i * (1 - g**2), d_h * tanh_c * o * (1 - o)
        d_h, d_c = 0, d_c * f
        for gate, d_gate in enumerate(d_gates):
            d_inputs[:, step] += d_gate @ weights.input_Ix4xH[:, gate].T
            d_h = d_h + d_gate @ weights.recurrent_Hx4xH[:, gate].T
            d_weights.input_Ix4xH[:, gate] += x.T @ d_gate
            d_weights.recurrent_Hx4xH[:, gate] += h.T @ d_gate
            d_weights.bias_4xH[gate] += d_gate.sum(axis=0)
    return d_inputs, d_weights, LSTMState(d_h, d_c)


@jax.jit
def value_and_gradient(arguments, cotangents):
    value, pullback = jax.vjp(lstm, *arguments)
    return value, pullback(cotangents)


def random_problem(batch, steps, inputs, width, seed, dtype=np.float64):
    generator = np.random.default_rng(seed)
    normal = lambda *shape: generator.normal(size=shape).astype(dtype)  # noqa: E731
    weights = LSTMWeights(normal(inputs, 4, width), normal(width, 4, width), normal(4, width))
    arguments = (normal(batch, steps, inputs), weights, LSTMState(normal(batch, width), normal(batch, width)))
    cotangents = (normal(batch, steps, width), LSTMState(normal(batch, width), normal(batch, width)))
    return arguments, cotangents


def worst_error(actual, expected):
    """The largest relative L2 error of any array of a tree."""
    errors = jax.tree.map(lambda x, y: np.linalg.norm(np.float64(x) - y) / np.linalg.norm(y), actual, expected)
    return max(jax.tree.leaves(errors))


@settings(max_examples=6)
@given(st.integers(1, 3), st.integers(1, 6), st.integers(1, 5), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_forward_and_all_gradients_in_float64(batch, steps, inputs, width, seed):
    with jax.enable_x64(True):
        arguments, cotangents = random_problem(batch, steps, inputs, width, seed)
        value, gradient = value_and_gradient(arguments, cotangents)
    assert worst_error(value, reference(*arguments)[0]) < 1e-13
    assert worst_error(gradient, reference_gradient(arguments, cotangents)) < 1e-12


def test_gradient_equals_a_finite_difference(x64):
    arguments, cotangents = random_problem(batch=2, steps=5, inputs=3, width=4, seed=0)
    direction, _ = random_problem(batch=2, steps=5, inputs=3, width=4, seed=1)
    _, gradient = value_and_gradient(arguments, cotangents)

    def inner(x, y):
        return sum(np.vdot(a, b) for a, b in zip(jax.tree.leaves(x), jax.tree.leaves(y), strict=True))

    def value(epsilon):
        value, _ = reference(*jax.tree.map(lambda x, d: x + epsilon * d, arguments, direction))
        return inner(value, cotangents)

    finite_difference = (value(1e-6) - value(-1e-6)) / 2e-6
    assert inner(gradient, direction) == pytest.approx(finite_difference, rel=1e-8)


def test_float32_stays_close_to_float64():
    arguments, cotangents = random_problem(batch=3, steps=64, inputs=8, width=16, seed=2, dtype=np.float32)
    arguments[1].recurrent_Hx4xH[...] /= 4
    value, gradient = value_and_gradient(arguments, cotangents)
    assert worst_error(value, reference(*arguments)[0]) < 1e-6
    assert worst_error(gradient, reference_gradient(arguments, cotangents)) < 3e-6


def test_bfloat16_keeps_its_state_and_its_parameters_gradients_in_float32():
    (inputs, weights, state), (d_outputs, d_state) = random_problem(2, 32, 8, 16, seed=3, dtype=np.float32)
    weights = jax.tree.map(lambda x: x / 4, weights)
    inputs, d_outputs = jnp.bfloat16(inputs), jnp.bfloat16(d_outputs)
    arguments, cotangents = (inputs, weights, state), (d_outputs, d_state)
    (outputs, last), (d_inputs, d_weights, d_first) = value_and_gradient(arguments, cotangents)
    assert outputs.dtype == d_inputs.dtype == jnp.bfloat16
    assert {x.dtype for x in jax.tree.leaves((last, d_weights, d_first))} == {jnp.dtype("float32")}
    assert worst_error((outputs, last), reference(*arguments)[0]) < 2e-2
    assert worst_error((d_inputs, d_weights, d_first), reference_gradient(arguments, cotangents)) < 2e-2


def test_equals_torch():
    torch = pytest.importorskip("torch")
    (inputs, weights, state), (d_outputs, _) = random_problem(2, 7, 3, 5, seed=4, dtype=np.float32)
    layer = torch.nn.LSTM(3, 5, batch_first=True)
    with torch.no_grad():
        layer.weight_ih_l0.copy_(torch.from_numpy(weights.input_Ix4xH.reshape(3, 20).T.copy()))
        layer.weight_hh_l0.copy_(torch.from_numpy(weights.recurrent_Hx4xH.reshape(5, 20).T.copy()))
        layer.bias_ih_l0.copy_(torch.from_numpy(weights.bias_4xH.reshape(20)))
        layer.bias_hh_l0.zero_()
    x = torch.from_numpy(inputs).requires_grad_()
    h, c = (torch.from_numpy(x)[None].requires_grad_() for x in state)
    expected, _ = layer(x, (h, c))
    expected.backward(torch.from_numpy(d_outputs))
    no_cotangent = jax.tree.map(np.zeros_like, state)
    (outputs, _), gradient = value_and_gradient((inputs, weights, state), (d_outputs, no_cotangent))
    d_inputs, d_weights, d_state = gradient
    assert worst_error(outputs, expected.detach().numpy()) < 1e-6
    assert worst_error(d_inputs, x.grad.numpy()) < 1e-5
    assert worst_error(d_weights.input_Ix4xH.reshape(3, 20).T, layer.weight_ih_l0.grad.numpy()) < 1e-5
    assert worst_error(d_weights.recurrent_Hx4xH.reshape(5, 20).T, layer.weight_hh_l0.grad.numpy()) < 1e-5
    assert worst_error(d_weights.bias_4xH.reshape(20), layer.bias_ih_l0.grad.numpy()) < 1e-5
    assert worst_error(tuple(d_state), (h.grad[0].numpy(), c.grad[0].numpy())) < 1e-5


def test_unrolling_changes_nothing(x64):
    arguments, cotangents = random_problem(batch=2, steps=7, inputs=3, width=4, seed=5)
    value, pullback = jax.vjp(lambda *arguments: lstm(*arguments, 3), *arguments)
    assert worst_error(value, reference(*arguments)[0]) < 1e-13
    assert worst_error(pullback(cotangents), reference_gradient(arguments, cotangents)) < 1e-12
