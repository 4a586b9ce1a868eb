"""Audio files that nobody should have written: valid ones of every kind, and what comes of damaging them.

File number n is the same on every machine: ``mutated(n)`` gives it back when a test names it.
"""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
import soundfile

SEED = 20_240
FIELDS = (0, 1, 2, 3, 7, 8, 16, 24, 32, 64, 255, 4096, 16000, 65535, 2**24, 2**31 - 1, 2**31, 2**32 - 1)
RATES = (0, 1, 999, 8000, 16000, 44100, 655_350, 1_000_001, 2**31 - 1, 2**31, 2**32 - 1)
KINDS = (
    ("WAV", ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW", "IMA_ADPCM", "MS_ADPCM")),
    ("WAVEX", ("PCM_16", "FLOAT")),
    ("RF64", ("PCM_16", "DOUBLE")),
    ("W64", ("PCM_16", "FLOAT")),
    ("AIFF", ("PCM_16", "DOUBLE")),
    ("AU", ("PCM_16", "FLOAT")),
    ("CAF", ("PCM_24",)),
    ("FLAC", ("PCM_S8", "PCM_16", "PCM_24")),
    ("OGG", ("VORBIS",)),
)
SUFFIXES = {"FLAC": ".flac", "OGG": ".ogg"}  # of the others: .wav, which libsndfile reads by what is in it
STRANGE = (np.nan, np.inf, -np.inf, 1e300, 1e-310, 3e38, -32768.0)


class File(NamedTuple):
    """A file to be: a name that says what was done to it, and its bytes."""

    name: str
    data: bytes


def mutated(number: int) -> File:
    """Return file number ``number``."""
    draw = random.Random(SEED + number)
    way = WAYS[number % len(WAYS)]
    suffix, data = way(draw)
    return File(f"{number:05d}-{way.__name__.removeprefix('_')}{suffix}", data)


@cache
def valid() -> tuple[tuple[str, bytes], ...]:
    """Return valid files of every kind as (suffix, bytes), with 0, 1 and more samples and up to 64 channels."""
    found = []
    noise = 0.1 * np.random.default_rng(SEED).standard_normal((700, 64))
    for container, subtypes in KINDS:
        for subtype in subtypes:
            for frames, channels, rate in (
                (0, 1, 16000),
                (1, 1, 8000),
                (700, 1, 16000),
                (61, 2, 48000),
                (9, 64, 16000),
            ):
                if channels == 64 and (container in ("FLAC", "OGG") or subtype.endswith("ADPCM")):
                    continue
                samples = noise[:frames, :channels]
                found.append((SUFFIXES.get(container, ".wav"), _encoded(samples, rate, container, subtype)))
    return tuple(each for each in found if each[1])  # OGG without a sample is an empty file


def _encoded(samples: np.ndarray, rate: int, container: str, subtype: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=container, subtype=subtype)
    return file.getvalue()


def _whole(draw: random.Random) -> tuple[str, bytes]:
    return draw.choice(valid())


def _strange_samples(draw: random.Random) -> tuple[str, bytes]:
    """NaN, infinity, and numbers that overflow when they are squared; any length, any rate that can be written."""
    samples = np.array([draw.gauss(0, 0.1) for _ in range(draw.choice((1, 2, 40, 3000)))])
    for _ in range(draw.randrange(4)):
        samples[draw.randrange(len(samples))] = draw.choice(STRANGE)
    if draw.random() < 0.1:
        samples[:] = draw.choice((0.0, 1.0, *STRANGE))
    rate = draw.choice((1, 400, 8000, 16000, 48000, 96000, 700_000, 2**31 - 1))
    with np.errstate(over="ignore"):
        return ".wav", _encoded(samples, rate, "WAV", draw.choice(("FLOAT", "DOUBLE")))


def _bytes_flipped(draw: random.Random) -> tuple[str, bytes]:
    suffix, data = draw.choice(valid())
    changed = bytearray(data)
    near = draw.choice((48, 200, len(changed)))  # headers are where most is decided
    for _ in range(draw.choice((1, 2, 5, 20))):
        changed[draw.randrange(min(near, len(changed)))] = draw.randrange(256)
    return suffix, bytes(changed)


def _bit_flipped(draw: random.Random) -> tuple[str, bytes]:
    suffix, data = draw.choice(valid())
    changed = bytearray(data)
    changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return suffix, bytes(changed)


def _cut(draw: random.Random) -> tuple[str, bytes]:
    suffix, data = draw.choice(valid())
    return suffix, data[: draw.randrange(len(data))]


def _spliced(draw: random.Random) -> tuple[str, bytes]:
    (suffix, first), (_, second) = draw.choice(valid()), draw.choice(valid())
    return suffix, first[: draw.randrange(len(first))] + second[draw.randrange(len(second)) :]


def _field_replaced(draw: random.Random) -> tuple[str, bytes]:
    """Write an extreme number over two, four or eight bytes of the header, of either byte order."""
    suffix, data = draw.choice(valid())
    changed = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 3))):
        code = draw.choice(("<H", "<I", ">H", ">I", "<Q", ">Q"))
        width = struct.calcsize(code)
        at = draw.randrange(0, min(120, len(changed) - width), 2)
        changed[at : at + width] = struct.pack(code, draw.choice(FIELDS) % (1 << 8 * width))
    return suffix, bytes(changed)


def _riff_fields(draw: random.Random) -> tuple[str, bytes]:
    """A RIFF file by hand, each field right or extreme: rate 0 and 2^31, block align 0, 64 bits, lengths that lie."""
    channels = draw.choice((1, 1, 1, 0, 2, 64, 65535))
    bits = draw.choice((8, 16, 24, 32, 64, 0, 1, 12, 65535))
    align = draw.choice((channels * bits // 8, channels * bits // 8, 0, 1, 65535)) & 0xFFFF
    rate = draw.choice(RATES)
    speed = draw.choice((rate * align, 0, 2**32 - 1)) & 0xFFFFFFFF
    form = struct.pack("<HHIIHH", draw.choice((1, 1, 1, 3, 0xFFFE, 0, 2, 17)), channels, rate, speed, align, bits)
    form += bytes(draw.choice((0, 0, 2, 24)))
    sound = draw.randbytes(draw.choice((0, 1, 2, 3, 64, 4000)))
    chunks = [_chunk(draw, b"fmt ", form), _chunk(draw, b"data", sound)]
    for _ in range(draw.choice((0, 0, 1, 3))):
        kind = draw.choice(
            (b"fmt ", b"data", b"LIST", b"fact", b"cue ", b"bext", b"PEAK", b"smpl", b"\0\0\0\0", b"RIFF")
        )
        chunks.insert(draw.randrange(len(chunks) + 1), _chunk(draw, kind, draw.randbytes(draw.choice((0, 1, 4, 90)))))
    if draw.random() < 0.1:
        del chunks[draw.randrange(len(chunks))]
    body = b"WAVE" + b"".join(chunks)
    length = draw.choice((len(body), len(body), 0, 2**32 - 1))
    return ".wav", draw.choice((b"RIFF", b"RIFF", b"RIFX", b"RF64")) + struct.pack("<I", length) + body


def _chunk(draw: random.Random, kind: bytes, content: bytes) -> bytes:
    length = len(content) if draw.random() < 0.8 else draw.choice(FIELDS)
    return kind + struct.pack("<I", length) + content + b"\0" * (len(content) % 2 if draw.random() < 0.9 else 0)


def _flac_streaminfo(draw: random.Random) -> tuple[str, bytes]:
    """A FLAC file that promises up to 2^36 samples, another rate, more channels or other bits than it holds."""
    data = draw.choice([data for suffix, data in valid() if suffix == ".flac" and len(data) > 60])
    changed = bytearray(data)
    fields = int.from_bytes(changed[18:26], "big")  # 20 bits of rate, 3 of channels, 5 of depth, 36 of samples
    for width, shift in ((20, 44), (3, 41), (5, 36), (36, 0)):
        if draw.random() < 0.4:
            value = draw.choice((0, 1, 1 << width - 1, (1 << width) - 1, draw.getrandbits(width)))
            fields = fields & ~(((1 << width) - 1) << shift) | value << shift
    changed[18:26] = fields.to_bytes(8, "big")
    if draw.random() < 0.3:
        changed[8:18] = draw.randbytes(10)  # block and frame sizes
    return ".flac", bytes(changed)


def _noise(draw: random.Random) -> tuple[str, bytes]:
    head = draw.choice(
        (b"", b"RIFF", b"fLaC", b"OggS", b"FORM", b"riff\x2e\x91\xcf\x11", b"RIFF\0\0\0\0WAVEfmt ", b"ID3\x03")
    )
    return draw.choice((".wav", ".flac", ".ogg")), head + draw.randbytes(draw.choice((0, 1, 12, 60, 900)))


WAYS: tuple[Callable[[random.Random], tuple[str, bytes]], ...] = (
    _bytes_flipped,
    _field_replaced,
    _riff_fields,
    _flac_streaminfo,
    _strange_samples,
    _bit_flipped,
    _riff_fields,
    _cut,
    _spliced,
    _bytes_flipped,
    _flac_streaminfo,
    _field_replaced,
    _noise,
    _whole,
)
