"""A paper's table as a value: systems as rows, a group of metric columns for each protocol.

It is made of leaderboards, of runs (`srbench.results.verdicts`) or of a file. `srbench.report.paper_formats` writes it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from srbench.errors import SrbenchError, known_name
from srbench.metrics import get_metric
from srbench.report.headings import core_metrics, deaf_above, number
from srbench.report.notes import interval_note, legend, mark
from srbench.results.board import Board, Row, Value
from srbench.results.literature import Published
from srbench.signature import parse, short

INTERVALS = ("none", "pm", "brackets")
BEST = ("significant", "mean", "none")
REPORTED, ANCHORS = "Reported by others, not measured here", "Anchors"
_FINEST = 20  # steps of the last digit in half an interval: finer digits mean nothing


@dataclass(frozen=True)
class Choices:
    """What the writer of a table chooses.

    Attributes
    ----------
    metrics : sequence of str
        In the order of the columns; empty for the few that srbench shows by itself.
    order : sequence of str
        The systems that come first, in this order.
    labels : mapping of a system's, metric's or protocol's name to what is printed
    intervals : {"none", "pm", "brackets"}
        ``pm`` prints half the interval's width.
    digits : mapping of metric name to how many decimals
    best : {"significant", "mean", "none"}
        What is bold: the best and those that are not shown to be worse; the best mean alone; nothing.
    anchors : bool
        Whether the anchors are shown.
    """

    metrics: Sequence[str] = ()
    order: Sequence[str] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    intervals: str = "brackets"
    digits: Mapping[str, int] = field(default_factory=dict)
    best: str = "significant"
    anchors: bool = False


@dataclass(frozen=True)
class Column:
    """A metric of one protocol."""

    metric: str
    title: str
    group: int


@dataclass(frozen=True)
class Cell:
    """One value, ready to print; ``value`` is what it was made of, None for a number that somebody else printed."""

    mean: str
    interval: str = ""
    bold: bool = False
    mark: str = ""
    value: Value | None = None


@dataclass(frozen=True)
class Line:
    """A system: its label, the section it stands in ("" for the first), and a cell for each column."""

    label: str
    section: str
    cells: tuple[Cell | None, ...]
    n: tuple[int, ...] = ()


@dataclass(frozen=True)
class PaperTable:
    """A table: protocols, the titles of their groups of columns, columns, lines, caption, and the notes below.

    ``first`` heads the column of the lines' labels.
    """

    protocols: tuple[str, ...]
    groups: tuple[str, ...]
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    caption: str
    notes: tuple[str, ...]
    first: str = "System"


def paper_table(
    boards: Sequence[Board], choices: Choices, reported: Sequence[Published] = (), *, tested: bool = False
) -> PaperTable:
    """Make a table.

    Parameters
    ----------
    boards : sequence of Board
        A group of columns each.
    choices : Choices
    reported : sequence of Published
        Numbers that others printed, of these protocols; they get a section of their own and no mark.
    tested : bool
        Whether the marks rest on corrected p-values too (`srbench.results.verdicts`), which the notes then say.

    Raises
    ------
    SrbenchError
        If a board has no row, none of the metrics, or a name in the choices is none of the table's.
    """
    columns: list[Column] = []
    for place, board in enumerate(boards):
        columns += [Column(name, title(name, choices.labels), place) for name in _metrics(board, choices)]
    rows = {name: [board.row(name) for board in boards] for name in _systems(boards, choices)}
    lines = []
    for name, found in rows.items():
        first = next(row for row in found if row is not None)
        cells = tuple(_cell(boards, found, column, choices) for column in columns)
        counts = tuple(0 if row is None else row.n for row in found)
        lines.append(Line(choices.labels.get(name, name), ANCHORS if first.anchor else "", cells, counts))
    lines += _reported(boards, columns, reported, choices)
    lines = sorted(lines, key=lambda line: ("", ANCHORS, REPORTED).index(line.section))
    protocols, groups = zip(*((board.protocol, _group(board, boards, choices)) for board in boards), strict=True)
    return PaperTable(
        protocols,
        groups,
        tuple(columns),
        tuple(lines),
        _caption(boards),
        _notes(boards, columns, lines, choices, tested),
    )


def title(metric: str, labels: Mapping[str, str] | None = None) -> str:
    """Return the heading of a metric's column: unit or convention in brackets, and an arrow to better."""
    found = get_metric(metric)
    arrow = "↑" if found.better == "higher" else "↓"
    if labels and metric in labels:
        return f"{labels[metric]} {arrow}"
    aside = found.unit if found.unit not in ("1", "MOS") else ""
    if found.family in ("lsd", "lsd_band") and found.convention not in found.label.split():
        aside = found.convention or get_metric("lsd").convention
    return f"{found.label} ({aside}) {arrow}" if aside else f"{found.label} {arrow}"


def _metrics(board: Board, choices: Choices) -> tuple[str, ...]:
    if not board.rows:
        raise SrbenchError(f"{board.protocol}: the leaderboard has no row")
    chosen = tuple(choices.metrics) or core_metrics(board.metrics, board.signature)
    for name in chosen:
        if name not in board.metrics:
            raise SrbenchError(f"{board.protocol}: has no {name}, only {', '.join(board.metrics)}")
    return chosen


def _systems(boards: Sequence[Board], choices: Choices) -> list[str]:
    rows = [row for board in boards for row in board.rows if choices.anchors or not row.anchor]
    if not rows:
        raise SrbenchError("there is no system, only anchors: show them with --anchors")
    names = list(dict.fromkeys(row.name for row in rows))
    first = [name if name in names else known_name("system", name, names) for name in choices.order]
    known = {*names, *(board.protocol for board in boards), *(name for board in boards for name in board.metrics)}
    for name in choices.labels:
        if name not in known:
            known_name("label's name", name, known)
    return list(dict.fromkeys([*first, *names]))


def _cell(boards: Sequence[Board], found: Sequence[Row | None], column: Column, choices: Choices) -> Cell | None:
    row = found[column.group]
    value = row.values.get(column.metric) if row is not None else None
    if row is None or value is None:
        return None
    if math.isnan(value.mean):
        return Cell("–", value=value)
    board = boards[column.group]
    digits = _digits(board, column.metric, choices)
    half = (value.high - value.low) / 2
    interval = ""
    if choices.intervals != "none" and math.isfinite(half):
        low, high = number(value.low, digits), number(value.high, digits)
        interval = f"± {number(half, digits)}" if choices.intervals == "pm" else f"[{low}, {high}]"
    return Cell(
        number(value.mean, digits), interval, _bold(board, row, column.metric, choices), mark(value.paired), value
    )


def _bold(board: Board, row: Row, metric: str, choices: Choices) -> bool:
    models = [each for each in board.rows if not each.anchor]
    if row.anchor or len(models) < 2 or choices.best == "none":
        return False
    if choices.best == "significant":
        told = [each.values[metric].paired.best for each in models]
        return row.values[metric].paired.best == "yes" and "no" in told  # where all tie, bold would say nothing
    means = [each.values[metric].mean for each in models if not math.isnan(each.values[metric].mean)]
    return row.values[metric].mean == (max if get_metric(metric).better == "higher" else min)(means)


def _digits(board: Board, metric: str, choices: Choices) -> str:
    """Return a format: as many digits as are asked for, else the metric's, and with ± none that means nothing."""
    kind = get_metric(metric).digits
    if metric in choices.digits:
        return f".{choices.digits[metric]}{kind[-1]}"
    decimals = int(kind[1:-1])
    if choices.intervals == "pm":
        values = [row.values[metric] for row in board.rows]
        decimals = min([decimals, *(_meant(value, kind[-1]) for value in values if value.high > value.low)])
    return f".{decimals}{kind[-1]}"


def _meant(value: Value, kind: str) -> int:
    """Return how many decimals mean something beside half an interval, printed as ``f`` or as ``e``."""
    finest = (value.high - value.low) / 2 / _FINEST
    if not math.isfinite(finest) or (kind == "e" and value.mean == 0):
        return 99
    shift = math.floor(math.log10(abs(value.mean))) if kind == "e" else 0
    return max(0, math.floor(shift - math.log10(finest)))


def _group(board: Board, boards: Sequence[Board], choices: Choices) -> str:
    """Return the title of a protocol's columns: its rates where they tell the protocols apart, else its name."""
    if board.protocol in choices.labels:
        return choices.labels[board.protocol]
    told = [_rates(each) for each in boards]
    return _rates(board) if _rates(board) and len(set(told)) == len(told) else board.protocol


def _rates(board: Board) -> str:
    fields = dict(parse(board.signature).fields) if board.signature else {}
    if not {"low", "high"} <= fields.keys():
        return ""
    above, _, below = fields["low"].partition("/")
    return f"{float(above) / float(below or 1) / 1000:.4g} to {float(fields['high']) / 1000:.4g} kHz"


def _caption(boards: Sequence[Board]) -> str:
    told = []
    for board in boards:
        row = max(board.rows, key=lambda each: each.n)
        of = f" of {row.expected}" if row.n != row.expected else ""
        told.append(f"{board.protocol} (n = {row.n}{of}, {short(board.signature)})")
    return f"srbench: {'; '.join(told)}."


def _reported(
    boards: Sequence[Board], columns: Sequence[Column], reported: Sequence[Published], choices: Choices
) -> list[Line]:
    """Return a line for each system of each paper that has a number under a column."""
    found: dict[tuple[str, str], dict[int, Cell]] = {}
    for place, column in enumerate(columns):
        for each in reported:
            same = each.protocol == boards[column.group].protocol and each.metric == column.metric
            if same and each.value is not None:
                printed = each.printed if not each.erratum else f"{each.value:.4g}"
                found.setdefault((each.system, each.paper), {})[place] = Cell(printed)
    return [
        Line(f"{choices.labels.get(system, system)} ({paper})", REPORTED, tuple(map(cells.get, range(len(columns)))))
        for (system, paper), cells in found.items()
    ]


def _notes(
    boards: Sequence[Board], columns: Sequence[Column], lines: Sequence[Line], choices: Choices, tested: bool
) -> tuple[str, ...]:
    cells = [cell for line in lines for cell in line.cells if cell is not None]
    notes = []
    if choices.intervals != "none" and any(cell.interval for cell in cells):
        notes.append(interval_note({kind for board in boards for row in board.rows for _, kind in row.resampled}))
    bold = any(cell.bold for cell in cells)
    if bold and choices.best == "mean":
        notes.append("Bold: the best mean, whether or not a difference is shown.")
    standings = [cell.value.paired.best for cell in cells if cell.value is not None]
    if choices.best == "significant" and len(lines) > 1 and not any(standings):
        notes.append(
            "No marks: these rows were not compared. Give the folders of their runs, or publish them together."
        )
    notes += legend({cell.mark for cell in cells}, bold and choices.best == "significant", tested)
    deaf = [column for column in columns if deaf_above(column.metric, boards[column.group].signature) is not None]
    for metric in dict.fromkeys(column.metric for column in deaf):
        board = boards[next(column.group for column in deaf if column.metric == metric)]
        top = deaf_above(metric, board.signature) or 0.0
        notes.append(f"{get_metric(metric).label} hears nothing above {top / 1000:g} kHz.")
    if any(line.section == REPORTED for line in lines):
        notes.append("Reported numbers stand as they were printed, known errata corrected. They are not compared.")
    signatures = {
        f"{get_metric(column.metric).label}: {short(row.values[column.metric].signature)}": None
        for column in columns
        for row in boards[column.group].rows[:1]
    }
    return (*notes, f"Definitions ('srbench signature' gives the whole text): {', '.join(signatures)}.")
