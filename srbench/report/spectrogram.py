"""Spectrograms: a grid of one utterance by every upscaler, and bare images for pages that draw their own axes.

Frames of 32 ms every 8 ms (4 ms for the bare images) under a periodic Hann window, at any sample rate, so that
signals of different rates are drawn alike. Level 0 dB is a sine of full scale.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from srbench.audio import Rate, Samples
from srbench.errors import SrbenchError
from srbench.metrics import USUAL, Pair, get_metric, measure_all
from srbench.protocols import Protocol
from srbench.report.figure import LOW, REFERENCE, Upscaled, draw_cutoff, require_plots, style
from srbench.report.headings import heading, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

RANGE_DB = 80.0
SCORES = USUAL[:2]
_FRAME, _HOP, _FINE_HOP = 0.032, 0.008, 0.004  # seconds
_SILENCE_DB = -100.0  # no peak counts as lower, so that a silent reference is drawn dark
_MAP = "magma"  # perceptually uniform, and as monotonous in grey
_COLUMNS = 4
_IMAGE_WIDTH, _IMAGE_HEIGHT, _IMAGE_COLOURS = 640, 200, 32


@dataclass(frozen=True)
class Spectrogram:
    """Power over time and frequency.

    Attributes
    ----------
    power : ndarray, shape (bins, frames)
        1.0 is a sine of full scale. Bin k is centred on ``k * bin_hz``, frame t on ``t * hop`` seconds.
    bin_hz : float
    hop : float, in seconds
    seconds : float
        The signal's duration.
    """

    power: NDArray[np.float64]
    bin_hz: float
    hop: float
    seconds: float

    @property
    def db(self) -> NDArray[np.float64]:
        """The level in dB, -200 dB at the least."""
        return 10 * np.log10(np.maximum(self.power, 1e-20))

    @property
    def hertz(self) -> NDArray[np.float64]:
        """The bins' centres in Hz."""
        return self.bin_hz * np.arange(len(self.power), dtype=np.float64)


def spectrogram(samples: Samples, rate: Rate, hop: float = _HOP) -> Spectrogram:
    """Return the power spectrogram of a signal.

    Parameters
    ----------
    samples : ndarray, shape (n,)
    rate : int or Fraction, in Hz
    hop : float, in seconds

    Raises
    ------
    SrbenchError
        If the signal is shorter than half a frame.
    """
    from scipy.signal import ShortTimeFFT

    size = max(2, round(_FRAME * rate))
    step = max(1, round(hop * rate))
    if len(samples) < math.ceil(size / 2):
        raise SrbenchError(f"{len(samples)} samples at {float(rate):g} Hz are too short for a spectrogram")
    window = np.hanning(size + 1)[:-1] / (size / 4)  # sums to 2: a sine is one of two lines
    transform = ShortTimeFFT(window, step, float(rate))
    frames = transform.stft(samples, p0=0, p1=math.ceil(len(samples) / step))
    power = frames.real**2 + frames.imag**2
    return Spectrogram(power, float(rate) / size, step / float(rate), len(samples) / float(rate))


def peak_db(samples: Samples, rate: Rate) -> float:
    """Return the highest level of a signal's spectrogram in dB, -100 dB at the least."""
    return max(_SILENCE_DB, float(spectrogram(samples, rate).db.max()))


class Panel(NamedTuple):
    """One signal of a grid."""

    title: str
    samples: Samples
    rate: Rate


def utterance_panels(made: Upscaled, protocol: Protocol) -> tuple[list[Panel], dict[str, dict[str, float]]]:
    """Return the panels of one utterance, and the SNR and LSD that stand in their titles, by upscaler.

    The low-resolution signal is first and the reference last. A metric that is undefined for the utterance (a silent
    reference) is left out.
    """
    panels = [Panel(f"{LOW}, {float(protocol.low_rate) / 1000:.4g} kHz", made.low, protocol.low_rate)]
    scores = {}
    definitions = protocol.define_metrics(SCORES)
    for name, estimate in made.estimates.items():
        pair = Pair(made.reference, estimate, protocol.high_rate, protocol.cutoff)
        values, _ = measure_all(pair, definitions)
        scores[name] = values
        told = ", ".join(_told(metric, values.get(metric)) for metric in SCORES)
        panels.append(Panel(f"{name}\n{told}", estimate, protocol.high_rate))
    panels.append(Panel(f"{REFERENCE}, {protocol.high_rate / 1000:.4g} kHz", made.reference, protocol.high_rate))
    return panels, scores


def draw_spectrograms(
    panels: Sequence[Panel],
    peak: float,
    top_hz: float,
    cutoff: float,
    *,
    title: str = "",
    span: tuple[float, float] | None = None,
) -> Figure:
    """Draw spectrograms in a grid, with one colour scale: 80 dB below the reference's peak.

    Parameters
    ----------
    panels : sequence of Panel
    peak : float, in dB
        Of the reference, from `peak_db`.
    top_hz : float
        Upper end of the frequency axes; half the high rate.
    cutoff : float, in Hz
    title : str
    span : (float, float), in seconds, optional
        The stretch to show, in place of all.

    Returns
    -------
    matplotlib.figure.Figure
        Frequency upwards in kHz, time to the right in seconds.
    """
    require_plots()
    from matplotlib.figure import Figure

    rows = math.ceil(len(panels) / _COLUMNS)
    columns = math.ceil(len(panels) / rows)
    with style():
        figure = Figure(figsize=(2.5 * columns + 0.8, 2.6 * rows + 0.4), layout="constrained")
        grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for place, (axis, panel) in enumerate(zip(grid, panels, strict=False)):
            made, image = draw_panel(axis, panel, peak, top_hz, cutoff)
            axis.set_xlim(span or (0, made.seconds))
            axis.set(xlabel="", ylabel="")
            if place % columns == 0:
                axis.set_ylabel("frequency (kHz)")
            if place + columns >= len(panels):
                axis.set_xlabel("time (s)")
                axis.tick_params(labelbottom=True)  # also above an empty place of the last row
        for axis in grid[len(panels) :]:
            axis.set_visible(False)
        figure.colorbar(image, ax=list(grid), label="dB from the reference's peak", fraction=0.03, aspect=15 * rows)
        figure.suptitle(title)
    return figure


def draw_panel(axis: Axes, panel: Panel, peak: float, top_hz: float, cutoff: float) -> tuple[Spectrogram, AxesImage]:
    """Draw one signal on an axis, in dB from a peak, and return what was drawn; see `draw_spectrograms`."""
    made = spectrogram(panel.samples, panel.rate)
    image = axis.imshow(
        made.db - peak,
        origin="lower",
        aspect="auto",
        cmap=_MAP,
        vmin=-RANGE_DB,
        vmax=0,
        extent=_extent(made),
        interpolation="nearest",
    )
    axis.set_facecolor("black")  # above what a low-resolution signal can hold
    draw_cutoff(axis, cutoff, color="white")
    axis.set_title(panel.title)
    axis.set(xlim=(0, made.seconds), ylim=(0, top_hz / 1000), xlabel="time (s)", ylabel="frequency (kHz)")
    return made, image


def write_spectrogram_png(
    samples: Samples, rate: Rate, top_hz: float, peak_db: float, path: str | Path
) -> tuple[float, float]:
    """Write a bare spectrogram, for a page that draws the axes itself.

    The picture spans exactly 0 to ``top_hz`` upwards and the whole signal to the right; its edges are those values,
    not the centres of the outer pixels. It is 200 pixels high and at most 640 wide (a pixel is at least 4 ms), of 32
    colours: magma, from 80 dB below ``peak_db`` to ``peak_db``. What a signal of lower rate cannot hold is black.

    Parameters
    ----------
    samples : ndarray, shape (n,)
    rate : int or Fraction, in Hz
    top_hz : float
        Upper edge; give all pictures of an utterance the same, half the high rate.
    peak_db : float
        Of the reference, from the function `peak_db`: one colour scale for all pictures of an utterance.
    path : path
        Of a PNG file.

    Returns
    -------
    top_hz, seconds : float
        The picture's upper and right edges.

    Raises
    ------
    SrbenchError
        If the signal is too short, or matplotlib is absent.
    """
    require_plots()
    from matplotlib import colormaps
    from PIL import Image

    made = spectrogram(samples, rate, _FINE_HOP)
    bins, frames = made.power.shape
    up = _shares(_IMAGE_HEIGHT, top_hz, bins, made.bin_hz)
    right = _shares(min(_IMAGE_WIDTH, frames), made.seconds, frames, made.hop)
    level = 10 * np.log10(np.maximum(up @ made.power @ right.T, 1e-20)) - peak_db
    steps = np.rint((_IMAGE_COLOURS - 1) * np.clip(level / RANGE_DB + 1, 0, 1)).astype(np.uint8)
    image = Image.fromarray(np.ascontiguousarray(steps[::-1]))
    colours = colormaps[_MAP](np.linspace(0, 1, _IMAGE_COLOURS), bytes=True)[:, :3]
    image.putpalette(colours.tobytes())
    image.save(path, format="PNG", optimize=True)
    return top_hz, made.seconds


def _shares(pixels: int, end: float, cells: int, width: float) -> NDArray[np.float64]:
    """Return the share of each cell in each pixel, shape (pixels, cells), rows summing to 1 (to 0 past the cells).

    Pixels divide 0 to ``end`` evenly; cell k reaches half a ``width`` to both sides of ``k * width``.
    """
    edges = np.linspace(0, end, pixels + 1)[:, None]
    centres = width * np.arange(cells)
    overlap = np.minimum(edges[1:], centres + width / 2) - np.maximum(edges[:-1], centres - width / 2)
    return np.asarray(np.maximum(overlap, 0) / (end / pixels), dtype=np.float64)


def _extent(made: Spectrogram) -> tuple[float, float, float, float]:
    """Return where the picture's edges lie, in seconds and kHz, so that the pixels' centres lie on frames and bins."""
    bins, frames = made.power.shape
    khz = made.bin_hz / 1000
    return -made.hop / 2, (frames - 0.5) * made.hop, -khz / 2, (bins - 0.5) * khz


def _told(metric: str, value: float | None) -> str:
    known = get_metric(metric)
    unit = "" if known.unit == "1" or value is None else f" {known.unit}"
    return f"{heading(metric, with_unit=False)} {number(value, known.digits)}{unit}"
