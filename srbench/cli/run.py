"""``srbench run``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from srbench.cli.options import device_option, plugin_option, precision_option
from srbench.cli.output import json_option, print_json, progress_bar


@click.command("run")
@click.option(
    "--model",
    "models",
    multiple=True,
    required=True,
    metavar="NAME",
    help="An upscaler, or NAME@WEIGHTS; give it again for more. 'srbench list upscalers' names them.",
)
@click.option(
    "--protocol", default="demo", show_default=True, metavar="NAME|FILE.toml", help="A named protocol, or your own."
)
@click.option(
    "--data", metavar="DIR", type=click.Path(path_type=Path), help="The corpus: a VCTK folder, or any folder of audio."
)
@click.option(
    "--split",
    "side",
    metavar="SIDE",
    help="Another side of the protocol's split (train, validation, test), or 'all': every file of the corpus.",
)
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="NAME",
    help="In place of the protocol's metrics; give it again for more.",
)
@plugin_option
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1),
    metavar="N",
    help="Processes. The numbers do not depend on it.",
)
@device_option
@precision_option
@click.option(
    "--limit", type=click.IntRange(1), metavar="N", help="Score only the first N utterances; the result says so."
)
@click.option(
    "--allow-partial", is_flag=True, help="Go on when utterances of the split are absent; the result says so."
)
@click.option(
    "--anchors/--no-anchors",
    default=True,
    show_default=True,
    help="Also show the spline, the low-band ceiling and the reference itself.",
)
@click.option(
    "--results",
    default="results",
    show_default=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Where runs are kept, and found again.",
)
@click.option("--save-audio", is_flag=True, help="Keep every estimate as a 32-bit float WAV file in its run's folder.")
@click.option("--fresh", is_flag=True, help="Run again what is finished: for a model whose weights changed unseen.")
@json_option
def command(
    models: tuple[str, ...],
    protocol: str,
    data: Path | None,
    side: str | None,
    metrics: tuple[str, ...],
    plugins: tuple[Path, ...],
    workers: int,
    device: str | None,
    precision: str | None,
    limit: int | None,
    allow_partial: bool,
    anchors: bool,
    results: Path,
    save_audio: bool,
    fresh: bool,
    as_json: bool,
) -> int:
    """Run upscalers through a protocol, utterance by utterance, and print the leaderboard.

    Without --data it runs on the embedded corpus of synthetic speech. A run that was stopped goes on where it was; a
    run that is finished is not run again. Exit status 1 means that some utterances failed (their rows say why).
    """
    from srbench.protocols import load_protocol
    from srbench.results import leaderboard, leaderboard_name, write_leaderboard
    from srbench.run import make_plan, run_entrant

    plan = make_plan(
        load_protocol(protocol),
        data,
        side=side,
        metrics=tuple(dict.fromkeys(metrics)) or None,
        limit=limit,
        allow_partial=allow_partial,
    )
    files = tuple(dict.fromkeys(path.resolve() for path in plugins))
    asked, beside = _entrants(tuple(dict.fromkeys(models)), anchors, files, device, precision)
    for entrant in (*asked, *beside):
        entrant.provenance(plan.protocol)  # all are asked before the first is run: a misspelt name costs no work
    with progress_bar() as progress:
        runs = {
            entrant: run_entrant(
                plan, entrant, results, workers=workers, save_audio=save_audio, fresh=fresh, progress=progress
            )
            for entrant in (*asked, *beside)
        }
    folder = results / plan.protocol.name
    document = leaderboard(plan, [runs[e] for e in asked], [runs[e] for e in beside], folder)
    table = folder / leaderboard_name(plan)
    write_leaderboard(document, table)
    if as_json:
        print_json(document)
    else:
        _print(document, table)
    return 1 if any(entry["failed"] for entry in (*document["models"], *document["anchors"])) else 0


def _entrants(
    models: tuple[str, ...], anchors: bool, plugins: tuple[Path, ...], device: str | None, precision: str | None
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return what was asked for, and the anchors beside it: the floor if it is installed, then the two oracles."""
    from srbench.run import FLOOR, ORACLES, Entrant
    from srbench.upscaler import registrations

    asked = tuple(Entrant(name, plugins=plugins, device=device, precision=precision) for name in models)
    if not anchors:
        return asked, ()
    ours = f"srbench:{FLOOR}"  # whoever else may claim the name
    known = {(r.provenance["distribution"], r.name) for r in registrations()}
    floor = (Entrant(ours),) if ("srbench", FLOOR) in known and not {FLOOR, ours} & set(models) else ()
    return asked, (*floor, *(Entrant(name, anchor=True) for name in ORACLES))


def _print(document: dict[str, Any], table: Path) -> None:
    from srbench.report.leaderboard import print_leaderboard

    print_leaderboard(document)
    click.echo("\nFiles to open:")
    click.echo(f"  {table}  means, intervals and n of every metric")
    for entry in document["models"]:
        click.echo(f"  {Path(entry['run_dir']) / 'utterances.csv'}  every utterance of {entry['name']}")
