"""The typist's keys, typed into the in-process editor and into real Vim, leave exactly the new file on disk."""

import os
import pathlib
import re
import shutil
import subprocess
import termios
import threading
import time
import unittest.mock

import hypothesis
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_gen.actions import ESCAPE, describe, from_bytes, to_bytes
from data_gen.replay.typist import STYLES, Typist
from data_gen.terminal.editor import Editor
from data_gen.terminal.pane import Pane
from data_gen.terminal.screen import clear_log, new_log, new_screen

ROWS, COLUMNS, FRAMES = 12, 60, 4096
VIMRC = pathlib.Path(__file__).parents[3] / "data_gen" / "terminal" / "dotfiles" / "vimrc"
needs_vim = pytest.mark.skipif(shutil.which("vim") is None, reason="vim is not installed")

WORDS = ["foo", "bar", "self.x", "if", "(", ")", "=", "a.b", "1", "#", "/", "\\", "~", "é", "漢", "Ж", "\U0001f600"]
BLANKS = [" ", "    ", "\t"]
COMBINING = ["\u0301", "e\u0301", "لا", "\u200d", "\ufe0f", "\ufeff", "\u1161"]
CONTROLS = ["\x1b", "\r", "\x01", "\x16", "\x7f", "\x85", "\x9b", "\u4e80"]
PIECES = st.sampled_from(WORDS) | st.sampled_from(BLANKS) | st.sampled_from(COMBINING) | st.sampled_from(CONTROLS)
PLAIN_PIECES = st.sampled_from(WORDS) | st.sampled_from(BLANKS)
LINES = (st.lists(PLAIN_PIECES, max_size=9) | st.lists(PIECES, max_size=9)).map("".join)


@st.composite
def versions(draw) -> tuple[bytes | None, bytes]:
    """Two versions of a file: lines of the old one stay, change, go, double, move, join and break.

    No version begins with a byte order mark.
    """
    old = draw(st.lists(LINES, max_size=12))
    new = list(old)
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(new)))
        end = min(len(new), at + draw(st.integers(0, 3)))
        match draw(st.sampled_from(["type", "change", "double", "move", "join", "break"])):
            case "type":
                new[at:end] = draw(st.lists(LINES, max_size=3))
            case "change" if at < len(new):
                i = draw(st.integers(0, len(new[at])))
                new[at] = (
                    new[at][:i]
                    + draw(st.sampled_from(["", "x", "foo bar", "é"]))
                    + new[at][i + draw(st.integers(0, 4)) :]
                )
            case "double":
                new[at:at] = new[at:end]
            case "move":
                block = new[at:end]
                del new[at:end]
                to = draw(st.integers(0, len(new)))
                new[to:to] = block
            case "join" if at + 1 < len(new):
                new[at : at + 2] = [new[at] + " " + new[at + 1].lstrip()]
            case "break" if at < len(new):
                i = draw(st.integers(0, len(new[at])))
                new[at : at + 1] = [new[at][:i], "  " + new[at][i:]]
    old_text, new_text = (draw(endings(lines)).lstrip("\ufeff") for lines in (old, new))
    return (None if not old and draw(st.booleans()) else old_text.encode()), new_text.encode()


def endings(lines: list[str]) -> st.SearchStrategy[str]:
    if not lines:
        return st.just("")
    return st.sampled_from(["\n", "\n", "\n", "" if lines[-1] else "\n"]).map(lambda end: "\n".join(lines) + end)


CASES = [
    (None, b""),
    (None, b"\n"),
    (None, b"\n\n"),
    (None, b"a"),
    (b"", b"\n"),
    (b"", b"a"),
    (b"\n", b""),
    (b"\n", b"\n\n"),
    (b"\n\n", b"\n"),
    (b"a", b""),
    (b"a", b"a\n"),
    (b"a\n", b"a"),
    (b"a\n", b"\n"),
    (b"a\nb", b"\n"),
    (b"a\nb\n", b""),
    (b"a\n", b"\na\n"),
    (b"  a\n", b"b\n  a\n"),
    (b"\xef\xbb\xbfa\n", b"\xef\xbb\xbfb\n"),
    (b"\xef\xbb\xbf", b"\xef\xbb\xbfb\n"),
    (b"a\n", b"\xef\xbb\xbfa\n"),
    (None, b"".join(bytes((c,)) for c in range(1, 128) if c != 10)),
    (b"a b\n", "".join(map(chr, range(0x80, 0xA0))).encode() + b"\n"),
    (b"some words here\n" * 3, b"some words here\n" * 6),
    (b"first line of block\nsecond line\nx\ny\n", b"x\ny\nfirst line of block\nsecond line\n"),
    (b"x\ny\nfirst line of block\nsecond line\n", b"first line of block\nsecond line\nx\ny\n"),
]


LEAVE = from_bytes(b":wq\r")
STYLE_NAMES = st.sampled_from(STYLES)


def keys_for(pair: tuple[bytes | None, bytes], seed: int, style: str = "vim") -> list[np.ndarray]:
    """All that is typed each time that the file is opened; with odd seeds it is saved and closed more often."""
    share = 0.5 if seed % 2 else 0.0
    with unittest.mock.patch.multiple("data_gen.replay.typist", _MIN_KEYS_TO_SAVE=5, _SAVE_SHARE=share):
        return [np.append(keys, LEAVE) for keys in Typist(seed, style=style).edit(*pair)]


def edited(content: bytes | None, sittings: list[np.ndarray]) -> bytes | None:
    """What the in-process editor writes."""
    log = new_log(FRAMES, ROWS, COLUMNS)
    editor = Editor(new_screen(ROWS, COLUMNS), Pane(0, 0, ROWS, COLUMNS))
    for actions in sittings:
        editor.open(b"file", content)
        index = 0
        while index < len(actions):
            assert not editor.finished, describe(actions)
            index = editor.type(actions, index, log)
            clear_log(log)
        assert editor.finished
        content = editor.written[1]
    return content


def edited_by_vim(folder: pathlib.Path, old: bytes | None, sittings: list[np.ndarray]) -> bytes | None:
    """What real Vim has on disk after it read `sittings` as scripts; a script's bytes count as typed."""
    file, keys = folder / "file", folder / "keys"
    file.unlink(missing_ok=True)
    if old is not None:
        file.write_bytes(old)
    master, terminal = os.openpty()
    try:
        for actions in sittings:
            keys.write_bytes(to_bytes(actions))
            subprocess.run(
                ["vim", "-u", str(VIMRC), "-i", "NONE", "-T", "xterm", "-s", str(keys), str(file)],
                stdin=terminal,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", "TERM": "xterm"},
                timeout=60,
                check=True,
            )
    finally:
        os.close(master)
        os.close(terminal)
    return file.read_bytes() if file.exists() else None


def edited_at_a_terminal(folder: pathlib.Path, old: bytes | None, actions: np.ndarray) -> bytes | None:
    """What real Vim has on disk after the bytes of `actions` came in at its terminal, all at once."""
    file = folder / "file"
    file.unlink(missing_ok=True)
    if old is not None:
        file.write_bytes(old)
    master, terminal = os.openpty()
    vim = subprocess.Popen(
        ["vim", "-u", str(VIMRC), "-i", "NONE", "-T", "tmux-256color", str(file)],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", "TERM": "tmux-256color"},
        start_new_session=True,
    )
    shown = threading.Thread(target=_drain, args=(master,), daemon=True)
    shown.start()
    while termios.tcgetattr(terminal)[3] & termios.ICANON:
        time.sleep(0.01)
    os.write(master, to_bytes(actions))
    try:
        assert vim.wait(timeout=60) == 0
    finally:
        vim.kill()
        vim.wait()
        os.close(terminal)
        shown.join()
    os.close(master)
    return file.read_bytes() if file.exists() else None


def described(sittings: list[np.ndarray]) -> str:
    return " then ".join(map(describe, sittings))


def _drain(descriptor: int) -> None:
    try:
        while os.read(descriptor, 65536):
            pass
    except OSError:
        return


@pytest.mark.parametrize(("old", "new"), CASES)
def test_special_files_in_the_editor(old, new):
    for seed in range(5):
        for style in STYLES:
            sittings = keys_for((old, new), seed, style)
            assert edited(old, sittings) == new, described(sittings)


@settings(max_examples=500)
@given(versions(), st.integers(0, 1000), STYLE_NAMES)
def test_the_editor_writes_the_new_version(pair, seed, style):
    old, new = pair
    sittings = keys_for((old, new), seed, style)
    assert edited(old, sittings) == new, described(sittings)


@given(versions(), st.integers(0, 1000))
def test_the_style_of_arrows_uses_no_commands(pair, seed):
    """Between Escape, saving and leaving aside, all is typed in insert mode."""
    hypothesis.assume(pair[1] not in (b"", b"\n"))
    for actions in keys_for(pair, seed, "arrows"):
        commands = re.sub(rb"(?s)i([^\x16\x1b]|\x16.|\x1b\[[ABCD3])*\x1b(?!\[)", b"", to_bytes(actions))
        assert re.fullmatch(rb"(:w\r|:set (no)?eol\r)*:wq\r", commands), described([actions])


@given(versions(), st.integers(0, 1000))
def test_the_same_seed_gives_the_same_keys(pair, seed):
    a, b = Typist(seed), Typist(seed)
    for _ in range(2):
        for keys, same_keys in zip(a.edit(*pair), b.edit(*pair), strict=True):
            np.testing.assert_array_equal(keys, same_keys)


@given(versions(), st.integers(0, 1000))
def test_no_keys_look_like_a_control_sequence(pair, seed):
    actions = np.concatenate(keys_for(pair, seed))
    after_escape = actions[1:][actions[:-1] == ESCAPE]
    literal_escape = np.flatnonzero(actions[:-1] == 0x16) + 1
    starts = np.flatnonzero(actions == ESCAPE)
    assert len(after_escape) == len(starts)
    assert not any(actions[i + 1] in (ord("O"), ord("[")) for i in starts if i not in literal_escape)


def test_different_seeds_reach_the_same_place_by_different_keys():
    old = b"def f(a, b):\n  return a + b\n" * 20
    new = old[:-6] + b"- b\n"
    assert len({Typist(seed).edit(old, new)[0].tobytes() for seed in range(20)}) > 3


def test_a_small_change_takes_few_keys():
    old = b"def f(a, b):\n  return a + b\n" * 50
    [actions] = Typist(0).edit(old, old.replace(b"a + b", b"a * b", 1))
    assert len(actions) < 20


def test_too_many_actions_are_not_typed():
    assert Typist(0, max_actions=100).edit(None, b"x" * 200) is None
    [actions] = Typist(0).edit(None, b"x" * 200)
    assert len(Typist(0, max_actions=len(actions)).edit(None, b"x" * 200)[0]) == len(actions)
    assert Typist(0, max_actions=len(actions) - 1).edit(None, b"x" * 200) is None


def test_a_byte_order_mark_cannot_be_taken_away():
    assert Typist(0).edit(b"\xef\xbb\xbfa\n", b"a\n") is None


@pytest.mark.slow
@needs_vim
@pytest.mark.parametrize(("old", "new"), CASES)
def test_special_files_in_real_vim(tmp_path, old, new):
    for seed in range(5):
        for style in STYLES:
            sittings = keys_for((old, new), seed, style)
            assert edited_by_vim(tmp_path, old, sittings) == new, described(sittings)


@pytest.mark.slow
@needs_vim
@settings(max_examples=1500, deadline=None)
@given(versions(), st.integers(0, 1000), STYLE_NAMES)
def test_real_vim_writes_the_new_version(tmp_path_factory, pair, seed, style):
    old, new = pair
    sittings = keys_for((old, new), seed, style)
    assert edited_by_vim(tmp_path_factory.getbasetemp(), old, sittings) == new, described(sittings)


@pytest.mark.slow
@needs_vim
@pytest.mark.parametrize(("old", "new"), CASES)
def test_special_files_at_a_real_terminal(tmp_path, old, new):
    new = new.replace(b"\x03", b"")  # it makes Vim forget what was typed ahead
    [actions] = keys_for((old, new), 2)
    assert edited_at_a_terminal(tmp_path, old, actions) == new, describe(actions)
