"""``srbench audit``."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import click

from srbench.cli.output import echo, json_option, print_json
from srbench.errors import SrbenchError, shown

if TYPE_CHECKING:
    from srbench.audit import Report


@click.command("audit")
@click.argument("target", metavar="MODULE:FUNCTION|FILE.py:FUNCTION")
@click.option(
    "--as",
    "declared",
    metavar="METRIC",
    help="What it claims to be: snr, lsd, lsd_nvsr, pesq, segsnr, …; a function made with @metric tells its family.",
)
@click.option(
    "--order",
    type=click.Choice(["ref,est", "est,ref"]),
    default="ref,est",
    show_default=True,
    help="Which argument comes first.",
)
@click.option(
    "--call",
    default="",
    metavar="'f(ref, est, sr)'",
    help="How to call it: ref, est, sr, cutoff and constants; \"f([est, ref])['snr']\" takes a part of the answer.",
)
@click.option("--sample-rate", default=16000, show_default=True, type=click.IntRange(8000), metavar="HZ")
@click.option(
    "--cutoff", type=click.FloatRange(1.0), metavar="HZ", help="For lsd_hf and lsd_lf; else a quarter of the rate."
)
@click.option(
    "--input",
    "array",
    type=click.Choice(["numpy", "torch", "files", "files-float32", "files-pcm16"]),
    default="numpy",
    show_default=True,
    help="What the function takes; files: paths of WAV files.",
)
@click.option(
    "--shape",
    type=click.Choice(["n", "1n", "n1", "11n"]),
    default="n",
    show_default=True,
    help="Shape of a signal. 1n: a batch of one; n1: a column; 11n: batch and channel.",
)
@click.option(
    "--limit",
    default=20.0,
    show_default=True,
    type=click.FloatRange(0.1),
    metavar="SECONDS",
    help="Limit for one call. The first call has two minutes, because functions import packages in it.",
)
@click.option("--law", "laws", multiple=True, metavar="NAME", help="Run only this law. Repeat it for more.")
@click.option("--strict", is_flag=True, help="Exit status 1 if input checks are missing, too.")
@click.option("--verbose", "-v", is_flag=True, help="Also show the laws that hold.")
@json_option
def command(
    target: str,
    declared: str | None,
    order: str,
    call: str,
    sample_rate: int,
    array: str,
    shape: str,
    limit: float,
    laws: tuple[str, ...],
    cutoff: float | None,
    strict: bool,
    verbose: bool,
    as_json: bool,
) -> int:
    """Run the laws on a metric function, and say what it really computes.

    The function's code runs, in a process of its own. Audit only code that you trust.

    Exit status 1: the function computes something else than it claims. A cause is shown, or it is not given as one.
    """
    from srbench.audit import Convention, audit_target

    report = audit_target(
        target,
        declared or _family(target),
        sample_rate=sample_rate,
        convention=Convention(order, call, array, shape),
        limit=limit,
        laws=laws,
        cutoff=cutoff,
    )
    if as_json:
        print_json(report.as_dict())
    else:
        _print(report, verbose)
    return 0 if report.verdict == "pass" and not (strict and report.input_checks == "missing") else 1


_LEVELS = {"shown": "shown", "consistent": "consistent with the laws, not shown", "unknown": "not known"}


def _family(target: str) -> str:
    """Return the family of a plug-in's metric, which is also the name of the metric that its laws are held against."""
    from srbench.audit import auditable
    from srbench.metrics import METRICS, use_plugins

    file, _, name = target.rpartition(":")
    if not file.endswith(".py"):
        raise SrbenchError("say what it claims to be: --as METRIC")
    use_plugins([file])
    if name not in METRICS:
        raise SrbenchError(f"{file} declares no metric '{shown(name)}': say what it claims to be with --as METRIC")
    if (family := METRICS[name].family) not in auditable():
        told = f"its family '{family}'" if family else "a metric that declares no family"
        raise SrbenchError(f"{name}: there are no laws for {told}. There are for {', '.join(auditable())}.")
    return family


def _print(report: Report, verbose: bool) -> None:
    broken = [check for check in report.checks if check.verdict == "fail"]
    for check in report.checks if verbose else broken:
        colour = "red" if check.verdict == "fail" else "green"
        echo(*_wrapped(f"{check.verdict.upper()}  {check.law}: {check.statement}", "      "), fg=colour)
        echo(*_wrapped(f"      expected {check.expected}", "               "))
        echo(*_wrapped(f"      measured {check.measured}", "               "))
    held = len(report.checks) - len(broken)
    diagnosis = report.diagnosis
    echo("", f"{report.target} as {report.declared}: {report.verdict}, {held} of {len(report.checks)} laws hold.")
    for number, bug in enumerate(diagnosis.bugs, 1):
        echo("", f"{number}. {bug.bug} ({_LEVELS[bug.certainty]})", bold=True)
        echo(*_wrapped(f"   {bug.explanation}", "   "))
        echo(*_wrapped(f"   {bug.correction}", "   "))
    if diagnosis.unchecked:
        echo("", "No input checks: it gives a number where there is none.", bold=True)
        for bug in diagnosis.unchecked:
            echo(*_wrapped(f"   {bug.bug}: {bug.explanation} {bug.correction}", "   "))
    if report.verdict == "pass" and not diagnosis.computes:
        echo("", "It agrees with the declared definition to 0.2 %; to more, none is shown.")
    elif diagnosis.bugs and diagnosis.computes == report.declared_signature:
        echo("", "On ordinary pairs it computes the declared definition.")
    echo("", f"declared  {report.declared_signature}")
    if diagnosis.computes:
        echo(f"computes  {diagnosis.computes}")
    for nearest in diagnosis.nearest:
        echo(f"nearest   {nearest}")


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, 100, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
