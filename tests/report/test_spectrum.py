"""Curves over frequency: their relation to the metric, their means, how they are drawn."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from srbench.audio import Samples
from srbench.corpora import Utterance, demo_corpus
from srbench.errors import SrbenchError, UndefinedMetric
from srbench.metrics import METRICS, Pair
from srbench.metrics.lsd import nuwave
from srbench.protocols import load_protocol
from srbench.report.figure import Upscaled, entrants_by_name, looks, upscale_utterance
from srbench.report.spectrum import (
    Curve,
    average,
    band_means,
    draw_lsd,
    draw_spectra,
    long_term_spectrum,
    lsd_over_frequency,
    utterance_lsd,
    utterance_spectra,
)
from srbench.run import Entrant

pytest.importorskip("matplotlib")
pytest.importorskip("seaborn")
PROTOCOL = load_protocol("demo")
UTTERANCES = demo_corpus().utterances[:2]
ENTRANTS = entrants_by_name([Entrant("spline"), Entrant("linear")], PROTOCOL)


@pytest.fixture(scope="module")
def made() -> Upscaled:
    return upscale_utterance(UTTERANCES[0], ENTRANTS, PROTOCOL)


def noise(seed: int, n: int = 8000) -> Samples:
    return np.random.default_rng(seed).normal(0, 0.1, n)


def test_identical_signals_are_0_everywhere(made: Upscaled):
    curve = lsd_over_frequency(made.reference, made.reference.copy(), 16000)
    assert curve.hertz[[0, 1, -1]].tolist() == [0, 7.8125, 8000]
    assert not curve.values.any()


def test_relation_to_the_metric(made: Upscaled):
    """Mean over bins of L(f)² = lsd² + variance over frames of the frames' LSD: both are the mean of D²."""
    for estimate in made.estimates.values():
        curve = lsd_over_frequency(made.reference, estimate, 16000).values
        powers = [np.abs(stft(signal)) ** 2 for signal in (made.reference, estimate)]
        frames = np.sqrt(np.mean(np.log10(np.maximum(powers[0], 1e-8) / np.maximum(powers[1], 1e-8)) ** 2, axis=1))
        lsd = METRICS["lsd"](made.reference, estimate, 16000)
        assert frames.mean() == pytest.approx(lsd, rel=1e-9)
        assert np.mean(curve**2) == pytest.approx(lsd**2 + frames.var(), rel=1e-9)
        assert np.sqrt(np.mean(curve**2)) > lsd


def stft(samples: Samples) -> np.ndarray:
    padded = np.pad(samples, 1024, mode="reflect")
    frames = np.stack([padded[start : start + 2048] for start in range(0, len(padded) - 2047, 512)])
    return np.fft.rfft(frames * np.hanning(2049)[:-1], axis=1)


@given(st.integers(0, 99), st.integers(100, 199))
def test_the_curves_mean_is_the_lsd_that_pools_over_frames_first(a: int, b: int):
    pair = noise(a), noise(b)
    pooled = replace(nuwave(16000), pool="rms_t.mean_f").measure(Pair(*pair, 16000))
    assert lsd_over_frequency(*pair, 16000).values.mean() == pytest.approx(pooled, rel=1e-12)


@given(st.floats(0.1, 10))
def test_a_gain_is_flat_and_is_the_metric(gain: float):
    reference = noise(0)
    curve = lsd_over_frequency(reference, gain * reference, 16000).values
    assert curve == pytest.approx(abs(2 * np.log10(gain)), abs=1e-9)
    assert np.sqrt(np.mean(curve**2)) == pytest.approx(METRICS["lsd"](reference, gain * reference, 16000), abs=1e-9)


def test_only_the_bins_that_differ_are_far():
    time = np.arange(16000) / 16000
    reference = noise(0, 16000)
    curve = lsd_over_frequency(reference, reference + 0.5 * np.sin(2 * np.pi * 3000 * time), 16000)
    assert curve.hertz[curve.values.argmax()] == 3000
    # at the ends the reflected tone breaks, and reaches everywhere
    assert np.median(curve.values[np.abs(curve.hertz - 3000) > 500]) < 0.1
    assert curve.values.max() > 1


def test_undefined_as_the_metric_is():
    with pytest.raises(UndefinedMetric, match="silent"):
        lsd_over_frequency(np.zeros(8000), noise(0), 16000)
    with pytest.raises(UndefinedMetric, match="too short"):
        lsd_over_frequency(noise(0, 100), noise(1, 100), 16000)


@pytest.mark.parametrize("rate", [4000, 16000, 48000])
def test_long_term_spectrum_of_a_tone(rate: int):
    samples = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(4 * rate) / rate)
    hertz, power = long_term_spectrum(samples, rate)
    assert (hertz[power.argmax()], hertz[-1]) == (1000, rate / 2)
    assert power.max() == pytest.approx(0.25, rel=0.01)


def test_means_over_utterances():
    alone = [upscale_utterance(utterance, ENTRANTS, PROTOCOL) for utterance in UTTERANCES]
    told: list[tuple[str, int, int]] = []
    for measure in (utterance_lsd, utterance_spectra):
        averaged = average(UTTERANCES, ENTRANTS, PROTOCOL, measure, lambda *said: told.append(said))
        assert (averaged.n, averaged.left_out) == (2, {})
        one, two = (measure(each, PROTOCOL) for each in alone)
        assert list(averaged.curves) == list(one)
        for name, curve in averaged.curves.items():
            np.testing.assert_allclose(curve.values, (one[name].values + two[name].values) / 2, rtol=1e-12)
            assert curve.hertz.tolist() == one[name].hertz.tolist()
    assert list(one) == ["low resolution", "spline", "linear", "reference"]
    assert told[:2] == [("utterances", 1, 2), ("utterances", 2, 2)]


def test_an_utterance_that_cannot_be_used_is_left_out_for_all():
    gone = Utterance("gone", "x", demo_corpus().root / "gone.wav")
    averaged = average([gone, UTTERANCES[0]], ENTRANTS, PROTOCOL, utterance_lsd)
    assert (averaged.n, list(averaged.left_out)) == (1, ["gone"])
    assert "no such file" in averaged.left_out["gone"]
    only = average(UTTERANCES[:1], ENTRANTS, PROTOCOL, utterance_lsd)
    assert averaged.curves["spline"].values.tolist() == only.curves["spline"].values.tolist()
    with pytest.raises(SrbenchError, match="none of 1 utterances can be used; the first, gone"):
        average([gone], ENTRANTS, PROTOCOL, utterance_lsd)


def test_band_means():
    hertz = np.arange(0, 8001, 1000.0)
    curves = {"rises": Curve(hertz, hertz / 1000), "low": Curve(hertz[:3], np.full(3, 4.0))}
    bands = band_means(curves, 8000, 2000)
    assert [(band["from_hz"], band["to_hz"]) for band in bands[:3]] == [(0, 2000), (2000, 8000), (0, 1000)]
    assert len(bands) == 10
    assert bands[0]["mean"] == {"rises": 0.5, "low": 4.0}
    assert bands[1]["mean"] == {"rises": 5.0, "low": 4.0}
    assert bands[-1]["mean"] == {"rises": 7.5, "low": None}
    tens = band_means({"ten": Curve(hertz, np.full(9, 10.0))}, 8000, 2000, as_db=True)
    assert tens[0]["mean"] == {"ten": pytest.approx(10.0)}


def test_how_spectra_are_drawn(made: Upscaled):
    curves = utterance_spectra(made, PROTOCOL)
    figure = draw_spectra(curves, 8000, 2000, title="title")
    (axis,) = figure.axes
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("frequency (kHz)", "level (dB, 0 is a sine of full scale)")
    assert (axis.get_xlim(), figure.get_suptitle()) == ((0, 8), "title")
    lines = {line.get_label(): line for line in axis.lines}
    assert set(lines) == {*curves, "cutoff 2 kHz"}
    assert list(lines["cutoff 2 kHz"].get_xdata()) == [2, 2]
    np.testing.assert_allclose(lines["spline"].get_xdata(), curves["spline"].hertz / 1000)
    np.testing.assert_allclose(lines["spline"].get_ydata(), 10 * np.log10(curves["spline"].values), rtol=1e-9)
    assert lines["low resolution"].get_xdata().max() == 2
    assert {text.get_text() for text in figure.legends[0].get_texts()} == set(lines)


def test_how_lsd_is_drawn(made: Upscaled):
    curves = utterance_lsd(made, PROTOCOL)
    (axis,) = draw_lsd(curves, 8000, 2000).axes
    lines = {line.get_label(): line for line in axis.lines}
    assert set(lines) == {"spline", "linear", "cutoff 2 kHz"}
    assert re.search("LSD", axis.get_ylabel())
    assert axis.get_ylim()[0] == 0
    assert axis.get_ylim()[1] >= max(curve.values.max() for curve in curves.values())
    assert lines["linear"].get_ydata().tolist() == curves["linear"].values.tolist()
    # one look an upscaler, whatever figure
    assert all(lines[name].get_color() == look.color for name, look in looks(curves).items() if name in lines)


def test_lsd_of_a_perfect_upscaler_can_be_drawn(made: Upscaled):
    curves = {"perfect": lsd_over_frequency(made.reference, made.reference, 16000)}
    assert draw_lsd(curves, 8000, 2000).axes[0].get_ylim() == (0, 1)
