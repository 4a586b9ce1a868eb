"""Upscale an audio file with any upscaler, block by block where the upscaler can."""

from __future__ import annotations

import errno
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srbench import audio
from srbench.audio import Rate
from srbench.errors import SrbenchError
from srbench.files import beside
from srbench.upscaler import BuiltUpscaler, build_upscaler

FORMATS = {".wav": ("WAV", "FLOAT"), ".flac": ("FLAC", "PCM_24"), ".ogg": ("OGG", "VORBIS")}
BLOCK_SECONDS = 8.0
HIGHEST_RATE = 768_000  # Hz; no audio format of use goes further


def upscale_file(
    source: str | Path,
    target: str | Path,
    model: str,
    *,
    rate: int | None = None,
    device: str | None = None,
    precision: str | None = None,
    plugins: Sequence[str | Path] = (),
    overwrite: bool = False,
    progress: Callable[[str, int, int | None], None] | None = None,
) -> dict[str, Any]:
    """Upscale a file, each channel by itself.

    An upscaler whose object has ``context(low_rate, high_rate)``, which returns the samples of the input that a block
    needs on either side and the multiple at which blocks may begin, is given blocks of some seconds, so that the memory
    does not grow with the file; others are given the whole channel.

    Parameters
    ----------
    source, target : path
        ``.wav``, ``.flac`` or ``.ogg``. WAV is written as 32-bit floats.
    model : str
        An upscaler's name, or ``name@weights``.
    rate : int, optional, in Hz
        The rate to upscale to; by default the only one that the upscaler offers from the file's.
    device, precision : str, optional
    plugins : sequence of path
    overwrite : bool
    progress : callable (what, done, total), optional

    Returns
    -------
    dict
        ``model``, ``low_rate``, ``high_rate``, ``channels``, ``seconds`` and ``clipped``, the samples beyond full scale
        in a format that cannot hold them.

    Raises
    ------
    SrbenchError
        If a file cannot be read or written, stands in the way, or the upscaler does not support the rates or fails.
    """
    source, target = Path(source), Path(target)
    if target.suffix.lower() not in FORMATS:
        raise SrbenchError(f"{target}: the output is one of {', '.join(FORMATS)}")
    if target.exists() and source.exists() and target.samefile(source):
        raise SrbenchError(f"{target}: is the input; name another file for the output")
    if target.exists() and not overwrite:
        raise SrbenchError(f"{target}: already exists; use --force to overwrite it")
    header = audio.info(source)
    if not header.frames:
        raise SrbenchError(f"{source}: holds no samples")
    built, _ = build_upscaler(model, plugins, device=device, precision=precision)
    high_rate = rate if rate is not None else only_rate(built, header.sample_rate)
    if not header.sample_rate < high_rate <= HIGHEST_RATE:
        raise SrbenchError(
            f"--rate must be above the file's {header.sample_rate} Hz and at most {HIGHEST_RATE}, not {high_rate}"
        )
    built.check_rates(header.sample_rate, high_rate)
    clipped = 0
    target.parent.mkdir(parents=True, exist_ok=True)
    with beside(target) as unfinished, ExitStack() as stack:
        write = _writer(stack, unfinished, target, high_rate, header.channels)
        done = 0
        for block in _blocks(built, source, header, high_rate):
            clipped += int(np.count_nonzero(np.abs(block) > 1))
            write(block)
            done += len(block)
            if progress:
                total = header.frames * high_rate // header.sample_rate
                progress(source.name, min(done, total) // high_rate, max(1, total // high_rate))
    return {
        "input": str(source),
        "output": str(target),
        "model": model,
        "low_rate": header.sample_rate,
        "high_rate": high_rate,
        "channels": header.channels,
        "seconds": header.frames / header.sample_rate,
        "clipped": 0 if FORMATS[target.suffix.lower()][1] == "FLOAT" else clipped,
    }


def only_rate(built: BuiltUpscaler, low_rate: Rate) -> int:
    """Return the one rate that an upscaler offers from a rate in Hz.

    Raises
    ------
    SrbenchError
        If it offers none, several, or any.
    """
    rates = built.upscaler.rates or getattr(built.instance, "rates", None)
    if rates is None:
        raise SrbenchError(f"upscaler {built.upscaler.name} takes any rates: say which (--rate HZ, or to=HZ)")
    found = sorted({high for low, high in rates if low == low_rate})
    if len(found) == 1:
        return int(found[0])
    if not found:
        known = ", ".join(str(low) for low in sorted({low for low, _ in rates}))
        raise SrbenchError(f"upscaler {built.upscaler.name} takes input at {known} Hz; this is at {low_rate} Hz")
    raise SrbenchError(
        f"upscaler {built.upscaler.name} offers {', '.join(map(str, found))} Hz: say which (--rate HZ, or to=HZ)"
    )


def _blocks(
    built: BuiltUpscaler, source: Path, header: audio.AudioInfo, high_rate: int
) -> Iterator[NDArray[np.float64]]:
    """Yield the upscaled file, blocks of shape (frames, channels)."""
    low_rate, length = header.sample_rate, header.frames
    context = getattr(built.instance, "context", None)
    if callable(context):
        margin, unit = context(low_rate, high_rate)
        unit = math.lcm(unit, low_rate // math.gcd(low_rate, high_rate))  # a block begins at a sample of both
        margin = -(-margin // unit) * unit
        step = -(-max(int(BLOCK_SECONDS * low_rate), margin) // unit) * unit
    else:
        margin, step = 0, length
    for first in range(0, length, step):
        last = min(first + step, length)
        begin, end = max(0, first - margin), min(length, last + margin)
        given = _read(source, begin, end)
        if what := audio.damage(given):
            raise SrbenchError(f"{source}: holds {what}")
        made = np.stack([built(channel, low_rate, high_rate) for channel in given.T], axis=1)
        yield made[(first - begin) * high_rate // low_rate : (last - begin) * high_rate // low_rate]


def _read(source: Path, begin: int, end: int) -> NDArray[np.float64]:
    with audio.open_audio(source) as file:
        file.seek(begin)
        samples = audio.read_frames(file, source, end - begin)
    if len(samples) != end - begin:
        raise SrbenchError(f"{source}: is truncated: its header promises more samples than there are")
    return samples


def _writer(
    stack: ExitStack, unfinished: Path, target: Path, rate: int, channels: int
) -> Callable[[NDArray[np.float64]], None]:
    import soundfile

    kind, subtype = FORMATS[target.suffix.lower()]
    try:
        file = stack.enter_context(
            soundfile.SoundFile(str(unfinished), "w", samplerate=rate, channels=channels, format=kind, subtype=subtype)
        )
    except (soundfile.SoundFileError, OSError) as error:
        raise SrbenchError(f"{target}: cannot be written as {kind} at {rate} Hz: {error}") from error

    audio.leave_time_out(file)

    def write(block: NDArray[np.float64]) -> None:
        try:
            file.write(block if subtype == "FLOAT" else np.clip(block, -1, 1))
        except soundfile.SoundFileError as error:
            raise OSError(errno.EIO, "cannot be written", str(target)) from error

    return write
