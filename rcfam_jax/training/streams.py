"""A dataset's recordings as streams of tokens, divided into a training and a validation part."""

import functools
import math
import pathlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from data_gen.dataset import Dataset, Recording
from data_gen.errors import UserError
from data_gen.tokenizer import Tokenizer
from rcfam_jax.training.token_counts import count_recordings, count_tokens, encode_record
from rcfam_jax.training.unreadable import telling_how_to_regenerate

_KEPT_FRAMES = 1 << 22
"""Of how many frames the tokens are kept once they were asked for, at up to 12 bytes a frame."""


class TokenStream:
    """The frames `first` to `end` of a recording as tokens; no token crosses the border of a record or of the stream.

    Only the number of tokens in each record is kept; the tokens are made again when they are asked for.
    """

    def __init__(
        self,
        name: str,
        recording: Recording,
        tokenizer: Tokenizer,
        first: int,
        end: int,
        tokens_R: np.ndarray | None = None,
        skip_corrupt: bool = False,
        encode: Callable = encode_record,
    ):
        """`tokens_R` are the counts of the recording's records; without them those of the stream are counted now.

        `encode` does what `encode_record` does, and may keep what it has done.
        """
        self.name = name
        self.recording = recording
        self._frames = range(first, end)
        self._first_record = first // recording.frames_per_record
        self._encode = lambda record: encode(recording, tokenizer, record + self._first_record, self._frames)

        def count(record: int) -> int:
            whole = range(record * recording.frames_per_record, (record + 1) * recording.frames_per_record)
            if tokens_R is not None and first <= whole.start and min(whole.stop, recording.frames) <= end:
                return int(tokens_R[record])
            return count_tokens(recording, tokenizer, record, self._frames, skip_corrupt)

        last_record = math.ceil(end / recording.frames_per_record) if end > first else self._first_record
        self._ends = np.cumsum([count(record) for record in range(self._first_record, last_record)], dtype=np.int64)

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def record_tokens(self) -> Iterator[range]:
        """Which tokens each record of the stream has, in order; none if it could not be read when they were counted."""
        return map(range, (0, *self._ends[:-1].tolist()), self._ends.tolist())

    def tokens(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        """The tokens `start` to `stop` of the stream and the frames at which they start: int32, int64."""
        first, last = np.searchsorted(self._ends, (start, stop - 1), side="right")
        tokens, frames = zip(*(self._encode(record) for record in range(first, last + 1)), strict=True)
        offset = int(self._ends[first - 1]) if first else 0
        part = slice(start - offset, stop - offset)
        return np.concatenate(tokens)[part], np.concatenate(frames)[part]


class Splits(NamedTuple):
    """What a model learns from and what it is held against."""

    training: list[TokenStream]
    validation: list[TokenStream]


class Corpus(NamedTuple):
    """A dataset opened for a model."""

    dataset: Dataset
    tokenizer: Tokenizer
    splits: Splits

    def checksums(self) -> dict[str, str]:
        """What tells this dataset and this tokenizer from others."""
        return {"dataset": self.dataset.checksum, "tokenizer": self.tokenizer.checksum}


def validation_border(commits: np.ndarray, frames: int, fraction: float) -> int:
    """The frame at which the last `fraction` of a recording's commits begin (at least one; none of a lone commit).

    `commits` are the frames at which they begin, `frames` how many frames there are.
    """
    if len(commits) < 2 or fraction == 0:
        return frames
    return int(commits[-max(1, round(fraction * len(commits)))])


def split(dataset: Dataset, tokenizer: Tokenizer, config: Any) -> Splits:
    """Divide a dataset as `config` (the section `data`) says; a part of a recording without tokens is left out."""
    held_out = set(config.validation_recordings)
    if unknown := held_out - set(dataset.recordings):
        raise UserError(f"data.validation_recordings: {sorted(unknown)[0]!r} is not in the dataset {config.path}")
    splits = Splits([], [])
    counts = count_recordings(dataset, tokenizer, config.read_threads, config.skip_corrupt)
    encode = functools.lru_cache(_KEPT_FRAMES // dataset.frames_per_record)(encode_record)  # one for all streams
    for name, recording in dataset.recordings.items():
        if held_out:
            border = 0 if name in held_out else recording.frames
        else:
            border = validation_border(counts[name].commits, recording.frames, config.validation_fraction)
        for streams, first, end in ((splits[0], 0, border), (splits[1], border, recording.frames)):
            tokens_R = counts[name].tokens_R
            stream = TokenStream(name, recording, tokenizer, first, end, tokens_R, config.skip_corrupt, encode)
            if len(stream):
                streams.append(stream)
    if not splits.training:
        raise UserError(f"no frames of the dataset {config.path} are left to train on")
    return splits


def open_corpus(config: Any) -> Corpus:
    """Open the dataset and tokenizer of a configuration; `UserError` where the model does not fit them."""
    dataset = Dataset(pathlib.Path(config.data.path))
    tokenizer = Tokenizer.load(pathlib.Path(config.data.tokenizer or pathlib.Path(config.data.path) / "tokenizer.json"))
    for ours, theirs in (("rows", dataset.rows), ("columns", dataset.columns)):
        if config.model[ours] != theirs:
            raise UserError(f"model.{ours} is {config.model[ours]}, but {config.data.path} has {theirs} {ours}")
    if config.model.vocabulary_size != tokenizer.vocab_size:
        raise UserError(
            f"model.vocabulary_size is {config.model.vocabulary_size}, but the tokenizer's is {tokenizer.vocab_size}"
        )
    with telling_how_to_regenerate(dataset):
        return Corpus(dataset, tokenizer, split(dataset, tokenizer, config.data))
