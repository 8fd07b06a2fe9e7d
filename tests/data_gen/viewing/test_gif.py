"""A GIF, read back, shows the frames' pictures at their times; a PNG the first of them."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageSequence

from data_gen.errors import UserError
from data_gen.viewing.film import milliseconds
from data_gen.viewing.gif import MAX_FRAMES, _schedule, gif
from data_gen.viewing.paint import picture
from data_gen.viewing.png import png


def pixels(image):
    return np.asarray(image.convert("RGB"))


def test_every_frame_is_shown_as_long_as_it_should(film):
    film.cut(40, 60)
    image = Image.open(io.BytesIO(gif(film, 1.0)))
    expected = [(pixels(picture(f.codepoints_RxC, f.styles_RxC)), milliseconds(f.action)) for f in film]
    shown = [(pixels(frame), frame.info["duration"]) for frame in ImageSequence.Iterator(image)]
    position = 0
    for frame, duration in shown:
        remaining = duration
        while remaining > 0:
            picture_HxWx3, time = expected[position]
            assert time == 0 or (frame == picture_HxWx3).all(), position
            remaining -= time
            position += 1
        assert remaining == 0
    assert position == len(expected) and image.info["loop"] == 0


def test_the_same_film_gives_the_same_bytes(film):
    film.cut(0, 30)
    assert gif(film, 4.0) == gif(film, 4.0)


def test_too_many_frames_are_refused(film):
    film.total = film.end = MAX_FRAMES + 1
    with pytest.raises(UserError, match="1,001 frames are too many for a GIF: choose at most 1,000 with --frames"):
        gif(film, 1.0)


@given(
    st.lists(st.sampled_from([0.0, 3.0, 20.0, 40.0, 160.0]), min_size=1, max_size=60), st.sampled_from([0.5, 1, 3, 50])
)
def test_no_frame_is_too_short_and_none_is_late(milliseconds, speed):
    delays = [time / speed for time in milliseconds]
    shown, durations = _schedule(delays)
    assert shown == sorted(set(shown)) and shown[-1] == len(delays) - 1
    assert all(duration >= 20 and duration % 10 == 0 for duration in durations)
    starts = np.cumsum([0, *durations])
    for start, end, frame in zip(starts, starts[1:], shown, strict=False):
        assert start - 20 <= sum(delays[:frame]) + 5 and sum(delays[:frame]) <= end + 5


def test_a_png_is_the_first_frame(film):
    film.cut(25, 3)
    frame = film.frame(25)
    image = Image.open(io.BytesIO(png(film)))
    assert image.format == "PNG"
    assert (pixels(image) == pixels(picture(frame.codepoints_RxC, frame.styles_RxC))).all()
