"""Read, write and inspect audio files; what can be done with their samples stands in `srbench.samples` and is here too.

Samples are float64 in [-1, 1) as libsndfile scales integers; nothing is clipped, mixed down or resampled unless the
caller asks for it by name.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from srbench import container
from srbench.errors import SrbenchError
from srbench.files import beside, open_file
from srbench.samples import (
    HIGHEST_RATE,
    LOUDEST,
    LOWEST_RATE,
    RESAMPLER,
    Rate,
    Samples,
    channels_told,
    check_channels,
    damage,
    damage_told,
    digest_of,
    one_channel,
    parse_rate,
    recording_digest,
    resample,
)

__all__ = [
    "AUDIO_SUFFIXES",
    "FLOAT32",
    "HIGHEST_RATE",
    "LOUDEST",
    "LOWEST_RATE",
    "MOST_SAMPLES",
    "RESAMPLER",
    "AudioInfo",
    "FileFormat",
    "Rate",
    "Samples",
    "blocks_of",
    "channels_told",
    "check_channels",
    "check_whole",
    "damage",
    "damage_told",
    "file_recording_digest",
    "info",
    "leave_time_out",
    "one_channel",
    "open_audio",
    "parse_rate",
    "read",
    "read_channels",
    "read_frames",
    "recording_digest",
    "resample",
    "write",
]

# of what `srbench.container` knows and libsndfile reads
AUDIO_SUFFIXES = (
    *(".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".aifc"),
    *(".w64", ".rf64", ".caf", ".au", ".snd", ".nist", ".sph"),
)
MOST_SAMPLES = 1 << 28  # held at once, of all channels: 2 GiB, an hour and a half at 48 kHz
_ADD_PEAK_CHUNK = 0x1050  # SFC_SET_ADD_PEAK_CHUNK of sndfile.h
_UNKNOWN = 2**63 - 1  # what libsndfile makes of a length that a FLAC header leaves out; it cannot read such a file on
_BLOCK = 1 << 20  # samples; read at once, because a header may promise any number


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

        digest = digest_of(pieces(), int(file.channels), int(file.samplerate))
    check_whole(path, there, promised)
    return digest


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


def _why_unreadable(path: str | Path) -> str:
    path = Path(path)
    if not path.exists():
        return f"{path}: no such file"
    if not path.is_file():
        return f"{path}: is a {'folder' if path.is_dir() else 'pipe or a device'}, not an audio file"
    if path.stat().st_size == 0:
        return f"{path}: is an empty file"
    return f"{path}: cannot be read as audio (is it really a {path.suffix or 'sound'} file, and complete?)"
