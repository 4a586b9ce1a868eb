"""Scored systems in the terminal: means, and what was found on the pairs, kind by kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from srbench.level import CI
from srbench.metrics import get_metric
from srbench.report.console import escaped, open_console
from srbench.report.headings import heading, number
from srbench.report.notes import few_units, interval_note, sets_note
from srbench.scoring import KINDS

_WORST = 3  # pairs named for each kind of warning
_LISTED = 5  # files and failures named


def print_scores(document: dict[str, Any]) -> None:
    """Print the document of `srbench.results.scoring.score_document`.

    Metrics stand down, systems across: the mean over pairs and, below it, its 95 % interval. Under the table, for each
    system, the warnings grouped by kind with the worst cases, the failures, and the files without a counterpart.
    """
    from rich.table import Table
    from rich.text import Text

    document = escaped(document)
    systems = document.get("systems") or [document]
    console = open_console(24 + 26 * len(systems))
    table = Table(show_lines=False, pad_edge=False)
    table.add_column("metric", no_wrap=True)
    for system in systems:
        table.add_column(Text(system["system"]), justify="right", overflow="fold")
    for name in systems[0]["metrics"]:
        table.add_row(heading(name), *(_cell(system["metrics"][name], name) for system in systems))
    table.add_section()
    counts = ((s["n"], s["references"]) for s in systems)
    table.add_row("n", *(f"{n} of {references}" if n < references else str(n) for n, references in counts))
    table.add_row("failed", *(f"[red]{s['failed']}[/red]" if s["failed"] else "0" for s in systems))
    table.add_row("with warnings", *(str(sum(bool(u["warnings"]) for u in s["utterances"])) for s in systems))
    console.print(table)

    def say(line: str, style: str = "") -> None:
        console.print(line, soft_wrap=True, style=style, markup=False)

    values = [value for system in systems for value in system["metrics"].values()]
    say(interval_note({value["resampled"] for value in values if value["clusters"]}, "pairs"), "dim")
    overs = [{name: value["over"] for name, value in system["metrics"].items()} for system in systems]
    limits = [sets_note([system["system"] for system in systems], overs)]
    for note in limits + few_units((value["clusters"], value["resampled"]) for value in values if value["clusters"]):
        if note:
            say(note, "yellow")
    for system in systems:
        title = f"{system['system']}: " if len(systems) > 1 else ""
        for line in _warnings(system):
            say(f"{title}{line}", "yellow")
        failures = [each for each in system["utterances"] if each["error"]]
        for each in failures[:_LISTED]:
            say(f"{title}failed: {each['id']}: {each['error']}", "red")
        if len(failures) > _LISTED:
            say(f"{title}        … and {len(failures) - _LISTED} more", "red")
        for note in system["notes"]:
            say(f"{title}{note}", "yellow")
        for side, files in system["unmatched"].items():
            if files:
                names = ", ".join(Path(file).name for file in files[:_LISTED])
                more = f" and {len(files) - _LISTED} more" if len(files) > _LISTED else ""
                say(f"{title}{len(files)} of the {side} files without a counterpart: {names}{more}", "yellow")
    say(f"\n{document['signature']}")


def _cell(value: dict[str, Any], name: str) -> str:
    if value["undefined"] and not value["n"]:
        return "undefined"
    digits = get_metric(name).digits
    count = f" n={value['n']}" if value["undefined"] else ""
    low, high = (number(bound, digits) for bound in value[CI])
    interval = f"\n\\[{low}, {high}]" if low != "–" else ""
    return f"{number(value['mean'], digits)}{count}{interval}"


def _warnings(system: dict[str, Any]) -> list[str]:
    """Return a line for each kind of warning and the pairs in which it is worst, in the order of the kinds."""
    lines = []
    for kind in KINDS:
        found = [(each["id"], w) for each in system["utterances"] for w in each["warnings"] if w["kind"] == kind]
        if not found:
            continue
        lines.append(f"{kind}: {len({name for name, _ in found})} of {system['pairs']} pairs")
        worst = sorted(found, key=lambda each: -_badness(each[1]))[:_WORST]
        lines += [f"    {name}: {warning['detail']}" for name, warning in worst]
    return lines


def _badness(warning: dict[str, Any]) -> float:
    """Return how bad a warning is among those of its kind."""
    if warning["value"] is None:
        return 0.0
    value = float(warning["value"])
    return -value if warning["kind"] in ("mismatch", "low-band") or warning["unit"] == "Hz" else abs(value)
