"""What both of a pair have: the stretch over which they overlap, and of it what can be compared in level."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from srbench.scoring.given import Given
from srbench.scoring.levels import Clipped, long_runs
from srbench.scoring.spectra import Spectra

LEAST_SHARE = 0.002  # of the signal, or of its energy: less than this missing moves no gain by 0.02 dB
GAP_SECONDS = 0.01  # of digital silence
GUARD_SECONDS = 0.01  # left out on either side of what is left out; it fades over as long


def spectra_of_both(spectra: Spectra, given: Given, delay: float) -> Spectra:
    """Return the spectra of the part that both have, where one lacks so much of it that sums would show it.

    Parameters
    ----------
    spectra : Spectra
        Of the whole signals; returned where they will do.
    given : Given
    delay : float
        In samples, positive where the estimate comes late.
    """
    both, longest = given.over(delay), max(given.lengths)
    return spectra if longest - both.lengths[0] <= LEAST_SHARE * longest else Spectra(both)


def gain_of_both(spectra: Spectra, given: Given, delay: float, cut: tuple[Clipped, Clipped]) -> float | None:
    """Return the estimate's gain, read off where neither is clipped and the estimate is not digital silence.

    Parameters
    ----------
    spectra : Spectra
        Of the part that both have.
    given : Given
    delay : float
        In samples, positive where the estimate comes late.
    cut : (Clipped, Clipped)
        Where the two are clipped.
    """
    of_reference, of_estimate = given.slices(delay)
    sound = _without_spoilt(given.over(delay), cut[0].within(of_reference).where | cut[1].within(of_estimate).where)
    return (spectra if sound is None else Spectra(sound)).gain or None


def _without_spoilt(given: Given, spoilt: NDArray[np.bool_]) -> Given | None:
    """Return a pair of one length faded out where it is spoilt; None where there is nothing worth leaving out."""
    reference, estimate, sample_rate = given.reference, given.estimate, given.sample_rate
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
    return given.having((reference - reference.mean()) * weights, (estimate - estimate.mean()) * weights)
