"""Front ends: what is done to a pair of signals before anything is measured; their words are in words.toml."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Pair = tuple[Array, Array]
FrontEnd = Callable[[Array, Array, int], Pair]


def prepared(reference: Array, estimate: Array, sample_rate: int, front: tuple[str, ...]) -> Pair:
    """Return both signals after the front ends that are named, in their order."""
    pair = reference, estimate
    for name in front:
        pair = FRONTS[name](*pair, sample_rate)
    return pair


def _both(change: Callable[[Array], Array]) -> FrontEnd:
    return lambda y, x, _: (change(y), change(x))


def _est(change: Callable[[Array], Array]) -> FrontEnd:
    return lambda y, x, _: (y, change(x))


def _ref(change: Callable[[Array], Array]) -> FrontEnd:
    return lambda y, x, _: (change(y), x)


def _peak(x: Array) -> Any:
    return np.abs(x).max()


def _rms(x: Array) -> Any:
    return np.sqrt(np.mean(x**2))


def _bfloat16(x: Array) -> Array:
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32).astype(np.float64)


def _wrapped(x: Array, offset: float = 0.0, scale: float = 32768.0) -> Array:
    return np.nan_to_num(x * scale + offset).astype(np.int64).astype(np.int16).astype(np.float64) / scale


def _emphasised(x: Array, amount: float, first: bool = True) -> Array:
    return np.append(x[:1], x[1:] - amount * x[:-1]) if first else x[1:] - amount * x[:-1]


def _mu_law(x: Array) -> Array:
    return np.asarray(np.sign(x) * np.log1p(255 * np.abs(x)) / np.log(256))


def _best_lag(y: Array, x: Array, most: int | None) -> int:
    from scipy.signal import correlate

    found = correlate(y, x)
    middle = len(x) - 1
    if most is not None:
        found = found[middle - most : middle + most + 1]
        middle = most
    return int(np.argmax(found)) - middle


def _aligned(y: Array, x: Array, _: int, most: int | None = None, cut: bool = False) -> Pair:
    lag = _best_lag(y, x, most)
    if not cut:
        return y, np.roll(x, lag)
    y, x = (y[lag:], x) if lag > 0 else (y, x[-lag:])
    n = min(len(y), len(x))
    return y[:n], x[:n]


def _kept(y: Array, x: Array, _: int, keep: Callable[[Array], Array]) -> Pair:
    kept = keep(y)
    return y[kept], x[kept]


def _between(y: Array, share: float) -> Any:
    loud = np.flatnonzero(np.abs(y) > share * _peak(y))
    return slice(loud[0], loud[-1] + 1) if len(loud) else slice(None)


def _loud_frames(y: Array, x: Array, sample_rate: int, db: float, ms: int) -> Pair:
    size = sample_rate * ms // 1000
    whole = len(y) // size * size
    energy = np.sum(y[:whole].reshape(-1, size) ** 2, axis=1)
    kept = np.repeat(energy > energy.max() * 10 ** (-db / 10), size)
    return y[:whole][kept], x[:whole][kept]


def _resampled(y: Array, x: Array, sample_rate: int, to: int, how: str) -> Pair:
    return _resample(y, sample_rate, to, how), _resample(x, sample_rate, to, how)


def _resample(x: Array, sample_rate: int, to: int, how: str) -> Array:
    import scipy.signal
    import soxr

    if how == "poly":
        step = np.gcd(sample_rate, to)
        return np.asarray(scipy.signal.resample_poly(x, to // step, sample_rate // step))
    if how == "fft":
        return np.asarray(scipy.signal.resample(x, round(len(x) * to / sample_rate)))
    if how == "slice":
        return x[:: sample_rate // to]
    return np.asarray(soxr.resample(x, sample_rate, to, quality=how))


def _spectrum_only(x: Array) -> Array:
    return np.asarray(np.abs(np.fft.rfft(x)) / np.sqrt(len(x)))


def _over(y: Array, x: Array, _: int, of: Callable[[Array], Any], what: str) -> Pair:
    """Divide signals by a level of themselves, or of the reference."""
    level = {"ref": of(y) or 1.0, "est": of(x) or 1.0}
    if what == "est-to-ref":
        return y, x * (of(y) / level["est"])
    if what == "by-ref":
        return y / level["ref"], x / level["ref"]
    return (y if what == "est" else y / level["ref"]), (x if what == "ref" else x / level["est"])


def _by_both_peaks(y: Array, x: Array, _: int) -> Pair:
    peak = max(_peak(y), _peak(x))
    return y / peak, x / peak


def _patched(y: Array, x: Array, _: int, size: int) -> Pair:
    return y[: max(len(y) // size, 1) * size], x[: max(len(x) // size, 1) * size]


def _part(y: Array, x: Array, sample_rate: int, which: Callable[[int, int], slice]) -> Pair:
    return y[which(len(y), sample_rate)], x[which(len(x), sample_rate)]


_LEVELS: dict[str, Callable[[Array], Any]] = {
    "peak": _peak,
    "rms": _rms,
    "norm": lambda x: np.sqrt(np.sum(x**2)),
    "max": np.max,
    "std": np.std,
}
_ROUNDINGS: dict[str, Callable[[Array], Array]] = {
    "clip": lambda x: np.clip(x, -1, 1),
    "float16": lambda x: x.astype(np.float16).astype(np.float64),
    "bfloat16": _bfloat16,
    "int16": lambda x: np.round(np.clip(x, -1, 1) * 32767) / 32767,
    "int16-trunc": lambda x: np.trunc(np.clip(x, -1, 1) * 32767) / 32767,
    "int16-32768": lambda x: np.round(np.clip(x * 32768, -32768, 32767)) / 32768,
    "int16-32768-trunc": lambda x: np.trunc(np.clip(x * 32768, -32768, 32767)) / 32768,
    "int16-open": lambda x: np.round(x * 32768) / 32768,
    "int16-open-32767": lambda x: np.round(x * 32767) / 32767,
    "int16-open-trunc": lambda x: np.trunc(x * 32767) / 32767,
    "int8": lambda x: np.round(x * 127) / 127,
    "wrap": partial(_wrapped, scale=32767.0),
    "wrap-32768": _wrapped,
    "wrap-offset": partial(_wrapped, offset=32766.0, scale=32767.5),
}
_PARTS: dict[str, Callable[[int, int], slice]] = {
    "first-half": lambda n, sr: slice(n // 2),
    "last-half": lambda n, sr: slice(n // 2, None),
    "first-second": lambda n, sr: slice(sr),
    "middle": lambda n, sr: slice(n // 10, n - n // 10),
    "but-first": lambda n, sr: slice(1, None),
    "but-last": lambda n, sr: slice(-1),
}
_ENDS = (16, 40, 64, 80, 100, 128, 160, 256, 400, 512, 800, 1000, 1024, 1600, 2048)
_LAGS = (None, 8, 16, 32, 64, 100, 128, 160, 256, 512, 800, 1000, 1600)
_SIDES = (("", _both), ("est-", _est), ("ref-", _ref))

FRONTS: dict[str, FrontEnd] = {"mean": _both(lambda x: x - x.mean())}
for _key, _of in _LEVELS.items():
    for _name, _what in ((_key, "each"), (f"est-{_key}", "est"), (f"ref-{_key}", "ref")):
        FRONTS[_name] = partial(_over, of=_of, what=_what)
    FRONTS[f"est-{_key}-to-ref"] = partial(_over, of=_of, what="est-to-ref")
    FRONTS[f"by-ref-{_key}"] = partial(_over, of=_of, what="by-ref")
FRONTS |= {
    "est-mean": _est(lambda x: x - x.mean()),
    "ref-mean": _ref(lambda x: x - x.mean()),
    "z-score": _both(lambda x: (x - x.mean()) / x.std()),
    "min-max": _both(lambda x: (x - x.min()) / np.ptp(x)),
    "min-max-1": _both(lambda x: 2 * (x - x.min()) / np.ptp(x) - 1),
    "by-both-peak": _by_both_peaks,
    "est-optimal": lambda y, x, _: (y, x * (x @ y) / (x @ x)),
    "quiet-est-to-ref": lambda y, x, _: (y, x * max(1.0, _rms(y) / _rms(x))),
    "est-sign": lambda y, x, _: (y, x * (np.sign(x @ y) or 1.0)),
}
for _a in (0.97, 0.95, 0.96, 0.98, 0.9, 0.85, 1.0):
    FRONTS[f"emphasis{_a:g}"] = _both(partial(_emphasised, amount=_a))
    FRONTS[f"emphasis{_a:g}-short"] = _both(partial(_emphasised, amount=_a, first=False))
FRONTS |= {f"{side}{key}": on(change) for side, on in _SIDES for key, change in _ROUNDINGS.items()}
FRONTS |= {"mu-law": _both(_mu_law), "abs": _both(np.abs), "spectrum": _both(_spectrum_only)}
FRONTS |= {f"whole{n}": partial(_patched, size=n) for n in (512, 256, 1024, 2048, 4096, 8192, 16384)}
FRONTS |= {name: partial(_part, which=which) for name, which in _PARTS.items()}
FRONTS |= {f"but-ends{k}": partial(_part, which=partial(lambda n, sr, k: slice(k, n - k), k=k)) for k in _ENDS}
FRONTS |= {"shift1": lambda y, x, _: (y[1:], x[:-1]), "shift-1": lambda y, x, _: (y[:-1], x[1:])}
for _most in _LAGS:
    FRONTS[f"align{_most or ''}"] = partial(_aligned, most=_most)
    FRONTS[f"align{_most or ''}-cut"] = partial(_aligned, most=_most, cut=True)
for _share in (0.001, 0.01, 0.02, 0.05, 0.1):
    _keep = {
        "trim": partial(_between, share=_share),
        "active": partial(lambda y, share: np.abs(y) > share * _peak(y), share=_share),
        "active-rms": partial(lambda y, share: np.abs(y) >= share * _rms(y), share=_share),
    }
    FRONTS |= {f"{key}{_share:g}": partial(_kept, keep=keep) for key, keep in _keep.items()}
FRONTS["active0"] = partial(_kept, keep=lambda y: y != 0)
for _db in (20, 30, 35, 40, 50, 60):
    FRONTS |= {f"vad{_db}-{ms}": partial(_loud_frames, db=_db, ms=ms) for ms in (10, 20, 25, 30, 32)}
for _rate in (8000, 16000, 10000, 22050, 24000, 44100, 48000):
    for _how in ("HQ", "poly", "VHQ", "fft", *(["slice"] if _rate <= 16000 and _rate != 10000 else [])):
        FRONTS[f"resample{_rate}-{_how}"] = partial(_resampled, to=_rate, how=_how)

# what changes the waveform of every signal: looked for on all probes, where the others show on their own
FILTERS = tuple(
    name
    for name in FRONTS
    if name.startswith(("emphasis", "mu-law", "abs"))
    or name
    in ("rms", "norm", "z-score", "est-rms", "est-rms-to-ref", "est-norm-to-ref", "est-std-to-ref", "est-optimal")
    or (name.startswith("resample") and name.endswith(("HQ", "poly", "slice")) and "VHQ" not in name)
)
# front ends that a second one may be joined to
COMMON = (
    "mean",
    "peak",
    "rms",
    "est-rms-to-ref",
    "est-peak-to-ref",
    "clip",
    "align",
    "z-score",
    "emphasis0.97",
    "est-optimal",
)
# one of each kind, to be joined to another
PLAIN_FRONTS = tuple(
    name
    for name in FRONTS
    if not name.startswith(("vad", "resample", "but-ends", "active", "spectrum"))
    and ("emphasis" not in name or name in ("emphasis0.97", "emphasis0.95"))
    and ("align" not in name or name == "align")
    and ("trim" not in name or name == "trim0.01")
    and ("whole" not in name or name in ("whole512", "whole8192"))
    and not (name.startswith(("est-", "ref-")) and "int" in name)
)
