"""What must be known of every recording before windows can be cut: the tokens of its records, where its commits begin.

To count, the actions of a whole dataset are decoded, so the counts are kept in its folder, in a file named after the
checksums of dataset and tokenizer. Where the folder cannot be written to, they are counted each time.
"""

import contextlib
import functools
import hashlib
import io
import pathlib
import zipfile
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from data_gen.atomic import write_file
from data_gen.dataset import Dataset, Recording
from data_gen.texz.record import TexzError
from data_gen.tokenizer import Tokenizer
from rcfam_jax.training.unreadable import warn_of_skipped

FOLDER = "token_counts"


class RecordingCounts(NamedTuple):
    """What is counted of one recording."""

    tokens_R: np.ndarray  # of each record, int64; 0 if it cannot be read
    commits: np.ndarray  # the frame at which each begins, int64


def encode_record(
    recording: Recording, tokenizer: Tokenizer, record: int, frames: range
) -> tuple[np.ndarray, np.ndarray]:
    """The tokens of those frames of a record that are in `frames`, and the frame at which each starts: int32, int64."""
    base = record * recording.frames_per_record
    actions_S = recording.record_actions(record)
    low, high = max(frames.start - base, 0), min(frames.stop - base, len(actions_S))
    tokens, starts = tokenizer.encode(actions_S[low:high])
    return tokens, starts.astype(np.int64) + (base + low)


def count_tokens(recording: Recording, tokenizer: Tokenizer, record: int, frames: range, skip_corrupt: bool) -> int:
    """How many tokens `encode_record` finds; with `skip_corrupt` a record that cannot be read has none."""
    try:
        return len(encode_record(recording, tokenizer, record, frames)[0])
    except TexzError as error:
        if not skip_corrupt:
            raise
        warn_of_skipped(str(error))
        return 0


def count_recordings(
    dataset: Dataset, tokenizer: Tokenizer, threads: int, skip_corrupt: bool
) -> dict[str, RecordingCounts]:
    """The counts of all recordings by name, read from their file or counted on `threads` threads and kept."""
    digest = hashlib.sha256(f"{dataset.checksum} {tokenizer.checksum}".encode()).hexdigest()
    path = dataset.path / FOLDER / f"{digest[:32]}.npz"
    if (counts := _load(path, dataset)) is None:
        counts = _count(dataset, tokenizer, threads, skip_corrupt)
        if all(count.tokens_R.all() for count in counts.values()):
            with contextlib.suppress(OSError):
                _save(path, counts)
    return counts


def _count(dataset: Dataset, tokenizer: Tokenizer, threads: int, skip_corrupt: bool) -> dict[str, RecordingCounts]:
    counts = {}
    with ThreadPoolExecutor(threads) as pool:
        for name, recording in dataset.recordings.items():
            count = functools.partial(
                count_tokens, recording, tokenizer, frames=range(recording.frames), skip_corrupt=skip_corrupt
            )
            tokens_R = np.fromiter(pool.map(count, range(recording.records)), np.int64, recording.records)
            commits = [event.frame for event in recording.events() if event.kind == "commit"]
            counts[name] = RecordingCounts(tokens_R, np.array(commits, np.int64))
    return counts


def _save(path: pathlib.Path, counts: dict[str, RecordingCounts]) -> None:
    content = io.BytesIO()
    tokens, commits = (np.concatenate(arrays) for arrays in zip(*counts.values(), strict=True))
    num_commits = np.array([len(count.commits) for count in counts.values()], np.int64)
    np.savez(content, tokens=tokens, commits=commits, num_commits=num_commits)
    path.parent.mkdir(exist_ok=True)
    write_file(path, content.getvalue())


def _load(path: pathlib.Path, dataset: Dataset) -> dict[str, RecordingCounts] | None:
    """What `_save` wrote; None if there is no such file, or a damaged one."""
    recordings = dataset.recordings
    try:
        with np.load(path) as content:
            tokens, commits, num_commits = (content[name] for name in ("tokens", "commits", "num_commits"))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    records = np.array([recording.records for recording in recordings.values()])
    if len(tokens) != records.sum() or len(num_commits) != len(records) or len(commits) != num_commits.sum():
        return None
    parts = [np.split(array, np.cumsum(sizes)[:-1]) for array, sizes in ((tokens, records), (commits, num_commits))]
    return {name: RecordingCounts(*part) for name, *part in zip(recordings, *parts, strict=True)}
