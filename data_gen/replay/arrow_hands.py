"""A person who knows Insert mode and the arrow keys only."""

from collections import deque
from collections.abc import Iterator

from data_gen.actions import BACKSPACE, ENTER, ESCAPE, TAB, Key
from data_gen.replay.edits import Edit
from data_gen.replay.keyboard import Keyboard
from data_gen.replay.motions import DOWN, LEFT, RIGHT, UP, first_nonblank
from data_gen.replay.strokes import is_plain, typed
from data_gen.terminal.editor_characters import WIDTH_BITS, character_kinds

_TAB_WIDTH = 8
_DELETE, _BACKSPACE = chr(Key.DELETE), chr(BACKSPACE)


class ArrowHands(Keyboard):
    """Keeps track of what Vim holds after the keys so far: the lines, and the cursor's place among them.

    Columns count what one arrow key moves over: a character with all that combines with it.
    """

    def __init__(self, old: list[str]):
        super().__init__()
        self._lines = old or [""]
        self._has_lines = bool(old)
        self._row, self._column = 0, _first_nonblank(self._lines[0])
        self._wanted_cell: int | None = None  # the cell that up and down head for; None: that of the cursor
        self._shift = 0
        self._inserts = False

    def make(self, edits: deque[Edit]) -> None:
        """Make the first of `edits`, which are in document order, and remove it."""
        edit = edits.popleft()
        self._insert()
        row, count = edit.start + self._shift, edit.end - edit.start
        if edit.spans and is_plain(self._lines[row] + "".join(edit.lines)):
            self._change_line(row, edit)
        elif count and edit.lines:
            self._replace_lines(row, count, edit.lines)
        elif count:
            self._delete_lines(row, count)
        else:
            self._insert_lines(row, edit.lines)
        self._shift += len(edit.lines) - count

    def rest(self) -> None:
        """Be in Normal mode."""
        if self._inserts:
            self.press(chr(ESCAPE))
            self._inserts = False
            self._set_column(max(self._column - 1, 0))

    def reopen(self) -> None:
        """The file has been closed and opened again."""
        self._arrive(0, _first_nonblank(self._lines[0]))

    def _insert(self) -> None:
        if not self._inserts:
            self.press("i")
            self._inserts = True

    def _change_line(self, row: int, edit: Edit) -> None:
        """Change spans of one line from left to right; a newline in a span breaks the line."""
        shift = 0
        for start, end, text in edit.spans:
            line = self._lines[row]
            self._go_to(row, start + shift)
            self.press(_DELETE * (end - start) + typed(text))
            before, after = line[: start + shift] + text, line[end + shift :]
            *broken_off, last = before.split("\n")
            self._lines[row : row + 1] = [*broken_off, last + after]
            row += len(broken_off)
            self._arrive(row, len(last))
            shift = len(last) - end

    def _insert_lines(self, row: int, lines: list[str]) -> None:
        """Insert lines before `row`, from the end of the line above or from the start of that line."""
        text = "\n".join(lines)
        if not self._has_lines:
            self.press(typed(text))
            self._lines = list(lines)
            self._has_lines = True
        elif row and (row == len(self._lines) or self._row < row):
            self._go_to(row - 1, _length(self._lines[row - 1]))
            self.press(chr(ENTER) + typed(text))
            self._lines[row:row] = lines
        else:
            self._go_to(row, 0)
            self.press(typed(text + "\n"))
            self._lines[row:row] = lines
            self._arrive(row + len(lines), 0)
            return
        self._arrive(row + len(lines) - 1, _length(lines[-1]))

    def _replace_lines(self, row: int, count: int, lines: list[str]) -> None:
        last = row + count - 1
        self._go_to(last, _length(self._lines[last]))
        self.press(_BACKSPACE * (_keys_over(self._lines[row : last + 1]) - 1) + typed("\n".join(lines)))
        self._lines[row : last + 1] = lines
        self._arrive(row + len(lines) - 1, _length(lines[-1]))

    def _delete_lines(self, row: int, count: int) -> None:
        """Delete lines, and the newline before them or, at the top, the one behind them."""
        last = row + count - 1
        keys = _keys_over(self._lines[row : last + 1])
        if row:
            self._go_to(last, _length(self._lines[last]))
            self.press(_BACKSPACE * keys)
            column = _length(self._lines[row - 1])
        else:
            self._go_to(0, 0)
            self.press(_DELETE * keys)
            column = 0
        del self._lines[row : last + 1]
        self._arrive(max(row - 1, 0), column)

    def _go_to(self, row: int, column: int) -> None:
        if row != self._row:
            if self._wanted_cell is None:
                self._wanted_cell = _cell_of(self._lines[self._row], self._column)
            self.press((DOWN if row > self._row else UP) * abs(row - self._row))
            self._row, self._column = row, _column_at(self._lines[row], self._wanted_cell)
        if column != self._column:
            self.press((RIGHT if column > self._column else LEFT) * abs(column - self._column))
            self._set_column(column)

    def _arrive(self, row: int, column: int) -> None:
        self._row = row
        self._set_column(column)

    def _set_column(self, column: int) -> None:
        self._column, self._wanted_cell = column, None


def _widths(line: str) -> Iterator[int]:
    """The cells of each character of `line`, what combines counted with the one before."""
    cell = 0
    for index, character in enumerate(line):
        if ord(character) == TAB:
            width = _TAB_WIDTH - cell % _TAB_WIDTH
        else:
            width = int(character_kinds()[ord(character)] & WIDTH_BITS) or int(index == 0)
        if width:
            yield width
        cell += width


def _length(line: str) -> int:
    return len(line) if line.isascii() else sum(1 for _ in _widths(line))


def _first_nonblank(line: str) -> int:
    """The column in which a file is opened that begins with `line`."""
    blanks = first_nonblank(line)
    return min(blanks, max(_length(line[: blanks + 1]) - 1, 0))


def _keys_over(lines: list[str]) -> int:
    """How many characters and newlines `lines` are."""
    return sum(_length(line) + 1 for line in lines)


def _cell_of(line: str, column: int) -> int:
    return sum(width for _, width in zip(range(column), _widths(line), strict=False))


def _column_at(line: str, cell: int) -> int:
    """The column of the character in `cell`, or behind the last one."""
    column = end = 0
    for column, width in enumerate(_widths(line)):
        end += width
        if cell < end:
            return column
    return column + 1 if line else 0
