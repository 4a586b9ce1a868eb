"""Ratios of energies (SNR, SI-SDR, PSNR, segmental) and errors of samples (MSE and its kin), made of parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
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
TARGETS: dict[str, tuple[str, Callable[[Any, Any], tuple[Any, Any]]]] = {
    "reference": ("the reference over the error (SNR)", lambda y, x: (y, y - x)),
    "projection": (
        "the estimate projected on the reference over the rest (SI-SDR)",
        lambda y, x: ((t := _projected(y, x)), t - x),
    ),
    "estimate": ("the estimate over the error", lambda y, x: (x, y - x)),
    "projection-error": (
        "the estimate projected on the reference over the plain error (SD-SDR)",
        lambda y, x: (_projected(y, x), y - x),
    ),
    "reference-rest": ("the reference over the rest of the projection", lambda y, x: (y, _projected(y, x) - x)),
    "fitted-estimate": (
        "the reference over the error of the estimate scaled to it",
        lambda y, x: (y, y - _projected(x, y)),
    ),
    "est-divisor": (
        "the reference, scaled by the product over the estimate's power, over the rest",
        lambda y, x: ((t := _dot(x, y) / _dot(x, x) * y), t - x),
    ),
    "no-divisor": (
        "the reference, scaled by its product with the estimate, over the rest",
        lambda y, x: ((t := _dot(x, y) * y), t - x),
    ),
    "no-sign": (
        "the reference, scaled by the size of the projection without its sign, over the rest",
        lambda y, x: ((t := np.abs(_dot(x, y)) / _dot(y, y) * y), t - x),
    ),
    "norm-divisor": (
        "the reference, scaled by the product over its norm, over the rest",
        lambda y, x: ((t := _dot(x, y) / np.sqrt(_dot(y, y)) * y), t - x),
    ),
    "levels": ("the reference over the estimate (a ratio of levels)", lambda y, x: (y, x)),
    "estimate-rest": ("the estimate over the rest of the projection", lambda y, x: (x, _projected(y, x) - x)),
    "magnitudes": ("the reference over the difference of absolute values", lambda y, x: (y, np.abs(y) - np.abs(x))),
    "sum": ("the reference over the sum of both signals", lambda y, x: (y, y + x)),
    "every-pair": (
        "the reference over the difference of every sample with every other",
        lambda y, x: (y, np.ones_like(y) * np.sqrt(_mean(y**2) + _mean(x**2) - 2 * _mean(y) * _mean(x))),
    ),
    "filtered": ("the reference through a filter of 512 taps over the rest (BSS-eval SDR)", _filtered),
}

# what is taken of a signal, over its last axis; squared units
MEASURES: dict[str, tuple[str, Callable[[Array], Any]]] = {
    "power": ("mean of squares", lambda s: np.mean(s**2, axis=-1)),
    "sum": ("sum of squares", lambda s: np.sum(s**2, axis=-1)),
    "abs": ("squared mean of absolute values", lambda s: np.mean(np.abs(s), axis=-1) ** 2),
    "abs-sum": ("squared sum of absolute values", lambda s: np.sum(np.abs(s), axis=-1) ** 2),
    "var": ("variance", lambda s: np.var(s, axis=-1)),
    "mean": ("square of the mean (offsets are compared)", lambda s: np.mean(s, axis=-1) ** 2),
    "peak": ("square of the peak", lambda s: np.max(np.abs(s), axis=-1) ** 2),
    "range": ("square of the range from least to greatest", lambda s: np.ptp(s, axis=-1) ** 2),
    "maximum": ("square of the greatest sample, sign included", lambda s: np.max(s, axis=-1) ** 2),
    "median": ("median of squares", lambda s: np.median(s**2, axis=-1)),
    "one": ("constant", lambda s: np.ones(s.shape[:-1])),
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


@lru_cache(maxsize=6)
def _signals(front: tuple[str, ...], target: str, segments: Any, probes: Probes) -> list[list[tuple[Any, ...]]]:
    """Return, of every probe, blocks of segments: the two signals of a target, and the pair that they are made of."""
    found = []
    for y, x in probes.after(front):
        n = min(len(y), len(x))
        y, x = y[:n].astype(np.float64), x[:n].astype(np.float64)
        if segments is None or (segments.last != "keep" and n < segments.length):
            rows = [(y[None], x[None])]
        elif segments.last == "keep":
            rows = [(y[None, t : t + segments.length], x[None, t : t + segments.length]) for t in segments.starts(n)]
        else:
            at = np.array(segments.starts(n))[:, None] + np.arange(segments.length)
            rows = [(y[at], x[at])]
        if segments and segments.window == "hann":
            rows = [(a * (w := _window(a.shape[1])), b * w) for a, b in rows]
        if target == "filtered":
            rows = [(a[0], b[0]) for a, b in rows]
        found.append([(*TARGETS[target][1](a, b), a, b) for a, b in rows])
    return found


def _products(a: Array, b: Array, what: str) -> Array:
    a, b = np.atleast_2d(a), np.atleast_2d(b)
    return np.stack([np.sum(p * q, axis=-1) for p, q in ((a, b), (a, a), (b, b))]) / (
        1 if what == "sums" else a.shape[-1]
    )


def _window(n: int) -> Array:
    return 0.5 * (1 - np.cos(2 * np.pi * np.arange(1, n + 1) / (n + 1)))


@lru_cache(maxsize=50000)
def _taken(front: tuple[str, ...], target: str, segments: Any, probes: Probes, what: str, bottom: bool) -> list[Any]:
    """Return what a measure takes of one of the two signals on every probe, per segment; or the products."""
    with np.errstate(all="ignore"):
        found = []
        for blocks in _signals(front, target, segments, probes):
            if what in ("sums", "means"):
                parts = [_products(a, b, what) for *_, a, b in blocks]
            else:
                parts = [np.atleast_1d(MEASURES[what][1](block[bottom])) for block in blocks]
            found.append(np.concatenate(parts, axis=-1))
        return found


def terms(point: Ratio, probes: Probes) -> list[tuple[Array, Array, Array]]:
    """Return, of every probe, both energies and the products of the pair, per segment."""
    where = (point.front, point.target, _unlimited(point.segments), probes)
    kinds = ((point.over, False), (point.under, True), ("sums" if point.over == "sum" else "means", False))
    products = [_taken(*where, what, bottom) for what, bottom in kinds]
    return list(zip(*products, strict=True))


def _unlimited(segments: Segments | None) -> Segments | None:
    return segments and Segments(segments.length, segments.hop, segments.window, segments.last)


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
        found.append({name: float(form(y, x, y - x)) for name, (_, _, _, form) in FORMS.items()})
    return found


def every_pair(y: Array, x: Array) -> float:
    """Return the mean square of the difference of every sample of one signal with every one of the other."""
    return float(np.mean(y**2) + np.mean(x**2) - 2 * np.mean(y) * np.mean(x))


def _huber(e: Array, limit: float = 1.0) -> Array:
    size = np.abs(e)
    return np.where(size < limit, 0.5 * e**2, limit * (size - 0.5 * limit))


_NONE = "Published numbers cannot be corrected; recompute them."
# form: its name as a bug, its words, a correction, itself of (reference, estimate, error)
FORMS: dict[str, tuple[str, str, str, Callable[[Array, Array, Array], Any]]] = {
    "mean": ("", "", "", lambda y, x, e: np.mean(e**2)),
    "root": (
        "root taken (RMSE)",
        "The root of the mean square error is returned.",
        "Square the values: exact for one utterance.",
        lambda y, x, e: np.sqrt(np.mean(e**2)),
    ),
    "sum": (
        "sum for mean",
        "The squares are summed, not averaged: the value grows with the duration.",
        "Divide by the number of samples.",
        lambda y, x, e: np.sum(e**2),
    ),
    "abs": (
        "absolute values for squares (MAE)",
        "Absolute errors are averaged.",
        _NONE,
        lambda y, x, e: np.mean(np.abs(e)),
    ),
    "abs-sum": ("absolute values summed", "Absolute errors are summed.", _NONE, lambda y, x, e: np.sum(np.abs(e))),
    "abs-squared": (
        "absolute values for squares",
        "The mean absolute error is squared.",
        _NONE,
        lambda y, x, e: np.mean(np.abs(e)) ** 2,
    ),
    "over-reference": (
        "normalised by the reference (NMSE)",
        "The error is divided by the reference's power.",
        "Multiply by that power.",
        lambda y, x, e: np.sum(e**2) / np.sum(y**2),
    ),
    "root-over-reference": (
        "root of the error normalised by the reference",
        "The root of the error over the reference's power is returned.",
        "Square it and multiply by that power.",
        lambda y, x, e: np.sqrt(np.sum(e**2) / np.sum(y**2)),
    ),
    "abs-over-reference": (
        "absolute values normalised by the reference",
        "The absolute error is divided by the reference's absolute values.",
        _NONE,
        lambda y, x, e: np.sum(np.abs(e)) / np.sum(np.abs(y)),
    ),
    "root-over-range": (
        "root of the error normalised by the range of the reference (NRMSE)",
        "The root of the mean square error is divided by the range of the reference.",
        _NONE,
        lambda y, x, e: np.sqrt(np.mean(e**2)) / np.ptp(y),
    ),
    "over-variance": (
        "normalised by the variance of the reference",
        "The error is divided by the reference's variance.",
        _NONE,
        lambda y, x, e: np.mean(e**2) / np.var(y),
    ),
    "over-both": (
        "normalised by both signals",
        "The error is divided by the sum of both powers.",
        _NONE,
        lambda y, x, e: np.sum(e**2) / (np.sum(y**2) + np.sum(x**2)),
    ),
    "dB": (
        "in dB",
        "10 log10 of the mean square error is returned.",
        "10^(value/10) is the MSE: exact for one utterance.",
        lambda y, x, e: np.log10(np.mean(e**2)),
    ),
    "dB-over-reference": (
        "normalised by the reference, in dB",
        "The logarithm of the error over the reference's power is returned.",
        "10^(value/10) times that power is the MSE.",
        lambda y, x, e: np.log10(np.sum(e**2) / np.sum(y**2)),
    ),
    "greatest": (
        "greatest for mean",
        "The greatest error is returned.",
        _NONE,
        lambda y, x, e: np.max(np.abs(e)),
    ),
    "every-pair": (
        "broadcasting",
        "The mean is over every sample with every other: (n,) and (n, 1) were broadcast to n by n.",
        _NONE,
        lambda y, x, e: every_pair(y, x),
    ),
    "norm": (
        "norm for mean square",
        "The norm of the error is returned.",
        _NONE,
        lambda y, x, e: np.sqrt(np.sum(e**2)),
    ),
    "variance": (
        "mean removed",
        "The mean of the error is removed first, so an offset costs nothing.",
        _NONE,
        lambda y, x, e: np.var(e),
    ),
    "deviation": (
        "mean removed, root taken",
        "The standard deviation of the error is returned.",
        _NONE,
        lambda y, x, e: np.std(e),
    ),
    "mean-squared": ("square of the mean", "The mean error is squared.", _NONE, lambda y, x, e: np.mean(e) ** 2),
    "mean-error": ("mean for mean square", "The signed error is averaged.", _NONE, lambda y, x, e: np.mean(e)),
    "median": ("median for mean", "The median of the squares is returned.", _NONE, lambda y, x, e: np.median(e**2)),
    **{
        f"huber{limit:g}": (
            "Huber loss",
            f"The loss is half the square below {limit:g} and an absolute value above it (Huber, smooth L1).",
            f"Double the values where every error is below {limit:g}; recompute the others.",
            lambda y, x, e, limit=limit: np.mean(_huber(e, limit)),  # type: ignore[misc]
        )
        for limit in (1.0, 0.1, 0.5)
    },
    "log-cosh": (
        "log-cosh loss",
        "The logarithm of the hyperbolic cosine of the error is averaged.",
        _NONE,
        lambda y, x, e: np.mean(np.abs(e) + np.log1p(np.exp(-2 * np.abs(e))) - np.log(2)),
    ),
    "one-sided": (
        "one-sided error",
        "Only errors of one sign count.",
        _NONE,
        lambda y, x, e: np.mean(np.maximum(e, 0) ** 2),
    ),
    "other-side": (
        "one-sided error",
        "Only errors of one sign count.",
        _NONE,
        lambda y, x, e: np.mean(np.minimum(e, 0) ** 2),
    ),
    "magnitudes": (
        "absolute values compared",
        "The samples' absolute values are compared: their signs do not count.",
        _NONE,
        lambda y, x, e: np.mean((np.abs(y) - np.abs(x)) ** 2),
    ),
}
