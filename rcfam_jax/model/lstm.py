"""One LSTM layer over a sequence, with a hand-written backward pass.

Gates stand in the order of torch.nn.LSTM: input i, forget f, candidate g, output o;

    c' = sigmoid(f) c + sigmoid(i) tanh(g),    h' = sigmoid(o) tanh(c'),

with no constant added to the forget gate. There is one bias of 4H where torch has two, and weights are stored as
[in, 4, H]: `weight_ih_l0 = input_Ix4xH.reshape(I, 4 * H).T` and so on.

Only what depends on the previous step stays in the loops: one product with the recurrent weights a step. The input's
projection is one product over all steps before the forward loop, and the gradient of the weights is one product over
all steps after the backward loop.
"""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx

from rcfam_jax.model.layers import uniform


class LSTMWeights(NamedTuple):
    """Weights of one layer; the second axis is the gates i, f, g, o."""

    input_Ix4xH: jax.Array
    recurrent_Hx4xH: jax.Array
    bias_4xH: jax.Array


class LSTMState(NamedTuple):
    """What one step hands to the next: output and cell, float32 or wider."""

    h_BxH: jax.Array
    c_BxH: jax.Array


@functools.partial(jax.custom_vjp, nondiff_argnums=(3,))
def lstm(
    inputs_BxTxI: jax.Array, weights: LSTMWeights, state: LSTMState, unroll: int = 1
) -> tuple[jax.Array, LSTMState]:
    """Run a layer over T steps from `state`; returns outputs_BxTxH in the inputs' dtype and the last state.

    Products take operands of the inputs' dtype and accumulate in the state's. `unroll` steps make one turn of a loop.
    """
    return _forward(inputs_BxTxI, weights, state, unroll)[0]


def _forward(inputs_BxTxI: jax.Array, weights: LSTMWeights, state: LSTMState, unroll: int) -> tuple[Any, Any]:
    dtype, wide = inputs_BxTxI.dtype, state.c_BxH.dtype
    input_Ix4xH, recurrent_Hx4xH = weights.input_Ix4xH.astype(dtype), weights.recurrent_Hx4xH.astype(dtype)
    projected_TxBx4xH = jnp.einsum("bti,igh->tbgh", inputs_BxTxI, input_Ix4xH, preferred_element_type=wide)
    projected_TxBx4xH += weights.bias_4xH.astype(wide)

    def step(carry: LSTMState, projected_Bx4xH: jax.Array) -> tuple[LSTMState, tuple[jax.Array, ...]]:
        h_BxH = carry.h_BxH.astype(dtype)
        gates_Bx4xH = projected_Bx4xH + jnp.einsum("bh,hgk->bgk", h_BxH, recurrent_Hx4xH, preferred_element_type=wide)
        i, f, o = (jax.nn.sigmoid(gates_Bx4xH[:, gate]) for gate in (0, 1, 3))
        g = jnp.tanh(gates_Bx4xH[:, 2])
        c_BxH = f * carry.c_BxH + i * g
        h_BxH = o * jnp.tanh(c_BxH)
        return LSTMState(h_BxH, c_BxH), (h_BxH.astype(dtype), c_BxH, jnp.stack([i, f, g, o], axis=1))

    last, (outputs_TxBxH, cells_TxBxH, gates_TxBx4xH) = jax.lax.scan(step, state, projected_TxBx4xH, unroll=unroll)
    residuals = (inputs_BxTxI, weights, state, outputs_TxBxH, cells_TxBxH, gates_TxBx4xH)
    return (jnp.swapaxes(outputs_TxBxH, 0, 1), last), residuals


def _backward(
    unroll: int, residuals: Any, cotangents: tuple[jax.Array, LSTMState]
) -> tuple[jax.Array, LSTMWeights, LSTMState]:
    inputs_BxTxI, weights, state, outputs_TxBxH, cells_TxBxH, gates_TxBx4xH = residuals
    d_outputs_BxTxH, d_last = cotangents
    dtype, wide = inputs_BxTxI.dtype, state.c_BxH.dtype
    # Flattened and transposed once: in the loop, contracting two axes or a matrix's rows is several times slower.
    recurrent_4HxH = _flat(weights.recurrent_Hx4xH.astype(dtype)).T

    def step(d_carry: LSTMState, saved: tuple[jax.Array, ...]) -> tuple[LSTMState, jax.Array]:
        d_output_BxH, c_BxH, previous_c_BxH, gates_Bx4xH = saved
        i, f, g, o = (gates_Bx4xH[:, gate] for gate in range(4))
        tanh_c_BxH = jnp.tanh(c_BxH)
        d_h_BxH = d_carry.h_BxH + d_output_BxH.astype(wide)
        d_c_BxH = d_carry.c_BxH + d_h_BxH * o * (1 - tanh_c_BxH**2)
        d_gates = (
            d_c_BxH * g * i * (1 - i),
            d_c_BxH * previous_c_BxH * f * (1 - f),
            d_c_BxH * i * (1 - g**2),
            d_h_BxH * tanh_c_BxH * o * (1 - o),
        )
        d_gates_Bx4H = jnp.concatenate(d_gates, axis=1).astype(dtype)
        d_h_BxH = jnp.matmul(d_gates_Bx4H, recurrent_4HxH, preferred_element_type=wide)
        return LSTMState(d_h_BxH, d_c_BxH * f), d_gates_Bx4H

    def shifted(first_BxH: jax.Array, steps_TxBxH: jax.Array) -> jax.Array:
        return jnp.concatenate([first_BxH[None].astype(steps_TxBxH.dtype), steps_TxBxH[:-1]])

    saved = (jnp.swapaxes(d_outputs_BxTxH, 0, 1), cells_TxBxH, shifted(state.c_BxH, cells_TxBxH), gates_TxBx4xH)
    d_state, d_gates_TxBx4H = jax.lax.scan(step, d_last, saved, reverse=True, unroll=unroll)

    previous_h_TxBxH = shifted(state.h_BxH, outputs_TxBxH)
    d_input_Ix4H = jnp.einsum("bti,tbg->ig", inputs_BxTxI, d_gates_TxBx4H, preferred_element_type=wide)
    d_recurrent_Hx4H = jnp.einsum("tbh,tbg->hg", previous_h_TxBxH, d_gates_TxBx4H, preferred_element_type=wide)
    d_weights = LSTMWeights(d_input_Ix4H, d_recurrent_Hx4H, d_gates_TxBx4H.sum((0, 1), dtype=wide))
    d_weights = jax.tree.map(lambda d, weight: d.reshape(weight.shape).astype(weight.dtype), d_weights, weights)
    d_inputs_BxTxI = jnp.einsum("tbg,ig->bti", d_gates_TxBx4H, _flat(weights.input_Ix4xH.astype(dtype)))
    return d_inputs_BxTxI, d_weights, d_state


def _flat(weight_Ix4xH: jax.Array) -> jax.Array:
    return weight_Ix4xH.reshape(len(weight_Ix4xH), -1)


lstm.defvjp(_forward, _backward)


def chrono_bias(key: jax.Array, width: int, span: int) -> jax.Array:
    """What to add to the biases [4, width] so that each unit forgets over a time drawn from 1 to `span` steps.

    The chrono initialisation of Tallec and Ollivier (2018): log U(1, span - 1) for the forget gate, its negative for
    the input gate. Without it a last output hardly depends on what came a few dozen steps earlier.
    """
    forget_H = jnp.log(jax.random.uniform(key, (width,), minval=1, maxval=max(span - 1, 1)))
    return jnp.stack([-forget_H, forget_H, jnp.zeros(width), jnp.zeros(width)])


class LSTM(nnx.Module):
    """The parameters of one `lstm` layer, the state it starts from among them (learned, zero at first)."""

    def __init__(self, config: Any, inputs: int, width: int, *, span: int | None = None, rngs: nnx.Rngs):
        """With a `span`, units start out remembering for 1 to `span` steps (`chrono_bias`)."""

        def uniform_param(fan_in: int, *shape: int) -> nnx.Param:
            return nnx.Param(uniform(fan_in)(rngs.params(), shape, config.param_dtype))

        self.input = uniform_param(inputs, inputs, 4, width)
        self.recurrent = uniform_param(width, width, 4, width)
        self.bias = uniform_param(width, 4, width)
        if span is not None:
            self.bias[...] += chrono_bias(rngs.params(), width, span).astype(config.param_dtype)
        self.initial_h = nnx.Param(jnp.zeros(width, config.param_dtype))
        self.initial_c = nnx.Param(jnp.zeros(width, config.param_dtype))

    def initial_state(self, batch: int) -> LSTMState:
        """The learned state, once for each of `batch` sequences."""
        wide = jnp.promote_types(self.initial_h.dtype, jnp.float32)
        return LSTMState(
            *(jnp.broadcast_to(x[...].astype(wide), (batch, x.shape[0])) for x in (self.initial_h, self.initial_c))
        )

    def __call__(self, inputs_BxTxI: jax.Array, state: LSTMState) -> tuple[jax.Array, LSTMState]:
        """See `lstm`."""
        return lstm(inputs_BxTxI, LSTMWeights(self.input[...], self.recurrent[...], self.bias[...]), state)
