"""What the state space models share: a linear system in continuous time, seen at discrete steps."""

import jax
import jax.numpy as jnp


def zero_order_hold(step: jax.Array, rate: jax.Array) -> tuple[jax.Array, jax.Array]:
    """What h' = A h + b u, with A diagonal, becomes over a step during which u stays: decay and gain of h + gain b u.

    decay = exp(step A), gain = (exp(step A) - 1) / A: Gu and Dao, "Mamba" (2023), equation 4.
    """
    return jnp.exp(step * rate), jnp.expm1(step * rate) / rate


def log_steps(key: jax.Array, shape: tuple[int, ...], dtype: str) -> jax.Array:
    """Logarithms of steps between 0.001 and 0.1, uniform: where the authors' code starts S4D and Mamba."""
    return jax.random.uniform(key, shape, dtype, jnp.log(0.001), jnp.log(0.1))
