"""``srbench table``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from srbench.cli.boards import as_pairs, boards_of, label_option, places_argument
from srbench.cli.options import metrics_option, plugin_option
from srbench.cli.output import echo
from srbench.errors import SrbenchError
from srbench.level import PERCENT

if TYPE_CHECKING:
    from srbench.results.literature import Published


def _digits(context: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> dict[str, int]:
    """Read METRIC=N."""
    from srbench.metrics import get_metric

    pairs = as_pairs(context, parameter, value)
    for text in pairs.values():
        if not re.fullmatch(r"\d", text):
            raise click.BadParameter(f"'{text}' is no number of decimals from 0 to 9.", param=parameter)
    return {get_metric(name).name: int(text) for name, text in pairs.items()}


@click.command("table", context_settings={"help_option_names": ["-h", "--help"]})
@places_argument
@metrics_option("A column. Repeat it for more. Default: SNR, LSD, LSD-HF and one that hears the whole band.")
@click.option("--order", multiple=True, metavar="SYSTEM", help="Put this system first. Repeat it for the next.")
@label_option("Print a system, a metric or a protocol under another name. Repeat it for more.")
@click.option(
    "--intervals",
    type=click.Choice(["none", "pm", "brackets"]),
    default="brackets",
    show_default=True,
    help=f"How to print the {PERCENT} intervals. pm: half the width, after ±.",
)
@click.option(
    "--digits", multiple=True, callback=_digits, metavar="METRIC=N", help="Decimals of a metric. Repeat it for more."
)
@click.option(
    "--best",
    type=click.Choice(["significant", "mean", "none"]),
    default="significant",
    show_default=True,
    help="What is bold. significant: the best, and all that are not shown to be worse.",
)
@click.option("--anchors/--no-anchors", default=False, show_default=True, help="Show the ceiling and the reference.")
@click.option(
    "--reported",
    multiple=True,
    metavar="SYSTEM|all",
    help="Add what papers print of this system, marked as such. Repeat it for more.",
)
@click.option(
    "--published",
    default=Path("leaderboard/published.csv"),
    show_default=True,
    metavar="FILE.csv",
    type=click.Path(path_type=Path),
    help="Where the printed numbers stand.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["latex", "markdown", "html", "csv"]),
    help="Default: by the ending of --out, else markdown.",
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write it to a file.")
@plugin_option
def command(
    places: tuple[Path, ...],
    metrics: tuple[str, ...],
    order: tuple[str, ...],
    labels: dict[str, str],
    intervals: str,
    digits: dict[str, int],
    best: str,
    anchors: bool,
    reported: tuple[str, ...],
    published: Path,
    format_: str | None,
    out: Path | None,
    plugins: tuple[Path, ...],
) -> int:
    """Write a paper's table: systems as rows, metrics as columns, a group of columns for each protocol.

    BOARD.csv is a leaderboard that 'srbench publish' wrote. RUN is the folder of a run, or a folder with runs below it.
    Of runs, bold and † say what 'srbench compare' says of the same runs and metrics. A leaderboard has its own marks.
    """
    from srbench.files import whole_file
    from srbench.report.paper_formats import ENDINGS, FORMATS
    from srbench.report.paper_table import Choices, paper_table

    boards, tested = boards_of(places, metrics)
    if format_ is None:
        format_ = ENDINGS.get(out.suffix.lower(), "") if out else "markdown"
        if not format_:
            raise SrbenchError(f"{out}: which format? Name it with --format, or end the file in {', '.join(ENDINGS)}")
    choices = Choices(metrics, order, labels, intervals, digits, best, anchors)
    table = paper_table(boards, choices, _reported(reported, published), tested=tested)
    text = FORMATS[format_](table)
    if out is None:
        echo(*text.rstrip("\n").split("\n"))
    else:
        with whole_file(out, newline="\n") as file:
            file.write(text)
        echo(f"{out}: {len(table.lines)} rows, {len(table.columns)} columns")
    return 0


def _reported(systems: Sequence[str], file: Path) -> list[Published]:
    if not systems:
        return []
    from srbench.errors import known_name
    from srbench.results.literature import load_published

    rows = load_published(file)
    if "all" in systems:
        return list(rows)
    names = {row.system for row in rows}
    wanted = {name if name in names else known_name("reported system", name, names) for name in systems}
    return [row for row in rows if row.system in wanted]
