"""The lattice of definitions: every way in which the metrics of the field are put together in the wild.

A definition is a point of the lattice, not a name on a list: its value on the probes is computed for every point, a
constant factor (the logarithm's base, 10 for 20, dB) is fitted, and the point that fits best is what the target
computes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from srbench.audio import Samples
from srbench.errors import SrbenchError
from srbench.metrics import get_metric

Array = NDArray[np.float64]


class Probe(NamedTuple):
    """A named pair of signals."""

    name: str
    reference: Samples
    estimate: Samples


@dataclass(frozen=True)
class Ratio:
    """A point of the lattice of SNR and SI-SDR: ``scale * log10(signal / noise)``.

    Attributes
    ----------
    order : {"ref,est", "est,ref"}
    prepare : str
        What is done to the signals first: ``mean`` removed, each divided by its ``peak`` or its ``rms``, both centred
        and divided by their deviation (``z-score``), brought to 0 … 1 (``min-max``), or only one of them divided.
    target : {"reference", "projection", "estimate"}
        The numerator: the reference, the estimate projected on it (SI-SDR), or the estimate.
    energy : str
        ``power``: mean squares; ``ratio-of-samples``: the mean of the ratio of each sample's squares; ``abs``: mean
        absolute values; ``peak``, ``full-scale``, ``peak-to-peak``: the reference's greatest square, 1 or 4 over the
        mean squared error (PSNR); ``every-pair``, ``sum-of-every-pair``: the noise is the difference of every sample
        with every other (broadcasting); ``floors``: the floor in both; ``sums``: the floor added to the noise's sum.
    floor : float
        Added to the noise power per sample, or as ``energy`` says.
    patch : int
        0 for the whole signal, else the mean over patches of so many samples.
    log1p : bool
        log(1 + ratio) in place of log(ratio).
    """

    order: str = "ref,est"
    prepare: str = "none"
    target: str = "reference"
    energy: str = "power"
    floor: float = 0.0
    patch: int = 0
    log1p: bool = False

    def base(self, probe: Probe) -> float:
        """Return log10 of the ratio (the mean of it over patches)."""
        y, x = (probe.reference, probe.estimate) if self.order == "ref,est" else (probe.estimate, probe.reference)
        y, x = prepared(y, x, self.prepare)
        if self.patch:
            count = len(y) // self.patch
            if count == 0:
                return float("nan")
            parts = range(0, count * self.patch, self.patch)
            return float(np.mean([self._whole(y[p : p + self.patch], x[p : p + self.patch]) for p in parts]))
        return self._whole(y, x)

    def _whole(self, y: Samples, x: Samples) -> float:
        if self.target == "projection":
            y = (x @ y) / (y @ y) * y
        noise = y - x
        top = x if self.target == "estimate" else y
        if self.energy == "ratio-of-samples":
            ratio = float(np.mean(top**2 / (np.maximum(noise**2, 1e-12) if not self.floor else noise**2 + self.floor)))
        elif self.energy == "full-scale":
            ratio = float(1 / np.mean(noise**2))
        elif self.energy == "peak-to-peak":
            ratio = float(4 / np.mean(noise**2))
        elif self.energy in ("every-pair", "sum-of-every-pair"):
            ratio = float(np.mean(top**2) / every_pair(y, x) / (1 if self.energy == "every-pair" else len(y)))
        elif self.energy == "floors":
            ratio = float((np.mean(top**2) + self.floor) / (np.mean(noise**2) + self.floor))
        elif self.energy == "sums":
            ratio = float(np.sum(top**2) / (np.sum(noise**2) + self.floor))
        elif self.energy == "abs":
            ratio = float(np.mean(np.abs(top)) / np.mean(np.abs(noise))) ** 2
        elif self.energy == "peak":
            ratio = float(np.max(np.abs(top)) ** 2 / (np.mean(noise**2) + self.floor))
        else:
            ratio = float(np.mean(top**2) / (np.mean(noise**2) + self.floor))
        return float(np.log10(1 + ratio if self.log1p else ratio))


def every_pair(y: Samples, x: Samples) -> float:
    """Return the mean square of the difference of every sample of one signal with every one of the other."""
    return float(np.mean(y**2) + np.mean(x**2) - 2 * np.mean(y) * np.mean(x))


PREPARATIONS = ("none", "mean", "peak", "rms", "est-peak", "ref-peak", "est-rms-to-ref", "z-score", "min-max")


def ratios() -> Iterator[Ratio]:
    """Yield every point of the lattice of ratios; plain ones first, so that of equal fits the plainest wins."""
    for target in ("reference", "projection", "estimate"):
        for order in ("ref,est", "est,ref"):
            for prepare in PREPARATIONS:
                yield Ratio(order, prepare, target)
                for patch in (8192, 4096, 2048, 1024, 512, 256):
                    yield Ratio(order, prepare, target, patch=patch)
                if prepare == "none":
                    for floor in (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-10):
                        yield Ratio(order, prepare, target, floor=floor)
                        yield Ratio(order, prepare, target, floor=floor, patch=8192)
                    yield Ratio(order, prepare, target, energy="ratio-of-samples")
                    yield Ratio(order, prepare, target, energy="peak")
                    for energy in ("full-scale", "peak-to-peak", "every-pair", "sum-of-every-pair"):
                        yield Ratio(order, prepare, target, energy=energy)
                    for floor in (1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12):
                        for energy in ("ratio-of-samples", "floors", "sums"):
                            yield Ratio(order, prepare, target, energy=energy, floor=floor)
                    yield Ratio(order, prepare, target, energy="abs")
                    yield Ratio(order, prepare, target, log1p=True)


@dataclass(frozen=True)
class Square:
    """A point of the lattice of squared errors.

    Attributes
    ----------
    form : {"mean", "root", "sum", "abs", "over-reference", "dB", "greatest", "every-pair"}
        Mean square, its root, the sum, the mean absolute error, the mean square over the reference's power, 10 log10
        of the mean square, the greatest absolute error, the mean square over every pair of samples (broadcasting).
    prepare : str
        As in `Ratio`.
    """

    form: str = "mean"
    prepare: str = "none"

    def base(self, probe: Probe) -> float:
        """Return the value."""
        y, x = prepared(probe.reference, probe.estimate, self.prepare)
        error = y - x
        forms: dict[str, Callable[[], Any]] = {
            "mean": lambda: np.mean(error**2),
            "root": lambda: np.sqrt(np.mean(error**2)),
            "sum": lambda: np.sum(error**2),
            "abs": lambda: np.mean(np.abs(error)),
            "over-reference": lambda: np.mean(error**2) / np.mean(y**2),
            "dB": lambda: 10 * np.log10(np.mean(error**2)),
            "greatest": lambda: np.max(np.abs(error)),
            "every-pair": lambda: every_pair(y, x),
        }
        return float(forms[self.form]())


def squares() -> Iterator[Square]:
    """Yield every point of the lattice of squared errors, the plainest first."""
    for prepare in PREPARATIONS:
        for form in ("mean", "root", "sum", "abs", "over-reference", "dB", "greatest", "every-pair"):
            yield Square(form, prepare)


@dataclass(frozen=True)
class Opinion:
    """A point of the lattice of PESQ and STOI: which of them, in which order, at which rate, of which signals.

    ``rate`` is what the metric takes the samples' rate to be, 0 for the true one.
    """

    metric: str
    order: str = "ref,est"
    rate: int = 0
    prepare: str = "none"

    def base(self, probe: Probe, sample_rate: int) -> float:
        """Return the value, NaN where there is none."""
        y, x = prepared(probe.reference, probe.estimate, self.prepare)
        y, x = (y, x) if self.order == "ref,est" else (x, y)
        try:
            return get_metric(self.metric)(y, x, self.rate or sample_rate)
        except SrbenchError:
            return float("nan")


def opinions(declared: str, sample_rate: int) -> Iterator[Opinion]:
    """Yield the points that a wrapper of PESQ or STOI can land on, the declared one first."""
    names = ("pesq", "pesq_nb") if declared.startswith("pesq") else ("stoi", "estoi")
    for name in sorted(names, key=lambda name: name != declared):
        for order in ("ref,est", "est,ref"):
            yield Opinion(name, order)
            for rate in (16000, 48000, 10000, 24000):
                if rate != sample_rate:
                    yield Opinion(name, order, rate)
            for prepare in ("mean", "peak"):
                yield Opinion(name, order, prepare=prepare)


def prepared(y: Samples, x: Samples, how: str) -> tuple[Samples, Samples]:
    """Return both signals after what `Ratio.prepare` names."""
    if how == "mean":
        return y - y.mean(), x - x.mean()
    if how == "peak":
        return y / np.abs(y).max(), x / np.abs(x).max()
    if how == "rms":
        return y / np.sqrt(np.mean(y**2)), x / np.sqrt(np.mean(x**2))
    if how == "z-score":
        return (y - y.mean()) / y.std(), (x - x.mean()) / x.std()
    if how == "min-max":
        return (y - y.min()) / np.ptp(y), (x - x.min()) / np.ptp(x)
    if how == "est-peak":
        return y, x / np.abs(x).max()
    if how == "ref-peak":
        return y / np.abs(y).max(), x
    if how == "est-rms-to-ref":
        return y, x * np.sqrt(np.mean(y**2) / np.mean(x**2))
    return y, x


@dataclass(frozen=True)
class Distance:
    """A point of the lattice of log-spectral distances.

    Attributes
    ----------
    n_fft, hop : int, in samples
    win : {"hann", "hamming", "rect"}
    edges : {"reflect", "zeros", "none"}
        Centred with either padding, or not centred.
    of : {"power", "log1p", "log1p-power"}
        What the logarithm is taken of; ``log1p`` is log(1 + |S|), the log of a log. A magnitude in place of a power
        is a factor of 1/2.
    floor : str
        ``max…`` or ``add…`` on the power, ``mag-max…`` or ``mag-add…`` on the magnitude, ``ratio…`` inside the ratio,
        ``peak-max…`` relative to the greatest bin (and never below an absolute one), ``norm-max…`` on the power divided
        by the greatest bin, ``norm-amin-max…`` before it is divided.
    pool : str
        ``rms_f.mean_t``, ``rms_t.mean_f``, ``rms_all``, ``mean_all`` (no root), ``abs_all`` (no square),
        ``norm_f.mean_t`` (sum for mean), ``norm_t.mean_f``, ``rms_f.sum_t``, ``log_of_mean_t`` (the mean over time
        before the logarithm).
    prepare : str
        As in `Ratio`.
    part : str
        What is looked at: ``all``, ``patches8192`` (the mean over whole patches), ``whole8192`` (the samples after the
        last whole patch left out), or a range of the bins as shares of the band, ``bins0.5-1``; ``bins1:`` leaves out
        the first.
    """

    n_fft: int = 2048
    hop: int = 512
    win: str = "hann"
    edges: str = "reflect"
    of: str = "power"
    floor: str = "max1e-8"
    pool: str = "rms_f.mean_t"
    order: str = "ref,est"
    prepare: str = "none"
    part: str = "all"


PARTS = (
    "patches8192",
    "whole8192",
    "bins1:",
    "bins:-1",
    *(f"bins{low}-{high}" for low, high in ((0, 0.25), (0, 0.5), (0, 0.95), (0.25, 1), (0.5, 1))),
)
POOLS = (
    "rms_f.mean_t",
    "rms_t.mean_f",
    "rms_all",
    "mean_all",
    "abs_all",
    "norm_f.mean_t",
    "norm_t.mean_f",
    "rms_f.sum_t",
    "log_of_mean_t",
)
FLOORS = (
    *(f"max{f}" for f in ("1e-8", "1e-10", "1e-6", "1e-5", "1e-7", "1e-12")),
    *(f"add{f}" for f in ("1e-8", "1e-10", "1e-6", "1e-5", "1e-7", "1e-12")),
    *(f"mag-max{f}" for f in ("1e-5", "1e-8", "1e-10", "1e-7")),
    *(f"mag-add{f}" for f in ("1e-5", "1e-8", "1e-10", "1e-7")),
    "add1",
    "add1e-3",
    "max1e-3",
    "max3e-3",
    "power-ratio1e-8",
    "power-ratio1e-12",
    "ratio1e-12",
    "ratio1e-8",
    "ratio1e-10",
    "peak-max1e-6",
    "peak-max1e-8",
    "peak-amin8-max1e-8",
    "norm-amin-max1e-10",
    "norm-amin-max1e-8",
    "norm-max1e-8",
    "norm-max1e-10",
    "norm-max1e-12",
    *(f"{kind}{amount * 1e-8:.9g}" for kind in ("max", "add") for amount in (2048, 1024**2, 32768.0**-2)),
    *(f"{kind}{amount * 1e-10:.9g}" for kind in ("max", "add") for amount in (2048, 1024**2, 32768.0**-2)),
)


def power_spectrogram(x: Samples, n_fft: int, hop: int, win: str, edges: str) -> Array:
    """Return |STFT|², shape (frames, bins)."""
    k = np.arange(n_fft)
    half = np.cumsum(np.kaiser(n_fft // 2 + 1, 4 * np.pi))
    window = {
        "hann": 0.5 - 0.5 * np.cos(2 * np.pi * k / n_fft),
        "hann-symmetric": 0.5 - 0.5 * np.cos(2 * np.pi * k / (n_fft - 1)),
        "hamming": 0.54 - 0.46 * np.cos(2 * np.pi * k / n_fft),
        "rect": np.ones(n_fft),
        "kbd": np.resize(np.sqrt(np.concatenate([half[:-1], half[:-1][::-1]]) / half[-1]), n_fft),
    }[win]
    if edges != "none":
        x = np.pad(x, n_fft // 2, mode="reflect" if edges == "reflect" else "constant")
    frames = np.lib.stride_tricks.sliding_window_view(x, n_fft)[::hop]
    return np.asarray(np.abs(np.fft.rfft(frames * window, axis=1)) ** 2)


def log_spectra(r: Array, e: Array, of: str, floor: str) -> tuple[Array, Array]:
    """Return log10 of both spectra with the floor applied; of a floor inside the ratio, the log ratio and zeros."""
    kind = floor.rstrip("0123456789e-.")
    amount = float(floor[len(kind) :])
    if of == "log1p":
        r, e = np.log1p(np.sqrt(r)), np.log1p(np.sqrt(e))
    elif of == "log1p-power":
        r, e = np.log1p(r), np.log1p(e)
    if kind.startswith("mag-") and of == "power":
        r, e = np.sqrt(r), np.sqrt(e)
    if kind in (
        "peak-max",
        "peak-amin8-max",
    ):  # so many dB below the greatest of all bins, as librosa's top_db, and never below its amin
        r, e = (np.maximum(s, max(amount * s.max(), 1e-8 if "amin8" in kind else 1e-10)) for s in (r, e))
        return np.log10(r), np.log10(e)
    if kind == "norm-amin-max":  # the floor first, then divided by the greatest of all bins: power_to_db(ref=np.max)
        r, e = (np.maximum(s, amount) / max(s.max(), amount) for s in (r, e))
        return np.log10(r), np.log10(e)
    if kind == "norm-max":  # divided by the greatest of all bins first, as librosa's ref=np.max
        r, e = (np.maximum(s / s.max(), amount) for s in (r, e))
        return np.log10(r), np.log10(e)
    twice = 2 if kind.startswith("mag-") and of == "power" else 1
    if kind.endswith("max"):
        return twice * np.log10(np.maximum(r, amount)), twice * np.log10(np.maximum(e, amount))
    if kind.endswith("add"):
        return twice * np.log10(r + amount), twice * np.log10(e + amount)
    if kind == "power-ratio":
        return np.log10(r / (e + amount) + amount), np.zeros_like(e)
    return np.log10(r / (np.sqrt(e) + amount) ** 2 + amount), np.zeros_like(e)


def parted(spectrogram: Array, part: str) -> Array:
    """Return the bins of a spectrogram, shape (frames, bins), that a part keeps."""
    if not part.startswith("bins"):
        return spectrogram
    if part in ("bins1:", "bins:-1"):
        return spectrogram[:, 1:] if part == "bins1:" else spectrogram[:, :-1]
    low, high = (float(share) * (spectrogram.shape[1] - 1) for share in part[4:].split("-"))
    return spectrogram[:, round(low) : round(high) + 1]


def pooled(difference: Array, pool: str) -> float:
    """Return the pooled value of a difference of log spectra, shape (frames, bins)."""
    squared = difference**2
    values: dict[str, Any] = {
        "rms_f.mean_t": lambda: np.sqrt(squared.mean(1)).mean(),
        "rms_t.mean_f": lambda: np.sqrt(squared.mean(0)).mean(),
        "rms_all": lambda: np.sqrt(squared.mean()),
        "mean_all": lambda: squared.mean(),
        "abs_all": lambda: np.abs(difference).mean(),
        "norm_f.mean_t": lambda: np.sqrt(squared.sum(1)).mean(),
        "norm_t.mean_f": lambda: np.sqrt(squared.sum(0)).mean(),
        "rms_f.sum_t": lambda: np.sqrt(squared.mean(1)).sum(),
        "log_of_mean_t": lambda: np.sqrt((difference.mean(0) ** 2).mean()),
    }
    return float(values[pool]())
