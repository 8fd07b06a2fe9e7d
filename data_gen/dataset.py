"""A dataset: a folder of recordings, each with `recording.json`, and `dataset.json`, its manifest, written last."""

import collections
import hashlib
import json
import pathlib
import re
import shlex
from collections.abc import Sequence
from typing import Any

from data_gen.atomic import write_file
from data_gen.cells import Style, style_channels
from data_gen.errors import UserError
from data_gen.texz.recording import Recording

FORMAT_VERSION = 1
MANIFEST = "dataset.json"
ENTRY = "recording.json"
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
_REMEDY = "restore it from a copy, or generate the dataset again"


class DatasetError(UserError):
    """A folder that is not a dataset, or not a whole one."""


def recording_folder(folder: pathlib.Path, name: str) -> pathlib.Path:
    """Where a dataset has the files of the recording `name`."""
    return folder / "recordings" / name


def write_entry(folder: pathlib.Path, entry: dict[str, Any]) -> None:
    """Write a recording's entry in the manifest into its own `folder`, and with it complete the recording."""
    write_file(folder / ENTRY, to_json(entry))


def read_entry(folder: pathlib.Path) -> dict[str, Any] | None:
    """What `write_entry` wrote into a recording's `folder`; `None` if the recording is not complete."""
    return json.loads((folder / ENTRY).read_bytes()) if (folder / ENTRY).is_file() else None


def to_json(content: object) -> bytes:
    """JSON as a dataset has it: indented ASCII, and the same bytes for the same content."""
    return (json.dumps(content, indent=1, ensure_ascii=True) + "\n").encode()


def write_manifest(
    folder: pathlib.Path,
    rows: int,
    columns: int,
    frames_per_record: int,
    generator: dict[str, Any],
    recordings: Sequence[dict[str, Any]],
    failures: Sequence[dict[str, str]] = (),
) -> None:
    """Write `dataset.json` and with it complete the dataset in `folder`.

    `generator` is the configuration that the recordings come from. A recording's entry has at least its `name` and what
    `RecordingWriter.close` returned; a failure's has its `name`, its `repository` and the `error`.
    """
    manifest = {
        "format_version": FORMAT_VERSION,
        "rows": rows,
        "columns": columns,
        "frames_per_record": frames_per_record,
        "styles": _style_table(),
        "generator": generator,
        "recordings": list(recordings),
        "failures": list(failures),
    }
    write_file(folder / MANIFEST, to_json(manifest))


def _style_table() -> list[list[str]]:
    """Name, foreground and background of each style, in the order of their numbers."""
    colours = [channels.tobytes().hex() for channels in style_channels()]
    return [[style.name, colours[style][:6], colours[style][6:]] for style in Style]


class Dataset:
    """A complete dataset, opened for reading. `DatasetError` if it is not one."""

    def __init__(self, path: pathlib.Path):
        content = _read_manifest(path)
        self.path = path
        self.checksum = hashlib.sha256(content).hexdigest()
        """SHA-256 of the manifest, which has those of all files: two datasets are equal if these are."""
        try:
            self.manifest: dict[str, Any] = json.loads(content)
            self._open(self.manifest)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DatasetError(f"{path / MANIFEST}: damaged: {error!r}") from error

    def _open(self, manifest: dict[str, Any]) -> None:
        version = manifest["format_version"]
        if version != FORMAT_VERSION:
            raise DatasetError(
                f"{self.path}: format version {version}, but this program reads version {FORMAT_VERSION}"
            )
        if manifest["styles"] != _style_table():
            raise DatasetError(f"{self.path}: its style table is not this program's: use the version that generated it")
        self.rows, self.columns = int(manifest["rows"]), int(manifest["columns"])
        self.frames_per_record = int(manifest["frames_per_record"])
        self.generator: dict[str, Any] = manifest["generator"]
        self.recordings: dict[str, Recording] = {}
        for entry in manifest["recordings"]:
            folder = recording_folder(self.path, _plain(entry["name"]))
            for file in entry["files"]:
                _check_file(folder / _plain(file["name"]), int(file["bytes"]))
            recording = Recording(folder, entry, self.frames_per_record)
            if not 0 <= recording.records * self.frames_per_record - recording.frames < self.frames_per_record:
                raise ValueError(f"{recording.name}: {recording.frames} frames in {recording.records} records")
            self.recordings[recording.name] = recording

    def summary(self) -> str:
        """The dataset's figures, for people."""
        recordings = self.manifest["recordings"]
        commits, edits, frames = (sum(r[key] for r in recordings) for key in ("commits", "files_edited", "frames"))
        size = sum(file["bytes"] for recording in recordings for file in recording["files"])
        naive = frames * self.rows * self.columns * 5
        skipped = sum((collections.Counter(recording["skipped"]) for recording in recordings), collections.Counter())
        left_out = ", ".join(f"{count:,} {cause}" for cause, count in sorted(skipped.items())) or "nothing"
        return (
            f"{commits:,} commits, {edits:,} file edits, {frames:,} actions and as many frames of "
            f"{self.rows}x{self.columns}\n"
            f"{size:,} bytes, {size / frames:.2f} a frame, {naive / size:,.0f}x smaller than 40 bits a cell; "
            f"left out: {left_out}"
        )

    def command(self) -> str:
        """The command that generates it anew; where its repositories are is for the reader to fill in."""
        repositories = (
            [f"--repo={name}" for name in self.recordings] if len(self.recordings) < 4 else ["--repos_file=LIST"]
        )
        names = {"columns": "cols"}
        settings = [f"--{names.get(k, k)}={value}" for k, value in self.generator.items() if value is not None]
        return shlex.join(["python", "-m", "data_gen.generate", *repositories, f"--out={self.path}", *settings])

    def check_files(self) -> None:
        """Read every file; `DatasetError` if one is not what was written."""
        for entry in self.manifest["recordings"]:
            for file in entry["files"]:
                path = recording_folder(self.path, entry["name"]) / file["name"]
                with path.open("rb") as stream:
                    if hashlib.file_digest(stream, "sha256").hexdigest() != file["sha256"]:
                        raise DatasetError(f"{path}: its content is not what was written: {_REMEDY}")


def _plain(name: str) -> str:
    """`name`, if it can be one of the generator's: no way out of a folder, nothing hidden, nothing unprintable."""
    if not _PLAIN_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a plain name")
    return name


def _read_manifest(path: pathlib.Path) -> bytes:
    if not path.is_dir():
        raise DatasetError(f"{path}: no such folder")
    if not (path / MANIFEST).is_file():
        raise DatasetError(f"{path}: no {MANIFEST}: not a dataset, or one whose generation has not finished")
    return (path / MANIFEST).read_bytes()


def _check_file(path: pathlib.Path, size: int) -> None:
    if not path.is_file():
        raise DatasetError(f"{path}: missing: {_REMEDY}")
    if path.stat().st_size != size:
        raise DatasetError(f"{path}: {path.stat().st_size} bytes instead of {size}: {_REMEDY}")
