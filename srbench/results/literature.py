"""Published numbers: what papers and repositories print, loaded and checked, with their known errata applied.

They are shown apart from measured results and never ranked among them. The columns are described in
leaderboard/README.md; where the file stands is the caller's business.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

from srbench.audio import Rate, parse_rate
from srbench.errors import SrbenchError, shown, unknown_name
from srbench.lint.headers import LSD_CONVENTIONS
from srbench.metrics import get_metric
from srbench.protocols import Protocol, load_protocol
from srbench.text import read_text

# What was done to the printed number: the factor it was multiplied by; None where the value comes from elsewhere.
ERRATA: Mapping[str, float | None] = {
    "doubled": 2.0,  # 10·log10 of a ratio of norms was computed
    "ln10": 1 / math.log(10),  # 10·ln was computed for 10·log10
    "replaced": None,  # another number was printed in its place
    "no-correction": None,  # wrong, and nothing turns it into the right number: there is no value
}
CONVENTIONS = (*LSD_CONVENTIONS, "other", "unstated")
_ROUNDING = 1e-4  # relative; corrected values are written with a few digits


@dataclass(frozen=True)
class Published:
    """One printed number.

    Attributes
    ----------
    system : str
        What was evaluated; one name for what several papers call differently.
    year : int
        Of the paper.
    paper : str
        arXiv id or venue.
    source : str
        Where the number was read.
    first_hand : bool
        Whether it was read off the paper or its authors' own repository, not transcribed by others.
    table : str
        The paper's table, "" where it is not known.
    corpus, split : str
        Srbench's name where it is known to be the same, else in words.
    protocol : str
        The srbench protocol whose experiment this is, degradation included; "" where there is none or it is in doubt.
    low_rate : int or Fraction, in Hz
    high_rate : int, in Hz
    metric : str
        A name in `srbench.metrics.METRICS` where the definition is known to be the same, else the paper's word with
        a question mark (``LSD?``).
    printed : str
        The number as printed.
    value : float or None
        The same, or what an erratum makes of it; None where there is no correction.
    unit : str
        ``dB``, ``MOS`` or ``1``.
    convention : str
        Of an LSD: the preset's name, ``other`` (known, and none of ours) or ``unstated``; "" for other metrics.
    erratum : str
        A rule of `ERRATA`, a colon, and why; "" where there is none.
    doubt : str
        Why the number is questionable, or hard to compare.
    """

    system: str
    year: int
    paper: str
    source: str
    first_hand: bool
    table: str
    corpus: str
    split: str
    protocol: str
    low_rate: Rate
    high_rate: int
    metric: str
    printed: str
    value: float | None
    unit: str
    convention: str
    erratum: str
    doubt: str

    @property
    def key(self) -> tuple[int, str, str, str, str, int, Rate, str, str]:
        """Which number of which table this is; a file is sorted by it."""
        where = (self.year, self.paper, self.table, self.corpus, self.split)
        return *where, self.high_rate, self.low_rate, self.metric, self.system


COLUMNS = tuple(field.name for field in fields(Published))
_MAY_BE_EMPTY = frozenset({"table", "protocol", "value", "convention", "erratum", "doubt"})


def load_published(path: str | Path) -> tuple[Published, ...]:
    """Load a file of published numbers.

    Parameters
    ----------
    path : path
        A CSV file with the columns of `Published`.

    Returns
    -------
    tuple of Published
        In the order of the file.

    Raises
    ------
    SrbenchError
        If the file cannot be read, a column is missing or unknown, or a row is not valid: with the number of the row
        (the first after the header is 1), the column, and what is wrong. Two rows for one number are refused too.
    """
    path = Path(path)
    found: dict[tuple[object, ...], int] = {}
    rows: list[Published] = []
    for number, cells in enumerate(_read(path), start=1):
        try:
            row = _parse(cells)
        except _Fault as fault:
            raise SrbenchError(f"{path}: row {number}, column '{fault.column}': {fault}") from fault
        if row.key in found:
            raise SrbenchError(
                f"{path}: row {number}: a second number for what row {found[row.key]} is about (paper, table, system, "
                "corpus, split, rates, metric); keep one, or tell them apart by table or system"
            )
        found[row.key] = number
        rows.append(row)
    return tuple(rows)


class _Fault(Exception):
    """What is wrong in one column of a row."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(shown(message, 500))
        self.column = column


def _read(path: Path) -> list[dict[str, str]]:
    try:
        lines = [line for line in csv.reader(io.StringIO(read_text(path), newline=""), strict=True) if line]
    except csv.Error as error:
        raise SrbenchError(f"{path}: is not a CSV file: {error}") from error
    header = lines[0] if lines else []
    for column in COLUMNS:
        if column not in header:
            raise SrbenchError(f"{path}: column '{column}' is missing; there must be {', '.join(COLUMNS)}")
    for column in header:
        if column not in COLUMNS:
            raise SrbenchError(f"{path}: {unknown_name('column', column, COLUMNS)}")
    for number, line in enumerate(lines[1:], start=1):
        if len(line) != len(header):
            raise SrbenchError(f"{path}: row {number}: {len(line)} cells under {len(header)} columns")
    return [dict(zip(header, line, strict=True)) for line in lines[1:]]


def _parse(cells: Mapping[str, str]) -> Published:
    for column in COLUMNS:
        if not cells[column].strip() and column not in _MAY_BE_EMPTY:
            raise _Fault(column, "is empty")
    if cells["first_hand"] not in ("yes", "no"):
        raise _Fault("first_hand", f"must be yes or no, not '{cells['first_hand']}'")
    texts = {
        column: cells[column]
        for column in COLUMNS
        if column not in ("year", "first_hand", "low_rate", "high_rate", "value")
    }
    row = Published(
        **texts,
        year=_whole(cells, "year"),
        first_hand=cells["first_hand"] == "yes",
        low_rate=_rate(cells),
        high_rate=_whole(cells, "high_rate"),
        value=_number(cells, "value") if cells["value"] else None,
    )
    if not 0 < row.low_rate < row.high_rate:
        raise _Fault("low_rate", f"{row.low_rate} Hz is not between 0 and the high rate, {row.high_rate} Hz")
    _check_metric(row)
    _check_value(row, _number(cells, "printed"))
    if row.protocol:
        _check_protocol(row)
    return row


def _check_metric(row: Published) -> None:
    """Check metric, unit, convention and range against the metric's registration, where it is one of ours."""
    allowed: tuple[str, ...]
    if row.metric.endswith("?") and row.metric != "?":
        if row.unit not in ("dB", "MOS", "1"):
            raise _Fault("unit", f"must be dB, MOS or 1, not '{row.unit}'")
        allowed = ("other", "unstated") if row.metric.startswith("LSD") else ("",)
    else:
        try:
            metric = get_metric(row.metric)
        except SrbenchError as error:
            raise _Fault("metric", f"{error} A metric that is none of these ends in a question mark.") from error
        if row.unit != metric.unit:
            raise _Fault("unit", f"{row.metric} is in {metric.unit}, not '{row.unit}'")
        if row.value is not None and not metric.range[0] <= row.value <= metric.range[1]:
            raise _Fault("value", f"{row.value:g} is out of the range of {row.metric}, {metric.range}")
        presets = {name: preset for preset, name in LSD_CONVENTIONS.items()} | {"lsd_hf": "nuwave", "lsd_lf": "nuwave"}
        allowed = (presets.get(row.metric, ""),)
    if row.convention not in allowed:
        known = row.convention in ("", *CONVENTIONS)
        raise _Fault(
            "convention",
            f"{row.metric} goes with {' or '.join(repr(name) for name in allowed)}, not '{row.convention}'"
            if known
            else str(unknown_name("convention", row.convention, CONVENTIONS)),
        )


def _check_value(row: Published, printed: float) -> None:
    """Check that the value is what the erratum makes of the printed number."""
    rule, _, why = row.erratum.partition(": ")
    if row.erratum and rule not in ERRATA:
        raise _Fault("erratum", str(unknown_name("rule", rule, ERRATA)))
    if row.erratum and not why:
        raise _Fault("erratum", f"must say why after the rule, as in '{rule}: 10·ln for 10·log10'")
    if rule == "no-correction":
        if row.value is not None:
            raise _Fault("value", "must be empty where the erratum says that there is no correction")
        return
    if row.value is None:
        raise _Fault("value", "is empty, and no erratum says that there is no correction")
    factor = ERRATA[rule] if rule else 1.0
    if factor is not None and not math.isclose(row.value, factor * printed, rel_tol=_ROUNDING if rule else 0.0):
        raise _Fault("value", f"{row.value:g} is not {factor:.6g} times the printed {row.printed}")


def _check_protocol(row: Published) -> None:
    """Check that corpus, split and rates are the protocol's."""
    try:
        protocol = _protocol(row.protocol)
    except SrbenchError as error:
        raise _Fault("protocol", str(error)) from error
    for column in ("corpus", "split", "low_rate", "high_rate"):
        own, given = getattr(protocol, column), getattr(row, column)
        if own != given:
            raise _Fault("protocol", f"{row.protocol} has {column} {own}, the row has {given}")


@cache
def _protocol(name: str) -> Protocol:
    return load_protocol(name)


def _whole(cells: Mapping[str, str], column: str) -> int:
    if not (cells[column].isascii() and cells[column].isdigit() and len(cells[column]) < 10):
        raise _Fault(column, f"must be a whole number, not '{cells[column]}'")
    return int(cells[column])


def _number(cells: Mapping[str, str], column: str) -> float:
    try:
        number = float(cells[column])
    except ValueError:
        raise _Fault(column, f"must be a number, not '{cells[column]}'") from None
    if not math.isfinite(number):
        raise _Fault(column, f"must be finite, not '{cells[column]}'")
    return number


def _rate(cells: Mapping[str, str]) -> Rate:
    try:
        return parse_rate(cells["low_rate"])
    except ValueError:
        raise _Fault("low_rate", f"must be Hz, as in 8000 or 8000/3, not '{cells['low_rate']}'") from None
