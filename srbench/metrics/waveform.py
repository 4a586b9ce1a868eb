"""Metrics on the waveform: SNR, SI-SDR, MSE.

Conventions
-----------
All are computed over the whole signal in float64, with no mean removal, no alignment and no floor. They
see a delay of one sample as a large error, which is what they are for.

- SNR = 10 log10(sum y² / sum (y - x)²), y the reference, x the estimate, in dB. Identical signals: +inf.
- SI-SDR = 10 log10(|a y|² / |a y - x|²), a = <x, y> / <y, y>, in dB (Le Roux et al. 2019, eq. 1-5, no mean removal).
- MSE = mean (y - x)².

Not to be confused with the "SNR" of the 2017 code base, which adds 1e-6 to the noise power of each patch (it caps
good models), nor with 10 ln(…), nor with the 10 log10 of a ratio of norms (half the SNR).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log10
from typing import ClassVar

import numpy as np

from srbench import signature
from srbench.errors import UndefinedMetric
from srbench.metrics.metric import Metric
from srbench.metrics.pair import Pair, parts
from srbench.signature import Signature

_SAMPLES_AT_ONCE = 16384


@dataclass(frozen=True)
class Snr:
    """Signal-to-noise ratio in dB."""

    VERSION: ClassVar[int] = 1
    of: str = "power"
    log: str = "10log10"
    floor: str = "none"

    def signature(self) -> Signature:
        """Return the definition."""
        return signature.of_fields("SNR", self, v=self.VERSION)

    def measure(self, pair: Pair) -> float:
        """Return 10 log10(sum y² / sum (y - x)²)."""
        signal_energy = float(np.dot(pair.reference, pair.reference))
        noise_energy = _noise_energy(pair)
        if signal_energy == 0:
            raise UndefinedMetric("the reference is silent: SNR is undefined")
        return inf if noise_energy == 0 else _db(signal_energy, noise_energy)


@dataclass(frozen=True)
class SiSdr:
    """Scale-invariant signal-to-distortion ratio in dB (Le Roux et al. 2019, "SDR - half-baked or well done?")."""

    VERSION: ClassVar[int] = 1
    mean: str = "kept"
    floor: str = "none"

    def signature(self) -> Signature:
        """Return the definition."""
        return signature.of_fields("SI-SDR", self, v=self.VERSION)

    def measure(self, pair: Pair) -> float:
        """Return 10 log10(|a y|² / |a y - x|²) with a = <x, y> / <y, y>."""
        y, x = pair.reference, pair.estimate
        # Levels cancel; scaling both to a peak of 1 keeps the squares of very quiet signals from underflowing.
        y_peak, x_peak = (float(max(signal.max(), -signal.min())) for signal in (y, x))
        if y_peak == 0:
            raise UndefinedMetric("the reference is silent: SI-SDR is undefined")
        if x_peak == 0:
            raise UndefinedMetric("the estimate is silent: SI-SDR is undefined")
        product = energy = 0.0
        for part in parts(len(y), _SAMPLES_AT_ONCE):
            r, e = y[part] / y_peak, x[part] / x_peak
            product += float(np.dot(e, r))
            energy += float(np.dot(r, r))
        target_energy = distortion_energy = 0.0
        for part in parts(len(y), _SAMPLES_AT_ONCE):
            target = (product / energy) * (y[part] / y_peak)
            target_energy += float(np.dot(target, target))
            target -= x[part] / x_peak
            distortion_energy += float(np.dot(target, target))
        if target_energy == 0:
            return -inf
        return inf if distortion_energy == 0 else _db(target_energy, distortion_energy)


@dataclass(frozen=True)
class Mse:
    """Mean squared error; its unit is the square of full scale."""

    VERSION: ClassVar[int] = 1
    full_scale: float = 1.0

    def signature(self) -> Signature:
        """Return the definition."""
        return signature.of_fields("MSE", self, v=self.VERSION)

    def measure(self, pair: Pair) -> float:
        """Return mean (y - x)²."""
        return _noise_energy(pair) / len(pair.reference)


def _noise_energy(pair: Pair) -> float:
    def compute() -> float:
        energy = 0.0
        for part in parts(len(pair.reference), _SAMPLES_AT_ONCE):
            noise = pair.reference[part] - pair.estimate[part]
            energy += float(np.dot(noise, noise))
        return energy

    return pair.once("noise-energy", compute)


def _db(numerator: float, denominator: float) -> float:
    return 10 * (log10(numerator) - log10(denominator))


def _nyquist(sample_rate: int) -> float:
    return sample_rate / 2


METRICS = (
    Metric(
        "snr",
        "Signal-to-noise ratio",
        "dB",
        "higher",
        (-inf, inf),
        lambda *_: Snr(),
        _nyquist,
        digits=".2f",
        family="snr",
        spread=2.0,
        ceiling=True,
        usual=True,
        also="signaltonoiseratio",
        near="signal-to-noise segsnr psnr",
    ),
    Metric(
        "si_sdr",
        "Scale-invariant signal-to-distortion ratio",
        "dB",
        "higher",
        (-inf, inf),
        lambda *_: SiSdr(),
        _nyquist,
        digits=".2f",
        family="si_sdr",
        spread=2.0,
        ceiling=True,
        also="sisnr sdrsi",
        near="sisnr sdr scale-invariant-sdr scale-invariant-snr",
        source="Le Roux et al. 2019, eq. 1-5",
        cite="leroux2019sdr",
    ),
    Metric(
        "mse",
        "Mean squared error",
        "1",
        "lower",
        (0.0, inf),
        lambda *_: Mse(),
        _nyquist,
        digits=".2e",
        family="mse",
        spread=0.7,
        also="meansquarederror",
        near="l2 mean-squared-error mse-loss",
    ),
)
