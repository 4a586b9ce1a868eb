"""CSV files that are safe to open in a spreadsheet and read back as they were.

A spreadsheet takes a cell that begins with ``=``, ``+``, ``-`` or ``@`` for a formula and runs it, and utterance ids,
file names and error texts come from anywhere. Such a text is written with a ``'`` before it, as OWASP advises
(https://owasp.org/www-community/attacks/CSV_Injection); numbers are not touched.
"""

from __future__ import annotations

import csv
import io
import itertools
import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from srbench.errors import SrbenchError
from srbench.files import whole_file
from srbench.names import FORMULA_SIGNS
from srbench.text import LARGEST, read_text

csv.field_size_limit(LARGEST)  # what may be in a file may be in a cell: a long one is no reason to read none
_RISKY = re.compile(rf"[\s']*[{re.escape(FORMULA_SIGNS)}]|'*[\t\r\n]")
_NUMBER = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|inf)", re.ASCII)


def guarded(text: str) -> str:
    """Return a text as a cell holds it: with a ``'`` before it where a spreadsheet would take it for a formula.

    A text that has the quote already gets one more, so that `unguarded` gives back every text.

    Examples
    --------
    >>> guarded("=HYPERLINK(1)"), guarded("p225_001"), guarded("-1.5")
    ("'=HYPERLINK(1)", 'p225_001', '-1.5')
    """
    return f"'{text}" if _RISKY.match(text) and not _NUMBER.fullmatch(text) else text


def unguarded(cell: str) -> str:
    """Return the text that `guarded` made the cell of."""
    return cell[1:] if cell.startswith("'") and _RISKY.match(cell, 1) else cell


def write_table(path: str | Path, columns: Sequence[str], rows: Iterable[Iterable[Any]]) -> None:
    """Write a CSV file, whole or not at all, with texts guarded; None and NaN are empty cells.

    Parameters
    ----------
    path : path
    columns : sequence of str
        The first row.
    rows : iterable of rows of values

    Raises
    ------
    OSError
        If it cannot be written.
    """
    with whole_file(path, newline="") as file:
        plain = csv.writer(file, lineterminator="\n")
        quoted = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        for row in itertools.chain([columns], rows):  # one at a time: there may be a hundred thousand
            cells = [_cell(value) for value in row]
            # before Python 3.13 a carriage return is not quoted by itself, and then the row cannot be read back
            torn = any(isinstance(cell, str) and "\r" in cell for cell in cells)
            (quoted if torn else plain).writerow(cells)


def csv_text(rows: Iterable[Iterable[Any]]) -> str:
    """Return rows as CSV text, with texts guarded as in `write_table`; None and NaN are empty cells."""
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\n").writerows([_cell(value) for value in row] for row in rows)
    return file.getvalue()


def read_table(path: str | Path) -> list[list[str]]:
    """Return the rows of a file that `write_table` wrote, the columns' names first, each cell as the text that it was.

    Raises
    ------
    SrbenchError
        If it cannot be read, or is not a CSV file.
    """
    try:
        return [[unguarded(cell) for cell in row] for row in csv.reader(io.StringIO(read_text(path), newline=""))]
    except csv.Error as error:
        raise SrbenchError(f"{path}: cannot be read as a table: {error}") from error


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return guarded(value)
    return "" if isinstance(value, float) and math.isnan(value) else value
