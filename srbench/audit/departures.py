"""What a definition that is shown departs in from the declared one, in words: names, effects, corrections."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from srbench.audit.distance import Distance
from srbench.audit.fit import Fit, plain
from srbench.audit.opinion import Opinion
from srbench.audit.ratio import Error, Ratio
from srbench.audit.words import NO_CORRECTION, WORDS, Bug, front_end
from srbench.signature import value_text

_LN10 = math.log(10)
_LOGARITHMS = ("logarithms", "Logarithms of spectra are compared.")


def departures(fit: Fit, declared: Fit, free: frozenset[str] = frozenset()) -> list[Bug]:
    """Name every part in which a definition departs from the declared one, the gravest first.

    Parameters
    ----------
    fit : Fit
        That reproduces the target.
    declared : Fit
        The declared definition with its factor and cap.
    free : frozenset of str
        Parts that the declared name leaves open.
    """
    point = fit.point
    kinds: Any = {Ratio: _ratio, Error: _error, Distance: _distance, Opinion: _opinion}
    bugs = list(kinds[type(point)](point, declared.point, free))
    theirs = getattr(declared.point, "front", ())
    fronts = [Bug(*front_end(name)) for name in point.front if name not in theirs]
    missing = [front_end(name) for name in theirs if name not in point.front]
    fronts += [Bug(f"not done: {bug}", f"Missing: {text}") for bug, text in missing]
    scaled = [] if "factor" in free else _factor(fit, declared)
    bugs = [*fronts, *bugs, *scaled, *_limits(fit, declared)]
    return sorted(bugs, key=lambda bug: _MINOR.index(bug.bug) + 1 if bug.bug in _MINOR else 0)


# what says least, last
_MINOR = (
    *("another transform", "another window", "dB", "other ends"),
    *("a constant added", "another floor", "a constant factor"),
)


def _ratio(point: Ratio, other: Any, free: frozenset[str]) -> Iterator[Bug]:
    other = other if isinstance(other, Ratio) else Ratio()
    if point.target != other.target and "target" not in free:
        name = {
            "estimate": "swapped arguments",
            "every-pair": "broadcasting",
            "filtered": "another numerator: a filter of 512 taps is allowed (BSS-eval SDR)",
            "projection-error": "another denominator: SD-SDR",
        }.get(point.target, "another numerator or projection")
        text = f"The value is of {WORDS['target'][point.target]}, not of {WORDS['target'][other.target]}."
        yield Bug(name, text)
    if point.over in ("one", "peak", "maximum", "range") and "over" not in free:
        text = f"The numerator is the {WORDS['measure'][point.over]}, not the power of the reference."
        if point.over == "one":
            text = "The numerator is a constant (full scale), not the power of the reference."
        yield Bug("PSNR for SNR", text, "Subtract the crest factor of each reference in dB, if known.")
    for word, measure, theirs in (("numerator", point.over, other.over), ("noise", point.under, other.under)):
        if {measure, theirs} <= {"power", "sum"} or (
            word == "numerator" and "over" in free and measure in ("one", "peak")
        ):
            continue
        if measure in ("one", "peak", "maximum", "range"):
            continue
        if theirs in ("one", "peak", "maximum", "range"):
            yield Bug("SNR for PSNR", "The numerator is the power of the reference, not a peak.")
        elif measure != theirs:
            known = {"var": "mean removed", "mean": "square of a mean for mean of squares", "median": "median for mean"}
            yield Bug(
                known.get(measure, "absolute values for squares" if "abs" in measure else "another measure"),
                f"Of the {word} the {WORDS['measure'][measure]} is taken, not the mean of squares.",
            )
    peak = point.over in ("one", "peak", "maximum", "range")
    if {point.over, point.under} == {"power", "sum"} or (peak and point.under == "sum"):
        yield Bug("sum over mean", "A sum is divided by a mean, or a mean by a sum: the value grows with the duration.")
    if other.segments and not point.segments:
        yield Bug("the whole signal, no segments", "The ratio is of the whole signals, not a mean over segments.")
    if point.segments != other.segments and "segments" not in free and point.segments:
        s = point.segments
        limits = [f"{10 * v:g} dB" if v is not None else "no end" for v in (s.low, s.high)]
        limited = "" if s.low is None and s.high is None else f", each limited to {limits[0]} … {limits[1]}"
        if s.pool == "ratios":
            text = f"The ratio is taken in segments of {s.length} samples and averaged before the logarithm."
            yield Bug("mean of ratios for ratio of means", text)
            return
        how = "median" if s.pool == "median" else "mean"
        text = f"The ratio is taken over segments of {s.length} samples (patches), {s.hop} apart{limited}"
        yield Bug(f"{how} over patches (segmental)", f"{text}; their {how} in dB is returned.")
    if point.form == "log1p":
        repair = "ratio = 10^(value/10) - 1 gives the true one, per utterance."
        yield Bug("log(1 + ratio)", "One is added to the ratio before the logarithm.", repair)
    if point.form == "linear":
        repair = "10 log10 of it is the value: exact for one utterance."
        yield Bug("no logarithm", "The ratio itself is returned, not its logarithm.", repair)
    added = point.floor and (point.amount > 1e-14 or plain(1.0003 * point.amount) == point.amount)  # else arithmetic
    if added and (point.floor, point.amount) != (other.floor, other.amount) and "floor" not in free:
        scale = "sums of squares" if point.over == "sum" else "mean squares"
        text = f"{value_text(point.amount)} stands in the formula ({point.floor}, of {scale}): the level matters."
        yield Bug(
            "a constant added",
            text,
            "1 / (10^(-value/10) - constant / power) corrects one utterance, if both are known.",
        )


def _error(point: Error, other: Any, free: frozenset[str]) -> Iterator[Bug]:
    if not isinstance(other, Error):
        yield Bug(
            "not spectral: samples compared" if isinstance(other, Distance) else "an error, not a ratio",
            WORDS["form"][point.form][1],
        )
        return
    if point.form != other.form and "form" not in free:
        yield Bug(*WORDS["form"][point.form])


def _distance(point: Distance, other: Any, free: frozenset[str]) -> Iterator[Bug]:
    if not isinstance(other, Distance):
        what = WORDS["scale"].get(point.scale, _LOGARITHMS)[1]
        text = (
            f"{what} The transform is {_transform(point)}. The value is not that of the samples, the phase is ignored."
        )
        yield Bug("spectra compared, not samples", text)
        return
    if other.after.startswith("dct") and not point.after.startswith("dct"):
        yield Bug("spectra compared, not cepstra", "Logarithms of spectra are compared, not their cepstra.")
    elif "mel" in other.bank and not other.after and "mel" not in point.bank:
        yield Bug("no mel bands", "Bins of a linear spectrum are compared, not mel bands.")
    if point.scale != other.scale and "scale" not in free:
        yield Bug(*WORDS["scale"].get(point.scale, _LOGARITHMS))
    if "mel" in point.bank and "bank" not in free:
        yield Bug("mel bands", f"The spectra are summed in mel bands ({point.bank}).")
    elif point.bank.startswith("bins") and point.bank != other.bank and "bank" not in free:
        yield _bins(point.bank)
    elif point.bank.startswith("mean"):
        yield Bug(
            "spectra smoothed", f"The powers of {point.bank[4:]} neighbouring bins are averaged before the logarithm."
        )
    if point.norm and point.norm != other.norm:
        yield Bug(
            "signals normalised",
            f"{WORDS['norm'][point.norm.removesuffix('-after')]} first: errors of level are hidden.",
        )
    if point.after and point.after != other.after and "after" not in free:
        removed = {"frame-mean": "The mean of every frame's", "total-mean": "The mean of all"}
        text = f"Cepstra are compared ({point.after}), not spectra."
        if point.after in removed:
            text = f"{removed[point.after]} logarithms is removed: errors of level are hidden."
        yield Bug(
            "cepstra compared" if point.after.startswith("dct") else "signals normalised (mean level removed)", text
        )
    if point.pool != other.pool and "pool" not in free:
        name, text = WORDS["pool"][point.pool]
        bins = point.frames.size // 2 + 1
        repair = f"Divide by sqrt({bins}), the number of bins." if point.pool == "norm_f.mean_t" else NO_CORRECTION
        yield Bug(name, text, repair)
    if point.patch:
        yield Bug(
            "mean over patches", f"The distance is taken over whole patches of {point.patch} samples and averaged."
        )
    if point.swap != other.swap and other.floor.endswith("ratio"):
        yield Bug(
            "swapped arguments", "Reference and estimate are exchanged; with a floor inside the ratio this shows."
        )
    if "frames" not in free:
        yield from _frames(point, other)
    if point.scale == "log" and "floor" not in free and not _same_floor(point, other):
        name = "floor inside the ratio" if "ratio" in point.floor else "another floor" if point.floor else "no floor"
        if point.floor in ("max-est", "add-est", "add-ref"):
            name = "no floor for one of the two"
        theirs = f"{WORDS['floor'][other.floor]} {value_text(other.amount)}" if other.floor else "none"
        ours = f"{WORDS['floor'][point.floor]} {value_text(point.amount)}" if point.floor else "none"
        if point.relative:
            name, ours = "another floor, relative to the peak", f"{ours}, and {point.relative:g} of the greatest bin"
        yield Bug(name, f"The floor is {ours}; declared: {theirs}. Quiet bins count differently.")


def _transform(point: Distance) -> str:
    f = point.frames
    if not f.size:
        return "one of the whole signal"
    return f"{f.size} / {f.hop}" + (f" with a window of {f.length}" if f.length else "")


def _frames(point: Distance, other: Distance) -> Iterator[Bug]:
    ours, theirs = point.frames, other.frames
    if (ours.size, ours.hop, ours.length) != (theirs.size, theirs.hop, theirs.length):
        name = "another transform" if ours.size else "one transform of the whole signal"
        yield Bug(name, f"The transform is {_transform(point)}, not {_transform(other)}.")
    if ours.win != theirs.win:
        yield Bug("another window", f"The window is {ours.win}, not {theirs.win}.")
    if ours.detrend:
        yield Bug(
            "another transform: detrended",
            "The mean of every frame is removed first, as scipy.signal.spectrogram does.",
        )
    if ours.ends != theirs.ends and ours.size:
        yield Bug("other ends", f"The ends of the signals are {WORDS['ends'][ours.ends]}.")


def _bins(bank: str) -> Bug:
    if bank in ("bins1:", "bins:-1"):
        which = "at 0 Hz" if bank == "bins1:" else "at half the sample rate"
        return Bug("bins left out", f"The bin {which} does not count.")
    low, high = (float(share) for share in bank[4:].split("-"))
    return Bug("bins left out", f"Only the bins from {100 * low:g} to {100 * high:g} % of the band count.")


def _same_floor(point: Distance, other: Distance) -> bool:
    return point.floor == other.floor and math.isclose(point.amount, other.amount, rel_tol=1e-3) and not point.relative


def _opinion(point: Opinion, other: Opinion, free: frozenset[str]) -> Iterator[Bug]:
    text = {"pesq": "wide-band PESQ", "pesq_nb": "narrow-band PESQ", "stoi": "STOI", "estoi": "extended STOI"}
    if point.metric != other.metric:
        yield Bug(f"{text[point.metric]} for {text[other.metric]}", f"The value is {text[point.metric]}.")
    if point.swap:
        yield Bug("swapped arguments", "The estimate is taken for the reference.")
    if point.rate:
        yield Bug("sample rate ignored", f"The samples are taken to be at {point.rate} Hz, whatever their rate.")


def _factor(fit: Fit, declared: Fit) -> list[Bug]:
    """Name the factor between what the target returns and the declared definition."""
    point, other = fit.point, declared.point
    if type(point) is not type(other) or declared.factor == 0:
        return []
    if isinstance(point, Error) and point.form.startswith("dB"):
        return (
            []
            if math.isclose(fit.factor, 10, rel_tol=2e-4)
            else [Bug("a constant factor", f"It is {fit.factor / 10:.6g}.")]
        )
    if isinstance(point, Distance) and point.scale != "log":
        return []
    if isinstance(point, Ratio) and point.form == "linear":
        return []
    ratio = fit.factor / declared.factor
    if getattr(point, "pool", "") in ("mean_all", "sum_all") and getattr(other, "pool", "") != point.pool:
        ratio = math.copysign(math.sqrt(abs(fit.factor)) / declared.factor, fit.factor)
    if math.isclose(ratio, 1, rel_tol=2e-4) and (
        math.isclose(fit.offset, 0, abs_tol=1e-6) or getattr(point, "over", "") == "one"
    ):
        return []
    if fit.offset and not (isinstance(point, Ratio) and point.over == "one"):
        sign = "sign turned, " if ratio < 0 else ""
        text = f"The value is {ratio:.6g} times the declared one and {fit.offset:.6g}."
        percent = "rescaled (in per cent)" if abs(ratio) > 20 and isinstance(point, Opinion) else "rescaled"
        return [Bug(f"{sign}{percent}", text, f"Subtract {fit.offset:.6g}, divide by {ratio:.6g}: exact.")]
    for factor, (name, text) in _names(point, declared).items():
        if math.isclose(abs(ratio), factor, rel_tol=2e-4):
            flipped = " and turn its sign" if ratio < 0 else ""
            if ratio < 0:
                name, text = f"{name}, sign turned", f"{text} Its sign is turned."
            return [Bug(name, text, f"Divide by {factor:.7g}{flipped}: exact for every published number.")]
    if math.isclose(ratio, -1, rel_tol=2e-4):
        return [
            Bug(
                "sign turned",
                "The value has the opposite sign (a loss).",
                "Turn the sign: exact for every published number.",
            )
        ]
    return [
        Bug(
            "a constant factor",
            f"The value is {ratio:.6g} times the declared one.",
            f"Divide by {ratio:.6g}: exact for every published number.",
        )
    ]


def _names(point: Any, declared: Fit) -> dict[float, tuple[str, str]]:
    """Return the factors that have a name."""
    to_log2 = 1 / math.log10(2)
    if isinstance(point, Opinion):
        return {100.0: ("in per cent", "The value is multiplied by 100.")}
    if isinstance(point, Error):
        names = {0.5: ("halved", "Half the value is returned."), 2.0: ("doubled", "Twice the value is returned.")}
        for scale in (32767.0, 32768.0):
            names |= {s: ("PCM scale", f"Samples are multiplied by {scale:g} first.") for s in (scale, scale**2)}
        return names | {100.0: ("in per cent", "The value is multiplied by 100.")}
    natural = isinstance(declared.point, Distance) and math.isclose(declared.factor, _LN10)
    if natural:
        return {
            1 / _LN10: ("log10 for the natural logarithm", "log10 is taken where ln is declared."),
            0.5 / _LN10: ("log10 of magnitudes", "log10 of magnitudes is taken where ln of powers is declared."),
            to_log2 / _LN10: ("log2", "log2 is taken where ln is declared."),
            0.5: ("magnitude for power", "The logarithm is taken of magnitudes, not of powers."),
            10 / _LN10: ("dB", "The difference is taken in dB, where ln is declared."),
        }
    due = "10·log10" if isinstance(point, Ratio) else "log10"
    names = {
        _LN10: ("natural logarithm", f"The natural logarithm is taken where {due} is declared."),
        to_log2: ("log2", f"The logarithm to base 2 is taken where {due} is declared."),
        _LN10 / 2: ("natural logarithm of magnitudes", "The natural logarithm of magnitudes is taken."),
    }
    if isinstance(point, Ratio):
        return names | {
            0.5: (
                "10 for 20",
                "10·log10 is taken of a ratio of norms (amplitudes): 20 is due, the value is half the true one.",
            ),
            2.0: ("20 for 10", "20·log10 is taken of a ratio of powers: 10 is due, the value is twice the true one."),
            0.1: ("missing factor 10", "The value is in bel: the factor 10 of dB is missing."),
            _LN10 / 10: ("natural logarithm, missing factor 10", "The natural logarithm of the ratio is returned."),
        }
    return names | {
        0.5: ("magnitude for power", "The logarithm is taken of magnitudes, not of powers."),
        2.0: ("power for magnitude", "The spectrum is squared twice."),
        10.0: ("dB", "The difference is taken in dB."),
        20.0: ("dB of powers with 20 for 10", "20·log10 of powers is taken."),
        1 / math.sqrt(2): ("a factor of one half under the root", "Half of the mean square is taken."),
    }


def _limits(fit: Fit, declared: Fit) -> list[Bug]:
    """Name limits on the value, and a declared one that is missing."""
    found = []
    for limit, word in ((fit.cap, "beyond"), (fit.least, "below")):
        if limit is not None and not (declared.cap and math.isclose(limit, declared.cap, rel_tol=1e-3)):
            repair = f"Numbers apart from {limit:.6g} stand; those at {limit:.6g} cannot be corrected."
            found.append(Bug("value capped", f"No value goes {word} {limit:.6g}.", repair))
    if declared.cap is not None and fit.cap is None:
        found.append(
            Bug("missing cap", f"Values go beyond {declared.cap:g}.", "Cap the values: exact for one utterance.")
        )
    return found
