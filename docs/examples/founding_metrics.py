"""The metric functions of a 2019 class project, restated in a few lines, with the bugs they had."""

import librosa
import numpy as np


def snr(reference, estimate):
    """Return 10 ln of the ratio: np.log is the natural logarithm."""
    return 10 * np.log(np.sum(reference**2) / np.sum((reference - estimate) ** 2))


def lsd(reference, estimate):
    """Return a distance of the logarithms of log(1 + |S|), which is a log spectrum already."""

    def spectrogram(signal):
        return np.log1p(np.abs(librosa.stft(signal, n_fft=2048)))

    difference = np.log10(spectrogram(reference) ** 2) - np.log10(spectrogram(estimate) ** 2)
    return np.mean(np.sqrt(np.mean(difference**2, axis=0)))


def nuwave_snr(reference, estimate):
    """Return 10 log10 of a ratio of norms, as NU-Wave's code did before its erratum: half of the SNR."""
    return 10 * np.log10(np.linalg.norm(reference) / np.linalg.norm(reference - estimate))
