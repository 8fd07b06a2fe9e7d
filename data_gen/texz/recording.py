"""A recording on disk: ArrayRecord files of texz records, each with a footer that says what is in it.

A footer is the last record of its file, so a file that has one is complete.
"""

import collections
import contextlib
import errno
import hashlib
import itertools
import json
import lzma
import pathlib
import struct
import threading
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from array_record.python.array_record_module import ArrayRecordReader, ArrayRecordWriter

from data_gen.atomic import publish, temporary_path
from data_gen.errors import UserError
from data_gen.terminal.screen import FrameLog
from data_gen.texz.codec import decode_actions, decode_frames, encode, new_frames
from data_gen.texz.record import Codec, TexzError, unpack

_WRITER_OPTIONS = "group_size:1,uncompressed"
_READER_OPTIONS = "readahead_buffer_size:0,max_parallelism:0"
_FOOTER_MAGIC = b"TEXF"
_FOOTER_HEADER = struct.Struct("<4sI")
_MAX_FOOTER_BYTES = 1 << 28


class Event(NamedTuple):
    """Where a commit, a file or a kind of activity begins."""

    frame: int  # within the recording
    kind: str
    commit: str
    tree: str
    path: bytes
    entry: str = ""  # mode and object name of what the commit has at a path that is left out


class RecordingError(UserError):
    """A recording cannot be continued."""


class RecordingWriter:
    """Writes a recording's files into a folder, one after the other; each appears when it is complete.

    The full files that are there already are kept: what would be in them is neither encoded nor written again, but it
    must agree with their footers. `OSError` if the disk does not take a file.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        frames_per_record: int,
        records_per_file: int = 1024,
        codec: Codec = Codec.COLUMNAR,
    ):
        self._folder = folder
        self._codec = codec
        self._frames_per_record = frames_per_record
        self._records_per_file = records_per_file
        self._files: list[dict] = []
        self._frames = 0
        self._counts: list[int] = []  # frames of each record of the file that is being written
        self._events: list[Event] = []
        self._writer: ArrayRecordWriter | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self._kept = collections.deque(_full_files(folder, records_per_file))  # the footers of files yet to be passed

    def add(self, log: FrameLog, events: Sequence[Event]) -> None:
        """Write the frames of `log`, and the events that lie in them, as the next record.

        `ValueError` if it has too many frames, if the record before had too few, or if an event lies elsewhere.
        """
        frames = int(log.size_2[0])
        if frames > self._frames_per_record or self._frames % self._frames_per_record:
            raise ValueError(f"only the last record may have other than {self._frames_per_record} frames")
        for event in events:
            if not self._frames <= event.frame < self._frames + frames:
                raise ValueError(f"{event} lies outside of frames {self._frames} to {self._frames + frames - 1}")
        if not self._kept:
            self._write(encode(log, self._codec))
        self._counts.append(frames)
        self._events.extend(events)
        self._frames += frames
        if len(self._counts) == self._records_per_file:
            self._finish_file()

    def close(self) -> dict[str, Any]:
        """Finish the last file. What was written: `frames`, `actions`, and `files` with their sizes and checksums."""
        if self._counts:
            self._finish_file()
        return {"frames": self._frames, "actions": self._frames, "files": self._files}

    def _path(self) -> pathlib.Path:
        return _file_path(self._folder, len(self._files))

    def _write(self, record: bytes) -> None:
        path = temporary_path(self._path())
        with _as_os_error(path):
            if self._writer is None:
                self._writer = ArrayRecordWriter(str(path), _WRITER_OPTIONS)
            self._writer.write(record)

    def _finish_file(self) -> None:
        path = self._path()
        frames = sum(self._counts)
        footer = _pack_footer(self._frames - frames, self._counts, self._events)
        if self._kept:
            if self._kept.popleft() != footer:
                raise RecordingError(f"{path}: begun from another history: remove {self._folder} to record it anew")
        else:
            self._write(footer)
            self._publish(path)
        content = path.read_bytes()
        self._files.append(
            {
                "name": path.name,
                "records": len(self._counts),
                "frames": frames,
                "bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
            }
        )
        self._counts, self._events = [], []

    def _publish(self, path: pathlib.Path) -> None:
        assert self._writer is not None
        with _as_os_error(temporary_path(path)):
            self._writer.close()
        self._writer = None
        publish(path)


class Recording:
    """Reads a recording; threads may share it. Files are opened when they are first needed."""

    def __init__(self, folder: pathlib.Path, entry: dict[str, Any], frames_per_record: int):
        """`entry` is the recording's in the dataset's manifest."""
        self.name: str = entry["name"]
        self.frames: int = entry["frames"]
        self.frames_per_record = frames_per_record
        self._folder = folder
        self._entry = entry
        self._first_records = np.cumsum([0] + [file["records"] for file in entry["files"]])
        self._readers: dict[int, ArrayRecordReader] = {}
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple:
        """Other processes open the files anew."""
        return Recording, (self._folder, self._entry, self.frames_per_record)

    @property
    def records(self) -> int:
        """How many records there are."""
        return int(self._first_records[-1])

    def record(self, number: int) -> bytes:
        """A record as it was written."""
        if not 0 <= number < self.records:
            raise IndexError(f"recording {self.name} has records 0 to {self.records - 1}, not {number}")
        return self._read(*self._file_of(number))

    def record_actions(self, number: int) -> np.ndarray:
        """The actions of a record: uint16 [S], fewer in the last one."""
        record = self.record(number)
        with self._explaining(number):
            return decode_actions(record)

    def actions(self) -> Iterator[np.ndarray]:
        """The actions of each record in turn."""
        return map(self.record_actions, range(self.records))

    def read(
        self,
        frames_F: np.ndarray,
        max_codepoint: int | None = None,
        out: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Frames by number, ascending, at least one: what `decode_frames` gives, also across records."""
        frames_F = np.ascontiguousarray(frames_F, np.int64)
        if len(frames_F) == 0 or frames_F[0] < 0 or frames_F[-1] >= self.frames or (np.diff(frames_F) < 0).any():
            raise IndexError(f"recording {self.name}: frames must be some, and ascend within 0 to {self.frames - 1}")
        records_F, within_F = np.divmod(frames_F, self.frames_per_record)
        starts = np.flatnonzero(np.diff(records_F, prepend=-1))
        for start, end in zip(starts, [*starts[1:], len(frames_F)], strict=True):
            number = int(records_F[start])
            record = self.record(number)
            with self._explaining(number):
                if out is None:
                    out = new_frames(record, len(frames_F), max_codepoint)
                part = out[0][start:end], out[1][start:end]
                decode_frames(record, within_F[start:end], max_codepoint, part)
        assert out is not None
        return out

    def events(self) -> list[Event]:
        """All events, in the order of their frames."""
        events: list[Event] = []
        for file, description in enumerate(self._entry["files"]):
            try:
                events += _unpack_footer(self._read(file, description["records"]))
            except TexzError as error:
                raise TexzError(f"{self._file_path(file)}: {error}") from error
        return events

    def _file_path(self, file: int) -> pathlib.Path:
        return self._folder / self._entry["files"][file]["name"]

    def _file_of(self, number: int) -> tuple[int, int]:
        """The file that has a record, and the record's number in it."""
        file = int(np.searchsorted(self._first_records, number, side="right")) - 1
        return file, number - int(self._first_records[file])

    @contextlib.contextmanager
    def _explaining(self, number: int) -> Iterator[None]:
        """Add to an error in a record where that is."""
        try:
            yield
        except (TexzError, IndexError) as error:
            file, position = self._file_of(number)
            raise TexzError(f"{self._file_path(file)}, record {position}: {error}") from error

    def _read(self, file: int, position: int) -> bytes:
        try:
            return self._reader(file).read([position])[0]
        except RuntimeError as error:
            reason = str(error).split(";")[0]
            raise TexzError(f"{self._file_path(file)}, record {position}: {reason}") from error

    def _reader(self, file: int) -> ArrayRecordReader:
        with self._lock:
            if file not in self._readers:
                self._readers[file] = self._open(file)
            return self._readers[file]

    def _open(self, file: int) -> ArrayRecordReader:
        path, expected = self._file_path(file), self._entry["files"][file]
        reader = ArrayRecordReader(str(path), _READER_OPTIONS, file_reader_buffer_size=1 << 15)
        if not reader.ok() or reader.num_records() != expected["records"] + 1:
            raise TexzError(
                f"{path}: damaged: {reader.num_records() if reader.ok() else 0} records can be read where "
                f"{expected['records']} and a footer should be; generate the dataset again, or restore the file"
            )
        return reader


def _file_path(folder: pathlib.Path, number: int) -> pathlib.Path:
    return folder / f"{number:05d}.array_record"


@contextlib.contextmanager
def _as_os_error(path: pathlib.Path) -> Iterator[None]:
    """Turn ArrayRecord's error for a file that cannot be written into Python's."""
    try:
        yield
    except RuntimeError as error:
        raise OSError(errno.EIO, str(error).split(";")[0], str(path)) from error


def _full_files(folder: pathlib.Path, records_per_file: int) -> Iterator[bytes]:
    """The footers of a recording's files, up to the first that is not whole or has room for more records."""
    for number in itertools.count():
        path = _file_path(folder, number)
        if not path.is_file():
            return
        reader = ArrayRecordReader(str(path), _READER_OPTIONS, file_reader_buffer_size=1 << 15)
        if not reader.ok() or reader.num_records() != records_per_file + 1:
            return
        try:
            for position in range(records_per_file):
                unpack(reader.read([position])[0])
            footer = reader.read([records_per_file])[0]
            _unpack_footer(footer)
        except (RuntimeError, TexzError):
            return
        yield footer


def _pack_footer(first_frame: int, counts: list[int], events: list[Event]) -> bytes:
    rows = [[*event[:4], event.path.decode("utf-8", "surrogateescape"), event.entry] for event in events]
    content = json.dumps({"first_frame": first_frame, "frames": counts, "events": rows}, separators=(",", ":"))
    compressed = lzma.compress(content.encode(), check=lzma.CHECK_NONE)
    return _FOOTER_HEADER.pack(_FOOTER_MAGIC, zlib.crc32(compressed)) + compressed


def _unpack_footer(footer: bytes) -> list[Event]:
    """The events in a footer; `TexzError` if it is damaged."""
    compressed = footer[_FOOTER_HEADER.size :]
    if len(footer) < _FOOTER_HEADER.size or _FOOTER_HEADER.unpack_from(footer) != (
        _FOOTER_MAGIC,
        zlib.crc32(compressed),
    ):
        raise TexzError("the footer is damaged")
    try:
        content = lzma.LZMADecompressor(lzma.FORMAT_XZ).decompress(compressed, max_length=_MAX_FOOTER_BYTES)
        rows = json.loads(content)["events"]
        return [
            Event(int(frame), str(kind), str(commit), str(tree), path.encode("utf-8", "surrogateescape"), str(entry))
            for frame, kind, commit, tree, path, entry in rows
        ]
    except (lzma.LZMAError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TexzError(f"the footer cannot be read: {error}") from error
