"""Recurrences h_t = A_t h_{t-1} + b_t from h_0 = 0, along axis 1, evaluated in parallel or step by step.

Affine maps compose to affine maps, and composing is associative: the states are the prefixes of an associative scan
(Martin and Cundy, 2018), O(log T) deep. This is what the mixers without true recurrence have in common: A_t and b_t
depend on the inputs, never on the states.
"""

from collections.abc import Callable
from typing import Literal

import jax
import jax.numpy as jnp

Form = Literal["parallel", "recurrent"]
"""How a mixer is evaluated: in a depth that hardly grows with T, or one step after the other."""

Maps = tuple[jax.Array, jax.Array]


def diagonal(decay_BxT: jax.Array, input_BxT: jax.Array, form: Form) -> jax.Array:
    """The states of h_t = a_t * h_{t-1} + b_t, element by element.

    Both have the shape [B, T, ...]; an axis of the decay other than T may be 1. Returns the input's shape.
    """

    def compose(first: Maps, second: Maps) -> Maps:
        return first[0] * second[0], second[0] * first[1] + second[1]

    return _states(compose, decay_BxT, input_BxT, form)


def matrix(transition_BxTxHxKxK: jax.Array, input_BxTxHxVxK: jax.Array, form: Form) -> jax.Array:
    """The states of S_t = S_{t-1} A_t + B_t, matrices of V rows and K columns in each of H heads: [B, T, H, V, K]."""

    def compose(first: Maps, second: Maps) -> Maps:
        return first[0] @ second[0], first[1] @ second[0] + second[1]

    return _states(compose, transition_BxTxHxKxK, input_BxTxHxVxK, form)


def _states(compose: Callable[[Maps, Maps], Maps], linear: jax.Array, offset: jax.Array, form: Form) -> jax.Array:
    if form == "parallel":
        return jax.lax.associative_scan(compose, (linear, offset), axis=1)[1]

    def step(state: jax.Array, at: Maps) -> tuple[jax.Array, jax.Array]:
        # A state is the map that forgets what it is given.
        state = compose((jnp.zeros_like(at[0]), state), at)[1]
        return state, state

    over_time = jnp.moveaxis(linear, 1, 0), jnp.moveaxis(offset, 1, 0)
    return jnp.moveaxis(jax.lax.scan(step, jnp.zeros_like(over_time[1][0]), over_time)[1], 0, 1)
