"""The laws of every metric, on noise of a drawn length, level and tilt and on real speech.

The tests of the metrics themselves draw the parameters of a law; here the signals are what varies.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import inf, log, log10, pi, sqrt
from typing import Any

import numpy as np
import pytest
from drawn import RATE, UTTERANCES, Array, filtered, needs_vctk, noise_at, signals, speech
from hypothesis import given, settings
from hypothesis import strategies as st

from srbench.audit.signals import voice
from srbench.metrics import METRICS

CUTOFF = 2000.0
LSDS = [name for name in METRICS if name.startswith("lsd")]
CLOSE = {"abs": 1e-8}  # of a level in dB
on_speech = pytest.mark.parametrize("index", range(UTTERANCES))
GAINS = (0.5, 0.9, 3.0, -1.0, 0.013)


def of(name: str, y: Array, x: Array) -> float:
    return METRICS[name](y, x, RATE, CUTOFF)


def energy(signal: Array) -> float:
    return float(np.sum(signal**2))


def orthogonal(y: Array, db: float, seed: int) -> Array:
    """Return noise with no component along the signal, its energy ``db`` below."""
    noise = noise_at(y, 0, seed)
    noise = noise - y * (noise @ y) / (y @ y)
    return noise * sqrt(energy(y) / energy(noise)) * 10 ** (-db / 20)


def split(y: Array, edge: float) -> tuple[Array, float, float]:
    """Return the signal below an edge, and by Parseval's theorem the energies below and above it."""
    power = np.abs(np.fft.rfft(y)) ** 2 / len(y)
    power[1 : (len(y) + 1) // 2] *= 2
    above = np.fft.rfftfreq(len(y), 1 / RATE) > edge
    return filtered(y, edge), float(power[~above].sum()), float(power[above].sum())


# -- SNR, SI-SDR, MSE: a law takes a signal and a seed -----------------------------------------------------------------


def snr_of_known_noise(y: Array, seed: int) -> None:
    for db in (-30.0, -9.7, 0.0, 20.3, 34.6, 90.0):
        assert of("snr", y, y + noise_at(y, db, seed)) == pytest.approx(db, abs=1e-6)


def snr_of_a_gain(y: Array, seed: int) -> None:
    for gain in GAINS:
        assert of("snr", y, gain * y) == pytest.approx(-20 * log10(abs(1 - gain)), **CLOSE)


def snr_of_zeros(y: Array, seed: int) -> None:
    assert of("snr", y, np.zeros(len(y))) == pytest.approx(0.0, **CLOSE)


def snr_keeps_the_mean(y: Array, seed: int) -> None:
    y = y - y.mean()
    for db in (40, 0):
        assert of("snr", y, y + sqrt(np.mean(y**2)) * 10 ** (-db / 20)) == pytest.approx(db, **CLOSE)
        assert of("si_sdr", y, y + sqrt(np.mean(y**2)) * 10 ** (-db / 20)) == pytest.approx(db, **CLOSE)


def si_sdr_of_orthogonal_noise(y: Array, seed: int) -> None:
    for db in (-30.0, -9.7, 0.0, 20.3, 34.6, 90.0):
        assert of("si_sdr", y, 0.3 * (y + orthogonal(y, db, seed))) == pytest.approx(db, abs=1e-6)


def si_sdr_does_not_depend_on_either_level(y: Array, seed: int) -> None:
    x = y + noise_at(y, 12, seed)
    plain = of("si_sdr", y, x)
    for gain in (0.05, 8.0, -1.0):
        assert of("si_sdr", y, gain * x) == pytest.approx(plain, **CLOSE)
        assert of("si_sdr", gain * y, x) == pytest.approx(plain, **CLOSE)


def si_sdr_projects_on_the_reference(y: Array, seed: int) -> None:
    """The SNR against the reference at the gain that fits best."""
    x = 0.4 * y + noise_at(y, 3, seed)
    gain = float(x @ y / (y @ y))
    assert of("si_sdr", y, x) == pytest.approx(of("snr", gain * y, x), **CLOSE)


def low_pass_by_parseval(y: Array, seed: int) -> None:
    """What is taken away is the noise; SI-SDR compares it with what is left, SNR with the whole."""
    for edge in (1000.0, 3000.0, 6000.0):
        x, below, above = split(y, edge)
        assert of("snr", y, x) == pytest.approx(10 * log10((below + above) / above), abs=1e-6)
        assert of("si_sdr", y, x) == pytest.approx(10 * log10(below / above), abs=1e-6)
        assert of("mse", y, x) == pytest.approx(above / len(y), rel=1e-6)


def mse_of_known_noise(y: Array, seed: int) -> None:
    for db in (40, 0):
        assert of("mse", y, y + noise_at(y, db, seed)) == pytest.approx(np.mean(y**2) * 10 ** (-db / 10), rel=1e-8)


def mse_of_an_offset(y: Array, seed: int) -> None:
    assert of("mse", y, y + 0.05) == pytest.approx(0.0025, rel=1e-8)
    assert of("mse", y, np.zeros(len(y))) == pytest.approx(np.mean(y**2), rel=1e-12)


def mse_has_the_unit_of_a_square(y: Array, seed: int) -> None:
    x = y + noise_at(y, 12, seed)
    for gain in (3.0, -0.01):
        assert of("mse", gain * y, gain * x) == pytest.approx(gain**2 * of("mse", y, x), rel=1e-9)


def mse_is_a_mean(y: Array, seed: int) -> None:
    x = y + noise_at(y, 12, seed)
    twice = np.concatenate([y, y]), np.concatenate([x, y])
    assert of("mse", *twice) == pytest.approx(of("mse", y, x) / 2, rel=1e-9)


def symmetry(y: Array, seed: int) -> None:
    x = 1.7 * y + noise_at(y, 6, seed)
    for name in ("mse", "si_sdr"):
        assert of(name, x, y) == pytest.approx(of(name, y, x), rel=1e-9, abs=1e-8)
    difference = 10 * log10(energy(y) / energy(x))
    assert of("snr", y, x) - of("snr", x, y) == pytest.approx(difference, **CLOSE)


def identity(y: Array, seed: int) -> None:
    assert of("snr", y, y.copy()) == of("si_sdr", y, y.copy()) == inf
    assert of("mse", y, y.copy()) == 0


def same_scale_sign_and_order_of_both(y: Array, seed: int) -> None:
    x = y + noise_at(y, 12, seed) + 0.1 * np.abs(y)
    order = np.random.default_rng(seed).permutation(len(y))
    same = [(-y, -x), (y[order], x[order]), (y[::-1], x[::-1])]
    scaled = [(0.001 * y, 0.001 * x), (50 * y, 50 * x)]
    for name, pairs in (("snr", same + scaled), ("si_sdr", same + scaled), ("mse", same)):
        plain = of(name, y, x)
        for pair in pairs:
            assert of(name, *pair) == pytest.approx(plain, rel=1e-9, abs=1e-8 if name != "mse" else 0)


def more_noise_is_worse_by_even_steps(y: Array, seed: int) -> None:
    levels = (120.0, 70.0, 35.0, 10.0, 0.0, -10.0, -30.0)
    noise = orthogonal(y, 0, seed)
    values = {name: [of(name, y, y + noise * 10 ** (-db / 20)) for db in levels] for name in ("snr", "si_sdr", "mse")}
    assert values["snr"] == pytest.approx(levels, abs=1e-5)
    assert values["si_sdr"] == pytest.approx(levels, abs=1e-5)
    assert all(a < b for a, b in pairwise(values["mse"]))


def every_sample_counts(y: Array, seed: int) -> None:
    for at in (0, len(y) // 2, -1):
        x = y.copy()
        x[at] += 2.0
        assert of("mse", y, x) == pytest.approx(4 / len(y), rel=1e-9)
        assert of("snr", y, x) == pytest.approx(10 * log10(energy(y) / 4), **CLOSE)


WAVEFORM: list[Callable[[Array, int], None]] = [
    snr_of_known_noise,
    snr_of_a_gain,
    snr_of_zeros,
    snr_keeps_the_mean,
    si_sdr_of_orthogonal_noise,
    si_sdr_does_not_depend_on_either_level,
    si_sdr_projects_on_the_reference,
    low_pass_by_parseval,
    mse_of_known_noise,
    mse_of_an_offset,
    mse_has_the_unit_of_a_square,
    mse_is_a_mean,
    symmetry,
    identity,
    same_scale_sign_and_order_of_both,
    more_noise_is_worse_by_even_steps,
    every_sample_counts,
]


@pytest.mark.parametrize("law", WAVEFORM, ids=lambda law: law.__name__)
class TestWaveform:
    @settings(max_examples=20)
    @given(signals(200, 8000), st.integers(0, 10**6))
    def test_drawn(self, law, y, seed):
        law(y, seed)

    @needs_vctk
    @on_speech
    def test_speech(self, law, index):
        law(speech(index), index)


# -- LSD: a law takes the metric, a signal whose every bin lies far above the floors, and a seed -----------------------


def definition(name: str) -> Any:
    return METRICS[name].define(RATE, CUTOFF)


def worth(name: str) -> float:
    """Return what a factor of 10 in power is worth."""
    declared = definition(name)
    return (1.0 if declared.log == "10" else log(10)) * (1.0 if declared.of == "power" else 0.5)


def by_frames(name: str, share: float, in_time: bool) -> float:
    """Return what a share of the time or of the band is worth: the root of it along the axis of the root."""
    return sqrt(share) if in_time == (definition(name).pool == "rms_t.mean_f") else share


def above_the_floors(signal: Array, seed: int) -> Array:
    """Return the signal at an RMS of 10, noise of its own added 30 dB below: no bin is near 1e-8."""
    signal = 10 * signal / np.sqrt(np.mean(signal**2))
    return signal + noise_at(signal, 30, seed + 1)


def lsd_identity(name: str, y: Array, seed: int) -> None:
    assert of(name, y, y.copy()) == pytest.approx(sqrt(definition(name).eps), abs=1e-6)


def lsd_of_a_gain(name: str, y: Array, seed: int) -> None:
    for gain in (2.0, 0.5, -8.0):
        assert of(name, y, gain * y) == pytest.approx(worth(name) * 2 * abs(log10(abs(gain))), rel=1e-4)


def lsd_of_a_gain_on_a_part_of_the_time(name: str, y: Array, seed: int) -> None:
    for share in (1 / 2, 1 / 8):
        x = y.copy()
        x[round(len(y) * (1 - share)) :] *= 4
        assert of(name, y, x) / of(name, y, 4 * y) == pytest.approx(by_frames(name, share, True), abs=0.04)


def lsd_of_a_gain_on_a_part_of_the_band(name: str, y: Array, seed: int) -> None:
    declared = definition(name)
    first, last = declared.bins()
    for edge in (4000.0, 7000.0, 1000.0):
        touched = last - max(first, min(last, edge / RATE * declared.n_fft))
        share = by_frames(name, touched / (last - first), False)
        assert of(name, y, filtered(y, edge, 0.25)) / of(name, y, 0.25 * y) == pytest.approx(share, abs=0.04)


def lsd_symmetry(name: str, y: Array, seed: int) -> None:
    x = filtered(y, 3000.0, 0.1) + noise_at(y, 10, seed)
    assert of(name, x, y) == pytest.approx(of(name, y, x), rel=1e-5)


def lsd_does_not_depend_on_signs_or_the_common_level(name: str, y: Array, seed: int) -> None:
    x = filtered(y, 3000.0, 0.1) + noise_at(y, 10, seed)
    plain = of(name, y, x)
    for a, b in ((1, -1), (-1, 1), (-1, -1)):
        assert of(name, a * y, b * x) == pytest.approx(plain, rel=1e-12)
    for gain in (0.2, 6.0):
        assert of(name, gain * y, gain * x) == pytest.approx(plain, rel=1e-5)


def lsd_is_a_mean(name: str, y: Array, seed: int) -> None:
    """The same again, and the same mirrored, cost the same: but for the frames that lie across."""

    def poor(signal: Array) -> Array:
        return filtered(filtered(signal, 1000.0, 0.3), 4000.0, 0.3)

    plain = of(name, y, poor(y))
    for again in (y[::-1], y):
        longer = np.concatenate([y, again, y, again])
        assert of(name, longer, poor(longer)) == pytest.approx(plain, rel=0.05)


def lsd_of_independent_noises(name: str, y: Array, seed: int) -> None:
    """Two noises with the signal's own spectrum: the logarithm of exponential powers has the variance pi² / 6."""
    n = 60_000
    shape = np.abs(np.fft.rfft(y))
    shape = np.interp(np.linspace(0, 1, n // 2 + 1), np.linspace(0, 1, len(shape)), shape)
    drawn = np.random.default_rng(seed).standard_normal((2, n))
    r, e = (np.fft.irfft(np.fft.rfft(noise) * shape, n=n) for noise in drawn)
    scale = 10 / np.sqrt(np.mean(r**2))
    assert of(name, scale * r, scale * e) == pytest.approx(worth(name) / log(10) * sqrt(pi**2 / 3), rel=0.05)


def lsd_of_a_narrower_estimate(name: str, y: Array, seed: int) -> None:
    edges = (1800.0, 1300.0, 800.0, 400.0) if name == "lsd_lf" else (7000.0, 6000.0, 4500.0, 3000.0, 2200.0)
    values = [of(name, y, filtered(y, edge, 0.05)) for edge in edges]
    assert all(1.02 * a < b for a, b in pairwise(values)), values


def lsd_of_silence(name: str, y: Array, seed: int) -> None:
    """Finite, and worse than a hundredth of everything; the cap, where there is one, is what it costs."""
    silent = of(name, y, np.zeros(len(y)))
    assert silent == definition(name).clip or inf > silent > of(name, y, 0.01 * y)


def lsd_of_large_errors(name: str, y: Array, seed: int) -> None:
    """A gain of 80 dB costs twice one of 40 dB, up to the cap."""
    cap = definition(name).clip or inf
    small, large = of(name, y, 1e2 * y), of(name, y, 1e4 * y)
    assert large == pytest.approx(min(2 * small, cap), rel=1e-3)


SPECTRUM: list[Callable[[str, Array, int], None]] = [
    lsd_identity,
    lsd_of_a_gain,
    lsd_of_a_gain_on_a_part_of_the_time,
    lsd_of_a_gain_on_a_part_of_the_band,
    lsd_symmetry,
    lsd_does_not_depend_on_signs_or_the_common_level,
    lsd_is_a_mean,
    lsd_of_independent_noises,
    lsd_of_a_narrower_estimate,
    lsd_of_silence,
    lsd_of_large_errors,
]


@pytest.mark.parametrize("name", LSDS)
@pytest.mark.parametrize("law", SPECTRUM, ids=lambda law: law.__name__)
class TestSpectrum:
    @settings(max_examples=3)
    @given(signals(30_000, 50_000), st.integers(0, 10**6))
    def test_drawn(self, law, name, y, seed):
        law(name, above_the_floors(y, seed), seed)

    @needs_vctk
    @on_speech
    def test_speech(self, law, name, index):
        law(name, above_the_floors(speech(index), index), index)


@needs_vctk
@on_speech
@pytest.mark.parametrize("name", [name for name in LSDS if name != "lsd_nvsr"])
class TestSpectrumAtItsOwnLevel:
    """Laws that hold on a recording as it is, digital silence and floors and all."""

    def test_identity_symmetry_and_sign(self, name, index):
        y = speech(index)
        x = filtered(y, 3000.0) + noise_at(y, 50)
        assert of(name, y, y.copy()) == pytest.approx(sqrt(definition(name).eps), abs=1e-12)
        assert of(name, y, x) == pytest.approx(of(name, x, y), rel=1e-9)
        assert of(name, y, x) == pytest.approx(of(name, -y, x), rel=1e-9)

    def test_narrower_is_worse(self, name, index):
        lsd_of_a_narrower_estimate(name, speech(index), index)

    def test_a_gain_costs_no_more_than_its_logarithm(self, name, index):
        """The floors take away, and never add."""
        for gain in (0.25, 3.0):
            assert 0 < of(name, speech(index), gain * speech(index)) <= worth(name) * 2 * abs(log10(gain)) + 1e-8


# -- PESQ and STOI: a law takes the metric, speech or what resembles it, and a seed ------------------------------------

TOP = {"pesq": 4.644, "pesq_nb": 4.549, "stoi": 1.0, "estoi": 1.0}


def perceptual_bounds(name: str, y: Array, seed: int) -> None:
    low, _ = METRICS[name].range
    for x in (noise_at(y, 0, seed), y + noise_at(y, -20, seed), -y, filtered(y, 500.0), np.roll(y, 200)):
        assert low <= of(name, y, x) <= TOP[name] + 1e-3


def perceptual_identity(name: str, y: Array, seed: int) -> None:
    assert of(name, y, y.copy()) == pytest.approx(TOP[name], abs=1e-3)


def perceptual_noise(name: str, y: Array, seed: int) -> None:
    values = [of(name, y, y + noise_at(y, db, seed)) for db in (35, 20, 5)]
    assert TOP[name] > values[0] > values[1] > values[2]


def perceptual_levels(name: str, y: Array, seed: int) -> None:
    """STOI takes the level out of each segment; PESQ sets both levels, in single precision and with filters."""
    x = y + noise_at(y, 12, seed)
    plain, slack = of(name, y, x), 0.02 if name.startswith("pesq") else 1e-6
    for a, b in ((0.2, 0.2), (1.0, 0.3), (0.5, 1.0)):
        assert of(name, a * y, b * x) == pytest.approx(plain, abs=slack)


def perceptual_bandwidth(name: str, y: Array, seed: int) -> None:
    values = [of(name, y, filtered(y, edge)) for edge in (2500.0, 1200.0, 500.0)]
    assert TOP[name] >= values[0] > values[1] > values[2]


PERCEPTUAL: list[Callable[[str, Array, int], None]] = [
    perceptual_bounds,
    perceptual_identity,
    perceptual_noise,
    perceptual_levels,
    perceptual_bandwidth,
]


@pytest.mark.parametrize("name", TOP)
@pytest.mark.parametrize("law", PERCEPTUAL, ids=lambda law: law.__name__)
class TestPerceptual:
    @settings(max_examples=2)
    @given(st.integers(0, 10**6), st.floats(0.1, 1.5))
    def test_drawn(self, law, name, seed, level):
        law(name, level * voice(2 * RATE, RATE, seed), seed)

    @needs_vctk
    @on_speech
    def test_speech(self, law, name, index):
        law(name, speech(index), index)
