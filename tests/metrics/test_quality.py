"""PESQ: the package's own value, at the rate that it works at, and no value where it has none."""

from __future__ import annotations

import os
from functools import cache

import numpy as np
import pesq
import pytest

from srbench import audio
from srbench.corpora import demo_corpus, open_corpus
from srbench.errors import SrbenchError, UndefinedMetric
from srbench.metrics import METRICS

MODES = [("pesq", "wb"), ("pesq_nb", "nb")]
by_mode = pytest.mark.parametrize(("name", "mode"), MODES)


@cache
def speech(rate: int = 16000, seconds: float = 1.5) -> np.ndarray:
    samples, recorded = audio.read(demo_corpus().utterances[0].path)
    return audio.resample(samples, recorded, rate)[: round(seconds * rate)]


def worse(x: np.ndarray, seed: int = 0) -> np.ndarray:
    return 0.7 * x + 0.01 * np.random.default_rng(seed).standard_normal(len(x))


@by_mode
def test_is_the_packages_value_at_16_khz(name, mode):
    r, e = speech(), worse(speech())
    assert METRICS[name](r, e, 16000) == pesq.pesq(16000, r, e, mode)


@by_mode
@pytest.mark.parametrize("rate", [24000, 44100, 48000])
def test_other_rates_are_resampled_first(name, mode, rate):
    r, e = speech(rate), worse(speech(rate))
    r16, e16 = (audio.resample(signal, rate, 16000) for signal in (r, e))
    assert METRICS[name](r, e, rate) == pesq.pesq(16000, r16, e16, mode)


@by_mode
def test_identity_is_the_top(name, mode):
    top = {"wb": 4.644, "nb": 4.549}[mode]
    assert METRICS[name](speech(), speech().copy(), 16000) == pytest.approx(top, abs=1e-3)


@by_mode
def test_falls_with_the_noise(name, mode):
    r = speech()
    values = [METRICS[name](r, r + level * worse(np.zeros(len(r))), 16000) for level in (0.1, 1, 10)]
    assert values[0] > values[1] > values[2] >= 1.0


@by_mode
def test_order_is_reference_then_estimate(name, mode):
    r, e = speech(), worse(speech())
    assert METRICS[name](r, e, 16000) != METRICS[name](e, r, 16000)


@by_mode
def test_does_not_depend_on_the_estimates_level(name, mode):
    """P.862 aligns the levels itself."""
    r, e = speech(), worse(speech())
    assert METRICS[name](r, 0.3 * e, 16000) == pytest.approx(METRICS[name](r, e, 16000), abs=0.02)


def test_wide_band_is_not_narrow_band():
    r = speech()
    e = audio.resample(audio.resample(r, 16000, 8000), 8000, 16000)
    assert METRICS["pesq_nb"](r, e, 16000) > 4.4  # both hold the telephone band
    assert METRICS["pesq"](r, e, 16000) < 4.2


@by_mode
@pytest.mark.parametrize("silent", ["reference", "estimate"])
def test_silence(name, mode, silent):
    signals = {"reference": speech(), "estimate": speech()} | {silent: np.zeros(len(speech()))}
    with pytest.raises(UndefinedMetric, match=f"the {silent} is silent: PESQ is undefined"):
        METRICS[name](signals["reference"], signals["estimate"], 16000)


@by_mode
@pytest.mark.parametrize("rate", [16000, 48000])
def test_too_short(name, mode, rate):
    part = speech(rate)[rate // 2 :]
    n = rate // 4
    assert 1 <= METRICS[name](part[:n], worse(part[:n]), rate) <= 4.65
    for short in (1, n - rate // 1000):
        with pytest.raises(UndefinedMetric, match=f"^{short} samples are too short for PESQ"):
            METRICS[name](part[:short] + 1e-3, worse(part[:short]), rate)


@by_mode
def test_no_speech_in_it(name, mode):
    """The package works in single precision at the pair's common peak: this reference is nothing to it."""
    with pytest.raises(UndefinedMetric, match=r"PESQ finds no speech in the pair \(No utterances detected\)"):
        METRICS[name](1e-60 * speech(), speech(), 16000)


def test_wide_band_is_never_upsampled():
    for rate in (8000, 11025, 15999):
        with pytest.raises(SrbenchError, match=rf"wide band \(pesq; .*at least 16000 Hz, not {rate}"):
            METRICS["pesq"](speech(), speech(), rate)


def test_narrow_band_is_never_upsampled():
    with pytest.raises(
        SrbenchError, match=r"narrow band \(pesq_nb\) needs a sample rate of at least 8000 Hz, not 7999"
    ):
        METRICS["pesq_nb"](speech(), speech(), 7999)


def test_narrow_band_at_8_khz_is_the_packages_value():
    r, e = speech(8000), worse(speech(8000))
    assert METRICS["pesq_nb"](r, e, 8000) == pesq.pesq(8000, r, e, "nb")
    with pytest.raises(UndefinedMetric, match=r"^1999 samples are too short for PESQ"):
        METRICS["pesq_nb"](r[8000:9999], e[8000:9999], 8000)


@pytest.mark.parametrize("rate", [11025, 12000])
def test_narrow_band_below_16_khz_is_brought_to_8(rate):
    r, e = speech(rate), worse(speech(rate))
    r8, e8 = (audio.resample(signal, rate, 8000) for signal in (r, e))
    assert METRICS["pesq_nb"](r, e, rate) == pesq.pesq(8000, r8, e8, "nb")
    assert dict(METRICS["pesq_nb"].signature(rate).fields)["resample"] == "soxr-HQ-8000"
    assert dict(METRICS["pesq_nb"].signature(8000).fields)["resample"] == "none"


@pytest.mark.skipif("SRBENCH_VCTK" not in os.environ, reason="SRBENCH_VCTK names no VCTK folder")
@by_mode
def test_vctk(name, mode):
    for utterance in open_corpus(os.environ["SRBENCH_VCTK"]).utterances[:2]:
        samples, recorded = audio.read(utterance.path)
        r = audio.resample(samples, recorded, 16000)
        assert METRICS[name](samples, worse(samples), recorded) == pesq.pesq(
            16000, r, audio.resample(worse(samples), recorded, 16000), mode
        )
