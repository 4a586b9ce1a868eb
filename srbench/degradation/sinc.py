"""Band-limited resampling as a degradation: filter and decimation in one step."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import ClassVar

import numpy as np

from srbench import signature
from srbench.audio import RESAMPLER, Rate, Samples, resample
from srbench.errors import SrbenchError, shown, unknown_name
from srbench.signature import Signature

_ENGINES = {"soxr": RESAMPLER, "polyphase": "polyphase-kaiser5", "hann": "hann"}  # as signatures name them
# Bounds of what a protocol's file may ask for
_WIDEST, _LEAST_ROLLOFF = 1000, 0.1
_LARGEST_KERNEL = 1 << 24  # samples: 128 MiB


@dataclass(frozen=True)
class Sinc:
    """Band-limited resampling by a windowed sinc: the filter and the decimation are one step.

    Attributes
    ----------
    engine : {"soxr", "polyphase", "hann"}
        ``soxr`` at its HQ setting; ``polyphase`` is ``scipy.signal.resample_poly`` (Kaiser window, beta 5);
        ``hann`` is the Hann-windowed sinc that is torchaudio's default (used by AP-BWE, mdctGAN, UniverSR).
    width : int or None
        Zero crossings on each side, for ``polyphase`` (10) and ``hann`` (6).
    rolloff : float or None
        Cut-off as a fraction of the low Nyquist frequency, for ``hann`` (0.99).
    """

    kind: ClassVar[str] = "sinc"
    engine: str = "soxr"
    width: int | None = None
    rolloff: float | None = None

    def __post_init__(self) -> None:
        if self.engine not in _ENGINES:
            raise unknown_name("engine of a degradation", self.engine, _ENGINES)
        defaults: dict[str, tuple[int | None, float | None]] = {"polyphase": (10, None), "hann": (6, 0.99)}
        for name, default in zip(("width", "rolloff"), defaults.get(self.engine, (None, None)), strict=True):
            value = getattr(self, name)
            if value is None:
                object.__setattr__(self, name, default)
            elif default is None:
                raise SrbenchError(f"degradation sinc with engine {self.engine} has no {name}")
            elif not (_LEAST_ROLLOFF <= value <= 1 if name == "rolloff" else 0 < value <= _WIDEST):
                raise SrbenchError(f"degradation sinc: {name} cannot be {shown(value)}")

    def signature(self, high_rate: Rate, low_rate: Rate) -> Signature:
        """Return the engine and its parameters."""
        engine = _ENGINES[self.engine]
        given = signature.of_fields("DEGRADATION", dataclasses.replace(self), take="engine")
        fields = tuple((key, engine if key == "engine" else value) for key, value in given.fields)
        return Signature(given.name, (("kind", self.kind), *fields))

    def low_pass(self, high: Samples, high_rate: Rate, low_rate: Rate) -> Samples:
        """Return the low-resolution signal brought back up by the same engine (there is no separate filter)."""
        return self.resampled(self.resampled(high, high_rate, low_rate), low_rate, high_rate)[: len(high)]

    def resampled(self, samples: Samples, from_rate: Rate, to_rate: Rate) -> Samples:
        """Resample, shape (n,) to (ceil(n * to_rate / from_rate),)."""
        if self.engine == "soxr":
            return resample(samples, from_rate, to_rate)
        ratio = Fraction(to_rate, from_rate)
        assert self.width is not None
        most = max(ratio.numerator, ratio.denominator)
        if 2 * self.width * most * (ratio.numerator if self.engine == "hann" else 1) > _LARGEST_KERNEL:
            raise SrbenchError(f"sinc with engine {self.engine} cannot go from {from_rate} to {to_rate} Hz: too long")
        if self.engine == "polyphase":
            from scipy import signal

            taps = signal.firwin(2 * self.width * most + 1, 1.0 / most, window=("kaiser", 5.0))
            return np.asarray(signal.resample_poly(samples, ratio.numerator, ratio.denominator, window=taps))
        assert self.rolloff is not None
        return _hann_sinc(samples, ratio.denominator, ratio.numerator, self.width, self.rolloff)


def _hann_sinc(samples: Samples, old: int, new: int, width: int, rolloff: float) -> Samples:
    """Resample by ``new / old`` (coprime) with a Hann-windowed sinc of ``width`` zero crossings a side.

    Output sample m * new + j is the sum over i of x[m * old + i] h(i / old - j / new), with
    h(t) = sinc(f t) cos²(pi f t / (2 width)) f / old for |f t| < width, and f = rolloff * min(old, new)
    (J. O. Smith, "Digital audio resampling"; the same kernel as ``torchaudio.functional.resample``).
    """
    f = min(old, new) * rolloff
    reach = ceil(width * old / f)
    i = np.arange(-reach, reach + old) / old
    t = np.clip(f * (i[None, :] - np.arange(new)[:, None] / new), -width, width)
    kernel = np.sinc(t) * np.cos(np.pi * t / (2 * width)) ** 2 * f / old  # (new, taps)
    padded = np.pad(samples, (reach, reach + old))
    frames = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape[1])[::old]  # (frames, taps)
    return np.asarray((frames @ kernel.T).reshape(-1)[: ceil(len(samples) * new / old)])
