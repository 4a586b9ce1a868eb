"""Distances of spectra (LSD and its kin), put together from parts: front end, frames, bank, floor, scale, pooling."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

import numpy as np

from srbench.audit.probes import Array, Probes


@dataclass(frozen=True)
class Frames:
    """A short-time transform.

    Attributes
    ----------
    size, hop : int, in samples; a size of 0 is one transform of the whole signal
    win : str
        A name of `WINDOWS`.
    length : int
        Of the window, in the middle of the frame; 0 for the size.
    ends : str
        A name of `ENDS`.
    detrend : bool
        The mean of every frame is removed.
    """

    size: int = 2048
    hop: int = 512
    win: str = "hann"
    length: int = 0
    ends: str = "reflect"
    detrend: bool = False

    def power(self, x: Array) -> Array:
        """Return |STFT|², shape (frames, bins)."""
        if not self.size:
            return np.abs(np.fft.rfft(x[None])) ** 2
        x = _extended(x, self)
        if len(x) < self.size:
            x = np.pad(x, (0, self.size - len(x)))
        frames = np.lib.stride_tricks.sliding_window_view(x, self.size)[:: self.hop]
        if self.ends == "short" and len(frames) > 1:
            frames = frames[:-1]
        if self.detrend:
            frames = frames - frames.mean(1, keepdims=True)
        spectrum = np.fft.rfft(frames * window(self.win, self.size, self.length))
        return np.asarray(spectrum.real**2 + spectrum.imag**2)


ENDS = ("reflect", "zeros", "none", "tail", "scipy", "short", "overlap", "repeat")


def _extended(x: Array, frames: Frames) -> Array:
    half = frames.size // 2
    if frames.ends in ("reflect", "zeros", "repeat"):
        mode: Any = {"reflect": "reflect", "zeros": "constant", "repeat": "edge"}[frames.ends]
        return np.pad(x, half, mode=mode)
    if frames.ends == "overlap":
        return np.pad(x, (frames.size - frames.hop) // 2, mode="reflect")
    if frames.ends == "scipy":
        x = np.pad(x, half)
    if frames.ends in ("tail", "scipy"):
        return np.pad(x, (0, -(len(x) - frames.size) % frames.hop))
    return x


@cache
def window(name: str, size: int, length: int = 0) -> Array:
    """Return a window, zero outside ``length`` where that is given."""
    n = length or size
    k = np.arange(n)
    half = np.cumsum(np.kaiser(n // 2 + 1, 4 * np.pi))
    names: dict[str, Callable[[], Any]] = {
        "hann": lambda: 0.5 - 0.5 * np.cos(2 * np.pi * k / n),
        "hann-symmetric": lambda: np.hanning(n),
        "hamming": lambda: 0.54 - 0.46 * np.cos(2 * np.pi * k / n),
        "hamming-symmetric": lambda: np.hamming(n),
        "blackman": lambda: 0.42 - 0.5 * np.cos(2 * np.pi * k / n) + 0.08 * np.cos(4 * np.pi * k / n),
        "blackman-symmetric": lambda: np.blackman(n),
        "rect": lambda: np.ones(n),
        "kbd": lambda: np.resize(np.sqrt(np.concatenate([half[:-1], half[:-1][::-1]]) / half[-1]), n),
        "sqrt-hann": lambda: np.sin(np.pi * k / n),
        "tukey": lambda: _tukey(n, n),
        "tukey-symmetric": lambda: _tukey(n, n - 1),
        "bartlett": lambda: np.bartlett(n),
    }
    made = np.asarray(names[name]())
    left = (size - n) // 2
    return np.pad(made, (left, size - n - left))


WINDOWS = (
    *("hann", "hamming", "rect", "hann-symmetric", "kbd", "blackman", "tukey", "sqrt-hann"),
    *("hamming-symmetric", "blackman-symmetric", "tukey-symmetric", "bartlett"),
)


def _tukey(n: int, period: int, alpha: float = 0.25) -> Array:
    k = np.minimum(np.arange(n), period - np.arange(n)) / period
    return np.where(k < alpha / 2, 0.5 - 0.5 * np.cos(2 * np.pi * k / alpha), 1.0)


@dataclass(frozen=True)
class Distance:
    """A definition of a log-spectral distance, in log10 of power.

    Attributes
    ----------
    front : tuple of str
    frames : Frames
    bank : str
        ``all``; a part of the bins, ``bins0.5-1`` as shares of the band, ``bins1:``, ``bins:-1``; ``one-sided``, all
        doubled but the first and the last, as in densities; or mel bands,
        ``mel80-slaney`` or ``mel80-htk``, ``mag-mel…`` of magnitudes.
    norm : str
        A name of `NORMS`: what the spectra are divided by.
    floor : str
        A name of `FLOORS`; ``amount`` is its constant, ``relative`` a second clamp relative to the greatest bin.
    scale : str
        A name of `SCALES`: the logarithm, or what is there in place of it.
    after : str
        What is done to the logarithms: ``""``, ``frame-mean`` removed, ``total-mean`` removed, ``dct1-13``.
    pool : str
        A name of `POOLS`.
    swap : bool
        Reference and estimate are exchanged.
    patch : int
        The mean over whole patches of so many samples, 0 for none.
    """

    front: tuple[str, ...] = ()
    frames: Frames = Frames()
    bank: str = "all"
    norm: str = ""
    floor: str = "max"
    amount: float = 1e-8
    relative: float = 0.0
    scale: str = "log"
    after: str = ""
    pool: str = "rms_f.mean_t"
    swap: bool = False
    patch: int = 0

    def base(self, probes: Probes) -> Array:
        """Return the value on each probe."""
        with np.errstate(all="ignore"):
            early = self.pool if self.pool == "log_of_mean_t" else ""  # its mean comes before everything
            pool = POOLS[self.pool]
            scaled = _scaled(replace(self, pool=early or "rms_all"), probes)
            return np.array([np.mean([pool(r, e) for r, e in patches]) for patches in scaled])

    def compared(self, r: Array, e: Array) -> tuple[Array, Array]:
        """Return what is compared of the powers of a pair, mostly their logarithms."""
        if self.swap:
            r, e = e, r
        if self.pool == "log_of_mean_t":
            r, e = r.mean(0, keepdims=True), e.mean(0, keepdims=True)
        before, norm = not self.norm.endswith("-after"), self.norm.removesuffix("-after")
        if norm and before:
            r, e = r / NORMS[norm](r), e / NORMS[norm](e)
        r, e = SCALES[self.scale](r), SCALES[self.scale](e)
        if self.scale.startswith("log"):
            r, e = FLOORS[self.floor](r, e, self.amount)
            if norm and not before:
                r, e = r / NORMS[norm](r), e / NORMS[norm](e)
            if self.relative:
                r, e = (np.maximum(s, self.relative * s.max()) for s in (r, e))
            r, e = (np.log10(s).astype(np.float64) for s in (r, e))
        if self.after in ("frame-mean", "total-mean"):
            axis = 1 if self.after == "frame-mean" else None
            r, e = r - r.mean(axis, keepdims=True), e - e.mean(axis, keepdims=True)
        elif self.after:
            from scipy.fft import dct

            first, last = (int(k) for k in self.after.removeprefix("dct").split("-"))
            r, e = (dct(s, axis=1, norm="ortho")[:, first:last] for s in (r, e))
        return r, e


def _shared(x: Array, axis: Any) -> Any:
    return np.maximum(x, 1e-300).mean(axis, keepdims=True)


# what the spectra are divided by before the floor (after it: name + "-after")
NORMS: dict[str, Callable[[Array], Any]] = {
    "peak": lambda s: s.max() or 1.0,
    "frame-rms": lambda s: _shared(s, 1),
    "frame-peak": lambda s: s.max(1, keepdims=True),
    "frame-mean": lambda s: _shared(np.sqrt(s), 1) ** 2,
    "rms": lambda s: _shared(s, None),
    "mean": lambda s: _shared(np.sqrt(s), None) ** 2,
}


def _each(change: Callable[[Array, float], Array]) -> Callable[[Array, Array, float], tuple[Array, Array]]:
    return lambda r, e, a: (change(r, a), change(e, a))


def _over(ratio: Callable[[Array, Array, float], Array]) -> Callable[[Array, Array, float], tuple[Array, Array]]:
    return lambda r, e, a: ((found := ratio(r, e, a)), np.ones_like(found))


# how the logarithm is kept finite: (reference, estimate, amount) -> both; of powers
FLOORS: dict[str, Callable[[Array, Array, float], tuple[Array, Array]]] = {
    "max": _each(np.maximum),
    "add": _each(lambda s, a: s + a),
    "mag-add": _each(lambda s, a: (np.sqrt(s) + a) ** 2),
    "square-add": _each(lambda s, a: np.sqrt(s**2 + a)),
    "square-ratio": _over(lambda r, e, a: np.sqrt((r / (e + a)) ** 2 + a)),
    "ratio": _over(lambda r, e, a: r / (np.sqrt(e) + a) ** 2 + a),
    "power-ratio": _over(lambda r, e, a: r / (e + a) + a),
    "ratio-noise": _over(lambda r, e, a: r / (e + a)),
    "ratio-both": _over(lambda r, e, a: (r + a) / (e + a)),
    "ratio-out": _over(lambda r, e, a: r / e + a),
    "mag-ratio": _over(lambda r, e, a: (np.sqrt(r) / (np.sqrt(e) + a) + a) ** 2),
    "max-est": lambda r, e, a: (r, np.maximum(e, a)),
    "add-est": lambda r, e, a: (r, e + a),
    "add-ref": lambda r, e, a: (r + a, e),
    "": lambda r, e, a: (r, e),
}

# what is done to powers before the floor, and instead of the logarithm where the name does not begin with log
SCALES: dict[str, Callable[[Array], Array]] = {
    "log": lambda p: p,
    "log-half": lambda p: np.square(np.sqrt(p).astype(np.float16)),
    "log-log1p": lambda p: np.log1p(np.sqrt(p)),
    "log-log1p-power": np.log1p,
    "ln1p": lambda p: np.log1p(np.sqrt(p)),
    "ln1p-power": np.log1p,
    "magnitude": np.sqrt,
    "power": lambda p: p,
    "root": lambda p: p**0.15,
    "sqrt": lambda p: p**0.25,
}


def _rms(d: Array, axis: Any = None) -> Any:
    return np.sqrt(np.mean(d**2, axis))


def _huber(d: Array) -> Array:
    size = np.abs(d)
    return np.where(size < 1, 0.5 * d**2, size - 0.5)


# how the differences become one number, of (log reference, log estimate)
POOLS: dict[str, Callable[[Array, Array], Any]] = {
    "rms_f.mean_t": lambda r, e: _rms(r - e, 1).mean(),
    "rms_t.mean_f": lambda r, e: _rms(r - e, 0).mean(),
    "rms_all": lambda r, e: _rms(r - e),
    "mean_all": lambda r, e: np.mean((r - e) ** 2),
    "abs_all": lambda r, e: np.abs(r - e).mean(),
    "norm_f.mean_t": lambda r, e: np.sqrt(np.sum((r - e) ** 2, 1)).mean(),
    "norm_t.mean_f": lambda r, e: np.sqrt(np.sum((r - e) ** 2, 0)).mean(),
    "rms_f.sum_t": lambda r, e: _rms(r - e, 1).sum(),
    "norm_all": lambda r, e: np.sqrt(np.sum((r - e) ** 2)),
    "sum_all": lambda r, e: np.sum((r - e) ** 2),
    "abs_sum": lambda r, e: np.abs(r - e).sum(),
    "log_of_mean_t": lambda r, e: _rms(r - e),
    "mean_t.rms_f": lambda r, e: _rms((r - e).mean(0)),
    "mean_t.abs_f": lambda r, e: np.abs((r - e).mean(0)).mean(),
    "rms_f.median_t": lambda r, e: np.median(_rms(r - e, 1)),
    "median_all": lambda r, e: np.median(np.abs(r - e)),
    "abs_mean": lambda r, e: np.abs((r - e).mean()),
    "mean": lambda r, e: (r - e).mean(),
    "greatest": lambda r, e: np.abs(r - e).max(),
    "rms_f.max_t": lambda r, e: _rms(r - e, 1).max(),
    "huber": lambda r, e: _huber(r - e).mean(),
    "abs_f.rms_t": lambda r, e: _rms(np.abs(r - e).mean(1)),
    "convergence": lambda r, e: np.sqrt(np.sum((r - e) ** 2) / np.sum(r**2)),
    "convergence_t": lambda r, e: np.sqrt(np.sum((r - e) ** 2, 1) / np.sum(r**2, 1)).mean(),
    "over-reference": lambda r, e: np.sum((r - e) ** 2) / np.sum(r**2),
    "log-ratio": lambda r, e: np.log10(np.sum(r**2) / np.sum((r - e) ** 2)),
    "log-ratio_t": lambda r, e: np.log10(np.sum(r**2, 1) / np.sum((r - e) ** 2, 1)).mean(),
}
LOG_POOLS = tuple(name for name in POOLS if not name.startswith(("convergence", "over", "log-ratio")))


@lru_cache(maxsize=3)
def _scaled(point: Distance, probes: Probes) -> list[list[tuple[Array, Array]]]:
    spectra = _spectra(point.front, point.frames, point.bank, point.patch, probes)
    return [[point.compared(r, e) for r, e in patches] for patches in spectra]


@lru_cache(maxsize=12)
def _spectra(
    front: tuple[str, ...], frames: Frames, bank: str, patch: int, probes: Probes
) -> list[list[tuple[Array, Array]]]:
    """Return, of every probe, the power spectra of the pair, or of each pair of patches."""
    if bank != "all":
        plain = _spectra(front, frames, "all", patch, probes)
        return [[(banked(r, bank, probes), banked(e, bank, probes)) for r, e in pairs] for pairs in plain]
    found = []
    for y, x in probes.after(front):
        n = min(len(y), len(x))
        parts = [slice(0, n)]
        if patch:
            parts = [slice(start, start + patch) for start in range(0, max(n // patch, 1) * patch, patch)]
        found.append([(frames.power(y[part]), frames.power(x[part])) for part in parts])
    return found


def banked(power: Array, bank: str, probes: Probes) -> Array:
    """Return the bins or the bands of a power spectrogram that a bank keeps, as powers."""
    bins = power.shape[1]
    if bank in ("bins1:", "bins:-1"):
        return power[:, 1:] if bank == "bins1:" else power[:, :-1]
    if bank == "one-sided":
        return np.concatenate([power[:, :1], 2 * power[:, 1:-1], power[:, -1:]], axis=1)
    if bank.startswith("bins@"):
        first, last = (int(k) for k in bank[5:].split("-"))
        return power[:, first:last]
    if bank.startswith("bins"):
        low, high = (float(share) * (bins - 1) for share in bank[4:].split("-"))
        return power[:, round(low) : round(high) + 1]
    if bank.startswith("mean"):
        width = int(bank[4:])
        return np.asarray(power[:, : bins // width * width].reshape(len(power), -1, width).mean(2))
    weights = mel_filters(bank.removeprefix("mag-"), bins, probes.sample_rate)
    if bank.startswith("mag-"):
        return np.asarray((weights @ np.sqrt(power).T).T ** 2)
    return np.asarray((weights @ power.T).T)


@cache
def mel_filters(name: str, bins: int, sample_rate: int) -> Any:
    """Return triangular filters, a sparse matrix of shape (bands, bins).

    The name is ``melN-slaney`` or ``melN-htk``, with ``-norm`` for the other norm and ``-22050`` for that rate.
    """
    count, kind, *rest = name.removeprefix("mel").split("-")
    rate = 22050 if "22050" in rest else sample_rate
    slaney = kind == "slaney"
    top = rate / 2

    def mel(hz: Any) -> Any:
        if not slaney:
            return 2595 * np.log10(1 + np.asarray(hz) / 700)
        hz = np.asarray(hz, dtype=float)
        return np.where(hz < 1000, hz * 3 / 200, 15 + 27 * np.log(np.maximum(hz, 1) / 1000) / np.log(6.4))

    def hertz(m: Any) -> Any:
        if not slaney:
            return 700 * (10 ** (m / 2595) - 1)
        return np.where(m < 15, m * 200 / 3, 1000 * np.exp(np.log(6.4) * (m - 15) / 27))

    edges = hertz(np.linspace(mel(0.0), mel(top), int(count) + 2))
    frequencies = np.linspace(0, top, bins)[:, None]
    rise = (frequencies - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - frequencies) / (edges[2:] - edges[1:-1])
    weights = np.maximum(0, np.minimum(rise, fall))
    if slaney != ("norm" in rest):  # slaney's are divided by their width unless "norm" turns it, htk's are not
        weights = weights * (2 / (edges[2:] - edges[:-2]))
    from scipy.sparse import csr_array

    return csr_array(weights.T)


@cache
def transforms(sample_rate: int) -> tuple[Frames, ...]:
    """Return the transforms in use, the usual first; centred and not, as the grid of frames differs."""
    sizes = [(n, n // part, 0) for n in (2048, 1024, 512, 4096, 256) for part in (4, 2, 8, 1)]
    ms = sample_rate // 1000
    sizes += [(25 * ms, 10 * ms, 0), (32 * ms, 8 * ms, 0), (20 * ms, 10 * ms, 0), (30 * ms, 15 * ms, 0)]
    sizes += [(2048, 441, 0), (int(2048 * sample_rate / 44100), int(sample_rate / 100), 0), (512, 10 * ms, 25 * ms)]
    sizes += [(2048, 160, 0), (2048, 200, 0), (2048, 256, 1024), (2048, 240, 1200), (1024, 120, 600), (512, 50, 240)]
    sizes += [(512, 160, 0), (1024, 160, 0), (1024, 200, 800), (1024, 300, 0), (2048, 300, 1200), (256, 224, 0)]
    sizes += [(400, 100, 0), (320, 160, 0), (640, 160, 0), (960, 240, 0), (480, 120, 0), (512, 100, 400), (882, 441, 0)]
    sizes += [(n, n - n // 8, 0) for n in (2048, 1024, 512)] + [(30 * ms, 7 * ms + ms // 2, 0), (8192, 2048, 0)]
    return Frames(0, 1), *(
        Frames(size, hop, length=length, ends=ends)
        for size, hop, length in dict.fromkeys(sizes)
        for ends in ("reflect", "none")
        if ends == "reflect" or size // 2 % hop  # else the frames of both lie on one grid
    )


def usual(frames: Frames) -> bool:
    """Tell whether a transform is one of those that most code has."""
    return frames.size in (2048, 1024, 512) and frames.hop in (512, 256, 128, 160)


def windowed(frames: Frames) -> list[Frames]:
    """Return a transform with every window, the last of them with the mean of the frames removed, as scipy does."""
    return [
        *(replace(frames, win=win) for win in WINDOWS),
        *(replace(frames, win=win, detrend=True) for win in ("hann", "tukey", "hamming", "rect")),
    ]
