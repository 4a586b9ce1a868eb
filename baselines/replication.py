"""Spectral band replication: the missing band as a shaped copy of the band below."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from srbench import audio
from srbench.upscaler import upscaler

Samples = NDArray[np.float64]
LEAST_SLOPE = -6.0  # dB per octave, about that of speech over the long term


@upscaler("replicate")
def replicate(low: Samples, low_rate: Any, high_rate: int) -> Samples:
    """Copy the low band's spectrum upwards, frame by frame, following the spectral slope of the low band.

    The idea of spectral band replication (Dietz et al. 2002) without its side information. In each frame the
    magnitude of the low band is fitted by a line in dB over octaves; the copies are lowered along that line, by at
    least 6 dB an octave. Bins up to 0.9 of the cutoff are kept as they are: above that the resampling filter has
    eaten into them.
    """
    from scipy.signal import ShortTimeFFT, get_window

    wide = audio.resample(low, low_rate, high_rate)[: len(low) * high_rate // low_rate]
    length = len(wide)
    n_fft = 1024
    if length <= n_fft:
        return wide
    transform = ShortTimeFFT(get_window("hann", n_fft), n_fft // 4, fs=float(high_rate))
    frames = transform.stft(wide, padding="even")  # (bins, frames)
    bins = frames.shape[0]
    top = int(0.9 * n_fft * float(low_rate / high_rate) / 2)
    bottom = max(2, top // 4)  # the copied patch leaves out the lowest quarter, where speech has its fundamental
    if top - bottom < 4:
        return wide
    octaves = np.log2(np.arange(bottom, top))
    level = 10 * np.log10(np.abs(frames[bottom:top]) ** 2 + 1e-12)  # (patch, frames)
    centred = octaves - octaves.mean()
    slope = np.minimum(LEAST_SLOPE, centred @ (level - level.mean(axis=0)) / (centred @ centred))  # dB per octave
    patch = top - bottom
    for start in range(top, bins, patch):
        stop = min(bins, start + patch)
        source = np.arange(bottom, bottom + stop - start)
        shift = np.log2(np.arange(start, stop) / source)[:, None]  # octaves moved up
        frames[start:stop] = frames[source] * 10 ** (slope[None, :] * shift / 20)
    return np.asarray(transform.istft(frames, k1=length))
