"""Samples in memory: rates, channels, what is no sound, the digest of a recording, and the one resampler."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from srbench.errors import SrbenchError

Samples = NDArray[np.float64]
Rate = int | Fraction  # Hz; a Fraction where the rate is not whole: 16 kHz at scale 6 comes from 8000/3 Hz
RESAMPLER = "soxr-HQ"  # librosa's default as well; the text stands in signatures
LOWEST_RATE, HIGHEST_RATE = 1000, 1_000_000  # Hz; a header that says another is damaged
LOUDEST = 2.0**31  # times full scale: integers of 32 bits that were never scaled; what goes further is no sound
_DIGESTED = 1 << 13  # samples at once, which stay in the cache


def parse_rate(text: str) -> Rate:
    """Return the rate that a text says, in Hz: ``16000``, or ``16000/6`` for one that is not whole.

    Raises
    ------
    ValueError
        If it says none. `Fraction` itself would make a number of 1e9 digits of ``1e999999999``.
    """
    if not re.fullmatch(r"[0-9]{1,7}(/[0-9]{1,7})?", text):
        raise ValueError(f"'{text}' is not a rate")
    whole, _, parts = text.partition("/")
    if parts and not int(parts):
        raise ValueError(f"'{text}' is divided by 0")
    rate = Fraction(int(whole), int(parts or 1))
    return rate.numerator if rate.denominator == 1 else rate


def check_channels(channels: str | None) -> None:
    """Raise SrbenchError if it is no way to make one channel of several."""
    if channels is not None and not re.fullmatch(r"mix|left|right|[1-9][0-9]{0,3}", str(channels)):
        raise SrbenchError(f"channels are 'mix', 'left', 'right' or the number of one from 1 on, not '{channels}'")


def one_channel(samples: Samples, channels: str | None = None) -> Samples:
    """Return one channel of a recording.

    Parameters
    ----------
    samples : ndarray, shape (n, channels)
    channels : str, optional
        Of several: ``mix`` is the mean of all, ``left`` the first, ``right`` the second, a number that one, counted
        from 1. A single one is taken whatever is chosen.

    Returns
    -------
    ndarray, shape (n,)

    Raises
    ------
    SrbenchError
        If there are several and nothing was chosen, or the chosen one is not there.
    """
    check_channels(channels)
    count = samples.shape[1]
    if channels is None and count != 1:
        raise SrbenchError(f"has {channels_told(samples)}; one is needed: choose with --channels mix|left|right|N")
    if count == 1:
        return np.ascontiguousarray(samples[:, 0])
    if channels == "mix":
        return np.asarray(samples.mean(axis=1))
    number = {"left": 1, "right": 2}.get(str(channels)) or int(str(channels))
    if number > count:
        raise SrbenchError(f"has {count} channels, and --channels {channels} asks for number {number}")
    return np.ascontiguousarray(samples[:, number - 1])


def channels_told(samples: Samples) -> str:
    """Return how many channels there are, and whether they are equal: shape (n, channels)."""
    equal = bool((samples == samples[:, :1]).all())
    return f"{samples.shape[1]} channels ({'all equal' if equal else 'not equal'})"


def recording_digest(samples: Samples, sample_rate: int) -> str:
    """Return the SHA-256 in hex of a recording: of its rate, its channels and its samples, not of its file's bytes.

    WAV and FLAC of one recording decode to the same samples, so they are one recording.

    Parameters
    ----------
    samples : ndarray of float64, shape (n,) or (n, channels)
        As `srbench.audio.read` or `read_channels` decode them.
    sample_rate : int, in Hz
    """
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    pieces = (samples[start : start + _DIGESTED] for start in range(0, len(samples), _DIGESTED))
    return digest_of(pieces, channels, sample_rate)


def digest_of(pieces: Iterable[Samples], channels: int, sample_rate: int) -> str:
    """Return the digest of a recording whose samples come in pieces; see `recording_digest`."""
    told = hashlib.sha256(f"{sample_rate} {channels}\n".encode())
    for piece in pieces:
        block = piece + 0.0  # -0.0 becomes 0.0
        told.update(block.astype("<f8", copy=False).tobytes())
    return told.hexdigest()


def damage(samples: Samples) -> str:
    """Say how many samples, of at least one, are no sound: NaN, infinite or beyond `LOUDEST`; "" where none is."""
    if samples.min() >= -LOUDEST and samples.max() <= LOUDEST:  # neither is so of NaN
        return ""
    infinite = int(np.count_nonzero(~np.isfinite(samples)))
    return damage_told(infinite, 0 if infinite else int(np.count_nonzero(np.abs(samples) > LOUDEST)))


def damage_told(infinite: int, beyond: int) -> str:
    """Say what is no sound: so many NaN or infinite samples, so many beyond `LOUDEST`; "" where there is none."""
    if infinite:
        return f"{infinite} NaN or infinite samples"
    return f"{beyond} samples beyond 2^31 times full scale" if beyond else ""


def resample(samples: Samples, from_rate: Rate, to_rate: Rate) -> Samples:
    """Resample by soxr's HQ setting: linear phase, no delay, about ``round(n * to_rate / from_rate)`` samples.

    soxr works in single precision at this setting: the result is good to about 1e-7 of full scale.

    Parameters
    ----------
    samples : ndarray, shape (n,)
    from_rate, to_rate : int or Fraction, in Hz
    """
    if from_rate == to_rate:
        return samples
    import soxr

    return np.asarray(soxr.resample(samples, float(from_rate), float(to_rate), quality="HQ"), dtype=np.float64)
