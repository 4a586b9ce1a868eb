"""The leaderboard as a table in the terminal."""

from __future__ import annotations

from typing import Any

from srbench.metrics import get_metric
from srbench.report.console import escaped, open_console, print_faults
from srbench.report.headings import count, heading, number, with_short
from srbench.report.notes import deaf_notes, footnotes, mark, one_speaker
from srbench.results.aggregate import aggregation
from srbench.results.board import Board, Row, plain

_FIRST, _COLUMN = 20, 23  # widths in characters


def print_leaderboard(board: Board) -> None:
    """Print the leaderboard of some runs: metrics down, upscalers across, anchors last.

    Each cell holds the mean over utterances and, below it, its interval. Marks come from paired comparisons: the
    best mean, what is not shown to beat the spline, an SNR or SI-SDR above the low-band ceiling.
    """
    from rich.table import Table
    from rich.text import Text

    board = escaped(board)
    rows = board.rows
    console = open_console(_FIRST + _COLUMN * len(rows))
    title = board.setting.title if board.setting else ""
    console.print(f"\n{board.protocol}  {title}", soft_wrap=True, style="bold", markup=False)
    for note in board.setting.notes if board.setting else ():
        console.print(note, soft_wrap=True, style="yellow", markup=False)
    columns = max(1, (console.width - _FIRST) // _COLUMN)
    for start in range(0, len(rows), columns):
        table = Table(show_lines=False, pad_edge=False)
        table.add_column("metric", no_wrap=True, min_width=_FIRST - 4)
        shown = rows[start : start + columns]
        for row in shown:
            style = "dim" if row.anchor else ""
            table.add_column(Text(row.name), justify="right", style=style, overflow="fold", min_width=_COLUMN - 3)
        for name in board.metrics:
            table.add_row(heading(name), *(_cell(row, name) for row in shown))
        table.add_section()
        table.add_row("n", *map(count, shown))
        table.add_row("failed", *(f"[red]{row.failed}[/red]" if row.failed else "0" for row in shown))
        table.add_row("real-time factor", *(_factor(row.real_time_factor) for row in shown))
        console.print(table)
    _print_footnotes(console, board)


def _print_footnotes(console: Any, board: Board) -> None:
    lines = [*footnotes(board), *one_speaker(board), *deaf_notes(board)]
    for line in (*lines, "Real-time factor: median of upscaling seconds per second of audio."):
        console.print(line, soft_wrap=True, style="dim", markup=False)
    for row in board.rows:
        if row.behind:
            warnings = ["; ".join(row.behind.warnings)] if row.behind.warnings else []
            print_faults(console, row.name, warnings, row.behind.failures)
    console.print(f"\n{with_short(board.signature)}", soft_wrap=True, markup=False)
    least, most = min(row.n for row in board.rows), max(row.n for row in board.rows)
    told = str(least) if least == most else f"{least}-{most}"
    console.print(aggregation(told, board.rows[0].expected), soft_wrap=True, markup=False)


def _cell(row: Row, name: str) -> str:
    value, digits = row.values[name], get_metric(name).digits
    mean, low, high = (number(plain(each), digits) for each in (value.mean, value.low, value.high))
    if mean == "–":
        return mean
    mean = f"[bold]{mean}[/bold]" if value.paired.best == "yes" else mean
    fewer = "" if value.n == row.n else f" n={value.n}"
    return f"{mean}{mark(value.paired)}{fewer}\n" + (rf"\[{low}, {high}]" if low != "–" else "")


def _factor(value: float | None) -> str:
    return "–" if value is None else f"{value:.2g}"
