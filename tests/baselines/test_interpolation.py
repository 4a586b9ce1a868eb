"""The interpolating baselines: the contract, their definitions, and no delay."""

from __future__ import annotations

from fractions import Fraction
from math import pi

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kit import noise
from scipy.interpolate import splev, splrep
from srbench_baselines.interpolation import hold, linear, sinc, spline

from srbench import audio
from srbench.corpora import demo_corpus
from srbench.degradation import Iir, degrade, whole_length

ALL = [hold, linear, spline, sinc]
RATES = [
    (8000, 16000),
    (4000, 16000),
    (2000, 16000),
    (Fraction(8000, 3), 16000),
    (16000, 48000),
    (4000, 44100),
    (8000, 44100),
    (24000, 44100),
]
quick = settings(max_examples=60, deadline=None, derandomize=True)
by_upscaler = pytest.mark.parametrize("upscaler", ALL, ids=lambda upscaler: upscaler.name)
by_rates = pytest.mark.parametrize("rates", RATES, ids=lambda rates: f"{float(rates[0]):.0f}-{rates[1]}")


def times(n: int, rates) -> list[Fraction]:
    """Times of the high-resolution samples in low-resolution samples, exactly."""
    return [Fraction(k) * Fraction(rates[0]) / rates[1] for k in range(n * rates[1] // rates[0])]


class TestContract:
    """Called through the wrapper, which checks shape, type and finiteness and names what is wrong."""

    @by_upscaler
    @quick
    @given(st.integers(1, 300), st.sampled_from(RATES))
    def test_length_type_and_finiteness(self, upscaler, n, rates):
        made = upscaler(noise(n), *rates)
        assert made.shape == (int(Fraction(n) * rates[1] / Fraction(rates[0])),)
        assert made.dtype == np.float64
        assert np.isfinite(made).all()

    @by_upscaler
    @by_rates
    def test_every_small_length(self, upscaler, rates):
        for n in range(1, 60):
            assert len(upscaler(noise(n), *rates)) == n * rates[1] // rates[0]

    @by_upscaler
    def test_repeats_and_leaves_the_input_alone(self, upscaler):
        low = noise(500)
        low.setflags(write=False)
        np.testing.assert_array_equal(upscaler.target(low, 4000, 16000), upscaler.target(low, 4000, 16000))
        np.testing.assert_array_equal(low, noise(500))

    @by_upscaler
    def test_silence_and_constants(self, upscaler):
        for level in (0.0, 0.5):
            made = upscaler(np.full(4000, level), 4000, 16000)
            np.testing.assert_allclose(made[2000:-2000], level, rtol=0, atol=1e-6)

    @by_upscaler
    @pytest.mark.parametrize("rates", RATES[:6], ids=str)
    def test_linear_in_its_input(self, upscaler, rates):
        a, b = noise(400), noise(400, 1)
        mixed = upscaler(2 * a - 3 * b, *rates)
        np.testing.assert_allclose(mixed, 2 * upscaler(a, *rates) - 3 * upscaler(b, *rates), rtol=0, atol=1e-6)

    @by_upscaler
    def test_has_a_description(self, upscaler):
        assert upscaler.description.endswith(".") or upscaler.description
        assert upscaler.rates is None


class TestAlignment:
    @pytest.mark.parametrize("upscaler", [linear, spline, sinc], ids=lambda upscaler: upscaler.name)
    @by_rates
    def test_a_low_sine_comes_back_in_phase(self, upscaler, rates):
        omega = 2 * pi * 0.02  # per low-resolution sample: 0.04 of the cutoff
        n = 1200
        made = upscaler(np.sin(omega * np.arange(n)), *rates)
        wanted = np.sin(omega * float(rates[0] / Fraction(rates[1])) * np.arange(len(made)))
        middle = slice(len(made) // 4, 3 * len(made) // 4)
        np.testing.assert_allclose(made[middle], wanted[middle], rtol=0, atol=3e-3)
        assert np.dot(made[middle], wanted[middle]) / np.dot(wanted[middle], wanted[middle]) == pytest.approx(
            1, abs=3e-3
        )

    @by_upscaler
    def test_degraded_speech_is_best_matched_without_a_shift(self, upscaler):
        samples, rate = audio.read(demo_corpus().utterances[2].path)
        reference = audio.resample(samples, rate, 16000)
        reference = reference[: whole_length(len(reference), 16000, 4000)]
        estimate = upscaler(degrade(reference, 16000, 4000, Iir()), 4000, 16000)
        lags = range(-8, 9)
        match = [np.dot(reference[100:-100], np.roll(estimate, -lag)[100:-100]) for lag in lags]
        best = lags[int(np.argmax(match))]
        assert best == 0 if upscaler is not hold else 0 <= best <= 2  # hold is late by (r - 1) / 2


class TestHold:
    @by_rates
    def test_is_the_sample_before(self, rates):
        low = noise(450)
        wanted = [low[t.numerator // t.denominator] for t in times(450, rates)]
        np.testing.assert_array_equal(hold(low, *rates), wanted)

    def test_by_hand(self):
        np.testing.assert_array_equal(hold(np.array([1.0, 2.0]), 8000, 24000), [1, 1, 1, 2, 2, 2])

    def test_a_long_signal_of_a_rate_that_is_not_whole(self):
        low = np.arange(200_000, dtype=np.float64)
        np.testing.assert_array_equal(hold(low, Fraction(8000, 3), 16000), np.repeat(low, 6))

    def test_is_exact_where_a_time_in_floats_falls_short(self):
        """49 times 1/49 is below 1 in floating point."""
        assert 49 * (1 / 49) < 1
        np.testing.assert_array_equal(hold(np.arange(200.0), 1000, 49000), np.repeat(np.arange(200.0), 49))


class TestLinear:
    @by_rates
    def test_is_the_straight_line(self, rates):
        low = noise(450)
        padded = np.append(low, low[-1])
        wanted = []
        for t in times(450, rates):
            k = t.numerator // t.denominator
            wanted.append(padded[k] + float(t - k) * (padded[k + 1] - padded[k]))
        np.testing.assert_allclose(linear(low, *rates), wanted, rtol=0, atol=1e-12)

    def test_by_hand(self):
        np.testing.assert_allclose(linear(np.array([1.0, 3.0]), 8000, 32000), [1, 1.5, 2, 2.5, 3, 3, 3, 3], rtol=1e-15)


@pytest.mark.parametrize("upscaler", [hold, linear, spline], ids=lambda upscaler: upscaler.name)
@by_rates
def test_goes_through_the_low_resolution_samples(upscaler, rates):
    low = noise(450)
    made = upscaler(low, *rates)
    at = [(index, int(t)) for index, t in enumerate(times(450, rates)) if t.denominator == 1]
    assert len(at) > 1
    tolerance = 1e-12 if upscaler is spline else 1e-14
    np.testing.assert_allclose(made[[i for i, _ in at]], low[[k for _, k in at]], rtol=0, atol=tolerance)


class TestSpline:
    @by_rates
    @pytest.mark.parametrize("n", [4, 5, 10, 450])
    def test_is_splrep_and_splev(self, rates, n):
        low = noise(n)
        wanted = splev([float(t) for t in times(n, rates)], splrep(np.arange(n), low, s=0))
        np.testing.assert_allclose(spline(low, *rates), wanted, rtol=0, atol=1e-12 * max(1, np.abs(wanted).max()))

    def test_extrapolates_the_last_samples(self):
        k = np.arange(20)
        np.testing.assert_allclose(
            spline((0.1 * k) ** 3, 4000, 16000), (0.1 * np.arange(80) / 4) ** 3, rtol=0, atol=1e-10
        )

    @pytest.mark.parametrize("n", [1, 2, 3])
    def test_short_signals_take_the_degree_that_they_allow(self, n):
        k = np.arange(n, dtype=np.float64)
        made = spline(1.0 + k ** (n - 1), 4000, 16000)
        wanted = np.full(4, 2.0) if n == 1 else 1.0 + (np.arange(4 * n) / 4) ** (n - 1)
        np.testing.assert_allclose(made, wanted, rtol=0, atol=1e-12)


class TestSinc:
    @pytest.mark.parametrize("rates", RATES[:7], ids=str)
    def test_has_nothing_above_the_cutoff(self, rates):
        low = noise(4000) * np.hanning(4000)
        made = sinc(low, *rates)
        power = np.abs(np.fft.rfft(made * np.hanning(len(made)))) ** 2
        frequencies = np.fft.rfftfreq(len(made), 1 / rates[1])
        cutoff = float(rates[0]) / 2
        above, below = power[frequencies > 1.02 * cutoff].sum(), power[frequencies < cutoff].sum()
        assert above < 1e-8 * below

    def test_the_others_do_have(self):
        low = noise(4000) * np.hanning(4000)
        for upscaler in (hold, linear, spline):
            power = np.abs(np.fft.rfft(upscaler(low, 4000, 16000))) ** 2
            assert power[len(power) // 4 :].sum() > 1e-3 * power.sum()

    def test_is_the_one_resampler(self):
        np.testing.assert_array_equal(sinc(noise(1000), 8000, 48000), audio.resample(noise(1000), 8000, 48000))

    def test_keeps_the_low_band(self):
        low = audio.resample(noise(1600), 3200, 4000)
        back = audio.resample(sinc(low, 4000, 16000), 16000, 4000)
        np.testing.assert_allclose(back[100:-100], low[100:-100], rtol=0, atol=1e-5)
