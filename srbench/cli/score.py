"""``srbench score``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from srbench.cli.options import channels_option, metrics_option, plugin_option
from srbench.cli.output import echo, json_option, print_json, progress_bar
from srbench.errors import SrbenchError


@click.command("score", context_settings={"help_option_names": ["-h", "--help"]})  # also when it is invoked alone
@click.argument("reference", type=click.Path(path_type=Path))
@click.argument("estimates", metavar="[ESTIMATE]", nargs=-1)
@click.option(
    "--systems",
    is_flag=True,
    help="Score several systems: NAME=DIR for each, after REFERENCE.",
)
@click.option(
    "--pattern",
    nargs=2,
    metavar="REF EST",
    help="How the files of each side are named, e.g. '{id}.hr.wav' '{id}.pr.wav'.",
)
@click.option(
    "--low",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of the low-resolution files. Adds LSD-HF, LSD-LF and checks.",
)
@click.option("--cutoff", type=float, metavar="HZ", help="Half the low rate. Adds the same, without the files.")
@metrics_option("Use this metric in place of SNR, SI-SDR, MSE, LSD. Repeat it for more.")
@plugin_option
@click.option("--align", is_flag=True, help="Shift estimates by the delay that was found.")
@click.option(
    "--match-length",
    type=click.Choice(["shorter", "pad"]),
    help="Cut the longer of the two, or cut or pad the estimate. Without it, unequal lengths fail.",
)
@click.option("--match-gain", is_flag=True, help="Divide estimates by the gain that was found in the low band.")
@channels_option
@click.option("--resample", is_flag=True, help="Bring estimates to the reference's rate. Without it, other rates fail.")
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1),
    metavar="N",
    help="Number of processes. It does not change the results.",
)
@click.option(
    "--results",
    default="results",
    show_default=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder of the scores. A finished score is found there again.",
)
@click.option(
    "--name",
    default="score",
    show_default=True,
    metavar="NAME",
    help="Name of this set of references, for its folder and its leaderboard.",
)
@click.option("--fresh", is_flag=True, help="Score finished pairs again.")
@click.option(
    "--csv",
    "table",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write one table of all pairs. An existing file is replaced only if it is such a table.",
)
@json_option
def command(
    reference: Path,
    estimates: tuple[str, ...],
    systems: bool,
    pattern: tuple[str, str] | None,
    low: Path | None,
    cutoff: float | None,
    metrics: tuple[str, ...],
    plugins: tuple[Path, ...],
    align: bool,
    match_length: str | None,
    match_gain: bool,
    resample: bool,
    channels: str | None,
    workers: int,
    results: Path,
    name: str,
    fresh: bool,
    table: Path | None,
    as_json: bool,
) -> int:
    """Score audio that was made elsewhere, and check each pair for faults.

    REFERENCE and ESTIMATE are two folders, or two files. Files of folders pair by their path without the suffix. Every
    pair is checked first: rate, length, delay, polarity, gain, offset, clipping, silence, bandwidth. Nothing is
    repaired unless you ask for it.

    Exit status 1: some pairs could not be scored (their rows say why).

    \b
    srbench score references estimates
    srbench score references --systems nuwave=out/nuwave unet=out/unet
    """  # noqa: D301 - click wants the character itself, on a line of its own
    from srbench.folders.job import make_job, score_system
    from srbench.results.scoring import score_document, write_score_table
    from srbench.run.workers import Where
    from srbench.scoring import Repairs

    named = _named(estimates) if systems else _one(estimates)
    if table is not None:
        _check_table(table)
    repairs = Repairs(align, match_length, match_gain, resample, channels)
    job = make_job(
        reference,
        named,
        name=name,
        patterns=pattern,
        low=low,
        cutoff=cutoff,
        metrics=tuple(dict.fromkeys(metrics)) or None,
        repairs=repairs,
    )
    with progress_bar() as progress:
        runs = [
            score_system(job, each, results, where=Where(workers), fresh=fresh, progress=progress)
            for each in job.systems
        ]
    document = score_document(job, runs)
    if table is not None:
        write_score_table(runs, table)
    if as_json:
        print_json(document)
    else:
        _print(document, table)
    return 1 if any(record.error for run in runs for record in run.records) else 0


def _one(estimates: tuple[str, ...]) -> dict[str, Path]:
    if len(estimates) != 1:
        given = "one is missing" if not estimates else f"{len(estimates)} were given"
        raise SrbenchError(
            f"score takes one ESTIMATE folder or file beside REFERENCE; {given}. For more: --systems a=DIR b=DIR"
        )
    return {Path(estimates[0]).resolve().stem or "estimate": Path(estimates[0])}


def _named(systems: tuple[str, ...]) -> dict[str, Path]:
    named: dict[str, Path] = {}
    for text in systems:
        name, equals, place = text.partition("=")
        if not equals or not name.strip() or not place:
            raise SrbenchError(f"--systems needs NAME=DIR, not '{text}'")
        if name in named:
            raise SrbenchError(f"--systems names '{name}' twice: {named[name]} and {place}")
        named[name] = Path(place)
    if not named:
        raise SrbenchError(
            "--systems needs NAME=DIR, once for each system: srbench score REFERENCE --systems a=DIR b=DIR"
        )
    return named


def _check_table(path: Path) -> None:
    """Refuse, before anything is scored, to replace a file that is no table of scores: it may be a recording."""
    from srbench.results.scoring import is_score_table

    if not path.parent.is_dir():
        raise SrbenchError(f"--csv {path}: there is no folder {path.parent}")
    if path.exists() and not is_score_table(path):
        raise SrbenchError(f"--csv {path}: already exists and is no table of scores; name another file")


def _print(document: dict[str, Any], table: Path | None) -> None:
    from srbench.report.scoring import print_scores

    print_scores(document)
    echo("", "Files to open:")
    if table is not None:
        echo(f"  {table}  every pair of every system")
    for system in document.get("systems") or [document]:
        folder = Path(system["run_dir"])
        echo(f"  {folder / 'utterances.csv'}  every pair of {system['system']}")
        echo(f"  {folder / 'pairs.csv'}  what was found and repaired on them")
