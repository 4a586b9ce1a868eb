"""Bootstrap confidence intervals of a mean over utterances."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
SEED = 0
_DRAWN_AT_ONCE = 1_000_000


class Interval(NamedTuple):
    """A 95 % interval, and what was resampled: ``speakers``, ``utterances``, or ``nothing`` where there is none."""

    low: float
    high: float
    resampled: str


def mean_interval(values: NDArray[np.float64], speakers: NDArray[np.object_]) -> Interval:
    """Return the 95 % percentile bootstrap interval of the mean over utterances.

    Utterances of one speaker are alike, so speakers are what is resampled (cluster bootstrap: each draw takes whole
    speakers with replacement and the mean over their utterances). With one speaker the utterances are resampled,
    which says nothing about other speakers.

    Parameters
    ----------
    values : ndarray, shape (n,)
    speakers : ndarray, shape (n,)

    Returns
    -------
    Interval
        NaN bounds for fewer than two values, and where a value is infinite.
    """
    if len(values) < 2 or not np.isfinite(values).all():
        return Interval(float("nan"), float("nan"), "nothing")
    names, cluster = np.unique(speakers.astype(str), return_inverse=True)
    resampled = "speakers"
    if len(names) == 1:
        cluster, resampled = np.arange(len(values)), "utterances"
    clusters = int(cluster.max()) + 1
    sums = np.bincount(cluster, weights=values, minlength=clusters)
    counts = np.bincount(cluster, minlength=clusters)
    generator = np.random.default_rng(SEED)
    at_once = max(1, _DRAWN_AT_ONCE // clusters)  # bounds the memory; the draws are the same in any portions
    means: list[float] = []
    while len(means) < RESAMPLES:
        draws = generator.integers(clusters, size=(min(at_once, RESAMPLES - len(means)), clusters))
        means.extend(sums[draws].sum(axis=1) / counts[draws].sum(axis=1))
    low, high = np.quantile(means, (0.025, 0.975))
    return Interval(float(low), float(high), resampled)
