"""The editor against real Vim: text, cursor and file after every key."""

import os
import pathlib
import shutil
import subprocess
import time

import numpy as np
import pytest
from awaited_program import AwaitedProgram
from random_editing import Typist, keys_of

from data_gen import actions
from data_gen.terminal.editor import Editor, EditorError
from data_gen.terminal.editor_characters import CLASS_SHIFT, WIDTH_BITS, character_kinds
from data_gen.terminal.pane import Pane
from data_gen.terminal.screen import clear_log, new_log, new_screen

VIMRC = pathlib.Path(__file__).parents[3] / "data_gen" / "terminal" / "dotfiles" / "vimrc"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("vim"), reason="vim is not installed"),
]


class Pair:
    """The editor and real Vim on one file."""

    def __init__(self, folder: pathlib.Path, content: bytes | None, rows: int, columns: int, name: str):
        self._folder = folder
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if content is not None:
            (folder / name).write_bytes(content)
        environment = {"TERM": "linux", "LC_ALL": "C.UTF-8", "HOME": str(folder), "PATH": os.environ["PATH"]}
        self._vim = AwaitedProgram(["vim", "-u", str(VIMRC), "-i", "NONE", name], rows, columns, folder, environment)
        self._vim.wait()
        self._screen, self._log = new_screen(rows, columns), new_log(2, rows, columns)
        self._typed: list[int] = []
        self._editor = Editor(self._screen, Pane(0, 0, rows, columns), self._read)
        self._editor.open(name.encode(), content)

    def _read(self, path: bytes) -> bytes | None:
        file = self._folder / path.decode()
        return file.read_bytes() if file.exists() else None

    def type(self, keys: np.ndarray) -> None:
        """Type into both and compare after every key; ends early where the editor refuses a key."""
        self._compare()
        for index, key in enumerate(keys.tolist()):
            clear_log(self._log)
            self._typed.append(key)
            try:
                self._editor.type(keys[index : index + 1], 0, self._log)
            except EditorError:
                return
            self._vim.type(key)
            self._compare()
            if self._editor.written is not None:
                path, content = self._editor.written
                assert self._read(path) == content, actions.describe(self._typed)
                self._editor.written = None

    def _compare(self) -> None:
        if self._shown() != self._expected():
            time.sleep(0.3)  # a busy machine may keep Vim from its timer
            self._vim.wait()
        assert self._shown() == self._expected(), actions.describe(self._typed)

    def _shown(self) -> tuple:
        return self._screen.codepoints_RxC.tolist(), tuple(self._screen.cursor_2.tolist())

    def _expected(self) -> tuple:
        return self._vim.codepoints().tolist(), self._vim.cursor()

    def close(self) -> None:
        """End Vim."""
        self._vim.close()


@pytest.mark.parametrize("seed", range(60))
def test_types_as_vim(seed: int, tmp_path: pathlib.Path) -> None:
    typist = Typist(seed)
    pair = Pair(tmp_path, typist.file(), *typist.screen_size(), ("a.py", "src/some/long/path/to/a/file.c")[seed % 2])
    try:
        pair.type(np.concatenate([typist.keys(150), keys_of(":w\r")]))
    finally:
        pair.close()


def test_scrolls_as_vim_in_a_long_file(tmp_path: pathlib.Path) -> None:
    content = b"".join(b"%*d" % (line % 170 + 1, line) + b"\n" for line in range(2000))
    jumps = ":1500\r:1510\r:1540\r:1480\r:1479\r:1400\rgg:25\r:47\r:70\r/ 999\r/ 1000\r$j$k$0G$kkk" + "wwjb" * 30
    pair = Pair(tmp_path, content, 24, 80, "long.txt")
    try:
        pair.type(keys_of(jumps + "Gi" + "word " * 40 + "\x1b0:w\r"))
    finally:
        pair.close()


def test_goes_to_other_files_as_vim(tmp_path: pathlib.Path) -> None:
    (tmp_path / "b.py").write_bytes(b"".join(b"\tline %d\n" % line for line in range(100)))
    keys = "dd:e b.py\r:w\r:e b.py\r60Gx:e a.py\r:w\r:e a.py\rj:e b.py\r:e new.py\rP:w\r:e a.py\r"
    keys += ":set noeol\r:q\r:e b.py\r:w\rG:e b.py\r"
    pair = Pair(tmp_path, b"one\ntwo\nthree\n", 12, 70, "a.py")
    try:
        pair.type(keys_of(keys))
    finally:
        pair.close()


def test_stays_scrolled_sideways_for_another_file_as_vim(tmp_path: pathlib.Path) -> None:
    (tmp_path / "indented").write_bytes(b"\t\tone two\nx\n")
    (tmp_path / "plain").write_bytes(b"one two\n")
    (tmp_path / "wide").write_bytes(("\t" + "日本" * 20 + "\n").encode())
    keys = "".join(
        f":e {name}\rG$:e {other}\rk" for name in ("long", "wide") for other in ("indented", "plain", "none")
    )
    for width in (25, 30, 40, 60):
        keys += f":e long\rG0{width}l:e indented\rj:e long\rG0{width}l:e plain\r:e long\rG0{width}l:e wide\r"
        keys += f":e long\rG0{width}l:e long\r"
    pair = Pair(tmp_path, b"one\n" + b"\tword" * 20 + b"\n", 8, 30, "long")
    try:
        pair.type(keys_of(keys))
    finally:
        pair.close()


@pytest.mark.parametrize("columns", [40, 41])
def test_cuts_a_path_of_wide_characters_as_vim(columns: int, tmp_path: pathlib.Path) -> None:
    pair = Pair(tmp_path, b"one\ntwo\n", 12, columns, "日本" * 6 + ".py")
    try:
        pair.type(keys_of("x:w\rx:w\r"))
    finally:
        pair.close()


def test_the_tables_of_characters_are_vims(tmp_path: pathlib.Path) -> None:
    script, answer = tmp_path / "ask.vim", tmp_path / "answer"
    script.write_text(
        "let rows = []\n"
        "for code in range(1, 0x110000 - 1)\n"
        "  let c = nr2char(code)\n"
        "  let joins = strchars('a' . c, 1) == 1\n"
        "  call add(rows, (joins ? 0 : strdisplaywidth(c)) . ' ' . charclass(c))\n"
        "endfor\n"
        f"call writefile(rows, '{answer}')\nqa!\n"
    )
    environment = {"LC_ALL": "C.UTF-8", "HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    subprocess.run(["vim", "-u", str(VIMRC), "-i", "NONE", "-es", "-S", str(script)], env=environment, check=True)
    widths, classes = np.loadtxt(answer, np.int64).T
    kinds = character_kinds()[1:]
    is_character = np.ones(len(kinds), np.bool_)
    is_character[0xD7FF:0xDFFF] = False
    is_character[ord("\t") - 1] = False
    np.testing.assert_array_equal((kinds & WIDTH_BITS)[is_character], widths[is_character])
    np.testing.assert_array_equal((kinds >> CLASS_SHIFT)[is_character], classes[is_character])
