"""What the commands share that take leaderboards or runs: reading both, and other names for what is in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from srbench.cli.options import with_their_metrics
from srbench.errors import SrbenchError

if TYPE_CHECKING:
    from srbench.results.board import Board

_F = TypeVar("_F", bound=Callable[..., Any])


def as_pairs(_context: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> dict[str, str]:
    """Read NAME=TEXT."""
    pairs = {}
    for each in value:
        name, equals, text = each.partition("=")
        if not equals or not name.strip() or not text.strip():
            raise click.BadParameter(f"'{each}' is not NAME=TEXT.", param=parameter)
        pairs[name.strip()] = text.strip()
    return pairs


places_argument = click.argument(
    "places",
    nargs=-1,
    required=True,
    metavar="BOARD.csv|RUN …",
    type=click.Path(path_type=Path),
    is_eager=True,
    callback=with_their_metrics,
)


def label_option(help_text: str) -> Callable[[_F], _F]:
    """Return the option ``--label``, whose help says what it gives another name."""
    return click.option("--label", "labels", multiple=True, callback=as_pairs, metavar="NAME=TEXT", help=help_text)


def boards_of(places: Sequence[Path], metrics: Sequence[str]) -> tuple[list[Board], bool]:
    """Return a board for each protocol, in the order given, and whether any was made of runs that are here."""
    from srbench.report.headings import core_metrics
    from srbench.results.board_file import read_board
    from srbench.results.verdicts import compared_board
    from srbench.run import Run, find_runs, open_run

    runs: dict[str, dict[Path, Run]] = {}
    boards: dict[str, Board] = {}
    for place in places:
        if place.is_dir():
            for folder in find_runs(place):
                run = open_run(folder)
                runs.setdefault(run.manifest.protocol_signature, {})[folder.resolve()] = run
        else:
            board = read_board(place)
            runs.setdefault(board.signature, {})
            boards[board.signature] = board
    for signature, members in runs.items():
        if members and signature in boards:
            raise SrbenchError(f"{boards[signature].protocol}: give its runs or its leaderboard, not both")
        if members:
            opened = list(members.values())
            shared = [name for name in opened[0].manifest.metrics if all(name in r.manifest.metrics for r in opened)]
            boards[signature] = compared_board(opened, metrics or core_metrics(shared, signature))
    return [boards[signature] for signature in runs], any(runs.values())
