"""Bootstrap intervals against what is known in closed form."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from srbench.results import bootstrap
from srbench.results.bootstrap import Interval, mean_interval

Values = NDArray[np.float64]


def names(speakers: Values | list[str]) -> NDArray[np.object_]:
    return np.array([str(s) for s in speakers], dtype=object)


def width(interval: Interval) -> float:
    return interval.high - interval.low


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng: rng.normal(12, 3, 1000),
        lambda rng: rng.uniform(0, 1, 500),
        lambda rng: rng.exponential(2, 2000),
    ],
)
def test_one_utterance_a_speaker_against_the_normal_interval(draw: Callable[[np.random.Generator], Values]) -> None:
    values = draw(np.random.default_rng(0))
    interval = mean_interval(values, names(np.arange(len(values))))
    standard_error = values.std() / np.sqrt(len(values))
    assert interval.resampled == "speakers"
    assert width(interval) == pytest.approx(2 * 1.95996 * standard_error, rel=0.06)
    assert (interval.low + interval.high) / 2 == pytest.approx(values.mean(), abs=0.15 * standard_error)


def test_coverage_is_95_percent() -> None:
    rng = np.random.default_rng(1)
    speakers = names(np.arange(60))
    hits = 0
    for _ in range(400):
        interval = mean_interval(rng.normal(0, 1, 60), speakers)
        hits += interval.low <= 0 <= interval.high
    assert 0.915 <= hits / 400 <= 0.975


def test_utterances_of_one_speaker_do_not_count_as_independent() -> None:
    """Forty speakers of 25 equal utterances each: as wide as forty utterances, five times as wide as a thousand."""
    means = np.random.default_rng(2).normal(0, 1, 40)
    values, speakers = means.repeat(25), names(np.arange(40).repeat(25))
    clustered = mean_interval(values, speakers)
    plain = mean_interval(values, names(np.arange(1000)))
    assert width(clustered) == pytest.approx(2 * 1.96 * means.std() / np.sqrt(40), rel=0.06)
    assert width(clustered) / width(plain) == pytest.approx(5, rel=0.1)
    assert width(clustered) == pytest.approx(width(mean_interval(means, names(np.arange(40)))))


def test_mean_is_over_utterances_not_over_speakers() -> None:
    """A speaker with many utterances weighs as many: two speakers give one of three means, the middle one weighted."""
    values = np.array([1.0] * 9 + [0.0])
    interval = mean_interval(values, names(["a"] * 9 + ["b"]))
    assert (interval.low, interval.high, interval.resampled) == (0.0, 1.0, "speakers")
    shares = {draw: 0 for draw in (0.0, 0.9, 1.0)}
    draws = np.random.default_rng(bootstrap.SEED).integers(2, size=(bootstrap.RESAMPLES, 2))
    for a, b in draws:
        picked = [values[:9] if s == 0 else values[9:] for s in (a, b)]
        shares[round(float(np.concatenate(picked).mean()), 12)] += 1
    assert all(count > 400 for count in shares.values())


def test_speakers_of_different_sizes_against_a_bootstrap_written_out() -> None:
    rng = np.random.default_rng(3)
    speakers = names(rng.integers(0, 6, 50))
    values = rng.normal(0, 1, 50)
    groups = [values[speakers == s] for s in sorted(set(speakers))]
    draws = np.random.default_rng(bootstrap.SEED).integers(len(groups), size=(bootstrap.RESAMPLES, len(groups)))
    means = [np.concatenate([groups[g] for g in draw]).mean() for draw in draws]
    interval = mean_interval(values, speakers)
    assert (interval.low, interval.high) == pytest.approx(tuple(np.quantile(means, (0.025, 0.975))), abs=1e-12)


def test_one_speaker_resamples_utterances_and_says_so() -> None:
    values = np.random.default_rng(4).normal(5, 2, 400)
    interval = mean_interval(values, names(["p225"] * 400))
    assert interval.resampled == "utterances"
    assert width(interval) == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.06)


def test_constant_values() -> None:
    interval = mean_interval(np.full(10, 3.5), names(list("aabbccddee")))
    assert interval == (3.5, 3.5, "speakers")


@pytest.mark.parametrize("values", [[], [1.0], [1.0, np.inf, 2.0], [-np.inf, 1.0], [np.nan, 1.0, 2.0]])
def test_no_interval(values: list[float]) -> None:
    interval = mean_interval(np.array(values, dtype=np.float64), names(list("abc")[: len(values)]))
    assert np.isnan(interval.low)
    assert np.isnan(interval.high)
    assert interval.resampled == "nothing"


def test_two_values_have_one() -> None:
    assert mean_interval(np.array([1.0, 2.0]), names(["a", "b"])) == (1.0, 2.0, "speakers")
    assert mean_interval(np.array([1.0, 2.0]), names(["a", "a"])) == (1.0, 2.0, "utterances")


def test_same_numbers_every_time_and_global_generator_untouched() -> None:
    values, speakers = np.random.default_rng(5).normal(0, 1, 30), names(np.arange(30) % 7)
    np.random.seed(1)  # noqa: NPY002
    first = mean_interval(values, speakers)
    state = np.random.random()  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    assert state == np.random.random()  # noqa: NPY002
    assert mean_interval(values, speakers) == first


def test_names_of_speakers_do_not_matter() -> None:
    values = np.random.default_rng(6).normal(0, 1, 12)
    speakers = np.arange(12) // 3
    assert mean_interval(values, names(speakers)) == mean_interval(values, names([f"p{s}" for s in speakers]))
