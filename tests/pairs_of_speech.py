"""Speech, splines of it, and the faults that are planted in them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import signal

from srbench import audio
from srbench.audio import Samples
from srbench.corpora import demo_corpus
from srbench.protocols import load_protocol, prepare
from srbench.upscaler import build_upscaler

RATE = 16000


@lru_cache
def speech(number: int = 0) -> Samples:
    """Return an utterance of the embedded corpus at 16 kHz."""
    samples, rate = audio.read(demo_corpus().utterances[number].path)
    return audio.resample(samples, rate, RATE)


@lru_cache
def splined(scale: int, number: int = 0, model: str = "spline") -> tuple[Samples, Samples, float]:
    """Return a reference, what an upscaler makes of its low-resolution version, and the cutoff."""
    protocol = load_protocol(f"vctk-speaker1-r{scale}")
    prepared = prepare(speech(number), RATE, protocol)
    built, _ = build_upscaler(model)
    return prepared.reference, built(prepared.low, protocol.low_rate, protocol.high_rate), float(protocol.cutoff)


def delayed(samples: Samples, by: float) -> Samples:
    """Return samples later by a number of samples (earlier where it is negative), as long as before.

    The signal is silent before it begins and after it ends; a fraction is an ideal interpolation.
    """
    pad = 1000
    longer = np.pad(samples, pad)
    spectrum = np.fft.rfft(longer)
    spectrum *= np.exp(-2j * np.pi * np.arange(len(spectrum)) * by / len(longer))
    return np.fft.irfft(spectrum, len(longer))[pad:-pad]


def half_band(samples: Samples, edge: float = 4000.0) -> Samples:
    """Return samples with nothing above an edge."""
    taps = signal.firwin(511, edge, fs=RATE, window=("kaiser", 10))
    return signal.fftconvolve(samples, taps, mode="same")
