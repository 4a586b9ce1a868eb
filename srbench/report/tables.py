"""A published leaderboard as a table: Markdown to read on the web, LaTeX (booktabs) for a paper.

The same leaderboard gives the same bytes. Names come from strangers: everything is escaped.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from srbench.files import whole_file
from srbench.metrics import get_metric
from srbench.report.headings import count, heading, number
from srbench.report.notes import ABOVE_CEILING, BELOW_FLOOR, footnotes, mark
from srbench.results.board import Board, Row
from srbench.results.board_file import facts

_ACROSS = 7  # upscalers stand in columns up to so many, and metrics where there are more
_LATEX_COLUMNS = 4  # in one LaTeX table; the others follow in the next
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u200e\u200f\u2028-\u202e\u2066-\u2069]+")
_MARKDOWN = {
    **{each: f"\\{each}" for each in "\\`*_[]~#"},
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    "|": "&#124;",  # an escaped bar still ends a cell in some readers
    "$": "&#36;",  # and an escaped dollar still begins a formula
}
_LATEX = {
    **{each: f"\\{each}" for each in "{}$&#_%"},
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    '"': r"\char34{}",
    "[": "{[}",  # after a line break it would begin an optional argument
    "]": "{]}",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    BELOW_FLOOR: r"$^{\dagger}$",
    ABOVE_CEILING: r"$^{\ddagger}$",
    "–": r"\textendash{}",
    "±": r"$\pm$",
    "Δ": r"$\Delta$",
}


@dataclass(frozen=True)
class _Markup:
    """How one of the two formats writes a text, a strong text, and an interval after its mean."""

    text: Callable[[str], str]
    strong: Callable[[str], str]
    interval: Callable[[str], str]


def _escape(text: str, table: dict[str, str]) -> str:
    return "".join(table.get(each, each) for each in _CONTROL.sub(" ", text))


def markdown_text(text: str) -> str:
    """Return a text so that Markdown shows it as it is, in a table too."""
    return _escape(text, _MARKDOWN)


def latex_text(text: str) -> str:
    """Return a text so that LaTeX sets it as it is."""
    return re.sub("-(?=-)", "-{}", _escape(text, _LATEX))  # two hyphens would be one dash


_IN_MARKDOWN = _Markup(markdown_text, lambda text: f"**{text}**", lambda text: f"<br>{text}")
_IN_LATEX = _Markup(latex_text, lambda text: rf"\textbf{{{text}}}", lambda text: rf" {{\scriptsize {text}}}")


def write_tables(board: Board, folder: str | Path) -> list[Path]:
    """Write ``<protocol>.md`` and ``<protocol>.tex`` where they are not so already, and return what was written.

    Raises
    ------
    OSError
        If they cannot be written.
    """
    written = []
    for suffix, made in ((".md", markdown(board)), (".tex", latex(board))):
        path = Path(folder) / f"{board.protocol}{suffix}"
        if not path.exists() or path.read_bytes() != made.encode():
            with whole_file(path, newline="\n") as file:
                file.write(made)
            written.append(path)
    return written


def markdown(board: Board) -> str:
    """Return a leaderboard as a Markdown document: the table, its footnotes, and where its rows come from."""
    table = _table(board, _IN_MARKDOWN)
    parts = [f"# {markdown_text(board.protocol)}", _markdown_table(table)]
    parts += [markdown_text(note) for note in _notes(board)]
    signatures = {name: _CONTROL.sub(" ", text).replace("`", "'") for name, text in board.signatures.items()}
    parts += ["## Definitions", "\n".join(f"- {name}: `{text}`" for name, text in signatures.items())]
    told = ("upscaler", "distribution", "version", "num_parameters", "weights", "trained_on", "run", "date")
    of_rows = [[markdown_text(facts(row)[key]) for key in told] for row in board.rows]
    titles = [key.replace("num_", "").replace("_", " ") for key in told]
    parts += ["## Rows", _markdown_table([titles, *of_rows], align="---")]
    parts.append(f"Made by `srbench publish` from {markdown_text(board.protocol)}.csv, which has every digit.")
    return "\n\n".join(parts) + "\n"


def latex(board: Board) -> str:
    """Return a leaderboard as LaTeX tables (package booktabs), with the footnotes after the last."""
    head, *lines = _table(board, _IN_LATEX)
    label = re.sub(r"[^A-Za-z0-9-]", "-", board.protocol)
    parts = [r"% made by srbench publish; needs \usepackage{booktabs}"]
    starts = range(1, len(head), _LATEX_COLUMNS)
    for start in starts:
        chosen = [[line[0], *line[start : start + _LATEX_COLUMNS]] for line in (head, *lines)]
        rows = [" & ".join(line) + r" \\" for line in chosen]
        continued = "" if start == 1 else ", continued"
        parts += [
            r"\begin{table}",
            r"\centering\small",
            rf"\caption{{{latex_text(board.protocol)}{continued}}}",
            *([rf"\label{{tab:srbench-{label}}}"] if start == 1 else []),
            rf"\begin{{tabular}}{{l{'r' * (len(chosen[0]) - 1)}}}",
            r"\toprule",
            rows[0],
            r"\midrule",
            *rows[1:],
            r"\bottomrule",
            r"\end{tabular}",
        ]
        if start == starts[-1]:
            signatures = [f"{name}: {text}" for name, text in board.signatures.items()]
            notes = [latex_text(note) for note in _notes(board)]
            notes += [latex_text(text).replace(r"\textbar{}", r"\textbar{}\allowbreak{}") for text in signatures]
            parts += [r"\par\medskip\raggedright\scriptsize", *(rf"{note}\par" for note in notes)]
        parts.append(r"\end{table}")
    return "\n".join(parts) + "\n"


def _table(board: Board, markup: _Markup) -> list[list[str]]:
    """Return the cells, the head first: upscalers across where there are few, metrics across where there are many."""
    columns = [[heading(name), *(_cell(row, name, markup) for row in board.rows)] for name in board.metrics]
    columns += [
        [title, *(markup.text(tell(row)) for row in board.rows)]
        for title, tell in (("n", count), ("parameters", _parameters), ("real-time factor", _factor))
    ]
    names = ["", *(markup.text(row.name) for row in board.rows)]
    grid = [names, *([markup.text(column[0]), *column[1:]] for column in columns)]
    return grid if len(board.rows) <= _ACROSS else [list(line) for line in zip(*grid, strict=True)]


def _cell(row: Row, metric: str, markup: _Markup) -> str:
    value, digits = row.values[metric], get_metric(metric).digits
    if math.isnan(value.mean):
        return markup.text("–")
    mean = markup.text(number(value.mean, digits))
    mean = markup.strong(mean) if value.paired.best == "yes" else mean
    fewer = f" n={value.n}" if value.n != row.n else ""
    bounds = [number(bound, digits) for bound in (value.low, value.high)]
    interval = "" if math.isnan(value.low) else markup.interval(f"[{', '.join(bounds)}]")
    return f"{mean}{markup.text(mark(value.paired) + fewer)}{interval}"


def _notes(board: Board) -> list[str]:
    """Return the footnotes that this leaderboard needs."""
    return footnotes(board) + [f"Warning: {row.name}: {row.warnings}" for row in board.rows if row.warnings]


def _parameters(row: Row) -> str:
    return "–" if row.num_parameters is None else f"{row.num_parameters:,}".replace(",", " ")


def _factor(row: Row) -> str:
    return "–" if row.anchor or row.real_time_factor is None else f"{row.real_time_factor:.3g}"


def _markdown_table(lines: Sequence[Sequence[str]], align: str = "---:") -> str:
    head, *body = lines
    rule = ["---", *(align for _ in head[1:])]
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, rule, *body))
