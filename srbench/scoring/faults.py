"""Looks at a pair before it is scored, and says what is not as it seems."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import log10
from typing import Any

import numpy as np

from srbench.audio import Samples
from srbench.bandwidth import bandwidth
from srbench.scoring import levels
from srbench.scoring.given import Given
from srbench.scoring.levels import Clipped
from srbench.scoring.overlap import gain_of_both, spectra_of_both
from srbench.scoring.repair import align
from srbench.scoring.spectra import Spectra
from srbench.scoring.speed import mislabelled
from srbench.scoring.warning import PairFault

# Thresholds lie well outside of what four published systems and splines at scales 2 to 6 show: delays up to 0.04
# samples, gains of -0.17 to 0.05 dB, correlations from 0.90.
LEAST_DELAY = 0.1  # samples
LEAST_GAIN_DB = 0.25
GAIN_MAY_COST_DB = 0.1  # of SNR, to take it away
LEAST_CONFIDENCE = 0.6  # of the delay; below, the two are not of one recording, or the phases were not kept
LEAST_OFFSET = 1e-3  # of full scale
NARROW = 0.9  # of the Nyquist frequency, or of the cutoff
NARROWER = 0.75  # of the reference's bandwidth, where no cutoff is told: clean splines end from 0.79 of it on
LOW_BAND_KEPT_DB = 15.0  # signal to error
LOW_BAND_SHARE = 0.8  # of the cutoff: above, low-passes and interpolators bend
HIGH_BAND_SHARE = 1.02  # of the cutoff
EMPTY_DB = -40.0  # of the reference's own level there
COPIED = 0.9  # correlation above the cutoff: systems reach 0.1
ALWAYS_HIGH = 0.75  # of the Nyquist frequency: the high band, where no cutoff is told and the scale is 4/3 or more


@dataclass
class Looks:
    """What was measured on a pair, each None where it could not be.

    Attributes
    ----------
    delay : float
        In samples, positive where the estimate comes late.
    confidence : float
        Of the delay, 0 to 1.
    polarity : int
        -1 where the estimate is upside down.
    gain_db : float
        Of the estimate, in the band that the two share.
    offset : float
        The estimate's mean less the reference's, of full scale.
    reference_bandwidth, estimate_bandwidth : float, in Hz
    low_band_db : float
        Signal to error below 0.8 of the cutoff, delay and gain apart; needs a cutoff.
    high_band_db : float
        The estimate's level above the cutoff against the reference's, gain apart; needs a cutoff.
    findings : list of PairFault
    """

    delay: float | None = None
    confidence: float | None = None
    polarity: int | None = None
    gain_db: float | None = None
    offset: float | None = None
    reference_bandwidth: float | None = None
    estimate_bandwidth: float | None = None
    low_band_db: float | None = None
    high_band_db: float | None = None
    findings: list[PairFault] = field(default_factory=list)

    def numbers(self) -> dict[str, Any]:
        """Return what was measured, by name."""
        return {name: value for name, value in vars(self).items() if name != "findings"}

    @property
    def trusted_delay(self) -> float:
        """The delay where it is one worth naming, else 0."""
        if self.delay is None or self.confidence is None or self.confidence < LEAST_CONFIDENCE:
            return 0.0
        return self.delay if abs(self.delay) >= LEAST_DELAY else 0.0


def look(given: Given, low: Samples | None = None, estimate_rate: int | None = None) -> Looks:
    """Look at a pair of finite, one-channel signals, whose lengths may differ.

    Parameters
    ----------
    given : Given
        With a cutoff the two bands are looked at apart.
    low : ndarray, optional
        What the estimate was made from, at the pair's rate: its band is compared with this in place of the
        reference's.
    estimate_rate : int, in Hz, optional
        What the estimate was labelled before it was brought to the pair's rate.
    """
    reference, estimate, cutoff = given.reference, given.estimate, given.cutoff
    sides = (("reference", reference), ("estimate", estimate))
    looks = Looks()
    if not given.even:
        looks.findings.append(_length(*given.lengths))
    silent = [
        PairFault("silent", f"the {side} is {levels.silence_told(samples)}", 1.0, "1", side)
        for side, samples in sides
        if levels.is_silent(samples)
    ]
    if silent:
        looks.findings += silent
        return looks
    if np.array_equal(reference, estimate):
        text = "the estimate is the reference, sample for sample: SNR is infinite, whatever the upscaler does"
        looks.findings.append(PairFault("identical", text, 1.0, "1"))
    for side, samples in sides:
        peak = float(np.abs(samples).max())
        if peak > levels.UNSCALED_PEAK:
            text = f"the {side} peaks at {peak:.4g} times full scale: integers, cast to floats? Divide 16-bit by 32768"
            looks.findings.append(PairFault("full-scale", text, peak, "1", side))
    spectra = Spectra(given)
    cut = levels.clipped(reference), levels.clipped(estimate)
    looks.confidence = spectra.delay.confidence
    gain = None
    if looks.confidence < LEAST_CONFIDENCE:
        looks.findings.append(_mismatch(spectra, given, estimate_rate))
    else:
        delay = spectra.delay.samples
        spectra = spectra_of_both(spectra, given, delay)
        gain = gain_of_both(spectra, given, delay, cut)
        _waveform(looks, spectra, delay, gain)
    _samples(looks, given, cut)
    _bands(looks, spectra, given, gain or 1.0)
    if low is not None and levels.is_silent(low):
        text = "the low-resolution signal is silent: the low band was compared with nothing"
        looks.findings.append(PairFault("silent", text, 1.0, "1", "low"))
    elif cutoff is not None and gain is not None:
        if low is not None:
            made = given.having(low, estimate)
            spectra = Spectra(made)
            spectra = spectra_of_both(spectra, made, spectra.delay.samples)
            gain = spectra.gain or gain
        _low_band(looks, spectra, gain, cutoff, low is None)
    return looks


def _length(n: int, m: int) -> PairFault:
    word = "longer" if m > n else "shorter"
    text = f"the estimate is {abs(m - n)} samples {word} than the reference ({m} and {n})"

    def shorter(reference: Samples, estimate: Samples) -> tuple[Samples, Samples]:
        return reference[: min(n, m)], estimate[: min(n, m)]

    return PairFault("length", text, m - n, "samples", "estimate", shorter, f"over the common {min(n, m)} samples")


def _waveform(looks: Looks, spectra: Spectra, delay: float, gain: float | None) -> None:
    """Say what was found of delay, polarity and gain."""
    looks.delay = delay
    looks.polarity = 1 if spectra.delay.correlation > 0 else -1
    if looks.trusted_delay:
        text = f"{'delayed' if delay > 0 else 'early'} by {abs(delay):.2f} samples"
        if looks.confidence is not None and looks.confidence < 0.95:
            text += f" (correlation {looks.confidence:.2f})"
        shift = looks.trusted_delay
        looks.findings.append(
            PairFault("delay", text, delay, "samples", "estimate", lambda r, e: align(r, e, shift), "if aligned")
        )
    if looks.polarity < 0:
        text = "the polarity is turned: the estimate is the reference times a negative number"
        looks.findings.append(
            PairFault("polarity", text, -1.0, "1", "estimate", lambda r, e: (r, -e), "with the other sign")
        )
    if gain is None:
        return
    looks.gain_db = 20 * log10(gain)
    if abs(looks.gain_db) >= LEAST_GAIN_DB and _is_nearer_without(spectra, gain):
        text = f"{abs(looks.gain_db):.4g} dB {'louder' if gain > 1 else 'quieter'} than the reference in the low band"
        looks.findings.append(
            PairFault("gain", text, looks.gain_db, "dB", "estimate", lambda r, e: (r, e / gain), "at the same level")
        )


def _is_nearer_without(spectra: Spectra, gain: float) -> bool:
    """Tell whether the SNR, delay and polarity apart, is no worse without a gain: noise can cost more than a gain."""
    wanted, made, cross = spectra.bands.between(0, spectra.sample_rate / 2)
    now, without = (wanted + made / g**2 - 2 * abs(cross.real) / g for g in (1.0, gain))
    return without <= now * 10 ** (GAIN_MAY_COST_DB / 10) + 1e-12 * wanted


def _mismatch(spectra: Spectra, given: Given, estimate_rate: int | None) -> PairFault:
    """Say whether the two are of one recording at different speeds, or do not match at all."""
    correlation = spectra.delay.confidence
    found = mislabelled(given, estimate_rate)
    if found is not None:
        other = "reference" if found.side == "estimate" else "estimate"
        text = (
            f"labelled {found.label} Hz, the {found.side} fits the {other} only as {found.rate} Hz: so taken the two "
            f"correlate by {abs(found.correlation):.2f}, as labelled by {correlation:.2f}"
        )
        return PairFault("sample-rate", text, found.rate, "Hz", found.side)
    text = (
        f"does not follow the reference's waveform (correlation {correlation:.2f} at best, at any delay up to "
        f"{spectra.reach / spectra.sample_rate:.2g} s): another recording, or phases that were not kept"
    )
    return PairFault("mismatch", text, correlation, "1")


def _samples(looks: Looks, given: Given, cut: tuple[Clipped, Clipped]) -> None:
    """Find offset, clipping and gaps."""
    both = given.over(looks.delay or 0.0)
    looks.offset = float(both.estimate.mean() - both.reference.mean())
    if abs(looks.offset) >= LEAST_OFFSET and not any(finding.kind == "full-scale" for finding in looks.findings):
        offset = looks.offset
        text = f"has a constant of {offset:+.4g} (of full scale) more than the reference"
        looks.findings.append(
            PairFault("dc-offset", text, offset, "1", "estimate", lambda r, e: (r, e - offset), "without it")
        )
    for side, found in zip(("reference", "estimate"), cut, strict=True):
        if found.count:
            text = f"the {side} is clipped: {found.count} samples stand at ±{found.level:.4g}"
            mend = _unclipped(found.where) if side == "estimate" else None
            looks.findings.append(
                PairFault("clipped", text, found.count, "samples", side, mend, "without the error at those samples")
            )
    share = levels.silent_share(both.reference, both.estimate, both.sample_rate)
    if share > 0:
        text = f"the estimate is digital silence in {100 * share:.3g} % of what sounds in the reference"
        looks.findings.append(PairFault("silent", text, share, "1"))


def _unclipped(where: np.typing.NDArray[np.bool_]) -> Any:
    def mend(reference: Samples, estimate: Samples) -> tuple[Samples, Samples]:
        n = min(len(reference), len(estimate))
        mended = estimate.copy()
        mended[:n][where[:n]] = reference[:n][where[:n]]
        return reference, mended

    return mend


def _bands(looks: Looks, spectra: Spectra, given: Given, factor: float) -> None:
    """Find a narrow reference, and an estimate with nothing above the cutoff or with the reference's own high band."""
    rate, cutoff = given.sample_rate, given.cutoff
    looks.reference_bandwidth = bandwidth(given.reference, rate)
    looks.estimate_bandwidth = bandwidth(given.estimate, rate)
    full = looks.reference_bandwidth
    if full < NARROW * rate / 2:
        full = looks.reference_bandwidth = spectra.edge(full)
        text = f"the reference ends at {full:.0f} Hz, though its rate of {rate} Hz claims {rate / 2:.0f} Hz"
        looks.findings.append(PairFault("bandwidth", text, full, "Hz", "reference", None, f"below {full:.0f} Hz alone"))
    edge = HIGH_BAND_SHARE * cutoff if cutoff is not None else ALWAYS_HIGH * rate / 2
    r, e, cross = spectra.bands.between(edge, rate / 2)
    if cutoff is not None and r > 0:
        looks.high_band_db = 10 * log10(max(e / factor**2, 1e-30 * r) / r)
    limit = NARROWER * min(full, rate / 2) if cutoff is None else NARROW * cutoff
    narrow = looks.estimate_bandwidth < limit
    empty = looks.high_band_db is not None and looks.high_band_db < EMPTY_DB
    if empty and cutoff is not None:
        missing = -(looks.high_band_db or 0.0)
        text = f"nothing above the cutoff of {cutoff:.0f} Hz: {missing:.0f} dB below the reference there, gain apart"
        looks.findings.append(PairFault("bandwidth", text, looks.estimate_bandwidth, "Hz"))
    elif narrow:
        ends = looks.estimate_bandwidth
        text = f"the estimate ends at {ends:.0f} Hz, the reference at {full:.0f} Hz"
        looks.findings.append(PairFault("bandwidth", text, ends, "Hz"))
    if looks.confidence is None or looks.confidence < LEAST_CONFIDENCE or full <= edge or not (r > 0 and e > 0):
        return
    copied = abs(cross) / (r * e) ** 0.5
    if copied > COPIED and not any(finding.kind == "identical" for finding in looks.findings):
        text = f"a copy of the reference's band above {edge:.0f} Hz (correlation {copied:.2f})"
        looks.findings.append(
            PairFault(
                "bandwidth", text, copied, "1", "estimate", _without_high_band(edge, rate), "with that band empty"
            )
        )


def _without_high_band(edge: float, rate: int) -> Any:
    def mend(reference: Samples, estimate: Samples) -> tuple[Samples, Samples]:
        from scipy import fft

        spectrum = fft.rfft(estimate)
        spectrum[round(edge * len(estimate) / rate) :] = 0
        return reference, fft.irfft(spectrum, len(estimate))

    return mend


def _low_band(looks: Looks, spectra: Spectra, factor: float, cutoff: float, of_reference: bool) -> None:
    """Find a low band that is not what the upscaler was given."""
    top = LOW_BAND_SHARE * cutoff
    given, kept, cross = spectra.bands.between(0, top)
    if not given:
        return
    error = given + kept / factor**2 - 2 * abs(cross.real) / factor
    looks.low_band_db = 10 * log10(given / max(error, 1e-12 * given))
    if looks.low_band_db < LOW_BAND_KEPT_DB:
        text = (
            f"the low band was not kept: below {top:.0f} Hz the error is only {looks.low_band_db:.3g} dB under the "
            f"{'reference' if of_reference else 'low-resolution signal'}, delay and gain apart"
        )
        looks.findings.append(PairFault("low-band", text, looks.low_band_db, "dB"))
