"""``srbench run``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from srbench.cli.output import echo, echo_for_paper, json_option, print_json
from srbench.cli.run_options import RunOptions, run_options

if TYPE_CHECKING:
    from srbench.results.board import Board
    from srbench.run import Entrant


@click.command("run")
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="NAME",
    help="An upscaler, or NAME@WEIGHTS. Repeat it for more. 'srbench list upscalers' shows the names.",
)
@run_options
@click.option(
    "--anchors/--no-anchors",
    default=True,
    show_default=True,
    help="Also show the spline, the ceiling and the reference itself.",
)
@json_option
def command(models: tuple[str, ...], options: RunOptions, anchors: bool, as_json: bool) -> int:
    """Run upscalers through a protocol, utterance by utterance, and print the leaderboard.

    A model is a registered upscaler (--model), a folder of files that it made elsewhere (--estimates), or a program
    (--command). All are held to the same checks. 'srbench inputs' writes what a model elsewhere needs.

    Without --data it uses the embedded corpus of synthetic speech. Give the same command again to resume a run that
    was stopped. A finished run is not run again.

    Exit status 1: an upscaler could not be run, an utterance failed, or a value is missing (the rows say why).
    """
    from srbench.report.citation import measured_by, sentences
    from srbench.results import leaderboard, leaderboard_name, write_leaderboard

    names = (*models, *options.given_names())
    if not names:
        raise click.UsageError("Nothing to run: give --model NAME, --estimates NAME=DIR or --command NAME=PROGRAM.")
    if both := set(models) & set(options.given_names()):
        raise click.UsageError(f"The name '{min(both)}' is given by --model too.")
    plan = options.plan()
    left_out: dict[str, str] = {}
    asked = options.entrants(names, plan, left_out)
    beside = _anchors(models) if anchors else ()
    runs = options.run([(entrant, plan) for entrant in asked], [(entrant, plan) for entrant in beside], left_out)
    n = len(runs) - len(beside)
    folder = options.results / plan.protocol.name
    board = leaderboard(plan, runs[:n], runs[n:], folder)
    document = board.document()
    document["left_out"] = [{"name": name, "error": why} for name, why in left_out.items()]
    document["for_your_paper"] = sentences(measured_by(runs, options.asked_metrics))
    table = folder / leaderboard_name(plan)
    write_leaderboard(board, table)
    if as_json:
        print_json(document)
    else:
        _print(board, table, document["for_your_paper"])
    for name, why in left_out.items():
        echo(f"srbench: {name} was not run: {why}", err=True)
    return 1 if left_out or _incomplete(board) else 0


def _incomplete(board: Board) -> bool:
    """Tell whether an utterance failed, or a value is missing, somewhere."""
    return any(row.failed or any(value.n < row.n for value in row.values.values()) for row in board.rows)


def _anchors(models: tuple[str, ...]) -> tuple[Entrant, ...]:
    """Return what stands beside the models: the floor if it is installed and not one of them, then the two oracles."""
    from srbench.run import FLOOR, ORACLES, Entrant
    from srbench.upscaler import registrations

    ours = f"srbench:{FLOOR}"  # whoever else may claim the name
    known = {(r.provenance["distribution"], r.name) for r in registrations()}
    floor = (Entrant(ours),) if ("srbench", FLOOR) in known and not {FLOOR, ours} & set(models) else ()
    return (*floor, *(Entrant(name, anchor=True) for name in ORACLES))


def _print(board: Board, table: Path, for_paper: str) -> None:
    from srbench.report.leaderboard import print_leaderboard

    print_leaderboard(board)
    echo("", "Files to open:")
    echo(f"  {table}  means, intervals and n of every metric")
    for row in board.rows:
        if row.behind and not row.anchor:
            echo(f"  {Path(row.behind.folder) / 'utterances.csv'}  every utterance of {row.name}")
    where = " ".join(shlex.quote(row.behind.folder) for row in board.rows if row.behind and not row.anchor)
    echo_for_paper([for_paper], where)
