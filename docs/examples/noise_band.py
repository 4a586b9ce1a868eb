"""A plug-in in one file: fill the missing band with quiet noise, shaped by nothing.

    srbench run --plugin docs/examples/noise_band.py --model noise_band --model zeros_above

A function becomes an upscaler with the decorator. It gets the low-resolution signal, shape (n,), and both rates in Hz,
and returns `n * high_rate // low_rate` float samples, aligned with the input. A class can hold a model: it is built
once in each process.
"""

import numpy as np
import soxr

from srbench.upscaler import upscaler


@upscaler("noise_band")
def noise_band(low, low_rate, high_rate):
    """Add white noise, 40 dB below the signal, above the cutoff."""
    wide = soxr.resample(low, float(low_rate), high_rate)
    noise = np.random.default_rng(0).standard_normal(len(wide)) * 0.01 * np.std(wide)
    spectrum = np.fft.rfft(noise)
    cutoff = int(len(spectrum) * float(low_rate) / high_rate)
    spectrum[:cutoff] = 0
    return wide + np.fft.irfft(spectrum, n=len(wide))


@upscaler("zeros_above", rates=[(4000, 16000), (8000, 16000)])
class ZerosAbove:
    """Resample through the Fourier transform: nothing above the cutoff."""

    def __init__(self, device="cpu"):
        self.device = device  # a neural model would load its weights here, once

    def upscale(self, low, low_rate, high_rate):
        length = len(low) * high_rate // low_rate
        return np.fft.irfft(np.fft.rfft(low), n=length) * (length / len(low))

    def describe(self):
        return {"training_speakers": [], "weights": "none"}
