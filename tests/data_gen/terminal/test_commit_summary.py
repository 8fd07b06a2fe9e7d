"""The summaries of thousands of commits, against those that one `git log` prints of them."""

import os
import random
import subprocess

import pytest

from data_gen.terminal.commit_summary import FileChange, commit_summary, is_predictable
from data_gen.terminal.filesystem import File, FileSystem, Link
from data_gen.terminal.git_paths import renamed
from data_gen.terminal.objects import IDENTITY, content_of, mode_of
from data_gen.terminal.repository import Repository

Node = File | Link


def git(folder, *arguments: str, stdin: bytes = b"") -> bytes:
    environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    command = ["git", "-c", "core.abbrev=10", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, input=stdin, stdout=subprocess.PIPE, check=True).stdout


class History:
    """Commits that are made in memory, and written down for `git fast-import`."""

    def __init__(self) -> None:
        self.expected: list[list[bytes] | None] = []
        self.ids: list[bytes] = []
        self._files = FileSystem()
        self._repository = Repository(self._files)
        self._stream: list[bytes] = []

    def commit(self, files: dict[bytes, Node | None]) -> bool:
        """Commit what is changed, `None` being removed; whether the summary is predictable."""
        self._stream += [b"commit refs/heads/main", b"author " + IDENTITY, b"committer " + IDENTITY, b"data 2\nx\n"]
        for path, node in sorted(files.items(), key=lambda item: item[1] is not None):
            if node is None:
                self._files.remove(path)
                self._files.prune(path.rpartition(b"/")[0])
                self._stream += [b"D " + path]
            else:
                self._files.make_folder(path.rpartition(b"/")[0])
                self._put(path, node)
                content = content_of(node)
                self._stream += [b"M %s inline %s" % (mode_of(node), path), b"data %d" % len(content), content]
            self._repository.add(path)
        is_root, changes = self._repository.head is None, self._repository.staged()
        self.ids.append(self._repository.commit(b"x"))
        predictable = is_predictable(changes, b"x\n")
        self.expected.append(commit_summary("main", self.ids[-1], is_root, b"x\n", changes) if predictable else None)
        return predictable

    def shown_by_git(self, folder) -> list[tuple[bytes, list[bytes]]]:
        """The name and the summary of each commit."""
        git(folder, "init", "--quiet")
        git(folder, "fast-import", "--quiet", stdin=b"\n".join(self._stream) + b"\n")
        options = ("--reverse", "--root", "-B", "-M", "--shortstat", "--summary", "--format=%x00%H%n[main %h] %s")
        shown = []
        for text in git(folder, "log", *options, "refs/heads/main").split(b"\0")[1:]:
            name, *lines = text.split(b"\n")
            shown.append((name, [line for line in lines if line]))
        return shown

    def _put(self, path: bytes, node: Node) -> None:
        if isinstance(self._files.find(path), Link):
            self._files.remove(path)
        if isinstance(node, Link):
            self._files.link(path, node.target)
        else:
            self._files.write(path, node.content)
            self._files.set_executable(path, node.executable)


def new_text(rng: random.Random, kinds: int) -> bytes:
    size = rng.choice([0, 2, 12, 14, 16, 20, 30, 60])
    end = rng.choice([b"\n", b"\n", b"\n", b"\r\n"])
    lines = [b"%d" % rng.randrange(kinds) * rng.choice([1, 10, 40]) for _ in range(size)]
    return end.join(lines) + rng.choice([end, b""])


def edited(content: bytes, rng: random.Random, kinds: int) -> bytes:
    """`content` with a share of its lines taken away and a share of new lines put in, often one half."""
    lines = content.split(b"\n")
    away, added = rng.choice([0.0, 0.1, 0.4, 0.5, 0.6, 0.7, 1.0]), rng.choice([0.0, 0.1, 0.4, 0.5, 1.0, 3.0])
    lines = [line for line in lines if rng.random() >= away]
    for _ in range(int(added * len(lines)) or 1):
        lines.insert(rng.randrange(len(lines) + 1), b"%d" % rng.randrange(kinds) * rng.choice([1, 10, 40]))
    return b"\n".join(lines)[:6000]


def random_changes(tracked: dict[bytes, Node], rng: random.Random) -> dict[bytes, Node | None]:
    files: dict[bytes, Node | None] = {}
    kinds = rng.choice([30, 10**6])
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        path = rng.choice(sorted(tracked)) if tracked and rng.random() < 0.8 else b"f%d" % rng.randrange(30)
        path = rng.choice([b"a/", b"a/b/", b"c/"]) + path if path not in tracked and b"/" not in path else path
        node = tracked.get(path)
        if isinstance(node, Link) or (node is None and rng.random() < 0.1):
            files[path] = rng.choice([Link(b"%d" % rng.randrange(9)), None if node else Link(b"x")])
        elif node is None:
            files[path] = File(new_text(rng, kinds))
        else:
            other = rng.choice([b"a/", b"d/e/", b"a/b/"]) + b"f%d" % rng.randrange(30)
            changed = File(edited(node.content, rng, kinds), rng.random() < 0.1)
            elsewhere = rng.choice([None, None, None, None, node, File(edited(node.content, rng, kinds))])
            files[path] = None if rng.random() < 0.3 else changed
            if elsewhere and other not in files:
                files[other] = elsewhere
            twin = rng.choice(sorted(tracked))
            if rng.random() < 0.1 and isinstance(tracked[twin], File):  # each has what the other had
                files[path], files[twin] = File(edited(content_of(tracked[twin]), rng, kinds)), changed
    return {path: node for path, node in files.items() if node != tracked.get(path)}


@pytest.mark.parametrize("seed", range(3))
def test_git_shows_the_same_wherever_that_is_predictable(seed, tmp_path):
    rng, history = random.Random(seed), History()
    tracked: dict[bytes, Node] = {}
    predictable = 0
    while len(history.ids) < 700:
        files = random_changes(tracked, rng)
        if files:
            predictable += history.commit(files)
            tracked = {path: node for path, node in (tracked | files).items() if node is not None}
    shown = history.shown_by_git(tmp_path)
    assert [name for name, _ in shown] == [name.hex().encode() for name in history.ids]
    for expected, (_, lines) in zip(history.expected, shown, strict=True):
        if expected is not None:
            assert [expected[0].replace(b"(root-commit) ", b""), *expected[1:]] == lines
    assert predictable > 350


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (b"a", b"b", b"a => b"),
        (b"a", b"c/a", b"a => c/a"),
        (b"c/a", b"a", b"c/a => a"),
        (b"c/a", b"c/b", b"c/{a => b}"),
        (b"c/a", b"d/a", b"{c => d}/a"),
        (b"c/a", b"c/d/a", b"c/{ => d}/a"),
        (b"c/d/a", b"c/a", b"c/{d => }/a"),
        (b"a/b/c/d", b"a/x/c/d", b"a/{b => x}/c/d"),
        (b"c/\xff", b"c/b", b'"c/\\377" => c/b'),
    ],
)
def test_a_rename_names_the_common_folders_once(old, new, line):
    assert renamed(old, new) == line


BIG = b"".join(b"line %d\n" % n for n in range(100))


@pytest.mark.parametrize(
    "changes",
    [
        [FileChange(b"a", File(BIG), None), FileChange(b"b", None, File(BIG + b"x\n"))],
        [FileChange(b"a", File(b"x"), None), FileChange(b"b", None, File(b"x")), FileChange(b"c", None, File(b"x"))],
        [FileChange(b"a", File(BIG), File(BIG[:99]))],
        [FileChange(b"a", File(BIG), File(BIG * 3)), FileChange(b"b", None, File(BIG))],
        [FileChange(b"a", File(BIG), File(BIG * 3)), FileChange(b"b", File(BIG), File(BIG * 4))],
        [FileChange(b"a", File(b"x"), Link(b"x"))],
        [FileChange(b"a", None, File(b"x\0"))],
        [FileChange(b"a", File(b"\n" * 60000), File(b"x\n" * 6000))],
    ],
)
def test_what_git_guesses_is_not_predictable(changes):
    assert not is_predictable(changes, b"message\n")


def test_a_subject_must_be_printable():
    assert is_predictable([], "größer\n\n\x1b[m\n".encode())
    assert not is_predictable([], b"\x1b[31mred\n")
    assert not is_predictable([], "e\u0301\n".encode())
