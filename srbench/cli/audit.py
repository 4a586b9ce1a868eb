"""``srbench audit``."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import click

from srbench.cli.options import as_metric
from srbench.cli.output import echo, json_option, print_json
from srbench.errors import SrbenchError, shown

if TYPE_CHECKING:
    from srbench.audit import Report


@click.command("audit")
@click.argument("target", metavar="MODULE:FUNCTION|FILE.py:FUNCTION")
@click.option(
    "--as",
    "declared",
    callback=as_metric,
    metavar="METRIC",
    help="What it claims to be: snr, lsd, lsd_nvsr, pesq, …; a function made with @metric tells its family.",
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
    help="How to call it: ref, est, sr and constants, by position or by name.",
)
@click.option("--sample-rate", default=16000, show_default=True, type=click.IntRange(8000), metavar="HZ")
@click.option("--input", "array", type=click.Choice(["numpy", "torch"]), default="numpy", show_default=True)
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
    verbose: bool,
    as_json: bool,
) -> int:
    """Run the laws on a metric function, and say what it really computes.

    The function's code runs, in a process of its own. Audit only code that you trust.

    Exit status 1: a law is broken, or the function computes something else than it claims.
    """
    from srbench.audit import Convention, audit_target

    report = audit_target(
        target,
        declared or _family(target),
        sample_rate=sample_rate,
        convention=Convention(order, call, array, shape),
        limit=limit,
        laws=laws,
    )
    if as_json:
        print_json(report.as_dict())
    else:
        _print(report, verbose)
    return 0 if report.verdict == "pass" else 1


def _family(target: str) -> str:
    """Return the family of a plug-in's metric, which is also the name of the metric that its laws are held against."""
    from srbench.audit import auditable
    from srbench.metrics import METRICS, get_metric, use_plugins
    from srbench.plugins import installed

    where, _, name = target.rpartition(":")
    if where.endswith(".py"):
        use_plugins([where])
        found = METRICS.get(name)
    else:
        found = next((get_metric(each.name) for each in installed("metric") if each.is_at(target)), None)
    if found is None or not found.home:
        raise SrbenchError(
            f"{shown(where or target)} declares no metric '{shown(name)}': say what it is with --as METRIC"
        )
    if found.family not in auditable():
        told = f"its family '{found.family}'" if found.family else "a metric that declares no family"
        raise SrbenchError(f"{name}: there are no laws for {told}. There are for {', '.join(auditable())}.")
    return found.family


def _print(report: Report, verbose: bool) -> None:
    broken = [check for check in report.checks if check.verdict == "fail"]
    for check in report.checks if verbose else broken:
        colour = "red" if check.verdict == "fail" else "green"
        echo(*_wrapped(f"{check.verdict.upper()}  {check.law}: {check.statement}", "      "), fg=colour)
        echo(*_wrapped(f"      expected {check.expected}", "               "))
        echo(*_wrapped(f"      measured {check.measured}", "               "))
    held = len(report.checks) - len(broken)
    echo("", f"{report.target} as {report.declared}: {held} of {len(report.checks)} laws hold.")
    for number, bug in enumerate(report.diagnosis.bugs, 1):
        echo("", f"{number}. {bug.bug}", bold=True)
        echo(*_wrapped(f"   {bug.explanation}", "   "))
        echo(*_wrapped(f"   {bug.correction}", "   "))
    if report.diagnosis.bugs and report.diagnosis.computes == report.declared_signature:
        echo("", "On ordinary pairs it computes the declared definition.")
    echo("", f"declared  {report.declared_signature}")
    if report.diagnosis.computes:
        echo(f"computes  {report.diagnosis.computes}")
    for nearest in report.diagnosis.nearest:
        echo(f"nearest   {nearest}")


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, 100, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
