"""Predictors that see no frames: the most frequent token, and the most frequent token after the one before.

Both are fitted on the training part. Their top choices are by plain counts; their probabilities, for the cross-entropy,
are counts smoothed so that no token is impossible.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from rcfam_jax.training.streams import TokenStream

_SPAN = 1 << 16


class Scores(NamedTuple):
    """How well each of n tokens was predicted."""

    cross_entropy_n: np.ndarray
    correct_n: np.ndarray  # bool


class FrequentToken:
    """Always predicts the token that is most frequent; every token is counted once more than it was seen."""

    def __init__(self, counts_V: np.ndarray):
        self.probabilities_V = (counts_V + 1) / (counts_V.sum() + len(counts_V))
        self._best = int(np.argmax(counts_V))

    def score(self, tokens_n: np.ndarray, previous_n: np.ndarray) -> Scores:
        """Score the predictions of `tokens_n`; what came before does not matter."""
        del previous_n
        return Scores(-np.log(self.probabilities_V[tokens_n]), tokens_n == self._best)


class FrequentFollower:
    """Predicts the token that most often follows the one before, or the most frequent token after an unseen one.

    Probabilities are Witten and Bell's: those of `FrequentToken` weigh as much as the previous token has distinct
    followers. Where nothing came before (-1), it is `FrequentToken`.
    """

    def __init__(self, pairs: np.ndarray, counts: np.ndarray, fallback: FrequentToken):
        """`pairs`: sorted, previous * V + token; `counts`: how often each was seen."""
        self._fallback, self._vocab = fallback, len(fallback.probabilities_V)
        self._pairs, self._counts = pairs, counts
        previous, token = np.divmod(pairs, self._vocab)
        self._seen_V = np.bincount(previous, counts, self._vocab)
        self._distinct_V = np.bincount(previous, minlength=self._vocab)
        ascending = np.lexsort((-token, counts, previous))
        self._best_V = np.full(self._vocab, np.argmax(fallback.probabilities_V))
        self._best_V[previous[ascending]] = token[ascending]  # the last of each previous token stays: the most frequent

    def score(self, tokens_n: np.ndarray, previous_n: np.ndarray) -> Scores:
        """Score the predictions of `tokens_n`, each after the token before it."""
        wanted_n = previous_n.astype(np.int64) * self._vocab + tokens_n
        places_n = np.minimum(np.searchsorted(self._pairs, wanted_n), len(self._pairs) - 1)
        count_n = np.where(self._pairs[places_n] == wanted_n, self._counts[places_n], 0)
        weight_n = np.maximum(self._distinct_V[previous_n], 1)
        smoothed_n = count_n + weight_n * self._fallback.probabilities_V[tokens_n]
        probability_n = smoothed_n / (self._seen_V[previous_n] + weight_n)
        after_n = Scores(-np.log(probability_n), self._best_V[previous_n] == tokens_n)
        first_n = self._fallback.score(tokens_n, previous_n)
        return Scores(*(np.where(previous_n < 0, first, after) for first, after in zip(first_n, after_n, strict=True)))


Baseline = FrequentToken | FrequentFollower


def fit_baselines(streams: Sequence[TokenStream], vocab_size: int) -> dict[str, Baseline]:
    """Both predictors by name, from the tokens and pairs of neighbours of whole streams."""
    counts_V = np.zeros(vocab_size, np.int64)
    pairs, pair_counts = np.empty(0, np.int64), np.empty(0, np.int64)
    for tokens_n, previous_n in _spans(streams):
        counts_V += np.bincount(tokens_n, minlength=vocab_size)
        new = (previous_n.astype(np.int64) * vocab_size + tokens_n)[previous_n >= 0]
        weights = np.concatenate([pair_counts, np.ones(len(new), np.int64)])
        pairs, inverse = np.unique(np.concatenate([pairs, new]), return_inverse=True)
        pair_counts = np.bincount(inverse, weights, len(pairs)).astype(np.int64)
    frequent = FrequentToken(counts_V)
    return {"frequent_token": frequent, "frequent_follower": FrequentFollower(pairs, pair_counts, frequent)}


def with_previous(stream: TokenStream, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
    """The tokens `start` to `stop` of a stream, and the token before each of them, -1 where there is none."""
    tokens_n = stream.tokens(max(start - 1, 0), stop)[0]
    if start == 0:
        tokens_n = np.concatenate([np.array([-1], np.int32), tokens_n])
    return tokens_n[1:], tokens_n[:-1]


def _spans(streams: Iterable[TokenStream]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for stream in streams:
        for start in range(0, len(stream), _SPAN):
            yield with_previous(stream, start, min(start + _SPAN, len(stream)))
