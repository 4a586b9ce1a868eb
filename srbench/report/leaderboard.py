"""The leaderboard as a table in the terminal."""

from __future__ import annotations

from typing import Any

from srbench.metrics import get_metric
from srbench.report.console import escaped, open_console
from srbench.report.headings import deaf_above, heading, number
from srbench.report.marks import few_units, legend, mark, sets_note
from srbench.results.standing import Standing

_FIRST, _COLUMN = 20, 23  # widths in characters


def print_leaderboard(document: dict[str, Any]) -> None:
    """Print the document of `srbench.results.leaderboard`: metrics down, upscalers across, anchors last.

    Each cell holds the mean over utterances and, below it, its 95 % interval. Marks come from paired comparisons: the
    best mean, what is not shown to beat the spline, an SNR or SI-SDR above the low-band ceiling.
    """
    from rich.table import Table
    from rich.text import Text

    document = escaped(document)
    entries = [*document["models"], *document["anchors"]]
    console = open_console(_FIRST + _COLUMN * len(entries))
    console.print(f"\n{document['protocol']}  {document['protocol_title']}", soft_wrap=True, style="bold", markup=False)
    for note in document["notes"]:
        console.print(note, soft_wrap=True, style="yellow", markup=False)
    columns = max(1, (console.width - _FIRST) // _COLUMN)
    for start in range(0, len(entries), columns):
        table = Table(show_lines=False, pad_edge=False)
        table.add_column("metric", no_wrap=True, min_width=_FIRST - 4)
        shown = entries[start : start + columns]
        for entry in shown:
            style = "dim" if entry in document["anchors"] else ""
            table.add_column(Text(entry["name"]), justify="right", style=style, overflow="fold", min_width=_COLUMN - 3)
        for name in entries[0]["metrics"]:
            table.add_row(heading(name), *(_cell(entry, name) for entry in shown))
        table.add_section()
        table.add_row("n", *(_count(entry, document["split"]["expected"]) for entry in shown))
        table.add_row("failed", *(f"[red]{e['failed']}[/red]" if e["failed"] else "0" for e in shown))
        table.add_row("real-time factor", *(_factor(entry["real_time_factor"]) for entry in shown))
        console.print(table)
    _print_footnotes(console, document)


def _print_footnotes(console: Any, document: dict[str, Any]) -> None:
    entries = [*document["models"], *document["anchors"]]
    values = [value for entry in entries for value in entry["metrics"].values()]
    kinds = {value["resampled"] for value in values} - {"nothing"}
    over = {
        "speakers": "speakers resampled",
        "utterances": "one speaker: utterances resampled, so it says nothing about other speakers",
    }
    lines = [
        "Mean over utterances, 95 % bootstrap interval below it"
        + "".join(f" ({over[kind]})" for kind in sorted(kinds))
        + "."
    ]
    lines += few_units((value["clusters"], value["resampled"]) for value in values if value["clusters"])
    if document["anchors"]:
        lines.append(
            "Dim: anchors. ceiling = perfect low band, nothing above it; reference = the reference against itself."
        )
    for made in sorted({entry["made"] for entry in entries} - {""}):
        lines.append(f"{made.capitalize()}: {', '.join(e['name'] for e in entries if e['made'] == made)}.")
    paired = [Standing(**value["paired"]) for value in values]
    lines += legend({mark(each) for each in paired}, any(each.best == "yes" for each in paired))
    overs = [{name: value["over"] for name, value in entry["metrics"].items()} for entry in entries]
    if note := sets_note([entry["name"] for entry in entries], overs):
        lines.append(note)
    undefined = sorted({name for e in entries for name, value in e["metrics"].items() if value["undefined"]})
    if undefined:
        lines.append(f"Some utterances have no value of {', '.join(undefined)} (column 'undefined'): not averaged.")
    lines += _deaf(document)
    lines.append("Real-time factor: median of upscaling seconds per second of audio.")
    for line in lines:
        console.print(line, soft_wrap=True, style="dim")
    for entry in entries:
        for warning in entry["warnings"]:
            console.print(f"warning: {entry['name']}: {warning}", soft_wrap=True, style="red", markup=False)
        for failure in entry["failures"][:3]:
            console.print(
                f"failed: {entry['name']} on {failure['utterance']}: {failure['error']}",
                soft_wrap=True,
                style="red",
                markup=False,
            )
        if len(entry["failures"]) > 3:
            more = f"        … and {len(entry['failures']) - 3} more of {entry['name']}"
            console.print(more, soft_wrap=True, style="red", markup=False)
    console.print(f"\n{document['protocol_signature']}", soft_wrap=True, markup=False)
    split = document["split"]
    counts = sorted({entry["n"] for entry in entries})
    n = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]}-{counts[-1]}"
    console.print(f"agg:mean.utterance|n:{n}/{split['expected']}", soft_wrap=True, markup=False)


def _deaf(document: dict[str, Any]) -> list[str]:
    """Say which metrics hear less than the protocol's whole band."""
    first = (document["models"] or document["anchors"])[0]
    heard: dict[float, list[str]] = {}
    for name in first["metrics"]:
        top = deaf_above(name, document["protocol_signature"])
        if top is not None:
            heard.setdefault(top, []).append(heading(name, with_unit=False))
    return [
        f"{' and '.join(names)}: deaf above {top / 1000:g} kHz." for top, names in sorted(heard.items(), reverse=True)
    ]


def _cell(entry: dict[str, Any], name: str) -> str:
    value = entry["metrics"][name]
    mean, metric, standing = value["mean"], get_metric(name), Standing(**value["paired"])
    if mean is None:
        return "–"
    low, high = (number(bound, metric.digits) for bound in value["ci95"])
    count = "" if value["undefined"] == 0 else f" n={value['n']}"
    text = number(mean, metric.digits)
    text = f"[bold]{text}[/bold]" if standing.best == "yes" else text
    return f"{text}{mark(standing)}{count}\n" + (rf"\[{low}, {high}]" if low != "–" else "")


def _count(entry: dict[str, Any], expected: int) -> str:
    return str(entry["n"]) if entry["n"] == expected else f"{entry['n']} of {expected}"


def _factor(value: float | None) -> str:
    return "–" if value is None else f"{value:.2g}"
