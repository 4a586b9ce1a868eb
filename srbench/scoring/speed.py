"""Is a pair that does not match the same recording after all, at another speed? 44.1 kHz labelled 48 kHz, say."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from srbench.audio import resample
from srbench.scoring.given import Given
from srbench.scoring.spectra import Spectra

RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 96000)  # in Hz, that files are made at
SECONDS = 6.0  # from the start; a longer stretch shows no more
MATCHES = 0.7  # correlation


class Mislabelled(NamedTuple):
    """Which side fits at another rate than its label, what that is, and the correlation once that is put right.

    That is relative: had the other side the wrong label, and of the other ratio, the samples would be the same.
    """

    side: str
    label: int
    rate: int
    correlation: float


def mislabelled(given: Given, estimate_rate: int | None = None) -> Mislabelled | None:
    """Look for a common rate at which one side's samples fit the other's; None where there is none.

    Parameters
    ----------
    given : Given
        Its rate is what both are labelled.
    estimate_rate : int, in Hz, optional
        What the estimate was labelled before it was resampled to that. The estimate is named where both would do.
    """
    best: Mislabelled | None = None
    sample_rate = given.sample_rate
    for side, label in (("estimate", estimate_rate or sample_rate), ("reference", sample_rate)):
        for rate in RATES:
            if rate == label:
                continue
            wrong, right = given.estimate, given.reference
            if side == "reference":
                wrong, right = right, wrong
            now = Fraction(rate * sample_rate, label)  # of the samples that are here, were the label that rate
            put_right = resample(wrong[: round(SECONDS * now)], now, sample_rate)
            if not len(put_right):  # of a few samples nothing is left
                continue
            length = round(min(SECONDS, len(put_right) / sample_rate + 0.5) * sample_rate)
            correlation = Spectra(Given(right[:length], put_right, sample_rate)).delay.correlation
            if abs(correlation) > max(MATCHES, abs(best.correlation) + 0.02 if best else 0.0):
                best = Mislabelled(side, label, rate, correlation)
    return best
