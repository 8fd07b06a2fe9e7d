"""The shell: its prompt, the line that is typed at it, and what its commands print, drawn as a terminal draws them."""

import codecs

import numpy as np

from data_gen.actions import BACKSPACE, ENTER, describe
from data_gen.cells import BLANK, CONTINUATION, Style
from data_gen.kernel import kernel
from data_gen.terminal.commands import Commands
from data_gen.terminal.pane import Pane
from data_gen.terminal.repository import BRANCH
from data_gen.terminal.screen import FrameLog, Screen, log_frame, log_is_full
from data_gen.terminal.width import WIDTHS
from data_gen.terminal.words import ShellError, split_words

_DECODER = codecs.getincrementaldecoder("utf-8")
_PLAIN = int(Style.PLAIN)


class Shell:
    """Bash in a pane, at the cursor. `edit` is the file that the last command opens; the shell waits until `resume`."""

    def __init__(self, screen: Screen, pane: Pane, project: str, commands: Commands) -> None:
        self.edit: bytes | None = None
        self.has_exited = False
        self._screen = screen
        self._pane = pane
        self._project = project
        self._commands = commands
        self._line = _Line(screen, pane)
        self._lines_before = ""  # while a quote is open
        self.resume()

    def type(self, actions: np.ndarray, start: int, log: FrameLog) -> int:
        """Type `actions[start:]`, logging the frame before each; return where it stopped: at the end, or because the
        log is full, the editor was called or the shell has ended.

        Raises `ShellError` for a key or a command outside the subset.
        """
        self.edit = None
        last_column = self._pane.left + self._pane.width - 1
        while start < len(actions) and not (log_is_full(log) or self.edit is not None or self.has_exited):
            end = _type_plain(self._screen, log, actions, start, last_column)
            self._line.take_plain(actions[start:end])
            start = end
            if start < len(actions) and not log_is_full(log):
                log_frame(self._screen, log, int(actions[start]))
                self._press(int(actions[start]))
                start += 1
        return start

    def resume(self) -> None:
        """Show the prompt for the next command."""
        self._lines_before = ""
        folder = self._commands.folder.rpartition(b"/")[2].decode("utf-8", "replace") or self._project
        self._line = _Line(self._screen, self._pane)
        self._line.print(folder, Style.PROMPT_FOLDER)
        self._line.print(" (")
        self._line.print(BRANCH, Style.PROMPT_BRANCH)
        self._line.print(")$ ")

    def _press(self, action: int) -> None:
        if action == ENTER and not self._line.is_half_typed():
            self._enter()
        elif not (self._line.erase() if action == BACKSPACE else self._line.take(action)):
            raise ShellError(f"the key {describe([action])} after {self._line.text()[-80:]!r}")

    def _enter(self) -> None:
        """Run the command if it is complete."""
        self._line.end()
        typed = self._lines_before + self._line.text()
        words = split_words(typed.encode("utf-8"))
        if words is None:
            self._lines_before = typed + "\n"
            self._line = _Line(self._screen, self._pane)
            self._line.print("> ")
            return
        outcome = self._commands.run(words)
        for text in outcome.lines:
            line = _Line(self._screen, self._pane)
            line.print(text.decode("utf-8").expandtabs())
            line.end()
        self.edit, self.has_exited = outcome.edit, outcome.exits
        if self.edit is None and not self.has_exited:
            self.resume()


class _Line:
    """A line that grows from the cursor on, over as many rows as it needs, and what was typed of it."""

    def __init__(self, screen: Screen, pane: Pane) -> None:
        self._screen = screen
        self._pane = pane
        self._origin = int(screen.cursor_2[0]) - pane.top  # the row it began in; negative once that has scrolled away
        self._offset = 0  # cells from there to the cursor, one row following the other
        self._typed: list[tuple[str, int]] = []  # the characters, and the offset before each
        self._decoder = _DECODER()

    def text(self) -> str:
        """What was typed."""
        return "".join(character for character, _ in self._typed)

    def is_half_typed(self) -> bool:
        """Whether bytes of the last character are still to come."""
        return bool(self._decoder.getstate()[0])

    def print(self, text: str, style: Style = Style.PLAIN) -> None:
        """Draw what is not typed."""
        for character in text:
            self._draw(character, style)

    def take(self, byte: int) -> bool:
        """Type the next byte of UTF-8 text; `False` if it is none, or of a character that takes no room."""
        try:
            character = self._decoder.decode(bytes((byte,)))
        except ValueError:
            return False
        if character:
            offset = self._offset
            if not self._draw(character, Style.PLAIN):
                return False
            self._typed.append((character, offset))
        return True

    def take_plain(self, actions: np.ndarray) -> None:
        """Note ASCII characters that have been drawn."""
        offsets = range(self._offset, self._offset + len(actions))
        self._typed.extend(zip(map(chr, actions.tolist()), offsets, strict=True))
        self._offset += len(actions)

    def erase(self) -> bool:
        """Take back the last character; `False` if it is half typed or has scrolled away."""
        if self.is_half_typed():
            return False
        if not self._typed:
            return True
        before = self._typed[-1][1]
        if self._origin + before // self._pane.width < 0:
            return False
        self._typed.pop()
        for offset in range(before, self._offset):
            self._set_cell(offset, BLANK, Style.PLAIN)
        self._move_to(before)
        return True

    def end(self) -> None:
        """Go to the row below, unless the line has just filled its last one: then the cursor is there already."""
        rows = -(-self._offset // self._pane.width)
        self._move_to(max(rows, 1) * self._pane.width)

    def _draw(self, character: str, style: Style) -> bool:
        """Draw `character`, on the next row if this one has no room for it; `False` if it takes none."""
        width = int(WIDTHS[ord(character)])
        if self._offset % self._pane.width + width > self._pane.width:
            self._move_to(self._offset + 1)
        if width:
            self._set_cell(self._offset, ord(character), style)
        if width == 2:
            self._set_cell(self._offset + 1, CONTINUATION, style)
        self._move_to(self._offset + width)
        return width > 0

    def _set_cell(self, offset: int, codepoint: int, style: Style) -> None:
        rows, column = divmod(offset, self._pane.width)
        row = self._pane.top + self._origin + rows
        self._screen.codepoints_RxC[row, self._pane.left + column] = codepoint
        self._screen.styles_RxC[row, self._pane.left + column] = style
        self._screen.dirty_R[row] = True

    def _move_to(self, offset: int) -> None:
        """Move the cursor; below the last row of the pane, everything moves up."""
        rows, column = divmod(offset, self._pane.width)
        while self._origin + rows >= self._pane.height:
            self._scroll()
            self._origin -= 1
        self._offset = offset
        self._screen.cursor_2[:] = self._pane.top + self._origin + rows, self._pane.left + column

    def _scroll(self) -> None:
        top, left, height, width = self._pane
        columns = slice(left, left + width)
        for cells, blank in ((self._screen.codepoints_RxC, BLANK), (self._screen.styles_RxC, _PLAIN)):
            cells[top : top + height - 1, columns] = cells[top + 1 : top + height, columns]
            cells[top + height - 1, columns] = blank
        self._screen.dirty_R[top : top + height] = True


@kernel
def _type_plain(screen: Screen, log: FrameLog, actions: np.ndarray, start: int, last_column: int) -> int:
    """Type printable ASCII up to the last column, which takes more care; return where another key comes."""
    row, column = screen.cursor_2[0], screen.cursor_2[1]
    while start < actions.shape[0] and 0x20 <= actions[start] < 0x7F and column < last_column and not log_is_full(log):
        log_frame(screen, log, actions[start])
        screen.codepoints_RxC[row, column] = actions[start]
        screen.styles_RxC[row, column] = _PLAIN
        screen.dirty_R[row] = True
        column += 1
        screen.cursor_2[1] = column
        start += 1
    return start
