"""The shell in its pane: what it shows, what its commands do, and that real bash shows the same."""

import pathlib
import shutil
import subprocess
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.actions import from_bytes
from data_gen.cells import Style
from data_gen.terminal.commands import Commands
from data_gen.terminal.filesystem import FileSystem
from data_gen.terminal.pane import Pane
from data_gen.terminal.repository import Repository
from data_gen.terminal.screen import new_log, new_screen
from data_gen.terminal.shell import Shell
from data_gen.terminal.words import ShellError

DOTFILES = pathlib.Path(__file__).parents[3] / "data_gen" / "terminal" / "dotfiles"


class Bench:
    """A shell on a screen of its own."""

    def __init__(self, rows: int = 8, columns: int = 40, pane: Pane | None = None) -> None:
        self.screen = new_screen(rows, columns)
        self.log = new_log(5000, rows, columns)
        pane = pane or Pane(0, 0, rows, columns)
        files = FileSystem()
        self.commands = Commands(files, Repository(files))
        self.screen.cursor_2[:] = pane.top, pane.left
        self.shell = Shell(self.screen, pane, "project", self.commands)

    def type(self, text: bytes | str) -> None:
        text = text.encode() if isinstance(text, str) else text
        actions = from_bytes(text.replace(b"\n", b"\r"))
        assert self.shell.type(actions, 0, self.log) == len(actions)

    def rows(self) -> list[str]:
        return ["".join(chr(c) for c in row if c).rstrip() for row in self.screen.codepoints_RxC]


def test_the_prompt_names_the_folder_and_the_branch():
    bench = Bench()
    bench.type("mkdir -p a/b\ncd a/b\ncd ..\n")
    assert bench.rows()[:4] == [
        "project (main)$ mkdir -p a/b",
        "project (main)$ cd a/b",
        "b (main)$ cd ..",
        "a (main)$",
    ]
    styles = bench.screen.styles_RxC[0, :16]
    assert (styles[:7] == Style.PROMPT_FOLDER).all() and (styles[9:13] == Style.PROMPT_BRANCH).all()
    assert (styles[[7, 8, 13, 14, 15]] == Style.PLAIN).all()
    assert tuple(bench.screen.cursor_2) == (3, 10)


def test_a_frame_is_what_was_shown_before_its_action():
    bench = Bench()
    bench.type("ab\x7f\x7f\n")
    assert bench.log.actions_S[:5].tolist() == [ord("a"), ord("b"), 0x7F, 0x7F, 0x0D]
    assert bench.log.cursors_Sx2[:5].tolist() == [[0, 16], [0, 17], [0, 18], [0, 17], [0, 16]]


def test_the_log_is_never_overrun():
    bench = Bench()
    small = new_log(3, 8, 40)
    actions = from_bytes(b"mkdir -p x\r")
    assert bench.shell.type(actions, 0, small) == 3
    assert bench.shell.type(actions, 3, small) == 3
    assert bench.shell.type(actions, 3, bench.log) == len(actions)
    assert bench.commands.filesystem.find(b"x") == {}


def test_a_long_line_wraps_and_the_pane_scrolls():
    bench = Bench(5, 20, Pane(1, 2, 3, 18))
    bench.type("mkdir -p " + "d" * 28)
    assert bench.rows() == ["", "  project (main)$ mk", "  dir -p ddddddddddd", "  " + "d" * 17, ""]
    bench.type("d")
    assert bench.rows() == ["", "  dir -p ddddddddddd", "  " + "d" * 18, "", ""], "a full row moves the cursor on"
    bench.type("dd\n")
    assert bench.rows() == ["", "  " + "d" * 18, "  dd", "  project (main)$", ""]
    with pytest.raises(ShellError, match="the key"):
        bench.type("d" * 60 + "\x7f" * 60)


@given(st.text(st.sampled_from("ab 漢é🙂"), max_size=60), st.integers(0, 60))
def test_backspace_undoes(text, erased):
    """Typing and erasing leaves what typing less would have, unless it has scrolled."""
    erased = min(erased, len(text))
    one, other = Bench(12, 20), Bench(12, 20)
    one.type(text + "\x7f" * erased)
    other.type(text[: len(text) - erased])
    assert np.array_equal(one.screen.codepoints_RxC, other.screen.codepoints_RxC)
    assert np.array_equal(one.screen.cursor_2, other.screen.cursor_2)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"ls\n", "unknown command b'ls'"),
        (b"rm nothing\n", "is no file or link"),
        (b"rm -rf x\n", "unknown command"),
        (b"cd /etc\n", "outside the project"),
        (b"cd ..\n", "outside the project"),
        (b"cd\n", "unknown command b'cd'"),
        (b"cd -\n", "no such folder"),
        (b"mkdir -p .git/hooks\n", "not a safe path"),
        (b"vim a/b\n", "no such folder"),
        (b"vim +q\n", "not a file"),
        (b"mkdir -p d\nvim d/.\n", "not a file"),
        (b"rm nothing/../f\n", "b'nothing' is no folder"),
        (b"mkdir -p d f\ncd d\nln -s /tmp l\nrm -r l/../f\n", "b'd/l' is no folder"),
        (b"ln -s /tmp l\nln -sfn x l/\n", "b'l' is no folder"),
        (b"mkdir -p d\ncd d\nrm -r ../d\n", "the current folder b'd' has been removed"),
        (b"git add nothing\n", "no file to add"),
        (b"git push\n", "unknown command"),
        (b"git commit -q -m x\n", "nothing to commit"),
        (b"git commit --allow-empty -q -m ''\n", "an empty message"),
        (b"git commit --amend -q -m x\n", "unknown command"),
        (b"git commit --allow-empty -m $'a\\tb'\n", "not predictable; -q is quiet"),
        (b"git commit --allow-empty -q -m $'\\xff'\n", "not UTF-8"),
        (b"git rm nothing\n", "not tracked"),
        (b"x=1\n", "unknown command"),
        (b"a\x1b", "the key ⎋ after 'a'"),
        (b"a\t", "the key ⇥ after 'a'"),
        (b"\xff", "the key"),
        (b"\xc3\r", "the key"),
        ("e\u0301".encode(), "the key"),
    ],
)
def test_what_it_does_not_know_is_refused(line, reason):
    with pytest.raises(ShellError, match=reason):
        Bench().type(line)


def test_git_keeps_an_index():
    bench = Bench(20)
    files = bench.commands.filesystem
    files.write(b"a", b"1\n")
    files.write(b"b", b"1\n")
    bench.type("git add a b\ngit commit -q -m one\nmkdir -p d\n")
    files.write(b"a", b"2\n")
    bench.type("git mv b d/b\nchmod +x d/b\nln -sfn x a\ngit status -s\n")
    assert bench.rows()[7:11] == [" T a", "D  b", "AM d/b", "project (main)$"]
    bench.type("git add a d/b\ngit commit -q -m 'two\n\nwhy'\n")
    assert bench.commands.repository.message == b"two\n\nwhy\n"
    bench.type("git rm -q d/b\n")
    assert files.find(b"d") is None, "git rm removes the folders that it empties"


def test_what_git_prints_is_text():
    bench = Bench(14, 28)
    bench.type("ln -s x '漢字é'\nln -s x b\ngit add '漢字é' b\ngit commit -q -m 'x'\ngit rm '漢字é' b\n")
    assert bench.rows()[9:11] == ["rm 'b'", "rm '漢字é'"], "sorted, and not quoted like a string of C"
    bench.type("git status\n")
    shown = ["        deleted:    b", '        deleted:    "\\346\\27', '4\\242\\345\\255\\227\\303\\251"']
    assert bench.rows()[6:9] == shown, "tabs, and a row that is full"
    bench = Bench(8, 34)
    bench.type("git commit --allow-empty -m '漢字漢字'\n")
    assert bench.rows()[3] == "字漢字", "a character of two cells that has no room goes to the next row"


SCRIPTS = {
    "wrap": [
        "mkdir -p ",
        "abcdefghij" * 12,
        "\x7f" * 85,
        "\n",
        "cd xyz\x7f\x7f\x7f" + "abcdefghij" * 4 + "\x7f" * 5,
        "\n",
    ],
    "exact": ["mkdir -p " + "x" * 15, "y", "\x7f", "\x7f", "xz\n"],
    "exact enter": ["mkdir -p " + "x" * 15 + "\n", "mkdir -p y\n"],
    "wide": [
        "git commit --allow-empty -q -m '",
        "漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字",
        "\x7f" * 14,
        "é🙂'",
        "\n",
    ],
    "quotes": ["git commit --allow-empty -q -m 'one\n\ntwo\n", "three'\n", "mkdir -p a\\\n", "b 'c\n", "d'\n"],
    "scroll": [f"mkdir -p {'d' * n}\n" for n in range(1, 14)],
    "commit": [
        *("mkdir -p d\n", "ln -s x 'd/é 漢'\n", "ln -s y d/y\n", "git add 'd/é 漢' d/y\n", "git status\n"),
        *("git commit -m 'Begin, with 漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字'\n", "ln -sfn z d/y\n"),
        *("git status\n", "git add d/y\n", "git commit -m 'Turn'\n", "mkdir -p e\n", "git mv d/y e/y\n"),
        *("git commit -m 'Move\n", "it\n", "\n", "and say why'\n", "git rm e/y 'd/é 漢'\n", "git commit -m ' Away '\n"),
        *("git commit --allow-empty --allow-empty-message -m ''\n", "git status\n"),
    ],
    "status": ["mkdir -p 'a b'\n", "ln -s x 'a b/é'\n", "ln -s y z\n", "git add 'a b/é' z\n", "git status -s\n"],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SCRIPTS)
def test_real_bash_shows_the_same(name, tmp_path):
    """Keys typed into bash in a pseudo-terminal: after each piece, the same characters and the same cursor."""
    if shutil.which("bash") is None:
        pytest.skip("bash is not installed")
    pexpect, pyte = pytest.importorskip("pexpect"), pytest.importorskip("pyte")
    rows, columns = 10, 40
    project = tmp_path / "project"
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
    environment["GIT_CONFIG_GLOBAL"] = str(DOTFILES / "gitconfig")
    subprocess.run(["git", "init", "--quiet", project], check=True, env=environment)
    child = pexpect.spawn(
        "bash", ["--rcfile", str(DOTFILES / "bashrc")], cwd=project, env=environment, dimensions=(rows, columns)
    )
    child.delaybeforesend = None
    screen = pyte.Screen(columns, rows)
    stream = pyte.ByteStream(screen)
    bench = Bench(rows, columns)
    for text in ["", *SCRIPTS[name]]:
        bench.type(text)
        child.send(text.encode().replace(b"\n", b"\r"))
        expected = (bench.rows(), tuple(map(int, bench.screen.cursor_2)))
        deadline = time.monotonic() + 5
        while True:
            try:
                stream.feed(child.read_nonblocking(1 << 16, 0.05))
            except pexpect.TIMEOUT:
                shown = ([row.rstrip() for row in screen.display], (screen.cursor.y, screen.cursor.x))
                if shown == expected or time.monotonic() > deadline:
                    break
        assert shown == expected
    child.close(force=True)
