"""STOI and ESTOI: short-time objective intelligibility, both from one analysis with the parts of `pystoi`.

Conventions
-----------
Taal et al. 2011 (STOI) and Jensen and Taal 2016 (ESTOI): at 10 kHz, so they hear up to 5 kHz; frames more
than 40 dB below the loudest of the reference are left out; 15 third-octave bands from 150 Hz; segments of 30 frames
(384 ms). Resampling, removal of silent frames and the band matrix are pystoi's own, and so are the constants: STOI
equals pystoi's to 1e-15 and ESTOI to 1e-11 (but where an estimate is digitally silent for a whole segment, where that
noise decides). pystoi adds unseeded noise at 2e-16 in ESTOI to avoid 0 / 0; here it is
drawn from a fixed seed, so that a value repeats to the last bit.

Not as in pystoi: a silent signal (pystoi: 0.0) and one with fewer than 30 frames of speech (1e-5) have no value.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from srbench import signature
from srbench.errors import UndefinedMetric
from srbench.metrics.metric import Metric, needs_rate
from srbench.metrics.pair import Pair
from srbench.signature import Signature

_RATE = 10000
_EPS = float(np.finfo(np.float64).eps)
_Array = NDArray[np.float64]


@dataclass(frozen=True)
class Stoi:
    """STOI, or ESTOI when ``extended``."""

    VERSION: ClassVar[int] = 1
    extended: bool = False
    sr: int = 16000

    def signature(self) -> Signature:
        """Return the variant, the rate, the resampling and the implementation."""
        return signature.of_fields(
            "STOI",
            self,
            resample="none" if self.sr == _RATE else f"octave-{_RATE}",
            impl=f"pystoi-{metadata.version('pystoi')}",
            noise="seed0",
            v=self.VERSION,
        )

    def measure(self, pair: Pair) -> float:
        """Return the intelligibility of a pair, at most 1.

        Raises
        ------
        UndefinedMetric
            If one signal is silent or the reference has less than 30 frames (384 ms) of speech.
        """
        x, y = pair.once("stoi-segments", lambda: _segments(pair))
        return _extended(x, y) if self.extended else _classic(x, y)


def _segments(pair: Pair) -> tuple[_Array, _Array]:
    """Return third-octave envelopes in segments, each of shape (segments, bands, 30)."""
    from pystoi import utils as parts
    from pystoi.stoi import DYN_RANGE, N_FRAME, NFFT, OBM, N

    for name, signal in (("reference", pair.reference), ("estimate", pair.estimate)):
        if not signal.any():
            raise UndefinedMetric(f"the {name} is silent: STOI is undefined")
    x, y = pair.reference, pair.estimate
    if pair.sample_rate != _RATE:
        x, y = (parts.resample_oct(signal, _RATE, pair.sample_rate) for signal in (x, y))
    hop = N_FRAME // 2
    too_short = f"{len(pair.reference)} samples hold too little speech for STOI, which needs 30 frames (0.4 s)"
    if len(x) <= N_FRAME:
        raise UndefinedMetric(too_short)
    x, y = parts.remove_silent_frames(x, y, DYN_RANGE, N_FRAME, hop)
    if len(x) <= N_FRAME + (N - 1) * hop:
        raise UndefinedMetric(too_short)
    window = np.hanning(N_FRAME + 2)[1:-1]
    envelopes = []
    for signal in (x, y):
        # pystoi's range() leaves out a frame that ends exactly at the last sample.
        frames = np.lib.stride_tricks.sliding_window_view(signal, N_FRAME)[: len(signal) - N_FRAME : hop]
        spectrum = np.fft.rfft(frames * window, n=NFFT, axis=1)
        bands = np.sqrt(OBM @ (spectrum.real**2 + spectrum.imag**2).T)
        envelopes.append(np.lib.stride_tricks.sliding_window_view(bands, N, axis=1).transpose(1, 0, 2))
    if not envelopes[1].any():
        raise UndefinedMetric("the estimate is silent where the reference speaks: STOI is undefined")
    return envelopes[0], envelopes[1]


def _classic(x: _Array, y: _Array) -> float:
    """Return d of Taal et al. 2011, eq. 5 and 6: mean correlation of x with the normalised, clipped y."""
    from pystoi.stoi import BETA

    gain = _norm(x) / (_norm(y) + _EPS)
    clipped = np.minimum(y * gain, x * (1 + 10 ** (-BETA / 20)))
    centred = [signal - signal.mean(axis=2, keepdims=True) for signal in (x, clipped)]
    a, b = (signal / (_norm(signal) + _EPS) for signal in centred)
    return float(np.sum(a * b) / (x.shape[0] * x.shape[1]))


def _extended(x: _Array, y: _Array) -> float:
    """Return d of Jensen and Taal 2016, eq. 7: correlation of spectra after normalising rows, then columns."""
    noise = np.random.default_rng(0)
    normalised: list[Any] = []
    for signal in (x, y):
        rows = signal + _EPS * noise.standard_normal(signal.shape)
        rows -= rows.mean(axis=2, keepdims=True)
        rows /= _norm(rows)
        columns = rows + _EPS * noise.standard_normal(rows.shape)
        columns -= columns.mean(axis=1, keepdims=True)
        columns /= np.linalg.norm(columns, axis=1, keepdims=True)
        normalised.append(columns)
    return float(np.sum(normalised[0] * normalised[1]) / (x.shape[2] * x.shape[0]))


def _norm(segments: _Array) -> _Array:
    return np.asarray(np.linalg.norm(segments, axis=2, keepdims=True))


def _define(extended: bool, sr: int) -> Stoi:
    needs_rate("STOI", sr, _RATE)
    return Stoi(extended, sr)


METRICS = (
    Metric(
        "stoi",
        "Short-time objective intelligibility",
        "1",
        "higher",
        (-1.0, 1.0),
        lambda sr, _: _define(False, sr),
        lambda sr: min(5000.0, sr / 2),
    ),
    Metric(
        "estoi",
        "Extended short-time objective intelligibility",
        "1",
        "higher",
        (-1.0, 1.0),
        lambda sr, _: _define(True, sr),
        lambda sr: min(5000.0, sr / 2),
    ),
)
