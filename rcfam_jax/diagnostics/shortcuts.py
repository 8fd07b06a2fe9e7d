"""The shortcut floor of the Forward-Referencing Jumps Task: how well predictors do that execute nothing.

They are fitted on as much data as the models get, and scored on validation programs of at least `DEEP` blocks. What
they reach can be had without following a program; a diagnostic is worth only what lies above.
"""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import optax

from rcfam_jax.diagnostics.frjt import TOKENS_PER_BLOCK, Examples, Vocabulary

DEEP = 8
_STEPS, _BATCH, _RATE = 2000, 512, 1e-2
_TAIL_BLOCKS, _WIDTH = 4, 32

Predictor = Callable[[dict, jax.Array], jax.Array]
"""From parameters and tokens_BxT to the log-odds of halting in B, [B]."""


def shortcut_floor(training: Examples, validation: Examples, vocabulary: Vocabulary, seed: int) -> dict[str, float]:
    """The accuracy of each predictor on the deepest programs: those of `DEEP` blocks and more, if there are any."""
    deep = validation.depths_P >= min(DEEP, vocabulary.max_blocks)
    tokens_PxT, halts_P = validation.tokens_PxT[deep], validation.halts_P[deep]
    majority = training.halts_P.mean() > 0.5
    floor = {"majority": float((halts_P == majority).mean())}
    for name, (predict, parameters) in _predictors(vocabulary, jax.random.key(seed)).items():
        fitted = _fit(predict, parameters, training, seed)
        parts = np.array_split(tokens_PxT, -(-len(tokens_PxT) // _BATCH))
        scores_P = np.concatenate([predict(fitted, jnp.asarray(part)) for part in parts])
        floor[name] = float(((scores_P > 0) == halts_P).mean())
    return floor


def _predictors(vocabulary: Vocabulary, key: jax.Array) -> dict[str, tuple[Predictor, dict]]:
    size, block, tail = vocabulary.size, TOKENS_PER_BLOCK, TOKENS_PER_BLOCK * _TAIL_BLOCKS
    keys = jax.random.split(key, 4)

    def normal(number: int, *shape: int) -> jax.Array:
        return jax.random.normal(keys[number], shape) / shape[0] ** 0.5

    return {
        "bag of tokens": (_bag, {"weight": jnp.zeros(size), "bias": jnp.zeros(())}),
        "last block": (functools.partial(_places, part=slice(-1 - block, -1)), {"weight": jnp.zeros((block, size))}),
        "first block": (_first_block, {"weight": jnp.zeros((block + 1, size))}),
        f"attention over {_TAIL_BLOCKS} blocks": (
            functools.partial(_attend, tail=tail + 1),
            {
                "token": normal(0, size, _WIDTH) * size**0.5,
                "place": normal(1, tail + 1, _WIDTH),
                "query_key_value": normal(2, _WIDTH, 3 * _WIDTH),
                "out": normal(3, _WIDTH, 1),
            },
        ),
    }


def _bag(parameters: dict, tokens_BxT: jax.Array) -> jax.Array:
    return parameters["weight"][tokens_BxT].sum(axis=1) + parameters["bias"]


def _places(parameters: dict, tokens_BxT: jax.Array, part: slice) -> jax.Array:
    tokens_BxK = tokens_BxT[:, part]
    return parameters["weight"][jnp.arange(tokens_BxK.shape[1]), tokens_BxK].sum(axis=1)


def _first_block(parameters: dict, tokens_BxT: jax.Array) -> jax.Array:
    starts_B = jnp.argmax(tokens_BxT > 0, axis=1)
    places_BxK = starts_B[:, None] + jnp.arange(parameters["weight"].shape[0])
    tokens_BxK = jnp.take_along_axis(tokens_BxT, jnp.minimum(places_BxK, tokens_BxT.shape[1] - 1), axis=1)
    return parameters["weight"][jnp.arange(tokens_BxK.shape[1]), tokens_BxK].sum(axis=1)


def _attend(parameters: dict, tokens_BxT: jax.Array, tail: int) -> jax.Array:
    """One layer of attention; the answer is read at the last token."""
    tokens_BxK = tokens_BxT[:, -tail:]
    x_BxKxD = parameters["token"][tokens_BxK] + parameters["place"][-tokens_BxK.shape[1] :]
    query, key, value = jnp.split(x_BxKxD @ parameters["query_key_value"], 3, axis=2)
    weights_BxK = jax.nn.softmax(jnp.einsum("bd,bkd->bk", query[:, -1], key) / query.shape[2] ** 0.5)
    return (jax.nn.relu(jnp.einsum("bk,bkd->bd", weights_BxK, value)) @ parameters["out"])[:, 0]


def _fit(predict: Predictor, parameters: dict, training: Examples, seed: int) -> dict:
    """Minimise the cross-entropy by Adam."""
    optimizer = optax.adam(optax.cosine_decay_schedule(_RATE, _STEPS))
    tokens_PxT, halts_P = jnp.asarray(training.tokens_PxT), jnp.asarray(training.halts_P)

    def loss(parameters: dict, rows: jax.Array) -> jax.Array:
        return optax.sigmoid_binary_cross_entropy(predict(parameters, tokens_PxT[rows]), halts_P[rows]).mean()

    def step(carry: tuple, key: jax.Array) -> tuple[tuple, None]:
        parameters, state = carry
        rows = jax.random.randint(key, (_BATCH,), 0, len(halts_P))
        updates, state = optimizer.update(jax.grad(loss)(parameters, rows), state)
        return (optax.apply_updates(parameters, updates), state), None

    keys = jax.random.split(jax.random.key(seed), _STEPS)
    return jax.jit(lambda carry: jax.lax.scan(step, carry, keys)[0][0])((parameters, optimizer.init(parameters)))
