"""Paired differences of two runs, a minus b, utterance by utterance: mean, interval, p-value, wins.

Both upscalers were given the same utterances, so the difference within each utterance is what is looked at: how hard
an utterance is falls out of it. What is resampled is the same as for the interval of a mean: whole speakers, or
utterances where there is one speaker.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from srbench.metrics import get_metric
from srbench.results.bootstrap import SEED, clusters, mean, mean_interval

if TYPE_CHECKING:
    from pandas import DataFrame

Columns = Mapping[str, Any]  # utterance, speaker, and every metric

FLIPS = 19_999
"""Sign flips of a Monte Carlo test; where all 2**k flips are no more (k up to 14), all are made and p is exact."""
_SIGNS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Paired:
    """One metric of two upscalers, a and b, over the utterances that have a value in both.

    Attributes
    ----------
    metric : str
    n : int
        Utterances with a value in both; ``unpaired`` have one in a or b only.
    unpaired : int
    mean_a, mean_b, mean_difference : float
        Over the n utterances, in the metric's unit; NaN where there is none, and ``reason`` says why.
    interval : (float, float)
        Of the mean difference; NaN where there is none.
    resampled : str
        ``speakers``, ``utterances`` or ``nothing``; ``clusters`` is how many.
    clusters : int
    p_value : float
        Two-sided, of the sign-flip test; NaN where there is none.
    a_wins, b_wins, ties : int
        Utterances in which the metric says that a, b or neither is better; they sum to n.
    identical : bool
        Whether every utterance has the same value in both: there is nothing to test.
    reason : str
        Why a number is missing, "" where none is.
    """

    metric: str
    n: int
    unpaired: int
    mean_a: float
    mean_b: float
    mean_difference: float
    interval: tuple[float, float]
    resampled: str
    clusters: int
    p_value: float
    a_wins: int
    b_wins: int
    ties: int
    identical: bool
    reason: str


def differences(a: Columns, b: Columns, metric: str) -> DataFrame:
    """Return the utterances that have a value of a metric in both tables, sorted by id.

    Parameters
    ----------
    a, b : mapping of name to column
        As `srbench.run.Run.columns`.
    metric : str

    Returns
    -------
    DataFrame
        Columns ``utterance``, ``speaker``, ``a``, ``b``, ``difference`` (a − b, in the metric's unit; NaN for two equal
        infinities), ``favours`` (1 where a is the better, −1 where b is, 0 for a tie).
    """
    import pandas as pd

    both = _common(a, b, metric)
    columns = {"utterance": both.utterances, "speaker": both.speakers, "a": both.a, "b": both.b}
    table: DataFrame = pd.DataFrame({**columns, "difference": both.difference, "favours": both.favours(metric)})
    return table


def paired(a: Columns, b: Columns, metrics: Sequence[str], *, test: bool = True) -> dict[str, Paired]:
    """Compare two tables of utterances by several metrics.

    Parameters
    ----------
    a, b : mapping of name to column
        As `srbench.run.Run.columns`.
    metrics : sequence of str
    test : bool
        Whether p-values are computed, which takes longest; else they are NaN.

    Returns
    -------
    dict of metric name to Paired
    """
    found = {metric: _untested(a, b, metric) for metric in metrics}
    if not test:
        return {name: row for name, (row, _) in found.items()}
    p_values = _p_values({name: sums for name, (row, sums) in found.items() if not row.reason and not row.identical})
    return {name: replace(row, p_value=p_values.get(name, math.nan)) for name, (row, _) in found.items()}


def sign_flip_test(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return two-sided p-values of the hypothesis that the differences of each cluster are symmetric about zero.

    If a and b are equally good, whichever of the two is called a is a coin toss for each speaker: all differences of a
    speaker change sign together. The p-value is the share of such tosses whose mean difference is at least as far out.

    Parameters
    ----------
    sums : ndarray, shape (clusters, tests)
        Differences summed within each cluster; each column is a test of its own, on the same tosses.

    Returns
    -------
    ndarray, shape (tests,)
        Exact where all tosses are no more than `FLIPS`, else from `FLIPS` of them, seeded.
    """
    from scipy.stats import permutation_test

    number = len(sums)

    # The permutation test of one sample flips signs; the sample it is given is +1 for each cluster, so that one set of
    # tosses and a matrix product serve every column.
    def summed(signs: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
        return np.moveaxis(signs, axis, -1) @ sums

    tested = permutation_test(
        (np.ones(number),),
        summed,
        permutation_type="samples",
        vectorized=True,
        n_resamples=FLIPS,
        batch=max(1, _SIGNS_AT_ONCE // number),
        random_state=np.random.default_rng(SEED),
    )
    return np.atleast_1d(np.asarray(tested.pvalue, dtype=np.float64))


def smallest_p(number: int) -> float:
    """Return the smallest p-value of a sign-flip test of so many clusters: 2 / 2**k, or 2 / (FLIPS + 1) if larger."""
    return max(2.0 ** (1 - number), 2 / (FLIPS + 1))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values so that, over all of them, a false finding below 0.05 has a chance of at most 5 %.

    The i-th smallest of m is multiplied by m − i + 1, and none is made smaller than one before it; at most 1. Source:
    S. Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 6, 1979.
    """
    adjusted, largest = list(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted


@dataclass(frozen=True)
class _Common:
    """The utterances that have a value in both, sorted by id."""

    utterances: list[str]
    speakers: NDArray[np.object_]
    a: NDArray[np.float64]
    b: NDArray[np.float64]

    @property
    def difference(self) -> NDArray[np.float64]:
        with np.errstate(invalid="ignore"):  # inf − inf
            return self.a - self.b

    def favours(self, metric: str) -> NDArray[np.int64]:
        higher = (self.a > self.b).astype(np.int64) - (self.a < self.b).astype(np.int64)
        return higher if get_metric(metric).better == "higher" else -higher


def _common(a: Columns, b: Columns, metric: str) -> _Common:
    places: list[dict[str, int]] = []
    values = [np.asarray(table[metric], np.float64) for table in (a, b)]
    for table, column in zip((a, b), values, strict=True):
        places.append({str(u): k for k, u in enumerate(table["utterance"]) if not math.isnan(column[k])})
    shared = sorted(places[0].keys() & places[1].keys())
    first, second = ([of[utterance] for utterance in shared] for of in places)
    return _Common(shared, np.asarray(a["speaker"], object)[first], values[0][first], values[1][second])


def _untested(a: Columns, b: Columns, metric: str) -> tuple[Paired, NDArray[np.float64]]:
    """Return all but the p-value, and the differences summed within each cluster."""
    both = _common(a, b, metric)
    difference, favours = both.difference, both.favours(metric)
    n, finite = len(difference), np.isfinite(difference)
    cluster, _ = clusters(both.speakers)
    sums = np.bincount(cluster, weights=np.where(finite, difference, 0.0)).astype(np.float64)
    reason = ""
    if n == 0:
        reason = "no utterance has a value in both"
    elif not finite.all():
        reason = f"{n - int(finite.sum())} of {n} differences are not finite: no mean, only wins"
    elif len(sums) < 2:
        reason = "one utterance: nothing to resample"
    low, high, resampled = mean_interval(difference, both.speakers)
    row = Paired(
        metric=metric,
        n=n,
        unpaired=sum(int(np.count_nonzero(~np.isnan(np.asarray(side[metric], np.float64)))) - n for side in (a, b)),
        mean_a=mean(both.a),
        mean_b=mean(both.b),
        mean_difference=mean(difference) if finite.all() else math.nan,
        interval=(low, high),
        resampled=resampled,
        clusters=len(sums),
        p_value=math.nan,
        a_wins=int((favours == 1).sum()),
        b_wins=int((favours == -1).sum()),
        ties=int((favours == 0).sum()),
        identical=n > 0 and bool((both.a == both.b).all()),
        reason=reason,
    )
    return row, sums[:, None]


def _p_values(sums: Mapping[str, NDArray[np.float64]]) -> dict[str, float]:
    """Test metrics together that have as many clusters: the tosses are what takes time."""
    found: dict[str, float] = {}
    for number in sorted({len(each) for each in sums.values()}):
        names = [name for name, each in sums.items() if len(each) == number]
        tested = sign_flip_test(np.hstack([sums[name] for name in names]))
        found |= dict(zip(names, tested.tolist(), strict=True))
    return found
