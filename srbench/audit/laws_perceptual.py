"""Laws of PESQ and STOI: bounds, identity, order of worse and better, levels, sample rates."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from srbench.audio import Samples, resample
from srbench.audit.law import Outcome, Subject, law, near, number
from srbench.audit.signals import at_level, voice
from srbench.audit.target import TargetFault

_SECONDS = 3
SAME_AT_ANY_RATE = "whatever the rate is said to be"


def _voice(subject: Subject) -> Samples:
    return voice(_SECONDS * subject.sample_rate, subject.sample_rate)


@law("pesq", "stoi")
def perceptual_identity(subject: Subject) -> Outcome:
    """A signal against itself scores the best value: 4.64 (wide band), 4.55 (narrow band), 1 (STOI)."""
    signal = _voice(subject)
    best = {"pesq": 4.644, "pesq_nb": 4.549}.get(subject.metric.name, 1.0)
    return near(subject.value(signal, signal), best, absolute=0.005)


@law("pesq", "stoi")
def perceptual_bounds(subject: Subject) -> Outcome:
    """The value stays within the metric's range for good and for hopeless estimates."""
    signal = _voice(subject)
    low, high = subject.metric.range
    values = [subject.value(signal, signal + at_level(len(signal), signal, db)) for db in (40, 0, -20)]
    holds = all(low - 0.02 <= value <= high + 0.02 for value in values)
    return Outcome(holds, f"{low:g} to {high:g}", ", ".join(f"{value:.4g}" for value in values))


@law("pesq", "stoi")
def perceptual_more_noise_is_worse(subject: Subject) -> Outcome:
    """More noise is worse."""
    signal = _voice(subject)
    values = [subject.value(signal, signal + at_level(len(signal), signal, db)) for db in (30, 15, 0)]
    holds = all(a > b for a, b in pairwise(values))
    return Outcome(holds, "falling with more noise", " > ".join(f"{value:.4g}" for value in values))


@law("pesq", "stoi")
def joint_level(subject: Subject) -> Outcome:
    """Scaling both signals by the same factor changes next to nothing."""
    signal = _voice(subject)
    estimate = signal + at_level(len(signal), signal, 10)
    return near(subject.value(0.2 * signal, 0.2 * estimate), subject.value(signal, estimate), absolute=0.02)


@law("stoi")
def estimate_level(subject: Subject) -> Outcome:
    """The level of the estimate alone does not matter to STOI."""
    signal = _voice(subject)
    estimate = signal + at_level(len(signal), signal, 10)
    return near(subject.value(signal, 0.3 * estimate), subject.value(signal, estimate), absolute=0.002)


@law("pesq", "stoi")
def perceptual_sample_rate(subject: Subject) -> Outcome:
    """The same sounds at 48 kHz score as they do at the rate of the audit, or are refused: the rate is not ignored."""
    if not subject.takes_rate:
        return Outcome(True, "the same value at both rates", "not checked: the function takes no sample rate")
    signal = _voice(subject)
    estimate = signal + at_level(len(signal), signal, 10)
    plain = subject.value(signal, estimate)
    try:
        fast = [resample(s, subject.sample_rate, 48000) for s in (signal, estimate)]
        wide = subject.value(fast[0], fast[1], 48000)
    except TargetFault as refusal:
        return Outcome(True, f"an error, or {number(plain)}", str(refusal))
    outcome = near(wide, plain, relative=0.01, absolute=0.05)
    if not outcome.holds and wide == subject.value(fast[0], fast[1], subject.sample_rate):
        return Outcome(False, outcome.expected, f"{outcome.measured}, {SAME_AT_ANY_RATE}")
    return outcome


@law("pesq", "stoi")
def perceptual_order(subject: Subject) -> Outcome:
    """The reference comes first: the value is the definition's for (reference, estimate), not for the two exchanged."""
    signal = _voice(subject)
    estimate = signal * (np.arange(len(signal)) % (subject.sample_rate // 2) < subject.sample_rate // 3)
    estimate = estimate + at_level(len(signal), signal, 20)
    return near(subject.value(signal, estimate), subject.ours(signal, estimate), absolute=0.01)


@law("pesq", "stoi")
def agrees_with_the_definition(subject: Subject) -> Outcome:
    """The value is the definition's own on noisy speech."""
    signal = _voice(subject)
    estimate = signal + at_level(len(signal), signal, 12)
    return near(subject.value(signal, estimate), subject.ours(signal, estimate), absolute=0.002)


@law("pesq", "stoi")
def perceptual_silence(subject: Subject) -> Outcome:
    """A silent estimate is an error or not a number: there is nothing to score."""
    signal = _voice(subject)
    answer = subject.answer(signal, np.zeros(len(signal)))
    holds = isinstance(answer, str) or not math.isfinite(answer)
    return Outcome(holds, "an error or NaN", number(answer))
