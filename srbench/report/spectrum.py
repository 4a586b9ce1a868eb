"""Curves over frequency: the long-term average spectrum, and the log-spectral distance bin by bin.

LSD over frequency takes the differences D(t, f) = log10 R - log10 E that the metric ``lsd`` is made of, with its
transform and its floor, and gives L(f), the root of the mean of D² over frames; over several utterances, the mean of
their L(f). For one utterance

    mean over f of L(f)²  =  lsd² + the variance over frames of the frames' own LSD,

for both sides are the mean of D² over everything. So the root mean square of the curve is ``lsd`` where all frames are
equally far, and above it otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from srbench.audio import Rate, Samples
from srbench.corpora import Utterance
from srbench.errors import SrbenchError, UndefinedMetric
from srbench.metrics import Pair
from srbench.metrics.lsd import nuwave
from srbench.protocols import Protocol
from srbench.report.figure import (
    LOW,
    REFERENCE,
    Upscaled,
    draw_cutoff,
    looks,
    require_plots,
    style,
    upscale_utterance,
)
from srbench.report.spectrogram import spectrogram
from srbench.run import Entrant

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BANDS = 8
_MARKERS_A_LINE = 12
_ABOVE_DB, _BELOW_DB = 4.0, 110.0  # how far the axis of spectra reaches beyond the reference's highest level


class Curve(NamedTuple):
    """Values over frequency: ``hertz`` and ``values`` have shape (bins,)."""

    hertz: NDArray[np.float64]
    values: NDArray[np.float64]


@dataclass(frozen=True)
class Averaged:
    """Curves by name, each the mean over ``n`` utterances; ``left_out`` says why some were not used, by id."""

    curves: dict[str, Curve]
    n: int
    left_out: dict[str, str] = field(default_factory=dict)


def long_term_spectrum(samples: Samples, rate: Rate) -> Curve:
    """Return the mean power over the frames of a signal's spectrogram; 1.0 is a sine of full scale.

    Parameters
    ----------
    samples : ndarray, shape (n,)
    rate : int or Fraction, in Hz
    """
    made = spectrogram(samples, rate)
    return Curve(made.hertz, made.power.mean(axis=1))


def lsd_over_frequency(reference: Samples, estimate: Samples, sample_rate: int) -> Curve:
    """Return the root mean square over frames of the log10-power difference, for each bin of the ``lsd`` metric.

    Parameters
    ----------
    reference, estimate : ndarray, shape (n,)
    sample_rate : int, in Hz

    Raises
    ------
    UndefinedMetric
        Where ``lsd`` is undefined: the reference is silent, or the signals are too short.
    """
    if not reference.any():
        raise UndefinedMetric("the reference is silent: LSD is undefined")
    definition = nuwave(sample_rate)
    squared = definition.squared_differences(Pair(reference, estimate, sample_rate))
    hertz = sample_rate / definition.n_fft * np.arange(squared.shape[1], dtype=np.float64)
    return Curve(hertz, np.sqrt(squared.mean(axis=0)))


def utterance_spectra(made: Upscaled, protocol: Protocol) -> dict[str, Curve]:
    """Return the long-term spectra of an utterance: low resolution, every upscaler's, reference."""
    spectra = {LOW: long_term_spectrum(made.low, protocol.low_rate)}
    for name, samples in {**made.estimates, REFERENCE: made.reference}.items():
        spectra[name] = long_term_spectrum(samples, protocol.high_rate)
    return spectra


def utterance_lsd(made: Upscaled, protocol: Protocol) -> dict[str, Curve]:
    """Return the LSD over frequency of every upscaler on an utterance."""
    return {
        name: lsd_over_frequency(made.reference, estimate, protocol.high_rate)
        for name, estimate in made.estimates.items()
    }


def average(
    utterances: Sequence[Utterance],
    entrants: Mapping[str, Entrant],
    protocol: Protocol,
    measure: Callable[[Upscaled, Protocol], dict[str, Curve]],
    progress: Callable[[str, int, int], None] | None = None,
) -> Averaged:
    """Upscale utterances by everyone and average their curves, in the order of the utterances.

    An utterance on which anyone fails is left out for all, so that all curves are of the same speech.

    Parameters
    ----------
    utterances : sequence of Utterance
    entrants : mapping of shown name to Entrant
    protocol : Protocol
    measure : callable
        `utterance_spectra` or `utterance_lsd`.
    progress : callable (what, done, total), optional

    Raises
    ------
    SrbenchError
        If no utterance can be used.
    """
    sums: dict[str, Curve] = {}
    left_out: dict[str, str] = {}
    for done, utterance in enumerate(utterances, start=1):
        try:
            found = measure(upscale_utterance(utterance, entrants, protocol), protocol)
        except SrbenchError as error:
            left_out[utterance.id] = " ".join(str(error).split())
        else:
            for name, (hertz, values) in found.items():
                sums[name] = Curve(hertz, values + sums[name].values if name in sums else values)
        if progress:
            progress("utterances", done, len(utterances))
    n = len(utterances) - len(left_out)
    if not n:
        first, why = next(iter(left_out.items()))
        raise SrbenchError(f"none of {len(left_out)} utterances can be used; the first, {first}: {why}")
    return Averaged({name: Curve(hertz, total / n) for name, (hertz, total) in sums.items()}, n, left_out)


def draw_spectra(
    curves: Mapping[str, Curve], top_hz: float, cutoff: float, *, title: str = "", axis: Axes | None = None
) -> Figure:
    """Draw long-term spectra, given as power, in dB below a sine of full scale.

    Parameters
    ----------
    curves : mapping of name to Curve
        With the reference's, whose levels set the axis.
    top_hz, cutoff : float, in Hz
    title : str
    axis : matplotlib Axes, optional
        Where to draw, with a legend and no title; a new figure by default.
    """
    levels = {name: Curve(hertz, _db(power)) for name, (hertz, power) in curves.items()}
    highest = float(levels[REFERENCE].values.max())
    limits = (highest - _BELOW_DB, highest + _ABOVE_DB)
    return _draw(levels, top_hz, cutoff, "level (dB, 0 is a sine of full scale)", limits, title, axis)


def draw_lsd(
    curves: Mapping[str, Curve], top_hz: float, cutoff: float, *, title: str = "", axis: Axes | None = None
) -> Figure:
    """Draw LSD over frequency, one line an upscaler.

    Parameters
    ----------
    curves : mapping of name to Curve
    top_hz, cutoff : float, in Hz
    title : str
    axis : matplotlib Axes, optional
        Where to draw, with a legend and no title; a new figure by default.
    """
    highest = max(float(curve.values.max()) for curve in curves.values())
    return _draw(curves, top_hz, cutoff, "LSD of the bin (log10 of power)", (0.0, 1.05 * highest or 1.0), title, axis)


def band_means(
    curves: Mapping[str, Curve], top_hz: float, cutoff: float, *, as_db: bool = False
) -> list[dict[str, object]]:
    """Return the curves' means over the bands below and above the cutoff and over eight bands of equal width.

    Parameters
    ----------
    curves : mapping of name to Curve
    top_hz, cutoff : float, in Hz
    as_db : bool
        Whether the curves are powers, whose means are wanted in dB.

    Returns
    -------
    list of ``{"from_hz", "to_hz", "mean": {name: float or None}}``
        A bin belongs to the band that its centre is in, the uppermost to the last; None where a curve has no bin.
    """
    edges = np.linspace(0, top_hz, BANDS + 1)
    spans = [(0.0, cutoff), (cutoff, top_hz), *zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)]
    return [
        {
            "from_hz": low,
            "to_hz": high,
            "mean": {name: _mean(curve, low, high, high == top_hz, as_db) for name, curve in curves.items()},
        }
        for low, high in spans
    ]


def _mean(curve: Curve, low: float, high: float, last: bool, as_db: bool) -> float | None:
    chosen = curve.values[(curve.hertz >= low) & ((curve.hertz < high) | last)]
    if not len(chosen):
        return None
    mean = chosen.mean()
    return float(_db(mean) if as_db else mean)


def _db(power: NDArray[np.float64]) -> NDArray[np.float64]:
    return 10 * np.log10(np.maximum(power, 1e-20))


def _draw(
    curves: Mapping[str, Curve],
    top_hz: float,
    cutoff: float,
    label: str,
    limits: tuple[float, float],
    title: str,
    given: Axes | None,
) -> Figure:
    require_plots()
    from matplotlib.figure import Figure

    with style():
        own = Figure(figsize=(7.5, 4), layout="constrained") if given is None else None
        axis: Any = given if own is None else own.subplots()
        _draw_lines(axis, curves)
        draw_cutoff(axis, cutoff, upwards=True)
        axis.set(xlim=(0, top_hz / 1000), ylim=limits, xlabel="frequency (kHz)", ylabel=label)
        axis.grid(color="0.9", linewidth=0.6)
        axis.set_axisbelow(True)
        if own is not None:
            own.suptitle(title)
            own.legend(loc="outside right upper", handlelength=4)
        else:
            axis.legend(handlelength=4)
    figure: Figure = axis.get_figure()
    return figure


def _draw_lines(axis: Axes, curves: Mapping[str, Curve]) -> None:
    styles = looks(curves)
    upscalers = [name for name in curves if name not in (LOW, REFERENCE)]
    for name in sorted(curves, key=lambda each: each in upscalers):  # the grey and the black line under the others
        look, (hertz, values) = styles[name], curves[name]
        every = max(1, len(hertz) // _MARKERS_A_LINE)
        first = every * upscalers.index(name) // len(upscalers) if name in upscalers else 0  # no marker on another's
        axis.plot(
            hertz / 1000,
            values,
            color=look.color,
            linestyle=look.dashes,
            linewidth=look.width,
            marker=look.marker,
            markersize=4,
            markevery=(first, every),
            label=name,
        )
