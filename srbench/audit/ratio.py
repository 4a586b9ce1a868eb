"""Ratios of energies (SNR, SI-SDR, PSNR, segmental) and errors of samples (MSE and its kin), made of parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np

from srbench.audit.probes import Array, Probes


@dataclass(frozen=True)
class Segments:
    """Segments over which a ratio is taken before the mean of the logarithms.

    Attributes
    ----------
    length, hop : int, in samples
    window : {"none", "hann"}
    last : {"drop", "keep", "short"}
        What becomes of the samples after the last whole segment; ``short`` leaves out the last whole one, too.
    low, high : float or None
        Limits of one segment's log10 of the ratio.
    pool : {"mean", "median", "ratios"}
        Of the logarithms; ``ratios``: the mean of the ratios before the logarithm.
    """

    length: int
    hop: int
    window: str = "none"
    last: str = "drop"
    low: float | None = None
    high: float | None = None
    pool: str = "mean"

    def starts(self, n: int) -> range:
        """Return where the segments of ``n`` samples start."""
        count = max((n - self.length) // self.hop + 1, 1) - (self.last == "short")
        return range(0, n if self.last == "keep" else max(count, 1) * self.hop, self.hop)


@dataclass(frozen=True)
class Ratio:
    """A definition of SNR, SI-SDR and the like: the logarithm of one energy over another.

    Attributes
    ----------
    front : tuple of str
        Names of `srbench.audit.front.FRONTS`, applied in order.
    target : str
        A name of `TARGETS`: which signal over which.
    over, under : str
        Names of `MEASURES`: what is taken of the two.
    segments : Segments or None
    floor : str
        A name of `CONSTANTS`: where a constant is added, "" for nowhere.
    amount : float
        The constant.
    form : {"log", "log1p", "linear"}
        log10 of the ratio, log10 of one plus the ratio, or the ratio.
    """

    front: tuple[str, ...] = ()
    target: str = "reference"
    over: str = "power"
    under: str = "power"
    segments: Segments | None = None
    floor: str = ""
    amount: float = 0.0
    form: str = "log"

    def base(self, probes: Probes) -> Array:
        """Return the value on each probe, in log10 of the ratio."""
        with np.errstate(all="ignore"):
            return np.array([self.value_of(part, self.amount) for part in terms(self, probes)])

    def value_of(self, parts: tuple[Array, Array, Array], amount: float) -> float:
        """Return the value of one probe's energies and products, see `terms`, with a constant."""
        top, bottom, products = parts
        ratio = CONSTANTS[self.floor](top, bottom, amount, products)
        if self.form == "linear":
            return float(np.mean(ratio))
        if self.segments and self.segments.pool == "ratios":
            ratio = np.mean(ratio, keepdims=True)
        found = np.log10(1 + ratio if self.form == "log1p" else ratio)
        if self.segments is None:
            return float(found[0])
        if self.segments.low is not None or self.segments.high is not None:
            found = np.clip(found, self.segments.low, self.segments.high)
        return float(np.median(found) if self.segments.pool == "median" else np.mean(found))


def _dot(a: Array, b: Array) -> Array:
    return np.asarray(np.sum(a * b, axis=-1, keepdims=True))


def _mean(a: Array) -> Array:
    return np.asarray(np.mean(a, axis=-1, keepdims=True))


def _projected(y: Array, x: Array) -> Array:
    return np.asarray(_dot(x, y) / _dot(y, y) * y)


def _filtered(y: Array, x: Array, taps: int = 512) -> tuple[Array, Array]:
    """Return the projection on the reference's delays (the distortion filter of BSS-eval), and the rest."""
    from scipy.linalg import solve_toeplitz

    y, x = np.append(y, np.zeros(taps - 1)), np.append(x, np.zeros(taps - 1))
    size = 1 << (2 * len(y) - 1).bit_length()
    spectrum = np.fft.rfft(y, size)
    own = np.fft.irfft(np.abs(spectrum) ** 2, size)[:taps]
    cross = np.fft.irfft(np.conj(spectrum) * np.fft.rfft(x, size), size)[:taps]
    target = np.fft.irfft(spectrum * np.fft.rfft(solve_toeplitz(own, cross), size), size)[: len(y)]
    return target, target - x


# the signal of the numerator and that of the denominator
TARGETS: dict[str, Callable[[Any, Any], tuple[Any, Any]]] = {
    "reference": lambda y, x: (y, y - x),
    "projection": lambda y, x: ((t := _projected(y, x)), t - x),
    "estimate": lambda y, x: (x, y - x),
    "projection-error": lambda y, x: (_projected(y, x), y - x),
    "reference-rest": lambda y, x: (y, _projected(y, x) - x),
    "fitted-estimate": lambda y, x: (y, y - _projected(x, y)),
    "est-divisor": lambda y, x: ((t := _dot(x, y) / _dot(x, x) * y), t - x),
    "no-divisor": lambda y, x: ((t := _dot(x, y) * y), t - x),
    "no-sign": lambda y, x: ((t := np.abs(_dot(x, y)) / _dot(y, y) * y), t - x),
    "norm-divisor": lambda y, x: ((t := _dot(x, y) / np.sqrt(_dot(y, y)) * y), t - x),
    "levels": lambda y, x: (y, x),
    "estimate-rest": lambda y, x: (x, _projected(y, x) - x),
    "magnitudes": lambda y, x: (y, np.abs(y) - np.abs(x)),
    "sum": lambda y, x: (y, y + x),
    "every-pair": lambda y, x: (y, np.ones_like(y) * np.sqrt(_mean(y**2) + _mean(x**2) - 2 * _mean(y) * _mean(x))),
    "filtered": _filtered,
}

# what is taken of a signal, over its last axis; squared units
MEASURES: dict[str, Callable[[Array], Any]] = {
    "power": lambda s: np.mean(s**2, axis=-1),
    "sum": lambda s: np.sum(s**2, axis=-1),
    "abs": lambda s: np.mean(np.abs(s), axis=-1) ** 2,
    "abs-sum": lambda s: np.sum(np.abs(s), axis=-1) ** 2,
    "var": lambda s: np.var(s, axis=-1),
    "mean": lambda s: np.mean(s, axis=-1) ** 2,
    "peak": lambda s: np.max(np.abs(s), axis=-1) ** 2,
    "range": lambda s: np.ptp(s, axis=-1) ** 2,
    "maximum": lambda s: np.max(s, axis=-1) ** 2,
    "median": lambda s: np.median(s**2, axis=-1),
    "one": lambda s: np.ones(s.shape[:-1]),
}


def _alpha(rest: Array, products: Array, amount: float, both: bool) -> tuple[Array, Array]:
    """Return the energies of a projection whose scale has a constant, from what is left without it."""
    cross, own, _ = products
    scale = (cross + amount * both) / (own + amount)
    return scale**2 * own, (scale - cross / own) ** 2 * own + rest


# where a constant is added: (top, bottom, amount, products) -> ratio; products: <y, x>, <y, y>, <x, x> per segment
CONSTANTS: dict[str, Callable[[Array, Array, float, Array], Array]] = {
    "": lambda t, b, e, _: t / b,
    "noise": lambda t, b, e, _: t / (b + e),
    "both": lambda t, b, e, _: (t + e) / (b + e),
    "signal": lambda t, b, e, _: (t + e) / b,
    "ratio": lambda t, b, e, _: t / b + e,
    "noise and ratio": lambda t, b, e, _: t / (b + e) + e,
    "both and ratio": lambda t, b, e, _: (t + e) / (b + e) + e,
    "norm of the noise": lambda t, b, e, _: t / (np.sqrt(b) + e) ** 2,
    "both norms": lambda t, b, e, _: ((np.sqrt(t) + e) / (np.sqrt(b) + e)) ** 2,
    "norm of the noise and ratio of norms": lambda t, b, e, _: (np.sqrt(t) / (np.sqrt(b) + e) + e) ** 2,
    "noise, as its least": lambda t, b, e, _: t / np.maximum(b, e),
    "both, as their least": lambda t, b, e, _: np.maximum(t, e) / np.maximum(b, e),
    "ratio, as its least": lambda t, b, e, _: np.maximum(t / b, e),
    "projection": lambda t, b, e, p: np.divide(*_alpha(b, p, e, False)),
    "projection and noise": lambda t, b, e, p: (r := _alpha(b, p, e, False))[0] / (r[1] + e),
    "projection and both": lambda t, b, e, p: ((r := _alpha(b, p, e, False))[0] + e) / (r[1] + e),
    "projection and ratio": lambda t, b, e, p: (r := _alpha(b, p, e, False))[0] / (r[1] + e) + e,
    "both products and both": lambda t, b, e, p: ((r := _alpha(b, p, e, True))[0] + e) / (r[1] + e),
    "both products": lambda t, b, e, p: np.divide(*_alpha(b, p, e, True)),
}


@lru_cache(maxsize=8)
def _pairs(front: tuple[str, ...], segments: Segments | None, probes: Probes) -> list[list[tuple[Array, Array]]]:
    """Return, of every probe, the pair after the front ends, in blocks of segments."""
    found = []
    for y, x in probes.after(front):
        n = min(len(y), len(x))
        y, x = y[:n].astype(np.float64), x[:n].astype(np.float64)
        if segments is None or n < segments.length:
            rows = [(y[None], x[None])]
        else:
            starts = np.array(segments.starts(n))
            whole = starts[starts + segments.length <= n]
            at = whole[:, None] + np.arange(segments.length)
            rows = [(y[at], x[at])] + [(y[None, t:], x[None, t:]) for t in starts[len(whole) :]]
        if segments and segments.window == "hann":
            rows = [(a * (w := _window(a.shape[1])), b * w) for a, b in rows]
        found.append(rows)
    return found


@lru_cache(maxsize=8)
def _signals(
    front: tuple[str, ...], target: str, segments: Segments | None, probes: Probes
) -> list[list[tuple[Any, Any]]]:
    """Return the two signals of a target in place of the pairs."""
    pairs = _pairs(front, segments, probes)
    if target == "filtered":
        return [[_filtered(a[0], b[0]) for a, b in rows] for rows in pairs]
    return [[TARGETS[target](a, b) for a, b in rows] for rows in pairs]


def _window(n: int) -> Array:
    return 0.5 * (1 - np.cos(2 * np.pi * np.arange(1, n + 1) / (n + 1)))


@lru_cache(maxsize=50000)
def _taken(
    front: tuple[str, ...], target: str, segments: Segments | None, probes: Probes, what: str, bottom: bool
) -> list[Array]:
    """Return what a measure takes of one of the two signals on every probe, per segment."""
    take = MEASURES[what]
    with np.errstate(all="ignore"):
        signals = _signals(front, target, segments, probes)
        return [np.concatenate([np.atleast_1d(take(block[bottom])) for block in rows], axis=-1) for rows in signals]


@lru_cache(maxsize=100)
def _products(front: tuple[str, ...], segments: Segments | None, probes: Probes, mean: bool) -> list[Array]:
    """Return <y, x>, <y, y>, <x, x> of every probe, per segment, shape (3, segments)."""
    found = []
    for rows in _pairs(front, segments, probes):
        parts = []
        for a, b in rows:
            parts.append([np.sum(p * q, axis=-1) / (a.shape[-1] if mean else 1) for p, q in ((a, b), (a, a), (b, b))])
        found.append(np.concatenate(parts, axis=-1))
    return found


def terms(point: Ratio, probes: Probes) -> list[tuple[Array, Array, Any]]:
    """Return, of every probe, both energies and, where a constant needs them, the products of the pair, per segment."""
    limited = point.segments
    segments = limited and Segments(limited.length, limited.hop, limited.window, limited.last)
    where = (point.front, point.target, segments, probes)
    top, bottom = _taken(*where, point.over, False), _taken(*where, point.under, True)
    if "pro" not in point.floor:
        return [(t, b, None) for t, b in zip(top, bottom, strict=True)]
    return list(zip(top, bottom, _products(point.front, segments, probes, point.over != "sum"), strict=True))


@dataclass(frozen=True)
class Error:
    """A definition of MSE and the like: a mean of what the error's samples cost.

    Attributes
    ----------
    front : tuple of str
    form : str
        A name of `FORMS`.
    """

    front: tuple[str, ...] = ()
    form: str = "mean"

    def base(self, probes: Probes) -> Array:
        """Return the value on each probe."""
        with np.errstate(all="ignore"):
            return np.array([_formed(probes, self.front)[k][self.form] for k in range(len(probes.pairs))])


@lru_cache(maxsize=2000)
def _formed(probes: Probes, front: tuple[str, ...]) -> list[dict[str, float]]:
    found = []
    for y, x in probes.after(front):
        y, x = (np.asarray(s[: min(len(y), len(x))], np.float64) for s in (y, x))
        found.append({name: float(form(y, x, y - x)) for name, form in FORMS.items()})
    return found


def every_pair(y: Array, x: Array) -> float:
    """Return the mean square of the difference of every sample of one signal with every one of the other."""
    return float(np.mean(y**2) + np.mean(x**2) - 2 * np.mean(y) * np.mean(x))


def _huber_mean(y: Array, x: Array, e: Array, limit: float) -> Any:
    size = np.abs(e)
    return np.mean(np.where(size < limit, 0.5 * e**2, limit * (size - 0.5 * limit)))


# what is made of (reference, estimate, error)
FORMS: dict[str, Callable[[Array, Array, Array], Any]] = {
    "mean": lambda y, x, e: np.mean(e**2),
    "root": lambda y, x, e: np.sqrt(np.mean(e**2)),
    "sum": lambda y, x, e: np.sum(e**2),
    "abs": lambda y, x, e: np.mean(np.abs(e)),
    "abs-sum": lambda y, x, e: np.sum(np.abs(e)),
    "abs-squared": lambda y, x, e: np.mean(np.abs(e)) ** 2,
    "over-reference": lambda y, x, e: np.sum(e**2) / np.sum(y**2),
    "root-over-reference": lambda y, x, e: np.sqrt(np.sum(e**2) / np.sum(y**2)),
    "abs-over-reference": lambda y, x, e: np.sum(np.abs(e)) / np.sum(np.abs(y)),
    "root-over-range": lambda y, x, e: np.sqrt(np.mean(e**2)) / np.ptp(y),
    "over-variance": lambda y, x, e: np.mean(e**2) / np.var(y),
    "over-both": lambda y, x, e: np.sum(e**2) / (np.sum(y**2) + np.sum(x**2)),
    "dB": lambda y, x, e: np.log10(np.mean(e**2)),
    "dB-over-reference": lambda y, x, e: np.log10(np.sum(e**2) / np.sum(y**2)),
    "greatest": lambda y, x, e: np.max(np.abs(e)),
    "every-pair": lambda y, x, e: every_pair(y, x),
    "norm": lambda y, x, e: np.sqrt(np.sum(e**2)),
    "variance": lambda y, x, e: np.var(e),
    "deviation": lambda y, x, e: np.std(e),
    "mean-squared": lambda y, x, e: np.mean(e) ** 2,
    "mean-error": lambda y, x, e: np.mean(e),
    "median": lambda y, x, e: np.median(e**2),
    **{f"huber{limit:g}": partial(_huber_mean, limit=limit) for limit in (1.0, 0.1, 0.5)},
    "log-cosh": lambda y, x, e: np.mean(np.abs(e) + np.log1p(np.exp(-2 * np.abs(e))) - np.log(2)),
    "one-sided": lambda y, x, e: np.mean(np.maximum(e, 0) ** 2),
    "other-side": lambda y, x, e: np.mean(np.minimum(e, 0) ** 2),
    "magnitudes": lambda y, x, e: np.mean((np.abs(y) - np.abs(x)) ** 2),
}
