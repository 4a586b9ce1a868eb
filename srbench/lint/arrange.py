"""From a grid as people arrange it to one row per model and one column per metric."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import zip_longest

from srbench.lint.grid import Grid
from srbench.lint.headers import fold, recognise
from srbench.lint.number import is_missing, parse_number
from srbench.metrics import METRICS

Rows = list[list[str]]
_ENOUGH = 200  # rows that tell what a column holds
_ARROW = re.compile(r"\s*(?:->|=>|→|⇒)\s*")
_SLASH = re.compile(r"\s*/\s*")


def arranged(grid: Grid, given: Mapping[str, str]) -> Rows:
    """Return a grid's rows with a header of metrics, if there is a way to read it so; else as they are.

    Two values of a cell get a column each (``SNR / LSD``, ``before -> after``). A table whose first column names the
    metrics is turned. Where only the caption names a metric, the columns are its settings.

    Parameters
    ----------
    grid : Grid
    given : mapping
        The folded headers that the caller explains.
    """
    rows = _split_pairs(grid.rows, given)
    if header_row(rows, given) is not None or {"metric", "value"} <= {fold(cell) for cell in rows[0]}:
        return rows
    turned = [list(cells) for cells in zip_longest(*rows, fillvalue="")]
    turned = _split_pairs(turned, given)
    head = header_row(turned, given)
    if head is not None and any(recognise(cell, given).name in METRICS for cell in turned[head][1:]):
        corner = turned[head][0]
        turned[head][0] = corner if recognise(corner, given).name in METRICS else "Model"
        return turned
    return _of_caption(grid, rows, given)


def header_row(rows: Sequence[Sequence[str]], given: Mapping[str, str]) -> int | None:
    """Return the first row that names a metric and holds no number, None without one."""
    for i, cells in enumerate(rows):
        named = any(recognise(cell, given).name in METRICS for cell in cells)
        if named and sum(map(bool, cells)) >= min(2, len(cells)) and not any(map(parse_number, cells)):
            return i
    return None


def _split_pairs(rows: Rows, given: Mapping[str, str]) -> Rows:
    """Give every value of a cell a column of its own."""
    width = max(map(len, rows))
    rows = [[*cells, *[""] * (width - len(cells))] for cells in rows]
    for j in range(width - 1, -1, -1):
        for i in range(min(3, len(rows))):
            found = _parts(rows[i][j], [cells[j] for cells in rows[i + 1 : i + _ENOUGH]], given)
            if found:
                separator, headers = found
                for k, cells in enumerate(rows):
                    parts = separator.split(cells[j]) if k > i else []
                    fits = len(parts) == len(headers)
                    new = headers if k == i else parts if fits else [cells[j]] * len(headers) if k < i else None
                    cells[j : j + 1] = new or [cells[j], *[""] * (len(headers) - 1)]
                break
    return rows


def _parts(header: str, below: Sequence[str], given: Mapping[str, str]) -> tuple[re.Pattern[str], list[str]] | None:
    """Return what separates the values of a column's cells, and the headers that they get."""
    texts = [cell for cell in below if not is_missing(cell)]
    if not texts or not header or parse_number(header):
        return None
    for separator in (_ARROW, _SLASH):
        split = [separator.split(text) for text in texts]
        several = [parts for parts in split if len(parts) == 2 and all(map(parse_number, parts))]
        if len(several) < len(texts) / 2:
            continue
        named = separator.split(header)
        if separator is _SLASH:
            headings = [recognise(part, given) for part in named]
            if len(named) == 2 and all(heading.name in METRICS for heading in headings):
                setting = headings[0].setting if not headings[1].setting else ""
                return separator, [named[0], f"{named[1]} {setting}".strip()]
        elif len(named) == 2 and recognise(named[1], given).name in METRICS:
            last = recognise(named[1], given)
            metric = METRICS[last.name].label
            return separator, [f"{named[0]} {metric}", f"{last.setting} {metric}".strip()]
        elif recognise(header, given).name in METRICS:
            return separator, [f"before {header}", f"after {header}"]
    return None


def _of_caption(grid: Grid, rows: Rows, given: Mapping[str, str]) -> Rows:
    """Head the columns of numbers by the one metric that stands over the table."""
    alone = [next(filter(None, cells)) for cells in rows[:3] if sum(map(bool, cells)) == 1]
    words = re.split(r"[\s,;:.()]+", " ".join([*alone, grid.caption]))
    metrics = list(dict.fromkeys(name for word in words if (name := recognise(word, given).name) in METRICS))
    head = next((i for i, cells in enumerate(rows) if sum(map(bool, cells)) > 1), None)
    if len(metrics) != 1 or head is None or any(map(parse_number, rows[head][1:2])):
        return rows
    label = METRICS[metrics[0]].label
    body = rows[head + 1 :]
    measured = [any(parse_number(cells[j]) for cells in body) and j > 0 for j in range(len(rows[head]))]
    names = [label if found else cell for cell, found in zip(rows[head], measured, strict=True)]
    return [*rows[: head + 1], names, *body] if any(measured) else rows
