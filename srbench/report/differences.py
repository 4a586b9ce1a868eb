"""The figure of a comparison: every utterance's difference, sorted, with the mean and its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from srbench.level import CI
from srbench.metrics import USUAL, get_metric
from srbench.report.figure import Look, looks, style
from srbench.report.headings import heading, number
from srbench.results.paired import differences
from srbench.run import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

_PANEL = (3.4, 2.7)  # inches
_TIE = Look("0.5", "solid", "X")


def draw_differences(document: Mapping[str, Any], runs: Sequence[Run], metrics: Sequence[str] | None = None) -> Figure:
    """Draw the differences of every pair of a comparison, a panel a metric.

    Each point is an utterance, coloured and shaped by who is better in it; the line is the mean, the band its 95 %
    interval, the broken line zero.

    Parameters
    ----------
    document : mapping
        From `srbench.results.compare_runs`.
    runs : sequence of Run
        That were compared, in the same order.
    metrics : sequence of str, optional
        In place of SNR, LSD, PESQ and ESTOI, as far as they were compared.

    Returns
    -------
    matplotlib.figure.Figure
        To be written by `srbench.report.figure.save`.
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    pairs, compared = document["pairs"], list(document["pairs"][0]["metrics"])
    chosen = list(metrics or [name for name in USUAL if name in compared] or compared[: len(USUAL)])
    columns = {1: 1, 2: 2, 4: 2 if len(pairs) == 1 else 4}.get(len(chosen), 3)
    rows = -(-len(chosen) // columns)
    tables, marks = _tables(document, runs), _marks(document)
    with style():
        figure = Figure(
            (_PANEL[0] * columns, _PANEL[1] * rows * len(pairs) + 0.5),
            layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.08),
        )
        axes = figure.subplots(rows * len(pairs), columns, squeeze=False)
        for row, pair in enumerate(pairs):
            panels = axes[row * rows : (row + 1) * rows].ravel()
            sides = {1: marks[pair["a"]], -1: marks[pair["b"]], 0: _TIE}
            for name, panel in zip(chosen, panels, strict=False):
                table = differences(tables[pair["a"]], tables[pair["b"]], name)
                _draw_panel(panel, pair, name, table, sides)
            for panel in panels[len(chosen) :]:
                panel.set_axis_off()
        legend = {**{f"{label} better": mark for label, mark in marks.items()}, "equal": _TIE}
        _draw_legend(figure, legend, f"{document['protocol']}, a point an utterance", 2 * columns)
    return figure


def draw_pair(panel: Axes, document: Mapping[str, Any], runs: Sequence[Run], metric: str) -> None:
    """Draw one metric of a comparison's first pair on an axis; see `draw_differences`."""
    pair, tables, marks = document["pairs"][0], _tables(document, runs), _marks(document)
    sides = {1: marks[pair["a"]], -1: marks[pair["b"]], 0: _TIE}
    _draw_panel(panel, pair, metric, differences(tables[pair["a"]], tables[pair["b"]], metric), sides)


def _tables(document: Mapping[str, Any], runs: Sequence[Run]) -> dict[str, Any]:
    return {told["label"]: run.columns for told, run in zip(document["runs"], runs, strict=True)}


def _marks(document: Mapping[str, Any]) -> dict[str, Look]:
    """Return the look of the points in which each is better."""
    labels = [told["label"] for told in document["runs"]]
    better = looks([f"{label} better" for label in labels])
    return {label: better[f"{label} better"] for label in labels}


def _draw_panel(panel: Axes, pair: Mapping[str, Any], name: str, table: DataFrame, sides: Mapping[int, Look]) -> None:
    import seaborn

    value, metric = pair["metrics"][name], get_metric(name)
    drawn = table[np.isfinite(table["difference"])].sort_values("difference", kind="stable")
    title = heading(name)
    if value[CI][0] is not None:
        panel.axhspan(*value[CI], color="0.85", linewidth=0, zorder=0)
        panel.axhline(value["mean_difference"], color="0.25", linewidth=1, zorder=1)
        mean, low, high = (number(v, f"+{metric.digits}") for v in (value["mean_difference"], *value[CI]))
        title += f"\nmean {mean} [{low}, {high}]".replace("-", "−")
    panel.axhline(0, color="0.25", linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    if drawn.empty:
        panel.text(0.5, 0.5, "no finite difference", transform=panel.transAxes, ha="center", va="bottom")
        panel.set_xticks([])
        panel.set_yticks([])
    else:
        seaborn.scatterplot(
            x=np.arange(1, len(drawn) + 1),
            y=drawn["difference"].to_numpy(),
            hue=drawn["favours"].to_numpy(),
            style=drawn["favours"].to_numpy(),
            palette={side: look.color for side, look in sides.items()},
            markers={side: look.marker for side, look in sides.items()},
            s=18,
            linewidth=0.3,
            legend=False,
            ax=panel,
        )
    panel.set_title(title)
    left_out = f" ({len(table) - len(drawn)} not finite)" if len(drawn) < len(table) else ""
    panel.set_xlabel(f"{len(drawn)} utterances, sorted{left_out}")
    unit = "" if metric.unit == "1" else f", {metric.unit}"
    panel.set_ylabel(f"{pair['a']} − {pair['b']}{unit}")
    seaborn.despine(ax=panel)


def _draw_legend(figure: Figure, marks: Mapping[str, Look], title: str, columns: int) -> None:
    from matplotlib.lines import Line2D

    figure.legend(
        [Line2D([], [], color=m.color, marker=m.marker, linestyle="", markersize=5) for m in marks.values()],
        [label for label in marks],
        title=title,
        loc="outside upper left",
        ncols=min(len(marks), columns),
        alignment="left",
        handletextpad=0.1,
    )
