"""Paired differences: closed forms, laws, and what the p-values do in simulated benchmarks."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from srbench.results import paired as module
from srbench.results.bootstrap import mean_interval
from srbench.results.paired import FLIPS, Paired, differences, holm, paired, sign_flip_test, smallest_p

NONE = float("nan")
Values = NDArray[np.float64]


def table(values: list[float] | Values, speakers: str | list[str] = "", metric: str = "snr") -> pd.DataFrame:
    names = [str(s) for s in speakers] or ["a"] * len(values)
    ids = [f"{s}_{n:03}" for n, s in enumerate(names)]
    return pd.DataFrame({"utterance": ids, "speaker": names, metric: np.array(values, dtype=np.float64)})


def snr(a: list[float] | Values, b: list[float] | Values, speakers: str | list[str] = "") -> Paired:
    return paired(table(a, speakers), table(b, speakers), ["snr"])["snr"]


# --- differences, means, counts


def test_differences_are_joined_by_utterance_in_any_order() -> None:
    a, b = table([1, 2, 3], "xyz"), table([5, 1, 3], "xyz")
    found = differences(a, b.iloc[[2, 0, 1]], "snr")
    assert found["utterance"].tolist() == ["x_000", "y_001", "z_002"]
    assert found["speaker"].tolist() == ["x", "y", "z"]
    assert found["difference"].tolist() == [-4, 1, 0]
    assert found["favours"].tolist() == [-1, 1, 0]


def test_wins_go_by_the_direction_of_the_metric() -> None:
    for metric, wins in (("snr", (2, 1)), ("pesq", (2, 1)), ("lsd", (1, 2)), ("mse", (1, 2))):
        found = paired(table([2, 3, 0, 1], metric=metric), table([1, 1, 1, 1], metric=metric), [metric])[metric]
        assert (found.a_wins, found.b_wins, found.ties, found.n) == (*wins, 1, 4)
        assert found.mean_difference == 0.5


def test_means_and_interval_are_of_the_utterances_in_both() -> None:
    a = [1.0, 2.0, NONE, 4.0, 5.0, NONE]
    b = [0.0, NONE, 1.0, 1.0, 7.0, NONE]
    found = snr(a, b, "pqrstu")
    assert (found.n, found.unpaired) == (3, 2)
    assert (found.mean_a, found.mean_b, found.mean_difference) == pytest.approx((10 / 3, 8 / 3, 2 / 3))
    expected = mean_interval(np.array([1.0, 3.0, -2.0]), np.array(list("pst"), dtype=object))
    assert (*found.interval, found.resampled, found.clusters) == (*expected, 3)
    assert found.reason == ""


def test_mean_is_over_utterances() -> None:
    assert snr([1, 1, 1, 5], [0, 0, 0, 0], "ppps").mean_difference == 2.0


# --- what has no number


def test_identical_is_said_and_not_tested() -> None:
    found = snr([1, 2, 3], [1, 2, 3], "pqr")
    assert found.identical
    assert math.isnan(found.p_value)
    assert (found.mean_difference, found.interval, found.ties, found.reason) == (0.0, (0.0, 0.0), 3, "")
    assert not snr([1, 2, 3], [1, 2, 3.0000001], "pqr").identical


@pytest.mark.parametrize(
    ("a", "b", "wins", "why"),
    [
        ([math.inf, math.inf, 3], [1, 2, 3], (2, 0, 1), "2 of 3 differences are not finite"),
        ([math.inf, math.inf, 3], [math.inf, 2, 4], (1, 1, 1), "2 of 3 differences are not finite"),
        ([-math.inf, math.inf, 0], [math.inf, -math.inf, 0], (1, 1, 1), "2 of 3 differences are not finite"),
    ],
)
def test_infinite_differences_have_wins_but_no_mean(
    a: list[float], b: list[float], wins: tuple[int, int, int], why: str
) -> None:
    found = snr(a, b, "pqr")
    assert all(map(math.isnan, (found.mean_difference, found.p_value, *found.interval)))
    assert (found.a_wins, found.b_wins, found.ties) == wins
    assert found.reason.startswith(why)
    assert not found.identical


def test_the_reference_against_itself() -> None:
    found = snr([math.inf] * 4, [math.inf] * 4, "pqrs")
    assert found.identical
    assert (found.ties, found.resampled) == (4, "nothing")
    assert math.isnan(found.mean_difference)


def test_nothing_in_common_and_one_utterance() -> None:
    found = snr([1, NONE], [NONE, 1])
    assert (found.n, found.unpaired, found.identical) == (0, 2, False)
    assert found.reason == "no utterance has a value in both"
    found = snr([1.0], [3.0])
    assert (found.n, found.mean_difference, found.b_wins) == (1, -2.0, 1)
    assert all(map(math.isnan, (found.p_value, *found.interval)))
    assert found.reason == "one utterance: nothing to resample"


# --- the sign-flip test


def test_p_value_by_enumeration_written_out() -> None:
    sums = np.random.default_rng(0).normal(0.3, 1, 9)
    flipped = [abs(np.dot(signs, sums)) for signs in product((1, -1), repeat=9)]
    expected = np.mean(np.array(flipped) >= abs(sums.sum()) - 1e-9)
    assert sign_flip_test(sums[:, None]) == pytest.approx([expected])


@pytest.mark.parametrize("number", [2, 3, 5, 8, 14])
def test_all_on_one_side_is_the_smallest_p(number: int) -> None:
    sums = np.abs(np.random.default_rng(number).normal(1, 1, (number, 1)))
    assert sign_flip_test(sums) == pytest.approx([2 / 2**number])
    assert smallest_p(number) == max(2 / 2**number, 2 / (FLIPS + 1))


def test_smallest_p_of_many_clusters_is_set_by_the_flips() -> None:
    assert smallest_p(60) == 2 / (FLIPS + 1)
    assert sign_flip_test(np.ones((60, 1))) == pytest.approx([smallest_p(60)])


def test_whole_speakers_are_flipped() -> None:
    """Eight speakers of fifty like utterances each are eight tosses and not four hundred."""
    found = snr(np.ones(400), np.zeros(400), [f"p{n % 8}" for n in range(400)])
    assert (found.resampled, found.clusters, found.p_value) == ("speakers", 8, 2 / 2**8)
    found = snr(np.ones(12), np.zeros(12))
    assert (found.resampled, found.clusters, found.p_value) == ("utterances", 12, 2 / 2**12)


def test_monte_carlo_is_near_the_exact_value_and_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    sums = np.random.default_rng(1).normal(0.4, 1, (12, 3))
    exact = sign_flip_test(sums)
    monkeypatch.setattr(module, "FLIPS", 4000)  # fewer than 2**12
    assert sign_flip_test(sums) == pytest.approx(exact, abs=0.02)
    assert sign_flip_test(sums).tolist() == sign_flip_test(sums).tolist()


def test_metrics_are_tested_as_if_alone() -> None:
    """One set of tosses serves all metrics, also those with fewer speakers."""
    rng = np.random.default_rng(2)
    a, b = (table(rng.normal(0, 1, 20), [f"p{n % 10}" for n in range(20)]) for _ in range(2))
    for each in (a, b):
        each["lsd"] = rng.normal(0, 1, 20)
        each["pesq"] = np.where(each["speaker"] == "p3", NONE, rng.normal(0, 1, 20))
    together = paired(a, b, ["snr", "lsd", "pesq"])
    assert together["pesq"].clusters == 9
    for metric, row in together.items():
        assert paired(a, b, [metric])[metric] == row


SPEAKERS = np.repeat(np.arange(8), [3, 5, 8, 8, 9, 9, 10, 12])


def simulated(shift: float, times: int) -> Values:
    """Return p-values of benchmarks: differences with an effect of the speaker, and noise in each utterance."""
    rng = np.random.default_rng(3)
    effects = rng.normal(0, 1, (8, times))[SPEAKERS]
    values = shift + effects + rng.normal(0, 2, effects.shape)
    sums = np.array([values[speaker == SPEAKERS].sum(axis=0) for speaker in range(8)])
    return sign_flip_test(sums)


def test_p_values_are_uniform_where_there_is_no_difference() -> None:
    p_values = simulated(0.0, 4000)
    for level in (2 / 256, 0.05, 0.1, 0.25, 0.5, 0.75):
        reachable = np.floor(level * 128) / 128  # of eight speakers every p is a multiple of 2/256
        share = np.mean(p_values <= level + 1e-12)
        assert share == pytest.approx(reachable, abs=4 * np.sqrt(level * (1 - level) / 4000))


def test_utterances_taken_for_independent_would_find_too_much() -> None:
    """Why speakers are what is flipped: the same benchmarks, each utterance a toss of its own."""
    rng = np.random.default_rng(3)
    values = rng.normal(0, 1, (8, 500))[SPEAKERS] + rng.normal(0, 2, (len(SPEAKERS), 500))
    assert np.mean(sign_flip_test(values) < 0.05) > 0.15


def test_power() -> None:
    weak, strong = (np.mean(simulated(shift, 1000) < 0.05) for shift in (0.5, 3.0))
    assert 0.1 < weak < 0.5
    assert strong > 0.95


# --- Holm


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_its_definition(p_values: list[float]) -> None:
    """Of p(1) ≤ … ≤ p(m), the adjusted i-th is the largest over j ≤ i of (m − j + 1) p(j), at most 1."""
    m, ordered = len(p_values), sorted(p_values)
    expected = {p: min(1, max((m - j) * ordered[j] for j in range(i + 1))) for i, p in reversed([*enumerate(ordered)])}
    adjusted = holm(p_values)
    for p, q in zip(p_values, adjusted, strict=True):
        assert q >= p
        if ordered.count(p) == 1:
            assert q == expected[p]
    assert sorted(adjusted) == [adjusted[i] for i in sorted(range(m), key=p_values.__getitem__)]


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.6]) == [1.0, 1.0]
    assert holm([0.02]) == [0.02]
    assert holm([]) == []


def test_holm_keeps_false_findings_rare() -> None:
    rng = np.random.default_rng(4)
    false = sum(min(holm(rng.uniform(0, 1, 14).tolist())) < 0.05 for _ in range(4000))
    assert 0.035 < false / 4000 < 0.06


# --- laws


pairs = st.lists(
    st.tuples(st.floats(-30, 30), st.floats(-30, 30), st.sampled_from("pqrstuvw")), min_size=2, max_size=30
)


@given(pairs)
def test_swapping_a_and_b_turns_every_sign(drawn: list[tuple[float, float, str]]) -> None:
    a, b, speakers = (list(each) for each in zip(*drawn, strict=True))
    one, other = snr(a, b, speakers), snr(b, a, speakers)
    assert one.mean_difference == pytest.approx(-other.mean_difference, abs=1e-12)
    assert one.interval == pytest.approx((-other.interval[1], -other.interval[0]), abs=1e-9)
    assert one.p_value == pytest.approx(other.p_value, nan_ok=True)
    assert (one.a_wins, one.b_wins, one.ties) == (other.b_wins, other.a_wins, other.ties)
    assert one.a_wins + one.b_wins + one.ties == one.n == len(drawn)
    assert one.identical == other.identical == math.isnan(one.p_value)


@given(pairs)
def test_order_of_utterances_does_not_matter(drawn: list[tuple[float, float, str]]) -> None:
    a, b, speakers = (list(each) for each in zip(*drawn, strict=True))
    first, second = table(a, speakers), table(b, speakers)
    shuffled = [each.sample(frac=1, random_state=seed) for seed, each in enumerate((first, second))]
    assert paired(*shuffled, ["snr"]) == paired(first, second, ["snr"])


@given(pairs, st.integers(-20, 20))
def test_a_shift_of_a_shifts_the_difference(drawn: list[tuple[float, float, str]], shift: int) -> None:
    a, b, speakers = (list(each) for each in zip(*drawn, strict=True))
    one, other = snr(a, b, speakers), snr([value + shift for value in a], b, speakers)
    assert other.mean_difference == pytest.approx(one.mean_difference + shift, abs=1e-9)
    assert other.interval == pytest.approx((one.interval[0] + shift, one.interval[1] + shift), abs=1e-9)
    assert other.resampled == one.resampled
