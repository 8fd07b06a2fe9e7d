"""A git history, read: commits along the first parent, oldest first, and the blobs that they name.

The repository is never trusted. Git runs in an empty repository of our own that borrows only the object store of the
one to be read, so that none of its configuration, hooks, replacements or remotes can take part.
"""

import configparser
import os
import pathlib
import shutil
import stat
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import IO, Self

import git

from data_gen.errors import UserError

EXECUTABLE, LINK, SUBMODULE = 0o100755, 0o120000, 0o160000
MAX_BLOB_BYTES = 4 << 20
_EMPTY_BLOB = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
_LOG = (
    "log --first-parent --reverse --raw -z --no-abbrev --no-renames --root --diff-merges=first-parent"
    " --encoding=UTF-8 --format=tformat:%H%x00%T%x00%B"
)


class HistoryError(UserError):
    """A history cannot be read."""


class BlobTooLarge(Exception):
    """A blob has more bytes than its reader wants."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a tree holds at a path: the mode as git writes it (such as 0o100644), the blob's name in hexadecimal."""

    mode: int
    blob: str


@dataclass(frozen=True, slots=True)
class Change:
    """What was at `path` before a commit and what is there after it; `None` is nothing."""

    path: bytes
    old: Entry | None
    new: Entry | None


@dataclass(frozen=True, slots=True)
class Move:
    """A blob that left `source` and came to `target` in the same commit; the mode may have changed."""

    source: bytes
    target: bytes
    old: Entry
    new: Entry


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit and what it changed against its first parent; `message` is UTF-8."""

    id: str
    tree: str
    message: bytes
    changes: tuple[Change | Move, ...]


class History:
    """The first-parent history of a repository's HEAD: normal, bare, worktree, shallow or partial clone.

    Iterating yields the oldest `max_commits` commits (`None`: all), oldest first. Raises `HistoryError`.
    """

    def __init__(
        self, path: str | os.PathLike, max_commits: int | None = None, max_blob_bytes: int = MAX_BLOB_BYTES
    ) -> None:
        self.path = os.fspath(path)
        self.head, store = _locate(self.path)
        self._max_commits = max_commits
        self._max_blob_bytes = max_blob_bytes
        self._folder = tempfile.TemporaryDirectory(prefix="history-")
        self._environment = _borrow(pathlib.Path(self._folder.name), store)
        self._blobs = self._start("cat-file", "--batch")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        _stop(self._blobs)
        self._folder.cleanup()

    def __iter__(self) -> Iterator[Commit]:
        fields = self._run(*_LOG.split(), self.head, "--")
        commits = _parse_log(fields)
        try:
            for number, commit in enumerate(commits):
                if number == self._max_commits:
                    break
                yield commit
        finally:
            fields.close()

    def count(self) -> int:
        """The number of commits that iterating yields."""
        (line,) = self._run("rev-list", "--count", "--first-parent", self.head, "--")
        commits = int(line)
        return commits if self._max_commits is None else min(commits, self._max_commits)

    def merges(self) -> set[str]:
        """The commits along the first parent that have other parents too."""
        lines = b"".join(self._run("rev-list", "--first-parent", "--min-parents=2", self.head, "--"))
        return set(lines.decode("ascii").split())

    def read(self, blob: str) -> bytes | None:
        """The bytes of `blob`, or `None` where the repository lacks it, as partial clones do.

        Raises `BlobTooLarge` for more than `max_blob_bytes`.
        """
        requests, answers = self._blobs.stdin, self._blobs.stdout
        assert requests is not None and answers is not None
        requests.write(blob.encode("ascii") + b"\n")
        requests.flush()
        answer = answers.readline().split()
        if not answer:
            raise HistoryError(f"{self.path}: git cannot read the object {blob}")
        if answer[-1] == b"missing":
            return None
        kind, size = answer[1], int(answer[2])
        if size > self._max_blob_bytes or kind != b"blob":
            _skip(answers, size + 1)
            if kind != b"blob":
                return None
            raise BlobTooLarge(f"{self.path}: {blob} has {size} bytes, more than {self._max_blob_bytes}")
        content = answers.read(size)
        answers.read(1)
        return content

    def tree_files(self, commit: str) -> dict[bytes, Entry]:
        """Everything in the tree of `commit` but the folders themselves, by path."""
        files = {}
        for line in self._run("ls-tree", "-r", "-z", "--full-tree", commit, "--"):
            description, path = line.split(b"\t", 1)
            mode, _, blob = description.split(b" ")
            files[path] = Entry(int(mode, 8), blob.decode("ascii"))
        return files

    def _start(self, *arguments: str, errors: IO[bytes] | int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            ["git", *arguments],
            env=self._environment,
            cwd=self._folder.name,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            bufsize=1 << 16,
        )

    def _run(self, *arguments: str) -> Generator[bytes, None, None]:
        """The fields that a git command prints, each ended by NUL; a last one may end with the output."""
        with tempfile.TemporaryFile() as errors:
            process = self._start(*arguments, errors=errors)
            try:
                assert process.stdout is not None
                rest = b""
                while block := process.stdout.read(1 << 20):
                    *fields, rest = (rest + block).split(b"\0")
                    yield from fields
                if process.wait() != 0:
                    errors.seek(0)
                    reason = errors.read(500).decode("utf-8", "replace").strip().partition("\n")[0]
                    raise HistoryError(f"{self.path}: git {arguments[0]}: {ascii(reason)[1:-1]}")
                if rest:
                    yield rest
            finally:
                _stop(process)


def _locate(path: str) -> tuple[str, pathlib.Path]:
    """The commit at HEAD and the folder that holds `objects`."""
    try:
        repository = git.Repo(path, expand_vars=False)
    except git.NoSuchPathError:
        raise HistoryError(f"{path}: no such folder") from None
    except (git.InvalidGitRepositoryError, configparser.Error, OSError, ValueError):
        raise HistoryError(f"{path}: not a git repository") from None
    with repository:
        store = pathlib.Path(repository.common_dir)
        try:
            head = git.SymbolicReference.dereference_recursive(repository, "HEAD")
        except (ValueError, OSError):
            raise HistoryError(
                f"{path}: HEAD names no commit (no history yet, or object names other than SHA-1)"
            ) from None
    return head, store


def _borrow(folder: pathlib.Path, store: pathlib.Path) -> dict[str, str]:
    """Make `folder` a repository without configuration and return the environment that pairs it with the objects."""
    (folder / "HEAD").write_text("ref: refs/heads/main\n", encoding="ascii")
    (folder / "refs").mkdir()
    if (store / "shallow").is_file():
        shutil.copyfile(store / "shallow", folder / "shallow")
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C.UTF-8",
        "HOME": str(folder),
        "GIT_DIR": str(folder),
        "GIT_OBJECT_DIRECTORY": str((store / "objects").absolute()),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ALLOW_PROTOCOL": "",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
    }


def _parse_log(fields: Iterator[bytes]) -> Iterator[Commit]:
    """The commits in the output of `git log`: id, tree and message, then a description and a path for each change."""
    field = next(fields, None)
    while field is not None:
        commit, tree, message = field.decode("ascii"), next(fields).decode("ascii"), next(fields)
        changes = []
        field = next(fields, None)
        while field is not None and field.lstrip(b"\n").startswith(b":"):
            old_mode, new_mode, old_blob, new_blob, _ = field.lstrip(b"\n:").decode("ascii").split()
            changes.append(Change(next(fields), _entry(old_mode, old_blob), _entry(new_mode, new_blob)))
            field = next(fields, None)
        yield Commit(commit, tree, _as_utf8(message), _pair_moves(changes))


def _entry(mode: str, blob: str) -> Entry | None:
    return Entry(int(mode, 8), blob) if int(mode, 8) else None


def _as_utf8(message: bytes) -> bytes:
    """`message`, read as Latin-1 where it is not UTF-8: git has already heeded the encoding that a commit declares."""
    try:
        message.decode("utf-8")
    except UnicodeDecodeError:
        return message.decode("latin-1").encode("utf-8")
    return message


def _pair_moves(changes: list[Change]) -> tuple[Change | Move, ...]:
    """`changes`, with each blob that left one path and came to another as a `Move`; empty files are not paired."""
    left = defaultdict(list)
    for change in reversed(changes):
        if change.old and not change.new and change.old.mode != SUBMODULE and change.old.blob != _EMPTY_BLOB:
            left[change.old.blob].append(change)
    moved: set[bytes] = set()
    paired: list[Change | Move] = []
    for change in changes:
        if change.new and not change.old and (sources := left.get(change.new.blob)):
            source = sources[-1]
            assert source.old is not None
            if stat.S_IFMT(source.old.mode) == stat.S_IFMT(change.new.mode):
                sources.pop()
                moved.add(source.path)
                paired.append(Move(source.path, change.path, source.old, change.new))
                continue
        paired.append(change)
    return tuple(change for change in paired if isinstance(change, Move) or change.new or change.path not in moved)


def _skip(stream: IO[bytes], size: int) -> None:
    while size > 0 and (block := stream.read(min(size, 1 << 20))):
        size -= len(block)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
    process.wait()
