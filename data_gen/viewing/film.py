"""A part of a recording to look at: frames by number, the commit and file that each belongs to, how long each stays."""

import bisect
import functools
import pathlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from data_gen.actions import BACKSPACE, ENTER, ESCAPE
from data_gen.dataset import Dataset
from data_gen.errors import UserError
from data_gen.texz.recording import Recording
from data_gen.tokenizer import Tokenizer
from data_gen.viewing.paint import printable

_CHUNK = 256
"""Frames that are decoded together."""

_SHORT_ID = 7
_MIN_ID = 4


class Frame(NamedTuple):
    """What the screen shows before an action."""

    number: int  # within the recording
    action: int  # the one that follows
    codepoints_RxC: np.ndarray
    styles_RxC: np.ndarray


class Commit(NamedTuple):
    """Where the work on a commit begins. The recording's first commit has number 1."""

    frame: int
    number: int
    id: str

    def __str__(self) -> str:
        return f"commit {self.number} {self.id[:_SHORT_ID]}"


class File(NamedTuple):
    """Where a file is opened in the editor, or, with an empty path, where a commit or its message begins."""

    frame: int
    path: str


class Film:
    """Frames [first, end) of a recording, which is untrusted: the texts here are printable."""

    def __init__(self, recording: Recording, rows: int, columns: int):
        self.rows, self.columns = rows, columns
        self.name = printable(recording.name)
        self.total = recording.frames
        self.first, self.end = 0, recording.frames
        self.commits: list[Commit] = []
        self.files: list[File] = []
        for frame, kind, commit, _, path, _ in recording.events():
            if kind == "commit":
                self.commits.append(Commit(frame, len(self.commits) + 1, printable(commit)))
            if kind != "left out":
                name = printable(path.decode("utf-8", "backslashreplace"))
                self.files.append(File(frame, name if kind == "file" else ""))
        self._recording = recording
        self._chunk = functools.lru_cache(maxsize=4)(self._read_chunk)
        self._record_actions = functools.lru_cache(maxsize=4)(recording.record_actions)

    def cut(self, first: int, frames: int | None) -> None:
        """Show only `frames` frames from `first` on, or all; `UserError` if `first` is none of them."""
        if not 0 <= first < self.total:
            raise UserError(f"frame {first}: {self.name} has frames 0 to {self.total - 1}")
        self.first, self.end = first, min(self.total, first + (frames or self.total))

    def __len__(self) -> int:
        return self.end - self.first

    def __iter__(self) -> Iterator[Frame]:
        return map(self.frame, range(self.first, self.end))

    def frame(self, number: int) -> Frame:
        """Any frame of the recording."""
        chunk, position = divmod(number, _CHUNK)
        codepoints_FxRxC, styles_FxRxC = self._chunk(chunk)
        return Frame(number, self.action(number), codepoints_FxRxC[position], styles_FxRxC[position])

    def action(self, number: int) -> int:
        """The action that follows a frame."""
        record, position = divmod(number, self._recording.frames_per_record)
        return int(self._record_actions(record)[position])

    def commit(self, number: int) -> Commit | None:
        """The commit that a frame belongs to."""
        after = bisect.bisect_right(self.commits, number, key=lambda commit: commit.frame)
        return self.commits[after - 1] if after else None

    def path(self, number: int) -> str:
        """The file that the commit has in the editor, or had last; nothing before the first and in the message."""
        after = bisect.bisect_right(self.files, number, key=lambda file: file.frame)
        return self.files[after - 1].path if after else ""

    def find_commit(self, text: str) -> Commit:
        """The commit with this number, or whose id begins so; `UserError` if there is not just one."""
        if text.isascii() and text.isdigit() and 1 <= int(text) <= len(self.commits):
            return self.commits[int(text) - 1]
        found = [commit for commit in self.commits if len(text) >= _MIN_ID and commit.id.startswith(text.lower())]
        if len(found) != 1:
            ids = "several ids begin" if found else f"none of its {len(self.commits)} ids begins"
            raise UserError(f"{self.name}: no commit has the number {text!r}, and {ids} so ({_MIN_ID} digits or more)")
        return found[0]

    def tokens(self, tokenizer: Tokenizer) -> tuple[np.ndarray, np.ndarray]:
        """The tokens that start in [first, end) and their frames: int64 [M], int64 [M]."""
        size = self._recording.frames_per_record
        numbers = range(self.first // size, (self.end - 1) // size + 1)
        encoded = [(number * size, *tokenizer.encode(self._record_actions(number))) for number in numbers]
        tokens = np.concatenate([tokens_M for _, tokens_M, _ in encoded]).astype(np.int64)
        frames = np.concatenate([first + starts_M.astype(np.int64) for first, _, starts_M in encoded])
        within = (frames >= self.first) & (frames < self.end)
        return tokens[within], frames[within]

    def _read_chunk(self, chunk: int) -> tuple[np.ndarray, np.ndarray]:
        return self._recording.read(np.arange(chunk * _CHUNK, min((chunk + 1) * _CHUNK, self.total)))


def open_film(path: pathlib.Path, name: str | None) -> Film:
    """All of a dataset's recording `name`, by default its first; `UserError` if there is none."""
    dataset = Dataset(path)
    name = name or next(iter(dataset.recordings), None)
    if name not in dataset.recordings:
        raise UserError(f"no recording {name!r} in {path}: there are {', '.join(map(repr, dataset.recordings))}")
    return Film(dataset.recordings[name], dataset.rows, dataset.columns)


def milliseconds(action: int) -> int:
    """How long the frame before an action stays at speed 1: a person pauses at some keys, and holds others down."""
    if action in (ENTER, ESCAPE):
        return 160
    if 0x80 <= action < 0xC0:  # the rest of a character
        return 0
    return 20 if action > 0xFF or action == BACKSPACE else 40
