"""A pair as it was given: what both have, what lies over each other, and when it is a pair that metrics take."""

from __future__ import annotations

import numpy as np
import pytest

from srbench.errors import SrbenchError
from srbench.scoring.given import Given

RAMP = np.arange(10.0)


def test_what_both_have():
    given = Given(RAMP, RAMP[:7], 16000, 4000.0)
    assert (given.lengths, given.even) == ((10, 7), False)
    assert given.common.lengths == (7, 7)
    assert (given.common.sample_rate, given.common.cutoff) == (16000, 4000.0)
    with pytest.raises(SrbenchError, match="differ in length: 10 and 7 samples"):
        given.pair()
    assert given.common.pair().cutoff == 4000.0


@pytest.mark.parametrize("delay", [3, 3.4, -2, -1.6, 0])
def test_what_lies_over_each_other(delay: float):
    whole = round(delay)
    late = np.concatenate([np.full(max(whole, 0), -1.0), RAMP[max(-whole, 0) :]])
    both = Given(RAMP, late, 16000).over(delay)
    np.testing.assert_array_equal(both.reference, both.estimate)
    assert both.even
    assert both.lengths[0] == 10 - max(-whole, 0)


@pytest.mark.parametrize("delay", [10, -10, 400])
def test_a_delay_that_would_leave_nothing_counts_as_none(delay: int):
    assert Given(RAMP, RAMP, 16000).over(delay).lengths == (10, 10)
