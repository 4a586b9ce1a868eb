"""PESQ is never called beyond what its arrays hold: 50 stretches of speech, two minutes.

The counts were compared once with those of the C code itself, on 160 signals of words, sentences and bursts with pauses
of 0.15 to 1 s at both rates and in both modes: they are the same.
"""

from __future__ import annotations

import os

import numpy as np
import pytest

from srbench import audio
from srbench.corpora import demo_corpus, open_corpus
from srbench.errors import UndefinedMetric
from srbench.metrics import METRICS, Pair, define, measure_all, pesq_speech
from srbench.metrics.pesq_speech import _library, _places, _speech, refuse_too_long

WAYS = [("pesq", "wb", 16000), ("pesq_nb", "nb", 16000), ("pesq_nb", "nb", 8000)]
each_way = pytest.mark.parametrize(("name", "mode", "rate"), WAYS)


def bursts(count: int, rate: int, sound: float = 0.25, pause: float = 0.35) -> np.ndarray:
    """Return bursts of noise in digital silence, each a stretch of speech to PESQ."""
    burst = 0.1 * np.random.default_rng(0).standard_normal(round(sound * rate))
    return np.tile(np.concatenate([np.zeros(round(pause * rate)), burst]), count)


def stretches(reference: np.ndarray, rate: int, mode: str) -> int:
    return _places(_speech(_library(), (reference / np.abs(reference).max()).astype(np.float32), rate, mode))


@each_way
def test_sixty_words_have_no_value(name, mode, rate):
    """The C code wrote past its arrays, which ended Python."""
    words = np.concatenate([np.concatenate([word(rate, i), np.zeros(rate // 2)]) for i in range(60)])
    with pytest.raises(UndefinedMetric, match=r"too long for PESQ \(60 stretches of speech, it holds 50\)"):
        METRICS[name](words, 0.9 * words, rate)


def word(rate: int, index: int) -> np.ndarray:
    samples, recorded = audio.read(demo_corpus().utterances[index % 5].path)
    loud = np.argmax(np.abs(samples))
    return audio.resample(samples[max(0, loud - recorded // 4) :][: recorded // 2], recorded, rate)


@each_way
@pytest.mark.parametrize("count", [30, 49, 50, 51, 80])
def test_counts_what_is_there(name, mode, rate, count):
    assert stretches(bursts(count, rate), rate, mode) == count


@each_way
def test_fifty_are_measured_and_one_more_is_not(name, mode, rate):
    fifty, more = bursts(50, rate), bursts(51, rate)
    assert METRICS[name](fifty, 0.5 * fifty, rate) == pytest.approx(4.6, abs=0.1)
    with pytest.raises(UndefinedMetric, match="51 stretches of speech, it holds 50"):
        METRICS[name](more, 0.5 * more, rate)


def test_a_short_stretch_after_the_fiftieth_needs_a_place_too():
    counted, short, gap = np.ones(50, bool), np.ones(49, bool), np.zeros(60, bool)
    fifty = np.tile(np.concatenate([gap, counted]), 50)
    assert _places(fifty) == 50
    assert _places(np.concatenate([fifty, gap, short])) == 51
    assert _places(np.concatenate([gap, short, fifty, gap])) == 50
    assert _places(gap) == 0


def test_the_other_metrics_keep_their_values():
    words = bursts(60, 16000)
    values, undefined = measure_all(Pair(words, 0.5 * words, 16000), define(["snr", "pesq", "pesq_nb"], 16000, None))
    assert list(values) == ["snr"]
    assert sorted(undefined) == ["pesq", "pesq_nb"]


@each_way
def test_two_minutes_at_most(name, mode, rate):
    """1000 intervals of badly disturbed frames need longer than that."""
    noise = np.random.default_rng(0).standard_normal(121 * rate)
    with pytest.raises(UndefinedMetric, match=r"too long for PESQ \(121 s; it holds 120 s\)"):
        METRICS[name](noise, noise, rate)


@pytest.fixture
def uncountable(monkeypatch):
    monkeypatch.setattr(pesq_speech, "_library", lambda: None)


@each_way
def test_what_cannot_hold_fifty_is_not_counted(name, mode, rate, uncountable):
    refuse_too_long(np.ones(round(18.79 * rate)), 1.0, rate, mode)


@each_way
def test_undefined_where_the_stretches_cannot_be_counted(name, mode, rate, uncountable):
    with pytest.raises(UndefinedMetric, match=r"too long for PESQ .* can only be checked with pesq 0\.0\.4"):
        refuse_too_long(np.ones(round(18.81 * rate)), 1.0, rate, mode)


def test_another_version_of_the_package_is_not_called_into(monkeypatch):
    _library.cache_clear()
    monkeypatch.setattr(pesq_speech.metadata, "version", lambda _: "0.0.5")
    assert _library() is None
    _library.cache_clear()


@each_way
def test_the_shortest_signal_of_fifty_is_longer_than_what_is_not_counted(name, mode, rate):
    """Sounds and pauses as short as still count as stretches: still fewer than 50 in what is let through."""
    for pause in (0.19, 0.2, 0.21):
        dense = bursts(60, rate, 0.2, pause)[: round(18.8 * rate)]
        assert stretches(dense, rate, mode) < 50


@pytest.mark.skipif("SRBENCH_VCTK" not in os.environ, reason="SRBENCH_VCTK names no VCTK folder")
@each_way
def test_joined_recordings(name, mode, rate):
    """Real speech: some stretches a recording, and PESQ takes a joined one of fewer than 50."""
    parts = [audio.read(utterance.path) for utterance in open_corpus(os.environ["SRBENCH_VCTK"]).utterances[:8]]
    joined = np.concatenate([audio.resample(samples, recorded, rate) for samples, recorded in parts])
    assert 8 <= stretches(joined, rate, mode) <= 40
    assert 3 < METRICS[name](joined, 0.99 * joined, rate) <= 4.65
