"""Low-pass filters, each a frozen dataclass whose every parameter stands in its signature; and the kinds by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from typing import Any, ClassVar, Protocol

import numpy as np

from srbench import signature
from srbench.audio import RESAMPLER, Rate, Samples
from srbench.degradation.sinc import Sinc
from srbench.errors import SrbenchError, shown, unknown_name
from srbench.signature import Signature

# Bounds of what a protocol's file may ask for: far beyond use, and before a filter breaks down or fills the memory.
_LEAST_DB, _MOST_DB = 1e-6, 300.0
_LEAST_CUT = 1e-3
_LARGEST_FFT, _MOST_OVERLAP = 1 << 16, 64

IIR_KINDS = ("cheby1", "butter", "ellip", "bessel")
_FRAMES_AT_ONCE = 16  # what is worked on stays in the cache


class Degradation(Protocol):
    """What every degradation offers."""

    def signature(self, high_rate: Rate, low_rate: Rate) -> Signature:
        """Return every parameter, and how the samples are taken at this pair of rates."""
        ...

    def low_pass(self, high: Samples, high_rate: Rate, low_rate: Rate) -> Samples:
        """Filter at the high rate, shape (n,) to (n,); the part before decimation."""
        ...


@dataclass(frozen=True)
class Iir:
    """Recursive low-pass filters: Chebyshev type I, Butterworth, elliptic, Bessel.

    ``cheby1`` with its defaults is ``scipy.signal.decimate``: order 8, 0.05 dB of ripple, cut at 0.8 of the new
    Nyquist frequency, run forward and backward (zero phase), as in Kuleshov et al. 2017. Zero phase applies the
    magnitude response twice. A Chebyshev or elliptic filter of even order has its ripple's gain at DC.

    Attributes
    ----------
    kind : {"cheby1", "butter", "ellip", "bessel"}
    order : int
    ripple_db : float or None
        Pass-band ripple, for cheby1 and ellip.
    attenuation_db : float or None
        Stop-band attenuation, for ellip.
    cut : float
        Cut-off as a fraction of the low-resolution Nyquist frequency.
    phase : {"zero", "causal"}
        Causal filtering delays the signal (about ten samples for the paper's filter at r = 4).
    """

    kind: str = "cheby1"
    order: int = 8
    ripple_db: float | None = field(default=None, metadata={"key": "ripple"})
    attenuation_db: float | None = field(default=None, metadata={"key": "atten"})
    cut: float = 0.8
    phase: str = "zero"

    def __post_init__(self) -> None:
        for key, value, known in (("kind", self.kind, IIR_KINDS), ("phase", self.phase, ("zero", "causal"))):
            if value not in known:
                raise unknown_name(f"{key} of a degradation", value, known)
        defaults = {"cheby1": (0.05, None), "ellip": (0.1, 60.0)}.get(self.kind, (None, None))
        for name, default in zip(("ripple_db", "attenuation_db"), defaults, strict=True):
            value = getattr(self, name)
            if value is None:
                object.__setattr__(self, name, default)
            elif default is None:
                raise SrbenchError(f"degradation {self.kind} has no {name}")
            elif not _LEAST_DB <= value <= _MOST_DB:
                raise SrbenchError(
                    f"degradation {self.kind}: {name} must be {_LEAST_DB:g} to {_MOST_DB:g} dB, not {value}"
                )
        if self.ripple_db is not None and self.attenuation_db is not None and self.attenuation_db <= self.ripple_db:
            raise SrbenchError(
                f"degradation {self.kind}: attenuation_db must be above ripple_db ({self.ripple_db}), "
                f"not {self.attenuation_db}"
            )
        if not 1 <= self.order <= 20:
            raise SrbenchError(f"degradation {self.kind}: order must be 1 to 20, not {shown(self.order)}")
        if not _LEAST_CUT <= self.cut <= 1:
            raise SrbenchError(f"degradation {self.kind}: cut must be {_LEAST_CUT:g} to 1, not {self.cut}")

    def signature(self, high_rate: Rate, low_rate: Rate) -> Signature:
        """Return kind, order, ripple, attenuation, cut and phase."""
        return signature.of_fields("DEGRADATION", self, take=_take(high_rate, low_rate))

    def low_pass(self, high: Samples, high_rate: Rate, low_rate: Rate) -> Samples:
        """Filter forward and backward, or forward only.

        Raises
        ------
        SrbenchError
            If the signal is too short for the filter's edge padding.
        """
        from scipy import signal

        wn = self.cut * float(Fraction(low_rate) / Fraction(high_rate))
        if self.kind == "cheby1":
            sos = signal.cheby1(self.order, self.ripple_db, wn, output="sos")
        elif self.kind == "ellip":
            sos = signal.ellip(self.order, self.ripple_db, self.attenuation_db, wn, output="sos")
        elif self.kind == "butter":
            sos = signal.butter(self.order, wn, output="sos")
        else:
            sos = signal.bessel(self.order, wn, norm="mag", output="sos")
        if self.phase == "causal":
            return np.asarray(signal.sosfilt(sos, high))
        # sosfiltfilt extends both ends by this many samples and cannot do it for a shorter signal.
        padding = 3 * (2 * len(sos) + 1 - min(int((sos[:, 2] == 0).sum()), int((sos[:, 5] == 0).sum())))
        if len(high) <= padding:
            raise SrbenchError(f"a signal of {len(high)} samples is too short for {self.kind} of order {self.order}")
        return np.asarray(signal.sosfiltfilt(sos, high))


@dataclass(frozen=True)
class Subsample:
    """No low-pass at all: every r-th sample, so that the input is aliased (Kuleshov's multi-speaker set, AFiLM)."""

    kind: ClassVar[str] = "subsample"

    def signature(self, high_rate: Rate, low_rate: Rate) -> Signature:
        """Return the kind; there are no parameters."""
        return signature.of_fields("DEGRADATION", self, kind=self.kind, take=_take(high_rate, low_rate))

    def low_pass(self, high: Samples, high_rate: Rate, low_rate: Rate) -> Samples:
        """Return the signal as it is.

        Raises
        ------
        SrbenchError
            If the scale is not an integer: there is no "every r-th sample" then.
        """
        if high_rate % low_rate:
            raise SrbenchError(f"subsample needs an integer scale; {high_rate} / {low_rate} Hz is not")
        return high


@dataclass(frozen=True)
class Brickwall:
    """Spectral zeroing: every bin at or above the cutoff is set to zero.

    Attributes
    ----------
    n_fft : int
        Frame of the short-time transform (periodic Hann window, ends extended by reflection), or 0 for one transform
        of the whole signal. NU-Wave uses 1024 with hop 256, NVSR 2048 with hop 441.
    hop : int
        Hop of the short-time transform; 0 with ``n_fft = 0``.
    """

    kind: ClassVar[str] = "brickwall"
    n_fft: int = field(default=0, metadata={"key": "nfft"})
    hop: int = 0

    def __post_init__(self) -> None:
        if (self.n_fft, self.hop) != (0, 0) and not (
            8 <= self.n_fft <= _LARGEST_FFT and self.n_fft / _MOST_OVERLAP <= self.hop <= self.n_fft // 2
        ):
            sizes = f"n_fft {shown(self.n_fft)} and hop {shown(self.hop)}"
            raise SrbenchError(f"degradation brickwall: {sizes} do not make a transform")

    def signature(self, high_rate: Rate, low_rate: Rate) -> Signature:
        """Return the kind and the transform."""
        given = signature.of_fields("DEGRADATION", self, take=_take(high_rate, low_rate))
        return Signature(given.name, (("kind", self.kind), *given.fields))

    def low_pass(self, high: Samples, high_rate: Rate, low_rate: Rate) -> Samples:
        """Zero the bins whose frequency is ``low_rate / 2`` or more.

        Raises
        ------
        SrbenchError
            If the signal is shorter than half a frame.
        """
        if self.n_fft == 0:
            from scipy import fft

            spectrum = fft.rfft(high)
            spectrum[_first_bin(len(high), high_rate, low_rate) :] = 0
            return np.asarray(fft.irfft(spectrum, n=len(high)))
        if len(high) <= self.n_fft // 2:
            raise SrbenchError(f"a signal of {len(high)} samples is too short for brickwall with n_fft {self.n_fft}")
        return self._frame_by_frame(high, _first_bin(self.n_fft, high_rate, low_rate))

    def _frame_by_frame(self, high: Samples, first_bin: int) -> Samples:
        """Zero the bins from the first on of every frame, with the frames and windows of ``scipy.signal.ShortTimeFFT``.

        SciPy transforms frame by frame; a few at once take a third of the time.
        """
        from scipy import fft
        from scipy.signal import ShortTimeFFT, get_window

        layout = ShortTimeFFT(get_window("hann", self.n_fft), self.hop, fs=1.0)
        starts = np.arange(layout.p_min, layout.p_max(len(high))) * self.hop - layout.m_num_mid
        before = -int(starts[0])
        padded = np.pad(high, (before, int(starts[-1]) + self.n_fft - len(high)), mode="reflect")
        frames = np.lib.stride_tricks.sliding_window_view(padded, self.n_fft)[:: self.hop]
        made = np.zeros(len(padded))
        for at in range(0, len(frames), _FRAMES_AT_ONCE):
            spectra = fft.rfft(frames[at : at + _FRAMES_AT_ONCE] * layout.win, axis=1)
            spectra[:, first_bin:] = 0
            kept = fft.irfft(spectra, n=self.n_fft, axis=1)
            kept *= layout.dual_win
            for number, frame in enumerate(kept, at):
                made[number * self.hop : number * self.hop + self.n_fft] += frame
        return made[before : before + len(high)]


CLASSES: dict[str, type[Any]] = dict.fromkeys(IIR_KINDS, Iir) | {
    "subsample": Subsample,
    "brickwall": Brickwall,
    "sinc": Sinc,
}
KINDS = {
    "cheby1": "Chebyshev type I low-pass, then decimation: scipy.signal.decimate, the paper's",
    "butter": "Butterworth low-pass, then decimation",
    "ellip": "Elliptic low-pass, then decimation",
    "bessel": "Bessel low-pass, then decimation",
    "subsample": "No low-pass at all: every r-th sample, aliased",
    "brickwall": "Spectral zeroing: every bin at or above the cutoff is set to zero, then decimation",
    "sinc": "Band-limited resampling by a windowed sinc, in one step",
}


def _take(high_rate: Rate, low_rate: Rate) -> str:
    return f"every{high_rate // low_rate}" if high_rate % low_rate == 0 else RESAMPLER


def _first_bin(n: int, high_rate: Rate, low_rate: Rate) -> int:
    """Return the first bin of an n-point transform whose frequency is ``low_rate / 2`` or more."""
    return ceil(Fraction(n * low_rate, 2 * high_rate))
