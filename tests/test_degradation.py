"""The laws of a degradation, for every kind at every pair of rates, and independent references for each filter."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from math import ceil, cos, log10, pi, sin, sqrt, tan
from typing import NamedTuple

import numpy as np
import pytest
import scipy.signal
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from srbench.degradation import (
    KINDS,
    Brickwall,
    Degradation,
    Iir,
    Sinc,
    Subsample,
    degrade,
    from_table,
    whole_length,
)
from srbench.errors import SrbenchError

quick = settings(max_examples=25, deadline=None, derandomize=True)


class Case(NamedTuple):
    """A degradation and what is expected of it, in dB."""

    degradation: Degradation
    dc: float  # gain at 0 Hz
    ripple: float  # the gain at 0.3 of the cutoff lies within this of 0 dB
    stop: float  # a tone at 1.5 of the cutoff is lowered by at least this


# A zero-phase filter applies its gain twice: 0.05 dB of ripple give -0.1 dB at DC at even order, 60 dB of attenuation
# give 120. Stop-band figures are those of the analogue prototype: 1.5 / 0.8 = 1.875 times the cut-off frequency.
CASES = [
    Case(Iir(), dc=-0.1, ripple=0.1, stop=108),
    Case(Iir(order=5), dc=0, ripple=0.1, stop=58),
    Case(Iir(order=2, ripple_db=1.0), dc=-2, ripple=2, stop=10),
    Case(Iir(phase="causal"), dc=-0.05, ripple=0.05, stop=54),
    Case(Iir("butter", order=6), dc=0, ripple=0.01, stop=65),
    Case(Iir("butter", order=6, cut=1.0), dc=0, ripple=0.01, stop=42),
    Case(Iir("butter", order=4, phase="causal"), dc=0, ripple=0.01, stop=21),
    Case(Iir("ellip", order=6), dc=-0.2, ripple=0.2, stop=110),
    Case(Iir("ellip", order=5, ripple_db=0.5, attenuation_db=40.0), dc=0, ripple=1, stop=80),
    Case(Iir("bessel", order=8), dc=0, ripple=0.9, stop=24),
    Case(Iir("bessel", order=3), dc=0, ripple=0.9, stop=22),
    Case(Subsample(), dc=0, ripple=0, stop=0),
    Case(Brickwall(), dc=0, ripple=0.001, stop=120),
    Case(Brickwall(1024, 256), dc=0, ripple=0.001, stop=110),
    Case(Brickwall(2048, 441), dc=0, ripple=0.001, stop=110),
    Case(Sinc(), dc=0, ripple=0.001, stop=120),
    Case(Sinc("polyphase"), dc=0, ripple=0.02, stop=60),
    Case(Sinc("polyphase", width=20), dc=0, ripple=0.02, stop=60),
    Case(Sinc("hann"), dc=0.005, ripple=0.01, stop=50),
    Case(Sinc("hann", width=32, rolloff=0.95), dc=0, ripple=0.001, stop=100),
]
SCALES = [
    (16000, 8000),
    (16000, 4000),
    (16000, 2000),
    (16000, Fraction(16000, 6)),
    (48000, 24000),
    (48000, 16000),
    (48000, 8000),
    (44100, 4000),
    (44100, 8000),
]


def takes(degradation: Degradation, rates) -> bool:
    return not (isinstance(degradation, Subsample) and rates[0] % rates[1])


by_degradation = pytest.mark.parametrize("degradation", [case.degradation for case in CASES], ids=str)
by_case = pytest.mark.parametrize(
    ("case", "rates"),
    [
        pytest.param(case, rates, id=f"{case.degradation}-{rates[0]}-{float(rates[1]):.0f}")
        for case in CASES
        for rates in SCALES
        if takes(case.degradation, rates)
    ],
)


def noise(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(n)


def decibels(ratio: float) -> float:
    return 20 * log10(ratio)


def middle(n: int) -> slice:
    return slice(n // 4, 3 * n // 4)


def test_every_kind_has_a_case():
    assert {case.degradation.kind for case in CASES} == set(KINDS)


class TestLength:
    @by_degradation
    @quick
    @given(st.sampled_from(SCALES), st.integers(1100, 5000))
    def test_is_exact_or_refused(self, degradation, rates, n):
        high_rate, low_rate = rates
        if not takes(degradation, rates):
            return
        exact = Fraction(n) * Fraction(low_rate) / high_rate
        if exact.denominator == 1:
            assert degrade(noise(n), high_rate, low_rate, degradation).shape == (exact.numerator,)
        else:
            with pytest.raises(SrbenchError, match=f"^{n} samples are not a whole number of low-resolution samples"):
                degrade(noise(n), high_rate, low_rate, degradation)

    @quick
    @given(st.sampled_from(SCALES), st.integers(0, 10**6))
    def test_whole_length_is_the_greatest(self, rates, n):
        high_rate, low_rate = rates
        lengths = [m for m in range(n, max(-1, n - 500), -1) if (Fraction(m) * Fraction(low_rate, high_rate)) % 1 == 0]
        assert whole_length(n, high_rate, low_rate) == lengths[0]

    def test_no_samples(self):
        with pytest.raises(SrbenchError, match=r"^0 samples are not"):
            degrade(np.empty(0), 16000, 8000, Iir())

    @pytest.mark.parametrize("degradation", [Brickwall(), Sinc(), Sinc("polyphase"), Sinc("hann"), Subsample()])
    def test_one_low_resolution_sample(self, degradation):
        made = degrade(np.ones(4), 16000, 4000, degradation)
        assert made.shape == (1,)
        assert np.isfinite(made).all()

    @pytest.mark.parametrize("rates", [(16000, 16000), (8000, 16000), (16000, 0), (16000, -4000)])
    def test_refuses_rates_that_lower_nothing(self, rates):
        with pytest.raises(SrbenchError, match="the low rate must be below the high rate"):
            degrade(np.ones(1600), *rates, Iir())

    @pytest.mark.parametrize(
        ("degradation", "least"),
        [
            (Iir(), 28),  # scipy's edge padding is 3 (2 sections + 1) = 27
            (Iir(order=5), 19),  # one section is of the first order
            (Iir("butter", order=2), 10),
            (Brickwall(1024, 256), 514),
        ],
        ids=str,
    )
    def test_refuses_what_is_too_short_for_the_filter(self, degradation, least):
        least += least % 2
        assert np.isfinite(degrade(noise(least), 16000, 8000, degradation)).all()
        with pytest.raises(SrbenchError, match=f"a signal of {least - 2} samples is too short for {degradation.kind}"):
            degrade(noise(least - 2), 16000, 8000, degradation)

    def test_subsample_refuses_a_scale_that_is_no_integer(self):
        with pytest.raises(SrbenchError, match="subsample needs an integer scale; 44100 / 8000 Hz is not"):
            degrade(np.ones(441), 44100, 8000, Subsample())


class TestLaws:
    @by_degradation
    @quick
    @given(
        st.sampled_from(SCALES),
        st.floats(-3, 3, allow_subnormal=False),
        st.floats(-3, 3, allow_subnormal=False),
        st.integers(0, 99),
    )
    def test_linear(self, degradation, rates, a, b, seed):
        if not takes(degradation, rates):
            return
        n = whole_length(1764, *rates)
        x, y = noise(n, seed), noise(n, seed + 100)
        mixed = degrade(a * x + b * y, *rates, degradation)
        parts = a * degrade(x, *rates, degradation) + b * degrade(y, *rates, degradation)
        by_soxr = degradation == Sinc() or (not isinstance(degradation, Sinc) and rates[0] % rates[1] != 0)
        np.testing.assert_allclose(mixed, parts, rtol=0, atol=2e-5 if by_soxr else 1e-10)

    @by_case
    def test_repeats_and_leaves_the_input_alone(self, case, rates):
        degradation = case.degradation
        x = noise(whole_length(1764, *rates))
        kept = x.copy()
        x.setflags(write=False)
        first = degrade(x, *rates, degradation)
        np.testing.assert_array_equal(degrade(x, *rates, degradation), first)
        np.testing.assert_array_equal(x, kept)
        assert first.dtype == np.float64
        assert first.flags.c_contiguous
        assert not np.shares_memory(first, x)

    @by_case
    def test_keeps_time(self, case, rates):
        """A pulse well inside the low band stays where it is; the causal filters delay it, and no others do."""
        high_rate, low_rate = rates
        n = whole_length(max(1500, round(300 * high_rate / low_rate)), *rates)
        at = Fraction(n // 2 + 1) * Fraction(low_rate) / high_rate  # in low-resolution samples, rarely a whole number
        times = np.arange(n) * float(low_rate / high_rate)
        pulse = np.exp(-0.5 * ((times - float(at)) / 4) ** 2)
        made = degrade(pulse, *rates, case.degradation)
        centroid = np.sum(np.arange(len(made)) * made) / np.sum(made)
        delay = centroid - float(at)
        if getattr(case.degradation, "phase", "zero") == "causal":
            assert 0.5 < delay < 5
        else:
            assert abs(delay) < 1e-3

    @by_case
    def test_passes_a_low_tone_in_phase(self, case, rates):
        """A sine at 0.3 of the cutoff comes out as that sine sampled at the low rate, within the ripple."""
        high_rate, low_rate = rates
        n = whole_length(max(9000, round(400 * high_rate / low_rate)), *rates)
        omega = 2 * pi * 0.3 / 2  # per low-resolution sample
        made = degrade(np.sin(omega * float(low_rate / high_rate) * np.arange(n)), *rates, case.degradation)
        k = np.arange(len(made))
        basis = np.stack([np.sin(omega * k), np.cos(omega * k)], axis=1)[middle(len(made))]
        (along, across), *_ = np.linalg.lstsq(basis, made[middle(len(made))], rcond=None)
        assert np.abs(basis @ (along, across) - made[middle(len(made))]).max() < 1e-3  # a sine and nothing else
        assert abs(decibels(np.hypot(along, across))) <= case.ripple + 1e-4
        if getattr(case.degradation, "phase", "zero") == "causal":
            assert across < -0.1
        else:
            assert abs(across) < 1e-5

    @by_case
    def test_stops_what_would_alias(self, case, rates):
        """A tone at 1.5 of the cutoff is lowered by the stated dB; plain subsampling keeps all of it."""
        high_rate, low_rate = rates
        n = whole_length(max(9000, round(400 * high_rate / low_rate)), *rates)
        tone = np.sin(2 * pi * 0.75 * float(low_rate / high_rate) * np.arange(n)) * np.hanning(n)
        made = degrade(tone, *rates, case.degradation)
        lowered = decibels(sqrt(np.mean(tone**2) / np.mean(made**2)))
        if isinstance(case.degradation, Subsample):
            assert abs(lowered) < 0.01
        else:
            assert lowered > case.stop

    @by_case
    def test_gain_at_dc(self, case, rates):
        n = whole_length(max(4000, round(200 * rates[0] / rates[1])), *rates)
        made = degrade(np.full(n, 0.5), *rates, case.degradation)
        gain = made[middle(len(made))] / 0.5
        np.testing.assert_allclose(20 * np.log10(gain), case.dc, rtol=0, atol=2e-3)

    @by_degradation
    def test_low_pass_keeps_the_length(self, degradation):
        for n in (1600, 1602):
            assert degradation.low_pass(noise(n), 16000, 8000).shape == (n,)

    @pytest.mark.parametrize(
        "degradation", [c.degradation for c in CASES if not isinstance(c.degradation, Sinc)], ids=str
    )
    def test_is_the_low_pass_and_then_every_rth_sample(self, degradation):
        x = noise(3200)
        for rates in [(16000, 8000), (16000, Fraction(16000, 6))]:
            x = x[: whole_length(len(x), *rates)]
            filtered = degradation.low_pass(x, *rates)
            np.testing.assert_array_equal(degrade(x, *rates, degradation), filtered[:: int(rates[0] / rates[1])])

    @pytest.mark.parametrize("degradation", [Iir(), Brickwall(1024, 256)], ids=str)
    def test_another_scale_is_resampled_after_the_filter(self, degradation):
        x = noise(4410)
        wanted = soxr.resample(degradation.low_pass(x, 44100, 8000), 44100, 8000, quality="HQ")
        np.testing.assert_array_equal(degrade(x, 44100, 8000, degradation), wanted)


def magnitudes(degradation: Degradation, high_rate: int, low_rate: int, n: int = 16384) -> np.ndarray:
    """Gain of the low-pass at the frequencies k * high_rate / n, from its response to an impulse."""
    impulse = np.zeros(n)
    impulse[n // 2] = 1
    return np.abs(np.fft.rfft(degradation.low_pass(impulse, high_rate, low_rate)))


class TestIirAgainstClosedForms:
    """Magnitude responses from the textbook formulas, with the frequency warped by the bilinear transform."""

    @staticmethod
    def warped(n: int, cut: float, scale: float) -> np.ndarray:
        """tan(pi f / fs) / tan(pi f_cut / fs) at the bins of an n-point transform, below the Nyquist frequency."""
        return np.tan(pi * np.arange(n // 2) / n) / tan(pi * cut / (2 * scale))

    @pytest.mark.parametrize("order", [1, 3, 6, 10])
    @pytest.mark.parametrize(("phase", "power"), [("zero", 2), ("causal", 1)])
    @pytest.mark.parametrize("cut", [0.8, 1.0])
    def test_butterworth(self, order, phase, power, cut):
        found = magnitudes(Iir("butter", order=order, phase=phase, cut=cut), 16000, 4000)
        wanted = (1 / np.sqrt(1 + self.warped(16384, cut, 4) ** (2 * order))) ** power
        np.testing.assert_allclose(found[:-1], wanted, rtol=0, atol=1e-9)

    @pytest.mark.parametrize("order", [3, 8])
    @pytest.mark.parametrize("ripple_db", [0.05, 1.0])
    @pytest.mark.parametrize(("phase", "power"), [("zero", 2), ("causal", 1)])
    def test_chebyshev(self, order, ripple_db, phase, power):
        found = magnitudes(Iir("cheby1", order, ripple_db, phase=phase), 16000, 4000)
        polynomial = np.polynomial.chebyshev.Chebyshev.basis(order)(self.warped(16384, 0.8, 4))
        wanted = (1 / np.sqrt(1 + (10 ** (ripple_db / 10) - 1) * polynomial**2)) ** power
        np.testing.assert_allclose(found[:-1], wanted, rtol=0, atol=1e-6)

    @pytest.mark.parametrize("order", [2, 5, 8])
    @pytest.mark.parametrize(("ripple_db", "attenuation_db"), [(0.1, 60.0), (1.0, 30.0)])
    def test_elliptic(self, order, ripple_db, attenuation_db):
        """Causal: equal ripple up to the cut, at least the attenuation (reached exactly) from somewhere on."""
        gains = magnitudes(Iir("ellip", order, ripple_db, attenuation_db, phase="causal"), 16000, 4000)[:-1]
        cut = int(0.8 * 4000 / 16000 * 16384)
        passed = 20 * np.log10(gains[: cut // 2 + 1])
        assert passed.min() == pytest.approx(-ripple_db, abs=0.01)
        assert passed.max() == pytest.approx(0, abs=0.01)
        stopped = 20 * np.log10(gains[cut // 2 + 1 :])
        first = int(np.argmax(stopped < -attenuation_db))
        assert first > 0
        assert stopped[first:].max() == pytest.approx(-attenuation_db, abs=0.05)

    @pytest.mark.parametrize("order", [2, 8])
    @pytest.mark.parametrize(("phase", "power"), [("zero", 2), ("causal", 1)])
    def test_bessel_is_down_3_db_at_the_cut_and_never_rises(self, order, phase, power):
        gains = magnitudes(Iir("bessel", order=order, phase=phase), 16000, 5000)
        assert gains[16384 * 2000 // 16000] == pytest.approx(0.5 ** (power / 2), abs=1e-4)
        assert np.diff(gains[: 16384 // 4]).max() < 1e-9

    @pytest.mark.parametrize("kind", ["cheby1", "ellip"])
    @pytest.mark.parametrize("order", [4, 5])
    def test_even_order_starts_at_the_bottom_of_the_ripple(self, kind, order):
        gain = decibels(magnitudes(Iir(kind, order, 0.5), 16000, 4000)[0])
        assert gain == pytest.approx(-1.0 if order % 2 == 0 else 0.0, abs=1e-6)


class TestIirAgainstScipy:
    @pytest.mark.parametrize("scale", [2, 3, 4, 6, 8])
    @pytest.mark.parametrize(("phase", "zero_phase"), [("zero", True), ("causal", False)])
    def test_decimate(self, scale, phase, zero_phase):
        x = noise(24 * 100)
        made = degrade(x, 16000, Fraction(16000, scale), Iir(phase=phase))
        np.testing.assert_allclose(made, scipy.signal.decimate(x, scale, zero_phase=zero_phase), rtol=0, atol=1e-12)

    def test_the_paper_filter_is_late_by_about_ten_samples(self):
        x = np.cumsum(noise(8000)) * np.hanning(8000)
        zero, causal = (Iir(phase=phase).low_pass(x, 16000, 4000) for phase in ("zero", "causal"))
        lags = np.arange(-50, 51)
        match = [np.dot(zero[100:-100], np.roll(causal, -lag)[100:-100]) for lag in lags]
        assert lags[int(np.argmax(match))] == pytest.approx(10, abs=1)


class TestSubsample:
    @pytest.mark.parametrize("scale", [2, 3, 4, 6])
    def test_is_every_rth_sample(self, scale):
        x = noise(1200)
        np.testing.assert_array_equal(degrade(x, 16000, Fraction(16000, scale), Subsample()), x[::scale])

    def test_folds_a_high_tone_back(self):
        k = np.arange(16000)
        made = degrade(np.cos(2 * pi * 5000 / 16000 * k), 16000, 8000, Subsample())
        np.testing.assert_allclose(made, np.cos(2 * pi * 3000 / 8000 * k[:8000]), rtol=0, atol=1e-9)


class TestBrickwall:
    @pytest.mark.parametrize("rates", [(16000, 8000), (16000, 2000), (48000, 16000), (44100, 8000)])
    def test_whole_signal_keeps_below_the_cutoff_and_nothing_from_it_on(self, rates):
        """Bin by bin: exactly what is below half the low rate stays, and the bin at half the low rate goes."""
        for n in (882, 1600, 441 * 7):
            x = noise(n)
            before, after = np.fft.rfft(x), np.fft.rfft(Brickwall().low_pass(x, *rates))
            for k in range(n // 2 + 1):
                kept = 2 * k * rates[0] < rates[1] * n
                assert abs(after[k] - (before[k] if kept else 0)) < 1e-10, k

    def test_bin_at_the_cutoff(self):
        k = np.arange(1600)
        at = np.cos(2 * pi * 2000 / 16000 * k)
        below = np.cos(2 * pi * 1990 / 16000 * k)
        assert np.abs(Brickwall().low_pass(at, 16000, 4000)).max() < 1e-12
        np.testing.assert_allclose(Brickwall().low_pass(below, 16000, 4000), below, rtol=0, atol=1e-12)

    @pytest.mark.parametrize(("n_fft", "hop"), [(1024, 256), (2048, 441), (512, 128)])
    @pytest.mark.parametrize("rates", [(48000, 24000), (48000, 16000), (44100, 8000), (16000, 4000)])
    def test_short_time_agrees_with_librosa(self, n_fft, hop, rates):
        """Away from the ends, where the two take another number of frames."""
        librosa = pytest.importorskip("librosa")
        x = noise(20000)
        frames = librosa.stft(x, n_fft=n_fft, hop_length=hop, window="hann", center=True, pad_mode="reflect")
        frames[[2 * k * rates[0] >= rates[1] * n_fft for k in range(n_fft // 2 + 1)]] = 0
        wanted = librosa.istft(frames, hop_length=hop, n_fft=n_fft, window="hann", length=len(x))
        made = Brickwall(n_fft, hop).low_pass(x, *rates)
        np.testing.assert_allclose(made[n_fft:-n_fft], wanted[n_fft:-n_fft], rtol=0, atol=1e-10)
        assert sqrt(np.mean((made - wanted) ** 2)) < 0.05  # and not far off at the ends

    @pytest.mark.parametrize("length", [514, 600, 1023, 1024, 1025, 5001])
    def test_short_time_extends_the_ends_by_reflection(self, length):
        """A constant stays one up to its first and last sample; a smooth signal nearly."""
        kept = Brickwall(1024, 256).low_pass(np.full(length, 0.5), 16000, 4000)
        np.testing.assert_allclose(kept, 0.5, rtol=0, atol=1e-12)
        smooth = np.cos(pi * np.arange(length) / (length - 1))  # its reflection has no kink
        np.testing.assert_allclose(Brickwall(1024, 256).low_pass(smooth, 16000, 4000), smooth, rtol=0, atol=1e-6)


def hann_sinc_by_the_formula(x: np.ndarray, old: int, new: int, width: int, rolloff: float) -> np.ndarray:
    """Windowed-sinc interpolation, one sum per output sample: y(j / new) = sum over i of x[i] h(i / old - j / new)."""
    f = rolloff * min(old, new)
    made = []
    for j in range(ceil(len(x) * new / old)):
        total = 0.0
        for i in range(len(x)):
            t = f * (i / old - j / new)
            if abs(t) < width:
                sinc = 1.0 if t == 0 else sin(pi * t) / (pi * t)
                total += x[i] * sinc * cos(pi * t / (2 * width)) ** 2 * f / old
        made.append(total)
    return np.array(made)


class TestSinc:
    @pytest.mark.parametrize(("up", "down"), [(1, 2), (1, 6), (40, 441), (80, 441), (3, 2), (441, 160)])
    def test_polyphase_is_scipys_default(self, up, down):
        x = noise(441 * 4)
        made = Sinc("polyphase").resampled(x, down * 100, up * 100)
        np.testing.assert_allclose(made, scipy.signal.resample_poly(x, up, down), rtol=0, atol=1e-12)

    @pytest.mark.parametrize(
        "rates", [*SCALES[:4], (44100, 8000), (2000, 16000), (16000, 44100), (Fraction(8000, 3), 16000)]
    )
    @pytest.mark.parametrize(("width", "rolloff"), [(6, 0.99), (16, 0.9)])
    def test_hann_is_the_formula(self, rates, width, rolloff):
        ratio = Fraction(rates[1], rates[0])
        x = noise(150)
        made = Sinc("hann", width, rolloff).resampled(x, *rates)
        wanted = hann_sinc_by_the_formula(x, ratio.denominator, ratio.numerator, width, rolloff)
        np.testing.assert_allclose(made, wanted, rtol=0, atol=1e-12)

    def test_hann_golden(self):
        """The kernel of torchaudio's default for 2 to 1, tap by tap: 0.495 sinc(0.495 i) cos²(0.495 pi i / 12)."""
        impulse = np.zeros(60)
        impulse[30] = 1
        made = Sinc("hann").resampled(impulse, 2, 1)
        np.testing.assert_allclose(made[15], 0.495, rtol=0, atol=1e-15)
        np.testing.assert_allclose(made[[14, 16]], 0.495 * sin(0.99 * pi) / (0.99 * pi) * cos(0.99 * pi / 12) ** 2)
        assert np.count_nonzero(np.abs(made) > 1e-12) == 13  # t = 0.99 j, |t| < 6

    @pytest.mark.parametrize("rates", [(16000, 8000), (44100, 8000)])
    def test_soxr_is_soxr_hq(self, rates):
        x = noise(882)
        x = x[: whole_length(len(x), *rates)]
        np.testing.assert_array_equal(degrade(x, *rates, Sinc()), soxr.resample(x, *rates, quality="HQ"))

    @pytest.mark.parametrize("engine", ["soxr", "polyphase", "hann"])
    @pytest.mark.parametrize("rates", [(16000, 4000), (44100, 8000)])
    def test_low_pass_is_there_and_back(self, engine, rates):
        x = noise(8820)
        sinc = Sinc(engine)
        wanted = sinc.resampled(sinc.resampled(x, *rates), rates[1], rates[0])
        np.testing.assert_array_equal(sinc.low_pass(x, *rates), wanted)
        low = degrade(x[: whole_length(len(x), *rates)], *rates, Iir("butter", 10))
        smooth = sinc.resampled(low, rates[1], rates[0])
        kept = sinc.low_pass(smooth, *rates)[1000:-1000]
        np.testing.assert_allclose(kept, smooth[1000:-1000], rtol=0, atol=0.05 * np.abs(smooth).max())


class TestFromTable:
    @pytest.mark.parametrize(
        ("table", "wanted"),
        [
            ({"kind": "cheby1"}, Iir("cheby1", 8, 0.05, None, 0.8, "zero")),
            ({"kind": "ellip"}, Iir("ellip", 8, 0.1, 60.0, 0.8, "zero")),
            ({"kind": "butter", "order": 3, "cut": 1}, Iir("butter", 3, None, None, 1.0, "zero")),
            ({"kind": "bessel", "phase": "causal"}, Iir("bessel", 8, None, None, 0.8, "causal")),
            ({"kind": "cheby1", "ripple_db": 1}, Iir(ripple_db=1.0)),
            ({"kind": "subsample"}, Subsample()),
            ({"kind": "brickwall"}, Brickwall(0, 0)),
            ({"kind": "brickwall", "n_fft": 1024, "hop": 256}, Brickwall(1024, 256)),
            ({"kind": "sinc"}, Sinc("soxr", None, None)),
            ({"kind": "sinc", "engine": "polyphase"}, Sinc("polyphase", 10, None)),
            ({"kind": "sinc", "engine": "hann"}, Sinc("hann", 6, 0.99)),
            ({"kind": "sinc", "engine": "hann", "width": 64, "rolloff": 1}, Sinc("hann", 64, 1.0)),
        ],
        ids=str,
    )
    def test_reads(self, table, wanted):
        made = from_table(table)
        assert made == wanted
        assert str(made.signature(16000, 4000)) == str(wanted.signature(16000, 4000))

    @pytest.mark.parametrize("table", [{}, {"kind": 3}, {"order": 8}])
    def test_needs_a_kind(self, table):
        with pytest.raises(SrbenchError, match="a degradation needs a kind, one of: cheby1"):
            from_table(table)

    @pytest.mark.parametrize(
        ("kind", "near"), [("cheby", "cheby1"), ("brikwall", "brickwall"), ("subsampel", "subsample")]
    )
    def test_unknown_kind(self, kind, near):
        with pytest.raises(SrbenchError, match=f"unknown degradation '{kind}'. Did you mean '{near}'"):
            from_table({"kind": kind})

    @pytest.mark.parametrize(
        ("table", "near"),
        [
            ({"kind": "cheby1", "ordr": 8}, "order"),
            ({"kind": "ellip", "ripple": 0.1}, "ripple_db"),
            ({"kind": "brickwall", "nfft": 1024}, "n_fft"),
            ({"kind": "sinc", "engin": "soxr"}, "engine"),
        ],
    )
    def test_unknown_key(self, table, near):
        with pytest.raises(SrbenchError, match=f"unknown parameter of degradation .* Did you mean '{near}'"):
            from_table(table)

    @pytest.mark.parametrize(
        "table",
        [
            {"kind": "subsample", "order": 8},
            {"kind": "brickwall", "cut": 0.8},
            {"kind": "sinc", "order": 8},
            {"kind": "cheby1", "n_fft": 1024},
        ],
    )
    def test_key_of_another_kind(self, table):
        with pytest.raises(SrbenchError, match=f"unknown parameter of degradation {table['kind']}"):
            from_table(table)

    @pytest.mark.parametrize(
        ("table", "name"),
        [
            ({"kind": "butter", "ripple_db": 0.1}, "ripple_db"),
            ({"kind": "butter", "attenuation_db": 60}, "attenuation_db"),
            ({"kind": "cheby1", "attenuation_db": 60}, "attenuation_db"),
            ({"kind": "bessel", "ripple_db": 0.1}, "ripple_db"),
            ({"kind": "sinc", "width": 6}, "width"),
            ({"kind": "sinc", "engine": "polyphase", "rolloff": 0.9}, "rolloff"),
        ],
    )
    def test_parameter_that_the_kind_does_not_have(self, table, name):
        with pytest.raises(SrbenchError, match=f"has no {name}"):
            from_table(table)

    @pytest.mark.parametrize(
        ("kind", "key", "value"),
        [
            ("cheby1", "order", 8.0),
            ("cheby1", "order", "8"),
            ("cheby1", "order", True),
            ("cheby1", "cut", "0.8"),
            ("cheby1", "cut", True),
            ("cheby1", "phase", 0),
            ("cheby1", "ripple_db", "0.05"),
            ("brickwall", "n_fft", 1024.0),
            ("brickwall", "hop", [256]),
            ("sinc", "engine", 1),
            ("sinc", "width", 6.0),
        ],
    )
    def test_wrong_type(self, kind, key, value):
        with pytest.raises(SrbenchError, match=rf"degradation {kind}: {key} cannot be "):
            from_table({"kind": kind, key: value})

    @pytest.mark.parametrize(
        ("table", "message"),
        [
            ({"kind": "cheby1", "order": 0}, "order must be 1 to 20, not 0"),
            ({"kind": "cheby1", "order": 21}, "order must be 1 to 20, not 21"),
            ({"kind": "cheby1", "cut": 0}, r"cut must be 0\.001 to 1, not 0\.0"),
            ({"kind": "cheby1", "cut": 1.01}, r"cut must be 0\.001 to 1, not 1\.01"),
            ({"kind": "cheby1", "cut": float("nan")}, "cut must be"),
            ({"kind": "cheby1", "ripple_db": 0}, "ripple_db must be 1e-06 to 300 dB"),
            ({"kind": "cheby1", "ripple_db": float("nan")}, "ripple_db must be 1e-06 to 300 dB"),
            ({"kind": "cheby1", "ripple_db": float("inf")}, "ripple_db"),
            ({"kind": "ellip", "attenuation_db": -60}, "attenuation_db must be 1e-06 to 300 dB"),
            ({"kind": "ellip", "attenuation_db": float("inf")}, "attenuation_db"),
            ({"kind": "ellip", "ripple_db": 60, "attenuation_db": 0.1}, "attenuation_db"),
            ({"kind": "ellip", "ripple_db": 1, "attenuation_db": 1}, "attenuation_db"),
            ({"kind": "cheby1", "phase": "causl"}, "Did you mean 'causal'"),
            ({"kind": "sinc", "engine": "sox"}, "Did you mean 'soxr'"),
            ({"kind": "sinc", "engine": "hann", "rolloff": 1.5}, r"rolloff cannot be 1\.5"),
            ({"kind": "sinc", "engine": "hann", "width": 0}, "width cannot be 0"),
            ({"kind": "brickwall", "n_fft": 1024}, "n_fft 1024 and hop 0 do not make a transform"),
            ({"kind": "brickwall", "hop": 256}, "n_fft 0 and hop 256 do not make a transform"),
            ({"kind": "brickwall", "n_fft": 1024, "hop": 513}, "n_fft 1024 and hop 513 do not make a transform"),
            ({"kind": "brickwall", "n_fft": -4, "hop": 1}, "n_fft -4 and hop 1 do not make a transform"),
        ],
        ids=str,
    )
    def test_out_of_range(self, table, message):
        with pytest.raises(SrbenchError, match=message):
            from_table(table)

    def test_does_not_change_the_table(self):
        table = {"kind": "cheby1", "cut": 1}
        from_table(table)
        assert table == {"kind": "cheby1", "cut": 1}


class TestSignature:
    @pytest.mark.parametrize(
        ("default", "others"),
        [
            (Iir(), {"kind": "butter", "order": 4, "ripple_db": 1.0, "cut": 0.9, "phase": "causal"}),
            (Iir("ellip"), {"attenuation_db": 40.0}),
            (Brickwall(1024, 256), {"n_fft": 2048, "hop": 128}),
            (Sinc("hann"), {"engine": "polyphase", "width": 16, "rolloff": 0.9}),
        ],
        ids=str,
    )
    def test_each_parameter_shows(self, default, others):
        texts = {str(default.signature(16000, 4000))}
        for name, value in others.items():
            kept = {f.name: getattr(default, f.name) for f in dataclasses.fields(default)} | {name: value}
            if kept.get("kind") == "butter":
                kept["ripple_db"] = None
            if kept.get("engine") == "polyphase":
                kept["rolloff"] = None
            texts.add(str(type(default)(**kept).signature(16000, 4000)))
        assert len(texts) == len(others) + 1

    def test_every_parameter_is_tried_above(self):
        tried = {
            "kind",
            "order",
            "ripple_db",
            "attenuation_db",
            "cut",
            "phase",
            "n_fft",
            "hop",
            "engine",
            "width",
            "rolloff",
        }
        assert {f.name for cls in (Iir, Brickwall, Sinc, Subsample) for f in dataclasses.fields(cls)} == tried

    @pytest.mark.parametrize(
        ("degradation", "wanted"),
        [
            (Iir(), "DEGRADATION|kind:cheby1|order:8|ripple:0.05|atten:none|cut:0.8|phase:zero|take:every4"),
            (Subsample(), "DEGRADATION|kind:subsample|take:every4"),
            (Brickwall(1024, 256), "DEGRADATION|kind:brickwall|nfft:1024|hop:256|take:every4"),
            (Sinc(), "DEGRADATION|kind:sinc|engine:soxr-HQ|width:none|rolloff:none|take:engine"),
            (Sinc("polyphase"), "DEGRADATION|kind:sinc|engine:polyphase-kaiser5|width:10|rolloff:none|take:engine"),
            (Sinc("hann"), "DEGRADATION|kind:sinc|engine:hann|width:6|rolloff:0.99|take:engine"),
        ],
        ids=str,
    )
    def test_golden(self, degradation, wanted):
        assert str(degradation.signature(16000, 4000)) == wanted

    def test_says_how_the_samples_are_taken(self):
        assert dict(Iir().signature(16000, Fraction(16000, 6)).fields)["take"] == "every6"
        assert dict(Iir().signature(44100, 8000).fields)["take"] == "soxr-HQ"


@pytest.mark.parametrize("engine", ["hann", "polyphase"])
def test_a_kernel_that_would_fill_the_memory_is_refused(engine: str):
    rates = (16000, 15999) if engine == "hann" else (1_000_000, Fraction(9_999_999, 10_000))
    with pytest.raises(SrbenchError, match=f"sinc with engine {engine} cannot go from {rates[0]} to .* Hz: too long"):
        Sinc(engine).resampled(np.ones(100), *rates)
