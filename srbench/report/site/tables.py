"""A leaderboard as the page shows it: columns, and lines of cells with their marks."""

from __future__ import annotations

import math
from dataclasses import dataclass

from srbench.metrics import get_metric
from srbench.report.headings import count, deaf_above, heading, number
from srbench.report.notes import mark
from srbench.results.board import Board, Row, Value


@dataclass(frozen=True)
class Column:
    """One metric: how it is headed, which way is better, and what it is."""

    metric: str
    heading: str
    title: str
    better: str
    signature: str
    deaf_above: str


@dataclass(frozen=True)
class Cell:
    """One mean. ``sort`` is what scripts compare, "" where there is no value; ``n`` is told where it is not the row's.

    ``mark`` is one of `srbench.report.notes` or "".
    """

    metric: str
    text: str
    interval: str
    sort: str
    mark: str
    best: bool
    n: str


@dataclass(frozen=True)
class Line:
    """One upscaler or anchor: its row, and what stands in the cells."""

    row: Row
    cells: tuple[Cell, ...]
    n: str
    parameters: str


def columns(board: Board) -> list[Column]:
    """Return a leaderboard's columns; the signatures are the same in every row."""
    found = []
    for name, value in (board.rows[0].values if board.rows else {}).items():
        metric = get_metric(name)
        top = deaf_above(name, board.signature)
        deaf = "" if top is None else f"{top / 1000:g} kHz"
        found.append(Column(name, heading(name), metric.title, metric.better, value.signature, deaf))
    return found


def lines(board: Board) -> list[Line]:
    """Return a leaderboard's lines: models, the best by the first metric first, then the anchors.

    Marks are those that the paired comparison of the runs gave when they were published.
    """
    made = [_line(row) for row in board.rows]
    first = board.metrics[0] if board.metrics else ""
    sign = -1 if first and get_metric(first).better == "higher" else 1

    def place(pair: tuple[Row, Line]) -> tuple[bool, bool, float]:
        mean = pair[0].values[first].mean if first else 0.0
        return pair[0].anchor, math.isnan(mean), sign * mean

    return [line for _, line in sorted(zip(board.rows, made, strict=True), key=place)]


def text(metric: str, value: float) -> str:
    """Return a value to its metric's digits; a dash for NaN."""
    return number(None if math.isnan(value) else float(value), get_metric(metric).digits)


def interval(metric: str, value: Value) -> str:
    """Return the interval as ``[low, high]``, "" where there is none."""
    if math.isnan(value.low) or math.isnan(value.high):
        return ""
    return f"[{text(metric, value.low)}, {text(metric, value.high)}]"


def sort_key(value: float) -> str:
    """Return a number as JavaScript's ``Number`` reads it, "" for NaN."""
    if math.isnan(value):
        return ""
    return repr(float(value)).replace("inf", "Infinity")


def _line(row: Row) -> Line:
    cells = []
    for metric, value in row.values.items():
        n = "" if row.n == value.n else str(value.n)
        shown, best = text(metric, value.mean), value.paired.best == "yes"
        cells.append(Cell(metric, shown, interval(metric, value), sort_key(value.mean), mark(value.paired), best, n))
    parameters = "–" if row.num_parameters is None else f"{row.num_parameters:,}"
    return Line(row, tuple(cells), count(row), parameters)
