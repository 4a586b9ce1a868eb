"""SNR, SI-SDR and MSE against their closed forms."""

from __future__ import annotations

from math import inf, log10, sqrt

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from srbench.errors import UndefinedMetric
from srbench.metrics import METRICS

SNR, SI_SDR, MSE = METRICS["snr"], METRICS["si_sdr"], METRICS["mse"]
RATE = 16000
quick = settings(max_examples=60, deadline=None, derandomize=True)
gains = st.floats(-4, 4, allow_subnormal=False)


def noise(n: int = 1000, seed: int = 0) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal(n)


def orthogonal(to: np.ndarray, seed: int = 1) -> np.ndarray:
    """Noise of the same energy with no component along a signal."""
    n = noise(len(to), seed)
    n -= np.dot(n, to) / np.dot(to, to) * to
    return n * sqrt(np.dot(to, to) / np.dot(n, n))


class TestSnr:
    @quick
    @given(gains)
    def test_of_a_gain(self, gain):
        assume(abs(1 - gain) > 1e-6)
        y = noise()
        assert SNR(y, gain * y, RATE) == pytest.approx(-20 * log10(abs(1 - gain)), abs=1e-8)

    @quick
    @given(st.floats(-60, 250), st.integers(0, 9))
    def test_of_a_known_noise_level(self, level, seed):
        y, n = noise(seed=seed), noise(seed=seed + 100)
        n *= sqrt(np.dot(y, y) / np.dot(n, n)) * 10 ** (-level / 20)
        assert SNR(y, y + n, RATE) == pytest.approx(level, abs=1e-9 if level < 120 else 0.2)

    def test_by_hand(self):
        y, x = np.array([3.0, 4.0]), np.array([3.0, 3.5])
        assert SNR(y, x, RATE) == pytest.approx(20.0, abs=1e-12)  # 25 / 0.25
        assert SNR(x, y, RATE) == pytest.approx(10 * log10(21.25 / 0.25), abs=1e-12)

    def test_has_no_floor(self):
        """1e-6 in the noise power, as in the code of 2017, would cap this near 40 dB."""
        y = noise()
        assert SNR(y, y + 1e-8 * orthogonal(y), RATE) == pytest.approx(160, abs=1e-3)

    def test_keeps_the_mean(self):
        y = noise() + 1.0
        assert SNR(y, y + 0.1, RATE) == pytest.approx(10 * log10(np.mean(y**2) / 0.01), abs=1e-9)

    def test_of_a_sample_of_delay(self):
        """White noise against itself one sample late: the error has twice the power."""
        y = noise(100_000)
        assert SNR(y, np.roll(y, 1), RATE) == pytest.approx(-10 * log10(2), abs=0.1)

    def test_of_silence_as_the_estimate(self):
        assert SNR(noise(), np.zeros(1000), RATE) == pytest.approx(0.0, abs=1e-12)

    @pytest.mark.parametrize("scale", [1e-100, 1e-8, 1e30])
    def test_does_not_depend_on_the_common_level(self, scale):
        y, x = noise(), noise() + noise(seed=1)
        assert SNR(scale * y, scale * x, RATE) == pytest.approx(SNR(y, x, RATE), abs=1e-9)


class TestSiSdr:
    @quick
    @given(gains, st.floats(0.01, 10), st.integers(0, 9))
    def test_does_not_depend_on_the_gain_or_its_sign(self, gain, share, seed):
        assume(abs(gain) > 1e-3)
        y = noise(seed=seed)
        x = y + share * orthogonal(y, seed + 50)
        wanted = -20 * log10(share)
        assert SI_SDR(y, gain * x, RATE) == pytest.approx(wanted, abs=1e-8)
        assert SI_SDR(gain * y, x, RATE) == pytest.approx(wanted, abs=1e-8)

    @quick
    @given(st.integers(0, 99), st.floats(-1, 1))
    def test_is_a_function_of_the_cosine(self, seed, offset):
        """10 log10(c² / (1 - c²)) with the cosine c between the signals as they are, means included."""
        y, x = noise(seed=seed) + offset, noise(seed=seed + 100) + 0.3
        cosine = np.dot(x, y) / sqrt(np.dot(x, x) * np.dot(y, y))
        assert SI_SDR(y, x, RATE) == pytest.approx(10 * log10(cosine**2 / (1 - cosine**2)), abs=1e-6)

    def test_by_hand(self):
        assert SI_SDR(np.array([1.0, 0.0]), np.array([0.5, 0.05]), RATE) == pytest.approx(20.0, abs=1e-12)

    @pytest.mark.parametrize("scale", [1e-200, 1e-100, 1e30])
    def test_of_very_quiet_and_loud_signals(self, scale):
        y = noise()
        x = y + 0.1 * orthogonal(y)
        assert SI_SDR(scale * y, scale * x, RATE) == pytest.approx(20.0, abs=1e-6)

    @pytest.mark.parametrize("gain", [1.0, -1.0, 0.5, -2.0])
    def test_of_a_scaled_copy(self, gain):
        y = noise()
        assert SI_SDR(y, gain * y, RATE) == inf

    @quick
    @given(gains)
    def test_of_any_gain_is_beyond_250_db(self, gain):
        assume(abs(gain) > 1e-3)
        assert SI_SDR(noise(), gain * noise(), RATE) > 250

    def test_of_an_orthogonal_estimate(self):
        assert SI_SDR(np.array([1.0, 0.0]), np.array([0.0, 1.0]), RATE) == -inf

    def test_of_silence_as_the_estimate(self):
        with pytest.raises(UndefinedMetric, match="the estimate is silent: SI-SDR is undefined"):
            SI_SDR(noise(), np.zeros(1000), RATE)


class TestMse:
    def test_by_hand(self):
        assert MSE(np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 2.5, 3.0, 3.0]), RATE) == pytest.approx(1.25 / 4)

    @quick
    @given(gains)
    def test_of_a_gain(self, gain):
        y = noise()
        assert MSE(y, gain * y, RATE) == pytest.approx((1 - gain) ** 2 * np.mean(y**2), rel=1e-9, abs=1e-30)

    def test_is_defined_for_a_silent_reference(self):
        assert MSE(np.zeros(10), np.full(10, 0.5), RATE) == 0.25

    def test_does_not_depend_on_the_length(self):
        y, x = noise(), noise(seed=1)
        assert MSE(np.tile(y, 3), np.tile(x, 3), RATE) == pytest.approx(MSE(y, x, RATE), rel=1e-12)

    @quick
    @given(st.integers(0, 99))
    def test_times_snr_is_the_power_of_the_reference(self, seed):
        y, x = noise(seed=seed), noise(seed=seed + 100)
        assert MSE(y, x, RATE) * 10 ** (SNR(y, x, RATE) / 10) == pytest.approx(np.mean(y**2), rel=1e-9)


def test_of_a_perfect_estimate():
    y = noise()
    assert SNR(y, y.copy(), RATE) == inf
    assert SI_SDR(y, y.copy(), RATE) == inf
    assert MSE(y, y.copy(), RATE) == 0.0


@pytest.mark.parametrize(("metric", "title"), [(SNR, "SNR"), (SI_SDR, "SI-SDR")], ids=["snr", "si_sdr"])
@pytest.mark.parametrize("estimate", [np.zeros(10), np.ones(10)], ids=["silence", "sound"])
def test_of_a_silent_reference(metric, title, estimate):
    with pytest.raises(UndefinedMetric, match=f"the reference is silent: {title} is undefined"):
        metric(np.zeros(10), estimate, RATE)


def test_of_one_sample():
    one, half = np.array([1.0]), np.array([0.5])
    assert SNR(one, half, RATE) == pytest.approx(20 * log10(2))
    assert SI_SDR(one, half, RATE) == inf
    assert MSE(one, half, RATE) == 0.25
