"""The diagnosis: what the target really computes, the bug in words, and whether published numbers can be corrected."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from srbench.audit.broken_laws import FORM, NAMES, UNUSUAL_INPUT, VALUE_LAWS, no_number
from srbench.audit.bugs import (
    NO_CORRECTION,
    PREPARED,
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
from srbench.audit.signals import noise, orthogonal
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
    form.sort(key=lambda bug: bug in [FORM[law] for law in UNUSUAL_INPUT])  # what is done on purpose is told first
    if (plain := next((verdict for verdict in broken if verdict.law == "plain_call"), None)) is not None:
        return Diagnosis((no_number(plain.measured),), None)
    measured = answers(subject.value, _probes(subject))
    if not np.isfinite(measured).any():
        return Diagnosis((FORM["plain_call"],), None)
    if subject.family in ("snr", "si_sdr"):
        found = _diagnose_ratio(subject, measured)
    elif subject.family == "lsd":
        found = _diagnose_distance(subject, measured)
    elif subject.family == "mse":
        found = _diagnose_square(subject, measured)
    else:
        found = _diagnose_opinion(subject, measured)
    value = [
        FORM[verdict.law]
        for verdict in broken  # an exchange that was made would have been found by the fit
        if verdict.law in VALUE_LAWS and not found.bugs and verdict.law != "perceptual_order"
    ]
    laws = {verdict.law for verdict in broken}
    if not found.bugs:
        named = _named(broken)
        value = [*named, *value] if laws & _CORE else [*value, *named]
        if not value and not laws & {"deterministic", "float32_input", "inputs_unchanged"}:
            departs = _departs(subject, measured)
            value = [departs] if departs else []
    bugs = list({bug.bug: bug for bug in reversed([*found.bugs, *value, *form])}.values())[::-1]
    if broken and not bugs:
        names = ", ".join(verdict.law for verdict in broken)
        bugs = [
            Bug("unexplained", f"No known definition fits; the broken laws say how it departs: {names}.", NO_CORRECTION)
        ]
    if not found.bugs and (first := _in_the_answers(subject, broken, values=measured)):
        bugs = [first, *bugs]
    return replace(found, bugs=tuple(bugs))


# what no definition of its family breaks; where one of them is broken, parts left out are not the first thing to say
_CORE = {"snr_gain", "joint_scaling", "ratio_identity", "estimate_scaling", "lsd_gain", "lsd_identity"}


def _probes(subject: Subject) -> Sequence[Probe]:
    probes = {"lsd": distance_probes, "pesq": opinion_probes, "stoi": opinion_probes}.get(subject.family, ratio_probes)
    return probes(subject.sample_rate)


def _in_the_answers(subject: Subject, broken: Sequence[Verdict], values: Array) -> Bug | None:
    """Return a bug that the answers themselves show: failures scored, rounding, a cap from below."""
    measured = {verdict.law: verdict.measured.split()[0] for verdict in broken}
    scored = [measured[law] for law in ("unequal_lengths", "nan_is_not_hidden", "no_samples") if law in measured]
    if len(scored) == 3 and len(set(scored)) == 1:
        return Bug("failures scored", f"What has no value is scored {scored[0]}.", "Leave failures out and count them.")
    values = values[np.isfinite(values)]
    if subject.family != "mse" and values.any() and np.allclose(values, np.round(values, 2), rtol=0, atol=1e-12):
        return Bug("value rounded", "Every value is a multiple of 0.01 or of more.", NO_CORRECTION)
    if subject.family in ("pesq", "stoi") and len(values) > 1:
        ours = answers(subject.ours, _probes(subject))
        if len(ours) == len(values) and np.allclose(np.diff(values), -np.diff(ours), atol=1e-6) and np.ptp(ours) > 0.01:
            return Bug("sign turned", "The value falls as the metric rises (a loss).", "Turn the sign.")
    if subject.metric.better == "higher" and subject.family in ("snr", "si_sdr"):
        reference = noise(8192)
        pairs = [Probe("", reference, reference + orthogonal(reference, db)) for db in (-20, -40)]
        low = answers(subject.value, pairs)
        if low[0] == low[1]:
            return Bug("value capped", f"No value goes below {low[0]:.6g}.", NO_CORRECTION)
    if subject.family == "lsd":
        reference = noise(32768)
        silent, same = answers(subject.value, [Probe("", reference, 0 * reference), Probe("", reference, reference)])
        if silent == 0:
            return Bug("silent estimates scored 0", "A silent estimate counts as a perfect one.", NO_CORRECTION)
        if np.isfinite(same) and abs(same - subject.ours(reference, reference)) > 1e-5:
            return Bug("a constant under the root", f"Equal signals are {same:.6g} apart.", NO_CORRECTION)
    return None


def _departs(subject: Subject, measured: Array) -> Bug | None:
    """Return the bug of a target that is not the declared definition on ordinary pairs."""
    for probe, theirs in zip(_probes(subject), measured, strict=True):
        ours = answers(subject.ours, [probe])[0]
        if not np.isclose(theirs, ours, rtol=2e-3, atol=0.0 if subject.family == "mse" else 2e-3, equal_nan=True):
            return Bug(
                "another definition",
                f"{probe.name}: {theirs:.6g}, where the definition gives {ours:.6g}.",
                NO_CORRECTION,
            )
    return None


def _named(broken: Sequence[Verdict]) -> list[Bug]:
    """Return what the broken laws say by themselves, the likeliest first."""
    statements = {verdict.law: verdict.statement for verdict in broken}
    return [Bug(name, f"Broken: {statements[law]}", NO_CORRECTION) for law, name in NAMES.items() if law in statements]


def _diagnose_ratio(subject: Subject, measured: Array) -> Diagnosis:
    loud = noise(8192, level=0.3)
    cap = _cap(subject, [(loud, loud + orthogonal(loud, db)) for db in (100, 120)])
    fits = fit_ratio(_below(measured, cap), subject.sample_rate)
    best = fits[0]
    if not best.exact:
        return Diagnosis((), None, tuple(ratio_signature(fit, subject) for fit in fits[:3]))
    declared = plain_ratio(subject.metric.name)
    point = cast(Ratio, best.point)
    bugs = [*factor_bugs(best.factor / 10, "10·log10"), *ratio_bugs(point, declared), *cap_bugs(cap)]
    return Diagnosis(tuple(bugs), ratio_signature(replace(best, cap=cap), subject))


def _diagnose_square(subject: Subject, measured: Array) -> Diagnosis:
    fits = fit_square(measured, _probes(subject))
    best, point = fits[0], cast(Square, fits[0].point)
    described = [f"MSE|factor:{fit.factor:.6g}|form:{fit.point.form}|prepare:{fit.point.prepare}" for fit in fits[:3]]
    if not best.exact:
        return Diagnosis((), None, tuple(described))
    bugs = square_bugs(point)
    bugs += factor_bugs(best.factor, "the mean square") if point.form != "dB" else []
    return Diagnosis(tuple(bugs), described[0] if bugs else str(subject.definition.signature()))


def _diagnose_opinion(subject: Subject, measured: Array) -> Diagnosis:
    name = subject.metric.name
    fits = fit_opinion(measured, name, subject.sample_rate)
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


def _diagnose_distance(subject: Subject, measured: Array) -> Diagnosis:
    loud = noise(12000, level=0.3)
    cap = _cap(subject, [(loud, 1e6 * loud), (loud, 1e9 * loud)])
    fits = fit_distance(_below(measured, cap), subject.sample_rate)
    if cap is not None and not fits[0].exact:  # an estimate that is normalised answers like a cap
        fits, cap = fit_distance(measured, subject.sample_rate), None
    best = fits[0]
    declared = cast(Lsd, subject.definition)
    if not best.exact:
        nearest = tuple(distance_signature(fit, subject) for fit in fits[:3])
        waveform = fit_square(measured, _probes(subject))[0]
        if waveform.exact:
            text = f"The value is of the waveforms' difference ({waveform.point.form}): no spectrum is taken."
            return Diagnosis((Bug("not spectral", text, NO_CORRECTION),), None, nearest)
        return Diagnosis((), None, nearest)
    point = cast(Distance, best.point)
    unit = (1.0 if declared.log == "10" else math.log(10)) * (1.0 if declared.of == "power" else 0.5)
    factor = math.sqrt(abs(best.factor)) if point.pool == "mean_all" else best.factor
    bugs = distance_bugs(point, declared)
    if point.of == "power" or not bugs:
        bugs = [*factor_bugs(factor / unit, "ln" if declared.log == "e" else "log10"), *bugs]
    if cap is not None and not (declared.clip and math.isclose(cap, declared.clip, rel_tol=1e-3)):
        bugs += cap_bugs(cap)
    if declared.clip and cap is None:
        bugs.append(
            Bug("missing cap", f"Values go beyond {declared.clip:g}.", "Cap the values: exact for one utterance.")
        )
    bugs.sort(key=lambda bug: bug.bug == "a constant factor")  # a factor without a name says the least
    return Diagnosis(tuple(bugs), distance_signature(replace(best, cap=cap), subject))


def _cap(subject: Subject, pairs: list[tuple[Array, Array]]) -> float | None:
    """Return the value at which the target is capped: the same for two hugely different errors."""
    small, large = (float(value) for value in answers(subject.value, [Probe("", *pair) for pair in pairs]))
    return small if math.isfinite(small) and math.isclose(small, large, rel_tol=1e-7) else None


def _below(measured: Array, cap: float | None) -> Array:
    return measured if cap is None else np.where(np.abs(measured) >= abs(cap) * (1 - 1e-6), np.nan, measured)
