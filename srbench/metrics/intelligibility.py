"""STOI and ESTOI: short-time objective intelligibility, both from one analysis with the parts of `pystoi`.

Conventions
-----------
Taal et al. 2011 (STOI) and Jensen and Taal 2016 (ESTOI): at 10 kHz, so they hear up to 5 kHz; any rate from 8 kHz on
is brought to that, upwards too, as `pystoi` does it; frames more than 40 dB below the loudest of the reference are left
out; 15 third-octave bands from 150 Hz; segments of 30 frames (384 ms). The band matrix and the constants are pystoi's
own, the rest is computed as it does, once for both, which the signature says: STOI equals pystoi's to 1e-13 and ESTOI
to 1e-11 (but where an estimate is digitally silent for a whole segment, where that noise decides). pystoi adds unseeded
noise at 2e-16 in ESTOI to avoid 0 / 0; here it is drawn from a fixed seed, so that a value repeats to the last bit.

Not as in pystoi: a silent signal (pystoi: 0.0) and one with fewer than 30 frames of speech (1e-5) have no value.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from srbench import signature
from srbench.errors import UndefinedMetric
from srbench.metrics.metric import Metric, needs_rate
from srbench.metrics.octave import resample_octave
from srbench.metrics.pair import Pair, parts
from srbench.signature import Signature

_RATE = 10000
_LEAST = 8000  # below that, the highest of the bands are empty
_EPS = float(np.finfo(np.float64).eps)
_SEGMENTS_AT_ONCE = 32
_KEPT_NOISE = 1 << 21  # numbers, 16 MB: that of some 16 s of speech
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
            impl=f"srbench+pystoi-{metadata.version('pystoi')}",  # pystoi's bands and constants, our computation
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
    from pystoi.stoi import N_FRAME, NFFT, OBM, N

    for name, signal in (("reference", pair.reference), ("estimate", pair.estimate)):
        if not signal.any():
            raise UndefinedMetric(f"the {name} is silent: STOI is undefined")
    x, y = pair.reference, pair.estimate
    if pair.sample_rate != _RATE:
        x, y = (resample_octave(signal, pair.sample_rate, _RATE) for signal in (x, y))
    too_short = f"{len(pair.reference)} samples hold too little speech for STOI, which needs 30 frames (0.4 s)"
    if len(x) <= N_FRAME:
        raise UndefinedMetric(too_short)
    x, y = _without_silence(x, y)
    if len(x) <= N_FRAME + (N - 1) * (N_FRAME // 2):
        raise UndefinedMetric(too_short)
    envelopes = []
    for signal in (x, y):
        spectrum = np.fft.rfft(_frames(signal), n=NFFT, axis=1)
        bands = np.sqrt(OBM @ (spectrum.real**2 + spectrum.imag**2).T)
        envelopes.append(np.lib.stride_tricks.sliding_window_view(bands, N, axis=1).transpose(1, 0, 2))
    if not envelopes[1].any():
        raise UndefinedMetric("the estimate is silent where the reference speaks: STOI is undefined")
    return envelopes[0], envelopes[1]


def _without_silence(x: _Array, y: _Array) -> tuple[_Array, _Array]:
    """Leave out the frames more than 40 dB below the loudest of x, and overlap and add what is left."""
    from pystoi.stoi import DYN_RANGE

    x_frames, y_frames = _frames(x), _frames(y)
    levels = 20 * np.log10(_norm(x_frames)[:, 0] + _EPS)
    kept = levels.max() - DYN_RANGE - levels < 0
    joined = []
    for frames in (x_frames[kept], y_frames[kept]):
        hop = frames.shape[1] // 2
        halves = np.zeros((len(frames) + 1, hop))
        halves[:-1] = frames[:, :hop]
        halves[1:] += frames[:, hop:]
        joined.append(halves.reshape(-1))
    return joined[0], joined[1]


def _frames(signal: _Array) -> _Array:
    """Return windowed frames of 256 samples, half overlapping, shape (frames, 256)."""
    from pystoi.stoi import N_FRAME

    window = np.hanning(N_FRAME + 2)[1:-1]
    # pystoi's range() leaves out a frame that ends exactly at the last sample.
    frames = np.lib.stride_tricks.sliding_window_view(signal, N_FRAME)[: len(signal) - N_FRAME : N_FRAME // 2]
    return np.asarray(frames * window)


def _classic(x: _Array, y: _Array) -> float:
    """Return d of Taal et al. 2011, eq. 5 and 6: mean correlation of x with the normalised, clipped y."""
    from pystoi.stoi import BETA

    total = 0.0
    for part in parts(len(x), _SEGMENTS_AT_ONCE):
        a, b = x[part], y[part]
        b = np.minimum(b * (_norm(a) / (_norm(b) + _EPS)), a * (1 + 10 ** (-BETA / 20)))
        a, b = (signal - signal.mean(axis=2, keepdims=True) for signal in (a, b))
        products = np.einsum("...i,...i->...", a, b)[..., None]
        total += float(np.sum(products / ((_norm(a) + _EPS) * (_norm(b) + _EPS))))
    return float(total / (x.shape[0] * x.shape[1]))


def _extended(x: _Array, y: _Array) -> float:
    """Return d of Jensen and Taal 2016, eq. 7: correlation of spectra after normalising rows, then columns."""
    noise = _noise(4 * x.size).reshape(2, 2, *x.shape)
    total = 0.0
    for part in parts(len(x), _SEGMENTS_AT_ONCE):
        normalised: list[Any] = []
        for signal, (first, second) in zip((x, y), noise, strict=True):
            rows = signal[part] + first[part]
            rows -= rows.mean(axis=2, keepdims=True)
            rows /= _norm(rows)
            columns = rows + second[part]
            columns -= columns.mean(axis=1, keepdims=True)
            columns /= np.sqrt(np.einsum("ijk,ijk->ik", columns, columns))[:, None]
            normalised.append(columns)
        total += float(np.vdot(normalised[0], normalised[1]))
    return float(total / (x.shape[2] * x.shape[0]))


def _noise(count: int) -> _Array:
    """Return the first numbers of a seeded stream of noise at 2e-16, drawn once for all signals but very long ones."""
    size = 1 << (count - 1).bit_length()
    return _drawn(size)[:count] if size <= _KEPT_NOISE else _drawn.__wrapped__(count)


@lru_cache(maxsize=3)
def _drawn(count: int) -> _Array:
    drawn = np.random.default_rng(0).standard_normal(count)
    drawn *= _EPS
    return drawn


def _norm(vectors: _Array) -> _Array:
    """Return Euclidean norms over the last axis, which stays."""
    return np.asarray(np.sqrt(np.einsum("...i,...i->...", vectors, vectors)))[..., None]


def _define(extended: bool, sr: int) -> Stoi:
    needs_rate("ESTOI (estoi)" if extended else "STOI (stoi)", sr, _LEAST)
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
        family="stoi",
        spread=0.05,
        packages=("pystoi",),
        source="Taal et al. 2011",
        cite="taal2011stoi",
    ),
    Metric(
        "estoi",
        "Extended short-time objective intelligibility",
        "1",
        "higher",
        (-1.0, 1.0),
        lambda sr, _: _define(True, sr),
        lambda sr: min(5000.0, sr / 2),
        family="stoi",
        spread=0.08,
        usual=True,
        near="extended-stoi intelligibility",
        packages=("pystoi",),
        source="Jensen and Taal 2016",
        cite="jensen2016estoi",
    ),
)
