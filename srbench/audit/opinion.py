"""Wrappers of PESQ and STOI: which of them, in which order, at which rate, of which signals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from srbench.audit import probes as sets
from srbench.audit.fit import Asked, Fit, fit_all
from srbench.audit.front import prepared
from srbench.audit.probes import Array, Probes
from srbench.errors import SrbenchError
from srbench.metrics import get_metric

_FRONTS = (
    *("mean", "peak", "rms", "int16", "int16-trunc", "wrap-offset", "wrap", "est-int16", "int8", "est-int8"),
    *("est-peak", "est-rms-to-ref", "by-ref-peak", "by-both-peak", "clip", "emphasis0.97", "resample8000-HQ"),
)


@dataclass(frozen=True)
class Opinion:
    """A definition of a wrapper of PESQ or STOI.

    Attributes
    ----------
    metric : str
        A name in `srbench.metrics.METRICS`.
    swap : bool
        Reference and estimate are exchanged.
    rate : int
        What the samples' rate is taken to be, 0 for the true one.
    front : tuple of str
    """

    metric: str = "pesq"
    swap: bool = False
    rate: int = 0
    front: tuple[str, ...] = ()

    def base(self, probes: Probes) -> Array:
        """Return the value on each probe, NaN where there is none."""
        return _values(self, probes)


@lru_cache(maxsize=500)
def _values(point: Opinion, probes: Probes) -> Array:
    found = []
    for _, reference, estimate in probes.pairs:
        y, x = prepared(reference, estimate, probes.sample_rate, point.front)
        y, x = (x, y) if point.swap else (y, x)
        try:
            found.append(get_metric(point.metric)(y, x, point.rate or probes.sample_rate))
        except (SrbenchError, ValueError):
            found.append(float("nan"))
    return np.array(found)


def _tiers(declared: str, sample_rate: int) -> Iterator[list[Opinion]]:
    names = ("pesq", "pesq_nb") if declared.startswith("pesq") else ("stoi", "estoi")
    plain = [Opinion(name, swap) for name in sorted(names, key=lambda n: n != declared) for swap in (False, True)]
    yield plain[:1]
    yield plain[1:]
    rates = [rate for rate in (8000, 16000, 48000, 10000, 24000) if rate != sample_rate]
    yield [replace(point, rate=rate) for point in plain for rate in rates]
    yield [Opinion(declared, front=(front,)) for front in _FRONTS]


def search_opinion(asked: Asked, declared: str) -> list[Fit]:
    """Return the wrappers of PESQ or STOI that fit a target best, the best first; the first may be shown."""
    probes, fresh = sets.spoken(asked.sample_rate), sets.spoken(asked.sample_rate, True)
    measured = asked.on(probes)
    found: list[Fit] = []
    for tier in _tiers(declared, asked.sample_rate):
        bases = np.array([point.base(probes) for point in tier])
        for fit in [*fit_all(tier, bases, measured)[:3], *fit_all(tier, bases, measured, offset=True)[:3]]:
            fit = _named(fit)
            near = asked.agrees(fit, probes)
            if near and asked.agrees(fit, fresh):
                return [replace(fit, shown=True), *found[:3]]
            found.append(fit)
        found.sort(key=lambda fit: fit.error)
    return found


def _named(fit: Fit) -> Fit:
    """Return a fit with the plain factor that it nearly has."""
    for factor in (1.0, -1.0, 100.0, -100.0):
        if abs(fit.factor / factor - 1) < 2e-3 and abs(fit.offset - round(fit.offset)) < 2e-3 * abs(factor):
            return replace(fit, factor=factor, offset=float(round(fit.offset)))
    return fit
