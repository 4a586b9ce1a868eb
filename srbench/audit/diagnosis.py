"""The diagnosis: what a target is shown to compute, what its broken laws say, what stays unknown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from srbench.audit import probes as sets
from srbench.audit.declared import signature_of
from srbench.audit.departures import departures
from srbench.audit.evidence import says, seen
from srbench.audit.fit import Asked, Fit
from srbench.audit.law import Subject, Verdict
from srbench.audit.opinion import search_opinion
from srbench.audit.search import search
from srbench.audit.words import NO_CORRECTION, WORDS, Bug

AGREES = 2e-3  # where no definition is shown: what is nearer than this to the declared one is taken for it


@dataclass(frozen=True)
class Diagnosis:
    """What is known of a target.

    Attributes
    ----------
    bugs : tuple of Bug
        Departures from the declared definition, the first first.
    unchecked : tuple of Bug
        Unusual input that gives a number: the second verdict.
    certainty : {"shown", "consistent", "unknown"}
        Of what the target computes.
    computes : str or None
        The signature of what it is shown to compute.
    nearest : tuple of str
        Where nothing is shown, the nearest definitions and how far they are off.
    """

    bugs: tuple[Bug, ...]
    unchecked: tuple[Bug, ...] = ()
    certainty: str = "unknown"
    computes: str | None = None
    nearest: tuple[str, ...] = ()


def diagnose(subject: Subject, verdicts: Sequence[Verdict]) -> Diagnosis:
    """Find what a target computes, and say what the laws that it breaks rule out.

    Parameters
    ----------
    subject : Subject
    verdicts : sequence of Verdict
        Of the laws that were run.
    """
    broken = [verdict for verdict in verdicts if verdict.verdict == "fail"]
    observed, unchecked = seen(broken, subject.shape)
    if call := next((verdict for verdict in broken if verdict.law == "plain_call"), None):
        return Diagnosis((_no_number(call),), certainty="shown")
    if any(verdict.law == "deterministic" for verdict in broken):
        return Diagnosis(tuple(observed), tuple(unchecked), "shown")
    asked = Asked(subject.value, subject.sample_rate)
    declared = subject.declared
    if declared.family == "opinion":
        fits = search_opinion(asked, subject.metric.name)
    else:
        fits = search(asked, declared.family, declared.fits[0].point)
    rounded = _rounded(asked)
    if fits and fits[0].shown:
        options = [departures(fits[0], other, declared.free) for other in declared.fits]
        bugs = min(options, key=len)
        harmless = {"a constant added"} | ({"samples rounded"} if declared.family == "opinion" else set())
        if {bug.bug for bug in bugs} <= harmless and not says(broken) and not observed:
            bugs = []  # too small to break a law: a guard against 0 / 0, 16-bit samples for PESQ
        special = [] if bugs else [*observed, *says(broken)]
        if not bugs and (special or not fits[0].edges):
            special = [replace(bug, certainty="shown" if bug in observed else bug.certainty) for bug in special]
        found = [*bugs, *rounded, *special, *(bug for bug in observed if bugs)]
        computes = signature_of(fits[0], declared, subject.sample_rate)
        if not bugs and not special and not rounded:
            computes = str(declared.definition.signature()) if not declared.free else computes
        return Diagnosis(tuple(_once(found)), tuple(unchecked), "shown", computes)
    nearest = tuple(f"{signature_of(f, declared, subject.sample_rate)} (off by {f.error:.2g})" for f in fits[:3])
    evidence = [*observed, *rounded, *says(broken)]
    apart = None if "frames" in declared.free else _apart(subject, asked)  # a name that says too little
    if not evidence and apart is None:
        return Diagnosis((), tuple(unchecked), "consistent", None, nearest)
    if apart is not None:
        evidence.append(
            apart if not nearest else replace(apart, explanation=f"{apart.explanation} Nearest: {nearest[0]}.")
        )
    certainty = "consistent" if any(bug.certainty == "consistent" for bug in evidence) else "unknown"
    return Diagnosis(tuple(_once(evidence)), tuple(unchecked), certainty, None, nearest)


def _once(bugs: Sequence[Bug]) -> list[Bug]:
    return list({bug.bug: bug for bug in reversed(bugs)}.values())[::-1]


def _no_number(verdict: Verdict) -> Bug:
    """Return what is wrong with a target that gives no number for an ordinary pair, with advice that fits."""
    told = verdict.measured
    name = "complex answer, no number" if "complex" in told else "no number"
    advice = next(text for start, text in WORDS["advice"].items() if told.startswith(start))
    return Bug(name, f"An ordinary pair: {told}.", advice)


def _rounded(asked: Asked) -> list[Bug]:
    decimals = asked.decimals
    if decimals is None:
        return []
    text = (
        f"Every value is rounded to {decimals} decimals." if decimals else "Every value is rounded to a whole number."
    )
    return [Bug("value rounded", text)]


def _apart(subject: Subject, asked: Asked) -> Bug | None:
    """Return where a target that fits nothing is farthest from the declared definition, None where it is near."""
    rate = subject.sample_rate
    given = {
        "ratio": [sets.general(rate), sets.steady(rate)],
        "error": [sets.general(rate)],
        "distance": [sets.spectral(rate), sets.floors(rate)],
        "opinion": [sets.spoken(rate)],
    }[subject.declared.family]
    worst, words = 0.0, ""
    for probes in given:
        ours, theirs = subject.declared.fits[0].predict(probes), asked.on(probes)
        for probe, due, found in zip(probes.pairs, ours, theirs, strict=True):
            least = 1e-12 if subject.declared.family == "error" else 1.0
            off = abs(found - due) / max(abs(due), least) if np.isfinite([found, due]).all() else float(found != due)
            if off > max(worst, AGREES) and np.isfinite(due):
                worst, words = off, f"{probe.name}: {found:.6g}, where the declared definition gives {due:.6g}."
    if not words:
        return None
    return Bug("another definition, which is not known", words, NO_CORRECTION, "unknown")


__all__ = ["Diagnosis", "Fit", "diagnose"]
