"""Power spectra of a pair, a few frames at a time, against SciPy's transforms of one frame after the other."""

from __future__ import annotations

import numpy as np
import pytest

from srbench.errors import UndefinedMetric
from srbench.metrics import Pair
from srbench.metrics.spectra import _two_at_once, power_spectra


@pytest.mark.parametrize("n_fft", [64, 37])
@pytest.mark.parametrize("n", [64, 65, 1000])
@pytest.mark.parametrize("pad", ["reflect", "zeros", None])
def test_are_those_of_every_frame(n_fft, n, pad):
    pair = Pair(*np.random.default_rng(n).standard_normal((2, n)), 16000)
    found = [(r.copy(), e.copy()) for r, e in power_spectra(pair, n_fft, 10, pad)]
    window = np.hanning(n_fft + 1)[:-1]
    for side, samples in enumerate((pair.reference, pair.estimate)):
        if pad is not None:
            samples = np.pad(samples, n_fft // 2, "reflect" if pad == "reflect" else "constant")
        starts = range(0, len(samples) - n_fft + 1, 10)
        wanted = [np.abs(np.fft.rfft(window * samples[start : start + n_fft])) ** 2 for start in starts]
        np.testing.assert_allclose(np.concatenate([each[side] for each in found]), wanted, rtol=0, atol=1e-10)


@pytest.mark.parametrize(("n", "pad"), [(32, "reflect"), (63, None)])
def test_too_short_for_a_frame(n, pad):
    with pytest.raises(UndefinedMetric, match=f"{n} samples are too short for an LSD with n_fft 64"):
        next(power_spectra(Pair(np.ones(n), np.ones(n), 16000), 64, 10, pad))
    next(power_spectra(Pair(np.ones(n + 1), np.ones(n + 1), 16000), 64, 10, pad))


@pytest.mark.parametrize("size", [743, 13, 14, 7])
@pytest.mark.parametrize("count", [1, 2, 5, 8])
def test_transforms_two_at_once_are_those_one_by_one(size, count):
    frames = np.random.default_rng(size).standard_normal((count, size))
    frames[count // 2] *= 1e-9
    found = np.full((count, size // 2 + 1), np.nan)
    _two_at_once(frames, found)
    wanted = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    assert np.abs(found - wanted).max() < 1e-12 * wanted.max()
    if count > 1:  # a frame that is all but silent beside a loud one is not touched by it
        quiet = wanted[count // 2]
        assert np.abs(found[count // 2] - quiet).max() < 1e-12 * quiet.max()
    _two_at_once(frames * 0, found)
    assert not found.any()
