"""Figures for scripts and notebooks: each function returns a matplotlib Figure, or draws into ``ax``.

They need matplotlib and seaborn: ``pip install 'srbench[plots]'``. A new figure has srbench's own style, and shows
itself in a notebook. `save` writes one as PNG, SVG or PDF.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from srbench.api.arguments import the_metrics
from srbench.api.opened import HasRun, opened
from srbench.audio import Rate, Samples
from srbench.errors import SrbenchError
from srbench.metrics.arguments import as_samples
from srbench.report import differences as _differences
from srbench.report import distribution as _distribution
from srbench.report import spectrogram as _spectrogram
from srbench.report import spectrum as _spectrum
from srbench.report.figure import REFERENCE, require_plots, save, style
from srbench.run import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["differences", "distribution", "lsd", "save", "spectrogram", "spectrum"]


class Compared(Protocol):
    """A comparison, as `srbench.compare` returns it."""

    @property
    def document(self) -> Mapping[str, Any]:
        """What ``srbench compare --json`` prints."""
        ...

    @property
    def runs(self) -> tuple[Run, ...]:
        """That were compared."""
        ...


def distribution(
    results: HasRun | str | Path | Sequence[HasRun | str | Path],
    *,
    metrics: str | Sequence[str] | None = None,
    by: str = "upscaler",
    ax: Axes | None = None,
) -> Figure:
    """Draw the values of metrics over utterances.

    Parameters
    ----------
    results : Result, path, or sequence of them
        Of one protocol, on the same recordings. A path is a run's folder.
    metrics : str or sequence of str, optional
        SNR and LSD by default.
    by : {"upscaler", "speaker"}
        A violin per upscaler, or the median and the middle half per speaker.
    ax : matplotlib Axes, optional
        Where to draw one metric; a new figure by default.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    SrbenchError
        If the results do not compare, a metric is missing, or ``ax`` is given for several metrics.

    Examples
    --------
    >>> import srbench
    >>> results = [srbench.evaluate(name, limit=8, metrics=["snr", "lsd"]) for name in ("spline", "hold")]
    >>> [axes.get_xlabel() for axes in distribution(results).axes]
    ['SNR dB ↑   (◇ mean)', 'LSD ↓   (◇ mean)']
    """
    require_plots()
    if by not in ("upscaler", "speaker"):
        raise SrbenchError(f"by is 'upscaler' or 'speaker', not '{by}'")
    runs = [
        opened(each)
        for each in (results if isinstance(results, Sequence) and not isinstance(results, str) else [results])
    ]
    values = _distribution.collect(runs, the_metrics(metrics) or ())
    if ax is None:
        draw = _distribution.draw_by_speaker if by == "speaker" else _distribution.draw_by_upscaler
        return _shown(draw(values))
    _one(values.metrics, "metric")
    panel = _distribution.draw_speaker_panel if by == "speaker" else _distribution.draw_upscaler_panel
    with style():
        panel(ax, values, values.metrics[0])
    return _figure_of(ax)


def differences(comparison: Compared, *, metrics: str | Sequence[str] | None = None, ax: Axes | None = None) -> Figure:
    """Draw every utterance's difference of a comparison, sorted, with the mean and its 95 % interval.

    Parameters
    ----------
    comparison : Comparison
        From `srbench.compare`.
    metrics : str or sequence of str, optional
        SNR, LSD, PESQ and ESTOI by default, as far as they were compared.
    ax : matplotlib Axes, optional
        Where to draw one metric of one pair; a new figure by default.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import srbench
    >>> results = [srbench.evaluate(name, limit=8, metrics=["snr"]) for name in ("spline", "hold")]
    >>> differences(srbench.compare(*results)).axes[0].get_ylabel()
    'spline − hold, dB'
    """
    require_plots()
    names = the_metrics(metrics)
    if ax is None:
        return _shown(_differences.draw_differences(comparison.document, comparison.runs, names))
    pairs = comparison.document["pairs"]
    _one(pairs, "pair of results")
    chosen = names or tuple(pairs[0]["metrics"])
    _one(chosen, "metric")
    with style():
        _differences.draw_pair(ax, comparison.document, comparison.runs, chosen[0])
    return _figure_of(ax)


def spectrogram(
    signals: Mapping[str, Any],
    rate: Rate,
    *,
    cutoff: float,
    reference: Any = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw the spectrograms of signals with one colour scale, 80 dB below the reference's peak.

    Parameters
    ----------
    signals : mapping of title to ndarray of floats, shape (n,)
    rate : int, in Hz
        Of all of them.
    cutoff : float, in Hz
        Half the low rate: a dashed line.
    reference : ndarray, shape (n,), optional
        Whose peak is 0 dB; by default the last signal's.
    ax : matplotlib Axes, optional
        Where to draw one signal; a new figure by default.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import srbench
    >>> utterance, reference, low = next(srbench.load_pairs("demo"))
    >>> raised = srbench.upscale(low, 4000, to=16000)
    >>> figure = spectrogram({"spline": raised, "reference": reference}, 16000, cutoff=2000)
    >>> [axes.get_title() for axes in figure.axes[:2]]
    ['spline', 'reference']
    """
    require_plots()
    made = _arrays(signals)
    whose = as_samples(reference, REFERENCE) if reference is not None else list(made.values())[-1]
    peak = _spectrogram.peak_db(whose, rate)
    panels = [_spectrogram.Panel(title, samples, rate) for title, samples in made.items()]
    top = float(rate) / 2
    if ax is None:
        return _shown(_spectrogram.draw_spectrograms(panels, peak, top, cutoff))
    _one(panels, "signal")
    with style():
        _spectrogram.draw_panel(ax, panels[0], peak, top, cutoff)
    return _figure_of(ax)


def spectrum(signals: Mapping[str, Any], rate: Rate, *, cutoff: float, ax: Axes | None = None) -> Figure:
    """Draw long-term average spectra, in dB below a sine of full scale.

    Parameters
    ----------
    signals : mapping of name to ndarray of floats, shape (n,)
        One is called ``"reference"``: its levels set the axis.
    rate : int, in Hz
        Of all of them.
    cutoff : float, in Hz
        Half the low rate: a dashed line.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import srbench
    >>> utterance, reference, low = next(srbench.load_pairs("demo"))
    >>> raised = srbench.upscale(low, 4000, to=16000)
    >>> spectrum({"spline": raised, "reference": reference}, 16000, cutoff=2000).axes[0].get_xlabel()
    'frequency (kHz)'
    """
    made = _arrays(signals)
    if REFERENCE not in made:
        raise SrbenchError(f"one of the signals must be called '{REFERENCE}': its levels set the axis")
    curves = {name: _spectrum.long_term_spectrum(samples, rate) for name, samples in made.items()}
    figure = _spectrum.draw_spectra(curves, float(rate) / 2, cutoff, axis=ax)
    return _shown(figure) if ax is None else figure


def lsd(reference: Any, estimates: Mapping[str, Any], rate: int, *, cutoff: float, ax: Axes | None = None) -> Figure:
    """Draw the log-spectral distance over frequency, one line per estimate.

    Parameters
    ----------
    reference : ndarray of floats, shape (n,)
    estimates : mapping of name to ndarray of floats, shape (n,)
    rate : int, in Hz
    cutoff : float, in Hz
        Half the low rate: a dashed line.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import srbench
    >>> utterance, reference, low = next(srbench.load_pairs("demo"))
    >>> raised = srbench.upscale(low, 4000, to=16000)
    >>> lsd(reference, {"spline": raised}, 16000, cutoff=2000).axes[0].get_ylabel()
    'LSD of the bin (log10 of power)'
    """
    whole = as_samples(reference, REFERENCE)
    curves = {name: _spectrum.lsd_over_frequency(whole, samples, rate) for name, samples in _arrays(estimates).items()}
    figure = _spectrum.draw_lsd(curves, rate / 2, cutoff, axis=ax)
    return _shown(figure) if ax is None else figure


def _arrays(signals: Mapping[str, Any]) -> dict[str, Samples]:
    if not isinstance(signals, Mapping) or not signals:
        raise SrbenchError("signals are a mapping of names to arrays, such as {'mine': estimate}")
    return {str(name): as_samples(samples, str(name)) for name, samples in signals.items()}


def _one(found: Sequence[Any], what: str) -> None:
    if len(found) != 1:
        raise SrbenchError(f"ax holds one {what}, not {len(found)}; leave ax out for a figure of all")


def _figure_of(ax: Axes) -> Figure:
    figure: Any = ax.get_figure()
    whole: Figure = figure
    return whole


def _shown(figure: Figure) -> Figure:
    """Return a figure that a notebook shows though pyplot did not make it."""
    drawn: Any = figure
    drawn._repr_png_ = partial(_png, figure)
    return figure


def _png(figure: Figure) -> bytes:
    content = io.BytesIO()
    with style():
        figure.savefig(content, format="png", dpi=100)
    return content.getvalue()
