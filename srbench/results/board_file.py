"""A published leaderboard on disk: ``leaderboard/<protocol>.csv``, one row an upscaler or anchor.

Every row carries the signatures of its numbers, where they came from, and a digest over all of it, so that a cell that
was edited by hand is found. The columns are described in leaderboard/README.md.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from srbench.errors import SrbenchError, shown
from srbench.metrics import METRICS, describe
from srbench.metrics.declaration import ENDINGS
from srbench.results.board import Board, Row, Value, make_board
from srbench.results.standing import parse_standing
from srbench.table import read_table, write_table

PUBLISHED = "published.csv"  # what others published; it stands among the leaderboards and is none of them
FACTS = tuple(each.name for each in fields(Row) if each.name not in ("values", "behind"))
DIGEST = "digest"
_DIGITS = 20  # of a number of parameters; a longer one is none
_SIGNATURE = "_signature"
_SUFFIXES = ("", *ENDINGS)
_ADDED = ("recordings", "draws", "_over", "_paired")  # columns that files of version 0.1.0 do not have: "" there


def _units(cell: str) -> tuple[tuple[int, str], ...]:
    """Read ``8 speakers``, or ``speakers`` in a file of version 0.1.0."""
    words = cell.replace(",", "").split()
    return tuple(
        (int(before) if before.isdecimal() else 0, word)
        for before, word in zip(["", *words], words, strict=False)
        if not word.isdecimal()
    )


def _factor(cell: str) -> float | None:
    return float(cell) if cell else None


def _whole(cell: str) -> int | None:
    return int(cell) if cell else None


def _parameters(cell: str) -> int | None:
    """Read a number of parameters, None where an upscaler told something else: version 0.1.0 wrote down whatever."""
    return int(cell) if cell.isdecimal() and len(cell) < _DIGITS else None


_READ: Mapping[str, Callable[[str], Any]] = {
    **dict.fromkeys(("n", "failed", "expected"), int),
    "num_parameters": _parameters,
    "seed": _whole,
    "real_time_factor": _factor,
    "resampled": _units,
}
_WRITTEN: Mapping[str, Callable[[Any], str]] = {
    "real_time_factor": lambda factor: f"{factor:.3g}",
    "resampled": lambda units: ", ".join(f"{number} {kind}" if number else kind for number, kind in units),
}


def cells(row: Row) -> dict[str, str]:
    """Return a row as the file holds it, without the digest."""
    found = facts(row)
    for metric, value in row.values.items():
        numbers = (*map(_text, (value.mean, value.low, value.high)), str(value.n), value.signature)
        numbers = (*numbers, value.over, str(value.paired))
        found |= {f"{metric}{suffix}": text for suffix, text in zip(_SUFFIXES, numbers, strict=True)}
    return found


def facts(row: Row) -> dict[str, str]:
    """Return what a row tells beside its numbers, by the columns of `FACTS`."""
    told = {key: getattr(row, key) for key in FACTS}
    return {key: "" if value is None else _WRITTEN.get(key, str)(value) for key, value in told.items()}


def write_board(board: Board, path: str | Path) -> None:
    """Write it as CSV; the file appears when it is whole.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    lines = [cells(row) for row in board.rows]
    write_table(path, [*lines[0], DIGEST], ([*each.values(), digest(each)] for each in lines))


def read_board(path: str | Path) -> Board:
    """Read it back.

    Raises
    ------
    SrbenchError
        If it cannot be read, is not such a file, or a row is not what its digest says: which row, and what to do.
    """
    path = Path(path)
    header, *lines = read_table(path) or [[]]
    first = zip(header, lines[0] if lines else [], strict=False)
    try:
        describe({key.removesuffix(_SIGNATURE): text for key, text in first if key.endswith(_SIGNATURE)})
    except SrbenchError as error:
        raise SrbenchError(f"{path}: {error}") from error
    metrics = [name for name in header if name in METRICS]
    every = [*FACTS, *(f"{name}{suffix}" for name in metrics for suffix in _SUFFIXES), DIGEST]
    wanted = [name for name in every if name in header or not name.endswith(_ADDED)]
    if header != wanted or not metrics:
        odd = next((a or b for a, b in zip([*header, ""], [*wanted, ""], strict=False) if a != b), "")
        raise SrbenchError(
            f"{path}: its columns are not those of a leaderboard (see column '{shown(odd)}'). "
            "If that is a metric of a plug-in, name its file with --plugin."
        )
    rows = []
    for number, line in enumerate(lines, start=2):
        told = dict(zip(header, line, strict=False))
        where = f"{path}, line {number} ({shown(told.get('upscaler') or 'no name')})"
        if len(line) != len(header) or digest(told) != told[DIGEST]:
            raise SrbenchError(
                f"{where}: was changed after it was published (its digest differs). "
                "Restore the file, or take the line out and publish the run again."
            )
        rows.append(_row({name: told.get(name, "") for name in every}, metrics, where))
    return make_board(path.stem, rows)


def read_boards(folder: str | Path) -> tuple[list[Board], dict[Path, str]]:
    """Return all leaderboards of a folder by name, and why those cannot be read that cannot."""
    boards, faults = [], {}
    for path in sorted(Path(folder).glob("*.csv")):
        if path.name != PUBLISHED:
            try:
                boards.append(read_board(path))
            except SrbenchError as error:
                faults[path] = str(error)
    return boards, faults


def digest(row: Mapping[str, str]) -> str:
    """Return the first 16 hex digits of the SHA-256 over all cells of a row but the digest itself."""
    told = "\n".join(f"{key}={value}" for key, value in row.items() if key != DIGEST)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _row(told: Mapping[str, str], metrics: list[str], where: str) -> Row:
    read: dict[str, Any] = {}
    column = ""
    try:
        for column in FACTS:
            read[column] = _READ.get(column, str)(told[column])
        values = {column: _value(told, column) for column in metrics}
    except (ValueError, SrbenchError) as error:
        raise SrbenchError(f"{where}: column {column}: {shown(error)}") from error
    return Row(**read, values=values)


def _value(told: Mapping[str, str], name: str) -> Value:
    mean, low, high, n, signature, over, paired = (told[f"{name}{suffix}"] for suffix in _SUFFIXES)
    a, b, c = (float(text) if text else math.nan for text in (mean, low, high))
    return Value(a, b, c, int(n), signature, over, parse_standing(paired))


def _text(number: float) -> str:
    return "" if math.isnan(number) else repr(float(number))
