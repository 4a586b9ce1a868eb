"""Faults that the samples themselves show: NaN, silence, clipping, an offset."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from srbench.audio import LOUDEST, Samples

SILENT_PEAK = 2.0**-15  # of full scale: less than the last bit of 16
UNSCALED_PEAK = 100.0  # of full scale, 40 dB above it: integers that were cast to floats
GAP_SECONDS = 0.05  # of digital silence where the reference speaks
GAP_LEVEL_DB = -40.0  # of the reference in such a gap, below its loudest stretch
FLAT_RUN = 3  # samples at the extreme, one after another: a wave's own peak has one, or two
FLAT_SAMPLES = 6  # at the extreme in all
QUIETEST_CLIPPED = 2.0**-9  # of full scale: below, 16 bits are so coarse that waves have flat tops


def non_finite(samples: Samples) -> int:
    """Return how many samples are NaN, infinite, or beyond what can be sound."""
    return int(np.count_nonzero(~(np.abs(samples) <= LOUDEST)))


def is_silent(samples: Samples) -> bool:
    """Tell whether a signal is constant, or quieter than the last of 16 bits."""
    lowest, highest = float(samples.min()), float(samples.max())
    return highest - lowest < SILENT_PEAK


def silence_told(samples: Samples) -> str:
    """Return a silent signal in words: ``constant at 0.1`` where it is not zero."""
    level = float(samples.mean())
    return "silent" if abs(level) < SILENT_PEAK else f"constant at {level:.4g}, which is silence"


def silent_share(reference: Samples, estimate: Samples, sample_rate: int) -> float:
    """Return which share of the reference's sound the estimate answers by digital silence, from 0 to 1.

    Silence counts from 50 ms on, to the sample, in which the reference is within 40 dB of its loudest 50 ms.
    """
    length = max(1, round(GAP_SECONDS * sample_rate))
    zero = estimate == 0
    if not long_runs(zero, length).any():
        return 0.0
    from scipy import ndimage

    power = ndimage.uniform_filter1d(np.square(reference), length, mode="constant")
    sounds = power > power.max() * 10 ** (GAP_LEVEL_DB / 10)
    return int(np.count_nonzero(long_runs(zero & sounds, length))) / max(1, int(np.count_nonzero(sounds)))


def long_runs(here: NDArray[np.bool_], least: int) -> NDArray[np.bool_]:
    """Return those that stand so many in a row."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], here, [False]])))
    long = np.zeros(len(here), bool)
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        if last - first >= least:
            long[first:last] = True
    return long


@dataclass(frozen=True)
class Clipped:
    """Which samples stand at the limit, and where that is (the larger of both sides, of full scale)."""

    where: NDArray[np.bool_]
    level: float

    @property
    def count(self) -> int:
        """How many samples were cut."""
        return int(np.count_nonzero(self.where))

    def within(self, part: slice) -> Clipped:
        """Return it of a part of the signal."""
        return Clipped(self.where[part], self.level)


def clipped(samples: Samples) -> Clipped:
    """Find samples cut at a limit: at least three in a row, and six in all, at exactly the largest or smallest value.

    A signal that was clipped and then filtered, resampled or coded has no such tops any more and is not found.
    """
    where = np.zeros(len(samples), bool)
    level = 0.0
    for extreme in (float(samples.max()), float(samples.min())):
        if abs(extreme) < QUIETEST_CLIPPED:
            continue
        here = samples == extreme
        if np.count_nonzero(here) >= FLAT_SAMPLES and _longest_run(here) >= FLAT_RUN:
            where |= here
            level = max(level, abs(extreme))
    return Clipped(where, level)


def _longest_run(here: NDArray[np.bool_]) -> int:
    positions = np.flatnonzero(here)
    breaks = np.flatnonzero(np.diff(positions) > 1)
    return int(np.diff(np.concatenate([[-1], breaks, [len(positions) - 1]])).max())
