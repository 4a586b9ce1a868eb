"""``srbench plot means`` and ``srbench plot tradeoff``: the figures of a leaderboard."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from srbench.cli.boards import label_option, places_argument
from srbench.cli.options import as_metric, figure_option, metrics_option, plugin_option, together
from srbench.cli.output import echo

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from srbench.report.means import Sizes
    from srbench.results.board import Board

_F = TypeVar("_F", bound=Callable[..., Any])


def _inches(_context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    """Read 3.5in, 8.9cm or 89mm."""
    if value is None:
        return None
    match = re.fullmatch(r"(\d{1,3}(?:\.\d+)?)\s*(in|cm|mm)", value)
    inches = float(match[1]) / {"in": 1.0, "cm": 2.54, "mm": 25.4}[match[2]] if match else 0.0
    if not 1 <= inches <= 40:
        raise click.BadParameter(f"'{value}' is no width from 1in to 40in, as in 3.5in or 89mm.", param=parameter)
    return inches


_of_board = together(  # the options of the figures that are made of a leaderboard
    places_argument,
    figure_option,
    label_option("Print a system under another name. Repeat it for more."),
    click.option("--title/--no-title", default=True, show_default=True, help="Whether the figure has a title."),
    click.option("--width", callback=_inches, metavar="3.5in", help="Width of the figure: in, cm or mm."),
    click.option("--anchors/--no-anchors", default=False, show_default=True, help="Show the anchors too."),
    plugin_option,
)


@click.command("means", short_help="Means with intervals, as dots.")
@_of_board
@metrics_option("A panel. Default: the usual few.")
def means(places: tuple[Path, ...], metrics: tuple[str, ...], out: Path, **asked: Any) -> int:
    """Draw each system's mean as a dot on its 95 % interval, a panel for each metric.

    BOARD.csv is a leaderboard of 'srbench publish'. RUN is the folder of a run, or a folder with runs below it.
    """
    from srbench.report.headings import core_metrics
    from srbench.report.means import draw_means

    board = _one_board(places, metrics, out, asked["anchors"])
    chosen = metrics or core_metrics(board.metrics, board.signature)
    return _save_board(draw_means(board, chosen, _sizes(board, asked)), out, len(board.rows))


@click.command("tradeoff", short_help="One metric against another.")
@_of_board
@click.option("--x", callback=as_metric, default="snr", show_default=True, metavar="METRIC", help="To the right.")
@click.option("--y", callback=as_metric, default="lsd", show_default=True, metavar="METRIC", help="Upwards.")
def tradeoff(places: tuple[Path, ...], x: str, y: str, out: Path, **asked: Any) -> int:
    """Draw one metric against another, a point for each system, with the 95 % intervals of both.

    BOARD.csv is a leaderboard of 'srbench publish'. RUN is the folder of a run, or a folder with runs below it.
    """
    from srbench.report.means import draw_tradeoff

    board = _one_board(places, (x, y), out, asked["anchors"])
    return _save_board(draw_tradeoff(board, x, y, _sizes(board, asked)), out, len(board.rows))


def _one_board(places: tuple[Path, ...], metrics: tuple[str, ...], out: Path, anchors: bool) -> Board:
    from srbench.cli.boards import boards_of
    from srbench.errors import SrbenchError
    from srbench.report.figure import check_target, require_plots

    require_plots()
    check_target(out)
    boards, _ = boards_of(places, metrics)
    if len(boards) > 1:
        raise SrbenchError(f"one figure shows one protocol, not {' and '.join(board.protocol for board in boards)}")
    board = replace(boards[0], rows=tuple(row for row in boards[0].rows if anchors or not row.anchor))
    for name in metrics:
        if name not in board.metrics:
            raise SrbenchError(f"{boards[0].protocol}: has no {name}, only {', '.join(board.metrics) or 'anchors'}")
    if not board.rows:
        raise SrbenchError("only anchors were found; use --anchors to draw them")
    return board


def _sizes(board: Board, asked: dict[str, Any]) -> Sizes:
    from srbench.errors import known_name
    from srbench.report.means import Sizes

    names = [row.name for row in board.rows]
    labels = {(name if name in names else known_name("system", name, names)): t for name, t in asked["labels"].items()}
    return Sizes(asked["width"], asked["title"], labels)


def _save_board(figure: Figure, out: Path, systems: int) -> int:
    from srbench.report.figure import save

    save(figure, out)
    echo(f"{out}: {systems} systems")
    return 0
