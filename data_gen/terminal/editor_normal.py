"""What each key does in normal mode."""

from data_gen.actions import BACKSPACE, ESCAPE, Key
from data_gen.cells import Style
from data_gen.kernel import inner_kernel, kernel
from data_gen.terminal.editor_buffer import line_count, line_length
from data_gen.terminal.editor_characters import WIDTH_BITS
from data_gen.terminal.editor_edits import (
    delete_span,
    delete_to_line_end,
    delete_whole_lines,
    empty_lines,
    join_lines,
    open_line,
    put,
    yank_lines,
)
from data_gen.terminal.editor_insert import INCOMPLETE, INVALID, assemble, move_line, start_insert
from data_gen.terminal.editor_motions import (
    codepoint_at,
    find_in_line,
    first_column,
    first_nonblank,
    keep_on_character,
    last_column,
    next_column,
    to_next_word,
    to_previous_word,
    to_word_end,
)
from data_gen.terminal.editor_state import (
    BYTES_LEFT,
    CELL_KEPT,
    COLUMN,
    COMMAND,
    COUNT,
    DONE,
    HERE,
    LACKS_ROOM,
    LINE,
    LINE_END,
    MESSAGE,
    MESSAGE_SIZE,
    MESSAGE_STALE,
    MESSAGE_STYLES,
    MODE,
    OPERATOR,
    OPERATOR_COUNT,
    PREFIX,
    REGISTER_SIZE,
    TAB,
    UNSUPPORTED,
    WANTED_CELL,
    Window,
)

UP, DOWN, RIGHT, LEFT_ARROW = int(Key.UP), int(Key.DOWN), int(Key.RIGHT), int(Key.LEFT)
_PLAIN = int(Style.PLAIN)
_MAX_COUNT = 99_999_999


@inner_kernel
def _forget(window: Window) -> None:
    """Nothing is pending any more."""
    for index in (COUNT, OPERATOR, OPERATOR_COUNT, PREFIX):
        window.state[index] = 0


@inner_kernel
def _find_key(window: Window, action: int, count: int) -> int:
    """The character that `f` or `t` looks for."""
    state = window.state
    if state[BYTES_LEFT] == 0 and (action < 0x20 or action == BACKSPACE or action > 0xFF) and action != TAB:
        if action != ESCAPE:
            return UNSUPPORTED
        _forget(window)
        return DONE
    codepoint = assemble(window, action)
    if codepoint == INCOMPLETE:
        return DONE
    if codepoint == INVALID or (window.kinds_N[codepoint] & WIDTH_BITS) == 0:
        return UNSUPPORTED
    column = find_in_line(window, codepoint, count)
    if column >= 0:
        if state[PREFIX] == ord("t"):
            column = first_column(window, state[LINE], column - 1)
        state[COLUMN], state[WANTED_CELL] = column, HERE
    _forget(window)
    return DONE


@inner_kernel
def _operate_on_word(window: Window, operator: int, count: int) -> bool:
    """`dw` and `cw`: exclusive to the next word's start, or, changing a word, to the end of the last word."""
    state = window.state
    line, column = state[LINE], state[COLUMN]
    codepoint = codepoint_at(window, line, column)
    is_change = operator == ord("c")
    is_inclusive = is_change and codepoint not in (0, 0x20, TAB)
    if is_inclusive:
        to_word_end(window, count)
        if state[COLUMN] < line_length(window.buffer, state[LINE]):
            state[COLUMN] = next_column(window, state[LINE], state[COLUMN])
    else:
        to_next_word(window, count, True)
    last_line, end = state[LINE], state[COLUMN]
    state[LINE], state[COLUMN] = line, column
    is_linewise = False
    if last_line > line and end == 0 and not is_inclusive:
        last_line -= 1
        end = line_length(window.buffer, last_line)
        is_linewise = first_nonblank(window, line) >= column
    if not is_change and last_line > line and first_nonblank(window, line) >= column:
        is_linewise = is_linewise or _is_blank_from(window, last_line, end)
    if is_linewise:
        lines = last_line - line + 1
        return empty_lines(window, lines) if is_change else delete_whole_lines(window, lines)
    state[WANTED_CELL] = HERE
    if line == last_line and end == column:
        return True
    if is_change and line == last_line and end == line_length(window.buffer, line):
        # Vim forgets that the cursor is no longer on the tab that ended the line.
        state[CELL_KEPT] = column > 0 and line + 1 < line_count(window.buffer)
    if not delete_span(window, line, column, last_line, end, True):
        return False
    if not is_change:
        keep_on_character(window)
    return True


@inner_kernel
def _is_blank_from(window: Window, line: int, column: int) -> bool:
    while codepoint_at(window, line, column) in (0x20, TAB):
        column += 1
    return codepoint_at(window, line, column) == 0


@inner_kernel
def _operator_key(window: Window, action: int, count: int) -> int:
    """The second key of `dd`, `dw`, `cw`, `cc` and `yy`."""
    state = window.state
    operator, line = state[OPERATOR], state[LINE]
    if action == ESCAPE:
        _forget(window)
        return DONE
    if action == operator:
        if count > 1 and line + 1 == line_count(window.buffer):
            _forget(window)
            return DONE
        if operator == ord("y"):
            done = yank_lines(window, count)
        elif operator == ord("c"):
            done = empty_lines(window, count)
        else:
            done = delete_whole_lines(window, count)
    elif action == ord("w") and operator != ord("y"):
        done = _operate_on_word(window, operator, count)
    else:
        return UNSUPPORTED
    if not done:
        return LACKS_ROOM
    _forget(window)
    return start_insert(window) if operator == ord("c") else DONE


@inner_kernel
def _move_sideways(window: Window, characters: int) -> None:
    """`h` and `l`: within the line."""
    state = window.state
    line, column = state[LINE], state[COLUMN]
    last = last_column(window, line)
    for _ in range(min(characters, last - column)):
        column = min(next_column(window, line, column), last)
    for _ in range(-characters):
        column = first_column(window, line, max(column - 1, 0))
    if column != state[COLUMN]:
        state[COLUMN], state[WANTED_CELL] = column, HERE


@inner_kernel
def _motion_key(window: Window, action: int, count: int) -> bool:
    """A key that moves the cursor and has no second key; False if `action` is none."""
    state = window.state
    line, column = state[LINE], state[COLUMN]
    last_line = line_count(window.buffer) - 1
    if action == ord("h") or action == LEFT_ARROW:
        _move_sideways(window, -min(count, column))
    elif action == ord("l") or action == RIGHT:
        _move_sideways(window, count)
    elif action == ord("j") or action == DOWN:
        if line < last_line:
            move_line(window, min(line + count, last_line))
    elif action == ord("k") or action == UP:
        if line > 0:
            move_line(window, max(line - count, 0))
    elif action == ord("0"):
        state[COLUMN], state[WANTED_CELL] = 0, HERE
    elif action == ord("$"):
        state[WANTED_CELL] = LINE_END
        if count == 1 or line < last_line:
            move_line(window, min(line + count - 1, last_line))
    elif action == ord("^"):
        state[COLUMN], state[WANTED_CELL] = first_nonblank(window, line), HERE
        keep_on_character(window)
    elif action == ord("w"):
        to_next_word(window, count, False)
        keep_on_character(window)
        state[WANTED_CELL] = HERE
    elif action == ord("b"):
        to_previous_word(window, count)
        state[WANTED_CELL] = HERE
    elif action == ord("G"):
        go_to_line(window, count - 1 if state[COUNT] else last_line)
    else:
        return False
    return True


@kernel
def go_to_line(window: Window, line: int) -> None:
    """Put the cursor on the first nonblank of `line`, or of the last line."""
    state = window.state
    state[LINE] = max(min(line, line_count(window.buffer) - 1), 0)
    state[COLUMN], state[WANTED_CELL] = first_nonblank(window, state[LINE]), HERE
    keep_on_character(window)


@inner_kernel
def _insert_command(window: Window, action: int) -> int:
    """`i`, `a`, `I`, `A`, `o` and `O`."""
    state = window.state
    line, column = state[LINE], state[COLUMN]
    length = line_length(window.buffer, line)
    if state[COUNT]:
        return UNSUPPORTED
    if action == ord("o") or action == ord("O"):
        if not open_line(window, line + 1 if action == ord("o") else line):
            return LACKS_ROOM
    elif action == ord("a"):
        state[COLUMN] = next_column(window, line, column) if length > 0 else 0
    elif action == ord("A"):
        state[COLUMN] = length
    elif action == ord("I"):
        state[COLUMN] = first_nonblank(window, line)
    elif action != ord("i"):
        return UNSUPPORTED
    return start_insert(window)


@inner_kernel
def _edit_command(window: Window, action: int, count: int) -> int:
    """`x`, `X`, `D`, `J`, `p` and `P`."""
    state = window.state
    line, column, done = state[LINE], state[COLUMN], True
    length = line_length(window.buffer, line)
    if action == ord("x"):
        end = column
        for _ in range(min(count, length - column)):
            end = next_column(window, line, end) if end < length else end
        state[WANTED_CELL] = HERE
        if end > column:
            done = delete_span(window, line, column, line, end, True)
            keep_on_character(window)
    elif action == ord("X"):
        start = column
        for _ in range(min(count, column)):
            start = first_column(window, line, max(start - 1, 0))
        state[WANTED_CELL] = HERE
        if start < column:
            done = delete_span(window, line, start, line, column, True)
    elif action == ord("D") and not state[COUNT]:
        done = delete_to_line_end(window)
    elif action == ord("J"):
        if line + 1 < line_count(window.buffer) or count > 2:
            done = join_lines(window, max(count, 2))
    elif (action == ord("p") or action == ord("P")) and state[REGISTER_SIZE] >= 0:
        done = put(window, count, action == ord("p"))
    else:
        return _insert_command(window, action)
    return DONE if done else LACKS_ROOM


@inner_kernel
def normal_key(window: Window, action: int) -> int:
    """Apply one key in normal mode; returns DONE, LACKS_ROOM or UNSUPPORTED."""
    state = window.state
    count = max(state[COUNT], 1) * max(state[OPERATOR_COUNT], 1)
    if state[PREFIX] == ord("f") or state[PREFIX] == ord("t"):
        return _find_key(window, action, count)
    if state[PREFIX] == ord("g"):
        if action != ord("g") and action != ESCAPE:
            return UNSUPPORTED
        if action == ord("g"):
            go_to_line(window, count - 1)
        _forget(window)
        return DONE
    if ord("1") <= action <= ord("9") or (action == ord("0") and state[COUNT]):
        state[COUNT] = state[COUNT] * 10 + action - ord("0")
        return DONE if state[COUNT] <= _MAX_COUNT else UNSUPPORTED
    if state[OPERATOR]:
        return _operator_key(window, action, count)
    if action == ord("f") or action == ord("t") or action == ord("g"):
        state[PREFIX] = action
        return DONE
    if action == ord("d") or action == ord("c") or action == ord("y"):
        state[OPERATOR], state[OPERATOR_COUNT], state[COUNT] = action, state[COUNT], 0
        return DONE
    code = DONE
    if action == ord(":") or action == ord("/"):
        if state[COUNT]:
            return UNSUPPORTED
        state[MODE], state[MESSAGE_SIZE], state[MESSAGE_STALE] = COMMAND, 1, 1
        window.cells_6xW[MESSAGE, 0], window.cells_6xW[MESSAGE_STYLES, 0] = action, _PLAIN
    elif action != ESCAPE and not _motion_key(window, action, count):
        code = _edit_command(window, action, count)
    if code == DONE:
        _forget(window)
    return code
