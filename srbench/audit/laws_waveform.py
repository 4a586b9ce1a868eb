"""Laws of SNR, SI-SDR and MSE, with expected values in closed form."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from srbench.audit.law import Outcome, Subject, law, near, number
from srbench.audit.signals import at_level, noise, orthogonal

N = 8192


def _near_db(measured: float, expected: float) -> Outcome:
    return near(measured, expected, absolute=0.01, unit="dB")


def _worst(outcomes: list[Outcome]) -> Outcome:
    return next((outcome for outcome in outcomes if not outcome.holds), outcomes[0])


@law("snr", "si_sdr")
def ratio_identity(subject: Subject) -> Outcome:
    """An estimate equal to the reference scores +inf, 80 dB or more where a constant avoids 0 / 0, or an error."""
    reference = noise(N, level=0.3)
    answer = subject.answer(reference, reference)
    if isinstance(answer, str):  # refusing what has no finite value is sound; dying of it is not
        return Outcome(answer.startswith("raised"), "inf dB or an error", answer)
    return Outcome(answer >= 80, "inf dB or an error", number(answer, "dB"))


@law("snr")
def zero_estimate(subject: Subject) -> Outcome:
    """An estimate of zeros has an SNR of 0 dB: the noise is the reference itself."""
    return _near_db(subject.value(noise(N), np.zeros(N)), 0.0)


@law("snr")
def known_noise_level(subject: Subject) -> Outcome:
    """Noise that is L dB below the reference gives an SNR of L dB."""
    reference = noise(N)
    return _worst(
        [_near_db(subject.value(reference, reference + at_level(N, reference, db)), db) for db in (20.3, -9.7, 0, 34.6)]
    )


@law("snr")
def snr_gain(subject: Subject) -> Outcome:
    """An estimate with gain g has an SNR of -20 log10|1 - g|: the power is the reference's, not the estimate's."""
    reference = noise(N)
    return _worst(
        [_near_db(subject.value(reference, g * reference), -20 * math.log10(abs(1 - g))) for g in (0.5, 0.9, 3.0)]
    )


@law("snr", "si_sdr")
def joint_scaling(subject: Subject) -> Outcome:
    """Scaling both signals by the same factor changes nothing."""
    reference = noise(N)
    estimate = reference + orthogonal(reference, 30)
    plain = subject.value(reference, estimate)
    return _worst([_near_db(subject.value(a * reference, a * estimate), plain) for a in (0.05, 5.0)])


@law("snr", "si_sdr", "mse")
def joint_polarity(subject: Subject) -> Outcome:
    """Turning the sign of both signals changes nothing."""
    reference = noise(N) + 0.03
    estimate = reference + 0.1 * np.abs(noise(N, seed=3))
    return near(subject.value(-reference, -estimate), subject.value(reference, estimate), relative=1e-4, absolute=1e-9)


@law("snr", "si_sdr", "mse")
def sample_permutation(subject: Subject) -> Outcome:
    """The same permutation of the samples of both signals changes nothing: there are no frames."""
    reference = noise(N) * np.linspace(0.05, 1, N)
    estimate = reference + noise(N, seed=4, level=0.01)
    order = np.random.default_rng(5).permutation(N)
    return near(
        subject.value(reference[order], estimate[order]),
        subject.value(reference, estimate),
        relative=1e-4,
        absolute=1e-9,
    )


@law("snr", "si_sdr", "mse")
def more_noise_is_worse(subject: Subject) -> Outcome:
    """More noise is worse, without end: nothing is capped from -30 to 70 dB."""
    reference = noise(N)
    unit = orthogonal(reference, 0)
    levels = (70, 50, 35, 20, 10, 0, -10, -30)
    values = [subject.value(reference, reference + unit * 10 ** (-db / 20)) for db in levels]
    sign = 1 if subject.metric.better == "higher" else -1
    ordered = all(sign * (a - b) > 0 for a, b in pairwise(values))
    steps = [abs(a - b) for a, b in pairwise(values)]
    if subject.family in ("snr", "si_sdr"):
        due = [a - b for a, b in pairwise(levels)]
        ratio = [step / d for step, d in zip(steps, due, strict=True)]
        ordered = ordered and max(ratio) < 1.05 * min(ratio)
    return Outcome(
        ordered, "strictly worse by even steps from 70 to -30 dB", " > ".join(f"{value:.4g}" for value in values)
    )


@law("snr")
def snr_mean_is_kept(subject: Subject) -> Outcome:
    """Half the constant offset in the estimate is worth 20 log10 2 dB: nothing is centred first."""
    reference = noise(N)
    large, small = (subject.value(reference, reference + offset) for offset in (0.02, 0.01))
    return _near_db(small - large, 20 * math.log10(2))


@law("snr", "si_sdr", "mse")
def every_sample_counts(subject: Subject) -> Outcome:
    """An error of one energy costs the same wherever it stands, the last samples included."""
    n = N + 500
    reference = noise(n)
    values = []
    for start in (0, n // 2, n - 64):
        estimate = reference.copy()
        estimate[start : start + 64] = 0.0 if subject.family == "mse" else estimate[start : start + 64]
        burst = noise(64, seed=6, level=0.2)
        estimate[start : start + 64] = reference[start : start + 64] + burst
        values.append(subject.value(reference, estimate))
    tolerance = 0.05 * abs(values[1])
    return Outcome(
        max(values) - min(values) <= tolerance,
        f"{values[1]:.6g} at the start, in the middle and at the end",
        ", ".join(f"{value:.6g}" for value in values),
    )


@law("si_sdr")
def si_sdr_known_level(subject: Subject) -> Outcome:
    """Orthogonal noise that is L dB below the reference gives an SI-SDR of L dB."""
    reference = noise(N)
    return _worst(
        [_near_db(subject.value(reference, reference + orthogonal(reference, db)), db) for db in (20.3, -9.7, 0, 34.6)]
    )


@law("si_sdr")
def estimate_scaling(subject: Subject) -> Outcome:
    """Scaling the estimate alone changes nothing, whatever the factor and its sign."""
    reference = noise(N)
    estimate = reference + orthogonal(reference, 15)
    return _worst([_near_db(subject.value(reference, a * estimate), 15.0) for a in (0.05, 8.0, -1.0)])


@law("si_sdr")
def reference_scaling(subject: Subject) -> Outcome:
    """Scaling the reference alone changes nothing."""
    reference = noise(N)
    estimate = reference + orthogonal(reference, 15)
    return _worst([_near_db(subject.value(a * reference, estimate), 15.0) for a in (0.05, 8.0)])


@law("mse")
def mse_closed_form(subject: Subject) -> Outcome:
    """The MSE of a known noise is its mean square."""
    reference = noise(N)
    return _worst(
        [
            near(subject.value(reference, reference + noise(N, seed=2, level=a)), a * a, relative=1e-4)
            for a in (0.01, 0.2)
        ]
    )


@law("mse")
def mse_joint_scaling(subject: Subject) -> Outcome:
    """Scaling both signals by a scales the MSE by a²."""
    reference = noise(N)
    estimate = reference + noise(N, seed=2, level=0.02)
    plain = subject.value(reference, estimate)
    return near(subject.value(3 * reference, 3 * estimate), 9 * plain, relative=1e-4)


@law("mse")
def mse_duration(subject: Subject) -> Outcome:
    """Twice the same signals one after the other have the same MSE: it is a mean, not a sum."""
    reference, error = noise(N), noise(N, seed=2, level=0.02)
    once = subject.value(reference, reference + error)
    return near(subject.value(np.tile(reference, 2), np.tile(reference + error, 2)), once, relative=1e-6)


@law("mse")
def mse_identity_and_symmetry(subject: Subject) -> Outcome:
    """Equal signals have an MSE of 0, and the order of the two does not matter."""
    reference, estimate = noise(N), noise(N, seed=2)
    zero = subject.value(reference, reference)
    there, back = subject.value(reference, estimate), subject.value(estimate, reference)
    return Outcome(zero == 0 and bool(np.isclose(there, back, rtol=1e-9)), f"0; {there:.6g}", f"{zero:.6g}; {back:.6g}")


@law("mse")
def mse_mean_is_kept(subject: Subject) -> Outcome:
    """A constant offset c costs c²: nothing is centred first."""
    reference = noise(N)
    return near(subject.value(reference, reference + 0.05), 0.0025, relative=1e-4)
