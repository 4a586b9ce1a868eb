"""Resampling as Octave does it, against pystoi's, which is SciPy's with Octave's filter."""

from __future__ import annotations

import numpy as np
import pytest
from pystoi.utils import resample_oct

from srbench.metrics.octave import resample_octave


@pytest.mark.parametrize("rate", [10007, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 96000])
@pytest.mark.parametrize("n", [1, 5, 1000, 4411])
def test_is_that_of_pystoi(rate, n):
    samples = np.random.default_rng(n).standard_normal(n)
    wanted = resample_oct(samples, 10000, rate)
    np.testing.assert_allclose(resample_octave(samples, rate, 10000), wanted, rtol=0, atol=1e-12)
