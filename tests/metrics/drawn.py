"""Signals that Hypothesis draws (noise of any length, level, tilt), and real speech, for tests of several metrics."""

from __future__ import annotations

import os
from functools import cache

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.typing import NDArray

from srbench import audio
from srbench.corpora import open_corpus

Array = NDArray[np.float64]
RATE = 16000
UTTERANCES = 3
needs_vctk = pytest.mark.skipif("SRBENCH_VCTK" not in os.environ, reason="SRBENCH_VCTK names no VCTK folder")


def coloured(n: int, seed: int, level: float, tilt: float) -> Array:
    """Return Gaussian noise of an RMS, its amplitude falling as f ** -tilt from 50 Hz on, shape (n,)."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(n))
    spectrum *= np.maximum(np.fft.rfftfreq(n, 1 / RATE), 50.0) ** -tilt
    noise = np.fft.irfft(spectrum, n=n)
    return noise * (level / np.sqrt(np.mean(noise**2)))


def signals(shortest: int = 50, longest: int = 20_000, quietest: float = 1e-3) -> st.SearchStrategy[Array]:
    """Draw noise of a length, an RMS from ``quietest`` to 1, a tilt from white to red."""
    return st.builds(
        coloured,
        st.integers(shortest, longest),
        st.integers(0, 10**6),
        st.floats(np.log10(quietest), 0).map(lambda power: 10**power),
        st.floats(0, 1),
    )


@cache
def speech(index: int, rate: int = RATE) -> Array:
    """Return the first three seconds of a VCTK utterance at a rate, at its own level."""
    utterances = open_corpus(os.environ["SRBENCH_VCTK"]).utterances
    samples, recorded = audio.read(utterances[index * len(utterances) // UTTERANCES].path)
    return audio.resample(samples, recorded, rate)[: 3 * rate]


def noise_at(reference: Array, db: float, seed: int = 1) -> Array:
    """Return white noise whose energy is ``db`` below the reference's, exactly; no seed gives the reference itself."""
    noise = np.random.default_rng([seed, 1]).standard_normal(len(reference))
    return noise * np.sqrt(np.sum(reference**2) / np.sum(noise**2)) * 10 ** (-db / 20)


def filtered(signal: Array, edge: float, gain: float = 0.0) -> Array:
    """Return the signal with all above ``edge`` (in Hz) multiplied by a gain, circularly and without delay."""
    spectrum = np.fft.rfft(signal)
    spectrum[np.fft.rfftfreq(len(signal), 1 / RATE) > edge] *= gain
    return np.fft.irfft(spectrum, n=len(signal))
