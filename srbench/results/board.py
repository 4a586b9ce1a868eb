"""The leaderboard of one protocol as a value: rows with typed facts and numbers, and the document made of them.

`srbench run` makes one of its runs, `srbench publish` reads one from ``leaderboard/<protocol>.csv``
(`srbench.results.board_file`); every table, page and document is made from it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from srbench.errors import SrbenchError, shown
from srbench.level import CI
from srbench.metrics import get_metric
from srbench.results.aggregate import aggregation
from srbench.results.standing import UNKNOWN, Standing


@dataclass(frozen=True)
class Value:
    """One number of a row: the mean over ``n`` utterances with its interval; NaN where there is none.

    ``over`` names the set of those utterances (`srbench.results.aggregate.Aggregate`), ``paired`` tells how the mean
    stands beside the others by the paired comparison of the runs; "" and `UNKNOWN` where that was not known.
    ``clusters`` of ``resampled`` were resampled, known where the run is here.
    """

    mean: float
    low: float
    high: float
    n: int
    signature: str
    over: str = ""
    paired: Standing = UNKNOWN
    resampled: str = field(default="", compare=False)
    clusters: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Behind:
    """What only a run that is here tells of its row: its folder, warnings, failures by utterance, and provenance.

    ``made`` says where the estimates come from, "" for what srbench ran itself. ``spread`` is the standard deviation
    of each metric's mean over the draws, where there are several.
    """

    folder: str
    warnings: tuple[str, ...]
    failures: tuple[tuple[str, str], ...]
    provenance: Mapping[str, Any]
    made: str = ""
    spread: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """One upscaler (``kind`` model) or anchor. The fields up to ``warnings`` are the columns of the file, in order.

    ``n`` utterances were evaluated and ``failed`` were not, of the ``expected`` of the whole split. ``resampled`` is
    what the intervals resample: (8, "speakers"), the number 0 where version 0.1.0 did not say it. ``draws`` tells of a
    model that was run several times how often, and how its means spread: ``5: snr 0.012, lsd 0.0031``.
    """

    upscaler: str
    kind: str
    distribution: str = ""
    version: str = ""
    num_parameters: int | None = None
    weights: str = ""
    weights_sha256: str = ""
    source_sha256: str = ""
    trained_on: str = ""
    n: int = 0
    failed: int = 0
    expected: int = 0
    resampled: tuple[tuple[int, str], ...] = ()
    real_time_factor: float | None = None
    protocol_signature: str = ""
    recordings: str = ""
    run: str = ""
    seed: int | None = None
    draws: str = ""
    date: str = ""
    versions: str = ""
    machine: str = ""
    rechecked: str = "0"
    warnings: str = ""
    values: Mapping[str, Value] = field(default_factory=dict)
    behind: Behind | None = field(default=None, compare=False, repr=False)

    @property
    def name(self) -> str:
        """The upscaler's name, which is unique in a leaderboard."""
        return self.upscaler

    @property
    def anchor(self) -> bool:
        """Whether it is an anchor."""
        return self.kind != "model"

    def document(self) -> dict[str, Any]:
        """Return it as documents tell it; what only a run tells is empty where the run is not here."""
        behind = self.behind or Behind("", (self.warnings,) if self.warnings else (), (), {})
        return {
            "name": self.name,
            "n": self.n,
            "failed": self.failed,
            "failures": [{"utterance": utterance, "error": error} for utterance, error in behind.failures],
            "real_time_factor": self.real_time_factor,
            "warnings": list(behind.warnings),
            "made": behind.made,
            "draws": {"n": int(self.draws.partition(":")[0] or 1), "spread": dict(behind.spread)},
            "provenance": dict(behind.provenance),
            "run_dir": behind.folder,
            "metrics": {name: self._metric(name, value) for name, value in self.values.items()},
        }

    def _metric(self, name: str, value: Value) -> dict[str, Any]:
        metric = get_metric(name)
        return {
            "mean": plain(value.mean),
            CI: [plain(value.low), plain(value.high)],
            "n": value.n,
            "undefined": self.n - value.n,
            "over": value.over,
            "resampled": value.resampled,
            "clusters": value.clusters,
            "unit": metric.unit,
            "better": metric.better,
            "signature": value.signature,
            "aggregation": aggregation(value.n, self.expected),
            "paired": asdict(value.paired),
        }


@dataclass(frozen=True)
class Setting:
    """What the runs of a leaderboard have in common beside the protocol's signature: split, notes, folder."""

    title: str
    split: Mapping[str, Any]
    own_corpus: bool
    notes: tuple[str, ...]
    folder: str


@dataclass(frozen=True)
class Board:
    """The leaderboard of one protocol. ``setting`` is known where its runs are here."""

    protocol: str
    rows: tuple[Row, ...]
    setting: Setting | None = field(default=None, compare=False)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics' names, the same in every row."""
        return tuple(self.rows[0].values) if self.rows else ()

    @property
    def signature(self) -> str:
        """The protocol's signature, the same in every row; "" for an empty leaderboard."""
        return self.rows[0].protocol_signature if self.rows else ""

    @property
    def signatures(self) -> dict[str, str]:
        """The signature of the protocol (key ``protocol``) and of each metric."""
        first = self.rows[0].values if self.rows else {}
        return {"protocol": self.signature} | {name: value.signature for name, value in first.items()}

    def row(self, name: str) -> Row | None:
        """Return the row of an upscaler, None where there is none."""
        return next((row for row in self.rows if row.name == name), None)

    def document(self) -> dict[str, Any]:
        """Return it as the one document that ``--json`` prints."""
        setting = self.setting or Setting("", {}, True, (), "")
        return {
            "protocol": self.protocol,
            "protocol_title": setting.title,
            "protocol_signature": self.signature,
            "split": dict(setting.split),
            "own_corpus": setting.own_corpus,
            "notes": list(setting.notes),
            "run_dir": setting.folder,
            "models": [row.document() for row in self.rows if not row.anchor],
            "anchors": [row.document() for row in self.rows if row.anchor],
        }


def make_board(protocol: str, rows: Iterable[Row]) -> Board:
    """Return a leaderboard with its rows in order: models first, each kind by name.

    Raises
    ------
    SrbenchError
        If rows differ in protocol signature, in recordings, in their metrics or in a metric's signature, or share a
        name.
    """
    ordered = sorted(rows, key=lambda row: (row.anchor, row.name))
    for row in ordered[1:]:
        first = ordered[0]
        if row.protocol_signature != first.protocol_signature:
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


def plain(value: float) -> float | str | None:
    """Write what JSON has no number for: None for no value, a text for infinity."""
    if math.isnan(value):
        return None
    return ("inf" if value > 0 else "-inf") if math.isinf(value) else value


def _refuse_other_recordings(protocol: str, rows: Sequence[Row]) -> None:
    """Raise SrbenchError where two rows rest on the same ids and other samples; of other ids nothing can be told."""
    first: dict[str, Row] = {}
    for row in rows:
        ids = row.recordings.rpartition(".")[0]
        other = first.setdefault(ids, row)
        if ids and other.recordings != row.recordings:
            raise SrbenchError(
                f"{protocol}: {shown(row.name)} and {shown(other.name)} are of other recordings with the same ids.\n"
                "Run both on one corpus, or publish one of them into another --leaderboard."
            )
