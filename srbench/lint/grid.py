"""A grid of cells without markup, as it is read from a file."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Grid:
    """The cells of a table, row by row, and the text that stands over or under it."""

    rows: list[list[str]]
    caption: str = ""


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


_IMAGE = re.compile(r"!\[[^\[\]]*\]\([^()]*\)")
_LINK = re.compile(r"\[([^\[\]]+)\]\((?:[^()]|\([^()]*\))*\)")
_EMPHASIS = re.compile(r"(?<![\w*])[*_]{1,3}([^\s*_](?:[^*_]*[^\s*_])?)[*_]{1,3}(?![\w*])")


def plain_text(cell: str) -> str:
    """Return a cell's text without the markup of Markdown, HTML or LaTeX, and without footnote marks."""
    return " ".join(re.sub(r"[†‡§¶]+", "", marked_text(cell)).strip("*_ ").split())


def marked_text(cell: str) -> str:
    """Return a cell's text without markup, with its footnote marks."""
    cell = " ".join(cell.split()).replace("−", "-").replace("‑", "-").replace("**", "")
    cell = _LINK.sub(r"\1", _IMAGE.sub("", cell)) if "](" in cell else cell
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
    cell = _EMPHASIS.sub(r"\1", cell) if "*" in cell or "_" in cell else cell
    return " ".join(cell.strip("*_").split())
