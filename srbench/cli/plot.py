"""``srbench plot``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from srbench.cli.options import (
    device_option,
    figure_option,
    metrics_option,
    plugin_option,
    precision_option,
    together,
    with_their_metrics,
)
from srbench.cli.output import echo, json_option, print_json, progress_bar
from srbench.cli.plot_board import means, tradeoff

if TYPE_CHECKING:
    from srbench.report.spectrum import Averaged
    from srbench.run import Entrant, Plan, Run

_F = TypeVar("_F", bound=Callable[..., Any])


def _options(*, models_required: bool) -> Callable[[_F], _F]:
    """Return a decorator with the options of all four figures."""
    return together(
        click.option(
            "--model",
            "models",
            multiple=True,
            required=models_required,
            metavar="NAME",
            help="An upscaler, or NAME@WEIGHTS. Repeat it for more.",
        ),
        click.option("--protocol", default="demo", show_default=True, metavar="NAME|FILE.toml", help="As for 'run'."),
        click.option("--data", metavar="DIR", type=click.Path(path_type=Path), help="The corpus, as for 'run'."),
        click.option("--split", "side", metavar="SIDE", help="Another side of the protocol's split, or 'all'."),
        plugin_option,
        device_option,
        precision_option,
        figure_option,
        json_option,
    )


_limit_option = click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the first N utterances.")
_partial_option = click.option(
    "--allow-partial", is_flag=True, help="Draw even if utterances of the split are missing. The figure says so."
)


@click.group("plot")
def command() -> None:
    """Draw figures: a spectrogram, spectra, LSD over frequency, distributions.

    Needs matplotlib and seaborn: pip install 'srbench[plots]'.
    """


@command.command("spectrogram", short_help="One utterance by every upscaler, beside its reference.")
@_options(models_required=True)
@click.option("--utterance", "utterance_id", metavar="ID", help="Which utterance. Default: the first of the split.")
@click.option("--from", "start", type=float, metavar="SECONDS", help="Show it from here.")
@click.option("--to", "end", type=float, metavar="SECONDS", help="Show it up to here.")
def spectrogram_command(
    utterance_id: str | None, start: float | None, end: float | None, out: Path, as_json: bool, **asked: Any
) -> int:
    """Draw one utterance: the low-resolution signal, every upscaler's, the reference.

    All have one colour scale and a dashed line at the cutoff. SNR and LSD of the whole utterance stand above each.
    """
    from srbench.report.figure import find_utterance, save, upscale_utterance
    from srbench.report.spectrogram import draw_spectrograms, peak_db, utterance_panels
    from srbench.results.board import plain
    from srbench.threads import single_threaded

    # one utterance speaks for itself: it does not matter whether the rest of the split is there
    plan, entrants = _prepare(out, allow_partial=True, **asked)
    utterance = find_utterance(plan, utterance_id)
    protocol = plan.protocol
    with single_threaded():  # so that the scores are those of a run to the last digit
        made = upscale_utterance(utterance, entrants, protocol)
        seconds = len(made.reference) / protocol.high_rate
        span = _span(start, end, seconds)
        panels, scores = utterance_panels(made, protocol)
    peak = peak_db(made.reference, protocol.high_rate)
    title = f"{utterance.id} of protocol {protocol.name}; dashed: the cutoff, {protocol.cutoff / 1000:.4g} kHz"
    save(draw_spectrograms(panels, peak, protocol.high_rate / 2, protocol.cutoff, title=title, span=span), out)
    told = {name: {metric: plain(value) for metric, value in values.items()} for name, values in scores.items()}
    document = {"utterance": utterance.id, "seconds": seconds, "shown": list(span), "scores": told}
    return _tell(out, plan, document, f"utterance {utterance.id}", as_json)


@command.command("spectrum", short_help="Long-term average spectra.")
@_options(models_required=True)
@click.option("--utterance", "utterance_id", metavar="ID", help="One utterance, in place of the mean over all.")
@_limit_option
@_partial_option
def spectrum_command(**asked: Any) -> int:
    """Draw long-term average spectra against the reference's and the low-resolution signal's.

    The power is the mean over the frames of an utterance, then over utterances.

    Exit status 1: some utterances could not be used.
    """
    from srbench.report.spectrum import draw_spectra, utterance_spectra

    return _curves(utterance_spectra, draw_spectra, as_db=True, what="Long-term average spectrum", **asked)


@command.command("lsd", short_help="Log-spectral distance over frequency.")
@_options(models_required=True)
@click.option("--utterance", "utterance_id", metavar="ID", help="One utterance, in place of the mean over all.")
@_limit_option
@_partial_option
def lsd_command(**asked: Any) -> int:
    """Draw the log-spectral distance over frequency.

    For each bin it is the root mean square over frames of the log10-power difference, then the mean over utterances.
    Transform and floor are those of the metric lsd.

    Exit status 1: some utterances could not be used.
    """
    from srbench.report.spectrum import draw_lsd, utterance_lsd

    return _curves(utterance_lsd, draw_lsd, as_db=False, what="LSD over frequency", **asked)


@command.command("distribution", short_help="Metrics over utterances, by upscaler or by speaker.")
@click.argument(
    "run_dirs",
    nargs=-1,
    metavar="[RUN_DIR]...",
    type=click.Path(path_type=Path),
    is_eager=True,
    callback=with_their_metrics,
)
@_options(models_required=False)
@_limit_option
@_partial_option
@metrics_option("Which metrics. Default: SNR and LSD.")
@click.option("--by", type=click.Choice(["upscaler", "speaker"]), default="upscaler", show_default=True)
@click.option("--anchors", is_flag=True, help="Also show the ceiling and the reference, if they were run.")
@click.option(
    "--workers", default=1, show_default=True, type=click.IntRange(1), metavar="N", help="With --model: processes."
)
@click.option(
    "--results",
    default="results",
    show_default=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="With --model: folder of the runs. A finished run is found there again.",
)
def distribution_command(
    run_dirs: tuple[Path, ...],
    metrics: tuple[str, ...],
    by: str,
    anchors: bool,
    workers: int,
    results: Path,
    out: Path,
    as_json: bool,
    **asked: Any,
) -> int:
    """Draw the distribution of metrics over utterances, by upscaler or by speaker.

    RUN_DIR is a run's folder, or one with runs in it. With --model, runs are made first, as 'srbench run' does.

    Exit status 1: some of those utterances failed.
    """
    from srbench.errors import SrbenchError
    from srbench.report.distribution import collect, draw_by_speaker, draw_by_upscaler, summary
    from srbench.report.figure import check_target, require_plots, save
    from srbench.run import find_runs, open_run, run_entrant
    from srbench.run.workers import Where

    require_plots()
    check_target(out)
    if not run_dirs and not asked["models"]:
        raise SrbenchError("nothing to draw: give folders of runs, or --model NAME to make some")
    metrics = tuple(dict.fromkeys(metrics))
    runs = [open_run(folder) for folder in find_runs(run_dirs)]
    runs = [run for run in runs if anchors or not run.manifest.upscaler.anchor]
    runs, left_out = _own_first(runs, run_dirs)
    if asked["models"]:
        plan, entrants = _prepare(out, metrics=metrics or None, **asked)
        with progress_bar() as progress:
            runs += [run_entrant(plan, e, results, where=Where(workers), progress=progress) for e in entrants.values()]
    if not runs:
        raise SrbenchError("only anchors were found; use --anchors to draw them")
    values = collect(runs, metrics)
    save(draw_by_speaker(values) if by == "speaker" else draw_by_upscaler(values), out)
    failed = sum(1 for run in runs for record in run.records if record.error)
    notes = [*runs[0].manifest.notes, *left_out, *values.notes]
    document = {
        "files": [str(out)],
        "runs": [str(run.folder) for run in runs],
        "notes": notes,
        "failed": failed,
        "metrics": summary(values),
    }
    if as_json:
        print_json(document)
    else:
        echo(f"{out}: {values.title}")
        for note in notes:
            echo(note)
    return int(failed > 0)


def _own_first(runs: list[Run], named: tuple[Path, ...]) -> tuple[list[Run], list[str]]:
    """Leave out runs of other corpora and sides that were found beside the protocol's own, and say so."""
    asked = {folder.resolve() for folder in named}
    kept = [run for run in runs if run.manifest.own_corpus or run.folder.resolve() in asked]
    others = len(runs) - len(kept)
    if not others or not kept:
        return runs, []
    return kept, [f"Left out: {others} runs on other corpora or sides; name their folders to draw them."]


def _prepare(
    out: Path,
    *,
    models: tuple[str, ...],
    protocol: str,
    data: Path | None,
    side: str | None,
    plugins: tuple[Path, ...],
    device: str | None,
    precision: str | None,
    limit: int | None = None,
    allow_partial: bool = False,
    metrics: tuple[str, ...] | None = None,
) -> tuple[Plan, dict[str, Entrant]]:
    """Return the plan and the entrants by their shown names; all that can be refused is refused before any work."""
    from srbench.protocols import load_protocol
    from srbench.report.figure import check_target, entrants_by_name, require_plots
    from srbench.run import Entrant, make_plan

    require_plots()
    check_target(out)
    plan = make_plan(
        load_protocol(protocol), data, side=side, metrics=metrics, limit=limit, allow_partial=allow_partial
    )
    files = tuple(dict.fromkeys(path.resolve() for path in plugins))
    asked = [Entrant(name, plugins=files, device=device, precision=precision) for name in dict.fromkeys(models)]
    return plan, entrants_by_name(asked, plan.protocol)


def _curves(
    measure: Callable[..., Any],
    draw: Callable[..., Any],
    *,
    as_db: bool,
    what: str,
    utterance_id: str | None,
    allow_partial: bool,
    out: Path,
    as_json: bool,
    **asked: Any,
) -> int:
    from srbench.report.figure import find_utterance, save, subject
    from srbench.report.spectrum import average, band_means

    plan, entrants = _prepare(out, allow_partial=allow_partial or utterance_id is not None, **asked)
    protocol = plan.protocol
    utterances = plan.utterances if utterance_id is None else (find_utterance(plan, utterance_id),)
    with progress_bar() as progress:
        averaged: Averaged = average(utterances, entrants, protocol, measure, progress)
    told = subject(plan, averaged.n) if utterance_id is None else f"{protocol.name}, {utterance_id}"
    top = protocol.high_rate / 2
    told = f"{what}: {told}"
    save(draw(averaged.curves, top, protocol.cutoff, title=told), out)
    document = {
        "n": averaged.n,
        "left_out": averaged.left_out,
        "bands": band_means(averaged.curves, top, protocol.cutoff, as_db=as_db),
    }
    for identity, why in averaged.left_out.items():
        echo(f"left out: {identity}: {why}", err=True)
    _tell(out, plan, document, told, as_json)
    return int(bool(averaged.left_out))


def _span(start: float | None, end: float | None, seconds: float) -> tuple[float, float]:
    from srbench.errors import SrbenchError

    low, high = start or 0.0, seconds if end is None else min(end, seconds)
    if not 0 <= low < high:
        raise SrbenchError(f"--from {low:g} --to {high:g}: nothing to show of an utterance of {seconds:.2f} s")
    return low, high


def _tell(out: Path, plan: Plan, document: dict[str, Any], what: str, as_json: bool) -> int:
    protocol = plan.protocol
    if as_json:
        facts = {"protocol": protocol.name, "protocol_signature": str(plan.signature), "cutoff_hz": protocol.cutoff}
        print_json({"files": [str(out)], **facts, "notes": list(plan.notes), **document})
    else:
        echo(f"{out}: {what}")
        for note in plan.notes:
            echo(note)
    return 0


command.add_command(means)
command.add_command(tradeoff)
