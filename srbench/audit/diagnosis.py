"""The diagnosis: what the target really computes, the bug in words, and whether published numbers can be corrected."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from srbench.audit.bugs import (
    FORM,
    NO_CORRECTION,
    PREPARED,
    VALUE_LAWS,
    Bug,
    cap_bugs,
    distance_bugs,
    factor_bugs,
    ratio_bugs,
    square_bugs,
)
from srbench.audit.computes import distance_signature, ratio_signature
from srbench.audit.fit import (
    answers,
    distance_probes,
    fit_distance,
    fit_opinion,
    fit_ratio,
    fit_square,
    opinion_probes,
    plain_ratio,
    ratio_probes,
)
from srbench.audit.lattice import Array, Distance, Opinion, Probe, Ratio, Square
from srbench.audit.law import Subject, Verdict
from srbench.audit.signals import noise
from srbench.metrics.lsd import Lsd


@dataclass(frozen=True)
class Diagnosis:
    """The bugs, likeliest first; the signature of what the target computes, or None and the nearest definitions."""

    bugs: tuple[Bug, ...]
    computes: str | None
    nearest: tuple[str, ...] = ()


def diagnose(subject: Subject, verdicts: Sequence[Verdict]) -> Diagnosis:
    """Find what a target computes and explain the laws that it breaks.

    Parameters
    ----------
    subject : Subject
    verdicts : sequence of Verdict
        Of the laws that were run.
    """
    broken = [verdict for verdict in verdicts if verdict.verdict == "fail"]
    form = [FORM[verdict.law] for verdict in broken if verdict.law in FORM and verdict.law not in VALUE_LAWS]
    if any(verdict.law == "plain_call" for verdict in broken):
        return Diagnosis(tuple(form[:1]), None)
    if subject.family in ("snr", "si_sdr"):
        found = _diagnose_ratio(subject)
    elif subject.family == "lsd":
        found = _diagnose_distance(subject)
    elif subject.family == "mse":
        found = _diagnose_square(subject)
    else:
        found = _diagnose_opinion(subject)
    value = [FORM[verdict.law] for verdict in broken if verdict.law in VALUE_LAWS and not found.bugs]
    bugs = list(dict.fromkeys([*found.bugs, *value, *form]))
    if not broken and found.computes is None:
        bugs = []
    elif broken and not bugs:
        names = ", ".join(verdict.law for verdict in broken)
        bugs = [
            Bug("unexplained", f"No known definition fits; the broken laws say how it departs: {names}.", NO_CORRECTION)
        ]
    return replace(found, bugs=tuple(bugs))


def _diagnose_ratio(subject: Subject) -> Diagnosis:
    probes = ratio_probes(subject.sample_rate)
    measured = answers(subject.value, probes)
    loud = noise(8192, level=0.3)
    cap = _cap(subject, [(loud, loud * (1 + 1e-5)), (loud, loud * (1 + 1e-6))])
    fits = fit_ratio(_below(measured, cap), probes)
    best = fits[0]
    if not best.exact:
        return Diagnosis((), None, tuple(ratio_signature(fit, subject) for fit in fits[:3]))
    declared = plain_ratio(subject.metric.name)
    point = cast(Ratio, best.point)
    bugs = [*factor_bugs(best.factor / 10, "10·log10"), *ratio_bugs(point, declared), *cap_bugs(cap)]
    return Diagnosis(tuple(bugs), ratio_signature(replace(best, cap=cap), subject))


def _diagnose_square(subject: Subject) -> Diagnosis:
    probes = ratio_probes(subject.sample_rate)
    fits = fit_square(answers(subject.value, probes), probes)
    best, point = fits[0], cast(Square, fits[0].point)
    described = [f"MSE|factor:{fit.factor:.6g}|form:{fit.point.form}|prepare:{fit.point.prepare}" for fit in fits[:3]]
    if not best.exact:
        return Diagnosis((), None, tuple(described))
    bugs = square_bugs(point)
    bugs += factor_bugs(best.factor, "the mean square") if point.form != "dB" else []
    return Diagnosis(tuple(bugs), described[0] if bugs else str(subject.definition.signature()))


def _diagnose_opinion(subject: Subject) -> Diagnosis:
    probes, name = opinion_probes(subject.sample_rate), subject.metric.name
    fits = fit_opinion(answers(subject.value, probes), probes, name, subject.sample_rate)
    best, point = fits[0], cast(Opinion, fits[0].point)
    if not best.exact:
        return Diagnosis((), None)
    bugs = []
    if point.metric != name:
        text = {"pesq": "wide-band PESQ", "pesq_nb": "narrow-band PESQ", "stoi": "STOI", "estoi": "extended STOI"}
        bugs.append(Bug(f"{text[point.metric]} for {text[name]}", f"The value is {text[point.metric]}.", NO_CORRECTION))
    if point.order == "est,ref":
        bugs.append(FORM["perceptual_order"])
    if point.rate:
        explanation = f"The samples are taken to be at {point.rate} Hz, whatever their rate."
        bugs.append(Bug("sample rate ignored", explanation, NO_CORRECTION))
    if point.prepare in PREPARED:
        bugs.append(Bug(*PREPARED[point.prepare], NO_CORRECTION))
    if math.isclose(best.factor, 100, rel_tol=1e-3):
        bugs.append(
            Bug("in per cent", "The value is multiplied by 100.", "Divide by 100: exact for every published number.")
        )
    elif not math.isclose(best.factor, 1, rel_tol=1e-3):
        bugs += factor_bugs(best.factor, "the value")
    return Diagnosis(tuple(bugs), None if bugs else str(subject.definition.signature()))


def _diagnose_distance(subject: Subject) -> Diagnosis:
    probes = distance_probes(subject.sample_rate)
    measured = answers(subject.value, probes)
    loud = noise(12000, level=0.3)
    cap = _cap(subject, [(loud, 1e6 * loud), (loud, 1e9 * loud)])
    fits = fit_distance(_below(measured, cap), probes, subject.sample_rate)
    best = fits[0]
    declared = cast(Lsd, subject.definition)
    if not best.exact:
        return Diagnosis((), None, tuple(distance_signature(fit, subject) for fit in fits[:3]))
    point = cast(Distance, best.point)
    unit = (1.0 if declared.log == "10" else math.log(10)) * (1.0 if declared.of == "power" else 0.5)
    factor = math.sqrt(abs(best.factor)) if point.pool == "mean_all" else best.factor
    bugs = distance_bugs(point, declared)
    if point.of == "power" or not bugs:
        bugs = [*factor_bugs(factor / unit, "ln" if declared.log == "e" else "log10"), *bugs]
    if cap is not None and not (declared.clip and math.isclose(cap, declared.clip, rel_tol=1e-3)):
        bugs += cap_bugs(cap)
    return Diagnosis(tuple(bugs), distance_signature(replace(best, cap=cap), subject))


def _cap(subject: Subject, pairs: list[tuple[Array, Array]]) -> float | None:
    """Return the value at which the target is capped: the same for two hugely different errors."""
    small, large = (float(value) for value in answers(subject.value, [Probe("", *pair) for pair in pairs]))
    return small if math.isfinite(small) and math.isclose(small, large, rel_tol=1e-7) else None


def _below(measured: Array, cap: float | None) -> Array:
    return measured if cap is None else np.where(np.abs(measured) >= abs(cap) * (1 - 1e-6), np.nan, measured)
