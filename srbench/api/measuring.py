"""`srbench.measure`: several metrics of one pair of arrays, measured as a run measures them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from srbench.api.arguments import the_metrics
from srbench.errors import UndefinedMetric
from srbench.metrics import Pair, define
from srbench.run.measuring import measure as measure_pair
from srbench.scoring.pair import default_metrics
from srbench.threads import single_threaded


def measure(
    reference: Any,
    estimate: Any,
    rate: int,
    metrics: str | Sequence[str] | None = None,
    *,
    cutoff: float | None = None,
) -> dict[str, float]:
    """Measure one pair by several metrics, with every analysis done once.

    The pair is measured as it is. `srbench.score` also looks for a delay, a gain or a missing band.

    Parameters
    ----------
    reference, estimate : ndarray of floats, shape (n,)
        Of equal length, full scale 1.0.
    rate : int, in Hz
    metrics : str or sequence of str, optional
        Names of `srbench.METRICS`; by default SNR, SI-SDR, MSE and LSD, and with a cutoff LSD-HF and LSD-LF. PESQ,
        ViSQOL and DNSMOS run in a process of their own.
    cutoff : float, in Hz, optional
        Half the low rate, for the metrics of one band.

    Returns
    -------
    dict of metric name to float
        In the order asked for, in each metric's unit (``srbench.METRICS[name].unit``).

    Raises
    ------
    SrbenchError
        If the pair is not valid, or a metric is unknown, not installed, or not defined at this rate.
    UndefinedMetric
        If a metric has no value here, as for a silent reference. `srbench.score` gives the others all the same.

    Examples
    --------
    >>> import numpy as np
    >>> reference = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    >>> found = measure(reference, 0.9 * reference, 16000, metrics=["snr", "lsd"])
    >>> {name: round(value, 3) for name, value in found.items()}
    {'snr': 20.0, 'lsd': 0.044}
    """
    names = the_metrics(metrics)
    pair = Pair(reference, estimate, rate, cutoff)
    definitions = define(default_metrics(pair.cutoff) if names is None else names, pair.sample_rate, pair.cutoff)
    with single_threaded():  # as in a run: a sum over several threads ends in other digits
        values, undefined = measure_pair(pair, definitions)
    if undefined:
        raise UndefinedMetric("; ".join(f"{name}: {why}" for name, why in undefined.items()))
    return values
