"""The shortcut floor of the Forward-Referencing Jumps Task: how well predictors do that execute nothing.

They are fitted on the programs that the models learn from, and scored on about 20,000 others of at least `DEEP` blocks,
where an accuracy has a standard error of 0.35 points. The bag of tokens and the first and the last block are additive
in one-hot tokens: no token changes what another one says. What they reach can be had without following a program; a
diagnostic is worth only what lies above.

Of programs of 8 blocks the last 1, 2, ... 6 alone tell 56.0, 56.3, 58.2, 60.3, 62.1 and 63.8% at best (Bayes' optimum,
the register being uniform where they are entered), but to get there a predictor has to execute them.
"""

import contextlib
import functools
import json
import pathlib
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import optax

from data_gen.atomic import write_file
from rcfam_jax.diagnostics.checksum import checksum
from rcfam_jax.diagnostics.frjt import TOKENS_PER_BLOCK, Examples, Vocabulary, draw, examples

DEEP = 8
_SCORED = 20_000
_STEPS, _BATCH, _RATE = 2000, 512, 1e-2
_TAIL_BLOCKS, _WIDTH = 4, 32

Predictor = Callable[[dict, jax.Array], jax.Array]
"""From parameters and tokens_BxT to the log-odds of halting in B, [B]."""


def remembered_floor(path: pathlib.Path, training: Examples, vocabulary: Vocabulary, seed: int) -> dict[str, float]:
    """The shortcut floor from the file at `path`; measured and written there if that is of other programs or broken."""
    programs = checksum(training)
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        kept = json.loads(path.read_bytes())
        if kept["programs"] == programs:
            return {name: float(accuracy) for name, accuracy in dict(kept["accuracy"]).items()}
    floor = shortcut_floor(training, vocabulary, seed)
    write_file(path, (json.dumps({"programs": programs, "accuracy": floor}, indent=1) + "\n").encode())
    return floor


def shortcut_floor(training: Examples, vocabulary: Vocabulary, seed: int) -> dict[str, float]:
    """The accuracy of each predictor on about 20,000 `unseen` programs."""
    return accuracies(training, unseen(training, vocabulary, seed), vocabulary, seed)


def unseen(training: Examples, vocabulary: Vocabulary, seed: int) -> Examples:
    """Fresh programs, none of which is in `training`: as many of each depth from `DEEP`, or the greatest, on.

    About 20,000 together, fewer only where most programs of a small depth are learned from; some of those may be alike.
    """
    depths = range(min(DEEP, vocabulary.max_blocks), vocabulary.max_blocks + 1)
    wanted = _SCORED // len(depths)
    parts = []
    for depth in depths:
        learned = {row.tobytes() for row in training.tokens_PxT[training.depths_P == depth]}
        rng = np.random.default_rng([seed, depth, 1])  # never the `[seed, depth]` of what is learned from
        drawn = examples(draw(rng, 2 * wanted, depth), vocabulary)
        is_new = np.array([row.tobytes() not in learned for row in drawn.tokens_PxT])
        parts.append(Examples(*(array[is_new][:wanted] for array in drawn)))
    return Examples(*map(np.concatenate, zip(*parts, strict=True)))


def accuracies(training: Examples, scored: Examples, vocabulary: Vocabulary, seed: int) -> dict[str, float]:
    """How often each predictor, fitted to `training`, is right about `scored`."""
    majority = training.halts_P.mean() > 0.5
    accuracy = {"majority": float((scored.halts_P == majority).mean())}
    for name, (predict, parameters) in _predictors(vocabulary, jax.random.key(seed)).items():
        fitted = _fit(predict, parameters, training, seed)
        parts = np.array_split(scored.tokens_PxT, -(-len(scored.tokens_PxT) // _BATCH))
        scores_P = np.concatenate([predict(fitted, jnp.asarray(part)) for part in parts])
        accuracy[name] = float(((scores_P > 0) == scored.halts_P).mean())
    return accuracy


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
