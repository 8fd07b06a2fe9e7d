"""Records of format version 1 as they were written when it was fixed: they must stay readable, or refused, for ever."""

import json
import pathlib

import numpy as np
import pytest

from data_gen.texz import record
from data_gen.texz.codec import decode_actions, decode_frames
from data_gen.texz.record import TexzError

GOLDEN = pathlib.Path(__file__).parents[2] / "golden" / "texz_version_1"
SHOWN = ["scrolling", "typing", "unicode"]
SUFFIXES = {"": record.Codec.COLUMNAR, "_bitpacked": record.Codec.BITPACKED}
DAMAGED = {
    "truncated": "bytes has",
    "flipped_bit": "checksum",
    "later_version": "version 2",
    "unknown_codec": "codec 7",
    "not_a_record": "not a texz record",
    "huge_screen": "out of bounds",
    "outside_of_the_screen": "frame 0",
    "unknown_template": "frame 0",
    "used_up_stream": "frame 0",
    "endless_program": "frame 0",
    "count_without_number": "frame 0",
    "wrong_stream_sizes": "5 bytes",
    "bits_used_up": "frame 0",
    "cell_not_in_palette": "frame 0",
    "cursor_beyond_the_edge": "frame 0",
    "distance_of_nothing": "frame 0",
    "distance_too_far": "frame 0",
    "endless_gamma": "frame 0",
    "run_beyond_its_frame": "frame 0",
    "style_too_great": "frame 0",
}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", SHOWN)
def test_golden_records_are_read(name, suffix):
    encoded = (GOLDEN / f"{name}{suffix}.texz").read_bytes()
    assert record.unpack(encoded).codec == SUFFIXES[suffix]
    frames = json.loads((GOLDEN / f"{name}.json").read_text())
    assert decode_actions(encoded).tolist() == [frame["action"] for frame in frames]
    codepoints_FxRxC, styles_FxRxC = decode_frames(encoded, np.arange(len(frames)))
    for codepoints_RxC, styles_RxC, frame in zip(codepoints_FxRxC, styles_FxRxC, frames, strict=True):
        assert ["".join(map(chr, row)) for row in codepoints_RxC] == frame["rows"]
        assert [row.tobytes().hex() for row in styles_RxC] == frame["styles"]


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_golden_records_are_refused(name):
    encoded = (GOLDEN / f"{name}.texz").read_bytes()
    with pytest.raises(TexzError, match=DAMAGED[name]):
        decode_frames(encoded, np.arange(record.unpack(encoded).frames))


def test_every_golden_file_is_tested():
    records = {name + suffix for name in SHOWN for suffix in SUFFIXES}
    assert {path.stem for path in GOLDEN.glob("*.texz")} == records | DAMAGED.keys()
    assert {path.stem for path in GOLDEN.glob("*.json")} == set(SHOWN)
