"""What an estimate lacks, and where it is clipped, is no gain: level is read off what both have."""

from __future__ import annotations

import numpy as np
import pytest
from pairs_of_speech import RATE, half_band, speech, splined

import srbench
from srbench import audio
from srbench.audio import Samples

LEVEL = {"gain", "polarity", "mismatch"}


def kinds(score: srbench.scoring.Score) -> set[str]:
    return {warning.kind for warning in score.warnings}


def _first_half(samples: Samples) -> Samples:
    return samples[: len(samples) // 2]


def _without_start(samples: Samples) -> Samples:
    return samples[4000:]


def _later(samples: Samples) -> Samples:
    return np.concatenate([np.zeros(6000), samples])


def _holed(samples: Samples) -> Samples:
    loudest = int(np.abs(samples).argmax())
    holed = samples.copy()
    holed[max(0, loudest - 1600) : loudest + 1600] = 0
    return holed


def _clipped(samples: Samples) -> Samples:
    limit = 0.5 * np.abs(samples).max()
    return np.clip(samples, -limit, limit)


@pytest.mark.parametrize("spoil", [_first_half, _without_start, _later, _holed, _clipped])
@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("number", [0, 3, 6, 9])
def test_what_is_missing_is_no_gain(spoil, scale: int, number: int):
    reference, estimate, cutoff = splined(scale, number)
    clean = srbench.score(reference, estimate, RATE, cutoff)
    for known in (cutoff, None):
        score = srbench.score(reference, spoil(estimate), RATE, known, match_length="shorter")
        assert kinds(score) & LEVEL == set()
        assert score.checks["gain_db"] == pytest.approx(clean.checks["gain_db"], abs=0.03)
    if spoil in (_first_half, _without_start, _later):
        score = srbench.score(reference, spoil(estimate), RATE, cutoff, match_length="shorter")
        assert score.checks["low_band_db"] == pytest.approx(clean.checks["low_band_db"], abs=6)
        assert kinds(score) <= {"length", "delay"}


@pytest.mark.parametrize("spoil", [_first_half, _without_start, _later, _holed, _clipped])
@pytest.mark.parametrize("db", [-20, 6])
def test_a_gain_is_found_beside_it(spoil, db: float):
    reference, estimate, _ = splined(2)
    score = srbench.score(reference, spoil(estimate) * 10 ** (db / 20), RATE, match_length="shorter")
    (found,) = [warning for warning in score.warnings if warning.kind == "gain"]
    assert found.value == pytest.approx(db, abs=max(0.02 * abs(db), 0.11))


@pytest.mark.parametrize("spoil", [_first_half, _holed, _clipped])
def test_matching_the_gain_does_no_harm(spoil):
    reference, estimate, _ = splined(2)
    plain, matched = (
        srbench.score(reference, spoil(estimate), RATE, match_length="shorter", match_gain=how) for how in (False, True)
    )
    assert matched.metrics["snr"] > plain.metrics["snr"] - 0.05


def test_a_gain_is_no_fault_where_taking_it_away_costs_more():
    """Noise that is as loud as the gain: at the reference's level it would be louder still."""
    reference = speech()
    noise = np.random.default_rng(0).standard_normal(len(reference)) * reference.std() / 3
    quiet = (reference + noise - half_band(noise, 3500)) * 10 ** (-0.5 / 20)
    score = srbench.score(reference, quiet, RATE)
    assert score.checks["gain_db"] == pytest.approx(-0.5, abs=0.05)
    assert "gain" not in kinds(score)


def test_no_line_says_that_a_repair_makes_it_worse():
    reference, estimate, _ = splined(2)
    score = srbench.score(reference, -0.5 * np.roll(estimate, 40), RATE)
    (found,) = [warning for warning in score.warnings if warning.kind == "gain"]
    assert found.effects["snr"].without < found.effects["snr"].now
    assert "would be" not in found.detail


@pytest.mark.parametrize("cutoff", [50.0, 100.0])
def test_a_cutoff_too_low_to_correlate_below(cutoff: float):
    reference = speech()
    score = srbench.score(reference, reference + half_band(reference, 2000) / 100, RATE, cutoff)
    assert score.checks["confidence"] > 0.99
    assert "mismatch" not in kinds(score)


def test_splines_are_not_called_narrow():
    """They end somewhat below their reference, as any low-pass does."""
    for number in range(8):
        reference, estimate, _ = splined(2, number)
        assert kinds(srbench.score(reference, estimate, RATE)) == set()


@pytest.mark.parametrize(("label", "rate"), [(44100, 48000), (16000, 22050)])
def test_the_side_whose_header_differs_is_named(label: int, rate: int):
    """The reference is at ``rate`` and says so; the estimate is too, and is labelled otherwise."""
    reference, estimate, _ = splined(2)
    reference, estimate = audio.resample(reference, RATE, rate), audio.resample(estimate, RATE, rate)
    score = srbench.score(reference, estimate, rate, estimate_rate=label, resample=True, match_length="shorter")
    found = [warning for warning in score.warnings if warning.kind == "sample-rate"][-1]
    assert (found.side, found.value) == ("estimate", rate)
    assert found.detail.startswith(f"labelled {label} Hz, the estimate fits the reference only as {rate} Hz")


@pytest.mark.parametrize("level", [0.5, 1.0])
def test_the_low_band_is_held_against_the_low_signal_whatever_its_level(level: float):
    reference, estimate, cutoff = splined(2)
    low = level * audio.resample(reference, RATE, RATE // 2)
    for made in (estimate, estimate[4000:]):
        score = srbench.score(reference, made, RATE, cutoff, low=low, match_length="shorter")
        assert score.checks["low_band_db"] > 25
    damaged = estimate - 0.7 * half_band(estimate, 1500)
    assert "low-band" in kinds(srbench.score(reference, damaged, RATE, cutoff, low=low))
