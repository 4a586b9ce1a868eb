"""The pair under measurement: a reference and an estimate, checked once, analysed once for all metrics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from srbench.audio import Samples, resample
from srbench.errors import SrbenchError
from srbench.metrics.arguments import as_cutoff, as_rate, as_samples

T = TypeVar("T")


class Pair:
    """A reference and an estimate of equal length, with what was computed from them so far.

    Parameters
    ----------
    reference, estimate : ndarray of floats, shape (n,), n >= 1
        Full scale is 1.0. Converted to float64; never scaled, cut or mixed down.
    sample_rate : int, in Hz
    cutoff : float, in Hz, optional
        Half the low rate: the edge between the band that the upscaler was given and the band that it made.

    Raises
    ------
    SrbenchError
        For another shape, unequal lengths, samples that are masked or not floats, NaN or infinity, or no samples; for
        a rate or a cutoff that is none.
    """

    def __init__(self, reference: Any, estimate: Any, sample_rate: int, cutoff: float | None = None) -> None:
        self.reference = _samples(reference, "reference")
        self.estimate = _samples(estimate, "estimate")
        if len(self.reference) != len(self.estimate):
            raise SrbenchError(
                f"reference and estimate differ in length: {len(self.reference)} and {len(self.estimate)} samples"
            )
        self.sample_rate = as_rate(sample_rate)
        self.cutoff = as_cutoff(cutoff, self.sample_rate)
        self._known: dict[Any, Any] = {}

    def once(self, key: Any, compute: Callable[[], T]) -> T:
        """Return ``compute()``, computed at the first call with this key and remembered."""
        if key not in self._known:
            self._known[key] = compute()
        value: T = self._known[key]
        return value

    def at_rate(self, sample_rate: int) -> tuple[Samples, Samples]:
        """Return reference and estimate resampled by the one resampler, as float64."""
        if sample_rate == self.sample_rate:
            return self.reference, self.estimate
        return self.once(
            ("rate", sample_rate),
            lambda: (
                resample(self.reference, self.sample_rate, sample_rate),
                resample(self.estimate, self.sample_rate, sample_rate),
            ),
        )


def parts(length: int, at_once: int) -> list[slice]:
    """Return slices of so many at once, which stay in the cache: one fresh array of all takes longer than the sums."""
    return [slice(start, start + at_once) for start in range(0, length, at_once)]


def _samples(signal: Any, name: str) -> Samples:
    array = as_samples(signal, name)
    if not np.isfinite(array).all():
        raise SrbenchError(f"the {name} holds {np.count_nonzero(~np.isfinite(array))} NaN or infinite samples")
    return array
