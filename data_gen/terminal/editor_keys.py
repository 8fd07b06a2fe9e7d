"""The kernel that consumes a span of keys, and the keys of the command line."""

import numpy as np

from data_gen.actions import BACKSPACE, ENTER, ESCAPE
from data_gen.cells import CONTINUATION, Style
from data_gen.kernel import inner_kernel, kernel
from data_gen.terminal.editor_characters import WIDTH_BITS
from data_gen.terminal.editor_insert import INCOMPLETE, assemble, insert_key
from data_gen.terminal.editor_normal import normal_key
from data_gen.terminal.editor_paint import refresh
from data_gen.terminal.editor_state import (
    BYTES_LEFT,
    COLUMN,
    COMMAND_ENTERED,
    DONE,
    INSERT,
    IS_LOGGED,
    LACKS_ROOM,
    LINE,
    MESSAGE,
    MESSAGE_SIZE,
    MESSAGE_STALE,
    MESSAGE_STYLES,
    MODE,
    NORMAL,
    UNSUPPORTED,
    WIDTH,
    Window,
    set_message,
)
from data_gen.terminal.screen import FrameLog, Screen, log_frame, log_is_full

_PLAIN = int(Style.PLAIN)
_NOTHING = np.zeros(0, np.uint32)


@inner_kernel
def _command_key(window: Window, action: int) -> int:
    """A key on the command line, which is painted from, and kept in, the message."""
    state, message = window.state, window.cells_6xW[MESSAGE]
    size = state[MESSAGE_SIZE]
    state[MESSAGE_STALE] = 1
    if action == ENTER:
        state[MODE] = NORMAL
        return COMMAND_ENTERED
    if action == ESCAPE or (action == BACKSPACE and size == 1):
        state[MODE] = NORMAL
        set_message(window, _NOTHING, _PLAIN)
        return DONE
    if action == BACKSPACE:
        state[MESSAGE_SIZE] = size - (2 if message[size - 1] == CONTINUATION else 1)
        return DONE
    codepoint = assemble(window, action)
    if codepoint == INCOMPLETE:
        return DONE
    if codepoint < 0x20:
        return UNSUPPORTED
    width = int(window.kinds_N[codepoint] & WIDTH_BITS)
    if width == 0 or width > 2 or size + width >= state[WIDTH]:
        return UNSUPPORTED
    message[size], message[size + 1] = codepoint, CONTINUATION
    for column in range(size, size + width):
        window.cells_6xW[MESSAGE_STYLES, column] = _PLAIN
    state[MESSAGE_SIZE] = size + width
    return DONE


@kernel
def type_keys(window: Window, screen: Screen, log: FrameLog, actions: np.ndarray, start: int) -> tuple[int, int]:
    """Log a frame before each of `actions[start:]` and apply it, until Python has to act.

    Returns the index of the next key, and why: DONE (all consumed, or `log` is full), COMMAND_ENTERED, LACKS_ROOM
    (the key at the index is to be tried again with more room) or UNSUPPORTED (the key at the index).
    """
    state = window.state
    for index in range(start, actions.shape[0]):
        action = np.int64(actions[index])
        if state[IS_LOGGED]:
            state[IS_LOGGED] = 0
        elif log_is_full(log):
            return index, DONE
        else:
            log_frame(screen, log, action)
        line, column = state[LINE], state[COLUMN]
        if state[MODE] == INSERT:
            code = insert_key(window, action)
        elif state[MODE] == NORMAL:
            code = normal_key(window, action)
        else:
            code = _command_key(window, action)
        if code == LACKS_ROOM:
            state[LINE], state[COLUMN], state[IS_LOGGED] = line, column, 1
            return index, code
        if code == UNSUPPORTED:
            return index, code
        if code == COMMAND_ENTERED:
            return index + 1, code
        if state[BYTES_LEFT] == 0:
            refresh(window, screen)
    return actions.shape[0], DONE
