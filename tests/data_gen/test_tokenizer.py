import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen import actions, tokenizer
from data_gen.errors import UserError

streams = st.lists(
    st.one_of(
        st.integers(0, actions.NUM_ACTIONS - 1).map(lambda action: [action]),
        st.sampled_from(["for", "forEach", "for_each", "HTTPServer", "    ", "1024", "+=", "é"]).map(
            lambda text: list(text.encode())
        ),
        st.integers(1, 40).map(lambda count: [actions.Key.LEFT] * count),
    ),
    max_size=60,
).map(lambda parts: np.array([action for part in parts for action in part], np.uint16))


def typed(text: str) -> np.ndarray:
    return actions.from_bytes(text.encode())


@given(streams, streams)
def test_tokens_spell_the_stream_whatever_they_were_trained_on(corpus, stream):
    trained = tokenizer.train([corpus], 320)
    tokens, starts = trained.encode(stream)
    spelled = [action for token in tokens for action in trained.actions_of(token)]
    assert spelled == list(stream)
    lengths = [len(trained.actions_of(token)) for token in tokens]
    assert list(starts) == list(np.cumsum([0, *lengths])[:-1])


@given(streams, streams)
def test_each_token_is_the_longest_that_matches(corpus, stream):
    trained = tokenizer.train([corpus], 320)
    text = "".join(map(chr, stream))
    for token, start in zip(*trained.encode(stream), strict=True):
        longest = max((piece for piece in trained.pieces if text.startswith(piece, start)), key=len)
        assert trained.pieces[token] == longest


def test_words_are_cut_where_case_and_kind_change():
    trained = tokenizer.train([typed("getHTTPServer_name42 + MAX_SIZE\r" * 3)], 512)
    pieces = set(trained.pieces[actions.NUM_ACTIONS :])
    assert pieces == {"get", "HTTP", "Server", "name", "42", "MAX", "SIZE"}


def test_popularity_decides():
    corpus = typed("alpha " * 5 + "beta " * 9 + "gamma " * 2)
    trained = tokenizer.train([corpus], 272)
    assert trained.pieces[actions.NUM_ACTIONS :] == ("beta", "alpha", "gamma")


def test_training_counts_over_all_streams_and_ignores_their_order():
    parts = [typed("one two three"), typed("two three"), typed("three two")]
    assert tokenizer.train(parts, 272).checksum == tokenizer.train(parts[::-1], 272).checksum


def test_a_saved_tokenizer_is_the_same_when_loaded(tmp_path):
    trained = tokenizer.train([typed("def main(): return main() # é é"), np.array([256] * 5)], 288)
    trained.save(tmp_path / "tokenizer.json")
    loaded = tokenizer.Tokenizer.load(tmp_path / "tokenizer.json")
    assert (loaded.pieces, loaded.vocab_size, loaded.checksum) == (trained.pieces, 288, trained.checksum)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format_version": 9, "vocab_size": 272, "pieces": []}'])
def test_a_file_that_is_no_tokenizer_is_refused_by_name(tmp_path, text):
    path = tmp_path / "tokenizer.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"tokenizer\.json"):
        tokenizer.Tokenizer.load(path)


def test_a_missing_file_says_how_to_make_it(tmp_path):
    with pytest.raises(UserError, match="train_tokenizer"):
        tokenizer.Tokenizer.load(tmp_path / "none.json")


@pytest.mark.parametrize("pieces, vocab_size", [(["ab", "ab"], 272), (["a"], 272), ([""], 272), ([], 270), ([], 264)])
def test_a_vocabulary_that_cannot_be_is_refused(tmp_path, pieces, vocab_size):
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps({"format_version": 1, "vocab_size": vocab_size, "pieces": pieces}))
    with pytest.raises(UserError):
        tokenizer.Tokenizer.load(path)


def test_a_token_outside_the_vocabulary_is_an_error():
    trained = tokenizer.train([], 272)
    assert len(trained.actions_of(271)) == 0
    with pytest.raises(ValueError, match="272"):
        trained.actions_of(272)
