"""Growth classes of depths whose growth is known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rcfam_jax.analysis.growth import growth

OFFSETS, SLOPES, POWERS = st.integers(0, 1000), st.integers(1, 50), st.sampled_from([2, 4, 6, 8])


@given(OFFSETS, SLOPES, POWERS)
def test_growth_is_recognised_whatever_the_depth_at_the_start(offset, slope, doublings):
    lengths = [16 * 2**power for power in range(doublings + 1)]
    assert growth([offset] * len(lengths)) == "constant"
    assert growth([offset + slope * power for power in range(len(lengths))]) == "logarithmic"
    assert growth([offset + slope * length for length in lengths]) == "linear"


def test_the_longer_of_two_chains_may_change_on_the_way():
    lengths = [16 * 2**power for power in range(7)]
    assert growth([max(100, 10 + length // 16) for length in lengths[:3]]) == "constant"
    assert growth([max(13 + power, 9 + 2 * power) for power in range(7)]) == "logarithmic"
    assert growth([5 * power + 3 * length for power, length in enumerate(lengths)]) == "linear"


@pytest.mark.parametrize("depths", [[100, 141, 200, 283, 400], [1, 4, 16], [10, 10, 20], [30, 20, 10]])
def test_a_square_root_and_other_growth_is_refused(depths):
    with pytest.raises(ValueError, match="neither logarithmically nor linearly"):
        growth(depths)


@pytest.mark.parametrize("count", [0, 1, 2, 4])
def test_too_few_depths_are_refused(count):
    with pytest.raises(ValueError, match=f"^{count} depths"):
        growth([1] * count)
