r"""Read a results table as people publish it: CSV, a Markdown pipe table, LaTeX tabular or HTML.

One row per model, one column per metric. A column is recognised by its header (``SNR (dB)``, ``LSD-HF ↓``,
``PESQ-WB``); data set, rate and scale columns, section rows and repeated sets of columns under spanning headers
divide the rows into groups, because only rows of one group can be compared. Numbers keep the step of their last
printed digit: ``12.30`` is not ``12.3``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from srbench.errors import SrbenchError, shown, unknown_name
from srbench.lint.arrange import arranged, header_row
from srbench.lint.grid import plain_text
from srbench.lint.grids import read_grids
from srbench.lint.headers import HEADER_FACTOR, HEADER_POWER, LSD_CONVENTIONS, ROLES, fold, recognise
from srbench.lint.number import SUPERSCRIPTS, Number, is_missing, parse_number
from srbench.metrics import METRICS, get_metric

_LARGEST = 10_000_000  # bytes; no results table is longer, nor has more rows or columns
_MOST_ROWS, _MOST_COLUMNS = 5000, 300


@dataclass(frozen=True)
class Column:
    """A column and what it was recognised as.

    Attributes
    ----------
    index : int
    header : str
        As printed, without markup.
    role : {"metric", "n", "model", "group", "other"}
    metric : str or None
        A name in `srbench.metrics.METRICS`.
    convention : str or None
        What the header or the caller says about the metric's definition.
    scale : float
        What printed values are multiplied by (``MSE (×10^-5)``, ``STOI (%)``).
    block : int
        Counts the repetitions of one metric across the table, as under spanning headers.
    span : str
        The spanning header above it, or what stands beside the metric's name, if any.
    data : bool
        Whether it is a column of a data file of srbench, with every digit and its interval in columns beside it.
    """

    index: int
    header: str
    role: str = "other"
    metric: str | None = None
    convention: str | None = None
    scale: float = 1.0
    block: int = 0
    span: str = ""
    data: bool = False


@dataclass(frozen=True)
class Row:
    """A data row: its number (from 1), its model and group, its cells, and the numbers in them."""

    number: int
    model: str
    group: tuple[str, ...]
    cells: tuple[str, ...]
    numbers: tuple[Number | None, ...]


@dataclass(frozen=True)
class Panel:
    """Rows that can be compared: one group, one set of metric columns."""

    label: str
    rows: tuple[Row, ...]
    columns: Mapping[str, Column]

    def numbers(self, row: Row) -> dict[str, Number]:
        """Return the metrics that a row has a number for."""
        found = ((name, row.numbers[column.index]) for name, column in self.columns.items())
        return {name: number for name, number in found if number is not None}


@dataclass(frozen=True)
class Table:
    """A results table.

    Attributes
    ----------
    name : str
        The file's.
    columns : tuple of Column
    rows : tuple of Row
    further : int
        Tables with metrics that follow in the file, and were not read.
    """

    name: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    further: int = 0

    @property
    def headers(self) -> tuple[str, ...]:
        """The headers, in order."""
        return tuple(column.header for column in self.columns)

    @property
    def metric_columns(self) -> tuple[Column, ...]:
        """The columns that hold a metric."""
        return tuple(column for column in self.columns if column.metric)

    @property
    def not_read(self) -> tuple[str, ...]:
        """What has numbers but is no metric that srbench knows, and what is no number in a metric's column."""
        columns = [column for column in self.columns if column.role == "other"]
        found = [
            f"column '{column.header}'"
            for column in columns
            if any(parse_number(row.cells[column.index]) for row in self.rows)
        ]
        for row in self.rows:
            for column in self.metric_columns:
                cell = row.cells[column.index]
                if row.numbers[column.index] is None and not is_missing(cell):
                    found.append(f"'{cell}' in row {row.number}, column '{column.header}'")
        return tuple(found)

    def count(self, row: Row) -> int | None:
        """Return the number of utterances that a row states, or None."""
        for column in self.columns:
            number = row.numbers[column.index] if column.role == "n" else None
            if number is not None and number.value >= 1:
                return round(number.value)
        return None

    def panels(self) -> Iterator[Panel]:
        """Yield the parts of the table within which rows can be compared, in order."""
        groups: dict[tuple[str, ...], list[Row]] = {}
        for row in self.rows:
            groups.setdefault(row.group, []).append(row)
        for block in sorted({column.block for column in self.metric_columns}):
            columns = {
                column.metric: column for column in self.metric_columns if column.block == block and column.metric
            }
            span = next((column.span for column in columns.values() if column.span), "")
            for group, rows in groups.items():
                yield Panel(", ".join(part for part in (*group, span) if part), tuple(rows), columns)


def read_table(
    path: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    conventions: Mapping[str, str] | None = None,
) -> Table:
    """Read a results table.

    Parameters
    ----------
    path : path
        ``.csv``, ``.tsv``, Markdown or LaTeX; other names are recognised by their content. Of several tables in one
        file, the first with a recognised metric column is read.
    columns : mapping of header to metric name, optional
        What the headers do not say. Also ``n``, ``model``, ``group`` or ``other``.
    conventions : mapping of header to text, optional
        How a column's metric is defined.

    Raises
    ------
    SrbenchError
        If the file cannot be read, holds no table with numbers in a metric column, or a header or metric is unknown.
    """
    path = Path(path)
    text = _text(path)
    given = {fold(header): _checked_role(role) for header, role in (columns or {}).items()}
    found = [grid for grid in read_grids(path, text) if grid.rows]
    if not found:
        raise SrbenchError(f"{path}: no table in it: expected CSV, a Markdown table with |, a LaTeX tabular or HTML")
    for grid in found:
        if len(grid.rows) > _MOST_ROWS or max(map(len, grid.rows)) > _MOST_COLUMNS:
            raise SrbenchError(f"{path}: more than {_MOST_ROWS} rows or {_MOST_COLUMNS} columns: not a results table")
    usable = [rows for rows in (arranged(grid, given) for grid in found) if header_row(rows, given) is not None]
    rows = usable[0] if usable else found[0].rows
    head = header_row(rows, given) or 0
    if path.suffix.lower() not in (".csv", ".tsv"):
        rows = [*rows[: head + 1], *_with_sections(rows[head + 1 :])]
    table = _table(path.name, rows, head, given, {fold(h): text for h, text in (conventions or {}).items()})
    for asked in (*(columns or {}), *(conventions or {})):
        if fold(asked) not in {fold(header) for header in table.headers}:
            raise unknown_name("column", asked, [header for header in table.headers if header])
    _refuse_unusable(path, table)
    return replace(table, further=max(0, len(usable) - 1))


def _text(path: Path) -> str:
    try:
        if path.is_dir():
            raise SrbenchError(f"{path}: is a folder, not a table")
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, SrbenchError):
            raise
        reason = error.strerror if isinstance(error, OSError) else error
        raise SrbenchError(f"{path}: cannot be read: {reason}") from None
    if len(data) > _LARGEST:
        raise SrbenchError(f"{path}: more than {_LARGEST // 1_000_000} MB: not a results table")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise SrbenchError(f"{path}: not a text file in UTF-8: expected a table as CSV, Markdown or LaTeX")
    if not text.strip():
        raise SrbenchError(f"{path}: the file is empty")
    return text


def _checked_role(role: str) -> str:
    return role if role in ROLES else get_metric(role).name


def _refuse_unusable(path: Path, table: Table) -> None:
    headers = ", ".join(header for header in table.headers if header)
    folded = {fold(header) for header in table.headers}
    if not table.metric_columns and any(header.startswith("Δ") for header in table.headers):
        return  # differences of two systems, which have no range and no baseline
    if not table.metric_columns:
        if {"metric", "value"} <= folded:
            raise SrbenchError(
                f"{path}: one value per row (columns 'metric' and 'value'), which lint does not read. "
                "Pivot it first: one row per model, one column per metric."
            )
        raise SrbenchError(
            f"{path}: no column is a metric that srbench knows (first row: {shown(headers, 300)}). Rows are models; "
            "name a column with --column HEADER=METRIC, e.g. --column 'Dist.=lsd'."
        )
    if not any(row.numbers[column.index] for row in table.rows for column in table.metric_columns):
        raise SrbenchError(f"{path}: no numbers under {shown(', '.join(c.header for c in table.metric_columns))}")


def _column(index: int, header: str, span: str, given: Mapping[str, str], conventions: Mapping[str, str]) -> Column:
    name, convention, setting = recognise(header, given)
    convention = conventions.get(fold(header), convention)
    if name in ROLES:
        return Column(index, header, name, convention=convention, span=span)
    if name == "lsd" and convention is not None:
        name = LSD_CONVENTIONS.get(convention.strip().casefold(), name)
    if (
        name == "pesq"
        and convention is not None
        and convention.strip().casefold() in ("nb", "narrow band", "narrowband")
    ):
        name = "pesq_nb"
    scale = 0.01 if "%" in header and METRICS[name].unit == "1" else 1.0
    factor = HEADER_FACTOR.search(header)
    power = HEADER_POWER.search(header.translate(SUPERSCRIPTS).casefold())
    if factor:
        scale = 10.0 ** -len(factor[1])
    elif name == "mse" and power:
        scale = 10.0 ** -abs(int(power[1] or power[2]))  # ×10^5 and ×10^-5 are both written for 1e-5
    span = " ".join(dict.fromkeys(part for part in (span, setting) if part))
    return Column(index, header, "metric", name, convention, scale, span=span)


_BOUND = re.compile(r"_ci\d+(\.\d+)?_low$")
_NOT_SHOWN = re.compile(r"floor:(same|worse)\b")


def _is_data(header: str, headers: Sequence[str]) -> bool:
    """Tell whether a column is one of a data file of srbench: beside it stands the lower bound of its interval."""
    return header in METRICS and any(header == _BOUND.sub("", other) != other for other in headers)


def _table(
    name: str, grid: Sequence[Sequence[str]], head: int, given: Mapping[str, str], conventions: Mapping[str, str]
) -> Table:
    width = max(len(cells) for cells in grid)
    padded = [[*cells, *[""] * (width - len(cells))] for cells in grid]
    above = padded[head - 1] if head else [""] * width
    headers = [plain_text(cell or over) for cell, over in zip(padded[head], above, strict=True)]
    body = padded[head + 1 :]
    spans = [plain_text(over) if cell and over != cell else "" for cell, over in zip(padded[head], above, strict=True)]
    wide = any(a == b and recognise(a, given).name in METRICS for a, b in pairwise(headers))
    if wide and body and body[0][0] in ("", headers[0]):  # the metrics span columns that the next row names
        spans, body = body[0], body[1:]
    columns = [_column(index, header, spans[index], given, conventions) for index, header in enumerate(headers)]
    columns = [
        replace(c, data=True, convention=c.convention or METRICS[c.header].convention or c.header)
        if _is_data(c.header, headers)
        else c
        for c in columns
    ]
    columns = [replace(column, block=block) for column, block in zip(columns, _blocks(columns), strict=True)]
    if not any(column.role == "model" for column in columns):
        columns = _with_model_column(columns, body)
    return Table(name, tuple(columns), tuple(_rows(columns, [cells for cells in body if cells != padded[head]])))


def _blocks(columns: Sequence[Column]) -> Iterator[int]:
    """Yield which columns belong together: those of one setting, where a metric stands under several."""
    metrics = [column for column in columns if column.metric]
    settings: dict[str | None, set[str]] = {}
    for column in metrics:
        settings.setdefault(column.metric, set()).add(column.span)
    several = any(len(spans) > 1 for spans in settings.values())
    seen: dict[tuple[str, str | None], int] = {}
    places: dict[tuple[str, int], int] = {}
    for column in columns:
        if not column.metric:
            yield 0
            continue
        span = column.span if several else ""
        again = seen.setdefault((span, column.metric), -1) + 1
        seen[span, column.metric] = again
        yield places.setdefault((span, again), len(places))


def _with_sections(body: Sequence[Sequence[str]]) -> Iterator[list[str]]:
    """Widen a row of a single word, which is how Markdown writes the title of the rows that follow."""
    for cells in body:
        words = {cell for cell in cells if cell}
        alone = len(words) == 1 and cells[0] in words and parse_number(cells[0]) is None
        yield [cells[0]] * len(cells) if alone else list(cells)


def _with_model_column(columns: list[Column], body: Sequence[Sequence[str]]) -> list[Column]:
    """Take the first column of words for the models' names, where no header says which it is."""
    for column in columns:
        words = [cells[column.index] for cells in body if cells[column.index]]
        if column.role == "other" and words and any(parse_number(word) is None for word in words):
            return [Column(**{**vars(c), "role": "model"}) if c is column else c for c in columns]
    return columns


def _rows(columns: Sequence[Column], body: Sequence[Sequence[str]]) -> Iterator[Row]:
    number, section = 0, ""
    last: dict[int, str] = {}
    model = next((column.index for column in columns if column.role == "model"), None)
    groups = [column.index for column in columns if column.role == "group"]
    paired = {column.header: column.index for column in columns if column.header.endswith("_paired")}
    for cells in body:
        numbers = tuple(
            parse_number(cell, column.scale, unitless=column.metric is not None and METRICS[column.metric].unit == "1")
            if column.role in ("metric", "n")
            else None
            for column, cell in zip(columns, cells, strict=True)
        )
        if not any(numbers) and len(set(cells)) == 1 and len(cells) > 1:
            section = cells[0] or section
            continue
        number += 1
        numbers = tuple(_not_shown(each, column, cells, paired) for each, column in zip(numbers, columns, strict=True))
        for index in (*groups, *([] if model is None else [model])):
            if cells[index]:
                last[index] = plain_text(cells[index])  # an empty cell repeats the one above, as below \multirow
        group = (section, *(last.get(index, "") for index in groups))
        yield Row(number, "" if model is None else last.get(model, ""), group, tuple(map(plain_text, cells)), numbers)


def _not_shown(number: Number | None, column: Column, cells: Sequence[str], paired: Mapping[str, int]) -> Number | None:
    """Return a number of a data file marked where the column beside it says what † says in print."""
    place = paired.get(f"{column.header}_paired") if number is not None and column.data else None
    return replace(number, marked=True) if number and place is not None and _NOT_SHOWN.search(cells[place]) else number
