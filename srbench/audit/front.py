"""Front ends: what is done to a pair of signals before anything is measured, each with its words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Pair = tuple[Array, Array]


@dataclass(frozen=True)
class FrontEnd:
    """One thing that is done to both signals first: its name as a bug, its words, and itself."""

    bug: str
    text: str
    apply: Callable[[Array, Array, int], Pair]


def prepared(reference: Array, estimate: Array, sample_rate: int, front: tuple[str, ...]) -> Pair:
    """Return both signals after the front ends that are named, in their order."""
    pair = reference, estimate
    for name in front:
        pair = FRONTS[name].apply(*pair, sample_rate)
    return pair


def _both(change: Callable[[Array], Array]) -> Callable[[Array, Array, int], Pair]:
    return lambda y, x, _: (change(y), change(x))


def _est(change: Callable[[Array], Array]) -> Callable[[Array, Array, int], Pair]:
    return lambda y, x, _: (y, change(x))


def _ref(change: Callable[[Array], Array]) -> Callable[[Array, Array, int], Pair]:
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


FRONTS: dict[str, FrontEnd] = {}


def _add(name: str, bug: str, text: str, apply: Callable[[Array, Array, int], Pair]) -> None:
    FRONTS[name] = FrontEnd(bug, text, apply)


_LEVEL = "so errors of level are hidden."
_add(
    "mean", "mean removed", "Both signals are centred first, so an offset costs nothing.", _both(lambda x: x - x.mean())
)
for _key, _of, _words in (
    ("peak", _peak, "peak"),
    ("rms", _rms, "RMS"),
    ("norm", lambda x: np.sqrt(np.sum(x**2)), "norm"),
    ("max", np.max, "greatest sample, sign included,"),
    ("std", np.std, "standard deviation"),
):
    _divide = partial(lambda x, of: x / (of(x) or 1.0), of=_of)
    _add(_key, "signals normalised", f"Each signal is divided by its own {_words} first, {_LEVEL}", _both(_divide))
    _add(
        f"est-{_key}", "estimate normalised", f"The estimate is divided by its {_words} first, {_LEVEL}", _est(_divide)
    )
    _add(f"ref-{_key}", "reference normalised", f"The reference is divided by its {_words} first.", _ref(_divide))
    _add(
        f"est-{_key}-to-ref",
        "estimate normalised",
        f"The estimate is brought to the {_words} of the reference first, {_LEVEL}",
        partial(lambda y, x, _, of: (y, x * (of(y) / (of(x) or 1.0))), of=_of),
    )
    _add(
        f"by-ref-{_key}",
        "signals normalised",
        f"Both signals are divided by the {_words} of the reference first.",
        partial(lambda y, x, _, of: (y / (of(y) or 1.0), x / (of(y) or 1.0)), of=_of),
    )
_add("est-mean", "mean removed", "The estimate is centred first.", _est(lambda x: x - x.mean()))
_add("ref-mean", "mean removed", "The reference is centred first.", _ref(lambda x: x - x.mean()))
_add(
    "z-score",
    "signals normalised",
    "Both signals are centred and divided by their deviation first (z-score).",
    _both(lambda x: (x - x.mean()) / x.std()),
)
_add(
    "min-max",
    "signals normalised",
    "Both signals are brought to the range from 0 to 1 first (min-max).",
    _both(lambda x: (x - x.min()) / np.ptp(x)),
)
_add(
    "min-max-1",
    "signals normalised",
    "Both signals are brought to the range from -1 to 1 first (min-max).",
    _both(lambda x: 2 * (x - x.min()) / np.ptp(x) - 1),
)
_add(
    "by-both-peak",
    "signals normalised",
    "Both signals are divided by the greater of their two peaks first.",
    lambda y, x, _: (y / max(_peak(y), _peak(x)), x / max(_peak(y), _peak(x))),
)
_add(
    "est-optimal",
    "estimate normalised",
    "The estimate is scaled to fit the reference best first, so errors of level are hidden.",
    lambda y, x, _: (y, x * (x @ y) / (x @ x)),
)
_add(
    "quiet-est-to-ref",
    "estimate normalised",
    "An estimate that is quieter than the reference is brought to its RMS first.",
    lambda y, x, _: (y, x * max(1.0, _rms(y) / _rms(x))),
)
_add(
    "est-sign",
    "polarity corrected",
    "The estimate is turned where it has the opposite polarity of the reference.",
    lambda y, x, _: (y, x * (np.sign(x @ y) or 1.0)),
)
for _a in (0.97, 0.95, 0.96, 0.98, 0.9, 0.85, 1.0):
    for _first in (True, False):
        _add(
            f"emphasis{_a:g}" + ("" if _first else "-short"),
            "pre-emphasis filter",
            f"Both signals pass a pre-emphasis filter, x[n] - {_a:g} x[n-1], first: high frequencies count more.",
            _both(partial(_emphasised, amount=_a, first=_first)),
        )
for _side, _on in (("", _both), ("est-", _est), ("ref-", _ref)):
    _who = {"": "Both signals are", "est-": "The estimate is", "ref-": "The reference is"}[_side]
    _add(f"{_side}clip", "samples clipped", f"{_who} clipped to -1 … 1 first.", _on(lambda x: np.clip(x, -1, 1)))
    for _key, _words, _change in (
        ("float16", "float16 (11 bits)", lambda x: x.astype(np.float16).astype(np.float64)),
        ("bfloat16", "bfloat16 (8 bits)", _bfloat16),
        ("int16", "16-bit integers", lambda x: np.round(np.clip(x, -1, 1) * 32767) / 32767),
        ("int16-trunc", "16-bit integers", lambda x: np.trunc(np.clip(x, -1, 1) * 32767) / 32767),
        ("int16-32768", "16-bit integers", lambda x: np.round(np.clip(x * 32768, -32768, 32767)) / 32768),
        ("int16-32768-trunc", "16-bit integers", lambda x: np.trunc(np.clip(x * 32768, -32768, 32767)) / 32768),
        ("int16-open", "16-bit steps, without a limit,", lambda x: np.round(x * 32768) / 32768),
        ("int16-open-32767", "16-bit steps, without a limit,", lambda x: np.round(x * 32767) / 32767),
        ("int16-open-trunc", "16-bit steps, without a limit,", lambda x: np.trunc(x * 32767) / 32767),
        ("int8", "8-bit integers", lambda x: np.round(x * 127) / 127),
    ):
        _add(f"{_side}{_key}", "samples rounded", f"{_who} rounded to {_words} first: a noise floor.", _on(_change))
    for _key, _change in (
        ("wrap", partial(_wrapped, scale=32767.0)),
        ("wrap-32768", _wrapped),
        ("wrap-offset", partial(_wrapped, offset=32766.0, scale=32767.5)),
    ):
        _text = f"{_who} cast to 16-bit integers that wrap around: samples beyond their range change sign."
        _add(f"{_side}{_key}", "integer overflow (samples wrap around)", _text, _on(_change))
_add("mu-law", "samples companded", "Both signals pass the mu-law curve first.", _both(_mu_law))
_add("abs", "absolute values first", "The signs of the samples are dropped first.", _both(np.abs))
_add(
    "spectrum",
    "magnitudes of one transform of the whole signal",
    "The magnitudes of one Fourier transform are compared, not the samples: the phase is ignored.",
    _both(_spectrum_only),
)
for _size in (512, 256, 1024, 2048, 4096, 8192, 16384):
    _add(
        f"whole{_size}",
        "samples left out",
        f"The samples after the last whole patch of {_size} do not count.",
        partial(lambda y, x, _, n: (y[: max(len(y) // n, 1) * n], x[: max(len(x) // n, 1) * n]), n=_size),
    )
for _key, _where, _words in (
    ("first-half", lambda n, sr: slice(n // 2), "Only the first half counts."),
    ("last-half", lambda n, sr: slice(n // 2, None), "Only the last half counts."),
    ("first-second", lambda n, sr: slice(sr), "Only the first second counts."),
    ("middle", lambda n, sr: slice(n // 10, n - n // 10), "A tenth at each end does not count."),
    ("but-first", lambda n, sr: slice(1, None), "The first sample does not count."),
    ("but-last", lambda n, sr: slice(-1), "The last sample does not count."),
    *(
        (f"but-ends{k}", partial(lambda n, sr, k: slice(k, n - k), k=k), f"{k} samples at each end do not count.")
        for k in (16, 40, 64, 80, 100, 128, 160, 256, 400, 512, 800, 1000, 1024, 1600, 2048)
    ),
):
    _add(
        _key,
        "samples left out",
        _words,
        partial(lambda y, x, sr, w: (y[w(len(y), sr)], x[w(len(x), sr)]), w=_where),
    )
_add("shift1", "one sample late", "The signals are compared one sample apart.", lambda y, x, _: (y[1:], x[:-1]))
_add("shift-1", "one sample early", "The signals are compared one sample apart.", lambda y, x, _: (y[:-1], x[1:]))
for _most in (None, 8, 16, 32, 64, 100, 128, 160, 256, 512, 800, 1000, 1600):
    for _cut in (False, True):
        _add(
            f"align{_most or ''}" + ("-cut" if _cut else ""),
            "aligned first",
            "The estimate is moved to where it fits the reference best"
            + (f", by up to {_most} samples" if _most else "")
            + ", so a delay costs nothing.",
            partial(_aligned, most=_most, cut=_cut),
        )
for _share in (0.001, 0.01, 0.02, 0.05, 0.1):
    _text = f"Samples of the reference below {_share:g} of its peak"
    _add(
        f"trim{_share:g}",
        "samples left out",
        f"{_text} at its ends are trimmed first.",
        partial(_kept, keep=partial(_between, share=_share)),
    )
    _add(
        f"active{_share:g}",
        "samples left out",
        f"{_text} do not count.",
        partial(_kept, keep=partial(lambda y, share: np.abs(y) > share * _peak(y), share=_share)),
    )
    _add(
        f"active-rms{_share:g}",
        "samples left out",
        f"Samples of the reference below {_share:g} of its RMS do not count.",
        partial(_kept, keep=partial(lambda y, share: np.abs(y) >= share * _rms(y), share=_share)),
    )
_add(
    "active0",
    "samples left out",
    "Samples where the reference is 0 do not count.",
    partial(_kept, keep=lambda y: y != 0),
)
for _db in (20, 30, 35, 40, 50, 60):
    for _ms in (10, 20, 25, 30, 32):
        _text = f"Stretches of {_ms} ms in which the reference is {_db} dB below its loudest do not count."
        _add(f"vad{_db}-{_ms}", "pauses left out", _text, partial(_loud_frames, db=_db, ms=_ms))
for _rate in (8000, 16000, 10000, 22050, 24000, 44100, 48000):
    for _how in ("HQ", "poly", "VHQ", "fft", "slice"):
        if _how != "slice" or _rate in (8000, 16000):
            _text = f"Both signals are resampled to {_rate} Hz first" + (
                ", without a filter" if _how == "slice" else ""
            )
            _add(f"resample{_rate}-{_how}", "resampled first", f"{_text}.", partial(_resampled, to=_rate, how=_how))

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
