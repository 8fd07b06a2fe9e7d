"""What is measured of predictions: cross-entropy, accuracy, sustained accuracy, error-free prefix."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax


class TokenScores(NamedTuple):
    """How well each token was predicted."""

    cross_entropy_BxT: jax.Array
    correct_BxT: jax.Array  # bool: the token was the likeliest of all


def score_tokens(logits_BxTxV: jax.Array, tokens_BxT: jax.Array) -> TokenScores:
    """Score logits against the tokens that were typed."""
    cross_entropy_BxT = optax.softmax_cross_entropy_with_integer_labels(logits_BxTxV, tokens_BxT)
    return TokenScores(cross_entropy_BxT, jnp.argmax(logits_BxTxV, axis=-1) == tokens_BxT)


def masked_mean(values_BxT: jax.Array, mask_BxT: jax.Array) -> jax.Array:
    """The mean of the values that the mask keeps; 0 if it keeps none."""
    return jnp.where(mask_BxT, values_BxT, 0).sum() / jnp.maximum(mask_BxT.sum(), 1)


class Estimate(NamedTuple):
    """A number measured over windows, with its bootstrap interval."""

    value: float
    low: float
    high: float


class WindowCounts(NamedTuple):
    """What the metrics need to know of each of W windows. Windows without tokens are not counted."""

    tokens_W: np.ndarray
    cross_entropy_W: np.ndarray  # summed over tokens
    correct_W: np.ndarray
    prefix_W: np.ndarray  # correct tokens before the first error


def count_windows(cross_entropy_WxT: np.ndarray, correct_WxT: np.ndarray, mask_WxT: np.ndarray) -> WindowCounts:
    """Sum scores over each window's tokens, which the mask keeps, from its beginning on."""
    kept = mask_WxT.any(axis=1)
    mask_WxT, correct_WxT = mask_WxT[kept], correct_WxT[kept] & mask_WxT[kept]
    return WindowCounts(
        tokens_W=mask_WxT.sum(axis=1),
        cross_entropy_W=np.where(mask_WxT, cross_entropy_WxT[kept], 0).sum(axis=1, dtype=np.float64),
        correct_W=correct_WxT.sum(axis=1),
        prefix_W=np.cumprod(correct_WxT, axis=1).sum(axis=1),
    )


def cross_entropy(counts: WindowCounts) -> float:
    """Mean nats a token."""
    return float(counts.cross_entropy_W.sum() / counts.tokens_W.sum())


def accuracy(counts: WindowCounts) -> float:
    """The share of tokens predicted correctly."""
    return float(counts.correct_W.sum() / counts.tokens_W.sum())


def sustained_accuracy(counts: WindowCounts) -> float:
    """The mean number of correct predictions in a row: correct predictions over errors, pooled over all windows.

    (Paper, section 10.4.1, "the average number of correct frames in a row without interruption".) With no error at all
    it is the number of correct predictions, a lower bound.
    """
    correct = counts.correct_W.sum()
    return float(correct / max(counts.tokens_W.sum() - correct, 1))


def error_free_prefix(counts: WindowCounts) -> float:
    """The mean number of correct predictions before a window's first error, or before its end where it has none."""
    return float(counts.prefix_W.mean())


def share_without_error(counts: WindowCounts) -> float:
    """The share of windows without an error, whose error-free prefix is cut off by the window's end."""
    return float((counts.prefix_W == counts.tokens_W).mean())


def bootstrap(metric: Callable[[WindowCounts], float], counts: WindowCounts, seed: int = 0) -> Estimate:
    """A metric with its 95% interval: the percentiles over 1,000 resamplings of the windows with replacement."""
    generator = np.random.default_rng(seed)
    num_windows = len(counts.tokens_W)
    samples = (generator.integers(0, num_windows, num_windows) for _ in range(1000))
    resampled = [metric(WindowCounts(*(array_W[sample] for array_W in counts))) for sample in samples]
    low, high = np.percentile(resampled, (2.5, 97.5))
    return Estimate(metric(counts), float(low), float(high))
