"""``srbench compare``."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from srbench.cli.options import as_metric
from srbench.cli.output import echo, echo_for_paper, json_option, print_json
from srbench.cli.run_options import RunOptions, run_options
from srbench.errors import SrbenchError

if TYPE_CHECKING:
    from srbench.run import Entrant, Plan, Run


@click.command("compare", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, required=True, metavar="A B [C …]")
@run_options
@click.option("--per-speaker", is_flag=True, help="Also print each speaker's differences.")
@click.option(
    "--sort-by",
    callback=as_metric,
    metavar="METRIC",
    help="Show the utterances that differ most in this metric. Default: the first metric.",
)
@click.option(
    "--plot",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write a figure of the differences: .png, .svg or .pdf.",
)
@click.option(
    "--table",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the differences as a table for a paper: .tex, .md, .html or .csv.",
)
@json_option
def command(
    names: tuple[str, ...],
    options: RunOptions,
    per_speaker: bool,
    sort_by: str | None,
    plot: Path | None,
    table: Path | None,
    as_json: bool,
) -> int:
    """Compare upscalers utterance by utterance: paired differences, 95 % intervals, p-values, wins.

    A, B, … are upscalers or folders of finished runs. An upscaler is run if it has no finished run. The options of
    runs do not apply to folders. All pairs are compared, in the order given. A difference is a minus b.

    Exit status 1: some utterances failed.
    """
    from srbench.report.citation import measured_by, sentences
    from srbench.results import compare_runs

    if len(names) < 2:
        raise SrbenchError(f"compare needs two upscalers or runs, not only '{names[0]}': srbench compare A B")
    if plot is not None:
        from srbench.report.figure import check_target, require_plots

        require_plots()
        check_target(plot)
    if table is not None:
        from srbench.report.difference_table import format_of

        format_of(table.name)
    runs = _runs(names, options)
    document = compare_runs(runs, options.asked_metrics)
    document["for_your_paper"] = sentences(measured_by(runs, options.asked_metrics))
    compared = document["pairs"][0]["metrics"]
    if sort_by and sort_by not in compared:
        raise SrbenchError(f"--sort-by {sort_by}: not among the metrics compared: {', '.join(compared)}")
    if plot is not None:
        from srbench.report.differences import draw_differences
        from srbench.report.figure import save

        save(draw_differences(document, runs, options.asked_metrics), plot)
        document["plot"] = str(plot)
    if table is not None:
        _write_table(document, table)
    if as_json:
        print_json(document)
    else:
        _print(document, per_speaker, sort_by)
    return 1 if any(run["failed"] for run in document["runs"]) else 0


def _runs(names: tuple[str, ...], options: RunOptions) -> list[Run]:
    """Open the runs that are given as folders, and run or find again those that are given as upscalers."""
    from srbench.results import refuse_different
    from srbench.run import open_run
    from srbench.run.engine import SEED
    from srbench.run.manifest import identity_of

    found = {name: open_run(name) for name in names if _is_run(name)}
    asked = [name for name in names if name not in found]
    if asked:
        plan = options.plan()
        entrants = options.entrants(asked, plan)
        for name, run in found.items():  # before anything is run in vain
            wanted = identity_of(plan, entrants[0].provenance(plan.protocol), SEED, options.draws)
            refuse_different(run.manifest, wanted, name, entrants[0].name)
        made = options.run([(entrant, _plan(plan, entrant, options)) for entrant in entrants])
        found |= dict(zip(dict.fromkeys(asked), made, strict=True))
    return [found[name] for name in names]


def _is_run(name: str) -> bool:
    folder = Path(name)
    if (folder / "manifest.json").is_file():
        return True
    if len(folder.parts) > 1 and "@" not in name and not folder.exists():
        raise SrbenchError(f"{name}: no such folder of a run")
    if folder.is_dir() and len(folder.parts) > 1:
        raise SrbenchError(f"{name}: is not the folder of a run (no manifest.json in it), and not an upscaler")
    return False


def _plan(plan: Plan, entrant: Entrant, options: RunOptions) -> Plan:
    """Return the plan of all the protocol's metrics where that is finished and has those asked for: no second run."""
    from srbench.run.engine import SEED
    from srbench.run.manifest import identity_of

    if options.asked_metrics is None or options.fresh or not set(options.metrics) <= set(plan.protocol.metrics):
        return plan
    try:
        whole = replace(plan, definitions=plan.protocol.define_metrics(None))
    except SrbenchError:  # one of the others is not installed here
        return plan
    name = identity_of(whole, entrant.provenance(plan.protocol), SEED, options.draws).folder_name
    finished = options.results / plan.protocol.name / name / "utterances.csv"
    return whole if finished.is_file() else plan


def _write_table(document: dict[str, Any], table: Path) -> None:
    from srbench.files import whole_file
    from srbench.report.difference_table import difference_text, format_of

    with whole_file(table, newline="\n") as file:
        file.write(difference_text(document, format_of(table.name)))
    document["table"] = str(table)


def _print(document: dict[str, Any], per_speaker: bool, sort_by: str | None) -> None:
    from srbench.report.comparison import print_comparison

    print_comparison(document, per_speaker=per_speaker, sort_by=sort_by)
    echo("", "Files to open:")
    for run in document["runs"]:
        echo(f"  {Path(run['run_dir']) / 'utterances.csv'}  every utterance of {run['label']}")
    if "plot" in document:
        echo(f"  {document['plot']}  every utterance's difference")
    if "table" in document:
        echo(f"  {document['table']}  the differences, for a paper")
    where = " ".join(shlex.quote(run["run_dir"]) for run in document["runs"])
    echo_for_paper([document["for_your_paper"]], where)
