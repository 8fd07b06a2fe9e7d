"""What git commands print, against real git: random sessions, run in memory and by bash."""

import os
import pathlib
import random
import subprocess

import pytest

from data_gen.terminal.commands import Commands
from data_gen.terminal.filesystem import File, FileSystem, Link
from data_gen.terminal.objects import folders_of
from data_gen.terminal.repository import Repository
from data_gen.terminal.words import ShellError, quote

DOTFILES = pathlib.Path(__file__).parents[3] / "data_gen" / "terminal" / "dotfiles"
PATHS = [
    *(
        b"a",
        b"b",
        b"e/c",
        b"b/a",
        b"b/c/a",
        b"b/c/d.py",
        b"b-c",
        b"b.c",
        b"e/a",
        b"e/c/a",
        b"e/f/c/a",
        b"e/f/c/d.py",
        b"g",
    ),
    *(b"with space", b'quo"te', b"tab\there", "größe/漢字".encode(), b"e/back\\slash"),
]
MESSAGES = [
    *("Change", "Change\n", " Two  \nlines \n\nand a body\n", "", "\n", "\n\nlate\n", "größer, 漢字 🙂", "[x] it's $y"),
    *("tab\there", "wide\u200b", "noncharacter \ufdd0", "body\n\n\uffff", "x" * 300),
]


class Session:
    """Commands that are run in memory at once, and noted for bash with what they printed."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.files = FileSystem()
        self.commands = Commands(self.files, Repository(self.files))
        self.expected: list[bytes] = []
        self._contents = folder / "contents"
        self._contents.mkdir(parents=True)
        self._project = folder / "project"
        self._script = [b"source %s/bashrc 2>/dev/null" % os.fsencode(DOTFILES)]

    def run(self, *words: bytes) -> bool:
        """Run a command; `False` if it is refused."""
        try:
            outcome = self.commands.run(list(words))
        except ShellError:
            return False
        self._script.append(b" ".join(map(quote, words)) + b" 2>&1 || echo failed; printf '\\0'")
        self.expected.append(b"".join(line + b"\n" for line in outcome.lines))
        return True

    def write(self, path: bytes, content: bytes) -> None:
        """Save a file, relative to the root."""
        number = len(list(self._contents.iterdir()))
        (self._contents / str(number)).write_bytes(content)
        self.run(b"mkdir", b"-p", path.rpartition(b"/")[0] or b".")
        self.files.write(path, content)
        self._script.append(b"cat %s/%d > %s" % (os.fsencode(self._contents), number, quote(path)))

    def printed_by_bash(self) -> list[bytes]:
        """What real bash and git print for the same commands."""
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(self._project.parent)}
        environment |= {"GIT_CONFIG_GLOBAL": str(DOTFILES / "gitconfig"), "GIT_CONFIG_NOSYSTEM": "1"}
        subprocess.run(["git", "init", "--quiet", self._project], env=environment, check=True)
        bash = ["bash", "--norc", "--noprofile"]
        output = subprocess.run(
            bash, input=b"\n".join(self._script), cwd=self._project, env=environment, stdout=subprocess.PIPE, check=True
        ).stdout
        return output.split(b"\0")[:-1]


def text(rng: random.Random) -> bytes:
    """Lines like those of a program, from none to some thousands of bytes."""
    end = rng.choice([b"\n", b"\n", b"\n", b"\r\n"])
    lines = [
        b"%s = %d" % (rng.choice([b"", b"name", b"value" * 20, b"$Id: name $"]), rng.randrange(500))
        for _ in range(rng.choice(SIZES))
    ]
    return end.join(lines) + (end if lines and rng.random() < 0.8 else b"")


def edited(content: bytes, rng: random.Random) -> bytes:
    """`content` with a few lines changed, or many."""
    lines = content.split(b"\n")
    for _ in range(rng.choice([1, 1, 2, len(lines) // 4, len(lines) // 2, len(lines)])):
        at = rng.randrange(len(lines))
        lines[at : at + rng.randrange(2)] = [b"line %d" % rng.randrange(1000)] * rng.randrange(3)
        lines = lines or [b""]
    return b"\n".join(lines)


SIZES = [0, 1, 3, 10, 30, 80, 200]


def make_room(session: Session, path: bytes) -> None:
    """Remove what keeps a file from being written to `path`."""
    for at in [*folders_of(path), path]:
        node = session.files.find(at)
        if isinstance(node, Link | File):
            session.run(b"rm", at)
        elif at == path and node is not None:
            session.run(b"rm", b"-r", at)


def change_something(session: Session, rng: random.Random) -> list[bytes]:
    """One change of the working tree or the index; the paths to stage."""
    tracked, path = sorted(session.commands.repository.index), rng.choice(PATHS)
    old = rng.choice(tracked) if tracked else path
    node = session.files.find(old)
    match rng.randrange(10):
        case 0 | 1 if not isinstance(session.files.find(path), File):
            make_room(session, path)
            session.write(path, text(rng))
            return [path]
        case 2 | 3 | 4 if isinstance(node, File):
            session.write(old, edited(node.content, rng))
            return [old]
        case 5:
            session.run(b"mkdir", b"-p", path.rpartition(b"/")[0] or b".")
            session.run(b"git", b"mv", old, path)
        case 6:
            session.run(
                b"git",
                b"rm",
                *rng.choice([[], [b"-q"]]),
                *rng.sample(tracked, min(len(tracked), rng.choice([1, 1, 2]))),
            )
        case 7 if isinstance(node, File):
            return [old] if session.run(b"chmod", rng.choice([b"+x", b"-x"]), old) else []
        case 8:
            return rng.choice([[], [old]]) if session.run(b"rm", old) else []
        case 9:
            return [path] if session.run(b"ln", b"-sfn", b"target %d" % rng.randrange(3), path) else []
    return []


def commit(session: Session, rng: random.Random) -> bool:
    """Commit, and say so unless that is not predictable; whether it was."""
    message = rng.choice(MESSAGES).encode() if rng.random() < 0.3 else b"Change %d" % rng.randrange(10)
    words = [b"--allow-empty", b"--allow-empty-message", b"-m", message]
    if session.run(b"git", b"commit", *words):
        return True
    assert session.run(b"git", b"commit", b"-q", *words)
    return False


@pytest.mark.parametrize("seed", range(6))
def test_git_prints_the_same(seed, tmp_path):
    rng = random.Random(seed)
    session = Session(tmp_path)
    session.run(b"git", b"status")
    session.write(b".gitattributes", b"* text eol=crlf ident -diff working-tree-encoding=UTF-16\n")
    session.run(b"git", b"add", b".gitattributes")
    predicted = commits = 0
    for _ in range(20):
        changed = {path for _ in range(rng.choice([0, 1, 1, 2, 3, 6])) for path in change_something(session, rng)}
        for path in sorted(changed):
            if rng.random() < 0.9:
                session.run(b"git", b"add", b"-f", b"--", path)
        if rng.random() < 0.3:
            session.run(b"mkdir", b"-p", b"b/c/x")
            session.run(b"cd", rng.choice([b"b", b"b/c/x"]))
        session.run(b"git", b"status", *rng.choice([[], [b"-s"]]))
        predicted += commit(session, rng)
        commits += 1
        if session.commands.folder:
            session.run(b"cd", b"/".join([b".."] * len(session.commands.folder.split(b"/"))))
    for expected, printed in zip(session.expected, session.printed_by_bash(), strict=True):
        assert printed == expected
    assert predicted > commits // 3


def test_paths_are_named_from_the_current_folder(tmp_path):
    session = Session(tmp_path)
    for path in (b"file", b"d/e/f", b"gone"):
        session.write(path, b"x\n")
        assert session.run(b"git", b"add", path)
    for words in ([b"rm", b"gone"], [b"mkdir", b"-p", b"gone/in"]):
        assert session.run(*words)
    for folder in (b"d", b"e", b"../../gone", b"in"):
        assert session.run(b"cd", folder)
        assert session.run(b"git", b"status", b"-s")
        assert session.run(b"git", b"status")
    assert session.printed_by_bash() == session.expected
