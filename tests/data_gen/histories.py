"""Git histories made for tests, written with real git: ordinary ones, and trees that no honest git would write."""

import os
import pathlib
import subprocess
from collections.abc import Callable

_ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "LC_ALL": "C.UTF-8",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_AUTHOR_DATE": "2001-01-01T00:00:00Z",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.com",
    "GIT_COMMITTER_DATE": "2001-01-01T00:00:00Z",
}


class Builder:
    """A repository that grows commit by commit."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str | bytes, stdin: bytes = b"") -> bytes:
        """What a git command prints."""
        command = ["git", *arguments]
        return subprocess.run(
            command, cwd=self.folder, env=_ENVIRONMENT, input=stdin, stdout=subprocess.PIPE, check=True
        ).stdout

    def write(self, path: bytes, content: bytes, executable: bool = False) -> None:
        """Put a file into the working tree."""
        full = os.fsencode(self.folder) + b"/" + path
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as file:
            file.write(content)
        os.chmod(full, 0o755 if executable else 0o644)

    def link(self, path: bytes, target: bytes) -> None:
        """Put a symbolic link into the working tree."""
        os.symlink(target, os.fsencode(self.folder) + b"/" + path)

    def remove(self, path: bytes) -> None:
        """Take a file away."""
        os.unlink(os.fsencode(self.folder) + b"/" + path)

    def move(self, source: bytes, target: bytes) -> None:
        """Rename a file."""
        full = os.fsencode(self.folder) + b"/" + target
        os.makedirs(os.path.dirname(full), exist_ok=True)
        os.rename(os.fsencode(self.folder) + b"/" + source, full)

    def commit(self, message: bytes = b"change\n") -> None:
        """Commit the working tree, and whatever the index has that it has not."""
        self.git("add", "--all", "--force")
        self.commit_index(message)

    def commit_index(self, message: bytes = b"change\n") -> None:
        """Commit the index as it is, with exactly this message."""
        self.commit_tree(self.git("write-tree").decode().strip(), message)

    def commit_tree(self, tree: str, message: bytes = b"change\n", *parents: str) -> None:
        """Commit a tree; its first parent is the branch, if there is one yet."""
        head = subprocess.run(
            ["git", "rev-parse", "--verify", "--quiet", "HEAD"], cwd=self.folder, env=_ENVIRONMENT, capture_output=True
        ).stdout
        arguments = [word for parent in (*head.decode().split(), *parents) for word in ("-p", parent)]
        commit = self.git("commit-tree", tree, *arguments, stdin=message).decode().strip()
        self.git("update-ref", "HEAD", commit)

    def blob(self, content: bytes) -> str:
        """Store a blob; its name."""
        return self.git("hash-object", "-w", "--stdin", stdin=content).decode().strip()

    def tree(self, *entries: tuple[str, bytes, str]) -> str:
        """Store a tree of (mode, name, object) as it is given, however wrong; its name."""
        raw = b"".join(b"%s %s\0%s" % (m.encode(), name, bytes.fromhex(o)) for m, name, o in entries)
        return self.git("hash-object", "-t", "tree", "--literally", "-w", "--stdin", stdin=raw).decode().strip()


def ordinary(folder: pathlib.Path) -> Builder:
    """Files come, change, move and go, with a merge and a mode change."""
    repo = Builder(folder)
    repo.write(b"README.md", b"# A project\n\nIt does things.\n")
    repo.write(b"src/main.py", b"def main():\n\tprint('hello')\n\n\nmain()\n")
    repo.write(b"src/empty.py", b"")
    repo.commit(b"Begin\n")
    repo.write(b"src/main.py", b"def main(name):\n\tprint('hello', name)\n\n\nmain('you')\n")
    repo.write(b"deep/er/and/deeper/file.txt", b"one\ntwo\nthree\n")
    repo.commit(b"Greet by name\n\nA body that says why,\nin two lines.\n")
    side = repo.git("rev-parse", "HEAD").decode().strip()
    repo.git("checkout", "--quiet", "--detach")
    repo.write(b"side.txt", b"from the side\n")
    repo.commit(b"On the side\n")
    other = repo.git("rev-parse", "HEAD").decode().strip()
    repo.git("checkout", "--quiet", "main")
    assert repo.git("rev-parse", "HEAD").decode().strip() == side
    repo.write(b"README.md", b"# A project\n\nIt does many things.\n")
    repo.commit(b"Praise it\n")
    repo.write(b"side.txt", b"from the side\n")
    repo.git("add", "--all")
    repo.commit_tree(repo.git("write-tree").decode().strip(), b"Merge the side\n", other)
    repo.move(b"deep/er/and/deeper/file.txt", b"deep/file.txt")
    repo.move(b"src/main.py", b"lib/main.py")
    repo.commit(b"Move things\n")
    repo.write(b"lib/main.py", b"#!/usr/bin/env python3\n" + b"main = print\n", executable=True)
    repo.commit(b"Make it run\n")
    repo.remove(b"src/empty.py")
    repo.remove(b"README.md")
    repo.commit(b"Remove\n")
    repo.commit(b"Nothing\n")
    return repo


def odd_contents(folder: pathlib.Path) -> Builder:
    """CRLF, no newline at the end, long lines, wide and combining characters, control characters; what is left out."""
    repo = Builder(folder)
    repo.write(b"crlf.txt", b"one\r\ntwo\r\n")
    repo.write(b"no-newline.txt", b"one\ntwo")
    repo.write(b"long.txt", b"x" * 1000 + b"\n" + b"short\n" + b"word " * 300 + b"\n")
    repo.write(b"wide.txt", "漢字 and 🙂 and e\u0301\n".encode())
    repo.write(b"control.txt", b"\x1b[31mred\x1b[0m \x07 \x7f\t|\n")
    repo.write(b"bom.txt", b"\xef\xbb\xbfmarked\n")
    repo.write(b"empty.txt", b"")
    repo.write(b"newlines.txt", b"\n\n\n")
    repo.write(b"binary.dat", b"a\0b\n")
    repo.write(b"latin.txt", b"caf\xe9\n")
    repo.write(b"becomes-binary.txt", b"text\n")
    repo.commit(b"Odd files\n")
    repo.write(b"crlf.txt", b"one\r\n2\r\nthree\r\n")
    repo.write(b"no-newline.txt", b"one\ntwo\nthree")
    repo.write(b"long.txt", b"x" * 990 + b"yz\n" + b"short\n" + b"word " * 299 + b"words\n")
    repo.write(b"wide.txt", "漢 and 🙃 and e\u0301\u0300\n".encode())
    repo.write(b"empty.txt", b"full\n")
    repo.write(b"newlines.txt", b"")
    repo.write(b"becomes-binary.txt", b"\0")
    repo.write(b"binary.dat", b"now text\n")
    repo.commit(b"Change them\n")
    repo.write(b"no-newline.txt", b"one\ntwo\nthree\n")
    repo.write(b"crlf.txt", b"one\n2\nthree\n")
    repo.move(b"latin.txt", b"moved-latin.txt")
    repo.move(b"binary.dat", b"moved.dat")
    repo.commit(b"And again\n")
    repo.remove(b"moved.dat")
    repo.remove(b"becomes-binary.txt")
    repo.commit(b"Away with them\n")
    repo.write(b"moved.dat", b"back as text\n")
    repo.commit(b"And back\n")
    return repo


def odd_kinds(folder: pathlib.Path) -> Builder:
    """Links, files that become folders and back, type changes, modes, a submodule, moves that block each other."""
    repo = Builder(folder)
    repo.write(b"thing", b"a file\n")
    repo.write(b"one/file", b"this is one\n")
    repo.write(b"script", b"#!/bin/sh\n")
    repo.link(b"link", b"one/file")
    repo.link(b"dangling", "-no such ' file\tat all é".encode())
    repo.commit(b"Begin\n")
    repo.remove(b"thing")
    repo.write(b"thing/inside", b"a file in a folder\n")
    repo.write(b"script", b"#!/bin/sh\n", executable=True)
    repo.remove(b"link")
    repo.link(b"link", b"thing")
    repo.commit(b"A file becomes a folder\n")
    repo.remove(b"thing/inside")
    os.rmdir(folder / "thing")
    repo.write(b"thing", b"a file again\n")
    repo.write(b"script", b"#!/bin/sh\n")
    repo.remove(b"link")
    repo.write(b"link", b"no link any more\n")
    repo.commit(b"And a file again\n")
    repo.remove(b"link")
    repo.link(b"link", b"one")
    repo.git("update-index", "--add", "--cacheinfo", "160000," + "1" * 40 + ",module")
    repo.git("add", "link")
    repo.commit_index(b"A link again, and a submodule\n")
    repo.move(b"thing", b"swap")
    repo.move(b"swap", b"thing/inside")
    repo.move(b"one/file", b"two/file")
    repo.commit(b"A file moves into a folder of its own name\n")
    repo.write(b"x", b"content of x\n")
    repo.write(b"y", b"content of y\n")
    repo.commit(b"Two files\n")
    repo.move(b"x", b"x-away")
    repo.move(b"y", b"y-away")
    repo.move(b"x-away", b"y/a")
    repo.move(b"y-away", b"x/b")
    repo.commit(b"Each goes into a folder named after the other\n")
    repo.write(b"nest/in/file", b"in a folder\n")
    repo.write(b"plain", b"plain\n")
    repo.commit(b"A folder and a file\n")
    repo.move(b"nest/in/file", b"away")
    os.removedirs(folder / "nest" / "in")
    repo.move(b"plain", b"nest")
    repo.commit(b"The file takes the place of the folder\n")
    return repo


def odd_names(folder: pathlib.Path) -> Builder:
    """Paths that need quotes, look like options or patterns, or hold newlines, control and non-ASCII characters."""
    repo = Builder(folder)
    names = [
        b"with space", b"it's", b'"both\' quotes"', b"new\nline", b"tab\there", b"esc\x1b[31m", b"-option", b"+1",
        b"~home", b"#comment", b"$HOME", b"`x`", b"a*b", b"[id].tsx", b"{a,b}", b"back\\slash", b"semi;colon", b"!bang",
        b":(top)x", b"a&b|c", "größe/漢字 🙂.txt".encode(), "e\u0301.txt".encode(), b"%", b"=x", b" lead", b"trail ",
        b"l" * 200 + b"/" + b"m" * 200 + b"/" + b"n" * 200, b".gitignore",
    ]  # fmt: skip
    for name in names:
        repo.write(name, b"*.txt\n")
    repo.write(b"not-utf8-\xff", b"left out\n")
    repo.commit(b"Names\n")
    for name in names:
        repo.write(name, b"changed\n")
    repo.commit(b"Change all\n")
    for name in names[::2]:
        repo.move(name, b"moved/" + name)
    for name in names[1::2]:
        repo.remove(name)
    repo.remove(b"not-utf8-\xff")
    repo.commit(b"Move half and remove half\n")
    return repo


MESSAGES = [
    b"",
    b"\n",
    b"no newline",
    b"subject\n\nbody\n\n\nmore\n",
    b"ends with two\n\n",
    b"it's\n",
    b'say "it\'s"\n',
    b"$HOME `date` \\ !! \\n \\\n",
    b"\x1b[31mred\x1b[0m\x07\x08\x7f\xc2\x9b\n",
    b"tab\tand\rreturn\r\n",
    "größer, 漢字, 🙂, e\u0301, \u200b, \u202e\n".encode(),
    b"x" * 1200 + b"\n" + b"y'" * 400 + b"\n",
    b"# looks like a comment\n",
    b"-m\n",
    b"latin \xe9\xff\n",
]


def odd_messages(folder: pathlib.Path) -> Builder:
    """Every message of `MESSAGES`, on commits that change nothing or a file."""
    repo = Builder(folder)
    for number, message in enumerate(MESSAGES):
        if number % 2:
            repo.write(b"file", b"%d\n" % number)
        repo.commit(message)
    repo.commit(b"to be declared\n")
    raw = repo.git("cat-file", "commit", "HEAD").partition(b"\n\n")[0]
    declared = raw + b"\nencoding ISO-8859-1\n\ndeclared \xe9\n"
    name = repo.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=declared).decode().strip()
    repo.git("update-ref", "HEAD", name)
    return repo


def hostile(folder: pathlib.Path) -> Builder:
    """Trees that lead outside, into `.git`, or contradict themselves; a blob that is missing."""
    repo = Builder(folder)
    blob, other = repo.blob(b"hostile\n"), repo.blob(b"other\n")
    inner = repo.tree(("100644", b"config", blob))
    link = repo.blob(b"/etc/passwd")
    evil = [
        ("40000", b".", inner),
        ("40000", b"..", inner),
        ("40000", b".GIT", inner),
        ("40000", b".git", inner),
        ("120000", b".gitmodules", link),
        ("100644", b"a/b", blob),
        ("40000", b"deep", repo.tree(("40000", b"..", repo.tree(("40000", b"..", inner))), ("100644", b".git", blob))),
        ("100644", b"gone", "2" * 40),
        ("100644", b"good", blob),
        ("120000", b"link", link),
        ("100644", b"n" * 300, blob),
        ("100644", b"tree-as-blob", inner),
        ("100644", b"twin", blob),
        ("40000", b"twin", inner),
    ]
    repo.commit_tree(repo.tree(*evil), b"Attack\n")
    repo.commit_tree(repo.tree(*((m, n, other if o == blob else o) for m, n, o in evil)), b"Change\n")
    repo.commit_tree(repo.tree(("100644", b"good", blob)), b"Clean up\n")
    return repo


BUILDERS: dict[str, Callable[[pathlib.Path], Builder]] = {
    build.__name__: build for build in (ordinary, odd_contents, odd_kinds, odd_names, odd_messages, hostile)
}
