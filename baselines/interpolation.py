"""Interpolation between the low-resolution samples: hold, linear, cubic spline, sinc.

Sample k of the low-resolution signal lies at high-resolution time k r, with r = high_rate / low_rate; the
high-resolution samples after the last of them (the last r - 1) are extrapolated.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from srbench import audio
from srbench.upscaler import upscaler

Samples = NDArray[np.float64]


@upscaler("hold")
def hold(low: Samples, low_rate: Any, high_rate: int) -> Samples:
    """Hold each low-resolution sample until the next (zero-order hold): images of the low band fill the high one."""
    times, _ = _times(len(low), low_rate, high_rate)
    return np.asarray(low[np.floor(times + 1e-9).astype(int)])


@upscaler("linear")
def linear(low: Samples, low_rate: Any, high_rate: int) -> Samples:
    """Draw straight lines between the low-resolution samples; the last one is held."""
    times, knots = _times(len(low), low_rate, high_rate)
    return np.interp(times, knots, low)


@upscaler("spline")
def spline(low: Samples, low_rate: Any, high_rate: int) -> Samples:
    """Interpolate by the cubic spline through the low-resolution samples (Kuleshov et al. 2017), the field's baseline.

    The not-a-knot spline of FITPACK's ``splrep`` with no smoothing, evaluated by ``splev``, as in the paper's code. A
    signal of fewer than four samples takes the spline of the degree that it allows.
    """
    from scipy.interpolate import make_interp_spline

    times, knots = _times(len(low), low_rate, high_rate)
    if len(low) == 1:
        return np.repeat(low, len(times))
    degree = min(3, len(low) - 1)
    return np.asarray(make_interp_spline(knots, low, k=degree)(times))


@upscaler("sinc")
def sinc(low: Samples, low_rate: Any, high_rate: int) -> Samples:
    """Resample with a band-limited filter (soxr HQ): the input as it is, at the high rate, nothing above the cutoff."""
    # soxr rounds the length; the contract takes the whole samples
    return audio.resample(low, low_rate, high_rate)[: len(low) * high_rate // low_rate]


def _times(n: int, low_rate: Any, high_rate: int) -> tuple[Samples, Samples]:
    """Return the high-resolution times and the knots, in low-resolution samples."""
    length = n * high_rate // low_rate
    return np.arange(length) * float(low_rate / high_rate), np.arange(n, dtype=np.float64)
