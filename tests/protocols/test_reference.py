"""From a recording to the pair of signals: each step, their order, and what is refused."""

from __future__ import annotations

import os
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kit import noise

from srbench import audio
from srbench.corpora import demo_corpus, open_corpus
from srbench.degradation import Brickwall, Iir, Subsample, degrade
from srbench.errors import SrbenchError
from srbench.protocols.protocol import load_protocol
from srbench.protocols.reference import prepare, trim

quick = settings(max_examples=40, deadline=None, derandomize=True)
PLAIN = replace(load_protocol("demo"), degradation=Subsample(), trim_top_db=None, level="none")


def burst(before: int, during: int, after: int, floor: float = 0.0) -> np.ndarray:
    signal = noise(before + during + after, 1, floor)
    signal[before : before + during] += noise(during, 2)
    return signal


class TestTrim:
    @pytest.fixture(autouse=True)
    def _librosa(self):
        self.effects = pytest.importorskip("librosa").effects

    def assert_equals_librosa(self, samples: np.ndarray, top_db: float = 15.0) -> np.ndarray:
        made = trim(samples, top_db)
        np.testing.assert_array_equal(made, self.effects.trim(samples, top_db=top_db)[0])
        return made

    @pytest.mark.parametrize("floor", [0.0, 1e-7, 1e-3, 0.05])
    @pytest.mark.parametrize("before", [0, 1, 511, 5000])
    @pytest.mark.parametrize("after", [0, 300, 4096, 9001])
    def test_bursts(self, before, after, floor):
        self.assert_equals_librosa(burst(before, 6000, after, floor))

    def test_cuts_both_ends_and_not_the_middle(self):
        pause = np.concatenate([burst(20000, 6000, 8000), burst(8000, 6000, 20000)])
        made = self.assert_equals_librosa(pause)
        assert 2 * 6000 + 16000 <= len(made) < 2 * 6000 + 16000 + 4 * 2048

    @pytest.mark.parametrize("top_db", [1.0, 15, 40, 60.0])
    def test_speech(self, top_db):
        lengths = []
        for utterance in demo_corpus().utterances[:5]:
            samples, rate = audio.read(utterance.path)
            for target in (rate, 16000):
                resampled = audio.resample(samples, rate, target)
                lengths.append(len(resampled) - len(self.assert_equals_librosa(resampled, top_db)))
        assert max(lengths) > 0

    @pytest.mark.skipif("SRBENCH_VCTK" not in os.environ, reason="SRBENCH_VCTK names no VCTK folder")
    def test_vctk(self):
        for utterance in open_corpus(os.environ["SRBENCH_VCTK"]).utterances[:8]:
            self.assert_equals_librosa(audio.read(utterance.path)[0])

    @quick
    @given(st.integers(1, 9000), st.integers(0, 20), st.floats(1, 60))
    def test_any_length(self, n, seed, top_db):
        self.assert_equals_librosa(noise(n, seed) * np.hanning(n + 2)[1:-1] ** 4, top_db)

    @pytest.mark.parametrize("at", [0, -1])
    def test_ends_are_extended_by_zeros(self, at):
        """One high sample at the end of a silence: repeated, it would be loud."""
        samples = burst(10240, 6000, 10240)
        samples[at] = 0.3
        assert len(self.assert_equals_librosa(samples)) < 12000

    def test_silence_is_left_alone(self):
        assert len(self.assert_equals_librosa(np.zeros(5000))) == 5000

    @pytest.mark.parametrize("level", [1e-6, 1e-3, 1.0, 30.0])
    def test_levels(self, level):
        """Below 1e-5 every frame counts as equally loud."""
        self.assert_equals_librosa(level * burst(9000, 6000, 9000))


class TestPrepare:
    def test_as_it_is_at_the_high_rate(self):
        recording = noise(16000)
        made = prepare(recording, 16000, PLAIN)
        np.testing.assert_array_equal(made.reference, recording)
        np.testing.assert_array_equal(made.low, recording[::4])

    @pytest.mark.parametrize("rate", [8000, 15999])
    def test_never_upsamples(self, rate):
        with pytest.raises(SrbenchError, match=f"recorded at {rate} Hz: it cannot be a reference at 16000 Hz"):
            prepare(noise(16000), rate, PLAIN)

    @pytest.mark.parametrize("rate", [22050, 24000, 44100, 48000])
    def test_resamples_by_the_one_resampler(self, rate):
        recording = noise(rate)
        wanted = audio.resample(recording, rate, 16000)
        np.testing.assert_array_equal(prepare(recording, rate, PLAIN).reference, wanted[: len(wanted) // 4 * 4])

    @quick
    @given(
        st.integers(1100, 4000),
        st.sampled_from([(4000, 16000), (Fraction(8000, 3), 16000), (8000, 44100), (16000, 48000), (12000, 44100)]),
    )
    def test_crops_to_whole_low_resolution_samples(self, n, rates):
        low_rate, high_rate = rates
        protocol = replace(PLAIN, low_rate=low_rate, high_rate=high_rate, degradation=Iir())
        recording = noise(n)
        made = prepare(recording, high_rate, protocol)
        step = (Fraction(high_rate) / Fraction(low_rate)).numerator
        assert len(made.reference) == n // step * step
        assert len(made.low) * high_rate == len(made.reference) * low_rate
        np.testing.assert_array_equal(made.reference, recording[: len(made.reference)])
        np.testing.assert_array_equal(made.low, degrade(made.reference, high_rate, low_rate, Iir()))

    def test_a_rate_that_is_not_whole(self):
        protocol = load_protocol("vctk-speaker1-r6")
        assert protocol.low_rate == Fraction(8000, 3)
        made = prepare(noise(16003), 16000, protocol)
        assert (len(made.reference), len(made.low)) == (16002, 2667)

    @pytest.mark.parametrize("n", [1, 3])
    def test_too_short(self, n):
        with pytest.raises(SrbenchError, match=f"{n} samples are too short for a single low-resolution sample"):
            prepare(noise(n), 16000, PLAIN)

    def test_peak_level(self):
        made = prepare(noise(16000), 16000, replace(PLAIN, level="peak"))
        assert np.abs(made.reference).max() == 1.0
        np.testing.assert_allclose(made.reference, noise(16000) / np.abs(noise(16000)).max(), rtol=1e-15)
        np.testing.assert_array_equal(made.low, made.reference[::4])

    def test_peak_may_be_negative(self):
        recording = np.clip(noise(1600), -1, 0.01)
        assert prepare(recording, 16000, replace(PLAIN, level="peak")).reference.min() == -1.0

    def test_level_of_silence(self):
        made = prepare(np.zeros(1600), 16000, replace(PLAIN, level="peak"))
        assert not made.reference.any()

    def test_level_none_keeps_the_level(self):
        recording = 3 * noise(1600)
        np.testing.assert_array_equal(prepare(recording, 16000, PLAIN).reference, recording)

    def test_trims(self):
        recording = burst(20000, 8000, 20000)
        made = prepare(recording, 16000, replace(PLAIN, trim_top_db=15.0))
        wanted = trim(recording, 15.0)
        assert len(wanted) < 20000
        np.testing.assert_array_equal(made.reference, wanted[: len(wanted) // 4 * 4])

    def test_no_trim_keeps_the_ends(self):
        assert len(prepare(burst(20000, 8000, 20000), 16000, PLAIN).reference) == 48000

    def test_resamples_before_it_trims(self):
        """The frames of the trim are counted in samples of the high rate."""
        recording = burst(30000, 30000, 30000)
        wanted = trim(audio.resample(recording, 48000, 16000), 15.0)
        wrong = audio.resample(trim(recording, 15.0), 48000, 16000)
        assert len(wanted) != len(wrong)
        made = prepare(recording, 48000, replace(PLAIN, trim_top_db=15.0)).reference
        np.testing.assert_array_equal(made, wanted[: len(made)])
        assert len(made) == len(wanted) // 4 * 4

    def test_trims_before_it_levels(self):
        """A loud click too short to be kept does not set the level."""
        recording = burst(20000, 8000, 20000)
        recording[100] = 0.7
        assert np.abs(trim(recording, 15.0)).max() < 0.6
        made = prepare(recording, 16000, replace(PLAIN, trim_top_db=15.0, level="peak"))
        assert np.abs(made.reference).max() == 1.0

    def test_levels_before_it_crops(self):
        recording = noise(1602)
        recording[1601] = 2.0
        made = prepare(recording, 16000, replace(PLAIN, level="peak"))
        assert len(made.reference) == 1600
        np.testing.assert_array_equal(made.reference, recording[:1600] / 2)

    def test_degrades_last(self):
        """The low-resolution signal is made from the finished reference, nothing else."""
        protocol = replace(PLAIN, trim_top_db=15.0, level="peak", degradation=Brickwall(1024, 256))
        made = prepare(burst(20000, 8000, 20000), 48000, protocol)
        np.testing.assert_array_equal(made.low, degrade(made.reference, 16000, 4000, Brickwall(1024, 256)))

    def test_leaves_the_recording_alone(self):
        recording = burst(9000, 8001, 9000)
        kept = recording.copy()
        recording.setflags(write=False)
        first = prepare(recording, 24000, load_protocol("demo"))
        np.testing.assert_array_equal(recording, kept)
        second = prepare(recording, 24000, load_protocol("demo"))
        np.testing.assert_array_equal(first.reference, second.reference)
        np.testing.assert_array_equal(first.low, second.low)
        assert first.reference.dtype == first.low.dtype == np.float64
