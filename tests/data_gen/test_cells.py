import numpy as np

from data_gen.cells import CURSOR, Style, style_channels


def test_the_cursor_swaps_foreground_and_background():
    channels = style_channels()
    assert channels.shape == (256, 6) and channels.dtype == np.uint8
    for style in Style:
        assert list(channels[style | CURSOR]) == [*channels[style][3:], *channels[style][:3]]
        assert list(channels[style][:3]) != list(channels[style][3:])


def test_styles_can_be_told_apart():
    channels = style_channels()
    looks = {tuple(channels[style]) for style in Style}
    assert len(looks) == len(Style)


def test_a_byte_that_names_no_style_looks_plain():
    channels = style_channels()
    assert tuple(channels[100]) == tuple(channels[Style.PLAIN])
