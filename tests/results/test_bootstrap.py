"""Bootstrap intervals against what is known in closed form, and how often they hold the true mean."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import norm, t

from srbench.results import bootstrap
from srbench.results.bootstrap import Interval, clusters, mean, mean_interval, most_coverage

Values = NDArray[np.float64]


def names(speakers: Values | list[str]) -> NDArray[np.object_]:
    return np.array([str(s) for s in speakers], dtype=object)


def t_width(values: Values) -> float:
    """Return the width of Student's 95 % interval of the mean of independent values."""
    n = len(values)
    return float(2 * t.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n))


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
def test_one_utterance_a_speaker_against_students_interval(draw: Callable[[np.random.Generator], Values]) -> None:
    values = draw(np.random.default_rng(0))
    interval = mean_interval(values, names(np.arange(len(values))))
    standard_error = values.std() / np.sqrt(len(values))
    assert interval.resampled == "speakers"
    assert width(interval) == pytest.approx(t_width(values), rel=0.06)
    assert (interval.low + interval.high) / 2 == pytest.approx(values.mean(), abs=0.15 * standard_error)


VCTK_TEST = [123, 301, 398, 419, 424, 424, 424, 424]  # utterances of the speakers of the split vctk-test8
MIXED = list(range(10, 50, 2))  # twenty speakers


def simulated_coverage(sizes: list[int], times: int) -> float:
    """Return how often the interval holds the true mean: a speaker's effect, and noise in each utterance."""
    rng = np.random.default_rng(1)
    speakers = names(np.repeat(np.arange(len(sizes)), sizes))
    hits = 0
    for _ in range(times):
        values = 12 + np.repeat(rng.normal(0, 1, len(sizes)), sizes) + rng.normal(0, 2, len(speakers))
        interval = mean_interval(values, speakers)
        hits += interval.low <= 12 <= interval.high
    return hits / times


@pytest.mark.parametrize("sizes", [[size // 10 for size in VCTK_TEST], MIXED, [1] * 60], ids=["8", "20", "60"])
def test_coverage_is_95_percent(sizes: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    assert 0.93 <= simulated_coverage(sizes, 10_000 if len(sizes) == 8 else 4000) <= 0.97
    if len(sizes) == 8:  # what the plain percentile interval would do
        monkeypatch.setattr(bootstrap, "_level", lambda number: 0.025)
        assert simulated_coverage(sizes, 2000) < 0.9


@pytest.mark.parametrize("number", [2, 3, 4, 5])
def test_few_speakers_reach_what_resampling_can_reach_and_no_more(number: int) -> None:
    coverage = simulated_coverage([10] * number, 2000)
    assert most_coverage(number) - 0.03 <= coverage <= most_coverage(number) + 0.02
    assert most_coverage(number) < 0.95 < most_coverage(6)


def test_level_of_the_expanded_percentile() -> None:
    """Quantiles so far out that for a normal bootstrap distribution the interval is Student's."""
    for number in (2, 6, 8, 100):
        level = bootstrap._level(number)
        assert -norm.ppf(level) * np.sqrt((number - 1) / number) == pytest.approx(t.ppf(0.975, number - 1))
    assert bootstrap._level(100_000) == pytest.approx(0.025, abs=1e-5)


def test_utterances_of_one_speaker_do_not_count_as_independent() -> None:
    """Forty speakers of 25 equal utterances each: as wide as forty utterances, five times as wide as a thousand."""
    means = np.random.default_rng(2).normal(0, 1, 40)
    values, speakers = means.repeat(25), names(np.arange(40).repeat(25))
    clustered = mean_interval(values, speakers)
    plain = mean_interval(values, names(np.arange(1000)))
    assert width(clustered) == pytest.approx(t_width(means), rel=0.06)
    assert width(clustered) / width(plain) == pytest.approx(5, rel=0.1)
    assert width(clustered) == pytest.approx(width(mean_interval(means, names(np.arange(40)))))


def test_mean_is_over_utterances_not_over_speakers() -> None:
    """A speaker with many utterances weighs as many: two speakers give one of three means, the middle one weighted."""
    values = np.array([1.0] * 9 + [0.0])
    interval = mean_interval(values, names(["a"] * 9 + ["b"]))
    assert (interval.low, interval.high, interval.resampled) == (0.0, 1.0, "speakers")
    shares = {draw: 0 for draw in (0.0, 0.9, 1.0)}
    draws = np.random.default_rng(bootstrap.SEED).integers(2, size=(bootstrap.resamples(2), 2))
    for a, b in draws:
        picked = [values[:9] if s == 0 else values[9:] for s in (a, b)]
        shares[round(float(np.concatenate(picked).mean()), 12)] += 1
    assert all(count > 400 for count in shares.values())


def test_speakers_of_different_sizes_against_a_bootstrap_written_out() -> None:
    rng = np.random.default_rng(3)
    speakers = names(rng.integers(0, 6, 50))
    values = rng.normal(0, 1, 50)
    groups = [values[speakers == s] for s in sorted(set(speakers))]
    draws = np.random.default_rng(bootstrap.SEED).integers(
        len(groups), size=(bootstrap.resamples(len(groups)), len(groups))
    )
    means = [np.concatenate([groups[g] for g in draw]).mean() for draw in draws]
    interval = mean_interval(values, speakers)
    level = norm.cdf(-np.sqrt(6 / 5) * t.ppf(0.975, 5))
    assert (interval.low, interval.high) == pytest.approx(tuple(np.quantile(means, (level, 1 - level))), abs=1e-12)


def test_one_speaker_resamples_utterances_and_says_so() -> None:
    values = np.random.default_rng(4).normal(5, 2, 400)
    interval = mean_interval(values, names(["p225"] * 400))
    assert interval.resampled == "utterances"
    assert width(interval) == pytest.approx(t_width(values), rel=0.06)


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


def test_clusters_are_speakers_by_name_or_utterances() -> None:
    cluster, resampled = clusters(names(["b", "a", "b", "c"]))
    assert (cluster.tolist(), resampled) == ([1, 0, 1, 2], "speakers")
    cluster, resampled = clusters(names(["b", "b", "b"]))
    assert (cluster.tolist(), resampled) == ([0, 1, 2], "utterances")


def test_draws_are_made_once_and_are_bounded_in_memory() -> None:
    bootstrap._kept_counts.cache_clear()
    rng = np.random.default_rng(7)
    for _ in range(14):
        mean_interval(rng.normal(0, 1, 500), names(["p225"] * 500))
    assert bootstrap._kept_counts.cache_info().misses == 1
    assert bootstrap._kept_counts(500).sum(axis=1).tolist() == [500] * bootstrap.RESAMPLES
    kept = bootstrap.RESAMPLES * bootstrap._KEPT_CLUSTERS * 8 * (bootstrap._kept_counts.cache_info().maxsize or 0)
    assert kept <= 128 * 2**20


def test_draws_are_the_same_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    values, speakers = np.random.default_rng(8).normal(0, 1, 90), names(np.arange(90) % 30)
    whole = mean_interval(values, speakers)
    monkeypatch.setattr(bootstrap, "_KEPT_CLUSTERS", 10)
    monkeypatch.setattr(bootstrap, "_DRAWN_AT_ONCE", 30 * 4000)
    assert [len(counts) for counts in bootstrap._counts(30)] == [4000, 4000, 2000]
    assert mean_interval(values, speakers)[:2] == pytest.approx(whole[:2], abs=1e-12)


@pytest.mark.parametrize("values", [[1e308] * 4, [1e308, -1e308, 1e308, 1.0], [1e308, 1e308, -1e308, -1e308]])
def test_values_whose_sum_is_too_large_have_no_interval(values: list[float]) -> None:
    """A journal may hold them, edited or damaged; NumPy's warning would be an error in some programs."""
    found = mean_interval(np.array(values), np.array(["a", "a", "b", "b"], object))
    assert (math.isnan(found.low), math.isnan(found.high), found.resampled) == (True, True, "nothing")
    mean(np.array(values))
