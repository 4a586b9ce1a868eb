"""Read, write and inspect audio files, and the one resampler.

Samples are float64 in [-1, 1) as libsndfile scales integers; nothing is clipped, mixed down or resampled unless the
caller asks for it by name.
"""

from __future__ import annotations

import errno
import hashlib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from srbench import container
from srbench.errors import SrbenchError
from srbench.files import beside, open_file

Samples = NDArray[np.float64]
Rate = int | Fraction  # Hz; a Fraction where the rate is not whole: 16 kHz at scale 6 comes from 8000/3 Hz
# of what `srbench.container` knows and libsndfile reads
AUDIO_SUFFIXES = (
    *(".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".aifc"),
    *(".w64", ".rf64", ".caf", ".au", ".snd", ".nist", ".sph"),
)
RESAMPLER = "soxr-HQ"  # librosa's default as well; the text stands in signatures
LOWEST_RATE, HIGHEST_RATE = 1000, 1_000_000  # Hz; a header that says another is damaged
LOUDEST = 2.0**31  # times full scale: integers of 32 bits that were never scaled; what goes further is no sound
MOST_SAMPLES = 1 << 28  # held at once, of all channels: 2 GiB, an hour and a half at 48 kHz
_ADD_PEAK_CHUNK = 0x1050  # SFC_SET_ADD_PEAK_CHUNK of sndfile.h
_UNKNOWN = 2**63 - 1  # what libsndfile makes of a length that a FLAC header leaves out; it cannot read such a file on
_BLOCK = 1 << 20  # samples; read at once, because a header may promise any number
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
        If the file is missing, is not audio, or has no rate of sound.
    """
    with open_audio(path) as file:
        return AudioInfo(int(file.samplerate), int(file.channels), int(file.frames), str(file.subtype))


@contextmanager
def open_audio(path: str | Path) -> Iterator[Any]:
    """Open an audio file as a `soundfile.SoundFile`; what fails inside of the ``with`` block is told as SrbenchError.

    Raises
    ------
    SrbenchError
        If the file is missing, is not audio, is cut short, has no rate of sound or no length, or cannot be read on.
    """
    sf = _soundfile()
    try:
        with open_file(path) as content:
            # of what is called .raw, soundfile believes no header
            known = Path(path).suffix.lower() != ".raw" and container.is_audio(content, Path(path).suffix)
            missing = container.what_is_missing(content) if known else ""
        if not known:
            raise SrbenchError(_why_unreadable(path))
        if missing:
            raise SrbenchError(f"{path}: {missing}")
        with sf.SoundFile(str(path)) as file:
            rate = int(file.samplerate)
            if not LOWEST_RATE <= rate <= HIGHEST_RATE:
                raise SrbenchError(f"{path}: its header says {rate} Hz, which is not a rate of sound")
            if file.frames == _UNKNOWN:
                raise SrbenchError(f"{path}: does not say how many samples it holds, like a stream: encode it again")
            yield file
    except (sf.SoundFileError, OSError) as error:
        raise SrbenchError(_why_unreadable(path)) from error


def read(path: str | Path, channels: str | None = None) -> tuple[Samples, int]:
    """Read an audio file as one channel.

    Parameters
    ----------
    path : path
    channels : str, optional
        What is taken of a file with several: see `one_channel`. Without it such a file is refused.

    Returns
    -------
    samples : ndarray of float64, shape (n,)
    sample_rate : int, in Hz

    Raises
    ------
    SrbenchError
        If the file is missing, is not audio, is empty, has several channels, or holds what is no sound (`damage`).
    """
    samples, sample_rate = read_channels(path)
    try:
        one = one_channel(samples, channels)
    except SrbenchError as error:
        raise SrbenchError(f"{path}: {error}") from error
    if what := damage(one):
        raise SrbenchError(f"{path}: holds {what}")
    return one, sample_rate


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


def read_channels(path: str | Path) -> tuple[Samples, int]:
    """Read an audio file as it is: any number of channels, and samples that need not be finite.

    Returns
    -------
    samples : ndarray of float64, shape (n, channels)
    sample_rate : int, in Hz

    Raises
    ------
    SrbenchError
        If the file is missing, is not audio, is empty, or holds more than `MOST_SAMPLES`.
    """
    with open_audio(path) as file:
        promised = int(file.frames)
        samples = read_frames(file, path, promised)
        sample_rate = int(file.samplerate)
    check_whole(path, len(samples), promised)
    return samples, sample_rate


def check_whole(path: str | Path, there: int, promised: int) -> None:
    """Raise SrbenchError if a file has no samples, or fewer than its header promises."""
    if there < promised:
        raise SrbenchError(f"{path}: cut short: its header promises {promised} samples, {there} are there")
    if not there:
        raise SrbenchError(f"{path}: holds no samples")


def blocks_of(file: Any, path: str | Path, count: int) -> Iterator[Samples]:
    """Read on in an open file: up to ``count`` frames, in pieces of shape (n, channels).

    Raises
    ------
    SrbenchError
        If there are more than `MOST_SAMPLES`.
    """
    rows, most = max(1, _BLOCK // file.channels), MOST_SAMPLES // file.channels
    done = 0
    while True:
        block: Samples = file.read(min(rows, count - done), dtype="float64", always_2d=True)
        done += len(block)
        if done > most:
            raise SrbenchError(f"{path}: longer than {most} samples, the most that is read at once; cut it into parts")
        yield block
        if not len(block) or done >= count:
            return


def read_frames(file: Any, path: str | Path, count: int) -> Samples:
    """Read on in an open file: up to ``count`` frames, shape (n, channels), n less where the file ends before.

    Memory grows with what is there, not with what the header promises.

    Raises
    ------
    SrbenchError
        If there are more than `MOST_SAMPLES`.
    """
    blocks = list(blocks_of(file, path, count))
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)


def recording_digest(samples: Samples, sample_rate: int) -> str:
    """Return the SHA-256 in hex of a recording: of its rate, its channels and its samples, not of its file's bytes.

    WAV and FLAC of one recording decode to the same samples, so they are one recording.

    Parameters
    ----------
    samples : ndarray of float64, shape (n,) or (n, channels)
        As `read` or `read_channels` decode them.
    sample_rate : int, in Hz
    """
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    pieces = (samples[start : start + _DIGESTED] for start in range(0, len(samples), _DIGESTED))
    return _digest(pieces, channels, sample_rate)


def file_recording_digest(path: str | Path) -> str:
    """Return the `recording_digest` of a file as `read_channels` decodes it, without holding all of it.

    Raises
    ------
    SrbenchError
        See `read_channels`.
    """
    with open_audio(path) as file:
        promised, there = int(file.frames), 0

        def pieces() -> Iterator[Samples]:
            nonlocal there
            for block in blocks_of(file, path, promised):
                there += len(block)
                yield block

        digest = _digest(pieces(), int(file.channels), int(file.samplerate))
    check_whole(path, there, promised)
    return digest


def _digest(pieces: Iterable[Samples], channels: int, sample_rate: int) -> str:
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


class FileFormat(NamedTuple):
    """How samples are written: the format and the sample format as libsndfile calls them, and the file's suffix."""

    container: str
    subtype: str
    suffix: str = ".wav"


FLOAT32 = FileFormat("WAV", "FLOAT")


def write(path: str | Path, samples: Samples, sample_rate: int, file_format: FileFormat = FLOAT32) -> None:
    """Write a one-channel file; by default a WAV file of 32-bit floats, so that nothing is clipped or made coarse.

    The file appears when it is whole. A format of integers cuts off what is beyond full scale.

    Parameters
    ----------
    samples : ndarray, shape (n,)
    sample_rate : int, in Hz
    file_format : FileFormat

    Raises
    ------
    OSError
        If it cannot be written.
    """
    sf = _soundfile()
    path = Path(path)
    with beside(path) as unfinished:
        try:
            with sf.SoundFile(
                str(unfinished), "w", sample_rate, 1, file_format.subtype, format=file_format.container
            ) as file:
                leave_time_out(file)
                file.write(np.asarray(samples, dtype=np.float32 if file_format == FLOAT32 else np.float64))
        except sf.SoundFileError as error:
            raise OSError(errno.EIO, "audio cannot be written", str(path)) from error


def leave_time_out(file: Any) -> None:
    """Have a WAV file of floats that was opened for writing repeat to the byte: no chunk PEAK, which holds the time."""
    sf = _soundfile()  # which has no door of its own to this command of libsndfile
    sf._snd.sf_command(file._file, _ADD_PEAK_CHUNK, sf._ffi.NULL, 0)


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
    if not path.is_file():
        return f"{path}: is a {'folder' if path.is_dir() else 'pipe or a device'}, not an audio file"
    if path.stat().st_size == 0:
        return f"{path}: is an empty file"
    return f"{path}: cannot be read as audio (is it really a {path.suffix or 'sound'} file, and complete?)"
