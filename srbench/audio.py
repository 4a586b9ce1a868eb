"""Read, write and inspect audio files, and the one resampler.

Samples are float64 in [-1, 1) as libsndfile scales integers; nothing is clipped, mixed down or resampled unless the
caller asks for it by name.
"""

from __future__ import annotations

import errno
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from srbench.errors import SrbenchError

Samples = NDArray[np.float64]
Rate = int | Fraction  # Hz; a Fraction where the rate is not whole: 16 kHz at scale 6 comes from 8000/3 Hz
AUDIO_SUFFIXES = (".wav", ".flac", ".ogg")
RESAMPLER = "soxr-HQ"  # librosa's default as well; the text stands in signatures


class AudioInfo(NamedTuple):
    """What a file's header says."""

    sample_rate: int
    channels: int
    frames: int
    subtype: str


def _soundfile() -> Any:
    import soundfile

    return soundfile


def info(path: str | Path) -> AudioInfo:
    """Return sample rate in Hz, channels, frames and sample format of an audio file, from its header.

    Raises
    ------
    SrbenchError
        If the file is missing or is not audio.
    """
    sf = _soundfile()
    try:
        header = sf.info(str(path))
    except (sf.SoundFileError, OSError) as error:
        raise SrbenchError(_why_unreadable(path)) from error
    return AudioInfo(int(header.samplerate), int(header.channels), int(header.frames), str(header.subtype))


def read(path: str | Path) -> tuple[Samples, int]:
    """Read a one-channel audio file.

    Returns
    -------
    samples : ndarray of float64, shape (n,)
    sample_rate : int, in Hz

    Raises
    ------
    SrbenchError
        If the file is missing, is not audio, is empty, has several channels, or holds NaN or infinity.
    """
    samples, sample_rate = read_channels(path)
    if samples.shape[1] != 1:
        raise SrbenchError(f"{path}: has {samples.shape[1]} channels; a reference has one. Mix or split it first.")
    if not np.isfinite(samples).all():
        raise SrbenchError(f"{path}: holds {np.count_nonzero(~np.isfinite(samples))} NaN or infinite samples")
    return np.ascontiguousarray(samples[:, 0]), sample_rate


def read_channels(path: str | Path) -> tuple[Samples, int]:
    """Read an audio file as it is: any number of channels, and samples that need not be finite.

    Returns
    -------
    samples : ndarray of float64, shape (n, channels)
    sample_rate : int, in Hz

    Raises
    ------
    SrbenchError
        If the file is missing, is not audio, or is empty.
    """
    sf = _soundfile()
    try:
        samples, sample_rate = sf.read(str(path), dtype="float64", always_2d=True)
    except (sf.SoundFileError, OSError) as error:
        raise SrbenchError(_why_unreadable(path)) from error
    if samples.shape[0] == 0:
        raise SrbenchError(f"{path}: holds no samples")
    return samples, int(sample_rate)


def write(path: str | Path, samples: Samples, sample_rate: int) -> None:
    """Write a one-channel WAV file of 32-bit floats, so that nothing is clipped or rounded to 16 bits.

    The file appears when it is whole.

    Parameters
    ----------
    samples : ndarray, shape (n,)
    sample_rate : int, in Hz

    Raises
    ------
    OSError
        If it cannot be written.
    """
    sf = _soundfile()
    path = Path(path)
    unfinished = path.with_name(path.name + ".unfinished")
    try:
        sf.write(str(unfinished), np.asarray(samples, dtype=np.float32), sample_rate, subtype="FLOAT", format="WAV")
        unfinished.replace(path)
    except sf.SoundFileError as error:
        raise OSError(errno.EIO, "audio cannot be written", str(path)) from error
    finally:
        unfinished.unlink(missing_ok=True)


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


def _why_unreadable(path: str | Path) -> str:
    path = Path(path)
    if not path.exists():
        return f"{path}: no such file"
    if path.is_dir():
        return f"{path}: is a folder, not an audio file"
    if path.stat().st_size == 0:
        return f"{path}: is an empty file"
    return f"{path}: cannot be read as audio (is it really a {path.suffix or 'sound'} file, and complete?)"
