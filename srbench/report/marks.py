"""What stands beside a mean in every table and page: no better than the spline, above the ceiling, the best."""

from __future__ import annotations

import math

from srbench.metrics import get_metric
from srbench.report.headings import number
from srbench.results.board import Board, Row
from srbench.run import FLOOR

BELOW_FLOOR, ABOVE_CEILING = "†", "‡"
CEILING = "ceiling"
_HAS_CEILING = ("snr", "si_sdr")  # a perfect low band with nothing above it has the most of these


def mark(metric: str, mean: float, floor: float, ceiling: float) -> str:
    """Return the mark of a model's mean: `BELOW_FLOOR`, `ABOVE_CEILING` or "".

    Parameters
    ----------
    metric : str
    mean, floor, ceiling : float
        Of the model, the spline and the ceiling; NaN where there is none, which marks nothing.
    """
    higher = get_metric(metric).better == "higher"
    if mean <= floor if higher else mean >= floor:
        return BELOW_FLOOR
    return ABOVE_CEILING if metric in _HAS_CEILING and mean > ceiling else ""


def mark_in(board: Board, row: Row, metric: str) -> str:
    """Return the mark of a row's mean; the spline and the anchors have none, nor has one of other utterances."""
    if row.name == FLOOR or row.facts["kind"] != "model":
        return ""
    value = row.values[metric]
    floor, ceiling = (
        other.values[metric].mean
        if other and other.facts["kind"] in kinds and other.values[metric].n == value.n
        else math.nan
        for other, kinds in ((board.row(FLOOR), ("model", "anchor")), (board.row(CEILING), ("anchor",)))
    )
    return mark(metric, value.mean, floor, ceiling)


def is_best(board: Board, row: Row, metric: str) -> bool:
    """Tell whether no other model over as many utterances prints a better mean; one model alone is not the best."""
    models = [each.values[metric] for each in board.rows if each.facts["kind"] == "model"]
    most = max((value.n for value in models), default=0)
    means = [value.mean for value in models if value.n == most and not math.isnan(value.mean)]
    value = row.values[metric]
    if row.facts["kind"] != "model" or value.n != most or len(models) < 2 or not means:
        return False
    definition = get_metric(metric)
    best = (max if definition.better == "higher" else min)(means)
    return number(value.mean, definition.digits) == number(best, definition.digits)
