"""How the editor scrolls, and what it paints: text, status line with ruler, command line, cursor."""

from data_gen.actions import CTRL_V
from data_gen.cells import BLANK, CONTINUATION, Style
from data_gen.kernel import inner_kernel, kernel
from data_gen.terminal.editor_buffer import line_count, line_length, line_start
from data_gen.terminal.editor_characters import WIDTH_BITS
from data_gen.terminal.editor_motions import cell_width, codepoint_at, first_column
from data_gen.terminal.editor_state import (
    ANCHOR_BYTE,
    ANCHOR_CELL,
    ANCHOR_COLUMN,
    ANCHOR_LINE,
    CELL_KEPT,
    CHANGED_TITLE,
    COLUMN,
    COMMAND,
    CURSOR_BYTE,
    CURSOR_CELL,
    DAMAGED_FROM,
    DAMAGED_TO,
    EMPTY,
    HEIGHT,
    INSERT,
    LEFT,
    LINE,
    LINE_END,
    MESSAGE,
    MESSAGE_KEPT,
    MESSAGE_SIZE,
    MESSAGE_STALE,
    MESSAGE_STYLES,
    MODE,
    MOVED_FROM,
    NORMAL,
    PAINTED_LEFT,
    PAINTED_NUMBERS,
    PAINTED_TOP,
    PANE_LEFT,
    PANE_TOP,
    PREFIX,
    ROW,
    ROW_STYLES,
    STATUS_STALE,
    TAB,
    TITLE,
    TOP,
    WIDTH,
    Window,
    damage,
    differs_from_file,
    number_width,
)
from data_gen.terminal.screen import Screen

_PLAIN, _NUMBER, _NON_TEXT = int(Style.PLAIN), int(Style.LINE_NUMBER), int(Style.NON_TEXT)
_SPECIAL, _STATUS = int(Style.SPECIAL_KEY), int(Style.STATUS_LINE)
_RULER_WIDTH = 18


@inner_kernel
def scroll_to_cursor(window: Window) -> None:
    """Choose the first line shown, as Vim's `update_topline` does without 'scrolloff' and with lines of one row."""
    state = window.state
    line, top, height, count = state[LINE], state[TOP], state[HEIGHT], line_count(window.buffer)
    if line < top:
        near = max(height // 2 - 1, 2)
        state[TOP] = line if top - line < near else _centred(line, height, count, False)
    elif line >= top + height:
        below = line - (top + height)
        if below + 1 + min(below, count - 1 - line) <= height and below + 1 < height:
            state[TOP] = line - height + 1
        else:
            state[TOP] = _centred(line, height, count, below <= height)


@inner_kernel
def _centred(line: int, height: int, count: int, prefers_above: bool) -> int:
    top, used, above, below = line, 1, 0, 0
    last = line
    while top > 0:
        for attempt in range(2):
            goes_below = (attempt == 1 and below < above) if prefers_above else (attempt == 0 and below <= above)
            if goes_below:
                below += 1
                if last + 1 < count:
                    last += 1
                    used += 1
                    if used > height:
                        return top
            goes_above = attempt == 0 and (below >= above if prefers_above else below > above)
            if goes_above:
                used += 1
                if used > height:
                    return top
                above += 1
                top -= 1
    return top


@inner_kernel
def utf8_length(codepoint: int) -> int:
    """The bytes of a character in UTF-8."""
    return 1 + (codepoint >= 0x80) + (codepoint >= 0x800) + (codepoint >= 0x10000)


@inner_kernel
def _measure_cursor(window: Window) -> tuple[int, int]:
    """Find the cursor's byte and cell in its line; returns the first and last cell of the character under it."""
    state = window.state
    line, column, left = state[LINE], state[COLUMN], state[LEFT]
    if state[ANCHOR_LINE] != line or state[ANCHOR_COLUMN] > column or state[ANCHOR_CELL] > left:
        state[ANCHOR_LINE] = line
        state[ANCHOR_COLUMN] = state[ANCHOR_BYTE] = state[ANCHOR_CELL] = 0
    pool, start = window.buffer.pool_P, line_start(window.buffer, line)
    position, cell = state[ANCHOR_BYTE], state[ANCHOR_CELL]
    for index in range(state[ANCHOR_COLUMN], column):
        if cell <= left:
            state[ANCHOR_COLUMN], state[ANCHOR_BYTE], state[ANCHOR_CELL] = index, position, cell
        codepoint = pool[start + index]
        position += utf8_length(codepoint)
        cell += cell_width(window, codepoint, cell, index)
    codepoint = codepoint_at(window, line, column)
    if codepoint and column and window.kinds_N[codepoint] & WIDTH_BITS == 0:  # amid a character: shown on its base
        base = first_column(window, line, column)
        cell -= max(cell_width(window, pool[start + base], cell, base), 1)
        codepoint = pool[start + base]
    state[CURSOR_BYTE], state[CURSOR_CELL] = position, cell
    if codepoint == 0:
        return cell, cell
    last = cell + cell_width(window, codepoint, cell, column) - 1
    if codepoint == TAB and state[MODE] != INSERT:
        state[CURSOR_CELL] = last
    return cell, last


@inner_kernel
def cursor_cell(window: Window) -> int:
    """The cell of its line that the cursor is shown in."""
    _measure_cursor(window)
    return window.state[CURSOR_CELL]


@inner_kernel
def _scroll_sideways(window: Window) -> None:
    """Choose the first cell shown, as Vim's `curs_columns` does with sidescroll=1."""
    state = window.state
    first, last = _measure_cursor(window)
    numbers, width = number_width(window), state[WIDTH]
    off_left = first - state[LEFT]
    off_right = last + numbers - (state[LEFT] + width) + 1
    if off_left < 0 or off_right > 0:
        distance = -off_left if off_left < 0 else off_right
        half = (width - numbers) // 2
        if distance >= half or off_right >= off_left:
            left = state[CURSOR_CELL] - half
        elif off_left < 0:
            left = state[LEFT] - distance
        else:
            left = state[LEFT] + distance
        state[LEFT] = max(left, 0)
        _measure_cursor(window)


@inner_kernel
def _flush_row(window: Window, screen: Screen, row: int, first: int, end: int) -> None:
    """Copy the cells `first` to `end` of the painted row to the screen, which is dirty only where it changes."""
    top, left = window.state[PANE_TOP] + row, window.state[PANE_LEFT]
    changed = False
    for column in range(first, end):
        codepoint, style = window.cells_6xW[ROW, column], window.cells_6xW[ROW_STYLES, column]
        if screen.codepoints_RxC[top, left + column] != codepoint or screen.styles_RxC[top, left + column] != style:
            screen.codepoints_RxC[top, left + column] = codepoint
            screen.styles_RxC[top, left + column] = style
            changed = True
    if changed:
        screen.dirty_R[top] = True


@inner_kernel
def _paint_number(window: Window, line: int, numbers: int) -> None:
    number = line + 1
    for column in range(numbers - 1, -1, -1):
        window.cells_6xW[ROW_STYLES, column] = _NUMBER
        if column == numbers - 1 or number == 0:
            window.cells_6xW[ROW, column] = BLANK
        else:
            window.cells_6xW[ROW, column] = 0x30 + number % 10
            number //= 10


@inner_kernel
def _unprintable_glyph(codepoint: int, width: int, offset: int) -> int:
    """What stands in the cell `offset` of a character that Vim shows as `^X`, `<80>` or `<200b>`."""
    if width == 2:
        return 0x5E if offset == 0 else codepoint ^ 0x40
    if offset == 0:
        return 0x3C
    if offset == width - 1:
        return 0x3E
    digit = codepoint >> 4 * (width - 2 - offset) & 15
    return 0x30 + digit if digit < 10 else 0x57 + digit


@inner_kernel
def _paint_character(window: Window, codepoint: int, width: int, cell: int, first: int) -> None:
    """Paint a character that starts at the cell `cell` of the row, which may lie left of `first`, the text's edge."""
    row, styles, end = window.cells_6xW[ROW], window.cells_6xW[ROW_STYLES], window.state[WIDTH]
    if codepoint == TAB:
        return
    if width == 1:
        row[cell] = codepoint if (window.kinds_N[codepoint] & WIDTH_BITS) else BLANK
    elif width == 2 and codepoint > 0x7F:
        if cell < first:
            row[first] = ord("<")
            styles[first] = _NON_TEXT
        elif cell + 1 == end:
            row[cell] = ord(">")
            styles[cell] = _NON_TEXT
        else:
            row[cell], row[cell + 1] = codepoint, CONTINUATION
    else:
        for offset in range(max(first - cell, 0), min(width, end - cell)):
            row[cell + offset] = _unprintable_glyph(codepoint, width, offset)
            styles[cell + offset] = _SPECIAL


@inner_kernel
def _paint_line(window: Window, screen: Screen, line: int) -> None:
    state = window.state
    row, styles, width, left = window.cells_6xW[ROW], window.cells_6xW[ROW_STYLES], state[WIDTH], state[LEFT]
    for column in range(width):
        row[column], styles[column] = BLANK, _PLAIN
    if line >= line_count(window.buffer):
        row[0], styles[0] = ord("~"), _NON_TEXT
        for column in range(1, width):
            styles[column] = _NON_TEXT
        _flush_row(window, screen, line - state[TOP], 0, width)
        return
    numbers = number_width(window)
    _paint_number(window, line, numbers)
    start, length = line_start(window.buffer, line), line_length(window.buffer, line)
    index, cell = 0, 0
    if line == state[ANCHOR_LINE] and state[ANCHOR_CELL] <= left:
        index, cell = state[ANCHOR_COLUMN], state[ANCHOR_CELL]
    while index < length and cell < left + width - numbers:
        codepoint = window.buffer.pool_P[start + index]
        cells = cell_width(window, codepoint, cell, index)
        if cells > 0 and cell + cells > left:
            if cell < left and cells == 2 and codepoint < 0x80 and codepoint != TAB:
                left = cell  # Vim shows all of a `^X` that the edge cuts, what follows a cell too far right
            _paint_character(window, codepoint, cells, numbers + cell - left, numbers)
        cell += cells
        index += 1
    _flush_row(window, screen, line - state[TOP], 0, width)


@inner_kernel
def _write_number(window: Window, column: int, number: int) -> int:
    """Write a number into the painted row; returns the column behind it."""
    digits, rest = 1, number
    while rest >= 10:
        rest //= 10
        digits += 1
    for offset in range(digits - 1, -1, -1):
        window.cells_6xW[ROW, column + offset] = 0x30 + number % 10
        number //= 10
    return column + digits


@inner_kernel
def _write_place(window: Window, column: int) -> None:
    """Write which part of the text the window shows: `All`, `Top`, `Bot` or a percentage."""
    row, above = window.cells_6xW[ROW], window.state[TOP]
    below = line_count(window.buffer) - above - window.state[HEIGHT]
    if below > 0 and above > 0:
        share = above * 100 // (above + below)
        _write_number(window, column if share >= 10 else column + 1, share)
        row[column + 2] = ord("%")
    elif below > 0:
        row[column], row[column + 1], row[column + 2] = ord("T"), ord("o"), ord("p")
    elif above > 0:
        row[column], row[column + 1], row[column + 2] = ord("B"), ord("o"), ord("t")
    else:
        row[column], row[column + 1], row[column + 2] = ord("A"), ord("l"), ord("l")


@inner_kernel
def _paint_status(window: Window, screen: Screen) -> None:
    state = window.state
    row, width = window.cells_6xW[ROW], state[WIDTH]
    ruler = max(width - _RULER_WIDTH, (width + 1) // 2)
    first = 0 if state[STATUS_STALE] else ruler
    title = CHANGED_TITLE if differs_from_file(window) else TITLE
    for column in range(first, width):
        row[column] = window.cells_6xW[title, column] if column < ruler else BLANK
        window.cells_6xW[ROW_STYLES, column] = _STATUS
    column = _write_number(window, ruler, 0 if state[EMPTY] else state[LINE] + 1)
    row[column] = ord(",")
    byte, cell = state[CURSOR_BYTE] + 1, state[CURSOR_CELL] + 1
    if state[MODE] != INSERT and line_length(window.buffer, state[LINE]) == 0:
        byte = 0
    column = _write_number(window, column + 1, byte)
    if byte != cell:
        row[column] = ord("-")
        column = _write_number(window, column + 1, cell)
    if column + 3 < width:
        _write_place(window, width - 3)
    _flush_row(window, screen, state[HEIGHT], first, width)
    state[STATUS_STALE] = 0


@inner_kernel
def _paint_message(window: Window, screen: Screen) -> None:
    state = window.state
    size = state[MESSAGE_SIZE]
    for column in range(state[WIDTH]):
        window.cells_6xW[ROW, column] = window.cells_6xW[MESSAGE, column] if column < size else BLANK
        window.cells_6xW[ROW_STYLES, column] = window.cells_6xW[MESSAGE_STYLES, column] if column < size else _PLAIN
    _flush_row(window, screen, state[HEIGHT] + 1, 0, state[WIDTH])
    state[MESSAGE_STALE] = 0


@inner_kernel
def _paint_caret(window: Window, screen: Screen, row: int, column: int) -> None:
    """Ctrl-V was typed: a caret stands where the next key will be inserted."""
    state, end = window.state, column + 1
    window.cells_6xW[ROW, column], window.cells_6xW[ROW_STYLES, column] = ord("^"), _SPECIAL
    right = screen.codepoints_RxC[state[PANE_TOP] + row, state[PANE_LEFT] + end] if end < state[WIDTH] else BLANK
    if right == CONTINUATION:
        window.cells_6xW[ROW, end], window.cells_6xW[ROW_STYLES, end] = BLANK, _PLAIN
        end += 1
    _flush_row(window, screen, row, column, end)
    damage(window, state[LINE], state[LINE])


@inner_kernel
def _moves_rows(window: Window) -> bool:
    """Whether Vim scrolls rows that stay in sight, which wipes the last message, rather than paint all of them anew."""
    state = window.state
    scrolled, first_moved = state[TOP] - state[PAINTED_TOP], state[MOVED_FROM]
    if scrolled > 0:
        return scrolled < state[HEIGHT] and first_moved > state[TOP]
    return 0 < -scrolled < state[HEIGHT] - 2 and state[HEIGHT] > 4 and first_moved > state[PAINTED_TOP]


@kernel
def refresh(window: Window, screen: Screen) -> None:
    """Scroll to the cursor and paint all that has changed."""
    state = window.state
    if state[MODE] != COMMAND:
        scroll_to_cursor(window)
        if not state[CELL_KEPT]:
            _scroll_sideways(window)
        state[CELL_KEPT] = 0
    top, height, numbers = state[TOP], state[HEIGHT], number_width(window)
    is_new_view = state[PAINTED_LEFT] != state[LEFT] or state[PAINTED_NUMBERS] != numbers
    if not is_new_view and state[MODE] == NORMAL and not state[MESSAGE_KEPT] and _moves_rows(window):
        state[MESSAGE_SIZE], state[MESSAGE_STALE] = 0, 1
    if is_new_view or state[PAINTED_TOP] != top:
        damage(window, top, LINE_END)
        state[PAINTED_TOP], state[PAINTED_LEFT], state[PAINTED_NUMBERS] = top, state[LEFT], numbers
    state[MOVED_FROM], state[MESSAGE_KEPT] = LINE_END, 0
    first, last = max(state[DAMAGED_FROM], top), min(state[DAMAGED_TO], top + height - 1)
    state[DAMAGED_FROM], state[DAMAGED_TO] = LINE_END, -1
    for line in range(first, last + 1):
        _paint_line(window, screen, line)
    _paint_status(window, screen)
    if state[MESSAGE_STALE]:
        _paint_message(window, screen)
    row, column = state[LINE] - top, numbers + state[CURSOR_CELL] - state[LEFT]
    if state[MODE] == INSERT and state[PREFIX] == CTRL_V:
        _paint_caret(window, screen, row, column)
    if state[MODE] == COMMAND:
        row, column = height + 1, state[MESSAGE_SIZE]
    screen.cursor_2[0], screen.cursor_2[1] = state[PANE_TOP] + row, state[PANE_LEFT] + column
