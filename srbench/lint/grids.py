"""From the text of a results table to grids of cells: CSV, Markdown pipe tables, LaTeX tabulars."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from srbench.errors import SrbenchError


def read_grids(path: Path, text: str) -> list[list[list[str]]]:
    """Return the grids of cells in a text: by the file's suffix, or else by what the text looks like.

    Cells keep their footnote marks, which `plain_text` takes away.
    """
    suffix = path.suffix.lower()
    if suffix not in (".csv", ".tsv"):
        if suffix in (".html", ".htm") or re.search(r"<table[\s>]", text):
            return _html_grids(text)
        if suffix in (".tex", ".latex") or re.search(r"\\begin\{(tabular|longtable|array)", text):
            return list(_latex_grids(text))
        if suffix in (".md", ".markdown") or any(map(_is_rule, text.splitlines())):
            return list(_markdown_grids(text))
    return [_csv_grid(path, text)]


def _csv_grid(path: Path, text: str) -> list[list[str]]:
    first = text.lstrip().splitlines()[0]
    delimiter = max("\t,;" if path.suffix.lower() == ".tsv" else ",;\t", key=first.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise SrbenchError(f"{path}: not readable as CSV: {error}") from None
    if delimiter == ";":  # where the comma is the decimal point
        rows = [[re.sub(r"(?<=\d),(?=\d)", ".", cell) for cell in row] for row in rows]
    return [[_marked_text(cell) for cell in row] for row in rows if any(cell.strip() for cell in row)]


def _markdown_grids(text: str) -> Iterator[list[list[str]]]:
    lines = text.splitlines()
    end = 0
    for i in range(1, len(lines)):
        if i < end or "|" not in lines[i - 1] or not _is_rule(lines[i]) or _is_rule(lines[i - 1]):
            continue
        end = i + 1
        while end < len(lines) and "|" in lines[end]:
            end += 1
        grid = []
        for line in (lines[i - 1], *lines[i + 1 : end]):
            line = re.sub(r"^\||(?<!\\)\|$", "", line.strip())
            grid.append([_marked_text(cell.replace("\\|", "|")) for cell in re.split(r"(?<!\\)\|", line)])
        yield grid


class _Tables(HTMLParser):
    """Collects the cells of all tables of an HTML page."""

    def __init__(self) -> None:
        super().__init__()
        self.grids: list[list[list[str]]] = []
        self._cell: list[str] | None = None
        self._span = 1

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._close(tag in ("td", "th", "tr", "table"))
        if tag == "table":
            self.grids.append([])
        elif tag == "tr" and self.grids:
            self.grids[-1].append([])
        elif tag in ("td", "th") and self.grids and self.grids[-1]:
            span = dict(attrs).get("colspan") or "1"
            self._cell, self._span = [], int(span) if re.fullmatch(r"[1-9]\d?", span) else 1

    def handle_endtag(self, tag: str) -> None:
        self._close(tag in ("td", "th", "tr", "table"))

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)

    def _close(self, ends: bool) -> None:
        if ends and self._cell is not None:
            self.grids[-1][-1] += [_marked_text("".join(self._cell))] * self._span
            self._cell = None


def _html_grids(text: str) -> list[list[list[str]]]:
    parser = _Tables()
    parser.feed(text)
    parser.close()
    return [[row for row in grid if any(row)] for grid in parser.grids if grid]


def _is_rule(line: str) -> bool:
    return "|" in line and "-" in line and not line.strip("|:- \t")


_LATEX_RULES = re.compile(
    r"\\(hline|toprule|midrule|bottomrule|endhead|endfirsthead|endfoot|endlastfoot|centering|small)(?![A-Za-z])"
    r"|\\(cmidrule|cline|rowcolor|addlinespace|specialrule|caption|label)\s*(\([^()]*\))?(\[[^\[\]]*\])?(\{[^{}]*\})*"
)


def _latex_grids(text: str) -> Iterator[list[list[str]]]:
    text = re.sub(r"(?<!\\)%[^\n]*", "", text)
    environments = r"(tabular\*?|tabularx|tabulary|longtable|array)"
    for begin in re.finditer(rf"\\begin\{{{environments}\}}", text):
        end = text.find(f"\\end{{{begin[1]}}}", begin.end())
        following = text.find("\\begin{", begin.end()) if end < 0 else end  # not closed: not a table that compiles
        body = text[begin.end() : following if following >= 0 else len(text)]
        body = _without_arguments(body, 2 if begin[1] in ("tabular*", "tabularx", "tabulary") else 1)
        grid = []
        for row in _split(_LATEX_RULES.sub(" ", body), "\\\\"):
            row = re.sub(r"^\*?\s*\[[^\[\]]*\]", "", row.lstrip())  # \\[2pt]
            cells: list[str] = []
            for cell in _split(row, "&"):
                wide = re.match(r"\s*\\multicolumn\s*\{\s*(\d{1,2})\s*\}\s*\{(?:[^{}]|\{[^{}]*\})*\}", cell)
                cells += [_marked_text(cell[wide.end() :])] * max(1, int(wide[1])) if wide else [_marked_text(cell)]
            if any(cells):
                grid.append(cells)
        yield grid


def _without_arguments(body: str, required: int) -> str:
    """Drop what follows the begin of a tabular: the position in brackets, the width, the columns."""
    while required and (opening := re.match(r"\s*([\[{])", body)):
        close, depth = {"[": "]", "{": "}"}[opening[1]], 0
        for i in range(opening.start(1), len(body)):
            depth += (body[i] == opening[1]) - (body[i] == close)
            if depth == 0:
                body = body[i + 1 :]
                required -= opening[1] == "{"
                break
        else:
            return body
    return body


def _split(text: str, separator: str) -> list[str]:
    """Split at a separator outside braces, not after a backslash."""
    parts, depth, start, i = [], 0, 0, 0
    while i < len(text):
        if depth <= 0 and text.startswith(separator, i):
            parts.append(text[start:i])
            i = start = i + len(separator)
            continue
        if text[i] == "\\":
            i += 2
            continue
        depth += (text[i] == "{") - (text[i] == "}")
        i += 1
    return [*parts, text[start:]]


_DROPPED = re.compile(
    r"\\(cellcolor|cite[pt]?|footnote(mark)?|label|ref|textsuperscript|tnote|vspace|hspace)\*?"
    r"(\[[^\[\]]*\])*(\{[^{}]*\})*"
)
_TWO_FIRST = re.compile(
    r"\\(multirow|multicolumn)\s*(\[[^\[\]]*\])?\s*(\{[^{}]*\})\s*(\[[^\[\]]*\])?\s*(\{[^{}]*\}|\*)(\[[^\[\]]*\])?"
)
_SYMBOLS = {
    r"\\pm(?![A-Za-z])": "±",
    r"\\times(?![A-Za-z])|\\cdot(?![A-Za-z])": "×",
    r"\\Delta(?![A-Za-z])": "Δ",
    r"\\uparrow(?![A-Za-z])": "↑",
    r"\\downarrow(?![A-Za-z])": "↓",
    r"\\text(en|em)dash(?![A-Za-z])": "–",
    r"\+/?-(?=\s*[\d.])": "±",
    r"\\([%&_#$])": r"\1",
    r"\\[,;:! ]|~": " ",
}


def plain_text(cell: str) -> str:
    """Return a cell's text without the markup of Markdown, HTML or LaTeX, and without footnote marks."""
    return " ".join(re.sub(r"[†‡§¶]+", "", _marked_text(cell)).strip("*_ ").split())


def _marked_text(cell: str) -> str:
    cell = " ".join(cell.split()).replace("−", "-").replace("‑", "-").replace("**", "")
    if "<" in cell:
        cell = re.sub(r"<sup>[^<>]{0,20}</sup>|</?[A-Za-z][^<>]{0,40}>", " ", cell)
    if "\\" in cell or "$" in cell or "{" in cell:
        cell = _TWO_FIRST.sub("", _DROPPED.sub("", cell))
        cell = re.sub(r"\\textcolor\s*(\[[^\[\]]*\])?\{[^{}]*\}", "", cell)
        cell = re.sub(r"(?<!\\)_", " ", cell)
        for pattern, symbol in _SYMBOLS.items():
            cell = re.sub(pattern, symbol, cell)
        cell = re.sub(r"10\s*\^\s*\{?\s*([-+]?\d{1,3})\s*\}?", r"10^\1", cell)
        cell = re.sub(r"\^\s*\{?\s*\\d?dagger(?![A-Za-z])\s*\}?", "†", cell)
        cell = re.sub(r"(?<!10)\^\s*(\{[^{}]*\}|.)", "", cell)  # other footnote marks
        cell = re.sub(r"\\[A-Za-z]+\s*", "", cell)
        cell = re.sub(r"[{}$\\]", "", cell)
    cell = re.sub(r"\+/?-(?=\s*[\d.])", "±", cell)
    cell = re.sub(r"\\([\[\]])", r"\1", cell.replace("`", "")).strip()
    return " ".join(cell.strip("*_").split())


# --- from cells to columns, rows and numbers
