"""Where an estimate lies against its reference: delay, polarity and gain, from one transform of each.

The low band is what the two share, whatever an upscaler makes of the high one: there they are correlated. All is read
off the cross-spectrum of the whole signals, so that one transform of each serves every check of a pair.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from srbench.audio import Samples
from srbench.scoring.given import Given

LONGEST_DELAY = 0.5  # seconds that are searched in either direction
FADE = 0.05  # seconds at either end
BOTTOM_HZ = 50.0  # hum, rumble and offsets lie below
TOP_SHARE = 0.5  # of the Nyquist frequency: the band that is correlated reaches at most so far, so that its
# correlation is sampled twice as densely as it need be, and can be interpolated between samples
LEAST_TOP_HZ = 500.0  # a narrower band holds too little to be correlated, whatever the cutoff
BAND_HZ = 125.0  # the width of the bands in which gains are compared
COHERENT = 0.9  # of 1: a band counts as shared from here
LOUD_DB = -50.0  # a band of the reference that is so much below its loudest says nothing about a gain
_FINE_HZ, _FINE_BANDS = 20.0, 6  # an edge is looked for between six bands of 20 Hz below and as many above
_FLOOR = 1e-4  # of the loudest of these: a fall further down is no edge
_TAPS = 24  # to either side, of the interpolation between lags
_STEP = 1 / 16  # sample; a parabola goes on from there


class Delay(NamedTuple):
    """Where the estimate fits the reference best.

    ``samples`` is positive where the estimate comes late; ``correlation`` is that of the two at this delay, from -1
    (a copy with the polarity turned) to 1 (a copy).
    """

    samples: float
    correlation: float

    @property
    def confidence(self) -> float:
        """How much of the one signal is in the other, from 0 to 1: below 0.6 the delay means nothing."""
        return min(1.0, abs(self.correlation))


class Bands(NamedTuple):
    """Sums over bands of equal width: powers of both, and their cross-power at the delay that was found.

    Each has shape (bands,); ``start`` holds the lower edges in Hz.
    """

    start: NDArray[np.float64]
    reference: NDArray[np.float64]
    estimate: NDArray[np.float64]
    cross: NDArray[np.complex128]

    def between(self, low: float, high: float) -> tuple[float, float, complex]:
        """Return both powers and the cross-power of the bands from ``low`` to ``high`` Hz."""
        first, last = np.searchsorted(self.start, (low, high))
        part = slice(first, last)
        return float(self.reference[part].sum()), float(self.estimate[part].sum()), complex(self.cross[part].sum())


class Spectra:
    """The transforms of a pair. Its cutoff is the top of the band that the two share, where it is known."""

    def __init__(self, given: Given) -> None:
        from scipy import fft

        longest, sample_rate = max(given.lengths), given.sample_rate
        self.sample_rate = sample_rate
        self.reach = min(round(LONGEST_DELAY * sample_rate), longest - 1)
        self.size: int = fft.next_fast_len(longest + self.reach + _TAPS + 1, real=True)
        self.top = min(max(given.cutoff or math.inf, LEAST_TOP_HZ), TOP_SHARE * sample_rate / 2)
        self.reference = fft.rfft(self._faded(given.reference), self.size)
        self.estimate = fft.rfft(self._faded(given.estimate), self.size)

    def _faded(self, samples: Samples) -> Samples:
        """Return samples without their mean, faded in and out: a step at an end would stay where it is in both."""
        faded: Samples = samples - samples.mean()
        length = min(round(FADE * self.sample_rate), len(samples) // 8)
        if length:
            ramp = np.sin(np.pi / 2 * (np.arange(length) + 0.5) / length) ** 2
            faded[:length] *= ramp
            faded[-length:] *= ramp[::-1]
        return faded

    @cached_property
    def delay(self) -> Delay:
        """The delay of the estimate, to a few thousandths of a sample where the two are alike."""
        from scipy import fft

        first, last = (math.ceil(hz * self.size / self.sample_rate) for hz in (BOTTOM_HZ, self.top))
        r, e = self.reference[first:last], self.estimate[first:last]
        energy = math.sqrt(_energy(r) * _energy(e))
        if energy == 0:
            return Delay(0.0, 0.0)
        cross = np.zeros(len(self.reference), np.complex128)
        np.multiply(e, r.conj(), out=cross[first:last])
        correlation = fft.irfft(cross, self.size)
        lags = np.arange(-self.reach, self.reach + 1)
        peak = int(lags[np.abs(correlation[lags]).argmax()])
        offset, height = _between_samples(correlation[np.arange(peak - _TAPS, peak + _TAPS + 1)])
        return Delay(peak + offset, height * self.size / 2 / energy)

    @cached_property
    def bands(self) -> Bands:
        """Both signals in bands of 125 Hz up to the Nyquist frequency, with the delay taken out."""
        width = BAND_HZ * self.size / self.sample_rate
        start = np.arange(1, math.floor(self.sample_rate / 2 / BAND_HZ)) * BAND_HZ
        bins = np.round(start / BAND_HZ * width).astype(int)
        bins = np.concatenate([[math.ceil(width * BOTTOM_HZ / BAND_HZ)], bins])
        cross = self.estimate * self.reference.conj()
        if self.delay.samples:
            cross *= np.exp(np.arange(len(cross)) * (2j * np.pi * self.delay.samples / self.size))
        return Bands(
            np.concatenate([[BOTTOM_HZ], start]),
            np.add.reduceat(_power(self.reference), bins),
            np.add.reduceat(_power(self.estimate), bins),
            np.add.reduceat(cross, bins),
        )

    def edge(self, near: float) -> float:
        """Return where the reference's spectrum falls most steeply, in Hz, within a tenth of a frequency.

        `srbench.bandwidth` knows that there is an edge; its bands are 125 Hz wide, and where a voice has little just
        below the edge it takes the end of the voice for it.
        """
        first, last = 0.88 * near, min(1.12 * near, self.sample_rate / 2)
        bins = np.round(np.arange(first, last, _FINE_HZ) * self.size / self.sample_rate).astype(int)
        if len(bins) <= 2 * _FINE_BANDS or np.any(np.diff(bins) < 1):
            return near
        power = np.add.reduceat(_power(self.reference), bins)[:-1]
        level = np.log(np.maximum(power, _FLOOR * power.max()))
        above = np.lib.stride_tricks.sliding_window_view(level, _FINE_BANDS).mean(axis=1)
        fall = above[:-_FINE_BANDS] - above[_FINE_BANDS:]
        return float(first + (fall.argmax() + _FINE_BANDS) * _FINE_HZ)

    @cached_property
    def shared(self) -> NDArray[np.bool_]:
        """Which of the bands, up to the top, are loud in the reference and coherent between the two."""
        bands = self.bands
        loud = bands.reference > bands.reference.max() * 10 ** (LOUD_DB / 10)
        coherent = np.abs(bands.cross) > COHERENT * np.sqrt(bands.reference * bands.estimate)
        found: NDArray[np.bool_] = loud & coherent & (bands.start < self.top)
        return found

    @cached_property
    def gain(self) -> float | None:
        """The factor by which the estimate is louder, without its sign; None where the two share nothing.

        It is the least-squares factor of each band that the two share, and of those the median weighted by the
        reference's power: a band that an interpolator attenuates does not count as a gain.
        """
        if not self.shared.any():
            return None
        weights = self.bands.reference[self.shared]
        factors = np.abs(self.bands.cross[self.shared].real) / weights
        order = np.argsort(factors)
        below = np.cumsum(weights[order])
        return float(factors[order][np.searchsorted(below, below[-1] / 2)])


def _energy(spectrum: NDArray[np.complex128]) -> float:
    return float(np.vdot(spectrum, spectrum).real)


def _power(spectrum: NDArray[np.complex128]) -> NDArray[np.float64]:
    power: NDArray[np.float64] = spectrum.real**2 + spectrum.imag**2
    return power


def _between_samples(around: NDArray[np.float64]) -> tuple[float, float]:
    """Return where, within a sample of the middle, a band-limited function is furthest from zero, and its value."""
    offsets = np.arange(-1, 1 + _STEP / 2, _STEP)
    taps = np.arange(-_TAPS, _TAPS + 1)
    distance = offsets[:, None] - taps
    window = np.where(np.abs(distance) <= _TAPS, np.cos(np.pi * distance / 2 / (_TAPS + 1)) ** 2, 0.0)
    values = (np.sinc(distance) * window) @ around
    best = int(np.clip(np.abs(values).argmax(), 1, len(values) - 2))
    before, here, after = values[best - 1 : best + 2]
    bend = before - 2 * here + after
    shift = 0.5 * (before - after) / bend if bend else 0.0
    return float(offsets[best] + shift * _STEP), float(here - 0.25 * (before - after) * shift)
