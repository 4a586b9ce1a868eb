"""A metric in one file: the SNR of each 32 ms, limited, and averaged.

    srbench run --plugin docs/examples/segmental_snr.py --model spline --metric snr --metric seg_snr

The function gets the reference and the estimate, float64 arrays of shape (n,), and their rate in Hz.
It returns a number.
"""

import numpy as np

from srbench.metrics import metric


@metric("seg_snr", unit="dB", better="higher", range=(-10, 35), digits=".2f", label="segSNR")
def seg_snr(reference, estimate, sample_rate):
    """Segmental SNR: the mean over frames of 32 ms, each held between -10 and 35 dB."""
    size = sample_rate * 32 // 1000
    whole = len(reference) // size * size
    y, x = (signal[:whole].reshape(-1, size) for signal in (reference, estimate))
    signal, noise = (np.sum(each**2, axis=1) + 1e-20 for each in (y, y - x))
    return np.clip(10 * np.log10(signal / noise), -10, 35).mean()
