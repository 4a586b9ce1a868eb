"""A published leaderboard on disk: ``leaderboard/<protocol>.csv``, one row an upscaler or anchor.

Every row carries the signatures of its numbers, where they came from, and a digest over all of it, so that a cell that
was edited by hand is found. The columns are described in leaderboard/README.md.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from srbench.errors import SrbenchError, shown
from srbench.metrics import METRICS, describe
from srbench.results.standing import UNKNOWN, Standing, parse_standing
from srbench.run.manifest import Recordings
from srbench.table import read_table, write_table

FACTS = (
    "upscaler",
    "kind",
    "distribution",
    "version",
    "num_parameters",
    "weights",
    "weights_sha256",
    "source_sha256",
    "trained_on",
    "n",
    "failed",
    "expected",
    "resampled",
    "real_time_factor",
    "protocol_signature",
    "recordings",
    "run",
    "seed",
    "date",
    "versions",
    "machine",
    "rechecked",
    "warnings",
)
_COUNTS = ("n", "failed", "expected")
_SIGNATURE = "_signature"
_SUFFIXES = ("", "_ci95_low", "_ci95_high", "_n", _SIGNATURE, "_over", "_paired")
_ADDED = ("recordings", "_over", "_paired")  # columns that files of version 0.1.0 do not have: "" there
DIGEST = "digest"


@dataclass(frozen=True)
class Value:
    """One number of a row: the mean over ``n`` utterances with its 95 % interval; NaN where there is none.

    ``over`` names the set of those utterances (`srbench.results.aggregate.Aggregate`), ``paired`` tells how the mean
    stands beside the others by the paired comparison of the runs; "" and `UNKNOWN` where that was not known.
    """

    mean: float
    low: float
    high: float
    n: int
    signature: str
    over: str = ""
    paired: Standing = UNKNOWN


@dataclass(frozen=True)
class Row:
    """One upscaler (``kind`` model) or anchor.

    Attributes
    ----------
    facts : mapping of str to str
        Every column of `FACTS`, as text.
    values : mapping of metric name to Value
    """

    facts: Mapping[str, str]
    values: Mapping[str, Value] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The upscaler's name, which is unique in a leaderboard."""
        return self.facts["upscaler"]

    @property
    def resampled(self) -> list[tuple[int, str]]:
        """What its intervals resample: how many (0 where version 0.1.0 did not say) ``speakers`` or ``utterances``."""
        words = self.facts["resampled"].replace(",", "").split()
        return [
            (int(before) if before.isdecimal() else 0, word)
            for before, word in zip(["", *words], words, strict=False)
            if not word.isdecimal()
        ]

    def cells(self) -> dict[str, str]:
        """Return the row as the file holds it, without the digest."""
        cells = {key: self.facts[key] for key in FACTS}
        for metric, value in self.values.items():
            numbers = (*map(_text, (value.mean, value.low, value.high)), str(value.n), value.signature)
            numbers = (*numbers, value.over, str(value.paired))
            cells |= {f"{metric}{suffix}": text for suffix, text in zip(_SUFFIXES, numbers, strict=True)}
        return cells


@dataclass(frozen=True)
class Board:
    """The leaderboard of one protocol; rows are sorted, models first, each kind by name."""

    protocol: str
    rows: tuple[Row, ...]

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics' names, the same in every row."""
        return tuple(self.rows[0].values) if self.rows else ()

    @property
    def signature(self) -> str:
        """The protocol's signature, the same in every row; "" for an empty leaderboard."""
        return self.rows[0].facts["protocol_signature"] if self.rows else ""

    def row(self, name: str) -> Row | None:
        """Return the row of an upscaler, None where there is none."""
        return next((row for row in self.rows if row.name == name), None)


def make_board(protocol: str, rows: Sequence[Row]) -> Board:
    """Return a leaderboard with its rows in order.

    Raises
    ------
    SrbenchError
        If rows differ in protocol signature, in recordings, in their metrics or in a metric's signature, or share a
        name.
    """
    ordered = sorted(rows, key=lambda row: (row.facts["kind"] != "model", row.name))
    for row in ordered[1:]:
        first = ordered[0]
        if row.facts["protocol_signature"] != first.facts["protocol_signature"]:
            raise SrbenchError(
                f"{protocol}: {shown(row.name)} and {shown(first.name)} have different protocol signatures"
            )
        theirs, ours = ({name: value.signature for name, value in r.values.items()} for r in (row, first))
        if theirs != ours:
            raise SrbenchError(f"{protocol}: {shown(row.name)} and {shown(first.name)} are not of the same metrics")
    _refuse_other_recordings(protocol, ordered)
    names = [row.name for row in ordered]
    for name in names:
        if names.count(name) > 1:
            raise SrbenchError(f"{protocol}: '{shown(name)}' appears twice")
    return Board(protocol, tuple(ordered))


def recordings_fact(recordings: Recordings) -> str:
    """Return the cell of what a run rests on: how many recordings, and 16 hex digits of their ids and of their samples.

    Parameters
    ----------
    recordings : Recordings
    """
    return f"{recordings.n}.{recordings.ids[:16]}.{recordings.sha256[:16]}" if recordings.n else ""


def _refuse_other_recordings(protocol: str, rows: Sequence[Row]) -> None:
    """Raise SrbenchError where two rows rest on the same ids and other samples; of other ids nothing can be told."""
    first: dict[str, Row] = {}
    for row in rows:
        told = row.facts["recordings"]
        ids = told.rpartition(".")[0]
        other = first.setdefault(ids, row)
        if ids and other.facts["recordings"] != told:
            raise SrbenchError(
                f"{protocol}: {shown(row.name)} and {shown(other.name)} are of other recordings with the same ids.\n"
                "Run both on one corpus, or publish one of them into another --leaderboard."
            )


def write_board(board: Board, path: str | Path) -> None:
    """Write it as CSV; the file appears when it is whole.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    columns = [*board.rows[0].cells(), DIGEST]
    lines = [row.cells() for row in board.rows]
    write_table(path, columns, ([*cells.values(), digest(cells)] for cells in lines))


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
        cells = dict(zip(header, line, strict=False))
        where = f"{path}, line {number} ({shown(cells.get('upscaler') or 'no name')})"
        if len(line) != len(header) or digest(cells) != cells[DIGEST]:
            raise SrbenchError(
                f"{where}: was changed after it was published (its digest differs). "
                "Restore the file, or take the line out and publish the run again."
            )
        cells = {name: cells.get(name, "") for name in every}
        try:
            values = {name: _value(cells, name) for name in metrics}
            for key in _COUNTS:
                int(cells[key])
        except (ValueError, SrbenchError) as error:
            raise SrbenchError(f"{where}: {shown(error)}") from error
        rows.append(Row({key: cells[key] for key in FACTS}, values))
    return make_board(path.stem, rows)


def digest(cells: Mapping[str, str]) -> str:
    """Return the first 16 hex digits of the SHA-256 over all cells of a row but the digest itself."""
    told = "\n".join(f"{key}={value}" for key, value in cells.items() if key != DIGEST)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _value(cells: Mapping[str, str], name: str) -> Value:
    mean, low, high, n, signature, over, paired = (cells[f"{name}{suffix}"] for suffix in _SUFFIXES)
    a, b, c = (float(text) if text else math.nan for text in (mean, low, high))
    return Value(a, b, c, int(n), signature, over, parse_standing(paired))


def _text(number: float) -> str:
    return "" if math.isnan(number) else repr(float(number))
