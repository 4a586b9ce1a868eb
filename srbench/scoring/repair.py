"""What can be mended in a pair, if it is asked for: rate, delay, length, gain."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from srbench import audio
from srbench.audio import Samples
from srbench.errors import SrbenchError, shown

MATCH_LENGTH = ("shorter", "pad")


@dataclass(frozen=True)
class Repairs:
    """What was asked for; nothing by default.

    Attributes
    ----------
    align : bool
        Shift the estimate by the delay that was found, where one was found.
    match_length : {"shorter", "pad"} or None
        Cut the longer of the two, or bring the estimate to the reference's length with zeros or by cutting it.
    match_gain : bool
        Divide the estimate by the gain that was found in the band that the two share.
    resample : bool
        Bring the estimate to the reference's rate.
    channels : str or None
        What is taken of files with several channels (`srbench.audio.one_channel`).
    """

    align: bool = False
    match_length: str | None = None
    match_gain: bool = False
    resample: bool = False
    channels: str | None = None

    def __post_init__(self) -> None:
        audio.check_channels(self.channels)
        for name in ("align", "match_gain", "resample"):
            if not isinstance(value := getattr(self, name), bool):
                raise SrbenchError(f"{name} is True or False, not {shown(repr(value), 40)}")
        if self.match_length not in (None, *MATCH_LENGTH):
            raise SrbenchError(f"match_length is {' or '.join(MATCH_LENGTH)}, not {shown(repr(self.match_length), 40)}")

    def fields(self) -> Mapping[str, Any]:
        """Return them as a signature names them; channels only where they were chosen."""
        chosen = {"channels": self.channels} if self.channels else {}
        return {
            "align": self.align,
            "length": self.match_length,
            "gain": self.match_gain,
            "resample": audio.RESAMPLER if self.resample else None,
            **chosen,
        }


def align(reference: Samples, estimate: Samples, delay: float) -> tuple[Samples, Samples]:
    """Shift an estimate back by its delay, and leave out the samples for which there is no counterpart any more.

    Parameters
    ----------
    reference, estimate : ndarray, shapes (n,) and (m,)
    delay : float
        In samples, positive where the estimate comes late. The whole samples are cut off, the rest is turned in phase.

    Returns
    -------
    reference, estimate : ndarray
        Both without their ends: ceil(|delay|) samples, on the side that has no counterpart.
    """
    whole = math.floor(delay + 0.5)
    part = delay - whole
    late, early = max(whole, 0), max(-whole, 0)
    shifted = _turned(estimate, part)[late:]
    kept = reference[early:]
    if len(reference) == len(estimate):
        length = min(len(kept), len(shifted))
        kept, shifted = kept[:length], shifted[:length]
    # a fraction of a sample reaches over an end where nothing was cut off; the sample there would be made up
    first, last = int(part < 0 and not late), int(part > 0 and not early)
    return kept[first : len(kept) - last], shifted[first : len(shifted) - last]


def _turned(samples: Samples, part: float) -> Samples:
    """Return samples advanced by a fraction of one, by a phase that grows with frequency."""
    if not part:
        return samples
    from scipy import fft

    pad = 256  # the shifted signal rings on beyond both ends; held level there, so that the ends are no steps
    held = np.pad(samples, pad, mode="edge")
    size = fft.next_fast_len(len(held), real=True)
    held = np.concatenate([held, np.linspace(held[-1], held[0], size - len(held) + 2)[1:-1]])
    spectrum = fft.rfft(held)
    phase = np.exp(2j * np.pi * part / size * np.arange(len(spectrum)))
    shifted: Samples = fft.irfft(spectrum * phase, size)[pad : pad + len(samples)]
    return shifted


def match_length(reference: Samples, estimate: Samples, how: str) -> tuple[Samples, Samples]:
    """Make both equally long: ``shorter`` cuts the longer one, ``pad`` cuts or fills the estimate with zeros."""
    if how == "shorter":
        length = min(len(reference), len(estimate))
        return reference[:length], estimate[:length]
    fitted = np.zeros(len(reference))
    length = min(len(reference), len(estimate))
    fitted[:length] = estimate[:length]
    return reference, fitted
