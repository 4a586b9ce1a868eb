"""One pair from two arrays to a score: looked at, repaired where that is asked for, measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from srbench.audio import Samples, channels_told, damage, resample
from srbench.errors import SrbenchError
from srbench.metrics import Definition, define, measure_all
from srbench.metrics.arguments import as_cutoff, as_names, as_rate, as_samples
from srbench.scoring import levels
from srbench.scoring.effects import warnings_of
from srbench.scoring.faults import LEAST_CONFIDENCE, Looks, look
from srbench.scoring.given import Given
from srbench.scoring.repair import Repairs, align, match_length
from srbench.scoring.spectra import Spectra
from srbench.scoring.warning import PairWarning

DEFAULT_METRICS = ("snr", "si_sdr", "mse", "lsd")
WITH_CUTOFF = ("lsd_hf", "lsd_lf")
SAME_COUNT = 0.01  # of the samples: so many more or less may be a filter's tail, and are no other rate
LEAST_SCALED_DB = 1e-4  # less is not taken away: it moves no SNR of up to 70 dB by 0.01 dB
LOW_EXTRA = 64  # samples at the reference's rate, beside: a low-resolution signal may be filled up to whole frames
_ARGUMENTS = {
    "match_length": ' (match_length="shorter" or "pad")',
    "resample": " (resample=True brings it to the reference's)",
}


@dataclass(frozen=True)
class Score:
    """What came of a pair.

    Attributes
    ----------
    metrics : mapping of metric name to float
        Those that have a value.
    undefined : mapping of metric name to str
        Of the others, why not.
    warnings : tuple of PairWarning
        About the pair as it was given, before any repair but resampling, which comes first: delays and lengths are
        then in samples at the reference's rate.
    repairs : tuple of str
        What was done, in words; empty where nothing was.
    checks : mapping of str to float or None
        What was measured on the same: delay, confidence, gain and so on.
    samples : int
        That were compared.
    error : str
        Why the pair could not be measured; "" where it could.
    needs : str
        The repair that it could be measured with, by its name in `srbench.scoring.Repairs`; "" where there is none.
    """

    metrics: Mapping[str, float] = field(default_factory=dict)
    undefined: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[PairWarning, ...] = ()
    repairs: tuple[str, ...] = ()
    checks: Mapping[str, Any] = field(default_factory=dict)
    samples: int | None = None
    error: str = ""
    needs: str = ""


def score(
    reference: Any,
    estimate: Any,
    sample_rate: int,
    cutoff: float | None = None,
    *,
    estimate_rate: int | None = None,
    low: Any = None,
    metrics: str | Sequence[str] | None = None,
    align: bool = False,
    match_length: str | None = None,
    match_gain: bool = False,
    resample: bool = False,
) -> Score:
    """Score an estimate against its reference, and say what is not as it seems.

    Parameters
    ----------
    reference, estimate : ndarray of floats, shape (n,)
        Full scale is 1.0.
    sample_rate : int, in Hz
    cutoff : float, in Hz, optional
        Half the low rate: adds LSD above and below it, and the check that the low band was kept.
    estimate_rate : int, in Hz, optional
        The estimate's, where it is another.
    low : ndarray, optional
        The low-resolution signal that the estimate was made from, at ``2 * cutoff`` Hz.
    metrics : str or sequence of str, optional
        SNR, SI-SDR, MSE and LSD by default.
    align, match_length, match_gain, resample
        What to repair; see `srbench.scoring.Repairs`. Nothing by default.

    Returns
    -------
    Score

    Raises
    ------
    SrbenchError
        If the pair cannot be measured as it is: another length, rate or shape, NaN or infinity; or an argument is
        not what it should be.

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal(16000) / 10
    >>> late = np.concatenate([np.zeros(2), noise[:-2]])
    >>> score(noise, late, 16000).warnings[0].kind
    'delay'
    """
    repairs = Repairs(align, match_length, match_gain, resample)
    pair = [as_samples(signal, name)[:, None] for signal, name in ((reference, "reference"), (estimate, "estimate"))]
    sample_rate = as_rate(sample_rate, "sample_rate")
    rates = sample_rate, sample_rate if estimate_rate is None else as_rate(estimate_rate, "estimate_rate")
    cutoff = as_cutoff(cutoff, sample_rate)
    definitions = define(default_metrics(cutoff) if metrics is None else as_names(metrics), sample_rate, cutoff)
    given = None
    if low is not None:
        if cutoff is None:
            raise SrbenchError("a low-resolution signal needs the cutoff, half its rate in Hz")
        given = as_samples(low, "low-resolution signal"), 2 * cutoff
        if what := damage(given[0]):
            raise SrbenchError(f"the low-resolution signal holds {what}")
    result = score_pair(pair[0], pair[1], rates, definitions, cutoff, repairs, given)
    if result.error:
        raise SrbenchError(result.error + _ARGUMENTS.get(result.needs, ""))
    return result


def default_metrics(cutoff: float | None) -> tuple[str, ...]:
    """Return the metrics that are measured where none are named."""
    return (*DEFAULT_METRICS, *(WITH_CUTOFF if cutoff is not None else ()))


def score_pair(
    reference: Samples,
    estimate: Samples,
    rates: tuple[int, int],
    definitions: Mapping[str, Definition],
    cutoff: float | None = None,
    repairs: Repairs | None = None,
    low: tuple[Samples, float] | None = None,
) -> Score:
    """Score a pair as it was read; what stands in the way becomes the score's ``error``.

    Parameters
    ----------
    reference, estimate : ndarray, shapes (n, channels)
    rates : (int, int), in Hz
        Of the reference, at which the definitions are, and of the estimate.
    definitions : mapping of metric name to its definition
    cutoff : float, in Hz, optional
    repairs : Repairs, optional
    low : (ndarray, float), optional
        The low-resolution signal and its rate in Hz.
    """
    repairs = repairs or Repairs()
    unfit = [*_unfit(reference, "reference"), *_unfit(estimate, "estimate")]
    wrong_label = ""
    if rates[0] != rates[1]:
        text = f"the estimate is at {rates[1]} Hz, the reference at {rates[0]} Hz"
        if not unfit and not repairs.resample:
            wrong_label = _wrong_label(Given(reference[:, 0], estimate[:, 0], rates[0]))
        unfit.insert(0, PairWarning("sample-rate", text + wrong_label, float(rates[1]), "Hz"))
    blocking = [w for w in unfit if w.kind != "sample-rate" or not repairs.resample]
    if blocking:
        kind = blocking[0].kind
        needs = "channels" if kind == "channels" else "resample" if kind == "sample-rate" and not wrong_label else ""
        return Score(warnings=tuple(unfit), error=blocking[0].detail, needs=needs)
    done = []
    y, x = np.ascontiguousarray(reference[:, 0]), np.ascontiguousarray(estimate[:, 0])
    if rates[0] != rates[1]:
        x = resample(x, rates[1], rates[0])
        done.append(f"resampled from {rates[1]} to {rates[0]} Hz")
    made_from = None if low is None else resample(low[0], low[1], rates[0])  # type: ignore[arg-type]
    for side, samples in (("estimate", x), ("low-resolution signal", made_from)):
        if samples is not None and not len(samples):
            return Score(warnings=tuple(unfit), error=f"the {side} is too short to be resampled to {rates[0]} Hz")
    given = Given(y, x, rates[0], cutoff)
    n = 0 if made_from is None else len(made_from)
    if n and min(abs(n - each) - SAME_COUNT * each for each in given.lengths) > LOW_EXTRA:
        text = (
            f"the low-resolution signal lasts {n / rates[0]:.3f} s, the reference {len(y) / rates[0]:.3f} s: it is of "
            "another recording, or the cutoff is not half its rate"
        )
        return Score(warnings=tuple(unfit), error=text)
    looks = look(given, made_from, rates[1])
    warnings = (*unfit, *warnings_of(looks, given, definitions))
    seen = Score(warnings=warnings, checks=looks.numbers())
    if not given.even and repairs.match_length is None:
        length = next(w for w in warnings if w.kind == "length")
        speed = [finding.text for finding in looks.findings if finding.kind == "sample-rate"]
        text = "; ".join([*speed, length.detail.partition(":")[0]])
        return replace(seen, error=text, needs="match_length")
    repaired, more = _repaired(given, looks, repairs)
    try:
        pair = repaired.pair()
    except SrbenchError as error:
        return replace(seen, error=str(error))
    values, undefined = measure_all(pair, definitions)
    return replace(seen, metrics=values, undefined=undefined, repairs=(*done, *more), samples=len(pair.reference))


def _repaired(given: Given, looks: Looks, repairs: Repairs) -> tuple[Given, list[str]]:
    y, x, done = given.reference, given.estimate, []
    if repairs.align and looks.trusted_delay:
        whole = len(y)
        y, x = align(y, x, looks.trusted_delay)
        left_out = f", {whole - len(y)} samples of the reference left out" if len(y) < whole else ""
        done.append(f"shifted by {-looks.trusted_delay:+.4f} samples{left_out}")
    if repairs.match_length is not None and len(y) != len(x):
        before = len(y), len(x)
        y, x = match_length(y, x, repairs.match_length)
        if len(x) > before[1]:
            done.append(f"estimate padded from {before[1]} to {len(x)} samples")
        else:
            side = "reference" if before[0] > before[1] else "estimate"
            done.append(f"{side} cut from {max(before)} to {len(y)} samples")
    if repairs.match_gain and looks.gain_db is not None and abs(looks.gain_db) >= LEAST_SCALED_DB:
        x = x * 10 ** (-looks.gain_db / 20)
        done.append(f"estimate scaled by {-looks.gain_db:+.4f} dB")
    return given.having(y, x), done


def _wrong_label(given: Given) -> str:
    """Say of a pair of two rates that its samples fit one by one, so that it is no other rate; "" where they do not."""
    n, m = given.lengths
    if abs(n - m) > SAME_COUNT * n:
        return ""
    fit = Spectra(given).delay.confidence
    if fit < LEAST_CONFIDENCE:
        return ""
    return f", yet their samples fit one by one (correlation {fit:.2f}): one label is wrong, resampling would not help"


def _unfit(samples: Samples, side: str) -> list[PairWarning]:
    """Return what no metric can be measured with."""
    found = []
    channels = samples.shape[1]
    if channels != 1:
        text = f"the {side} has {channels_told(samples)}; a metric takes one"
        found.append(PairWarning("channels", text, float(channels), "1", side))
    if what := damage(samples):
        text = f"the {side} holds {what}"
        found.append(PairWarning("non-finite", text, float(levels.non_finite(samples)), "samples", side))
    return found
