"""Degradations: how a high-resolution signal becomes the low-resolution input (low-pass filter, then decimation).

Which low-pass makes the input moves the numbers of the simplest upscaler by about 2 dB of SNR, so a degradation is a
frozen dataclass whose every parameter stands in its signature. All are linear. All are free of delay, but for the
causal form of the recursive filters, which exists because early results in the field were made with it
(``scipy.signal.decimate`` was causal before SciPy 1.0).

An integer scale takes every r-th sample; any other (44.1 kHz to 4 kHz) is resampled by soxr after the filter.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, inf
from typing import Any, ClassVar, Protocol

import numpy as np

from srbench import signature
from srbench.audio import RESAMPLER, Rate, Samples, resample
from srbench.errors import SrbenchError, known_name, shown, unknown_name
from srbench.signature import Signature

# Bounds of what a protocol's file may ask for: far beyond use, and before a filter breaks down or fills the memory.
_LEAST_DB, _MOST_DB = 1e-6, 300.0
_LEAST_CUT = 1e-3
_LARGEST_FFT, _MOST_OVERLAP = 1 << 16, 64
_WIDEST, _LEAST_ROLLOFF = 1000, 0.1
_LARGEST_KERNEL = 1 << 24  # samples: 128 MiB

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
        _one_of("kind", self.kind, IIR_KINDS)
        _one_of("phase", self.phase, ("zero", "causal"))
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
        _one_of("engine", self.engine, ("soxr", "polyphase", "hann"))
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
        engine = {"soxr": RESAMPLER, "polyphase": "polyphase-kaiser5", "hann": "hann"}[self.engine]
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


_KINDS: dict[str, type[Any]] = dict.fromkeys(IIR_KINDS, Iir) | {
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


def whole_length(n: int, high_rate: Rate, low_rate: Rate) -> int:
    """Return the greatest length up to ``n`` that is a whole number of low-resolution samples."""
    step = Fraction(low_rate, high_rate).denominator
    return n - n % step


def degrade(high: Samples, high_rate: Rate, low_rate: Rate, degradation: Degradation) -> Samples:
    """Make the low-resolution signal.

    Parameters
    ----------
    high : ndarray, shape (n,)
        High-resolution signal; n a whole number of low-resolution samples (see `whole_length`).
    high_rate, low_rate : int or Fraction, in Hz
    degradation : Degradation

    Returns
    -------
    low : ndarray, shape (n * low_rate / high_rate,)

    Raises
    ------
    SrbenchError
        If the length does not fit, or the signal is too short for the filter.
    """
    if not 0 < low_rate < high_rate:
        raise SrbenchError(f"the low rate must be below the high rate, not {low_rate} and {high_rate} Hz")
    if not len(high) or whole_length(len(high), high_rate, low_rate) != len(high):
        step = Fraction(low_rate, high_rate).denominator
        raise SrbenchError(f"{len(high)} samples are not a whole number of low-resolution samples (multiple of {step})")
    if isinstance(degradation, Sinc):
        return degradation.resampled(high, high_rate, low_rate)
    filtered = degradation.low_pass(high, high_rate, low_rate)
    if high_rate % low_rate == 0:
        return np.ascontiguousarray(filtered[:: high_rate // low_rate])
    return resample(filtered, high_rate, low_rate)


def from_table(table: Mapping[str, Any]) -> Degradation:
    """Build a degradation from a TOML table: ``kind`` and that kind's parameters.

    Raises
    ------
    SrbenchError
        If the kind or a key is unknown, or a value is of the wrong type or out of range.
    """
    if not isinstance(table.get("kind"), str):
        raise SrbenchError(f"a degradation needs a kind, one of: {', '.join(KINDS)}")
    kind = known_name("degradation", table["kind"], KINDS)
    cls = _KINDS[kind]
    fields = {f.name: str(f.type) for f in dataclasses.fields(cls)}
    given: dict[str, Any] = {key: value for key, value in table.items() if key != "kind" or cls is Iir}
    for key, value in given.items():
        if key not in fields:
            raise unknown_name(f"parameter of degradation {kind}", key, [name for name in fields if name != "kind"])
        wanted: type | tuple[type, ...] = (
            str if "str" in fields[key] else (int, float) if "float" in fields[key] else int
        )
        if isinstance(value, bool) or not isinstance(value, wanted):
            raise SrbenchError(f"degradation {kind}: {key} cannot be {shown(repr(value))}")
        if "float" in fields[key]:
            try:
                given[key] = float(given[key])
            except OverflowError:
                given[key] = inf
    built: Degradation = cls(**given)
    return built


def _take(high_rate: Rate, low_rate: Rate) -> str:
    return f"every{high_rate // low_rate}" if high_rate % low_rate == 0 else RESAMPLER


def _first_bin(n: int, high_rate: Rate, low_rate: Rate) -> int:
    """Return the first bin of an n-point transform whose frequency is ``low_rate / 2`` or more."""
    return ceil(Fraction(n * low_rate, 2 * high_rate))


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


def _one_of(key: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise unknown_name(f"{key} of a degradation", value, known)
