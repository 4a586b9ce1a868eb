"""Fit definitions to a target's answers: a factor, an offset, a constant that is added, limits, rounding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import product
from typing import Any

import numpy as np

from srbench.audit.probes import Array, Probe, Probes, answers
from srbench.audit.ratio import CONSTANTS, Ratio, terms

SHOWN = 1e-6  # greatest relative error of a definition that is shown to be the target's
NARROW = 3e-5  # the same of a target that answers in single precision


@dataclass(frozen=True)
class Fit:
    """A definition with what stands around it: ``factor * base + offset``, limited, rounded.

    Attributes
    ----------
    point : Ratio, Error, Distance or Opinion
    factor, offset : float
    error : float
        The greatest on the probes of the search, relative to the values.
    cap, least : float or None
        No answer is above, none below.
    shown : bool
        It reproduces the target on fresh probes.
    edges : bool
        It does so on nearly equal, nearly silent and quiet signals, too.
    """

    point: Any
    factor: float
    error: float
    offset: float = 0.0
    cap: float | None = None
    least: float | None = None
    shown: bool = False
    edges: bool = True

    def predict(self, probes: Probes) -> Array:
        """Return the values on the probes."""
        with np.errstate(all="ignore"):
            found = self.factor * self.point.base(probes) + self.offset
            if self.cap is not None:
                found = np.minimum(found, self.cap)
            return np.asarray(found if self.least is None else np.maximum(found, self.least))


class Asked:
    """A target that is asked about every set of probes once."""

    def __init__(self, target: Callable[[Any, Any], float], sample_rate: int) -> None:
        self.target, self.sample_rate = target, sample_rate
        self._kept: dict[Probes, Array] = {}

    def on(self, probes: Probes) -> Array:
        """Return the answers to a set of probes, NaN where there is none."""
        if probes not in self._kept:
            self._kept[probes] = answers(self.target, probes)
        return self._kept[probes]

    def on_pair(self, reference: Array, estimate: Array) -> float:
        """Return the answer to one pair."""
        return float(answers(self.target, [Probe("", reference, estimate)])[0])

    @property
    def _finite(self) -> Array:
        values = np.concatenate([*self._kept.values()])
        return np.asarray(values[np.isfinite(values)])

    @property
    def decimals(self) -> int | None:
        """To how many decimals every answer so far is rounded, None where they are not."""
        values = self._finite
        for k in range(5):
            if len(values) >= 3 and np.ptp(values) and np.allclose(values, np.round(values, k), rtol=0, atol=1e-12):
                return k
        return None

    @cached_property
    def narrow(self) -> bool:
        """Whether every answer is a number in single precision: then so may be the arithmetic."""
        values = self._finite
        return bool(len(values) and np.all(values == values.astype(np.float32)))

    def agrees(self, fit: Fit, probes: Probes) -> bool:
        """Tell whether a definition reproduces the answers, and says infinite or none where the target does."""
        measured, predicted = self.on(probes), fit.predict(probes)
        if not np.isfinite(measured).sum() > len(measured) / 3:
            return False
        decimals = self.decimals
        if decimals is not None:
            return bool(np.nanmax(np.abs(measured - predicted)) <= 0.5001 * 10.0**-decimals)
        return distance(measured, predicted, fit.point) <= (NARROW if self.narrow else SHOWN)


def distance(measured: Array, predicted: Array, point: Any) -> float:
    """Return the greatest relative error where the target has answers; of logarithms relative to 1 at least."""
    finite = np.isfinite(measured)
    if not finite.any():
        return float("inf")
    scale = np.abs(measured[finite])
    scale = np.maximum(scale, _least(scale, point))
    error = np.abs(measured[finite] - predicted[finite]) / scale
    return float("inf") if np.isnan(error).any() else float(error.max())


def _least(scale: Array, point: Any) -> float:
    """Return below which value errors are absolute: logarithms cross 0, errors of samples do not."""
    return 1e-12 if linear(point) else max(0.1 * float(scale.max()), 1e-12)


def linear(point: Any) -> bool:
    """Tell whether a definition's values are no logarithms, so that every probe counts relative to itself."""
    if isinstance(point, Ratio):
        return point.form == "linear"
    form = getattr(point, "form", "") + getattr(point, "scale", "log")
    return not form.startswith("dB") and (hasattr(point, "form") or not form.startswith("log"))


def fit_all(points: Sequence[Any], bases: Array, measured: Array, offset: bool = False) -> list[Fit]:
    """Fit a factor (and an offset) to many definitions at once, the best first.

    Parameters
    ----------
    points : sequence
    bases : ndarray, shape (len(points), probes)
    measured : ndarray, shape (probes,)
    offset : bool
        Fit an offset, too.
    """
    used = np.isfinite(measured)
    if used.sum() < 2 + offset:
        return []
    m, b = measured[used], bases[:, used]
    fine = np.asarray(np.isfinite(b).all(1))
    b = np.where(fine[:, None], b, 0.0)
    relative = np.array([linear(point) for point in points])
    size = np.abs(m)
    weights = np.where(relative[:, None], 1 / np.maximum(size, 1e-12), 1 / np.maximum(size, 0.1 * size.max() + 1e-12))
    wb, wm = b * weights, m * weights
    if offset:
        sw2, sb, sm = (weights**2).sum(1), (wb * weights).sum(1), (wm * weights).sum(1)
        sbb, sbm = (wb**2).sum(1), (wb * wm).sum(1)
        with np.errstate(all="ignore"):
            factors = (sw2 * sbm - sb * sm) / (sw2 * sbb - sb**2)
            offsets = (sm - factors * sb) / sw2
    else:
        with np.errstate(all="ignore"):
            factors, offsets = (wb * wm).sum(1) / (wb**2).sum(1), np.zeros(len(points))
    errors = np.abs(wm - (factors[:, None] * wb + offsets[:, None] * weights)).max(1)
    errors = np.where(fine & np.isfinite(errors), errors, np.inf)
    order = np.argsort(errors, kind="stable")
    return [Fit(points[k], float(factors[k]), float(errors[k]), float(offsets[k])) for k in order if errors[k] < np.inf]


def amounts(value: Callable[[float], float], wanted: float) -> list[float]:
    """Return the constants between 1e-26 and 1e4 at which a value is the one wanted, exact ones rounded."""
    if not np.isfinite(wanted):
        return []
    grid = np.linspace(-26.37, 4.11, 24)  # no round number is on it
    off = np.array([value(10.0**power) for power in grid]) - wanted
    found = []
    for k in np.flatnonzero(np.sign(off[:-1]) * np.sign(off[1:]) < 0):
        low, high = grid[k], grid[k + 1]
        rising = off[k + 1] > 0
        for _ in range(34):
            middle = (low + high) / 2
            if (value(10.0**middle) > wanted) == rising:
                high = middle
            else:
                low = middle
        found.append(plain(10.0 ** ((low + high) / 2)))
    return found


_EPS = (float(np.finfo(np.float64).eps), float(np.finfo(np.float32).eps), float(np.finfo(np.float32).tiny))


def plain(amount: float) -> float:
    """Return the round number that a solved constant is, to a thousandth, else itself."""
    power = np.floor(np.log10(amount))
    for digits in (*range(1, 10), 1.5, 2.5):
        for exponent in (power, power + 1):
            rounded = float(f"{digits * 10.0**exponent:.6g}")
            if abs(amount / rounded - 1) < 1e-3:
                return rounded
    return next((eps for eps in (*_EPS, *(e**2 for e in _EPS)) if abs(amount / eps - 1) < 1e-3), amount)


def with_constants(fit: Fit, asked: Asked, probes: Sequence[Probes]) -> list[Fit]:
    """Return a ratio with every constant, solved on single probes, that may be added to it, the best first."""
    point: Ratio = fit.point
    last = probes[-1]
    wanted = (asked.on(last) - fit.offset) / fit.factor
    measured, edge = np.concatenate([asked.on(p) for p in probes[:-1]]), asked.on(last)
    scales = [(point.over, point.under)]
    if scales == [("power", "power")]:
        scales.append(("sum", "sum"))
    names = [name for name in CONSTANTS if name and (point.target == "projection" or not name.count("pro"))]
    found: list[tuple[bool, int, float, int, Fit]] = []
    for (over, under), name in product(scales, names):
        tried = replace(point, over=over, under=under, floor=name)
        solved: list[float] = []
        for parts, value in zip(terms(tried, last), wanted, strict=True):
            if len(solved) < 6:
                solved += amounts(partial(tried.value_of, parts), value)
        for amount in dict.fromkeys(solved):
            candidate = replace(fit, point=replace(tried, amount=float(amount)))
            predicted = np.concatenate([candidate.predict(s) for s in probes[:-1]])
            error = distance(measured, predicted, candidate.point)
            met = int(np.isclose(candidate.predict(last), edge, rtol=1e-6, atol=1e-6).sum())
            found.append((error > 3 * SHOWN, -met, error, len(found), replace(candidate, error=error)))
    return [fit for *_, fit in sorted(found)]
