"""From the text of a results table to grids of cells: CSV, Markdown pipe tables, LaTeX tabulars, HTML."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

from srbench.errors import SrbenchError
from srbench.lint.grid import Grid, marked_text
from srbench.lint.html_tables import html_grids


def read_grids(path: Path, text: str) -> list[Grid]:
    """Return the grids of cells in a text: by the file's suffix, or else by what the text looks like.

    Cells keep their footnote marks, which `plain_text` takes away.
    """
    suffix = path.suffix.lower()
    if suffix in (".csv", ".tsv"):
        return [_csv_grid(path, text)]
    if suffix in (".tex", ".latex") or re.search(r"\\begin\{(tabular|longtable|array)", text):
        grids = list(_latex_grids(text))
    elif suffix in (".html", ".htm") or "<table" in text.lower():
        grids = [*html_grids(text), *_markdown_grids(text)]
    elif suffix in (".md", ".markdown") or any(map(_is_rule, text.splitlines())):
        grids = list(_markdown_grids(text))
    else:
        return [_csv_grid(path, text)]
    return [Grid(_with_points(grid.rows), grid.caption) for grid in grids]


def _csv_grid(path: Path, text: str) -> Grid:
    first = text.lstrip().splitlines()[0]
    delimiter = max("\t,;" if path.suffix.lower() == ".tsv" else ",;\t", key=first.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise SrbenchError(f"{path}: not readable as CSV: {error}") from None
    if delimiter == ";":  # where the comma is the decimal point
        rows = [[re.sub(r"(?<=\d),(?=\d)", ".", cell) for cell in row] for row in rows]
    plain = [[marked_text(cell) for cell in row] for row in rows if any(cell.strip() for cell in row)]
    return Grid(plain if delimiter == "," else _with_points(plain))


_COMMA = re.compile(r"(?<![\d.,])[-+]?(0,\d+|\d+,(\d{1,2}|\d{4,}))(?![\d.,])")
_POINT = re.compile(r"\d\.\d")


def _with_points(rows: list[list[str]]) -> list[list[str]]:
    """Write points for decimal commas, where the numbers of a table can have no other meaning."""
    cells = [cell for row in rows[1:] for cell in row if cell[:1].isdigit() or cell[:1] in "+-"]
    if not any(map(_COMMA.search, cells)) or any(map(_POINT.search, cells)):
        return rows
    return [rows[0], *([re.sub(r"(?<=\d),(?=\d)", ".", cell) for cell in row] for row in rows[1:])]


def _markdown_grids(text: str) -> Iterator[Grid]:
    lines = text.splitlines()
    end = 0
    for i in range(1, len(lines)):
        if i < end or "|" not in lines[i - 1] or not _is_rule(lines[i]) or _is_rule(lines[i - 1]):
            continue
        above = next((line for line in reversed(lines[max(end, i - 4) : i - 1]) if line.strip()), "")
        end = i + 1
        while end < len(lines) and "|" in lines[end]:
            end += 1
        grid = []
        for line in (lines[i - 1], *lines[i + 1 : end]):
            line = re.sub(r"^\||(?<!\\)\|$", "", line.strip())
            grid.append([marked_text(cell.replace("\\|", "|")) for cell in re.split(r"(?<!\\)\|", line)])
        yield Grid(grid, marked_text(above.lstrip("#> ")))


def _is_rule(line: str) -> bool:
    return "|" in line and "-" in line and not line.strip("|:- \t")


_LATEX_RULES = re.compile(
    r"\\(hline|toprule|midrule|bottomrule|endhead|endfirsthead|endfoot|endlastfoot|centering|small)(?![A-Za-z])"
    r"|\\(cmidrule|cline|rowcolor|addlinespace|specialrule|caption|label)\s*(\([^()]*\))?(\[[^\[\]]*\])?(\{[^{}]*\})*"
)


def _latex_grids(text: str) -> Iterator[Grid]:
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
                cells += [marked_text(cell[wide.end() :])] * max(1, int(wide[1])) if wide else [marked_text(cell)]
            if any(cells):
                grid.append(cells)
        yield Grid(grid, _latex_caption(text, begin.start(), following if following >= 0 else len(text)))


_CAPTION = re.compile(r"\\caption\*?\s*(?:\[[^\[\]]*\])?\{((?:[^{}]|\{[^{}]*\})*)\}")
_NEAR = 2000  # characters between a tabular and its caption


def _latex_caption(text: str, begin: int, end: int) -> str:
    before = text[max(text.rfind("\\begin{table", 0, begin), begin - _NEAR, 0) : begin]
    close = text.find("\\end{table", end)
    after = text[end : min(close if close >= 0 else end, end + _NEAR)]
    found = _CAPTION.findall(before)[-1:] or _CAPTION.findall(after)[:1]
    return marked_text(found[0]) if found else ""


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
