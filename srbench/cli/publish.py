"""``srbench publish``."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from srbench.cli.options import plugin_option
from srbench.cli.output import echo, echo_for_paper, json_option, print_json, progress_bar
from srbench.errors import SrbenchError

if TYPE_CHECKING:
    from srbench.results.intake import Aside
    from srbench.results.publish import Outcome
    from srbench.run.basis import Basis

_SHOWN = 5  # findings of one run


def _rows(ctx: click.Context, param: click.Parameter, value: str) -> int | None:
    """Read a number of rows, or ``all`` (None)."""
    if value == "all":
        return None
    if not value.isdecimal():
        raise click.BadParameter(f"'{value}' is neither a number of rows nor 'all'.", ctx, param)
    return int(value)


@click.command("publish", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("places", nargs=-1, metavar="[RUN_DIR …=results]", type=click.Path(path_type=Path))
@click.option(
    "--leaderboard",
    default="leaderboard",
    show_default=True,
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the leaderboards, one CSV file per protocol.",
)
@click.option(
    "--data",
    multiple=True,
    metavar="DIR",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A protocol's own corpus, for rechecks and for listening. Repeat it for more.",
)
@click.option(
    "--protocol",
    "protocol_files",
    multiple=True,
    metavar="FILE.toml",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Your own protocol, if the runs use one. Repeat it for more.",
)
@plugin_option
@click.option(
    "--recheck",
    "rows",
    default="3",
    show_default=True,
    metavar="N|all|0",
    callback=_rows,
    help="How many rows of each run to compute again from the audio.",
)
@click.option("--allow-partial", is_flag=True, help="Take runs that lack utterances of the split. The row says so.")
@click.option(
    "--replace", multiple=True, metavar="NAME", help="Allow the row of this upscaler to change. Repeat it for more."
)
@click.option("--site", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), help="Build a static site.")
@click.option(
    "--utterances",
    default=6,
    show_default=True,
    type=click.IntRange(1),
    metavar="N",
    help="How many utterances to offer on the site and in the test.",
)
@click.option("--utterance", "only", multiple=True, metavar="ID", help="Offer this utterance. Repeat it for more.")
@click.option(
    "--mushra",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write a listening test (webMUSHRA) for each protocol whose corpus is found.",
)
@json_option
def command(
    places: tuple[Path, ...],
    leaderboard: Path,
    data: tuple[Path, ...],
    protocol_files: tuple[Path, ...],
    plugins: tuple[Path, ...],
    rows: int | None,
    allow_partial: bool,
    replace: tuple[str, ...],
    site: Path | None,
    utterances: int,
    only: tuple[str, ...],
    mushra: Path | None,
    as_json: bool,
) -> int:
    """Check finished runs and merge them into leaderboards. Write tables, a site, a listening test.

    RUN_DIR is the folder of a run, or a folder with runs below it. A run is refused if its files contradict each other
    or its protocol, or if rows computed again from the audio differ. Partial runs and runs on other corpora are left
    out. Publishing again changes nothing.

    Exit status 1: something was refused, or a run that you named was left out.
    """
    from srbench.files import alone_in
    from srbench.report.tables import write_tables
    from srbench.results.board_file import read_board
    from srbench.results.intake import known_protocols
    from srbench.results.publish import publish

    protocols = known_protocols(protocol_files)
    files = tuple(dict.fromkeys(path.resolve() for path in plugins))
    with progress_bar() as progress:
        outcome = publish(
            places or (Path("results"),),
            leaderboard,
            protocols=protocols,
            data=tuple(dict.fromkeys(data)),
            plugins=files,
            rows=rows,
            allow_partial=allow_partial,
            replace=replace,
            progress=progress,
        )
        written = list(outcome.written)
        for board in outcome.boards.values():
            with alone_in(leaderboard, wait=True, instead="--leaderboard"):
                written += write_tables(read_board(leaderboard / f"{board.protocol}.csv"), leaderboard)
        notes, aside = list(outcome.notes), list(outcome.aside)
        try:
            listen = {"plugins": files, "utterances": utterances, "only": only}
            if site is not None:
                told, faults = _build_site(
                    site, leaderboard, outcome, {**protocols, **outcome.protocols}, {**listen, "progress": progress}
                )
                notes += told
                aside += [fault for fault in faults if fault.path not in {each.path for each in aside}]
                written.append(site / "index.html")
            if mushra is not None:
                notes += _export_mushra(mushra, outcome, listen)
                written.append(mushra)
        except SrbenchError:
            if not as_json:  # the leaderboards are written: that is said before what could not be made from them
                _print(leaderboard, outcome, aside, notes, written)
            raise
    if as_json:
        print_json(_document(leaderboard, outcome, aside, notes, written))
    else:
        _print(leaderboard, outcome, aside, notes, written)
    return 1 if any(each.fault for each in aside) else 0


def _build_site(
    site: Path,
    leaderboard: Path,
    outcome: Outcome,
    protocols: Mapping[str, Basis],
    listen: dict[str, Any],
) -> tuple[list[str], list[Aside]]:
    """Build the site of all leaderboards in the folder; return what is to be said, and the files that are not fit."""
    from srbench.report.site import build_site
    from srbench.results.board_file import PUBLISHED, read_boards
    from srbench.results.intake import Aside
    from srbench.results.literature import load_published

    boards, faults = read_boards(leaderboard)
    others = leaderboard / PUBLISHED
    notes = build_site(
        site,
        boards,
        outcome.runs,
        corpora=outcome.corpora,
        published=load_published(others) if others.exists() else (),
        protocols=protocols,
        **listen,
    )
    return notes, [Aside(path, tuple(why.splitlines()), fault=True) for path, why in faults.items()]


def _export_mushra(folder: Path, outcome: Outcome, listen: dict[str, Any]) -> list[str]:
    from srbench.report.mushra import export_mushra

    notes = []
    for name in outcome.boards:
        runs = outcome.runs.get(name, ())
        if name in outcome.corpora:
            notes += export_mushra(folder, outcome.protocols[name], runs, outcome.corpora[name], **listen)
        else:
            notes.append(f"{name}: no listening test, its corpus is not here; say where it is with --data DIR")
    return notes


def _document(
    leaderboard: Path, outcome: Outcome, aside: Sequence[Aside], notes: Sequence[str], written: Sequence[Path]
) -> dict[str, Any]:
    from srbench.report.citation import measured_in, sentences

    def told(fault: bool) -> list[dict[str, Any]]:
        return [{"path": str(each.path), "reasons": list(each.reasons)} for each in aside if each.fault == fault]

    return {
        "leaderboard": str(leaderboard),
        "published": [
            {
                "protocol": entry.protocol,
                "upscaler": entry.upscaler,
                "run_dir": str(entry.run),
                "change": entry.change,
                "rechecked": entry.rechecked,
                "how": entry.how if entry.rechecked else None,
                "note": entry.note,
            }
            for entry in outcome.published
        ],
        "left_out": told(False),
        "refused": told(True),
        "notes": list(notes),
        "written": list(map(str, written)),
        "for_your_paper": {name: sentences(measured_in(board)) for name, board in outcome.boards.items() if board.rows},
    }


def _print(
    leaderboard: Path, outcome: Outcome, aside: Sequence[Aside], notes: Sequence[str], written: Sequence[Path]
) -> None:
    for name, board in outcome.boards.items():
        path = leaderboard / f"{name}.csv"
        echo(f"{path}: {len(board.rows)} row{'s' * (len(board.rows) != 1)}", bold=True)
        entries = [entry for entry in outcome.published if entry.protocol == name]
        width = max((len(entry.upscaler) for entry in entries), default=0)
        for entry in entries:
            plural = "s" * (entry.rechecked != 1)
            checked = f"{entry.rechecked} row{plural} {entry.how}" if entry.rechecked else ""
            told = ", ".join(filter(None, (checked, entry.note)))
            echo(f"  {entry.change:<9} {entry.upscaler:<{width}}  {entry.run}" + (f"  ({told})" if told else ""))
    for title, fault, colour in (("Left out:", False, None), ("Refused:", True, "red")):
        chosen = [each for each in aside if each.fault == fault]
        if chosen:
            echo(title, bold=True)
        for each in chosen:
            echo(f"  {each.path}")
            for reason in each.reasons[:_SHOWN]:
                echo(f"    {reason}", fg=colour)
            if len(each.reasons) > _SHOWN:
                echo(f"    … and {len(each.reasons) - _SHOWN} more", fg=colour)
    for note in notes:
        echo(f"note: {' '.join(note.split())}", fg="yellow")
    if not outcome.published:
        echo("No run was published; the leaderboards are as they were." if written else "Nothing was published.")
    elif not written:
        echo("Nothing to write: all of it is published already.")
    if written:
        echo("Files written:")
        for path in written:
            echo(f"  {path}")
    _print_sentences(leaderboard, outcome)


def _print_sentences(leaderboard: Path, outcome: Outcome) -> None:
    from srbench.report.citation import measured_in, sentences

    for name, board in outcome.boards.items():
        if board.rows:
            echo_for_paper([sentences(measured_in(board))], shlex.quote(str(leaderboard / f"{name}.csv")))
