"""Laws of form: what any metric does with shapes, types, lengths and impossible samples."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from srbench.audit.law import Outcome, Subject, law, near, number
from srbench.audit.signals import noise, voice
from srbench.audit.target import TargetFault

_REFUSAL_OR_SAME = "an error, or the value of the plain pair"


def _pair(subject: Subject, seconds: float = 1.0) -> tuple[Any, Any]:
    n = int(seconds * subject.sample_rate)
    spoken = subject.family in ("pesq", "stoi")
    reference = voice(2 * n, subject.sample_rate) if spoken else noise(n)
    return reference, reference + 0.2 * noise(len(reference), seed=7, level=float(np.std(reference)))


def _refused_or_equal(subject: Subject, given: tuple[Any, Any], plain: float, tolerance: float = 1e-6) -> Outcome:
    try:
        measured = subject.value(*given)
    except TargetFault as fault:
        return Outcome(fault.refused, _REFUSAL_OR_SAME, str(fault))
    outcome = near(measured, plain, relative=tolerance)
    return Outcome(outcome.holds, f"an error, or {number(plain)}", number(measured))


@law()
def plain_call(subject: Subject) -> Outcome:
    """A pair of one-channel signals gives one finite number."""
    measured = subject.value(*_pair(subject))
    return Outcome(math.isfinite(measured), "a finite number", number(measured))


@law()
def deterministic(subject: Subject) -> Outcome:
    """The same pair gives the same bits twice."""
    pair = _pair(subject)
    first, second = subject.value(*pair), subject.value(*pair)
    return Outcome(
        first == second or (first != first and second != second),
        number(first),
        f"{second:.17g} then {first:.17g}" if first != second else number(second),
    )


@law()
def inputs_unchanged(subject: Subject) -> Outcome:
    """The arrays that are given are not written into."""
    if subject.modifies is None:
        return Outcome(True, "unchanged", "not checked")
    written = subject.modifies(*_pair(subject), subject.sample_rate)
    return Outcome(not written, "unchanged", f"the {' and the '.join(written)} changed" if written else "unchanged")


@law()
def unequal_lengths(subject: Subject) -> Outcome:
    """Signals of unequal length are refused, not cut in silence."""
    reference, estimate = _pair(subject)
    measured = []
    # a sample more or less may make no frame more or less; an eighth does
    for cut in (1, 100, len(estimate) // 8) if subject.family in ("snr", "si_sdr", "mse") else (len(estimate) // 8,):
        for given in ((reference, estimate[:-cut]), (reference[:-cut], estimate)):
            answer = subject.answer(*given)
            if not isinstance(answer, str) and math.isfinite(answer):
                measured.append(f"{answer:.6g} for {len(given[0])} and {len(given[1])} samples")
    return Outcome(not measured, "an error", measured[0] if measured else "an error")


@law("snr", "si_sdr", "mse")
def column_against_row(subject: Subject) -> Outcome:
    """Shapes (n,) and (n, 1) are refused or measured as the same pair, not broadcast to n by n."""
    if subject.shape not in ("n", "n1"):  # rows against columns are what a batch is made of
        return Outcome(True, _REFUSAL_OR_SAME, "not checked: the function takes batches")
    reference, estimate = _pair(subject, 4096 / subject.sample_rate)  # n by n of them fit into any memory
    plain = subject.value(reference, estimate)
    for given in ((reference, estimate[:, None]), (reference[:, None], estimate)):
        outcome = _refused_or_equal(subject, given, plain)
        if not outcome.holds:
            return outcome
    return outcome


@law()
def batch_of_one(subject: Subject) -> Outcome:
    """A batch of one, shape (1, n), is refused or measured as its item."""
    if not _takes_batches(subject):
        return Outcome(True, _REFUSAL_OR_SAME, "not checked: the function takes one signal")
    reference, estimate = _pair(subject)
    return _refused_or_equal(subject, (reference[None], estimate[None]), subject.value(reference, estimate), 1e-4)


def _takes_batches(subject: Subject) -> bool:
    """Tell whether batches are looked at: of spectra only where --shape says that the function takes them."""
    return subject.family in ("snr", "si_sdr", "mse") or subject.shape in ("1n", "11n")


@law()
def batch_is_mean_of_items(subject: Subject) -> Outcome:
    """A batch, shape (b, n), is refused, gives one number an item, or the mean over its items."""
    if not _takes_batches(subject):
        return Outcome(True, _REFUSAL_OR_SAME, "not checked: the function takes one signal")
    reference, estimate = _pair(subject)
    louder = reference + 3 * (estimate - reference)
    items = [subject.value(reference, estimate), subject.value(reference, louder)]
    return _refused_or_equal(
        subject, (np.stack([reference, reference]), np.stack([estimate, louder])), float(np.mean(items)), 1e-4
    )


@law()
def nan_is_not_hidden(subject: Subject) -> Outcome:
    """A NaN in the estimate gives an error or NaN, not a number."""
    return _not_a_number(subject, float("nan"))


@law()
def infinity_is_not_hidden(subject: Subject) -> Outcome:
    """An infinite sample in the estimate gives an error or no finite number."""
    return _not_a_number(subject, float("inf"))


def _not_a_number(subject: Subject, planted: float) -> Outcome:
    reference, estimate = _pair(subject)
    estimate = estimate.copy()
    estimate[len(estimate) // 3] = planted
    answer = subject.answer(reference, estimate)
    hidden = not isinstance(answer, str) and math.isfinite(answer)
    return Outcome(not hidden, "an error or NaN", number(answer))


@law()
def float32_input(subject: Subject) -> Outcome:
    """The same samples as float32 give the same value, to 0.1 %."""
    reference, estimate = (signal.astype(np.float32) for signal in _pair(subject))
    plain = subject.value(reference.astype(np.float64), estimate.astype(np.float64))
    return _refused_or_equal(subject, (reference, estimate), plain, 1e-3)


@law()
def int16_input(subject: Subject) -> Outcome:
    """Samples as 16-bit integers are refused or measured as numbers, without overflow."""
    reference, estimate = (np.round(signal * 32767).astype(np.int16) for signal in _pair(subject))
    try:
        measured = subject.value(reference, estimate)
    except TargetFault as fault:
        return Outcome(fault.refused, "an error, or the value of the samples", str(fault))
    allowed = []
    for scale in (1.0, 32767.0, 32768.0):
        answer = subject.answer(reference.astype(np.float64) / scale, estimate.astype(np.float64) / scale)
        if not isinstance(answer, str):
            allowed.append(answer)
    holds = any(np.isclose(measured, value, rtol=1e-3, atol=1e-6) for value in allowed)
    return Outcome(bool(holds), " or ".join(number(value) for value in dict.fromkeys(allowed)), number(measured))


@law()
def no_samples(subject: Subject) -> Outcome:
    """No samples have no finite value, but for what a constant makes of 0 / 0; one sample ends in no crash."""
    answer = subject.answer(np.zeros(0), np.zeros(0))
    finite = not isinstance(answer, str) and math.isfinite(answer)
    if finite and subject.family in ("snr", "si_sdr"):  # (0 + eps) / (0 + eps), of silence as of nothing
        silent = subject.answer(*_pair_of_silence(subject))
        finite = isinstance(silent, str) or not np.isclose(silent, answer)
    lone = subject.answer(np.array([0.5]), np.array([0.25]))
    hung = isinstance(lone, str) and ("died" in lone or "stopped" in lone)
    return Outcome(not finite and not hung, "an error or NaN", number(lone if hung else answer))


def _pair_of_silence(subject: Subject) -> tuple[Any, Any]:
    n = subject.sample_rate
    return np.zeros(n), np.zeros(n)
