"""A person who knows Vim: the keys for one edit after another, in Normal mode wherever that is shorter."""

import random
from collections import deque

from data_gen.actions import BACKSPACE, ENTER, ESCAPE
from data_gen.replay.edits import Edit, Span, edit_spans
from data_gen.replay.keyboard import Keyboard
from data_gen.replay.motions import Way, column_ways, counted, first_nonblank, row_ways, search_words
from data_gen.replay.strokes import deletions, is_plain, joined, replacements, typed

_ENTER, _ESCAPE = chr(ENTER), chr(ESCAPE)
_MARGIN = 1.6
_MIN_SEARCH_ROWS, _MAX_SEARCH_ROWS = 6, 300
_SEARCH_SHARE = 0.12
_MIN_COPIED = 12


class VimHands(Keyboard):
    """Knows Vim's commands. Keeps track of what Vim holds after the keys so far: the cursor's place and the lines.

    Edits are made from the top down: below the last one, from line `done` of the old text on, its lines still stand,
    `shift` rows away.
    """

    def __init__(self, rng: random.Random, old: list[str]):
        super().__init__()
        self._random = rng
        self._old = old
        self._row = 1
        self._column: int | None = None
        self._line = old[0] if old else None
        self._rows = len(old)
        self._shift = 0
        self._done = 0

    def rest(self) -> None:
        """Be in Normal mode, which these hands are between edits."""

    def reopen(self) -> None:
        """The file has been closed and opened again."""
        self._arrive(1, None, None)

    def make(self, edits: deque[Edit]) -> None:
        """Make the first of `edits`, which are in document order, and remove it; or two of them, if they move lines."""
        edit = edits.popleft()
        if edits and self._is_move(edit, edits[0]):
            self._move_lines(edit, edits[0])
            self._finish(edit)
            edit = edits.popleft()
        elif not edit.lines:
            self._delete_lines(edit)
        elif edit.start == edit.end:
            self._insert_lines(edit)
        elif not self._change_line(edit):
            self._replace_lines(edit)
        self._finish(edit)

    def _row_of(self, edit: Edit) -> int:
        return edit.start + 1 + self._shift

    def _finish(self, edit: Edit) -> None:
        """From now on the old lines below `edit` stand where it has moved them."""
        self._shift += len(edit.lines) - (edit.end - edit.start)
        self._done = edit.end

    def _is_move(self, first: Edit, second: Edit) -> bool:
        """Whether one of two edits deletes what the other inserts."""
        cut, pasted = (second, first) if first.lines else (first, second)
        block = self._old[cut.start : cut.end]
        return not cut.lines and pasted.start == pasted.end and pasted.lines == block and _is_worth_copying(block)

    def _move_lines(self, first: Edit, second: Edit) -> None:
        """Cut one block of lines and paste it at the place of the other edit."""
        cut, pasted = (second, first) if first.lines else (first, second)
        count = len(pasted.lines)
        self._delete_lines(cut, max_repeats=1)
        row = self._row_of(pasted) - (count if cut is first else 0)
        ways = [way.then(Way(1, "P")) for way in self._travel(row)] if row <= self._rows else []
        if row > 1:
            ways += [way.then(Way(1, "p")) for way in self._travel(row - 1)]
        self._choose(ways)
        self._rows += count
        self._arrive(row, None, None)

    def _delete_lines(self, edit: Edit, max_repeats: int = 3) -> None:
        row, count = self._row_of(edit), edit.end - edit.start
        ways = [Way(len(counted(count, "dd")), counted(count, "dd"))]
        if 1 < count <= max_repeats:
            ways.append(Way(2 * count - 1, "dd" * count))
        self._choose(self._travel(row))
        self._choose(ways)
        self._rows -= count
        self._arrive(max(min(row, self._rows), 1), None, self._old[edit.end] if edit.end < len(self._old) else None)

    def _insert_lines(self, edit: Edit) -> None:
        row, count = self._row_of(edit), len(edit.lines)
        if self._copy_lines(edit):
            return
        if not self._rows:
            self.press("i" if edit.lines != [""] else f"ix{chr(BACKSPACE)}")
        else:
            ways = []
            if row <= self._rows:
                ways += [way.then(Way(1, "O")) for way in self._travel(row) if way.keys or not self.has_escaped]
            if row > 1:
                for way in self._travel(row - 1):
                    ways += [way.then(Way(1, "o")), way.then(Way(2.5, "A" + _ENTER))]
            self._choose(ways)
        self.press(typed("\n".join(edit.lines)) + _ESCAPE)
        self._rows += count
        self._arrive_after_text(row + count - 1, edit.lines[-1])

    def _copy_lines(self, edit: Edit) -> bool:
        """Yank the lines above, if it saves typing, paste them, and change what differs if it is one line."""
        row, count = self._row_of(edit), len(edit.lines)
        above = self._old[edit.start - count : edit.start]
        if edit.start - count < self._done or not _is_worth_copying(edit.lines):
            return False
        if above != edit.lines:
            if count > 1 or not is_plain(above[0]) or not is_plain(edit.lines[0]):
                return False
            spans = edit_spans(above[0], edit.lines[0])
            if _cost(spans) + 4 > len(edit.lines[0]):
                return False
        self._choose(self._travel(row - count))
        self.press(counted(count, "yy") + ("p" if count == 1 else "P"))
        self._rows += count
        self._arrive(row if count == 1 else row - count, None, None)
        if above != edit.lines:
            self._change_spans(row, above[0], spans)
        return True

    def _replace_lines(self, edit: Edit) -> None:
        row, count = self._row_of(edit), edit.end - edit.start
        change, delete = counted(count, "cc"), counted(count, "dd")
        ways = [Way(len(change), change)]
        if count < self._rows:
            ways.append(Way(len(delete) + 1, delete + ("O" if row + count <= self._rows else "o")))
        if count == 1 and not self._old[edit.start]:
            ways = [Way(1, "i"), Way(1, "A")]
        self._choose(self._travel(row))
        self._choose(ways)
        self.press(typed("\n".join(edit.lines)) + _ESCAPE)
        self._rows += len(edit.lines) - count
        self._arrive_after_text(row + len(edit.lines) - 1, edit.lines[-1])

    def _change_line(self, edit: Edit) -> bool:
        """Change spans of one line, or of the line that `J` makes of two, if that is safe and saves typing."""
        row, old, new = self._row_of(edit), self._old[edit.start : edit.end], "\n".join(edit.lines)
        joins = len(old) == 2 and all(old) and len(edit.lines) == 1
        if not (joins or edit.spans) or not all(map(is_plain, (*old, new))):
            return False
        line = joined(*old) if joins else old[0]
        spans = edit_spans(line, new) if joins else edit.spans
        if _cost(spans) > len(new) + 3:
            return False
        if joins:
            self._choose(self._travel(row))
            self.press("J")
            self._rows -= 1
            self._arrive(row, None, line)
        self._change_spans(row, line, spans)
        return True

    def _change_spans(self, row: int, line: str, spans: tuple[Span, ...]) -> None:
        """Change the spans of `line` from left to right; a newline in a span breaks the line."""
        shift = 0
        for start, end, text in spans:
            span = Span(start + shift, end + shift, text)
            self._change_span(row, line, span)
            *broken_off, last = (line[: span.start] + text).split("\n")
            row += len(broken_off)
            self._rows += len(broken_off)
            line = last + line[span.end :]
            shift = len(last) - end
            self._arrive(row, max(len(last) - 1, 0) if text else min(len(last), max(len(line) - 1, 0)), line)

    def _change_span(self, row: int, line: str, span: Span) -> None:
        start, end, text = span
        strokes = replacements(line, span) if text else deletions(line, start, end)
        self._choose([self._choose_way(self._travel(row, line, column)).then(stroke) for column, stroke in strokes])
        if text:
            self.press(typed(text) + _ESCAPE)

    def _choose(self, ways: list[Way]) -> None:
        self.press(self._choose_way(ways).keys)

    def _travel(self, row: int, line: str | None = None, column: int | None = None) -> list[Way]:
        """Ways to (row, column); `line` is what stands there, needed only for a column."""
        if row == self._row:
            return column_ways(line or "", self._column, column)
        if row > self._row + _MIN_SEARCH_ROWS and self._random.random() < _SEARCH_SHARE:
            ways = self._searches(row, column)
            if ways:
                return ways
        steps, jumps = row_ways(self._row, row, self._rows)
        if line is None or column is None:
            return steps + jumps
        from_anywhere = self._choose_way(column_ways(line, None, column))
        from_nonblank = self._choose_way(column_ways(line, first_nonblank(line), column))
        return [way.then(from_anywhere) for way in steps] + [way.then(from_nonblank) for way in jumps]

    def _searches(self, row: int, column: int | None) -> list[Way]:
        """Ways by `/word⏎` down to a line of the old text: words that stand nowhere between here and there."""
        here, there = self._row - self._shift, row - 1 - self._shift
        known = self._line is not None and self._done <= here and there < len(self._old)
        if not known or there - here > _MAX_SEARCH_ROWS:
            return []
        passed = [self._line or "", *self._old[here:there]]
        line = self._old[there]
        ways = []
        for word in search_words(line, column):
            if not any(word in other for other in passed):
                way = self._choose_way(column_ways(line, line.index(word), column))
                ways.append(Way(len(word) + 2, f"/{word}\r").then(way))
        return ways

    def _choose_way(self, ways: list[Way]) -> Way:
        """One of the cheap ways at random: the cheaper, the likelier."""
        limit = min(way.cost for way in ways) + _MARGIN
        close = [way for way in ways if way.cost <= limit]
        if len(close) == 1:
            return close[0]
        return self._random.choices(close, [4.0 ** (limit - way.cost) for way in close])[0]

    def _arrive(self, row: int, column: int | None, line: str | None) -> None:
        self._row, self._column, self._line = row, column, line

    def _arrive_after_text(self, row: int, line: str) -> None:
        """The cursor stands on the last character of `line` at `row`."""
        self._arrive(row, max(len(line) - 1, 0) if is_plain(line) else None, line)


def _is_worth_copying(lines: list[str]) -> bool:
    return sum(map(len, lines)) >= _MIN_COPIED


def _cost(spans: tuple[Span, ...]) -> int:
    """About how many keys it takes to change `spans`."""
    return sum(len(span.text) + 4 + 2 * (span.end > span.start) for span in spans)
