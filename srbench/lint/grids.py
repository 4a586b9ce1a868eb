"""From the text of a results table to grids of cells: CSV, Markdown pipe tables, LaTeX tabulars."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

from srbench.errors import SrbenchError


def read_grids(path: Path, text: str) -> list[list[list[str]]]:
    """Return the grids of cells in a text: by the file's suffix, or else by what the text looks like."""
    suffix = path.suffix.lower()
    if suffix not in (".csv", ".tsv"):
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
    return [[plain_text(cell) for cell in row] for row in rows if any(cell.strip() for cell in row)]


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
            grid.append([plain_text(cell.replace("\\|", "|")) for cell in re.split(r"(?<!\\)\|", line)])
        yield grid


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
                cells += [plain_text(cell[wide.end() :])] * max(1, int(wide[1])) if wide else [plain_text(cell)]
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
    r"\\uparrow(?![A-Za-z])": "↑",
    r"\\downarrow(?![A-Za-z])": "↓",
    r"\\text(en|em)dash(?![A-Za-z])": "–",
    r"\+/?-(?=\s*[\d.])": "±",
    r"\\([%&_#$])": r"\1",
    r"\\[,;:! ]|~": " ",
}


def plain_text(cell: str) -> str:
    """Return a cell's text without the markup of Markdown, HTML or LaTeX."""
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
        cell = re.sub(r"(?<!10)\^\s*(\{[^{}]*\}|.)", "", cell)  # footnote marks
        cell = re.sub(r"\\[A-Za-z]+\s*", "", cell)
        cell = re.sub(r"[{}$\\]", "", cell)
    cell = re.sub(r"\+/?-(?=\s*[\d.])", "±", cell)
    cell = re.sub(r"[†‡§¶`]+", "", cell).strip()
    return " ".join(cell.strip("*_").split())


# --- from cells to columns, rows and numbers
