"""The in-process editor: a faithful subset of Vim 9.0 under the package's vimrc, for keys, text and screen."""

import re
from codecs import BOM_UTF8
from collections.abc import Callable

import numpy as np

from data_gen import actions as keys
from data_gen.cells import BLANK, CONTINUATION, Style
from data_gen.terminal import editor_state as at
from data_gen.terminal.editor_buffer import load, text_of
from data_gen.terminal.editor_characters import WIDTH_BITS, character_kinds
from data_gen.terminal.editor_keys import type_keys
from data_gen.terminal.editor_motions import search
from data_gen.terminal.editor_normal import go_to_line
from data_gen.terminal.editor_paint import refresh
from data_gen.terminal.editor_state import Window, set_message
from data_gen.terminal.pane import Pane
from data_gen.terminal.screen import FrameLog, Screen

_NOT_WRITTEN = "E37: No write since last change (add ! to override)"
_MODE_NAMES = {at.NORMAL: "normal mode", at.INSERT: "insert mode", at.COMMAND: "the command line"}
_PLAIN_PATH = re.compile(rb"[0-9A-Za-z_./@:=,-][0-9A-Za-z_./@:=,+-]*")


class EditorError(Exception):
    """A key or a command outside the supported subset."""


def is_plain_path(path: bytes) -> bool:
    """Whether `:e path` means this path, without quoting."""
    return _PLAIN_PATH.fullmatch(path) is not None


class Editor:
    """Edits one file after another in `pane` of `screen`.

    `read` gives the content of a path for `:e path`, or None where there is no such file.
    """

    def __init__(self, screen: Screen, pane: Pane, read: Callable[[bytes], bytes | None] = lambda path: None):
        if pane.height < 3 or pane.width < 20:
            raise ValueError(f"the editor needs 3 rows of 20 columns, not {pane.height} of {pane.width}")
        self.finished = True
        self.written: tuple[bytes, bytes] | None = None
        self._screen, self._read = screen, read
        self._window = Window(
            np.zeros(at.STATE_SIZE, np.int64),
            load(None, np.zeros(0, np.uint32)),
            character_kinds(),
            np.empty(4096, np.uint32),
            np.full((6, pane.width + 1), BLANK, np.uint32),
        )
        self._pane = pane
        self._path, self._byte_order_mark = b"", b""

    def open(self, path: bytes, content: bytes | None) -> None:
        """Start the editor on `path`, whose `content` is UTF-8 without NUL (else ValueError), None for a new file."""
        state = self._window.state
        state[:] = 0
        state[at.PANE_TOP], state[at.PANE_LEFT] = self._pane.top, self._pane.left
        state[at.HEIGHT], state[at.WIDTH] = self._pane.height - 2, self._pane.width
        state[at.REGISTER_SIZE] = -1
        self.finished, self.written = False, None
        self._load(path, content)
        self.paint()

    def type(self, actions: np.ndarray, start: int, log: FrameLog) -> int:
        """Apply `actions[start:]` (uint16), logging the frame before each; returns the index of the next action.

        Stops where all is consumed, `log` is full, a file was written or the editor has quit. EditorError at a key
        outside the subset.
        """
        while True:
            start, code = type_keys(self._window, self._screen, log, actions, start)
            if code == at.DONE:
                return start
            if code == at.LACKS_ROOM:
                self._grow()
            elif code == at.UNSUPPORTED:
                key, mode = keys.describe(actions[start : start + 1]), _MODE_NAMES[int(self._window.state[at.MODE])]
                raise EditorError(f"{self._name()}: the key {key} is outside the supported subset in {mode}")
            else:
                self._enter()
                if self.finished or self.written is not None:
                    return start

    def paint(self) -> None:
        """Draw the whole pane."""
        state = self._window.state
        at.damage(self._window, 0, at.LINE_END)
        state[at.STATUS_STALE] = state[at.MESSAGE_STALE] = 1
        refresh(self._window, self._screen)

    def content(self) -> bytes:
        """The text as `:w` would write it."""
        if self._window.state[at.EMPTY]:
            return self._byte_order_mark
        text = self._byte_order_mark + text_of(self._window.buffer).tobytes().decode("utf-32-le").encode()
        return text[:-1] if self._window.state[at.NO_NEWLINE] else text

    @property
    def cursor(self) -> tuple[int, int]:
        """The cursor's line and column (in codepoints), both from 0."""
        return int(self._window.state[at.LINE]), int(self._window.state[at.COLUMN])

    @property
    def view(self) -> tuple[int, int]:
        """The line and the cell in the upper left corner of the text, both from 0."""
        return int(self._window.state[at.TOP]), int(self._window.state[at.LEFT])

    def _name(self) -> str:
        return self._path.decode("utf-8", "backslashreplace")

    def _load(self, path: bytes, content: bytes | None, line: int = 0) -> None:
        """Take up another file; the window stays scrolled sideways, unless that hides the cursor."""
        content_or_empty = content or b""
        self._byte_order_mark = BOM_UTF8 if content_or_empty.startswith(BOM_UTF8) else b""
        text = content_or_empty.removeprefix(BOM_UTF8).decode()
        if "\0" in text:
            raise ValueError(f"{path!r} contains a NUL character")
        self._path = path
        state, has_newline = self._window.state, text.endswith("\n") or not text
        codepoints = np.frombuffer(text.removesuffix("\n").encode("utf-32-le"), np.uint32)
        self._window = self._window._replace(buffer=load(self._window.buffer, codepoints))
        state[at.LINE] = state[at.COLUMN] = state[at.TOP] = state[at.CHANGED] = 0
        state[at.WANTED_CELL], state[at.ANCHOR_LINE], state[at.MOVED_FROM] = at.HERE, -1, at.LINE_END
        state[at.EMPTY], state[at.NEW_FILE] = not text, content is None
        state[at.NO_NEWLINE] = state[at.FILE_NO_NEWLINE] = not has_newline
        go_to_line(self._window, line)
        self._set_titles()
        if content is None:
            self._show(f'"{self._name()}" [New]', truncates=True)
        else:
            self._show_sizes(len(content), "")

    def _show_sizes(self, size: int, what: str, flags: str = "") -> None:
        lines = 0 if self._window.state[at.EMPTY] else int(self._window.buffer.extent_3[0])
        if self._window.state[at.NO_NEWLINE] and lines:
            flags += "[noeol]"
        self._show(f'"{self._name()}" {flags}{" " if flags else ""}{lines}L, {size}B{what}', truncates=True)

    def _show(self, message: str, style: Style = Style.PLAIN, truncates: bool = False) -> None:
        """Show `message`, which must fit the pane; the start of one that `truncates` is cut off."""
        room = self._pane.width - 1
        cells = _cells(message, self._window.kinds_N)
        if len(cells) > room and not truncates:
            raise EditorError(f"{self._name()}: Vim would ask to press Enter after: {message}")
        if len(cells) > room:
            cells = _end_of(cells, room)
        set_message(self._window, cells, int(style))
        self._window.state[at.MESSAGE_KEPT] = 1

    def _set_titles(self) -> None:
        """The left part of the status line, without and with the mark of a change; a long path is cut at its start."""
        ruler = max(self._pane.width - 18, (self._pane.width + 1) // 2)
        for row, mark in ((at.TITLE, ""), (at.CHANGED_TITLE, " [+]")):
            cells = _cells(self._name() + mark, self._window.kinds_N)
            if len(cells) >= ruler - 1:
                cells = _end_of(cells, ruler - 1)
            self._window.cells_6xW[row] = BLANK
            self._window.cells_6xW[row, : len(cells)] = cells

    def _grow(self) -> None:
        state = self._window.state
        register = self._window.register_G
        if state[at.NEEDED_REGISTER] > len(register):
            register = np.empty(2 * state[at.NEEDED_REGISTER], np.uint32)
            register[: len(self._window.register_G)] = self._window.register_G
        needed = int(state[at.NEEDED_CODEPOINTS]), int(state[at.NEEDED_LINES])
        buffer = load(self._window.buffer, text_of(self._window.buffer)[:-1], *needed)
        self._window = self._window._replace(buffer=buffer, register_G=register)

    def _enter(self) -> None:
        """Do what the command line says."""
        state, message = self._window.state, self._window.cells_6xW[at.MESSAGE]
        cells = message[: state[at.MESSAGE_SIZE]]
        line = cells[cells != CONTINUATION].astype("<u4").tobytes().decode("utf-32-le")
        if line[0] == "/":
            self._search(line[1:])
        else:
            self._run(line[1:])
        if not self.finished:
            state[at.STATUS_STALE] = 1
            refresh(self._window, self._screen)

    def _search(self, escaped: str) -> None:
        pattern = _literal(escaped)
        if pattern is None:
            raise EditorError(f"{self._name()}: not a literal pattern: /{escaped}")
        codepoints = np.frombuffer(pattern.encode("utf-32-le"), np.uint32)
        self._window.state[at.WANTED_CELL] = at.HERE
        if not search(self._window, codepoints):
            self._show(f"E486: Pattern not found: {escaped}", Style.ERROR)

    def _run(self, command: str) -> None:
        state = self._window.state
        if command.isdecimal() and command.isascii():
            go_to_line(self._window, min(int(command) - 1, at.LINE_END))
        elif command in ("w", "wq"):
            self._write()
            self.finished = command == "wq"
        elif command == "q!" or (command == "q" and not at.differs_from_file(self._window)):
            self.finished = True
        elif command == "q" or (command.startswith("e ") and at.differs_from_file(self._window)):
            self._show(_NOT_WRITTEN, Style.ERROR)
        elif command in ("set eol", "set noeol"):
            state[at.NO_NEWLINE] = command == "set noeol"
        elif command.startswith("e ") and is_plain_path(command[2:].encode()):
            path = command[2:].encode()
            self._load(path, self._read(path), int(state[at.LINE]) if path == self._path else 0)
            at.damage(self._window, 0, at.LINE_END)
        else:
            raise EditorError(f"{self._name()}: the command :{command} is outside the supported subset")

    def _write(self) -> None:
        state, content = self._window.state, self.content()
        self.written = self._path, content
        self._show_sizes(len(content), " written", "[New]" if state[at.NEW_FILE] else "")
        state[at.CHANGED] = state[at.NEW_FILE] = 0
        state[at.FILE_NO_NEWLINE] = state[at.NO_NEWLINE]


def _cells(text: str, kinds_N: np.ndarray) -> np.ndarray:
    """The cells of printable `text`: uint32 codepoints."""
    codepoints = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    widths = kinds_N[codepoints] & WIDTH_BITS
    if (codepoints < BLANK).any() or (widths > 2).any():
        raise EditorError(f"text that cannot be printed: {text!r}")
    cells = np.repeat(codepoints, widths)
    starts = np.cumsum(widths) - widths
    cells[starts[widths == 2] + 1] = CONTINUATION
    return cells


def _end_of(cells: np.ndarray, size: int) -> np.ndarray:
    """`<` and the end of `cells`, `size` together, or one less where that would halve a double-width character."""
    end = cells[len(cells) - size + 1 :]
    return np.concatenate([[np.uint32(ord("<"))], end[int(end[0] == CONTINUATION) :]])


def _literal(escaped: str) -> str | None:
    """The text that a pattern stands for; None where it is empty or means more than itself."""
    if not re.fullmatch(r"(?:[^.*\[^$~/\\]|\\[].*\[^$~/\\])+", escaped):
        return None
    return re.sub(r"\\(.)", r"\1", escaped)
