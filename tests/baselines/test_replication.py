"""Spectral band replication: the contract, a low band kept as it is, and a high band that follows it."""

from __future__ import annotations

from fractions import Fraction
from math import pi

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kit import noise
from srbench_baselines.replication import replicate

from srbench import audio
from srbench.corpora import demo_corpus
from srbench.degradation import Sinc, degrade, whole_length
from srbench.metrics import METRICS

RATES = [
    (8000, 16000),
    (4000, 16000),
    (2000, 16000),
    (Fraction(8000, 3), 16000),
    (8000, 48000),
    (4000, 44100),
    (8000, 44100),
    (24000, 44100),
]
quick = settings(max_examples=80, deadline=None, derandomize=True)
by_rates = pytest.mark.parametrize("rates", RATES, ids=lambda rates: f"{float(rates[0]):.0f}-{rates[1]}")


def bands(samples: np.ndarray, rates) -> tuple[float, float, float]:
    """Energy below 0.85 of the cutoff, between it and 1.05, and above, of the middle of a signal."""
    middle = samples[len(samples) // 8 : -len(samples) // 8]
    power = np.abs(np.fft.rfft(middle * np.hanning(len(middle)))) ** 2
    position = np.fft.rfftfreq(len(middle), 1 / rates[1]) / (float(rates[0]) / 2)
    return (
        power[position < 0.85].sum(),
        power[(position >= 0.85) & (position < 1.05)].sum(),
        power[position >= 1.05].sum(),
    )


class TestContract:
    @quick
    @given(st.integers(1, 1200), st.sampled_from(RATES))
    def test_length_type_and_finiteness(self, n, rates):
        made = replicate(noise(n), *rates)
        assert made.shape == (int(Fraction(n) * rates[1] / Fraction(rates[0])),)
        assert made.dtype == np.float64
        assert np.isfinite(made).all()

    @by_rates
    def test_around_the_length_of_a_frame(self, rates):
        around = round(1024 * rates[0] / rates[1])
        for n in range(around - 3, around + 4):
            assert len(replicate(noise(n), *rates)) == n * rates[1] // rates[0]

    @pytest.mark.parametrize("rates", [(100, 16000), (400, 48000)])
    def test_a_very_low_rate(self, rates):
        """No band to copy from is left."""
        assert len(replicate(noise(50), *rates)) == 50 * rates[1] // rates[0]

    def test_repeats_and_leaves_the_input_alone(self):
        low = noise(2000)
        low.setflags(write=False)
        np.testing.assert_array_equal(replicate.target(low, 4000, 16000), replicate.target(low, 4000, 16000))
        np.testing.assert_array_equal(low, noise(2000))

    def test_silence(self):
        made = replicate(np.zeros(2000), 4000, 16000)
        assert np.abs(made).max() < 1e-9

    @pytest.mark.parametrize("gain", [-1.0, 4.0])
    def test_follows_the_level(self, gain):
        low = noise(2000)
        np.testing.assert_allclose(replicate(gain * low, 4000, 16000), gain * replicate(low, 4000, 16000), atol=1e-4)


class TestBands:
    @by_rates
    def test_has_energy_above_the_cutoff(self, rates):
        _, _, above = bands(replicate(noise(4000), *rates), rates)
        low, _, without = bands(audio.resample(noise(4000), *rates), rates)
        assert without < 1e-8 * low
        assert above > 1e-3 * low

    @by_rates
    def test_never_rises_above_the_band_it_is_copied_from(self, rates):
        """White below, it falls by 6 dB an octave and more above."""
        made = replicate(noise(4000), *rates)
        width = bands(made, rates)
        octave_share = rates[1] / float(rates[0]) - 1.05
        assert width[2] / octave_share < 0.5 * width[0] / 0.85

    @by_rates
    def test_keeps_the_low_band(self, rates):
        """What is below 0.85 of the cutoff is the resampled input, to 40 dB and more."""
        made, plain = replicate(noise(4000), *rates), audio.resample(noise(4000), *rates)[: 4000 * rates[1] // rates[0]]
        low, _, _ = bands(plain, rates)
        difference, _, _ = bands(made - plain, rates)
        assert difference < 1e-4 * low

    @by_rates
    def test_alignment(self, rates):
        """A low sine stays where it is."""
        omega = 2 * pi * 0.05
        made = replicate(np.sin(omega * np.arange(3000)), *rates)
        k = np.arange(len(made)) * float(Fraction(rates[0]) / rates[1])
        basis = np.stack([np.sin(omega * k), np.cos(omega * k)], axis=1)[len(made) // 4 : 3 * len(made) // 4]
        (along, across), *_ = np.linalg.lstsq(basis, made[len(made) // 4 : 3 * len(made) // 4], rcond=None)
        assert along == pytest.approx(1, abs=0.01)
        assert across == pytest.approx(0, abs=1e-3)

    def test_frames_are_handled_one_by_one(self):
        """The high band is silent where the low band is, and not where it is not."""
        low = noise(8000)
        low[:4000] = 0
        made = replicate(low, 4000, 16000)
        quiet, loud = bands(made[:15000], (4000, 16000))[2], bands(made[17000:], (4000, 16000))[2]
        assert quiet < 1e-9 * loud


def test_beats_the_empty_band_in_lsd_on_speech():
    samples, rate = audio.read(demo_corpus().utterances[3].path)
    reference = audio.resample(samples, rate, 16000)
    reference = reference[: whole_length(len(reference), 16000, 4000)]
    low = degrade(reference, 16000, 4000, Sinc())
    empty = audio.resample(low, 4000, 16000)
    assert METRICS["lsd"](reference, replicate(low, 4000, 16000), 16000) < METRICS["lsd"](reference, empty, 16000) - 0.3
