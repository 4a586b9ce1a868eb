"""Degradations: how a high-resolution signal becomes the low-resolution input (low-pass filter, then decimation).

Which low-pass makes the input moves the numbers of the simplest upscaler by about 2 dB of SNR, so a degradation is a
frozen dataclass whose every parameter stands in its signature. All are linear. All are free of delay, but for the
causal form of the recursive filters, which exists because early results in the field were made with it
(``scipy.signal.decimate`` was causal before SciPy 1.0).

An integer scale takes every r-th sample; any other (44.1 kHz to 4 kHz) is resampled by soxr after the filter.
"""

from srbench.degradation.apply import degrade, from_table, whole_length
from srbench.degradation.filters import IIR_KINDS, KINDS, Brickwall, Degradation, Iir, Subsample
from srbench.degradation.sinc import Sinc

__all__ = [
    "IIR_KINDS",
    "KINDS",
    "Brickwall",
    "Degradation",
    "Iir",
    "Sinc",
    "Subsample",
    "degrade",
    "from_table",
    "whole_length",
]
