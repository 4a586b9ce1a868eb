"""Laws of log-spectral distances: the expected values follow from the declared logarithm, spectrum and pooling."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import cast

import numpy as np

from srbench.audit.law import Outcome, Subject, law, near, number
from srbench.audit.signals import low_passed, noise
from srbench.metrics.lsd import Lsd

N = 32768


def _definition(subject: Subject) -> Lsd:
    return cast(Lsd, subject.definition)


def _unit(subject: Subject) -> float:
    """Return what one factor of 10 in power is worth in the declared definition."""
    declared = _definition(subject)
    return (1.0 if declared.log == "10" else math.log(10)) * (1.0 if declared.of == "power" else 0.5)


def _frames_first(subject: Subject) -> bool:
    return _definition(subject).pool == "rms_t.mean_f"


@law("lsd")
def lsd_identity(subject: Subject) -> Outcome:
    """The distance of a signal to itself is 0."""
    signal = noise(N)
    return near(subject.value(signal, signal), math.sqrt(_definition(subject).eps), absolute=2e-4)


@law("lsd")
def lsd_gain(subject: Subject) -> Outcome:
    """A gain g costs 2 |log g| for a spectrum of powers, |log g| for one of magnitudes, in the declared logarithm."""
    signal = noise(N)
    outcomes = [
        near(subject.value(signal, g * signal), _unit(subject) * 2 * abs(math.log10(g)), relative=0.01)
        for g in (2.0, 0.5, 8.0)
    ]
    return next((outcome for outcome in outcomes if not outcome.holds), outcomes[0])


@law("lsd")
def gain_on_half_the_frames(subject: Subject) -> Outcome:
    """A gain on half the time costs 1/2 of the gain everywhere when the root is taken per frame, 0.707 when per bin."""
    signal = noise(4 * N)
    estimate = signal.copy()
    estimate[len(signal) // 2 :] *= 4
    share = subject.value(signal, estimate) / subject.value(signal, 4 * signal)
    return near(share, math.sqrt(0.5) if _frames_first(subject) else 0.5, absolute=0.02)


@law("lsd")
def gain_on_half_the_band(subject: Subject) -> Outcome:
    """A gain on half the band costs 0.707 of the gain everywhere when the root is taken per frame, 1/2 when per bin."""
    signal = noise(N)
    share = subject.value(signal, low_passed(signal, 0.5, floor=0.25)) / subject.value(signal, 0.25 * signal)
    return near(share, 0.5 if _frames_first(subject) else math.sqrt(0.5), absolute=0.02)


@law("lsd")
def band_share(subject: Subject) -> Outcome:
    """A gain on the top eighth of the band costs sqrt(1/8) of the gain everywhere (1/8 when the root is per bin)."""
    signal = noise(N)
    share = subject.value(signal, low_passed(signal, 7 / 8, floor=0.25)) / subject.value(signal, 0.25 * signal)
    return near(share, 1 / 8 if _frames_first(subject) else math.sqrt(1 / 8), absolute=0.02)


@law("lsd")
def time_share(subject: Subject) -> Outcome:
    """A gain on the last eighth of the time costs 1/8 of the gain everywhere (sqrt(1/8) when the root is per bin)."""
    signal = noise(4 * N)
    estimate = signal.copy()
    estimate[7 * len(signal) // 8 :] *= 4
    share = subject.value(signal, estimate) / subject.value(signal, 4 * signal)
    return near(share, math.sqrt(1 / 8) if _frames_first(subject) else 1 / 8, absolute=0.02)


@law("lsd")
def lsd_symmetry(subject: Subject) -> Outcome:
    """Reference and estimate may be exchanged, while no floor is active."""
    reference, estimate = noise(N), noise(N, seed=1) * np.linspace(0.3, 1, N)
    return near(subject.value(estimate, reference), subject.value(reference, estimate), relative=1e-3)


@law("lsd")
def lsd_polarity(subject: Subject) -> Outcome:
    """The sign of either signal does not matter: a spectrum has none."""
    reference, estimate = noise(N) + 0.05, noise(N, seed=1)
    return near(subject.value(reference, -estimate), subject.value(reference, estimate), relative=1e-5)


@law("lsd")
def lsd_joint_scaling(subject: Subject) -> Outcome:
    """Scaling both signals by the same factor changes nothing, while no floor is active."""
    reference, estimate = noise(N), noise(N, seed=1)
    plain = subject.value(reference, estimate)
    outcomes = [near(subject.value(a * reference, a * estimate), plain, relative=0.005) for a in (0.2, 6.0)]
    return next((outcome for outcome in outcomes if not outcome.holds), outcomes[0])


@law("lsd")
def lsd_duration(subject: Subject) -> Outcome:
    """Four times as long a signal of the same kind has the same distance: it is a mean, not a sum."""
    short = subject.value(noise(N), noise(N) * 3)
    long = subject.value(noise(4 * N, seed=9), noise(4 * N, seed=9) * 3)
    return near(long, short, relative=0.01)


@law("lsd")
def independent_noises(subject: Subject) -> Outcome:
    """Two independent white noises are sqrt(pi² / 3) apart in ln of power."""
    measured = subject.value(noise(N, seed=2), noise(N, seed=3))
    return near(measured, _unit(subject) / math.log(10) * math.sqrt(math.pi**2 / 3), relative=0.05)


@law("lsd")
def lsd_silent_estimate(subject: Subject) -> Outcome:
    """A silent estimate gives a finite distance that is worse than any other here, or an error; never NaN or zero."""
    reference = noise(N)
    answer = subject.answer(reference, np.zeros(N))
    if isinstance(answer, str):
        return Outcome(True, "a finite distance or an error", answer)
    holds = math.isfinite(answer) and answer > subject.value(reference, 0.1 * reference)
    return Outcome(holds, "a finite distance or an error", number(answer))


@law("lsd")
def lsd_both_silent(subject: Subject) -> Outcome:
    """Two silent signals are at distance 0, or an error; never NaN."""
    answer = subject.answer(np.zeros(N), np.zeros(N))
    if isinstance(answer, str):
        return Outcome(True, "0 or an error", answer)
    floor = _definition(subject).floor
    # a floor inside the ratio makes log10(0 + floor) of two silent signals: that definition's own value
    allowed = abs(math.log10(float(floor.removeprefix("ratio")))) if floor.startswith("ratio") else 0.0
    holds = abs(answer) < 1e-3 or bool(allowed and math.isclose(answer, allowed, rel_tol=1e-3))
    return Outcome(holds, "0 or an error", number(answer))


@law("lsd")
def narrower_is_worse(subject: Subject) -> Outcome:
    """The lower the cutoff of the estimate, the greater the distance."""
    signal = noise(N)
    values = [subject.value(signal, low_passed(signal, share, floor=0.05)) for share in (0.9, 0.75, 0.5, 0.25, 0.1)]
    holds = all(1.02 * a < b for a, b in pairwise(values))
    return Outcome(holds, "growing as the cutoff falls", " < ".join(f"{value:.4g}" for value in values))


@law("lsd")
def large_errors_are_not_capped(subject: Subject) -> Outcome:
    """A gain of 120 dB costs twice as much as one of 60 dB, unless the definition declares a cap."""
    signal = noise(N, level=0.3)
    small, large = subject.value(signal, 1e3 * signal), subject.value(signal, 1e6 * signal)
    declared = _definition(subject)
    if declared.floor.startswith("ratio"):
        return Outcome(
            large > 1.5 * small, "more", number(large)
        )  # its constant inside the ratio saturates by definition
    cap = declared.clip
    return near(large, min(2 * small, cap) if cap else 2 * small, relative=0.01)
