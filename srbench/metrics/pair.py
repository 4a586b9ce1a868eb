"""The pair under measurement: a reference and an estimate, checked once, analysed once for all metrics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from srbench.audio import Samples, resample
from srbench.errors import SrbenchError

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
        For another shape, unequal lengths, samples that are not floats, NaN or infinity, or no samples.
    """

    def __init__(self, reference: Any, estimate: Any, sample_rate: int, cutoff: float | None = None) -> None:
        self.reference = _samples(reference, "reference")
        self.estimate = _samples(estimate, "estimate")
        if len(self.reference) != len(self.estimate):
            raise SrbenchError(
                f"reference and estimate differ in length: {len(self.reference)} and {len(self.estimate)} samples"
            )
        if sample_rate <= 0 or int(sample_rate) != sample_rate:
            raise SrbenchError(f"the sample rate must be a positive whole number of Hz, not {sample_rate}")
        if cutoff is not None and not 0 < cutoff < sample_rate / 2:
            raise SrbenchError(f"the cutoff must lie between 0 and {sample_rate / 2:g} Hz, not at {cutoff:g}")
        self.sample_rate = int(sample_rate)
        self.cutoff = cutoff
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
    array = np.asarray(signal)
    if array.ndim != 1:
        raise SrbenchError(f"the {name} must have shape (n,), not {array.shape}; a metric takes one channel")
    if array.dtype.kind != "f":
        raise SrbenchError(
            f"the {name} must hold floats with full scale 1.0, not {array.dtype}; divide 16-bit by 32768"
        )
    if array.size == 0:
        raise SrbenchError(f"the {name} holds no samples")
    # contiguous, so that sums do not depend on how the caller laid the samples out
    array = np.ascontiguousarray(array, dtype=np.float64)
    if not np.isfinite(array).all():
        raise SrbenchError(f"the {name} holds {np.count_nonzero(~np.isfinite(array))} NaN or infinite samples")
    return array
