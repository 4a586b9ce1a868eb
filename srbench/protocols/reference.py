"""From a recording to the reference and its low-resolution version, as the protocol says."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from srbench.audio import Samples, resample
from srbench.degradation import degrade, whole_length
from srbench.errors import SrbenchError
from srbench.protocols.protocol import Protocol


class Prepared(NamedTuple):
    """A reference, shape (n,), and its low-resolution version, shape (n * low_rate / high_rate,)."""

    reference: Samples
    low: Samples


def prepare(recording: Samples, sample_rate: int, protocol: Protocol) -> Prepared:
    """Make the reference and the low-resolution signal: resample, trim, level, crop, degrade; in this order.

    Parameters
    ----------
    recording : ndarray, shape (m,)
    sample_rate : int, in Hz
    protocol : Protocol

    Raises
    ------
    SrbenchError
        If the recording's rate is below the protocol's high rate (a reference is never upsampled), or nothing is left
        of it.
    """
    if sample_rate < protocol.high_rate:
        raise SrbenchError(
            f"recorded at {sample_rate} Hz: it cannot be a reference at {protocol.high_rate} Hz (nothing is upsampled)"
        )
    reference = resample(recording, sample_rate, protocol.high_rate)
    if protocol.trim_top_db is not None:
        reference = trim(reference, protocol.trim_top_db)
    if protocol.level == "peak" and reference.any():
        reference = reference / np.abs(reference).max()
    reference = reference[: whole_length(len(reference), protocol.high_rate, protocol.low_rate)]
    if not len(reference):
        raise SrbenchError(f"{len(recording)} samples are too short for a single low-resolution sample")
    return Prepared(reference, degrade(reference, protocol.high_rate, protocol.low_rate, protocol.degradation))


def trim(samples: Samples, top_db: float, frame: int = 2048, hop: int = 512) -> Samples:
    """Cut the ends where the RMS of a frame is ``top_db`` or more below the loudest; `librosa.effects.trim`'s rule.

    Parameters
    ----------
    samples : ndarray, shape (n,)
    top_db : float, in dB
    frame, hop : int, in samples
    """
    padded = np.pad(samples, frame // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, frame)[::hop]
    rms = np.maximum(np.sqrt(np.mean(frames**2, axis=1)), 1e-5)
    loud = np.flatnonzero(20 * np.log10(rms / rms.max()) > -top_db)
    return samples[loud[0] * hop : min(len(samples), (loud[-1] + 1) * hop)]
