"""``srbench cite``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from srbench.cli.options import plugin_option
from srbench.cli.output import echo, json_option, print_json

if TYPE_CHECKING:
    from srbench.report.citation import Measured


@click.command("cite", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("places", nargs=-1, metavar="[RUN …|BOARD.csv]", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="NAME|all",
    help="Name this metric. Repeat it for more. Default: SNR, LSD, LSD-HF and one that hears the whole band.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "markdown", "latex", "bibtex"]),
    default="text",
    show_default=True,
    help="latex: the sentences, with \\cite. bibtex: the entries for it.",
)
@plugin_option
@json_option
def command(
    places: tuple[Path, ...], metrics: tuple[str, ...], format_: str, plugins: tuple[Path, ...], as_json: bool
) -> int:
    """Write the sentences and the references of a paper about some runs or a leaderboard.

    RUN is the folder of a run, or a folder with runs below it. BOARD.csv is a leaderboard that 'srbench publish' wrote.
    Without either, the reference of srbench itself is printed.
    """
    from srbench.metrics import METRICS, get_metric
    from srbench.report.bibliography import OURSELVES, bibtex, entries
    from srbench.report.citation import keys_of, sentences

    chosen = tuple(METRICS) if "all" in metrics else tuple(get_metric(name).name for name in metrics) or None
    found = _measured(places, chosen)
    keys = list(dict.fromkeys(key for each in found for key in keys_of(each))) or [OURSELVES]
    paragraphs = [sentences(each, "text" if format_ == "bibtex" else format_) for each in found]
    if as_json:
        told = [{"protocol": each.protocol, "sentences": text} for each, text in zip(found, paragraphs, strict=True)]
        print_json({"paragraphs": told, "bibtex": {key: entries().get(key) for key in keys}})
        return 0
    if format_ == "latex":
        paragraphs = [*paragraphs, "% the entries: the same command with --format bibtex"]
    elif format_ == "bibtex":
        paragraphs = [bibtex(keys).rstrip("\n")]
    else:
        entry = bibtex(keys).rstrip("\n")
        paragraphs.append(f"```bibtex\n{entry}\n```" if format_ == "markdown" else entry)
    echo(*"\n\n".join(paragraphs).split("\n"))
    return 0


def _measured(places: tuple[Path, ...], metrics: tuple[str, ...] | None) -> list[Measured]:
    """Return what the runs and leaderboards rest on, runs of one protocol together, in the order given."""
    from srbench.errors import SrbenchError
    from srbench.report.citation import measured_by, measured_in
    from srbench.results.board_file import read_board
    from srbench.run import Run, find_runs, open_run

    runs: dict[str, list[Run]] = {}
    found: list[Measured] = []
    for place in places:
        if place.is_dir():
            for folder in find_runs(place):
                run = open_run(folder)
                runs.setdefault(run.manifest.protocol_signature, []).append(run)
        else:
            found.append(measured_in(read_board(place), metrics))
    found = [*(measured_by(each, metrics) for each in runs.values()), *found]
    for each in found:
        if not each.metrics:
            raise SrbenchError(f"{each.protocol}: has none of the metrics {', '.join(metrics or ())}")
    return found
