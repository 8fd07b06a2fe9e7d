"""Predictors that see no frames: the most frequent token, and the most frequent token after the one before.

Both are fitted on the training part. Their top choices are by plain counts; their probabilities, for the cross-entropy,
are counts smoothed so that no token is impossible.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from data_gen.texz.record import TexzError
from rcfam_jax.training.streams import TokenStream
from rcfam_jax.training.unreadable import warn_of_skipped

_RECORDS = 64
"""How many are counted at once."""


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


class Fitted(NamedTuple):
    """Predictors and what they were fitted without."""

    baselines: dict[str, Baseline]  # by name
    skipped_records: int


def fit_baselines(streams: Sequence[TokenStream], vocab_size: int, skip_corrupt: bool = False) -> Fitted:
    """Both predictors, from the tokens and pairs of neighbours of whole streams.

    With `skip_corrupt` records that cannot be read are counted and left out; else they raise `TexzError`.
    """
    counts_V, skipped = np.zeros(vocab_size, np.int64), 0
    pairs, pair_counts = np.empty(0, np.int64), np.empty(0, np.int64)
    records = _records(streams, skip_corrupt)
    while some := list(itertools.islice(records, _RECORDS)):
        skipped += sum(not len(tokens_n) for tokens_n, _ in some)
        tokens_n, previous_n = (np.concatenate(arrays) for arrays in zip(*some, strict=True))
        counts_V += np.bincount(tokens_n, minlength=vocab_size)
        new = (previous_n.astype(np.int64) * vocab_size + tokens_n)[previous_n >= 0]
        weights = np.concatenate([pair_counts, np.ones(len(new), np.int64)])
        pairs, inverse = np.unique(np.concatenate([pairs, new]), return_inverse=True)
        pair_counts = np.bincount(inverse, weights, len(pairs)).astype(np.int64)
    frequent = FrequentToken(counts_V)
    follower = FrequentFollower(pairs, pair_counts, frequent)
    return Fitted({"frequent_token": frequent, "frequent_follower": follower}, skipped)


def with_previous(
    stream: TokenStream, start: int, stop: int, skip_corrupt: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """The tokens `start` to `stop` of a stream, and the token before each of them.

    It is -1 where there is none and, with `skip_corrupt`, where the first one's lies in a record that cannot be read.
    """
    before = _read(stream, range(max(start - 1, 0), start), skip_corrupt)
    return _after(before, stream.tokens(start, stop)[0])


def _records(streams: Iterable[TokenStream], skip_corrupt: bool) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """What `with_previous` gives of each record of streams; nothing of one that cannot be read."""
    for stream in streams:
        before = np.empty(0, np.int32)
        for tokens in stream.record_tokens():
            tokens_n = _read(stream, tokens, skip_corrupt)
            yield _after(before, tokens_n)
            before = tokens_n[-1:]


def _after(before: np.ndarray, tokens_n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tokens and the token before each of them; `before`, that of the first one, is empty if there is none."""
    first = before if len(before) else np.array([-1], np.int32)
    return tokens_n, np.concatenate([first, tokens_n])[:-1]


def _read(stream: TokenStream, tokens: range, skip_corrupt: bool) -> np.ndarray:
    """These tokens of a stream; with `skip_corrupt` none if they cannot be read."""
    try:
        return stream.tokens(tokens.start, tokens.stop)[0] if tokens else np.empty(0, np.int32)
    except TexzError as error:
        if not skip_corrupt:
            raise
        warn_of_skipped(str(error))
        return np.empty(0, np.int32)
