"""The metrics: definitions with signatures, and the registry that names them.

Order is always ``(reference, estimate)``. ``METRICS[name](reference, estimate, sample_rate)`` measures one;
`measure_all` shares one analysis among many.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import isnan
from pathlib import Path

import numpy as np

from srbench.errors import SrbenchError, UndefinedMetric, known_name, shown
from srbench.metrics import intelligibility, lsd, perceptual, plugins, quality, waveform
from srbench.metrics.arguments import as_cutoff, as_rate
from srbench.metrics.declaration import described, refuse_taken
from srbench.metrics.metric import Definition, Metric
from srbench.metrics.pair import Pair
from srbench.metrics.plugins import metric
from srbench.plugins import installed

_OURS = {each.name: each for module in (waveform, lsd, quality, intelligibility, perceptual) for each in module.METRICS}
_PLUGGED: dict[str, Metric] = {}
_DESCRIBED: dict[str, Metric] = {}  # by the signatures of runs and leaderboards that were read


class _Metrics(Mapping[str, Metric]):
    """All metrics by name: our own, those of plug-in files, and, when asked for, of a package or only described."""

    def __getitem__(self, name: str) -> Metric:
        for known in (_OURS, _PLUGGED, _DESCRIBED):
            if name in known:
                return known[name]
        if (found := _of_package(name)) is None:
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter([*_OURS, *_PLUGGED])  # to look at those of packages would run their code

    def __len__(self) -> int:
        return len(_OURS) + len(_PLUGGED)


METRICS: Mapping[str, Metric] = _Metrics()


def _of_package(name: str) -> Metric | None:
    """Return the metric of this name that an installed package registers, None where none does; its code is run."""
    found = [each for each in installed("metric") if each.name == name]
    if len(found) > 1:
        origins = " and ".join(each.origin for each in found)
        raise SrbenchError(f"metric '{shown(name)}' is claimed by {origins}: uninstall one")
    if not found:
        return None
    made = plugins.of_package(found[0])
    refuse_taken(made, [*_OURS.values(), *_PLUGGED.values()])
    return made


def use_plugins(files: str | Path | Iterable[str | Path]) -> None:
    """Have the metrics of plug-in files known by name. Each file is run, in a process of its own; so are its metrics.

    Parameters
    ----------
    files : path or iterable of path
        A file that was named before is read again, and takes the place of what it held.

    Raises
    ------
    SrbenchError
        If one cannot be loaded, or the name of a metric is taken. Then nothing changes.

    Examples
    --------
    >>> use_plugins("my_metric.py")  # doctest: +SKIP
    >>> srbench.measure(reference, estimate, 16000, metrics=["snr", "my_metric"])  # doctest: +SKIP
    """
    found = dict(_PLUGGED)
    for file in dict.fromkeys(Path(each).resolve() for each in ([files] if isinstance(files, (str, Path)) else files)):
        own = plugins.in_file(file)
        found = {name: each for name, each in found.items() if each.home != plugins.home_of(file)}
        for made in own:
            refuse_taken(made, [*_OURS.values(), *found.values()])
            found[made.name] = made
    _PLUGGED.clear()
    _PLUGGED.update(found)


def forget_plugins() -> None:
    """Have only our own metrics and those of packages known again, and end the processes of the others."""
    _PLUGGED.clear()
    _DESCRIBED.clear()
    plugins.forget()


def describe(signatures: Mapping[str, str]) -> None:
    """Have metrics known that are unknown here, as the signatures beside their numbers describe them; see `described`.

    Parameters
    ----------
    signatures : mapping of metric name to str
        Of a run or a leaderboard that is read.

    Raises
    ------
    SrbenchError
        If a metric of that name is known, and is another: the other way round, or of another unit.
    """
    for name, text in signatures.items():
        told = described(name, text)
        if told is None:
            continue
        known = {**_DESCRIBED, **_PLUGGED, **_OURS}.get(name)  # to read numbers runs no code of a package
        if known is None:
            _DESCRIBED[name] = replace(told, define=partial(_define, told))
        elif (known.better, known.unit) != (told.better, told.unit):
            raise SrbenchError(
                f"its metric '{name}' of {told.home} ({told.unit}, {told.better} is better) is not "
                f"that of {known.home or 'srbench'} ({known.unit}, {known.better} is better)"
            )


USUAL = tuple(each.name for each in _OURS.values() if each.usual)  # where there is room for a few


def _define(told: Metric, sample_rate: int, cutoff: float | None) -> Definition:
    """Define a metric that was only described: by the package that has it, if it is installed."""
    return (_of_package(told.name) or told).define(sample_rate, cutoff)


__all__ = [
    "METRICS",
    "USUAL",
    "Definition",
    "Metric",
    "Pair",
    "describe",
    "forget_plugins",
    "get_metric",
    "measure_all",
    "metric",
    "use_plugins",
]


def get_metric(name: str) -> Metric:
    """Return a metric by name; `srbench.errors.known_name` says which spellings do.

    Raises
    ------
    SrbenchError
        If there is none, with the nearest name.
    """
    near = {each.name: each.near for each in METRICS.values()}
    found = METRICS.get(name)
    if found is not None:
        return found
    try:
        return METRICS[known_name("metric", name, METRICS, near)]
    except SrbenchError as error:
        raise SrbenchError(f"{error} For a plug-in's metric, add --plugin FILE.py.") from None


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
    with np.errstate(over="ignore", invalid="ignore"):  # of samples too large to square the values say enough
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
    definitions = {each.name: each.define(rate, as_cutoff(cutoff, rate)) for each in asked}
    for definition in definitions.values():
        definition.signature()  # raises where an optional package is not installed
    return definitions
