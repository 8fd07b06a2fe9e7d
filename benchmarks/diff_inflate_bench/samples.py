"""The frozen samples of a benchmark: JSONL with content hashes, so that two people measure the same thing.

The first line tells what the samples were made from and has the hash of all of them; each other line is a sample.
"""

import hashlib
import json
import pathlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from data_gen.atomic import write_file
from data_gen.errors import UserError

FORMAT = "diff-inflate-bench 1"
CONTEXTS = (3, 1, 0)
_CHARACTERS_PER_TOKEN = 3


@dataclass(frozen=True, slots=True)
class DiffSample:
    """A file's first `len(commits)` patches for each number of context lines, and the file after the last.

    `blob` is git's name of `truth`.
    """

    path: str
    commits: tuple[str, ...]
    diffs: dict[int, tuple[str, ...]]
    truth: str
    blob: str

    @property
    def id(self) -> str:
        """Names the sample within its set."""
        return f"{self.path}@{self.commits[0][:10]}+{len(self.commits)}"


@dataclass(frozen=True, slots=True)
class SampleSet:
    """Samples and how they were made; `sha256` is over both."""

    made: dict[str, Any]
    samples: tuple[DiffSample, ...]
    sha256: str


def estimate_tokens(text: str) -> int:
    """About how many tokens `text` is: code has three to four characters a token."""
    return -(-len(text) // _CHARACTERS_PER_TOKEN)


def blob_name(content: bytes) -> str:
    """Git's name of a blob."""
    return hashlib.sha1(b"blob %d\0%s" % (len(content), content)).hexdigest()


def freeze(made: dict[str, Any], samples: Sequence[DiffSample]) -> SampleSet:
    """The set of `samples`; `made` tells how to make it again, and becomes JSON."""
    made = json.loads(_canonical(made))
    lines = [_canonical(made), *(_canonical(asdict(sample)) for sample in samples)]
    return SampleSet(made, tuple(samples), _sha256("\n".join(lines)))


def write_samples(path: pathlib.Path, frozen: SampleSet) -> None:
    """Write `frozen` to `path` in one step."""
    header = {"format": FORMAT, "made": frozen.made, "sha256": frozen.sha256}
    records = [asdict(sample) for sample in frozen.samples]
    lines = [header, *({**record, "sha256": _sha256(_canonical(record))} for record in records)]
    write_file(path, "".join(_canonical(line) + "\n" for line in lines).encode("ascii"))


def read_samples(path: pathlib.Path) -> SampleSet:
    """The set at `path`; `UserError` names the line that is not what was written."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None
    header = _parse(path, 1, lines[0] if lines else b"")
    if header.get("format") != FORMAT or not isinstance(header.get("made"), dict):
        raise UserError(f"{path}:1: not a file of samples ({FORMAT})")
    samples = [_read_sample(path, number, line) for number, line in enumerate(lines[1:], 2)]
    frozen = freeze(header["made"], samples)
    if frozen.sha256 != header.get("sha256"):
        raise UserError(f"{path}:1: the samples are not those that were frozen: lines are missing, moved or changed")
    return frozen


def _read_sample(path: pathlib.Path, number: int, line: bytes) -> DiffSample:
    record = _parse(path, number, line)
    if record.pop("sha256", None) != _sha256(_canonical(record)):
        raise UserError(f"{path}:{number}: the sample has been changed: its hash is another")
    try:
        diffs = {int(context): tuple(texts) for context, texts in record.pop("diffs").items()}
        sample = DiffSample(commits=tuple(record.pop("commits")), diffs=diffs, **record)
        name = blob_name(sample.truth.encode())
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UserError(f"{path}:{number}: not a sample") from None
    if name != sample.blob:
        raise UserError(f"{path}:{number}: the ground truth is not the blob {sample.blob}")
    return sample


def _parse(path: pathlib.Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        raise UserError(f"{path}:{number}: not JSON") from None
    if not isinstance(record, dict):
        raise UserError(f"{path}:{number}: not a JSON object")
    return record


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
