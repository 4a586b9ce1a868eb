"""The bugs in words: what departs from the declared definition, what it does, what to do with published numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

from srbench.audit.lattice import Distance, Ratio, Square
from srbench.metrics.lsd import Lsd
from srbench.signature import value_text

_LN10 = math.log(10)
NO_CORRECTION = "Published numbers cannot be corrected; recompute them."


@dataclass(frozen=True)
class Bug:
    """One departure from the declared definition: its name, what it does, what to do with published numbers."""

    bug: str
    explanation: str
    correction: str

    def as_dict(self) -> dict[str, str]:
        """Return it as the audit's JSON shows it."""
        return dict(vars(self))


PREPARED = {
    "mean": ("mean removed", "Both signals are centred first, so an offset in the estimate costs nothing."),
    "peak": ("signals normalised", "Both signals are divided by their own peaks first, so errors of level are hidden."),
    "rms": ("signals normalised", "Both signals are divided by their own RMS first, so errors of level are hidden."),
    "z-score": ("signals normalised", "Both signals are centred and divided by their deviation first (z-score)."),
    "min-max": ("signals normalised", "Both signals are brought to the range from 0 to 1 first (min-max)."),
    "est-peak": ("estimate normalised", "The estimate is divided by its peak first."),
    "ref-peak": ("reference normalised", "The reference is divided by its peak first."),
    "est-rms-to-ref": ("estimate normalised", "The estimate is brought to the level of the reference first."),
}


def ratio_bugs(point: Ratio, declared: Ratio) -> list[Bug]:
    """Name how a point of the lattice of ratios departs from the declared one."""
    bugs = []
    if point.order == "est,ref" and declared.target == "reference":
        bugs.append(
            Bug(
                "swapped arguments",
                "The estimate is taken for the reference: its power stands in the numerator.",
                NO_CORRECTION,
            )
        )
    if point.target != declared.target:
        names = {
            "projection": "the estimate projected on the reference (SI-SDR)",
            "reference": "the reference (SNR)",
            "estimate": "the estimate",
        }
        bugs.append(
            Bug(
                "another numerator",
                f"The numerator is the power of {names[point.target]}, not of {names[declared.target]}.",
                NO_CORRECTION,
            )
        )
    if point.prepare in PREPARED:
        bugs.append(Bug(*PREPARED[point.prepare], NO_CORRECTION))
    if point.energy == "ratio-of-samples":
        bugs.append(
            Bug(
                "mean of ratios for ratio of means",
                "The ratio is taken sample by sample, then averaged.",
                NO_CORRECTION,
            )
        )
    if point.energy in ("every-pair", "sum-of-every-pair"):
        text = "The noise is the difference of every sample with every other: (n,) and (n, 1) were broadcast to n by n."
        bugs.append(Bug("broadcasting", text, NO_CORRECTION))
    if point.energy == "abs":
        bugs.append(Bug("absolute values for squares", "Mean absolute values are compared.", NO_CORRECTION))
    if point.energy in ("peak", "full-scale", "peak-to-peak"):
        peaks = {"peak": "the squared peak of the reference", "full-scale": "1", "peak-to-peak": "the square of 2"}
        bugs.append(
            Bug(
                "PSNR for SNR",
                f"The numerator is {peaks[point.energy]}, not the power of the reference.",
                "Subtract the crest factor of each reference in dB, if known.",
            )
        )
    if point.patch:
        bugs.append(
            Bug(
                "mean over patches",
                f"The ratio is taken over patches of {point.patch} samples and averaged in dB.",
                NO_CORRECTION,
            )
        )
    if point.log1p:
        bugs.append(
            Bug(
                "log(1 + ratio)",
                "One is added to the ratio before the logarithm.",
                "ratio = 10^(value/10) - 1 gives the true one, per utterance.",
            )
        )
    if point.floor:
        to = {"sums": "the sum of the noise's squares", "floors": "both powers per sample"}
        where = to.get(point.energy, "the noise power per sample")
        bugs.append(
            Bug(
                "a constant added to the noise power",
                f"{value_text(point.floor)} is added to {where}: it caps the value.",
                "1 / (10^(-value/10) - constant / power) corrects one utterance where the reference's power is known.",
            )
        )
    return bugs


def square_bugs(point: Square) -> list[Bug]:
    """Name how a point of the lattice of squared errors departs from the MSE."""
    forms = {
        "root": (
            "root taken",
            "The root of the mean square error is returned (RMSE).",
            "Square the values: exact for one utterance.",
        ),
        "sum": (
            "sum for mean",
            "The squares are summed, not averaged: the value grows with the duration.",
            "Divide by the number of samples.",
        ),
        "abs": ("absolute values for squares", "Absolute errors are averaged.", NO_CORRECTION),
        "over-reference": (
            "normalised by the reference",
            "The error is divided by the reference's power.",
            "Multiply by that power.",
        ),
        "dB": (
            "in dB",
            "The logarithm of the mean square error is returned.",
            "10^(value/10) is the MSE: exact for one utterance.",
        ),
        "greatest": ("greatest for mean", "The greatest error is returned.", NO_CORRECTION),
        "every-pair": (
            "broadcasting",
            "The mean is over every sample with every other: (n,) and (n, 1) were broadcast to n by n.",
            NO_CORRECTION,
        ),
    }
    bugs = [Bug(*forms[point.form])] if point.form in forms else []
    return bugs + ([Bug(*PREPARED[point.prepare], NO_CORRECTION)] if point.prepare in PREPARED else [])


def distance_bugs(point: Distance, declared: Lsd) -> list[Bug]:
    """Name how a point of the lattice of distances departs from the declared LSD."""
    bugs = []
    if point.of != "power":
        bugs.append(
            Bug(
                "log of a log",
                "log10 is applied to log(1 + |S|), which already is a log spectrum: quiet bins dominate, a gain is no "
                "constant.",
                NO_CORRECTION,
            )
        )
    pools = {
        "rms_f.mean_t": ("the wrong axis first", "The root mean square is taken over bins, then the mean over frames."),
        "rms_t.mean_f": ("the wrong axis first", "The root mean square is taken over frames, then the mean over bins."),
        "rms_all": ("one root over all", "One root of the mean over all bins and frames, not a mean of roots."),
        "mean_all": ("missing root", "The mean of the squares is returned without its root."),
        "abs_all": ("absolute values for squares", "Absolute differences are averaged: no square, no root."),
        "norm_f.mean_t": ("sum for mean", "The squares are summed over bins, not averaged."),
        "norm_t.mean_f": (
            "sum for mean",
            "The squares are summed over frames, not averaged: the value grows with the duration.",
        ),
        "rms_f.sum_t": (
            "sum for mean",
            "The distances of the frames are summed, not averaged: the value grows with the duration.",
        ),
        "log_of_mean_t": ("mean before log", "The spectra are averaged over time before the logarithm."),
    }
    if point.pool != declared.pool:
        name, text = pools[point.pool]
        repair = NO_CORRECTION
        if point.pool == "norm_f.mean_t":
            repair = f"Divide by sqrt({point.n_fft // 2 + 1}), the number of bins."
        bugs.append(Bug(name, text, repair))
    if point.prepare in PREPARED:
        bugs.append(Bug(*PREPARED[point.prepare], NO_CORRECTION))
    if point.order == "est,ref" and declared.floor.startswith("ratio"):
        bugs.append(
            Bug(
                "swapped arguments",
                "Reference and estimate are exchanged; with a floor inside the ratio this shows.",
                NO_CORRECTION,
            )
        )
    if (point.n_fft, point.hop) != (declared.n_fft, declared.hop):
        text = f"The transform is {point.n_fft} / {point.hop}, not {declared.n_fft} / {declared.hop}."
        bugs.append(Bug("another transform", text, NO_CORRECTION))
    if point.win != declared.win:
        bugs.append(Bug("another window", f"The window is {point.win}, not {declared.win}.", NO_CORRECTION))
    edges = {
        "reflect": "extended by reflection",
        "zeros": "extended by zeros",
        "none": "not extended (frames are not centred)",
    }
    if point.edges != (declared.pad if declared.center else "none"):
        bugs.append(Bug("other ends", f"The ends of the signals are {edges[point.edges]}.", NO_CORRECTION))
    if point.part != "all":
        bugs.append(_part_bug(point.part))
    if point.floor.startswith("norm-"):
        text = "Each spectrum is divided by its greatest bin first (ref=np.max), so errors of level are hidden."
        bugs.append(Bug("signals normalised", text, NO_CORRECTION))
    elif not _same_floor(point.floor, declared.floor):
        kinds = {
            "max": "clamped at",
            "add": "raised by",
            "mag-max": "magnitudes clamped at",
            "mag-add": "magnitudes raised by",
            "ratio": "a ratio with",
            "power-ratio": "a ratio of powers with",
            "peak-max": "relative to the greatest bin, clamped at",
            "peak-amin8-max": "relative to the greatest bin, clamped at",
        }
        kind = point.floor.rstrip("0123456789e-.")
        amount = point.floor[len(kind) :]
        name = "floor inside the ratio" if kind.endswith("ratio") else "another floor"
        bugs.append(
            Bug(
                name,
                f"The floor is {kinds[kind]} {amount}, not {declared.floor}: quiet bins count differently.",
                NO_CORRECTION,
            )
        )
    return bugs


def _part_bug(part: str) -> Bug:
    """Name what is left out."""
    if part == "patches8192":
        text = "The distance is taken over whole patches of 8192 samples and averaged."
        return Bug("mean over patches", text, NO_CORRECTION)
    if part == "whole8192":
        text = "The samples after the last whole patch of 8192 do not count."
        return Bug("samples left out", text, NO_CORRECTION)
    if part in ("bins1:", "bins:-1"):
        which = "at 0 Hz" if part == "bins1:" else "at half the sample rate"
        return Bug("bins left out", f"The bin {which} does not count.", NO_CORRECTION)
    low, high = (float(share) for share in part[4:].split("-"))
    text = f"Only the bins from {100 * low:g} to {100 * high:g} % of the band count."
    return Bug("bins left out", text, NO_CORRECTION)


def _same_floor(found: str, declared: str) -> bool:
    """Tell whether two floors are the same clamp: 1e-5 on a magnitude is 1e-10 on its power."""
    if found.startswith("mag-max") and declared.startswith("max"):
        return math.isclose(float(found[7:]) ** 2, float(declared[3:]))
    return found == declared


def factor_bugs(ratio: float, declared: str) -> list[Bug]:
    """Name the factor between what the target returns and the declared definition."""
    if math.isclose(ratio, 1, rel_tol=2e-4):
        return []
    to_ln, to_log2 = _LN10, 1 / math.log10(2)
    if declared == "ln":
        named = {
            1 / _LN10: ("log10 for the natural logarithm", "log10 is taken where ln is declared."),
            0.5 / _LN10: ("log10 of magnitudes", "log10 of magnitudes is taken where ln of powers is declared."),
            to_log2 / _LN10: ("log2", "log2 is taken where ln is declared."),
        }
    else:
        named = {
            to_ln: ("natural logarithm", f"The natural logarithm is taken where {declared} is declared."),
            to_log2: ("log2", f"The logarithm to base 2 is taken where {declared} is declared."),
            to_ln / 2: ("natural logarithm of magnitudes", "The natural logarithm of magnitudes is taken."),
        }
    if declared == "the mean square":
        named = {0.5: ("halved", "Half the mean square is returned.")}
    elif declared == "10·log10":
        named |= {
            0.5: (
                "10 for 20",
                "10·log10 is taken of a ratio of norms (amplitudes): 20 is due, the value is half the true one.",
            ),
            2.0: ("20 for 10", "20·log10 is taken of a ratio of powers: 10 is due, the value is twice the true one."),
            0.1: ("missing factor 10", "The value is in bel: the factor 10 of dB is missing."),
        }
    else:
        named |= {
            0.5: ("magnitude for power", "The logarithm is taken of magnitudes, not of powers."),
            2.0: ("power for magnitude", "The spectrum is squared twice."),
            10.0: ("dB", "The difference is taken in dB."),
            1 / math.sqrt(2): ("a factor of one half under the root", "Half of the mean square is taken."),
        }
    for factor, (name, text) in named.items():
        for sign in (1, -1):
            if math.isclose(ratio, sign * factor, rel_tol=2e-4):
                flipped = " and turn its sign" if sign < 0 else ""
                correction = f"Divide by {factor:.7g}{flipped}: exact for every published number."
                if sign < 0:
                    name, text = f"{name}, sign turned", f"{text} Its sign is turned."
                return [Bug(name, text, correction)]
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


def cap_bugs(cap: float | None) -> list[Bug]:
    """Name a cap."""
    if cap is None:
        return []
    return [
        Bug(
            "value capped",
            f"No value goes beyond {cap:.6g}.",
            f"Numbers below it stand; those at {cap:.6g} cannot be corrected.",
        )
    ]
