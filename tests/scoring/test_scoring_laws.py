"""Laws of scores, drawn by Hypothesis: numbers are the metrics' own, faults are named with their size, repairs undo."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pairs_of_speech import RATE, delayed, splined

import srbench
from srbench.metrics import METRICS
from srbench.scoring import Score

UTTERANCES = st.integers(0, 9)
SCALES = st.sampled_from([2, 4, 6])


def found(score: Score, kind: str) -> float | None:
    values = [warning.value for warning in score.warnings if warning.kind == kind]
    return values[0] if values else None


@settings(max_examples=30)
@given(UTTERANCES, SCALES, st.floats(0.15, 400), st.booleans())
def test_a_delay_is_found_and_aligning_takes_its_cost_away(number: int, scale: int, by: float, early: bool) -> None:
    reference, estimate, _ = splined(scale, number)
    by = -by if early else by
    late = delayed(estimate, by)
    score = srbench.score(reference, late, RATE)
    assert found(score, "delay") == pytest.approx(by, rel=0.02, abs=0.02)
    clean = srbench.score(reference, estimate, RATE).metrics["snr"]
    assert srbench.score(reference, late, RATE, align=True).metrics["snr"] == pytest.approx(clean, abs=0.3)


@settings(max_examples=30)
@given(UTTERANCES, SCALES, st.floats(0.5, 40), st.booleans())
def test_a_gain_is_found_whatever_else_is_done_to_the_pair(number: int, scale: int, db: float, down: bool) -> None:
    reference, estimate, _ = splined(scale, number)
    db = -db if down else min(db, 12)
    plain = srbench.score(reference, estimate, RATE)
    score = srbench.score(reference, estimate * 10 ** (db / 20), RATE)
    assert score.checks["gain_db"] == pytest.approx(plain.checks["gain_db"] + db, abs=1e-6)
    assert found(score, "gain") is not None
    assert score.checks["delay"] == pytest.approx(plain.checks["delay"], abs=1e-6)
    assert score.metrics["si_sdr"] == pytest.approx(plain.metrics["si_sdr"], abs=1e-6)
    both = [srbench.score(reference, e, RATE, match_gain=True) for e in (estimate, estimate * 10 ** (db / 20))]
    assert both[0].metrics["snr"] == pytest.approx(both[1].metrics["snr"], abs=1e-6)


@settings(max_examples=20)
@given(UTTERANCES, SCALES)
def test_polarity_changes_nothing_but_the_polarity(number: int, scale: int) -> None:
    reference, estimate, _ = splined(scale, number)
    plain, turned = srbench.score(reference, estimate, RATE), srbench.score(reference, -estimate, RATE)
    assert (plain.checks["polarity"], turned.checks["polarity"]) == (1, -1)
    assert turned.checks["delay"] == pytest.approx(plain.checks["delay"])
    assert turned.metrics["lsd"] == plain.metrics["lsd"]


@settings(max_examples=30)
@given(st.integers(1, 5000), st.integers(0, 2**32 - 1), st.floats(-80, 0), st.floats(-80, 20))
def test_numbers_are_the_metrics_own_whatever_the_signals(n: int, seed: int, level: float, noise: float) -> None:
    generator = np.random.default_rng(seed)
    reference = 10 ** (level / 20) * generator.uniform(-1, 1, n)
    estimate = reference + 10 ** ((level + noise) / 20) * generator.uniform(-1, 1, n)
    score = srbench.score(reference, estimate, RATE)
    for name in score.metrics:
        assert score.metrics[name] == METRICS[name](reference, estimate, RATE)
    assert score.repairs == ()
    assert score.samples == n


@settings(max_examples=30)
@given(st.integers(1, 3000), st.integers(1, 3000), st.sampled_from(["shorter", "pad"]), st.integers(0, 99))
def test_matched_lengths_are_said(n: int, m: int, how: str, seed: int) -> None:
    generator = np.random.default_rng(seed)
    score = srbench.score(generator.uniform(-1, 1, n), generator.uniform(-1, 1, m), RATE, match_length=how)
    assert score.samples == (min(n, m) if how == "shorter" else n)
    assert bool(score.repairs) == (n != m)
    assert found(score, "length") == (m - n if n != m else None)
