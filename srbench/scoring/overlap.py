"""What both of a pair have: the stretch over which they overlap, and of it what can be compared in level."""

from __future__ import annotations

import numpy as np

from srbench.audio import Samples
from srbench.scoring.levels import Clipped, long_runs
from srbench.scoring.spectra import Spectra

LEAST_SHARE = 0.002  # of the signal, or of its energy: less than this missing moves no gain by 0.02 dB
GAP_SECONDS = 0.01  # of digital silence
GUARD_SECONDS = 0.01  # left out on either side of what is left out; it fades over as long


def overlap(reference: Samples, estimate: Samples, delay: float) -> tuple[slice, slice]:
    """Return the parts of two signals that lie over each other once a delay is taken out, in whole samples.

    Parameters
    ----------
    reference, estimate : ndarray, shapes (n,) and (m,)
    delay : float
        In samples, positive where the estimate comes late; taken for 0 where it would leave nothing.
    """
    whole = round(delay)
    if not -len(reference) < whole < len(estimate):
        whole = 0
    first, last = max(0, -whole), min(len(reference), len(estimate) - whole)
    return slice(first, last), slice(first + whole, last + whole)


def spectra_of_both(
    spectra: Spectra, reference: Samples, estimate: Samples, delay: float, cutoff: float | None
) -> Spectra:
    """Return the spectra of the part that both have, where one lacks so much of it that sums would show it.

    Parameters
    ----------
    spectra : Spectra
        Of the whole signals; returned where they will do.
    reference, estimate : ndarray, shapes (n,) and (m,)
    delay : float
        In samples, positive where the estimate comes late.
    cutoff : float or None, in Hz
    """
    of_reference, of_estimate = overlap(reference, estimate, delay)
    longest, shared = max(len(reference), len(estimate)), of_reference.stop - of_reference.start
    if longest - shared <= LEAST_SHARE * longest:
        return spectra
    return Spectra(reference[of_reference], estimate[of_estimate], spectra.sample_rate, cutoff)


def gain_of_both(
    spectra: Spectra,
    reference: Samples,
    estimate: Samples,
    delay: float,
    cut: tuple[Clipped, Clipped],
    cutoff: float | None,
) -> float | None:
    """Return the estimate's gain, read off where neither is clipped and the estimate is not digital silence.

    Parameters
    ----------
    spectra : Spectra
        Of the part that both have.
    reference, estimate : ndarray, shapes (n,) and (m,)
    delay : float
        In samples, positive where the estimate comes late.
    cut : (Clipped, Clipped)
        Where the two are clipped.
    cutoff : float or None, in Hz
    """
    of_reference, of_estimate = overlap(reference, estimate, delay)
    here = cut[0].within(of_reference), cut[1].within(of_estimate)
    sound = _without_spoilt(reference[of_reference], estimate[of_estimate], here, spectra.sample_rate)
    return (spectra if sound is None else Spectra(*sound, spectra.sample_rate, cutoff)).gain or None


def _without_spoilt(
    reference: Samples, estimate: Samples, cut: tuple[Clipped, Clipped], sample_rate: int
) -> tuple[Samples, Samples] | None:
    """Return a pair of one length faded out where it is spoilt; None where there is nothing worth leaving out."""
    spoilt = cut[0].where | cut[1].where
    gaps = estimate == 0
    if np.count_nonzero(gaps) >= GAP_SECONDS * sample_rate:
        gaps = long_runs(gaps, round(GAP_SECONDS * sample_rate))
        missing = float(np.square(reference[gaps]).sum())
        if missing > LEAST_SHARE * float(np.square(reference).sum()):
            spoilt = spoilt | gaps
    if not spoilt.any():
        return None
    from scipy import ndimage

    guard = max(1, round(GUARD_SECONDS * sample_rate))
    left_out = ndimage.maximum_filter1d(spoilt.astype(np.float64), 4 * guard + 1)
    weights = 1 - ndimage.uniform_filter1d(left_out, 2 * guard + 1)
    # about zero, so that an offset makes no steps
    return (reference - reference.mean()) * weights, (estimate - estimate.mean()) * weights
