"""Power spectra of both signals of a pair, frame by frame: what every log-spectral distance is computed from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from srbench.errors import UndefinedMetric
from srbench.metrics.pair import Pair

_SAMPLES_AT_ONCE = 32768  # of frames; what is worked on stays in the cache
_UNLIKE = 8.0  # the ratio of two frames' peaks from which they are not transformed together
_Array = NDArray[np.float64]


def power_spectra(pair: Pair, n_fft: int, hop: int, pad: str | None) -> Iterator[tuple[_Array, _Array]]:
    """Yield |STFT|² of reference and estimate, shapes (frames, n_fft // 2 + 1), a few frames at a time.

    They are overwritten by the next: fresh arrays would take as long as the transforms. The window is a periodic Hann.

    Parameters
    ----------
    pair : Pair
    n_fft, hop : int, in samples
    pad : str or None
        How the signals are extended by half a frame on both sides, so that frames are centred; None for not at all.

    Raises
    ------
    UndefinedMetric
        If the signals are too short for one frame.
    """
    from scipy import fft

    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    both = [np.lib.stride_tricks.sliding_window_view(samples, n_fft)[::hop] for samples in _extended(pair, n_fft, pad)]
    packed = fft.next_fast_len(n_fft) != n_fft
    at_once = 2 * max(1, _SAMPLES_AT_ONCE // n_fft // 2)  # even, so that two at once are always the same two
    windowed = np.empty((at_once, n_fft))
    powers = np.empty((2, at_once, n_fft // 2 + 1))
    for start in range(0, len(both[0]), at_once):
        count = min(at_once, len(both[0]) - start)
        for frames, power in zip(both, powers, strict=True):
            some = np.multiply(frames[start : start + count], window, out=windowed[:count])
            if packed:
                _two_at_once(some, power[:count])
            else:
                _power(fft.rfft(some, axis=1), power[:count])
        yield powers[0, :count], powers[1, :count]


def _extended(pair: Pair, n_fft: int, pad: str | None) -> tuple[_Array, _Array]:
    """Return both signals with their ends extended."""
    half = n_fft // 2
    if len(pair.reference) < n_fft if pad is None else len(pair.reference) <= half:
        raise UndefinedMetric(f"{len(pair.reference)} samples are too short for an LSD with n_fft {n_fft}")
    if pad is None:
        return pair.reference, pair.estimate
    mode: Literal["reflect", "constant"] = "reflect" if pad == "reflect" else "constant"
    return pair.once(
        ("extended", half, mode), lambda: (np.pad(pair.reference, half, mode), np.pad(pair.estimate, half, mode))
    )


def _two_at_once(frames: _Array, power: _Array) -> None:
    """Write |rfft|² of frames whose length has a large prime factor (743 at 16 kHz), in half the time.

    Such a length is transformed as complex numbers in any case: one frame is the real part, the next, which overlaps
    it, the imaginary part, and each is the half sum or half difference of the transform and its mirror image. Rounding
    of the louder one reaches the other, which matters to a logarithm where that is all but silent: frames whose levels
    differ by more than a factor of 8 are transformed by themselves.
    """
    from scipy import fft

    size = frames.shape[1]
    pairs = np.zeros((-(-len(frames) // 2), size), np.complex128)
    pairs.real = frames[::2]
    pairs.imag[: len(frames) // 2] = frames[1::2]
    both = fft.fft(pairs, axis=1, overwrite_x=True)
    half = size // 2 + 1
    mirrored = np.empty((len(pairs), half), np.complex128)
    mirrored[:, 0] = both[:, 0]
    mirrored[:, 1:] = both[:, :-half:-1]
    np.conjugate(mirrored, out=mirrored)
    _power(both[:, :half] + mirrored, power[::2])
    _power((both[:, :half] - mirrored)[: len(frames) // 2], power[1::2])
    power *= 0.25
    peaks = np.abs(frames).max(axis=1)
    unlike = np.maximum(peaks[:-1:2], peaks[1::2]) > _UNLIKE * np.minimum(peaks[:-1:2], peaks[1::2])
    for apart in np.flatnonzero(np.repeat(unlike, 2)):
        _power(fft.rfft(frames[apart : apart + 1], axis=1), power[apart : apart + 1])


def _power(spectra: NDArray[np.complex128], power: _Array) -> None:
    """Write |spectra|², which are overwritten."""
    parts = spectra.view(np.float64)
    np.square(parts, out=parts)
    np.add(parts[:, ::2], parts[:, 1::2], out=power)
