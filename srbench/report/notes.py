"""What stands beside a mean in every table and page, and under the table: marks and footnotes, each sentence once."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence

from srbench.level import PERCENT, SIGNIFICANCE
from srbench.report.headings import deaf_above, heading
from srbench.results.board import Board, Row
from srbench.results.bootstrap import ONE_SPEAKER, too_few
from srbench.results.recheck import DIFFER
from srbench.results.standing import Standing, other_sets
from srbench.run import FLOOR
from srbench.run.basis import MEASURED

BELOW_FLOOR, ABOVE_CEILING = "†", "‡"
_NAMED = 5  # rows in a note


def mark(standing: Standing) -> str:
    """Return the mark of a mean: `BELOW_FLOOR` where the spline is not shown to be beaten, `ABOVE_CEILING` or ""."""
    if standing.floor in ("same", "worse"):
        return BELOW_FLOOR
    return ABOVE_CEILING if standing.ceiling == "above" else ""


def legend(marks: Collection[str], bold: bool, tested: bool = False) -> list[str]:
    """Return a line for each kind of mark that stands in a table.

    Parameters
    ----------
    marks : collection of str
    bold : bool
        Whether anything is bold.
    tested : bool
        Whether the marks rest on corrected p-values too, as those of `srbench compare`.
    """
    by = f"paired {PERCENT} interval" + (f" and p < {SIGNIFICANCE:g}, Holm" if tested else "")
    told = {
        BELOW_FLOOR: f"{BELOW_FLOOR} not shown to be better than the {FLOOR} ({by}).",
        ABOVE_CEILING: f"{ABOVE_CEILING} above the ceiling ({by}): worth a second look.",
    }
    best = f"Bold: the best mean, and those that are not shown to be worse ({by})."
    return [*([best] if bold else []), *(line for each, line in told.items() if each in marks)]


def few_units(units: Iterable[tuple[int, str]]) -> list[str]:
    """Say of each kind of what is resampled, where they are too few for an interval, how much it covers.

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


def interval_note(kinds: Collection[str], of: str = "utterances") -> str:
    """Say what a mean and its interval are of, and what the interval resamples."""
    resampled = f" ({', '.join(sorted(kinds))} resampled)" if kinds else ""
    return f"Mean over {of} and its {PERCENT} bootstrap interval{resampled}."


def footnotes(board: Board) -> list[str]:
    """Return what stands under a leaderboard, in every form of it, but for the warnings of its rows."""
    paired = [value.paired for row in board.rows for value in row.values.values()]
    notes = [interval_note({kind for row in board.rows for _, kind in row.resampled})]
    notes += legend({mark(each) for each in paired}, any(each.best == "yes" for each in paired))
    if any(row.anchor for row in board.rows):
        notes.append("ceiling: a perfect low band, nothing above it. reference: the reference against itself.")
    notes += _made(board) + _draws(board) + _limits(board)
    if any(value.n != row.n for row in board.rows for value in row.values.values()):
        notes.append("n= beside a value: only so many utterances have one.")
    return notes + _rechecks(board)


def one_speaker(board: Board) -> list[str]:
    """Say what intervals over the utterances of one speaker do not tell."""
    return [ONE_SPEAKER] if any(kind == "utterances" for row in board.rows for _, kind in row.resampled) else []


def deaf_notes(board: Board) -> list[str]:
    """Say which metrics hear less than the protocol's whole band."""
    heard: dict[float, list[str]] = {}
    for name in board.metrics:
        if (top := deaf_above(name, board.signature)) is not None:
            heard.setdefault(top, []).append(heading(name, with_unit=False))
    return [
        f"{' and '.join(names)}: deaf above {top / 1000:g} kHz." for top, names in sorted(heard.items(), reverse=True)
    ]


def _made(board: Board) -> list[str]:
    """Say of which rows srbench did not run who made the estimates."""
    made: dict[str, list[str]] = {}
    for row in board.rows:
        if row.behind and row.behind.made:
            made.setdefault(row.behind.made, []).append(row.name)
    return [f"{how.capitalize()}: {', '.join(names)}." for how, names in sorted(made.items())]


def _draws(board: Board) -> list[str]:
    """Say of rows that are means of several draws how many, and how the means over utterances spread."""
    return [
        f"{row.name}: mean of {count} draws with other seeds; standard deviation over the draws: {spread.strip()}."
        for row in board.rows
        if row.draws
        for count, _, spread in [row.draws.partition(":")]
    ]


def _limits(board: Board) -> list[str]:
    """Say what limits the comparison of a leaderboard's rows: other utterances, few units, runs not compared."""
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
    models = [each for each in board.rows if not each.anchor]
    return len(models) > 1 and any(
        not value.paired.best and value.n > 1 and math.isfinite(value.mean)
        for metric, value in row.values.items()
        if not row.anchor and row.name != FLOOR and len({m.values[metric].over for m in models}) == 1
    )


def _rechecks(board: Board) -> list[str]:
    """Return what is to be said of rows whose upscaler was not run again, or did not give the same again."""
    told = {row.name: row.rechecked for row in board.rows}
    kinds = {
        "Not computed again from the audio before it was published": [n for n, cell in told.items() if cell == "0"],
        "Only measured again, from the audio that it brought, and not run again": [
            name for name, cell in told.items() if MEASURED in cell and DIFFER not in cell
        ],
        "Rows computed again that differ": [f"{name} ({cell})" for name, cell in told.items() if DIFFER in cell],
    }
    return [f"{what}: {', '.join(names)}." for what, names in kinds.items() if names]
