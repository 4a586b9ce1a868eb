"""STOI and ESTOI equal pystoi where pystoi has a value, and have none where it makes one up."""

from __future__ import annotations

import os
import warnings
from functools import cache
from importlib import metadata

import numpy as np
import pystoi
import pytest

from srbench import audio
from srbench.corpora import demo_corpus, open_corpus
from srbench.errors import SrbenchError, UndefinedMetric
from srbench.metrics import METRICS

STOI, ESTOI = METRICS["stoi"], METRICS["estoi"]
BOTH = [pytest.param(STOI, id="stoi"), pytest.param(ESTOI, id="estoi")]
RATES = [8000, 9600, 10000, 16000, 24000, 44100, 48000]


@cache
def speech(rate: int = 16000, index: int = 0) -> np.ndarray:
    samples, recorded = audio.read(demo_corpus().utterances[index].path)
    return audio.resample(samples, recorded, rate)


def worse(x: np.ndarray, level: float = 0.02) -> np.ndarray:
    return 0.5 * x + level * np.random.default_rng(0).standard_normal(len(x))


def assert_equals_pystoi(r: np.ndarray, e: np.ndarray, rate: int) -> None:
    assert STOI(r, e, rate) == pytest.approx(pystoi.stoi(r, e, rate), abs=1e-12)
    assert ESTOI(r, e, rate) == pytest.approx(pystoi.stoi(r, e, rate, extended=True), abs=1e-9)


class TestAgainstPystoi:
    @pytest.mark.parametrize("rate", RATES)
    def test_speech(self, rate):
        assert_equals_pystoi(speech(rate), worse(speech(rate)), rate)

    @pytest.mark.parametrize("level", [1e-4, 0.02, 0.5])
    def test_at_several_noise_levels(self, level):
        assert_equals_pystoi(speech(), worse(speech(), level), 16000)

    def test_speech_with_silent_parts(self):
        r = np.concatenate([np.zeros(8000), speech(), np.zeros(12000), speech(index=1), np.zeros(5000)])
        assert_equals_pystoi(r, worse(r), 16000)

    @pytest.mark.parametrize("end", range(16000, 16000 + 5 * 257, 257))
    def test_any_length(self, end):
        """A frame that ends with the last sample is pystoi's to leave out."""
        assert_equals_pystoi(speech(10000)[:end], worse(speech(10000)[:end]), 10000)

    @pytest.mark.parametrize("frames", [32, 33, 40])
    def test_lengths_of_whole_frames(self, frames):
        n = 256 + (frames - 1) * 128
        for length in (n - 1, n, n + 1):
            r = np.random.default_rng(1).standard_normal(length)
            assert_equals_pystoi(r, worse(r, 0.3), 10000)

    def test_estimate_silent_in_a_part(self):
        e = speech().copy()
        e[16000:40000] = 0
        assert STOI(speech(), e, 16000) == pytest.approx(pystoi.stoi(speech(), e, 16000), abs=1e-12)
        # In ESTOI a silent segment is the noise alone, at full weight: pystoi differs from run to run as well.
        theirs = [pystoi.stoi(speech(), e, 16000, extended=True) for _ in range(2)]
        assert ESTOI(speech(), e, 16000) == pytest.approx(theirs[0], abs=0.02)
        assert ESTOI(speech(), e, 16000) == ESTOI(speech(), e, 16000)

    def test_uncorrelated(self):
        e = np.random.default_rng(3).standard_normal(len(speech()))
        assert_equals_pystoi(speech(), e, 16000)
        assert STOI(speech(), e, 16000) < 0.5

    @pytest.mark.skipif("SRBENCH_VCTK" not in os.environ, reason="SRBENCH_VCTK names no VCTK folder")
    def test_vctk(self):
        utterances = open_corpus(os.environ["SRBENCH_VCTK"]).utterances[:4]
        assert utterances
        for utterance in utterances:
            r, rate = audio.read(utterance.path)
            assert_equals_pystoi(r, worse(r, 0.005), rate)


class TestValues:
    @pytest.mark.parametrize("metric", BOTH)
    def test_of_a_perfect_estimate(self, metric):
        assert metric(speech(), speech().copy(), 16000) == pytest.approx(1.0, abs=1e-9)

    @pytest.mark.parametrize("metric", BOTH)
    @pytest.mark.parametrize("gain", [-1.0, 0.01, 20.0])
    def test_does_not_depend_on_the_gain(self, metric, gain):
        e = worse(speech())
        assert metric(speech(), gain * e, 16000) == pytest.approx(metric(speech(), e, 16000), abs=1e-6)

    @pytest.mark.parametrize("metric", BOTH)
    def test_falls_with_the_noise(self, metric):
        values = [metric(speech(), worse(speech(), level), 16000) for level in (0.003, 0.03, 0.3)]
        assert 1 > values[0] > values[1] > values[2] > -1

    def test_stoi_is_not_estoi(self):
        assert STOI(speech(), worse(speech()), 16000) - ESTOI(speech(), worse(speech()), 16000) > 0.02

    @pytest.mark.parametrize("metric", BOTH)
    def test_repeats_to_the_last_bit_whatever_the_global_seed(self, metric):
        gap = worse(speech())
        gap[16000:40000] = 0
        for estimate in (worse(speech()), gap):
            found = set()
            for seed in (0, 1, 2):
                np.random.seed(seed)  # noqa: NPY002 - pystoi draws from the global generator
                found.add(metric(speech(), estimate, 16000))
            assert len(found) == 1

    def test_leaves_the_global_generator_alone(self):
        np.random.seed(7)  # noqa: NPY002
        ESTOI(speech(), worse(speech()), 16000)
        drawn = np.random.random()  # noqa: NPY002
        np.random.seed(7)  # noqa: NPY002
        assert np.random.random() == drawn  # noqa: NPY002


class TestWhatHasNoValue:
    @pytest.mark.parametrize("metric", BOTH)
    @pytest.mark.parametrize("silent", ["reference", "estimate"])
    def test_silence(self, metric, silent):
        signals = {"reference": speech(), "estimate": speech()} | {silent: np.zeros(len(speech()))}
        with pytest.raises(UndefinedMetric, match=f"the {silent} is silent: STOI is undefined"):
            metric(signals["reference"], signals["estimate"], 16000)

    @pytest.mark.parametrize("metric", BOTH)
    def test_estimate_silent_where_the_reference_speaks(self, metric):
        r = np.concatenate([np.zeros(16000), speech()])
        e = np.zeros(len(r))
        e[4000] = 0.1
        with pytest.raises(UndefinedMetric, match="the estimate is silent where the reference speaks"):
            metric(r, e, 16000)

    @pytest.mark.parametrize("metric", BOTH)
    @pytest.mark.parametrize("n", [1, 100, 256, 257, 409, 410, 1000, 6000])
    def test_too_short(self, metric, n):
        r = np.random.default_rng(0).standard_normal(n)
        with pytest.raises(UndefinedMetric, match=f"^{n} samples hold too little speech for STOI"):
            metric(r, r.copy(), 16000)

    @pytest.mark.parametrize("metric", BOTH)
    def test_little_speech_in_a_long_silence(self, metric):
        r = np.full(32000, 1e-6)
        r[16000:18000] = np.random.default_rng(0).standard_normal(2000)
        with pytest.raises(UndefinedMetric, match="32000 samples hold too little speech"):
            metric(r, r.copy(), 16000)

    def test_exactly_where_pystoi_gives_up(self):
        """pystoi warns and returns 1e-5 for less than 30 frames."""
        given_up = 0
        for n in range(3840, 4500, 32):
            r = np.random.default_rng(0).standard_normal(n)
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                theirs = pystoi.stoi(r, r.copy(), 10000)
            if caught:
                given_up += 1
                assert theirs == 1e-5
                with pytest.raises(UndefinedMetric, match="too little speech"):
                    STOI(r, r.copy(), 10000)
            else:
                assert STOI(r, r.copy(), 10000) == pytest.approx(theirs, abs=1e-12)
        assert 0 < given_up < 20

    @pytest.mark.parametrize(("metric", "name"), [(STOI, r"^STOI \(stoi\)"), (ESTOI, r"^ESTOI \(estoi\)")])
    def test_rates_below_8_khz(self, metric, name):
        with pytest.raises(SrbenchError, match=f"{name} needs a sample rate of at least 8000 Hz, not 7999"):
            metric(speech(), speech(), 7999)


def test_is_signed_for_what_computes_it():
    for metric in (STOI, ESTOI):
        assert dict(metric.signature(16000).fields)["impl"] == f"srbench+pystoi-{metadata.version('pystoi')}"
