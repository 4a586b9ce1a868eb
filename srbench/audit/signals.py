"""Test signals for laws: deterministic, loud enough that no floor is active unless that is the point."""

from __future__ import annotations

import numpy as np

from srbench.audio import Samples


def noise(n: int, seed: int = 0, level: float = 0.1) -> Samples:
    """Return white Gaussian noise of the given RMS, shape (n,)."""
    drawn = np.random.default_rng(seed).standard_normal(n)
    return np.asarray(drawn * (level / np.sqrt(np.mean(drawn**2))))


def at_level(n: int, reference: Samples, db: float, seed: int = 1) -> Samples:
    """Return noise so far below the reference that their ratio is ``db``, exactly, shape (n,)."""
    drawn = noise(n, seed)
    return np.asarray(drawn * np.sqrt(np.sum(reference**2) / np.sum(drawn**2)) * 10 ** (-db / 20))


def orthogonal(reference: Samples, db: float, seed: int = 1) -> Samples:
    """Return noise orthogonal to the reference, ``db`` below it."""
    drawn = noise(len(reference), seed)
    drawn = drawn - reference * (drawn @ reference) / (reference @ reference)
    return np.asarray(drawn * np.sqrt(np.sum(reference**2) / np.sum(drawn**2)) * 10 ** (-db / 20))


def low_passed(signal: Samples, share: float, floor: float = 1e-3) -> Samples:
    """Return the signal with the band above ``share`` of Nyquist lowered by ``floor``."""
    spectrum = np.fft.rfft(signal)
    spectrum[int(share * len(spectrum)) :] *= floor
    return np.asarray(np.fft.irfft(spectrum, n=len(signal)))


def voice(n: int, sample_rate: int, seed: int = 0) -> Samples:
    """Return a speech-like signal: harmonics of a gliding pitch and hiss, in syllables with pauses, shape (n,)."""
    t = np.arange(n) / sample_rate
    pitch = 120 + 30 * np.sin(2 * np.pi * 0.7 * t)
    phase = 2 * np.pi * np.cumsum(pitch) / sample_rate
    voiced = sum(np.cos(k * phase + k) / k**1.2 for k in range(1, 30))
    hiss = np.diff(np.random.default_rng(seed).standard_normal(n + 1)) * 0.4
    syllable = np.clip(np.sin(2 * np.pi * 3.1 * t), 0, None) ** 0.5
    fricative = np.clip(np.sin(2 * np.pi * 3.1 * t + 2.0), 0, None)
    made = (voiced * syllable + hiss * fricative) * (np.sin(2 * np.pi * 0.4 * t) > -0.8)
    return np.asarray(0.5 * made / np.abs(made).max() + 1e-5 * hiss)
