"""The paired differences of ``srbench compare`` as a paper's table, in the formats of `srbench.report.paper_formats`.

A column is headed ``ΔSNR``: what is printed is a difference, not a score, and `srbench lint` takes it for one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from srbench.errors import SrbenchError
from srbench.level import CI, PERCENT, SIGNIFICANCE
from srbench.metrics import get_metric
from srbench.report.headings import number
from srbench.report.notes import interval_note
from srbench.report.paper_formats import ENDINGS, FORMATS
from srbench.report.paper_table import Cell, Column, Line, PaperTable, title
from srbench.signature import short
from srbench.table import csv_text


def format_of(name: str) -> str:
    """Return the format that a file's ending names.

    Raises
    ------
    SrbenchError
        If it names none.
    """
    ending = name[name.rfind(".") :].lower() if "." in name else ""
    if ending not in ENDINGS:
        raise SrbenchError(f"{name}: which format? End the file in {', '.join(ENDINGS)}")
    return ENDINGS[ending]


def difference_text(document: Mapping[str, Any], format_: str) -> str:
    """Return the document of `srbench.results.compare_runs` as a table: a row for each pair, a column for each metric.

    Parameters
    ----------
    document : mapping
    format_ : {"latex", "markdown", "html", "csv"}
    """
    return _csv(document) if format_ == "csv" else FORMATS[format_](_table(document))


def _table(document: Mapping[str, Any]) -> PaperTable:
    metrics = list(document["pairs"][0]["metrics"])
    lines = [
        Line(f"{pair['a']} – {pair['b']}", "", tuple(_cell(name, pair["metrics"][name]) for name in metrics))
        for pair in document["pairs"]
    ]
    values = [value for pair in document["pairs"] for value in pair["metrics"].values()]
    kinds = {value["resampled"] for value in values} - {"nothing"}
    notes = [f"Differences, the first minus the second. {interval_note(kinds)}"]
    if any(cell is not None and cell.bold for line in lines for cell in line.cells):
        tests = document["tests"]
        notes.append(
            f"Bold: shown (p < {SIGNIFICANCE:g} by a sign-flip test, corrected for {tests} tests by Holm's method, "
            f"and a {PERCENT} interval without zero)."
        )
    split = document["split"]
    of = f" of {split['expected']}" if split["scored"] != split["expected"] else ""
    signature = short(document["protocol_signature"])
    caption = f"srbench: differences on {document['protocol']} (n = {split['scored']}{of}, {signature})."
    columns = tuple(Column(name, f"Δ{title(name)}", 0) for name in metrics)
    return PaperTable(
        (document["protocol"],), (document["protocol"],), columns, tuple(lines), caption, tuple(notes), "Pair"
    )


def _cell(metric: str, value: Mapping[str, Any]) -> Cell:
    digits = get_metric(metric).digits
    low, high = (number(bound, digits) for bound in value[CI])
    interval = f"[{low}, {high}]" if value[CI][0] is not None else ""
    return Cell(number(value["mean_difference"], f"+{digits}"), interval, value["better_shown"] is not None)


def _csv(document: Mapping[str, Any]) -> str:
    metrics = list(document["pairs"][0]["metrics"])
    parts = ("", f"_{CI}_low", f"_{CI}_high", "_p_holm", "_better_shown")
    rows = [["a", "b", *(f"Δ{metric}{part}" for metric in metrics for part in parts)]]
    for pair in document["pairs"]:
        cells = [pair["a"], pair["b"]]
        for metric in metrics:
            value = pair["metrics"][metric]
            cells += [value["mean_difference"], *value[CI], value["p_holm"], value["better_shown"]]
        rows.append(cells)
    return csv_text(rows)
