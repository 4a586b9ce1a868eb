"""What is repaired when it is asked for, and only then."""

from __future__ import annotations

import numpy as np
import pytest
from pairs_of_speech import RATE, delayed, half_band, speech, splined

import srbench
from srbench import audio
from srbench.errors import SrbenchError
from srbench.scoring import Repairs
from srbench.scoring.repair import align, match_length


@pytest.mark.parametrize("by", [1, -1, 0.5, -0.5, 0.25, 7.5, -7.5, 160, -160, 160.3])
def test_align_undoes_a_delay(by: float):
    samples = speech()
    reference, aligned = align(samples, delayed(samples, by), by)
    assert len(reference) == len(aligned) >= len(samples) - abs(by) - 1
    if by < 0:
        assert np.array_equal(reference, samples[len(samples) - len(reference) :]) or not float(by).is_integer()
    error = reference - aligned
    assert np.dot(error, error) < 1e-5 * np.dot(reference, reference)


def test_whole_samples_are_cut_and_nothing_is_computed():
    samples = np.random.default_rng(0).uniform(-1, 1, 100)
    late = np.concatenate([np.zeros(3), samples])[:100]
    reference, aligned = align(samples, late, 3.0)
    assert np.array_equal(reference, aligned)
    assert len(reference) == 97


@pytest.mark.parametrize("by", [1, 7.5, -160])
def test_aligned_scores_are_those_of_the_pair_without_delay(by: float):
    reference, estimate, _ = splined(2)
    clean = srbench.score(reference, estimate, RATE)
    late = srbench.score(reference, delayed(estimate, by), RATE, align=True)
    assert late.metrics["snr"] == pytest.approx(clean.metrics["snr"], abs=0.05)
    assert late.metrics["lsd"] == pytest.approx(clean.metrics["lsd"], abs=0.05)  # frames lie elsewhere
    assert float(late.repairs[0].split()[2]) == pytest.approx(-by, rel=0.01)
    assert [warning.kind for warning in late.warnings if warning.kind == "delay"] == ["delay"]


def test_what_aligning_leaves_out_of_the_reference_is_said():
    reference, estimate, _ = splined(2)
    n = len(reference)
    early = srbench.score(reference, estimate[500:], RATE, align=True, match_length="pad")
    assert early.repairs == (f"shifted by +500.0000 samples, {n - early.samples} samples of the reference left out",)
    assert n - 501 <= early.samples <= n - 500
    longer = srbench.score(reference, np.append(np.zeros(30), estimate), RATE, align=True, match_length="pad")
    assert longer.repairs[0].startswith("shifted by -30.0000 samples")
    assert longer.samples >= n - 1


def test_a_pair_without_fault_is_left_as_it_is():
    reference, estimate, _ = splined(2)
    asked = srbench.score(reference, estimate, RATE, align=True, match_length="shorter")
    assert asked.repairs == ()
    assert asked.metrics == srbench.score(reference, estimate, RATE).metrics


def test_match_length():
    long, short = np.arange(1.0, 6.0), np.arange(1.0, 4.0)
    for pair in ((long, short), (short, long)):
        assert [len(each) for each in match_length(*pair, "shorter")] == [3, 3]
    assert match_length(long, short, "pad")[1].tolist() == [1, 2, 3, 0, 0]
    assert match_length(short, long, "pad")[1].tolist() == [1, 2, 3]
    reference, estimate, _ = splined(2)
    for n, how in ((-50, "estimate padded"), (-50, "reference cut")):
        score = srbench.score(reference, estimate[:n], RATE, match_length="pad" if "padded" in how else "shorter")
        assert score.repairs[0].startswith(how)
    longer = srbench.score(reference, np.append(estimate, np.zeros(9)), RATE, match_length="shorter")
    assert longer.repairs == (f"estimate cut from {len(reference) + 9} to {len(reference)} samples",)
    assert longer.metrics == srbench.score(reference, estimate, RATE).metrics


def test_match_gain():
    reference, estimate, _ = splined(2)
    clean = srbench.score(reference, estimate, RATE, match_gain=True)
    louder = srbench.score(reference, 3.0 * estimate, RATE, match_gain=True)
    assert louder.metrics["snr"] == pytest.approx(clean.metrics["snr"])
    assert louder.repairs[0].startswith("estimate scaled by -9.")
    turned = srbench.score(reference, -estimate, RATE, match_gain=True)
    assert turned.metrics["snr"] < 0  # the polarity is not a gain


def test_a_gain_of_nothing_is_not_taken_away():
    reference = speech()
    copy = reference + 1e-5 * half_band(np.random.default_rng(0).standard_normal(len(reference)))
    score = srbench.score(reference, copy, RATE, match_gain=True)
    assert abs(score.checks["gain_db"]) < 1e-4
    assert score.repairs == ()
    assert score.metrics == srbench.score(reference, copy, RATE).metrics
    assert srbench.score(reference, 1.0001 * copy, RATE, match_gain=True).repairs == ("estimate scaled by -0.0009 dB",)


def test_resample():
    reference, estimate, _ = splined(2)
    other = audio.resample(estimate, RATE, 48000)
    score = srbench.score(reference, other, RATE, estimate_rate=48000, resample=True, match_length="shorter")
    assert score.repairs[0] == "resampled from 48000 to 16000 Hz"
    assert score.warnings[0].kind == "sample-rate"
    assert score.metrics["snr"] == pytest.approx(srbench.score(reference, estimate, RATE).metrics["snr"], abs=0.05)


def test_unknown_way_to_match_length():
    with pytest.raises(SrbenchError, match="shorter or pad"):
        Repairs(match_length="longer")
