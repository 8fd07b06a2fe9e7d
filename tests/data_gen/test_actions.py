import numpy as np

from data_gen import actions


def test_codes_of_control_sequences_are_part_of_the_format():
    assert [int(key) for key in actions.Key] == list(range(256, 265)) and actions.NUM_ACTIONS == 265
    assert actions.to_bytes([0x61, actions.Key.UP, 0x1B, actions.Key.DELETE]) == b"a\x1b[A\x1b\x1b[3~"


def test_bytes_are_their_own_codes():
    every_byte = bytes(range(256))
    codes = actions.from_bytes(every_byte)
    assert codes.dtype == np.uint16 and actions.to_bytes(codes) == every_byte


def test_a_description_never_holds_a_control_character():
    described = actions.describe(range(actions.NUM_ACTIONS))
    assert described.isprintable()
    assert actions.describe(actions.from_bytes("é\r\x1b\x16\u202e".encode())) == "é⏎⎋^V\\u202e"
