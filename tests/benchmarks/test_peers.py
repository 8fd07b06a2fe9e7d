"""What texz is measured against holds the same frames: terminals and plain readers get them back."""

import json
import struct

import numpy as np
import pyte
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.frame_logs import log_of
from benchmarks.peers import formats
from benchmarks.peers.terminal_output import terminal_output
from data_gen.actions import from_bytes
from data_gen.cells import CONTINUATION, CURSOR, Style, style_channels
from data_gen.texz.codec import decode_frames, encode

ROWS, COLUMNS = 5, 16
CHANNELS = style_channels()


@st.composite
def drawn_frames(draw):
    """Frames of text in styles, with double-width characters, erased line ends and scrolled screens."""
    count = draw(st.integers(1, 6))
    codepoints_RxC, styles_RxC = np.full((ROWS, COLUMNS), 0x20, np.uint32), np.zeros((ROWS, COLUMNS), np.uint8)
    frames = []
    for _ in range(count):
        for _ in range(draw(st.integers(0, 4))):
            kind = draw(st.integers(0, 4))
            row, column = draw(st.integers(0, ROWS - 1)), draw(st.integers(0, COLUMNS - 1))
            if kind == 0:
                codepoints_RxC, styles_RxC = np.roll(codepoints_RxC, 1, 0), np.roll(styles_RxC, 1, 0)
            elif kind == 1:
                codepoints_RxC[row, column:], styles_RxC[row, column:] = 0x20, Style.PLAIN
            else:
                text = draw(st.text("abc ", min_size=1, max_size=COLUMNS - column))
                codepoints_RxC[row, column : column + len(text)] = [ord(character) for character in text]
                styles_RxC[row, column : column + len(text)] = draw(st.sampled_from([0, 0, 3, 6]))
        wide_row = draw(st.integers(0, ROWS - 1))
        whole_RxC = codepoints_RxC.copy()
        if draw(st.booleans()):
            wide_column = draw(st.integers(0, COLUMNS - 2))
            whole_RxC[wide_row, wide_column : wide_column + 2] = ord("本"), CONTINUATION
            styles_RxC[wide_row, wide_column + 1] = styles_RxC[wide_row, wide_column]
        marked_RxC = styles_RxC.copy()
        marked_RxC[draw(st.integers(0, ROWS - 1)), draw(st.integers(0, COLUMNS - 1))] |= CURSOR
        frames.append((whole_RxC, marked_RxC))
    actions_F = np.array(draw(st.lists(st.integers(0, 264), min_size=count, max_size=count)), np.uint16)
    return np.array([f[0] for f in frames]), np.array([f[1] for f in frames]), actions_F


def assert_shows(screen: pyte.Screen, codepoints_RxC: np.ndarray, styles_RxC: np.ndarray) -> None:
    """`screen` shows a frame: its characters, colours and cursor."""
    assert (screen.cursor.y, screen.cursor.x) == tuple(np.argwhere(styles_RxC & CURSOR)[0])
    for row in range(ROWS):
        for column in range(COLUMNS):
            shown, codepoint = screen.buffer[row][column], int(codepoints_RxC[row, column])
            assert shown.data == (chr(codepoint) if codepoint != CONTINUATION else "")
            style = int(styles_RxC[row, column]) & ~CURSOR
            colours = bytes(CHANNELS[style]).hex()
            expected = ("default", "default") if style == Style.PLAIN else (colours[:6], colours[6:])
            if codepoint != CONTINUATION:
                assert (shown.fg, shown.bg) == expected


@given(drawn_frames())
@settings(max_examples=150)
def test_a_terminal_shows_each_frame(frames):
    codepoints_FxRxC, styles_FxRxC, _ = frames
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.Stream(screen)
    for text, codepoints_RxC, styles_RxC in zip(
        terminal_output(codepoints_FxRxC, styles_FxRxC), codepoints_FxRxC, styles_FxRxC, strict=True
    ):
        stream.feed(text)
        assert_shows(screen, codepoints_RxC, styles_RxC)


@given(drawn_frames())
@settings(max_examples=30)
def test_files_hold_the_output_and_the_actions(frames):
    codepoints_FxRxC, styles_FxRxC, actions_F = frames
    expected = list(terminal_output(codepoints_FxRxC, styles_FxRxC))
    header, *events = map(json.loads, formats.asciicast(*frames).decode().split("\n")[:-1])
    assert (header["version"], header["width"], header["height"]) == (2, COLUMNS, ROWS)
    assert [text for _, kind, text in events if kind == "o"] == expected
    assert len([text for _, kind, text in events if kind == "i"]) == len(actions_F)
    content, output = formats.ttyrec(codepoints_FxRxC, styles_FxRxC), []
    while content:
        size = struct.unpack_from("<III", content)[2]
        output.append(content[12 : 12 + size].decode())
        content = content[12 + size :]
    assert output == expected


@given(drawn_frames())
@settings(max_examples=30)
def test_cell_deltas_give_the_frames(frames):
    codepoints_FxRxC, styles_FxRxC, actions_F = frames
    content = formats.cell_deltas(*frames)
    codepoints_N, styles_N = np.full(ROWS * COLUMNS, 0x20), np.zeros(ROWS * COLUMNS, np.uint8)
    for codepoints_RxC, styles_RxC, action in zip(codepoints_FxRxC, styles_FxRxC, actions_F, strict=True):
        stored_action, cursor, count = np.frombuffer(content[:12], "<u4")
        places, codepoints = np.frombuffer(content[12 : 12 + 8 * count], "<u4").reshape(2, -1)
        codepoints_N[places] = codepoints
        styles_N[places] = np.frombuffer(content[12 + 8 * count : 12 + 9 * count], np.uint8)
        content = content[12 + 9 * count :]
        marked_N = styles_N.copy()
        marked_N[cursor] |= CURSOR
        assert stored_action == action
        np.testing.assert_array_equal(codepoints_N, codepoints_RxC.ravel())
        np.testing.assert_array_equal(marked_N, styles_RxC.ravel())
    assert content == b""


@given(drawn_frames())
@settings(max_examples=30)
def test_logs_of_decoded_frames_encode_them_again(frames):
    codepoints_FxRxC, styles_FxRxC, actions_F = frames
    decoded = decode_frames(encode(log_of(*frames)), np.arange(len(actions_F)))
    np.testing.assert_array_equal(decoded[0], codepoints_FxRxC)
    np.testing.assert_array_equal(decoded[1], styles_FxRxC)


def test_blanks_at_the_end_of_a_row_are_erased():
    codepoints_2xRxC, styles_2xRxC = (
        np.full((2, ROWS, COLUMNS), 0x20, np.uint32),
        np.zeros((2, ROWS, COLUMNS), np.uint8),
    )
    codepoints_2xRxC[0, 1] = from_bytes(b"abcdefghijklmnop")
    styles_2xRxC[:, 1, 2] = CURSOR
    _, second = terminal_output(codepoints_2xRxC, styles_2xRxC)
    assert second == "\r\x1b[K\x1b[2C"
