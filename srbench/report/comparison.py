"""The comparison of upscalers as tables in the terminal."""

from __future__ import annotations

from typing import Any

from srbench.level import CI, PERCENT, SIGNIFICANCE
from srbench.metrics import get_metric
from srbench.report.console import escaped, open_console, print_faults
from srbench.report.headings import heading, number, with_short

_FIRST, _COLUMN = 14, 20  # widths of the table of speakers, in characters
_VALUE = 8  # the least for the column of a value, in characters
_WIDE = 1000  # a file or a pipe has no width: nothing is folded


def print_comparison(document: dict[str, Any], *, per_speaker: bool = False, sort_by: str | None = None) -> None:
    """Print the document of `srbench.results.compare_runs`: a table for each pair, a row for each metric.

    Parameters
    ----------
    document : dict
    per_speaker : bool
        Also print each speaker's mean differences and wins.
    sort_by : str, optional
        The metric by which utterances that differ most are named; the first by default.
    """
    document = escaped(document)
    console = open_console(_WIDE)
    console.print(f"\n{document['protocol']}  {document['protocol_title']}", soft_wrap=True, style="bold", markup=False)
    for note in document["notes"]:
        console.print(note, soft_wrap=True, style="yellow", markup=False)
    for pair in document["pairs"]:
        _print_pair(console, pair)
        if per_speaker:
            _print_speakers(console, pair)
        _print_most_different(console, pair, sort_by or next(iter(pair["metrics"])))
    _print_footnotes(console, document)
    console.print(f"\n{with_short(document['protocol_signature'])}", soft_wrap=True, markup=False)
    for name, value in document["pairs"][0]["metrics"].items():
        console.print(f"{name}  {with_short(value['signature'])}", soft_wrap=True, markup=False)


def _print_pair(console: Any, pair: dict[str, Any]) -> None:
    from rich.box import HORIZONTALS
    from rich.table import Table
    from rich.text import Text

    a, b = pair["a"], pair["b"]
    table = Table(
        title=Text(f"\n{a} − {b}"),
        title_justify="left",
        title_style="bold",
        box=HORIZONTALS,
        pad_edge=False,
        collapse_padding=True,
    )
    table.add_column("metric", no_wrap=True)
    table.add_column(Text(a), justify="right", overflow="fold", min_width=_VALUE)
    table.add_column(Text(b), justify="right", overflow="fold", min_width=_VALUE)
    table.add_column("difference", justify="right", no_wrap=True)
    table.add_column("p (Holm)\nwins", justify="right", no_wrap=True)
    table.add_column("better", overflow="fold", min_width=_VALUE)
    for name, value in pair["metrics"].items():
        digits = get_metric(name).digits
        low, high = (number(bound, digits) for bound in value[CI])
        table.add_row(
            heading(name),
            number(value["mean_a"], digits),
            number(value["mean_b"], digits),
            Text(number(value["mean_difference"], f"+{digits}") + (f"\n[{low}, {high}]" if low != "–" else "")),
            f"{_probability(value['p_holm'])}\n{value['a_wins']}/{value['ties']}/{value['b_wins']}",
            _verdict(value),
        )
    console.print(table)
    for name, value in pair["metrics"].items():
        told = [value["reason"]] if value["reason"] else []
        if value["unpaired"]:
            told.append(f"{value['unpaired']} utterances have a value in one only: left out")
        if told:
            line = f"{heading(name, with_unit=False)}: {'; '.join(told)}."
            console.print(line, soft_wrap=True, style="dim", markup=False)


def _verdict(value: dict[str, Any]) -> Any:
    from rich.text import Text

    if value["better_shown"]:
        return Text(value["better_shown"], style="bold")
    if value["identical"]:
        return Text("identical")
    return Text("no difference shown" if value["p_value"] is not None else "not tested", style="dim")


def _probability(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" if value >= 0.001 else f"{value:.1e}"


def _print_speakers(console: Any, pair: dict[str, Any]) -> None:
    """Print a row for each speaker: the mean difference in each metric, and the wins of a and b."""
    from rich.table import Table
    from rich.text import Text

    names = list(pair["metrics"])
    rows = {name: {row["speaker"]: row for row in pair["metrics"][name]["speakers"]} for name in names}
    speakers = sorted({speaker for each in rows.values() for speaker in each})
    columns = max(1, (console.width - _FIRST) // _COLUMN)
    for start in range(0, len(names), columns):
        shown = names[start : start + columns]
        table = Table(title=Text(f"{pair['a']} − {pair['b']} by speaker"), title_justify="left", pad_edge=False)
        table.add_column("speaker", overflow="fold")
        for name in shown:
            table.add_column(heading(name), justify="right", no_wrap=True)
        for speaker in speakers:
            cells = []
            for name in shown:
                row = rows[name].get(speaker)
                digits = f"+{get_metric(name).digits}"
                cells.append(
                    "–" if row is None else f"{number(row['mean_difference'], digits)}  {row['a_wins']}:{row['b_wins']}"
                )
            table.add_row(Text(speaker), *cells)
        console.print(table)
    console.print("Mean difference, and wins of the one to wins of the other.", soft_wrap=True, style="dim")


def _print_most_different(console: Any, pair: dict[str, Any], name: str) -> None:
    from rich.table import Table
    from rich.text import Text

    rows = pair["metrics"][name]["most_different"]
    if not rows:
        return
    digits = get_metric(name).digits
    title = f"Where they differ most in {heading(name, with_unit=False)}"
    table = Table(title=Text(title), title_justify="left", box=None, pad_edge=False, padding=(0, 2))
    table.add_column("utterance", overflow="fold", style="dim")
    for header in (pair["a"], pair["b"], "difference"):
        table.add_column(Text(header), justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            Text(row["utterance"]),
            number(row["a"], digits),
            number(row["b"], digits),
            number(row["difference"], f"+{digits}"),
        )
    console.print(table)


def _print_footnotes(console: Any, document: dict[str, Any]) -> None:
    values = [value for pair in document["pairs"] for value in pair["metrics"].values()]
    resampled = sorted({f"{v['clusters']} {v['resampled']}" for v in values if v["resampled"] != "nothing"})
    lines = [
        "\nMeans are over the utterances that have a value in both; the arrow points to better. Wins: the utterances "
        "in which the first named is better / as good / worse."
    ]
    if resampled:
        lines.append(
            f"Difference: the mean, and its {PERCENT} bootstrap interval below it ({', '.join(resampled)} resampled)."
        )
    if document["tests"]:
        lines.append(
            f"p: two-sided sign-flip test of the same, corrected for {document['tests']} tests (Holm). A name stands "
            f"in the last column where p is below {SIGNIFICANCE:g} and the interval leaves out zero; "
            "'no difference shown' is not 'equal'."
        )
    for line in lines:
        console.print(line, soft_wrap=True, style="dim", markup=False)
    for run in document["runs"]:
        failures = [(each["utterance"], each["error"]) for each in run["failures"]]
        print_faults(console, run["label"], run["warnings"], failures)
