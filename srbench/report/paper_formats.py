"""A paper's table in LaTeX (booktabs), Markdown, HTML and CSV. `srbench lint` reads all of them.

The same table gives the same bytes. Names come from strangers: everything is escaped.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby

from srbench.level import CI
from srbench.report.paper_table import ANCHORS, Cell, Line, PaperTable
from srbench.report.tables import latex_text, markdown_text
from srbench.table import csv_text


def latex(table: PaperTable) -> str:
    """Return it as a LaTeX table; it needs the packages booktabs and, for wide ones, the writer's own column widths."""
    width = len(table.columns)
    head = [latex_text(table.first), *(latex_text(column.title) for column in table.columns)]
    lines = [
        r"% made by srbench table; needs \usepackage{booktabs}",
        r"\begin{table}",
        r"\centering\small",
        rf"\caption{{{latex_text(table.caption)}}}",
        r"\label{tab:srbench}",
        rf"\begin{{tabular}}{{l{'r' * width}}}",
        r"\toprule",
    ]
    if len(table.groups) > 1:
        counts = [sum(column.group == place for column in table.columns) for place in range(len(table.groups))]
        wide = [
            rf"\multicolumn{{{n}}}{{c}}{{{latex_text(title)}}}" for title, n in zip(table.groups, counts, strict=True)
        ]
        ends = [1 + sum(counts[: place + 1]) for place in range(len(counts))]
        rules = [rf"\cmidrule(lr){{{end - n + 1}-{end}}}" for end, n in zip(ends, counts, strict=True)]
        lines += [" & ".join(["", *wide]) + r" \\", " ".join(rules)]
    lines += [" & ".join(head) + r" \\", r"\midrule"]
    for section, members in groupby(table.lines, key=lambda line: line.section):
        if section:
            lines += [r"\midrule", rf"\multicolumn{{{width + 1}}}{{l}}{{\emph{{{latex_text(section)}}}}} \\"]
        lines += [
            " & ".join([latex_text(line.label), *(_in_latex(cell) for cell in line.cells)]) + r" \\" for line in members
        ]
    lines += [r"\bottomrule", r"\end{tabular}", r"\par\medskip\raggedright\scriptsize"]
    lines += [rf"{latex_text(note)}\par" for note in table.notes]
    return "\n".join([*lines, r"\end{table}"]) + "\n"


def _in_latex(cell: Cell | None) -> str:
    if cell is None:
        return latex_text("–")
    mean = latex_text(cell.mean)
    mean = rf"\textbf{{{mean}}}" if cell.bold else mean
    interval = rf" {{\scriptsize {latex_text(cell.interval)}}}" if cell.interval else ""
    return f"{mean}{latex_text(cell.mark)}{interval}"


def markdown(table: PaperTable) -> str:
    """Return it as a Markdown table, the caption before it and the notes after it; groups stand below each other."""
    titles = {column.metric: column.title for column in table.columns}
    body = [[markdown_text(text) for text in (table.first, *titles.values())], ["---", *("---:" for _ in titles)]]
    for place, group in enumerate(table.groups):
        several = group if len(table.groups) > 1 else ""
        for section, members in groupby(table.lines, key=lambda line: line.section):
            of_lines = [(line.label, _of_group(table, line, place)) for line in members]
            if title := ": ".join(filter(None, (several, section))):
                body.append([f"*{markdown_text(title)}*", *("" for _ in titles)])
            body += [
                [markdown_text(label), *(_in_markdown(cells.get(metric)) for metric in titles)]
                for label, cells in of_lines
                if cells
            ]
    rows = "\n".join(f"| {' | '.join(cells)} |" for cells in body)
    return "\n\n".join([markdown_text(table.caption), rows, *map(markdown_text, table.notes)]) + "\n"


def _of_group(table: PaperTable, line: Line, place: int) -> dict[str, Cell]:
    """Return a line's cells in one group by their metric."""
    cells = zip(table.columns, line.cells, strict=True)
    return {column.metric: cell for column, cell in cells if column.group == place and cell is not None}


def _in_markdown(cell: Cell | None) -> str:
    if cell is None:
        return "–"
    mean = f"**{cell.mean}**" if cell.bold else cell.mean
    return f"{mean}{cell.mark}" + (f" {markdown_text(cell.interval)}" if cell.interval else "")


def html_table(table: PaperTable) -> str:
    """Return it as an HTML fragment: a ``<table>`` with a caption, and a paragraph for each note."""
    text = html.escape
    counts = [sum(column.group == place for column in table.columns) for place in range(len(table.groups))]
    lines = ['<table class="srbench">', f"<caption>{text(table.caption)}</caption>", "<thead>"]
    if len(table.groups) > 1:
        wide = (f'<th colspan="{n}">{text(title)}</th>' for title, n in zip(table.groups, counts, strict=True))
        lines.append(f"<tr><th></th>{''.join(wide)}</tr>")
    lines.append(
        f"<tr><th>{text(table.first)}</th>{''.join(f'<th>{text(column.title)}</th>' for column in table.columns)}</tr>"
    )
    lines += ["</thead>", "<tbody>"]
    for section, members in groupby(table.lines, key=lambda line: line.section):
        if section:
            lines.append(f'<tr><th colspan="{len(table.columns) + 1}">{text(section)}</th></tr>')
        lines += [
            f"<tr><th>{text(line.label)}</th>{''.join(f'<td>{_in_html(cell)}</td>' for cell in line.cells)}</tr>"
            for line in members
        ]
    lines += ["</tbody>", "</table>", *(f"<p>{text(note)}</p>" for note in table.notes)]
    return "\n".join(lines) + "\n"


def _in_html(cell: Cell | None) -> str:
    if cell is None:
        return "–"
    mean = f"<strong>{html.escape(cell.mean)}</strong>" if cell.bold else html.escape(cell.mean)
    return mean + cell.mark + (f" <small>{html.escape(cell.interval)}</small>" if cell.interval else "")


def csv(table: PaperTable) -> str:
    """Return it as CSV: a row for each system and protocol, with every digit, bounds, n, and the marks in words."""
    metrics = list(dict.fromkeys(column.metric for column in table.columns))
    parts = ("", f"_{CI}_low", f"_{CI}_high", "_n", "_paired")
    rows = [["system", "kind", "protocol", *(f"{metric}{part}" for metric in metrics for part in parts)]]
    for place, protocol in enumerate(table.protocols):
        for line in table.lines:
            if cells := _of_group(table, line, place):
                told = [_in_csv(cells.get(metric)) for metric in metrics]
                rows.append([line.label, _kind(line), protocol, *(text for texts in told for text in texts)])
    return csv_text(rows)


def _kind(line: Line) -> str:
    return {"": "model", ANCHORS: "anchor"}.get(line.section, "reported")


def _in_csv(cell: Cell | None) -> Sequence[str]:
    if cell is None:
        return [""] * 5
    value = cell.value
    if value is None:
        return [cell.mean, "", "", "", ""]
    numbers = ["" if math.isnan(each) else repr(each) for each in (value.mean, value.low, value.high)]
    return [*numbers, str(value.n), str(value.paired)]


FORMATS: Mapping[str, Callable[[PaperTable], str]] = {
    "latex": latex,
    "markdown": markdown,
    "html": html_table,
    "csv": csv,
}
ENDINGS = {".tex": "latex", ".md": "markdown", ".html": "html", ".htm": "html", ".csv": "csv"}
