"""The bandwidth finds where an upsampled file ends, and leaves genuine recordings alone."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st
from kit import noise

from srbench.bandwidth import bandwidth
from srbench.errors import SrbenchError

quick = settings(max_examples=40, deadline=None, derandomize=True)
RATES = (16000, 24000, 44100, 48000)
rates = st.sampled_from(RATES)
seeds = st.integers(0, 2**31)


def shaped(n: int, rate: int, db_at: dict[float, float], seed: int) -> np.ndarray:
    """Noise whose spectrum goes through the given points (Hz: dB), straight over the logarithm of frequency."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(n))
    hz = np.maximum(np.fft.rfftfreq(n, 1 / rate), 20)
    spectrum *= 10 ** (np.interp(np.log(hz), np.log(list(db_at)), list(db_at.values())) / 20)
    return np.fft.irfft(spectrum, n)


def speech(rate: int, seconds: float = 2.0, seed: int = 0, sibilance: bool = True) -> np.ndarray:
    """Vowels, consonants and pauses over the noise of a room; no part of it ends anywhere before half the rate."""
    n = int(rate * seconds)
    vowels = shaped(n, rate, {80: -30, 150: 0, 600: 0, 1200: -14, 3000: -26, 5000: -42, 24000: -60}, seed)
    consonants = shaped(n, rate, {80: -60, 2000: -40, 5000: -22, 8000: -24, 24000: -45}, seed + 1)
    room = shaped(n, rate, {80: -40, 1000: -62, 24000: -76}, seed + 2)
    beat = np.arange(n) / rate % 0.4
    sound = vowels * (beat < 0.2) * np.sin(np.pi * np.minimum(beat / 0.2, 1)) ** 2
    if sibilance:
        sound += consonants * ((beat > 0.22) & (beat < 0.3))
    sound += room
    return 0.7 * sound / np.abs(sound).max()


def brickwall(samples: np.ndarray, rate: int, low: int) -> np.ndarray:
    spectrum = np.fft.rfft(samples)
    spectrum[np.fft.rfftfreq(samples.size, 1 / rate) > low / 2] = 0
    return np.fft.irfft(spectrum, samples.size)


def soxr_there_and_back(samples: np.ndarray, rate: int, low: int) -> np.ndarray:
    return soxr.resample(soxr.resample(samples, rate, low, quality="HQ"), low, rate, quality="HQ")


def polyphase_there_and_back(samples: np.ndarray, rate: int, low: int) -> np.ndarray:
    return scipy.signal.resample_poly(scipy.signal.resample_poly(samples, low, rate), rate, low)


NARROWINGS = (brickwall, soxr_there_and_back, polyphase_there_and_back)


def as_is(samples: np.ndarray) -> np.ndarray:
    return samples


def to_16_bits(samples: np.ndarray) -> np.ndarray:
    return np.round(samples * 32768) / 32768


def dithered(samples: np.ndarray) -> np.ndarray:
    generator = np.random.default_rng(9)
    return to_16_bits(samples + (generator.random(samples.size) - generator.random(samples.size)) / 32768)


def dithered_at_minus_20_db(samples: np.ndarray) -> np.ndarray:
    return dithered(samples / 10)


STORAGES = (as_is, to_16_bits, dithered, dithered_at_minus_20_db)


class TestGenuine:
    @pytest.mark.parametrize("rate", RATES)
    @pytest.mark.parametrize("store", [*STORAGES, lambda samples: dithered(samples / 100)])
    def test_speech_goes_all_the_way(self, rate, store):
        assert bandwidth(store(speech(rate)), rate) == rate / 2

    @pytest.mark.parametrize("rate", RATES)
    def test_so_does_speech_without_sibilance(self, rate):
        assert bandwidth(to_16_bits(speech(rate, sibilance=False)), rate) == rate / 2

    @pytest.mark.parametrize("rate", RATES)
    @pytest.mark.parametrize("slope", [0, -6, -12, -18])
    def test_a_slope_is_no_edge(self, rate, slope):
        # dB per octave, over nine octaves
        assert bandwidth(shaped(rate, rate, {40: 0, 40 * 2**9: 9 * slope}, 1), rate) == rate / 2

    def test_a_whistle_in_the_noise_is_no_edge(self):
        # monitors whistled at 15.6 kHz in many a studio, far above what else there is up there
        rate = 48000
        whistle = 0.1 * np.sin(2 * np.pi * 15672 * np.arange(2 * rate) / rate)
        assert bandwidth(speech(rate) + whistle, rate) == rate / 2

    def test_neither_is_the_end_of_a_rumble(self):
        rumble = shaped(96000, 48000, {20: 0, 100: 0, 300: -80, 24000: -120}, 3)
        assert bandwidth(speech(48000) / 1000 + rumble / np.abs(rumble).max(), 48000) == 24000

    def test_sounds_that_last_a_moment_count(self):
        rate = 48000
        narrow = brickwall(speech(rate, 4), rate, 16000)
        moments = noise(narrow.size) * (np.arange(narrow.size) / rate % 1 < 0.05)
        assert bandwidth(narrow, rate) < 8500
        assert bandwidth(narrow + moments, rate) == rate / 2

    @pytest.mark.parametrize("rate", RATES)
    def test_an_anti_aliasing_filter_near_the_top_is_no_edge(self, rate):
        assert bandwidth(brickwall(speech(rate), rate, round(0.975 * rate)), rate) == rate / 2

    @pytest.mark.parametrize(("step_db", "end"), [(-22, 24000), (-30, 6000)])
    def test_a_small_step_is_no_edge(self, step_db, end):
        everything = noise(96000)
        samples = (low := brickwall(everything, 48000, 12000)) + 10 ** (step_db / 20) * (everything - low)
        assert bandwidth(samples, 48000) == pytest.approx(end, rel=0.03)


class TestNarrowed:
    @pytest.mark.parametrize("store", STORAGES)
    @pytest.mark.parametrize("narrow", NARROWINGS)
    @pytest.mark.parametrize(
        ("rate", "low"), [(16000, 8000), (24000, 16000), (44100, 22050), (48000, 8000), (48000, 16000), (48000, 24000)]
    )
    def test_ends_where_it_was_cut(self, rate, low, narrow, store):
        found = bandwidth(store(narrow(speech(rate), rate, low)), rate)
        assert found == pytest.approx(low / 2, rel=0.1)

    @pytest.mark.parametrize("narrow", NARROWINGS)
    def test_one_click_does_not_hide_it(self, narrow):
        samples = narrow(speech(48000, 4), 48000, 16000)
        samples[100_000] += 0.5
        assert bandwidth(samples, 48000) == pytest.approx(8000, rel=0.1)

    def test_neither_does_a_whistle_above(self):
        # twice in LibriSpeech: a faint tone stands in what the codec left empty
        samples = brickwall(speech(16000), 16000, 8000)
        faint = 10 ** (-80 / 20) * np.sin(2 * np.pi * 7800 * np.arange(samples.size) / 16000)
        assert bandwidth(samples + faint, 16000) == pytest.approx(4000, rel=0.05)

    def test_nor_an_offset(self):
        assert bandwidth(brickwall(speech(16000), 16000, 8000) + 0.2, 16000) == pytest.approx(4000, rel=0.05)

    @pytest.mark.parametrize("step_db", [-15, -30])
    def test_of_two_edges_the_larger_counts(self, step_db):
        # a fainter band above the first edge is content: it is the one that ends in nothing
        top = brickwall(noise(96000), 48000, 32000)
        samples = (low := brickwall(top, 48000, 16000)) + 10 ** (step_db / 20) * (top - low)
        assert bandwidth(samples, 48000) == pytest.approx(16000, rel=0.05)


class TestLaws:
    @quick
    @given(rate=rates, share=st.floats(0.0, 1.0), seconds=st.floats(0.3, 2.0), seed=seeds)
    def test_low_passed_noise_ends_at_the_cutoff(self, rate, share, seconds, seed):
        cutoff = 1500 + share * (0.92 * rate / 2 - 1500)
        found = bandwidth(brickwall(noise(int(rate * seconds), seed), rate, 2 * cutoff), rate)
        assert abs(found - cutoff) <= 150  # little more than a band

    @quick
    @given(rate=rates, n=st.integers(2000, 40000), seed=seeds)
    def test_white_noise_has_no_end(self, rate, n, seed):
        assert bandwidth(noise(n, seed), rate) == rate / 2

    @quick
    @given(
        seed=st.integers(0, 1000),
        low=st.sampled_from([8000, 12000, 16000, 22050, 48000]),
        db=st.floats(-200, 60),
        sign=st.sampled_from([-1, 1]),
    )
    def test_gain_and_polarity_do_not_matter(self, seed, low, db, sign):
        samples = brickwall(speech(48000, 0.8, seed), 48000, low)
        assert bandwidth(sign * 10 ** (db / 20) * samples, 48000) == bandwidth(samples, 48000)

    @quick
    @given(n=st.integers(0, 1200), rate=rates, seed=seeds)
    def test_short_signals_have_a_value(self, n, rate, seed):
        assert 0 <= bandwidth(noise(n, seed), rate) <= rate / 2


class TestSpecialCases:
    @pytest.mark.parametrize("value", [0.0, 0.3, -1.0])
    @pytest.mark.parametrize("n", [0, 1, 100, 16000])
    def test_silence(self, n, value):
        assert bandwidth(np.full(n, value), 16000) == 0.0

    def test_a_click_in_digital_silence(self):
        samples = np.zeros(160000)
        samples[777] = 1.0
        assert bandwidth(samples, 16000) == 8000

    @pytest.mark.parametrize("gain", [1e-250, 1e250])
    def test_gains_whose_square_no_float_holds(self, gain):
        assert bandwidth(gain * speech(16000), 16000) == 8000

    @pytest.mark.parametrize(
        "samples", [[1.0, -1.0], [1e-200] * 600 + [0.1]], ids=["two", "a click after the last frame"]
    )
    def test_nothing_in_any_band(self, samples):
        assert bandwidth(np.array(samples), 16000) == 8000

    def test_a_beep(self):
        assert bandwidth(np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000), 16000) == pytest.approx(1000, abs=130)

    def test_long_files_are_taken_in_pieces(self):
        # several blocks of frames; the narrow part is the longer one, the wide one still counts
        wide, narrow = speech(16000, 3), brickwall(speech(16000, 27, seed=5), 16000, 8000)
        assert bandwidth(narrow, 16000) == pytest.approx(4000, rel=0.05)
        assert bandwidth(np.concatenate([narrow, wide]), 16000) == 8000
        assert bandwidth(np.concatenate([wide, narrow]), 16000) == 8000

    @pytest.mark.parametrize("bad", [np.nan, np.inf])
    def test_non_finite(self, bad):
        with pytest.raises(SrbenchError, match="NaN or infinity"):
            bandwidth(np.array([0.0, bad, 1.0]), 16000)

    def test_two_channels(self):
        with pytest.raises(SrbenchError, match=r"one channel.*\(100, 2\)"):
            bandwidth(np.zeros((100, 2)), 16000)

    def test_rate(self):
        with pytest.raises(SrbenchError, match="got 0"):
            bandwidth(noise(100), 0)


@pytest.fixture(scope="module")
def recordings() -> list[tuple[str, np.ndarray, int]]:
    folder = os.environ.get("SRBENCH_VCTK")
    if not folder:
        pytest.skip("SRBENCH_VCTK names no folder of VCTK recordings")
    files = sorted(file for file in Path(folder).rglob("*") if file.suffix in (".wav", ".flac"))
    assert files, f"no recordings in {folder}"
    chosen = files[:: max(1, len(files) // 25)]
    return [(file.name, *soundfile.read(file)) for file in chosen]


class TestRealSpeech:
    def test_as_it_is(self, recordings):
        narrow = {name: bandwidth(samples, rate) for name, samples, rate in recordings}
        assert not {
            name: hz for (name, hz), (_, _, rate) in zip(narrow.items(), recordings, strict=True) if hz < 0.45 * rate
        }

    @pytest.mark.parametrize("narrow", NARROWINGS)
    def test_narrowed_to_4_khz(self, recordings, narrow):
        found = {name: bandwidth(to_16_bits(narrow(samples, rate, 8000)), rate) for name, samples, rate in recordings}
        missed = {name: hz for name, hz in found.items() if not 3300 < hz < 4600}
        assert len(missed) <= 0.03 * len(found), missed
