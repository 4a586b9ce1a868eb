"""Fit the lattice to a target's answers: the definition that reproduces them, and the factor in front of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

import numpy as np

from srbench.audit.lattice import (
    FLOORS,
    PARTS,
    POOLS,
    Array,
    Distance,
    Opinion,
    Probe,
    Ratio,
    log_spectra,
    opinions,
    parted,
    pooled,
    power_spectrogram,
    prepared,
    ratios,
    squares,
)
from srbench.audit.signals import low_passed, noise, orthogonal, voice
from srbench.audit.target import TargetFault

FITS = 1e-4  # greatest relative error of a definition that reproduces the target
TIGHT = 1e-8  # the same in double precision: such a fit is believed before one that single precision may hide


@dataclass(frozen=True)
class Fit:
    """A point of a lattice with its factor; ``error`` is the greatest on the probes, relative to the greatest value.

    ``cap`` is the value above which the target gives none, None where it goes on.
    """

    point: Any
    factor: float
    error: float
    cap: float | None = None

    @property
    def exact(self) -> bool:
        """Whether it reproduces the target: by a factor that has a name, or else to double precision."""
        return self.error <= TIGHT or (self.error <= FITS and _has_name(self))


@cache
def ratio_probes(sample_rate: int) -> tuple[Probe, ...]:
    """Return the pairs that tell definitions of ratios apart."""
    n = 20000
    speech = voice(n, sample_rate)
    loud = noise(n) * np.linspace(0.02, 2, n)
    return (
        Probe("noise 12 dB down", noise(n), noise(n) + orthogonal(noise(n), 12)),
        Probe("half the level and noise", speech, 0.5 * speech + noise(n, 3, 0.01)),
        Probe("an offset", noise(n) + 0.02, noise(n) + 0.02 + 0.06 + noise(n, 4, 0.01)),
        Probe("a growing level", loud, loud + noise(n, 5, 0.02)),
        Probe("louder than the reference", speech, 1.7 * speech + noise(n, 6, 0.003)),
        Probe("a delay", noise(n, 8), np.roll(noise(n, 8), 1)),
        Probe("beyond full scale", 20 * noise(n, 9), -17 * noise(n, 9) + noise(n, 10)),
        Probe("quiet", 0.01 * speech, 0.01 * speech + noise(n, 7, 2e-5)),
    )


@cache
def distance_probes(sample_rate: int) -> tuple[Probe, ...]:
    """Return the pairs that tell log-spectral distances apart; on the first three hardly a floor is active."""
    n = 12000
    growing = noise(n) * np.linspace(0.3, 1, n)
    other = noise(n + 5500, 2)  # of another length and two patches long: sums and patches are told from a mean
    speech = voice(n, sample_rate)
    gated = speech * (np.arange(n) % 4000 < 3000)
    return (
        Probe("two noises", noise(n), growing + 0.3 * low_passed(noise(n, 1), 0.4)),
        Probe("a gain on a part", other, np.concatenate([other[: n // 3], 5 * other[n // 3 :]])),
        Probe("an offset", other + 0.03, 0.5 * other[::-1] - 0.05),
        Probe("an empty band", speech, low_passed(speech, 0.3, floor=0.0)),
        Probe("pauses", speech, gated),
        Probe("noise in a pause", speech * (np.arange(n) > 7000), speech * (np.arange(n) > 7000) + noise(n, 5, 1e-4)),
        Probe("a quiet signal", 0.003 * speech, 0.003 * low_passed(gated, 0.5, floor=1e-3)),
    )


def answers(target: Callable[[Any, Any], float], probes: Sequence[Probe]) -> Array:
    """Return the target's answers, NaN where it gives none."""
    found = []
    for probe in probes:
        try:
            found.append(target(probe.reference, probe.estimate))
        except TargetFault:
            found.append(float("nan"))
    return np.array(found, dtype=np.float64)


def fit_ratio(measured: Array, sample_rate: int) -> list[Fit]:
    """Return the points of the lattice of ratios that fit best, the best first; of equal fits the plainest."""
    return _sorted(_fitted(point, base, measured) for point, base in _ratio_bases(sample_rate))


@cache
def _ratio_bases(sample_rate: int) -> list[tuple[Ratio, Array]]:
    """Return every point with its values on the probes: they do not depend on the target."""
    probes = ratio_probes(sample_rate)
    return [(point, np.array([point.base(probe) for probe in probes])) for point in ratios()]


def fit_square(measured: Array, probes: Sequence[Probe]) -> list[Fit]:
    """Return the points of the lattice of squared errors that fit best, the best first."""
    weight = 1 / np.where(measured == 0, 1, np.abs(measured))  # every probe counts alike, the loud as the quiet
    return _sorted(
        _fitted(point, weight * np.array([point.base(probe) for probe in probes]), weight * measured)
        for point in squares()
    )


@cache
def opinion_probes(sample_rate: int) -> tuple[Probe, ...]:
    """Return the pairs that tell wrappers of PESQ and STOI apart."""
    n = 2 * sample_rate
    first, second = voice(n, sample_rate), voice(n, sample_rate, seed=1)
    gated = first * (np.arange(n) % (n // 5) < n // 7)
    return (
        Probe("noisy", first, first + noise(n, 1, 0.05)),
        Probe("band-limited", first, low_passed(first, 0.3, floor=0.01) + 0.02),
        Probe("gated", second, 0.4 * gated + noise(n, 2, 0.01)),
    )


def fit_opinion(measured: Array, declared: str, sample_rate: int) -> list[Fit]:
    """Return the points of the lattice of PESQ or STOI that fit best, the best first."""
    return _sorted(
        _fitted(point, _opinion_base(point, sample_rate), measured) for point in opinions(declared, sample_rate)
    )


@cache
def _opinion_base(point: Opinion, sample_rate: int) -> Array:
    return np.array([point.base(probe, sample_rate) for probe in opinion_probes(sample_rate)])


def _sorted(fits: Iterable[Fit]) -> list[Fit]:
    """Sort by error; of those that reproduce the target, the ones with a factor that has a name, then the plainest."""
    return sorted(
        fits,
        key=lambda fit: (
            not fit.exact,
            fit.error > TIGHT,
            not fit.exact or not _has_name(fit),
            0 if fit.exact else fit.error,
        ),
    )


def _has_name(fit: Fit) -> bool:
    """Tell whether the factor is one that a logarithm's base, a power or dB explains."""
    factor = abs(fit.factor)
    if getattr(fit.point, "pool", "") == "mean_all":
        factor = np.sqrt(factor)
    bases = (1.0, np.log(10), 1 / np.log10(2))
    return any(
        np.isclose(factor, base * scale, rtol=2e-4) for base in bases for scale in (0.5, 1, 2, 5, 10, 20, 0.1, 100)
    )


def fit_distance(measured: Array, sample_rate: int) -> list[Fit]:
    """Return the points of the lattice of distances that fit best, the best first.

    First the transform, the spectrum and the pooling, on probes where no floor is active; then, for the best of them
    and for the usual ones, the floor, the order of the arguments and, if nothing fits yet, the parts that are left out.
    """
    first = [_fitted(point, base, measured[:3]) for point, base in _first_bases(sample_rate)]
    first.sort(key=lambda fit: fit.error)
    usual = [Distance(pool=pool) for pool in POOLS]
    usual += [Distance(edges="zeros", pool=pool) for pool in ("rms_f.mean_t", "rms_t.mean_f")]  # librosa's padding
    starts = list(dict.fromkeys([*(fit.point for fit in first[:6]), *usual]))
    second = [
        _fitted(point, _distance_base(point, sample_rate), measured)
        for start in starts
        for order in ("ref,est", "est,ref")
        for floor in FLOORS
        if order == "ref,est" or "ratio" in floor or start.prepare.startswith("est")
        for point in (replace(start, floor=floor, order=order),)
    ]
    if not any(fit.error <= TIGHT for fit in second):
        second += [
            _fitted(point, _distance_base(point, sample_rate), measured)
            for start in usual
            for floor in ("max1e-8", "max1e-10", "add1e-8", "ratio1e-12")
            for part in PARTS
            for point in (replace(start, floor=floor, part=part),)
        ]
    return _sorted(second)


@cache
def _first_bases(sample_rate: int) -> list[tuple[Distance, Array]]:
    """Return the points of the first search with their values on the first probes, which no target changes."""
    found = []
    for prepare in ("none", "peak", "rms", "mean", "est-peak", "est-rms-to-ref"):
        pairs = [prepared(p.reference, p.estimate, prepare) for p in distance_probes(sample_rate)[:3]]
        for n_fft, hop in _transforms(sample_rate):
            for win in ("hann", "hamming", "rect", "hann-symmetric", "kbd"):
                for edges in ("reflect", "zeros", "none"):
                    if prepare != "none" and (win != "hann" or edges == "zeros"):
                        continue
                    spectra = [[power_spectrogram(x, n_fft, hop, win, edges) for x in pair] for pair in pairs]
                    for of in ("power", "log1p", "log1p-power"):
                        logs = [log_spectra(r, e, of, "max1e-12") for r, e in spectra]
                        for pool in POOLS:
                            base = np.array(
                                [_pool(r, e, a, b, pool) for (r, e), (a, b) in zip(spectra, logs, strict=True)]
                            )
                            found.append((Distance(n_fft, hop, win, edges, of, "max1e-8", pool, prepare=prepare), base))
    return found


@cache
def _distance_base(point: Distance, sample_rate: int) -> Array:
    """Return a point's values on the probes, the mean over patches where it is one."""
    plain = replace(point, floor="", pool="", of="", part=point.part if point.part.endswith("8192") else "all")
    values = []
    for patches in _spectra(plain, sample_rate):
        found = []
        for r, e in patches:
            r, e = parted(r, point.part), parted(e, point.part)
            found.append(_pool(r, e, *log_spectra(r, e, point.of, point.floor), point.pool))
        values.append(float(np.mean(found)))
    return np.array(values)


@lru_cache(maxsize=16)
def _spectra(point: Distance, sample_rate: int) -> list[list[tuple[Array, Array]]]:
    """Return, of every probe, the power spectrograms of the pair, or of each pair of patches."""
    found = []
    for p in distance_probes(sample_rate):
        pair = (p.reference, p.estimate) if point.order == "ref,est" else (p.estimate, p.reference)
        pair = prepared(*pair, point.prepare)
        whole = max(len(pair[0]) // 8192, 1) * 8192
        parts = [slice(None)]
        if point.part == "whole8192":
            parts = [slice(whole)]
        elif point.part == "patches8192":
            parts = [slice(start, start + 8192) for start in range(0, whole, 8192)]
        found.append(
            [
                (
                    power_spectrogram(pair[0][part], point.n_fft, point.hop, point.win, point.edges),
                    power_spectrogram(pair[1][part], point.n_fft, point.hop, point.win, point.edges),
                )
                for part in parts
            ]
        )
    return found


def _pool(r: Array, e: Array, log_r: Array, log_e: Array, pool: str) -> float:
    if pool == "log_of_mean_t":
        mean = [np.log10(np.maximum(s.mean(0, keepdims=True), 1e-8)) for s in (r, e)]
        return pooled(mean[0] - mean[1], pool)
    return pooled(log_r - log_e, pool)


def _fitted(point: Any, base: Array, measured: Array) -> Fit:
    usable = np.isfinite(base) & np.isfinite(measured)
    if usable.sum() < 2:
        return Fit(point, 1.0, float("inf"))
    b, m = base[usable], measured[usable]
    energy = float(b @ b)
    factor = float(b @ m) / energy if energy else 0.0
    scale = float(np.abs(m).max()) or 1.0
    return Fit(point, factor, float(np.abs(m - factor * b).max()) / scale)


def _transforms(sample_rate: int) -> list[tuple[int, int]]:
    sizes = [(n, n // part) for n in (2048, 1024, 512, 4096) for part in (4, 2, 8)]
    sizes += [(sample_rate // 40, sample_rate // 100), (2048, 441)]
    return [*sizes, (int(2048 * sample_rate / 44100), int(sample_rate / 100))]


def plain_ratio(target: str) -> Ratio:
    """Return the point that SNR or SI-SDR is declared to be."""
    return Ratio(target="projection" if target == "si_sdr" else "reference")
