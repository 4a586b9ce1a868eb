"""What stands beside a mean in every table and page, and under the table: marks, and what limits the comparison."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence

from srbench.report.headings import heading
from srbench.results.board import Board, Row
from srbench.results.bootstrap import too_few
from srbench.results.standing import Standing, other_sets
from srbench.run import FLOOR

BELOW_FLOOR, ABOVE_CEILING = "†", "‡"
_NAMED = 5  # rows in a note


def mark(standing: Standing) -> str:
    """Return the mark of a mean: `BELOW_FLOOR` where the spline is not shown to be beaten, `ABOVE_CEILING` or ""."""
    if standing.floor in ("same", "worse"):
        return BELOW_FLOOR
    return ABOVE_CEILING if standing.ceiling == "above" else ""


def legend(marks: Collection[str], bold: bool) -> list[str]:
    """Return a line for each kind of mark that stands in a table."""
    told = {
        BELOW_FLOOR: f"{BELOW_FLOOR} not shown to be better than the {FLOOR} (paired 95 % interval).",
        ABOVE_CEILING: f"{ABOVE_CEILING} above the ceiling (paired 95 % interval): worth a second look.",
    }
    best = ["Bold: the best mean, and those that are not shown to be worse (paired 95 % interval)."] if bold else []
    return [*best, *(line for each, line in told.items() if each in marks)]


def few_units(units: Iterable[tuple[int, str]]) -> list[str]:
    """Say of each kind of what is resampled, where they are too few for a 95 % interval, how much it covers.

    Parameters
    ----------
    units : iterable of (number, ``speakers`` or ``utterances``)
        Of the least number of a kind it is said.
    """
    least: dict[str, int] = {}
    for number, kind in units:
        least[kind] = min(number, least.get(kind, number))
    return [few for kind, number in sorted(least.items()) if (few := too_few(number, kind))]


def sets_note(names: Sequence[str], overs: Sequence[Mapping[str, str]]) -> str:
    """Say which columns of a table hold means over other utterances than the rest; "" where none does.

    Parameters
    ----------
    names : sequence of str
    overs : sequence of mapping of metric name to the set of utterances
        As `srbench.results.aggregate.Aggregate.over` names it.
    """
    of_names: dict[str, list[str]] = {}
    for metric, columns in other_sets(overs).items():
        told = ", ".join(names[k] for k in columns)
        of_names.setdefault(told, []).append(heading(metric, with_unit=False))
    if not of_names:
        return ""
    every = len(overs[0])
    parts = [f"{told} ({', '.join(m) if len(m) < every else 'all metrics'})" for told, m in of_names.items()]
    return f"Means over different utterances do not compare, and carry no marks: {'; '.join(parts)}."


def board_notes(board: Board) -> list[str]:
    """Return what limits the comparison of a leaderboard's rows: other utterances, few units, runs not compared."""
    overs = [{metric: value.over for metric, value in row.values.items()} for row in board.rows]
    if not all(over for each in overs for over in each.values()):  # rows of version 0.1.0 tell how many only
        overs = [{metric: str(value.n) for metric, value in row.values.items()} for row in board.rows]
    notes = [sets_note([row.name for row in board.rows], overs)]
    notes += few_units(unit for row in board.rows for unit in row.resampled if unit[0])
    apart = [row.name for row in board.rows if _apart(board, row)]
    if apart:
        told = ", ".join(apart[:_NAMED]) + (f" and {len(apart) - _NAMED} more" if len(apart) > _NAMED else "")
        notes.append(f"No marks where runs were not compared: publish them together ({told}).")
    return [note for note in notes if note]


def _apart(board: Board, row: Row) -> bool:
    """Tell whether a mark is absent because the runs were not at hand, not because they do not compare."""
    models = [each for each in board.rows if each.facts["kind"] == "model"]
    return len(models) > 1 and any(
        not value.paired.best and value.n > 1 and math.isfinite(value.mean)
        for metric, value in row.values.items()
        if row in models and row.name != FLOOR and len({m.values[metric].over for m in models}) == 1
    )
