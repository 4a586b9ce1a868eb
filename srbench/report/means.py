"""Means with their intervals as dots, and two metrics against each other: figures of a leaderboard."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from srbench.errors import SrbenchError
from srbench.level import PERCENT
from srbench.report.figure import looks, style
from srbench.report.headings import heading
from srbench.results.board import Board, Row, Value

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PANEL, _LINE = 2.6, 0.28  # inches: a panel's width, and the height that a system takes


@dataclass(frozen=True)
class Sizes:
    """How a figure is to look in a paper: its width in inches, None for its own; its title; other names."""

    width: float | None = None
    title: bool = True
    labels: Mapping[str, str] = field(default_factory=dict)


def draw_means(board: Board, metrics: Sequence[str], sizes: Sizes) -> Figure:
    """Draw each system's mean as a dot on its interval: a panel for each metric, the systems in rows.

    Parameters
    ----------
    board : Board
    metrics : sequence of str
    sizes : Sizes

    Raises
    ------
    SrbenchError
        If the leaderboard has no finite value of a metric.
    """
    rows = board.rows
    found = looks([row.name for row in rows])
    with style():
        from matplotlib.figure import Figure

        width = sizes.width or 1.2 + _PANEL * len(metrics)
        figure = Figure(figsize=(width, 0.9 + _LINE * len(rows)), layout="constrained")
        panels = figure.subplots(1, len(metrics), squeeze=False, sharey=True)[0]
        for panel, metric in zip(panels, metrics, strict=True):
            values = [(place, row, _finite(row, metric)) for place, row in enumerate(rows)]
            if not any(value for _, _, value in values):
                raise SrbenchError(f"{board.protocol}: no system has a finite {metric} to draw")
            for place, row, value in values:
                if value is not None:
                    look = found[row.name]
                    panel.errorbar(
                        [value.mean],
                        [place],
                        xerr=_reach(value),
                        fmt=look.marker or "o",
                        color=look.color,
                        capsize=2,
                        markersize=4.5,
                    )
            panel.set_xlabel(heading(metric))
            panel.grid(axis="x", color="0.9")
            panel.set_axisbelow(True)
        panels[0].set_yticks(range(len(rows)), [sizes.labels.get(row.name, row.name) for row in rows])
        panels[0].invert_yaxis()
        if sizes.title:
            figure.suptitle(_title(board))
    return figure


def draw_tradeoff(board: Board, x: str, y: str, sizes: Sizes) -> Figure:
    """Draw one metric against another, a marker for each system with the intervals of both.

    Parameters
    ----------
    board : Board
    x, y : str
        Metrics.
    sizes : Sizes

    Raises
    ------
    SrbenchError
        If no system has both.
    """
    both = [(row, _finite(row, x), _finite(row, y)) for row in board.rows]
    if not any(a and b for _, a, b in both):
        raise SrbenchError(f"{board.protocol}: no system has a finite {x} and {y} to draw")
    found = looks([row.name for row in board.rows])
    with style():
        from matplotlib.figure import Figure

        width = sizes.width or 4.5
        figure = Figure(figsize=(width, 0.8 * width), layout="constrained")
        panel = figure.subplots()
        for row, across, up in both:
            if across is None or up is None:
                continue
            look = found[row.name]
            panel.errorbar(
                [across.mean],
                [up.mean],
                xerr=_reach(across),
                yerr=_reach(up),
                fmt=look.marker or "o",
                color=look.color,
                capsize=2,
                markersize=5,
                label=sizes.labels.get(row.name, row.name),
            )
        panel.set_xlabel(heading(x))
        panel.set_ylabel(heading(y))
        panel.grid(color="0.9")
        panel.set_axisbelow(True)
        figure.legend(loc="outside lower center", ncols=max(1, int(width // 1.4)))  # beside the axes: it hides no point
        if sizes.title:
            figure.suptitle(_title(board))
    return figure


def _title(board: Board) -> str:
    row = max(board.rows, key=lambda each: each.n)
    of = "" if row.n == row.expected else f" of {row.expected}"
    return f"{board.protocol}: means over {row.n}{of} utterances, {PERCENT} intervals"


def _finite(row: Row, metric: str) -> Value | None:
    value = row.values.get(metric)
    return value if value is not None and math.isfinite(value.mean) else None


def _reach(value: Value) -> list[list[float]] | None:
    """Return the lengths of an interval to both sides of the mean, None where there is none."""
    if not math.isfinite(value.high - value.low):
        return None
    return [[value.mean - value.low], [value.high - value.mean]]
