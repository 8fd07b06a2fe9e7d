import collections
import itertools
import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.dataset import Dataset
from data_gen.texz.record import TexzError
from data_gen.tokenizer import Tokenizer
from rcfam_jax.training import metrics
from rcfam_jax.training.baselines import FrequentFollower, FrequentToken, fit_baselines, with_previous
from rcfam_jax.training.evaluation import count_baseline, describe, table
from rcfam_jax.training.streams import TokenStream
from rcfam_jax.training.windows import read_window, validation_places


def counts_of(rows):
    """Rows of predictions: 1 right, 0 wrong, None no token."""
    width = max(map(len, rows))
    padded = [list(row) + [None] * (width - len(row)) for row in rows]
    mask_WxT = np.array([[value is not None for value in row] for row in padded])
    correct_WxT = np.array([[bool(value) for value in row] for row in padded])
    return metrics.count_windows(np.full(mask_WxT.shape, 2.0), correct_WxT, mask_WxT)


def test_metrics_by_hand():
    counts = counts_of([[1, 1, 0, 1], [1, 1, 1], [0, 1, 1, 1], []])
    assert metrics.cross_entropy(counts) == 2.0
    assert metrics.accuracy(counts) == 9 / 11
    assert metrics.sustained_accuracy(counts) == 9 / 2
    assert metrics.error_free_prefix(counts) == (2 + 3 + 0) / 3
    assert metrics.share_without_error(counts) == 1 / 3


def test_without_an_error_sustained_accuracy_is_a_lower_bound():
    description = describe(counts_of([[1, 1, 1], [1, 1]]))
    assert description["without_any_error"]
    assert description["sustained_accuracy"]["value"] == 5
    assert "≥ 5.000" in table({"model": description})
    assert "≥" not in table({"model": describe(counts_of([[1, 0]]))})


@given(st.lists(st.lists(st.booleans(), min_size=1, max_size=9), min_size=1, max_size=9))
def test_metrics_equal_a_count_over_the_stream(rows):
    counts = counts_of(rows)
    prefixes = [row.index(False) if False in row else len(row) for row in rows]
    right, wrong = sum(map(sum, rows)), sum(len(row) - sum(row) for row in rows)
    assert metrics.sustained_accuracy(counts) == right / max(wrong, 1)
    assert metrics.error_free_prefix(counts) == pytest.approx(np.mean(prefixes))


def test_bootstrap_covers_the_truth_about_as_often_as_it_says():
    generator, covered = np.random.default_rng(0), 0
    for seed in range(60):
        rows = (generator.random((60, 5)) < generator.beta(2, 2, (60, 1))).astype(int)
        estimate = metrics.bootstrap(metrics.accuracy, counts_of(rows.tolist()), seed)
        assert estimate.low <= estimate.value <= estimate.high
        covered += estimate.low <= 0.5 <= estimate.high
    assert 51 <= covered <= 60


def test_bootstrap_is_seeded():
    counts = counts_of((np.random.default_rng(0).random((50, 9)) < 0.5).astype(int).tolist())
    assert metrics.bootstrap(metrics.accuracy, counts, 1) == metrics.bootstrap(metrics.accuracy, counts, 1)
    assert metrics.bootstrap(metrics.accuracy, counts, 1) != metrics.bootstrap(metrics.accuracy, counts, 2)


@pytest.fixture(scope="module")
def tokenizer(dataset_folder):
    return Tokenizer.load(dataset_folder / "tokenizer.json")


@pytest.fixture(scope="module")
def streams(dataset_folder, tokenizer):
    dataset = Dataset(dataset_folder)
    return [
        TokenStream(name, recording, tokenizer, 0, recording.frames) for name, recording in dataset.recordings.items()
    ]


def test_baselines_equal_plain_counting(streams, tokenizer):
    unigrams, followers = collections.Counter(), collections.defaultdict(collections.Counter)
    for stream in streams:
        tokens = stream.tokens(0, len(stream))[0].tolist()
        unigrams.update(tokens)
        for previous, token in itertools.pairwise(tokens):
            followers[previous][token] += 1
    frequent, follower = fit_baselines(streams, tokenizer.vocab_size).baselines.values()
    best = lambda counter: min(counter, key=lambda token: (-counter[token], token))  # noqa: E731
    probability = lambda token: (unigrams[token] + 1) / (unigrams.total() + tokenizer.vocab_size)  # noqa: E731
    some_tokens = [*list(unigrams)[:20], tokenizer.vocab_size - 1]
    for previous, token in itertools.product([-1, *list(followers)[:20]], some_tokens):
        arrays = np.array([token], np.int32), np.array([previous], np.int32)
        score = frequent.score(*arrays)
        assert score.cross_entropy_n[0] == pytest.approx(-np.log(probability(token)))
        assert score.correct_n[0] == (token == best(unigrams))
        if previous < 0:
            assert follower.score(*arrays) == score
            continue
        seen = followers[previous]
        smoothed = (seen[token] + len(seen) * probability(token)) / (seen.total() + len(seen))
        score = follower.score(*arrays)
        assert score.cross_entropy_n[0] == pytest.approx(-np.log(smoothed))
        assert score.correct_n[0] == (token == best(seen))


@pytest.mark.parametrize("previous", [-1, 0, 1, 2, 5])
def test_baselines_give_probabilities(previous):
    pairs = np.array([0 * 6 + 1, 0 * 6 + 2, 1 * 6 + 0, 2 * 6 + 2])
    frequent = FrequentToken(np.array([3, 2, 4, 0, 0, 0]))
    for baseline in (frequent, FrequentFollower(pairs, np.array([2, 2, 1, 7]), frequent)):
        score = baseline.score(np.arange(6), np.full(6, previous))
        assert np.exp(-score.cross_entropy_n).sum() == pytest.approx(1)
        assert score.correct_n.sum() == 1


def test_a_baseline_knows_the_token_before_the_window(streams):
    everything = streams[0].tokens(0, len(streams[0]))[0]
    np.testing.assert_array_equal(with_previous(streams[0], 7, 9), (everything[7:9], everything[6:8]))
    np.testing.assert_array_equal(with_previous(streams[0], 0, 2), (everything[:2], [-1, everything[0]]))


def test_a_baseline_is_counted_over_every_token_of_the_windows(streams, tokenizer):
    follower = fit_baselines(streams, tokenizer.vocab_size).baselines["frequent_follower"]
    counts = count_baseline(follower, streams, validation_places(streams, 16), 16)
    whole = [follower.score(*with_previous(stream, 0, len(stream))) for stream in streams]
    assert counts.tokens_W.sum() == sum(map(len, streams))
    assert counts.correct_W.sum() == sum(score.correct_n.sum() for score in whole)
    assert counts.cross_entropy_W.sum() == pytest.approx(sum(score.cross_entropy_n.sum() for score in whole))


@pytest.mark.parametrize("counted", [True, False])
def test_baselines_leave_out_what_cannot_be_read(dataset_folder, tokenizer, damage, tmp_path, counted):
    """The record is damaged after its tokens were counted, or before. No pair bridges it, and no window reaches it."""
    folder, damaged = shutil.copytree(dataset_folder, tmp_path / "data"), 2
    recording = Dataset(folder).recordings["long"]
    tokens_R = np.array([len(tokenizer.encode(actions_S)[0]) for actions_S in recording.actions()])
    records = [tokenizer.encode(actions_S)[0].tolist() for actions_S in recording.actions()]
    damage(folder, "long", damaged)
    recording = Dataset(folder).recordings["long"]
    known = tokens_R if counted else None
    stream = TokenStream("long", recording, tokenizer, 0, recording.frames, known, skip_corrupt=True)
    if counted:
        with pytest.raises(TexzError):
            fit_baselines([stream], tokenizer.vocab_size)
    fitted = fit_baselines([stream], tokenizer.vocab_size, skip_corrupt=True)
    assert fitted.skipped_records == 1
    parts = [list(itertools.chain(*part)) for part in (records[:damaged], records[damaged + 1 :])]
    pairs = collections.Counter(pair for part in parts for pair in itertools.pairwise(part))
    unigrams = collections.Counter(itertools.chain(*parts))
    total = sum(unigrams.values()) + tokenizer.vocab_size
    frequent, follower = fitted.baselines.values()
    np.testing.assert_allclose(
        frequent.probabilities_V, [(unigrams[token] + 1) / total for token in range(tokenizer.vocab_size)]
    )
    assert dict(zip(follower._pairs.tolist(), follower._counts.tolist(), strict=True)) == {
        before * tokenizer.vocab_size + token: count for (before, token), count in pairs.items()
    }
    places = validation_places([stream], 16)
    counts = count_baseline(follower, [stream], places, 16, skip_corrupt=True)
    readable = [place for place in places if can_be_read(stream, place)]
    assert 0 < len(counts.tokens_W) == len(readable) < len(places)
    assert counts.tokens_W.tolist() == [place.stop - place.start for place in readable]


def can_be_read(stream, place):
    try:
        read_window([stream], place, 16)
    except TexzError:
        return False
    return True
