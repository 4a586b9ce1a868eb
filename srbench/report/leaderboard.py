"""The leaderboard as a table in the terminal."""

from __future__ import annotations

import math
from typing import Any

from srbench.metrics import get_metric
from srbench.report.console import escaped, open_console
from srbench.report.headings import deaf_above, heading, number
from srbench.report.marks import ABOVE_CEILING, BELOW_FLOOR, CEILING, mark
from srbench.results.bootstrap import most_coverage
from srbench.run import FLOOR

_FIRST, _COLUMN = 20, 23  # widths in characters


def print_leaderboard(document: dict[str, Any]) -> None:
    """Print the document of `srbench.results.leaderboard`: metrics down, upscalers across, anchors last.

    Each cell holds the mean over utterances and, below it, its 95 % interval. A mean no better than the spline's is
    marked, and so is an SNR or SI-SDR above the low-band ceiling.
    """
    from rich.table import Table
    from rich.text import Text

    document = escaped(document)
    entries = [*document["models"], *document["anchors"]]
    console = open_console(_FIRST + _COLUMN * len(entries))
    floor = next((e for e in entries if e["provenance"]["name"] == FLOOR), None)
    ceiling = next((e for e in document["anchors"] if e["name"] == CEILING), None)
    console.print(f"\n{document['protocol']}  {document['protocol_title']}", soft_wrap=True, style="bold", markup=False)
    for note in document["notes"]:
        console.print(note, soft_wrap=True, style="yellow", markup=False)
    columns = max(1, (console.width - _FIRST) // _COLUMN)
    marks: set[str] = set()
    for start in range(0, len(entries), columns):
        table = Table(show_lines=False, pad_edge=False)
        table.add_column("metric", no_wrap=True, min_width=_FIRST - 4)
        shown = entries[start : start + columns]
        for entry in shown:
            style = "dim" if entry in document["anchors"] else "bold"
            table.add_column(Text(entry["name"]), justify="right", style=style, overflow="fold", min_width=_COLUMN - 3)
        for name in entries[0]["metrics"]:
            cells = [_cell(entry, name, floor, ceiling, marks) for entry in shown]
            table.add_row(heading(name), *cells)
        table.add_section()
        table.add_row("n", *(_count(entry, document["split"]["expected"]) for entry in shown))
        table.add_row("failed", *(f"[red]{e['failed']}[/red]" if e["failed"] else "0" for e in shown))
        table.add_row("real-time factor", *(_factor(entry["real_time_factor"]) for entry in shown))
        console.print(table)
    _print_footnotes(console, document, marks)


def _print_footnotes(console: Any, document: dict[str, Any], marks: set[str]) -> None:
    entries = [*document["models"], *document["anchors"]]
    kinds = {value["resampled"] for entry in entries for value in entry["metrics"].values()} - {"nothing"}
    over = {
        "speakers": "speakers resampled",
        "utterances": "one speaker: utterances resampled, so it says nothing about other speakers",
    }
    lines = [
        "Mean over utterances, 95 % bootstrap interval below it"
        + "".join(f" ({over[kind]})" for kind in sorted(kinds))
        + "."
    ]
    speakers = document["split"]["speakers"]
    if speakers > 1 and most_coverage(speakers) < 0.95:
        most = f"{100 * most_coverage(speakers):.0f}"
        lines.append(f"{speakers} speakers are few: such an interval holds the true mean in at most {most} % of cases.")
    if document["anchors"]:
        lines.append(
            "Dim: anchors. ceiling = perfect low band, nothing above it; reference = the reference against itself."
        )
    if BELOW_FLOOR in marks:
        lines.append(f"{BELOW_FLOOR} no better than the {FLOOR}")
    if ABOVE_CEILING in marks:
        lines.append(f"{ABOVE_CEILING} above the ceiling: worth a second look")
    if len({entry["n"] for entry in entries}) > 1:
        lines.append("Columns with another n are means over other utterances: they do not compare.")
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


def _cell(
    entry: dict[str, Any], name: str, floor: dict[str, Any] | None, ceiling: dict[str, Any] | None, marks: set[str]
) -> str:
    value = entry["metrics"][name]
    mean, metric = value["mean"], get_metric(name)
    if mean is None:
        return "–"
    found = ""
    if entry.get("provenance", {}).get("kind") != "anchor" and entry is not floor:
        found = mark(name, float(mean), _mean(floor, name), _mean(ceiling, name))
    marks.add(found)
    low, high = (number(bound, metric.digits) for bound in value["ci95"])
    count = "" if value["undefined"] == 0 else f" n={value['n']}"
    return f"{number(mean, metric.digits)}{found}{count}\n" + (f"[{low}, {high}]" if low != "–" else "").replace(
        "[", r"\["
    )


def _mean(entry: dict[str, Any] | None, name: str) -> float:
    """Return a mean as a number, whose infinity the document holds as a text; NaN where there is none."""
    mean = entry["metrics"][name]["mean"] if entry else None
    return math.nan if mean is None else float(mean)


def _count(entry: dict[str, Any], expected: int) -> str:
    return str(entry["n"]) if entry["n"] == expected else f"{entry['n']} of {expected}"


def _factor(value: float | None) -> str:
    return "–" if value is None else f"{value:.2g}"
