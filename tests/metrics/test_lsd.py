"""Every convention of the LSD against its closed forms and against an independent implementation on librosa."""

from __future__ import annotations

import os
from fractions import Fraction
from functools import cache
from math import log, log10, sqrt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from srbench import audio
from srbench.corpora import demo_corpus, open_corpus
from srbench.errors import SrbenchError, UndefinedMetric
from srbench.metrics import METRICS, Pair, spectra
from srbench.metrics.lsd import Lsd

ALL = ["lsd", "lsd_hf", "lsd_lf", "lsd_paper", "lsd_kuleshov", "lsd_nvsr", "lsd_tunet"]
SYMMETRIC = [name for name in ALL if name != "lsd_nvsr"]
CUTOFF = 2000.0
RATES = [16000, 44100, 48000]
quick = settings(max_examples=30, deadline=None, derandomize=True)


def noise(n: int = 6000, seed: int = 0, level: float = 0.1) -> np.ndarray:
    return level * np.random.default_rng(seed).standard_normal(n)


@cache
def speech(rate: int) -> np.ndarray:
    samples, recorded = audio.read(demo_corpus().utterances[0].path)
    return audio.resample(samples, recorded, rate)


def blurred(x: np.ndarray) -> np.ndarray:
    """A poor estimate: a two-point mean."""
    return (x + np.append(x[1:], 0.0)) / 2


def value(name: str, reference: np.ndarray, estimate: np.ndarray, rate: int = 16000) -> float:
    return METRICS[name](reference, estimate, rate, CUTOFF)


# -- written from the table of conventions, on librosa's transform ---------------------------------------------------


def power(x: np.ndarray, n_fft: int = 2048, hop: int = 512, **how) -> np.ndarray:
    """|STFT|², shape (bins, frames)."""
    import librosa

    how = {"center": True, "pad_mode": "reflect", **how}
    return np.abs(librosa.stft(x, n_fft=n_fft, hop_length=hop, window="hann", **how)) ** 2


def by_nuwave(r: np.ndarray, e: np.ndarray, rate: int, bins: slice = slice(None)) -> float:
    d = np.log10(np.clip(power(r), 1e-8, None)) - np.log10(np.clip(power(e), 1e-8, None))
    return float(np.mean(np.sqrt(np.mean(d[bins] ** 2, axis=0))))


def by_nuwave_above(r: np.ndarray, e: np.ndarray, rate: int) -> float:
    return by_nuwave(r, e, rate, slice(int(1025 * 2 * CUTOFF / rate), None))


def by_nuwave_below(r: np.ndarray, e: np.ndarray, rate: int) -> float:
    return by_nuwave(r, e, rate, slice(int(1025 * 2 * CUTOFF / rate)))


def by_paper(r: np.ndarray, e: np.ndarray, rate: int) -> float:
    d = np.log(np.clip(power(r), 1e-8, None)) - np.log(np.clip(power(e), 1e-8, None))
    return float(np.mean(np.sqrt(np.mean(d**2, axis=0))))


def by_kuleshov(r: np.ndarray, e: np.ndarray, rate: int) -> float:
    d = np.log(power(r) + 1e-8) - np.log(power(e) + 1e-8)
    return min(10.0, float(np.mean(np.sqrt(np.mean(d**2, axis=1) + 1e-8))))


def by_tunet(r: np.ndarray, e: np.ndarray, rate: int) -> float:
    d = np.log(power(r) + 1e-8) - np.log(power(e) + 1e-8)
    return float(np.mean(np.sqrt(np.mean(d**2 + 1e-8, axis=1))))


def by_nvsr(r: np.ndarray, e: np.ndarray, rate: int) -> float:
    n_fft, hop = {16000: (743, 160), 44100: (2048, 441), 48000: (2229, 480)}[rate]
    magnitudes = np.sqrt(power(r, n_fft, hop)), np.sqrt(power(e, n_fft, hop))
    d = np.log10(magnitudes[0] ** 2 / (magnitudes[1] + 1e-12) ** 2 + 1e-12)
    return float(np.mean(np.sqrt(np.mean(d**2, axis=0))))


INDEPENDENT = {
    "lsd": by_nuwave,
    "lsd_hf": by_nuwave_above,
    "lsd_lf": by_nuwave_below,
    "lsd_paper": by_paper,
    "lsd_kuleshov": by_kuleshov,
    "lsd_nvsr": by_nvsr,
    "lsd_tunet": by_tunet,
}


class TestAgainstLibrosa:
    @pytest.fixture(autouse=True)
    def _librosa(self):
        pytest.importorskip("librosa")

    def test_every_convention_has_one(self):
        assert sorted(INDEPENDENT) == sorted(ALL) == sorted(name for name in METRICS if name.startswith("lsd"))

    @pytest.mark.parametrize("rate", RATES)
    @pytest.mark.parametrize("name", ALL)
    def test_noise(self, name, rate):
        r, e = noise(20001), noise(20001, seed=1, level=0.05)
        assert value(name, r, e, rate) == pytest.approx(INDEPENDENT[name](r, e, rate), abs=1e-9)

    @pytest.mark.parametrize("rate", RATES)
    @pytest.mark.parametrize("name", ALL)
    def test_speech(self, name, rate):
        r = speech(rate)
        # above the blur nvsr's floor of 1e-12 of a magnitude sees the rounding of the transform
        tolerance = 1e-8 if name == "lsd_nvsr" else 1e-9
        assert value(name, r, blurred(r), rate) == pytest.approx(INDEPENDENT[name](r, blurred(r), rate), abs=tolerance)

    @pytest.mark.parametrize("name", ALL)
    def test_speech_with_digital_silence(self, name):
        """Where the floors do their work."""
        r, e = speech(16000).copy(), blurred(speech(16000))
        r[5000:12000] = 0
        e[20000:30000] = 0
        assert value(name, r, e) == pytest.approx(INDEPENDENT[name](r, e, 16000), abs=1e-9)

    @pytest.mark.skipif("SRBENCH_VCTK" not in os.environ, reason="SRBENCH_VCTK names no VCTK folder")
    @pytest.mark.parametrize("name", ALL)
    def test_vctk(self, name):
        utterances = open_corpus(os.environ["SRBENCH_VCTK"]).utterances[:3]
        assert utterances
        for utterance in utterances:
            r, recorded = audio.read(utterance.path)
            r = audio.resample(r, recorded, 16000)
            assert value(name, r, blurred(r)) == pytest.approx(INDEPENDENT[name](r, blurred(r), 16000), abs=1e-9)

    @pytest.mark.parametrize(
        ("changed", "how"),
        [
            ({"pad": "zeros"}, {"pad_mode": "constant"}),
            ({"center": False}, {"center": False}),
            ({"n_fft": 512, "hop": 100}, {"n_fft": 512, "hop": 100}),
            ({"n_fft": 743, "hop": 160}, {"n_fft": 743, "hop": 160}),
        ],
        ids=str,
    )
    def test_other_transforms(self, changed, how):
        r, e = noise(9000), noise(9000, seed=1)
        d = np.log10(power(r, **how)) - np.log10(power(e, **how))
        wanted = np.mean(np.sqrt(np.mean(d**2, axis=0)))
        assert Lsd(**changed).measure(Pair(r, e, 16000)) == pytest.approx(wanted, abs=1e-9)

    def test_how_the_ends_are_extended_shows_in_the_third_digit(self):
        r = speech(16000)
        pair = Pair(r, blurred(r), 16000)
        assert 1e-5 < abs(Lsd(pad="zeros").measure(pair) - Lsd().measure(pair)) < 0.1


class TestClosedForms:
    @quick
    @given(st.floats(0.01, 100), st.sampled_from([1, -1]))
    def test_of_a_gain(self, gain, sign):
        """All of D is log10 g² = 20 log10 g / 10, so the value is its magnitude, whatever the means."""
        r = noise(level=1.0)
        wanted = abs(20 * log10(gain)) / 10
        e = sign * gain * r
        for name in ("lsd", "lsd_hf", "lsd_lf"):
            assert value(name, r, e) == pytest.approx(wanted, abs=1e-9)
        assert value("lsd_nvsr", r, e) == pytest.approx(wanted, abs=1e-3)
        assert value("lsd_paper", r, e) == pytest.approx(wanted * log(10), abs=1e-9)
        assert value("lsd_tunet", r, e) == pytest.approx(wanted * log(10), abs=1e-3)
        assert value("lsd_kuleshov", r, e) == pytest.approx(min(10, sqrt((wanted * log(10)) ** 2 + 1e-8)), abs=1e-3)

    @pytest.mark.parametrize("name", ALL)
    def test_of_a_perfect_estimate(self, name):
        """0, but for the 1e-8 under the root of the 2017 code: its least value is 1e-4."""
        wanted = 1e-4 if name in ("lsd_kuleshov", "lsd_tunet") else 0.0
        assert value(name, noise(), noise()) == pytest.approx(wanted, abs=1e-6)
        if name != "lsd_nvsr":
            assert value(name, speech(16000), speech(16000).copy()) == pytest.approx(wanted, abs=1e-12)

    def test_of_a_perfect_estimate_with_digital_silence_by_nvsr(self):
        """Where both are 0, ssr_eval's ratio is 0 / 1e-24 + 1e-12: such a frame counts as 12, in a perfect copy too."""
        r = noise(16000)
        r[8000:] = 0
        silent, frames = 47, 100  # of 743 samples, every 160, the first from -371 on
        assert value("lsd_nvsr", r, r.copy()) == pytest.approx(12 * silent / frames, abs=1e-3)

    @pytest.mark.parametrize("name", SYMMETRIC)
    def test_symmetric(self, name):
        r, e = speech(16000), blurred(speech(16000))
        assert value(name, r, e) == pytest.approx(value(name, e, r), rel=1e-12)

    def test_nvsr_is_not_symmetric(self):
        r, e = noise(), noise(seed=1)
        e[:4000] = 0
        assert abs(value("lsd_nvsr", r, e) - value("lsd_nvsr", e, r)) > 1

    def test_natural_logarithm(self):
        r, e = speech(16000), blurred(speech(16000))
        assert value("lsd_paper", r, e) == pytest.approx(2.302585092994046 * value("lsd", r, e), rel=1e-12)

    def test_magnitude_is_half_of_power(self):
        pair = Pair(speech(16000), blurred(speech(16000)), 16000)
        assert Lsd(of="magnitude").measure(pair) == pytest.approx(Lsd().measure(pair) / 2, rel=1e-12)

    def test_kuleshov_is_capped_and_tunet_is_not(self):
        r = noise(level=0.5)
        silence = np.zeros(6000)
        assert value("lsd_kuleshov", r, silence) == 10.0
        assert value("lsd_tunet", r, silence) > 15

    def test_kuleshov_is_tunet_but_for_the_cap(self):
        r, e = noise(), noise(seed=1)
        assert value("lsd_kuleshov", r, e) == value("lsd_tunet", r, e)

    def test_tunet_of_a_copy_is_the_root_of_the_1e_8_that_its_code_adds(self):
        assert value("lsd_tunet", noise(), noise()) == pytest.approx(1e-4, rel=1e-9)

    def test_which_mean_comes_first(self):
        """A gain of 100 over one of two halves: rms over frames then bins is above the mean over frames of rms."""
        r = noise(2048 * 8)
        e = r.copy()
        e[len(r) // 2 :] *= 100
        frames_then_bins = Lsd(pool="rms_t.mean_f").measure(Pair(r, e, 16000))
        bins_then_frames = Lsd(pool="rms_f.mean_t").measure(Pair(r, e, 16000))
        assert bins_then_frames == pytest.approx(4 / 2, rel=0.1)
        assert frames_then_bins == pytest.approx(4 / sqrt(2), rel=0.1)

    def test_clamp_is_at_1e_8(self):
        """Silence has the power 1e-8 in every bin; so has anything below it."""
        r = noise(level=1.0)
        assert value("lsd", r, np.zeros(6000)) == value("lsd", r, noise(seed=1, level=1e-9))
        import librosa

        d = np.log10(np.abs(librosa.stft(r, n_fft=2048, hop_length=512, pad_mode="reflect")) ** 2) + 8
        assert value("lsd", r, np.zeros(6000)) == pytest.approx(np.mean(np.sqrt(np.mean(d**2, axis=0))), abs=1e-9)


class TestBands:
    @pytest.mark.parametrize(
        ("low_rate", "high_rate", "edge"),
        [
            (8000, 16000, 512),
            (4000, 16000, 256),
            (Fraction(8000, 3), 16000, 170),
            (24000, 48000, 512),
            (16000, 48000, 341),
            (4000, 44100, 92),
            (8000, 44100, 185),
            (12000, 44100, 278),
            (2000, 16000, 128),
        ],
    )
    def test_edge(self, low_rate, high_rate, edge):
        assert edge == int(1025 * low_rate / high_rate)
        cutoff = float(low_rate) / 2
        assert METRICS["lsd_lf"].define(high_rate, cutoff).bins() == (0, edge)
        assert METRICS["lsd_hf"].define(high_rate, cutoff).bins() == (edge, 1025)

    @quick
    @given(st.sampled_from([16000, 24000, 44100, 48000]), st.integers(200, 15000))
    def test_bands_share_no_bin_and_leave_none_out(self, rate, low_rate):
        below = METRICS["lsd_lf"].define(rate, low_rate / 2).bins()
        above = METRICS["lsd_hf"].define(rate, low_rate / 2).bins()
        assert below[0] == 0
        assert below[1] == above[0] == 1025 * low_rate // rate
        assert above[1] == 1025

    def test_squares_combine_to_the_whole(self):
        """In one frame: bins * LSD² of the bands add up to that of the full band."""
        pair = Pair(noise(2048), noise(2048, seed=1), 16000, CUTOFF)
        full, above, below = (Lsd(center=False, band=band).measure(pair) for band in ("full", "above2000", "below2000"))
        assert 1025 * full**2 == pytest.approx(769 * above**2 + 256 * below**2, rel=1e-12)

    def test_an_error_above_shows_above_alone(self):
        r = noise(12000, level=1.0)
        spectrum = np.fft.rfft(r)
        spectrum[len(r) // 4 :] *= 3  # from 4 kHz on
        e = np.fft.irfft(spectrum, n=len(r))
        assert METRICS["lsd_lf"](r, e, 16000, 3000.0) < 0.05
        assert METRICS["lsd_hf"](r, e, 16000, 5000.0) == pytest.approx(2 * log10(3), rel=0.05)

    @pytest.mark.parametrize("name", ["lsd_hf", "lsd_lf"])
    def test_needs_the_cutoff(self, name):
        with pytest.raises(SrbenchError, match="an LSD of one band needs the cutoff"):
            METRICS[name](noise(), noise(), 16000)

    def test_others_do_not_need_it(self):
        for name in set(ALL) - {"lsd_hf", "lsd_lf"}:
            assert METRICS[name](noise(), noise(seed=1), 16000) == value(name, noise(), noise(seed=1))


class TestWhatHasNoValue:
    @pytest.mark.parametrize("name", ALL)
    @pytest.mark.parametrize("estimate", [np.zeros(6000), noise()], ids=["silence", "sound"])
    def test_silent_reference(self, name, estimate):
        with pytest.raises(UndefinedMetric, match="the reference is silent: LSD is undefined"):
            value(name, np.zeros(6000), estimate)

    @pytest.mark.parametrize("name", ALL)
    def test_silent_estimate_has_a_value(self, name):
        assert 5 < value(name, noise(), np.zeros(6000)) < 100

    @pytest.mark.parametrize("name", [name for name in ALL if name != "lsd_nvsr"])
    def test_too_short(self, name):
        """Reflection by half a frame needs more than half a frame."""
        assert np.isfinite(value(name, noise(1025), noise(1025, seed=1)))
        for n in (1, 1024):
            with pytest.raises(UndefinedMetric, match=f"{n} samples are too short for an LSD with n_fft 2048"):
                value(name, noise(n), noise(n, seed=1))

    @pytest.mark.parametrize("rate", RATES)
    def test_too_short_for_nvsr(self, rate):
        n_fft = {16000: 743, 44100: 2048, 48000: 2229}[rate]
        half = n_fft // 2
        short, enough = noise(half), noise(half + 1 + n_fft % 2)
        assert np.isfinite(value("lsd_nvsr", enough, -enough, rate))
        with pytest.raises(UndefinedMetric, match=f"{half} samples are too short for an LSD with n_fft {n_fft}"):
            value("lsd_nvsr", short, short, rate)

    def test_too_short_without_centring(self):
        with pytest.raises(UndefinedMetric, match="2047 samples are too short"):
            Lsd(center=False).measure(Pair(noise(2047), noise(2047), 16000))

    @pytest.mark.parametrize(
        ("changed", "message"),
        [
            ({"log": "2"}, "log must be one of 10, e, not '2'"),
            ({"of": "energy"}, "of must be one of power, magnitude"),
            ({"win": "hamming"}, "win must be one of hann"),
            ({"pad": "edge"}, "pad must be one of reflect, zeros"),
            ({"pool": "mean"}, "pool must be one of"),
            ({"n_fft": 1}, "do not make a transform"),
            ({"hop": 0}, "do not make a transform"),
            ({"floor": "1e-8"}, "floor must be like max1e-8"),
            ({"band": "middle"}, "band must be full, aboveHZ or belowHZ"),
            ({"band": "above9000"}, "the band 'above9000' holds no bin at 16000 Hz"),
            ({"band": "below1"}, "the band 'below1' holds no bin at 16000 Hz"),
        ],
    )
    def test_definitions_refused(self, changed, message):
        with pytest.raises(SrbenchError, match=message):
            Lsd(**changed)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("at_once", [1, 7 * 2048])
def test_does_not_depend_on_how_many_frames_are_taken_at_once(name, at_once, monkeypatch):
    r, e = noise(40_000), noise(40_000, seed=1)
    before = value(name, r, e)
    value(name, r, r.copy())  # so that memory used again does not hold the right values by chance
    monkeypatch.setattr(spectra, "_SAMPLES_AT_ONCE", at_once)
    assert value(name, r, e) == pytest.approx(before, rel=1e-12)


@pytest.mark.parametrize("name", ALL)
def test_sees_every_frame(name):
    """A click against silence anywhere in a long signal moves the value."""
    r = noise(170_000)
    kept = value(name, r, r.copy())
    for at in (0, 80_000, 140_000, 169_999):
        e = r.copy()
        e[at] += 10
        assert value(name, r, e) > kept + 1e-6, at


def test_presets_differ_on_one_pair():
    r, e = speech(16000), blurred(speech(16000))
    values = sorted(value(name, r, e) for name in ALL if name != "lsd_tunet")  # it is lsd_kuleshov without the cap
    assert np.diff(values).min() > 1e-9


SYSTEMS = os.environ.get("SRBENCH_SYSTEMS", "")


@pytest.mark.skipif(not SYSTEMS, reason="SRBENCH_SYSTEMS names no folder of published outputs")
@pytest.mark.parametrize(
    ("system", "mean_lsd", "mean_snr"),
    [("linear", 1.87, 19.2), ("unet", 1.42, 16.8), ("mugan", 1.12, 22.0), ("nuwave", 0.81, 23.8)],
)
def test_published_systems(system, mean_lsd, mean_snr):
    """Four systems on five 48 kHz clips, as their authors posted them, on the common length."""
    values = []
    references = sorted((Path(SYSTEMS) / "reference").iterdir())
    assert len(references) == 5
    for path in references:
        (r, rate), (e, _) = audio.read(path), audio.read(Path(SYSTEMS) / system / path.name)
        n = min(len(r), len(e))
        values.append((METRICS["lsd"](r[:n], e[:n], rate), METRICS["snr"](r[:n], e[:n], rate)))
    lsd_mean, snr_mean = np.mean(values, axis=0)
    assert lsd_mean == pytest.approx(mean_lsd, abs=0.006)
    assert snr_mean == pytest.approx(mean_snr, abs=0.06)
