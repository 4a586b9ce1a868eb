"""The metrics: definitions with signatures, and the registry that names them.

Order is always ``(reference, estimate)``. ``METRICS[name](reference, estimate, sample_rate)`` measures one;
`measure_all` shares one analysis among many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from types import MappingProxyType

from srbench.errors import UndefinedMetric, known_name
from srbench.metrics import intelligibility, lsd, perceptual, quality, waveform
from srbench.metrics.arguments import as_cutoff, as_rate
from srbench.metrics.metric import Definition, Metric
from srbench.metrics.pair import Pair

METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        metric.name: metric
        for module in (waveform, lsd, quality, intelligibility, perceptual)
        for metric in module.METRICS
    }
)

USUAL = tuple(metric.name for metric in METRICS.values() if metric.usual)  # where there is room for a few

__all__ = ["METRICS", "USUAL", "Definition", "Metric", "Pair", "get_metric", "measure_all"]


def get_metric(name: str) -> Metric:
    """Return a metric by name; `srbench.errors.known_name` says which spellings do.

    Raises
    ------
    SrbenchError
        If there is none, with the nearest name.
    """
    near = {metric.name: metric.near for metric in METRICS.values()}
    return METRICS[name if name in METRICS else known_name("metric", name, METRICS, near)]


def measure_all(pair: Pair, definitions: Mapping[str, Definition]) -> tuple[dict[str, float], dict[str, str]]:
    """Measure one pair by many definitions, with every analysis done once.

    Parameters
    ----------
    pair : Pair
    definitions : mapping of metric name to its definition at the pair's rate

    Returns
    -------
    values : dict of metric name to float
        Only the metrics that have a value.
    undefined : dict of metric name to str
        For the others, why not.
    """
    values: dict[str, float] = {}
    undefined: dict[str, str] = {}
    lsd.measure_ahead(pair, definitions.values())
    for name, definition in definitions.items():
        try:
            value = definition.measure(pair)
            if isnan(value):
                raise UndefinedMetric(f"{name} is not a number here (samples too large to square?)")
            values[name] = value
        except UndefinedMetric as reason:
            undefined[name] = str(reason)
    return values, undefined


def define(names: Sequence[str], sample_rate: int, cutoff: float | None) -> dict[str, Definition]:
    """Fix the definitions of metrics for one rate and cutoff.

    Raises
    ------
    SrbenchError
        If a name is unknown, the rate or the cutoff is none, or a metric is not defined at this rate or not installed.
    """
    rate = as_rate(sample_rate)
    asked = dict.fromkeys(map(get_metric, names))
    definitions = {metric.name: metric.define(rate, as_cutoff(cutoff, rate)) for metric in asked}
    for definition in definitions.values():
        definition.signature()  # raises where an optional package is not installed
    return definitions
