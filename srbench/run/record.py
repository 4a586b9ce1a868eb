"""What came of one utterance, and the one table of what ``utterances.csv`` tells of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from srbench import schema
from srbench.table import write_table

R = TypeVar("R", bound="Record")


@dataclass(frozen=True, slots=True)  # there may be a hundred thousand
class Record:
    """What came of one utterance.

    ``error`` is empty when all went well; ``values`` holds the metrics that have a value, ``undefined`` the reasons
    of the others. ``input_at_fault`` tells an unusable recording from a failing upscaler. ``stamp`` is the SHA-256 of
    the file's bytes, by which a run resumes; ``files`` are weights that the upscaler read after it was built, path to
    digest: a run resumes by them too. ``recording`` is that of its samples (`srbench.audio.recording_digest`),
    "" where they could not be read, and in a journal of version 0.1.0. ``warnings`` and ``checks`` say what a look
    at the estimate found and measured (`srbench.scoring.Score`); empty where none was had.
    ``draws`` holds a metric's value of each draw, where there are several, and ``values`` then their mean.
    """

    utterance: str
    speaker: str
    file: str
    stamp: str
    file_rate: int | None = None
    samples: int | None = None
    seconds: float | None = None
    error: str = ""
    input_at_fault: bool = False
    values: dict[str, float] = field(default_factory=dict)
    undefined: dict[str, str] = field(default_factory=dict)
    upscale_seconds: float | None = None
    metric_seconds: float | None = None
    recording: str = ""
    files: dict[str, str] = field(default_factory=dict)
    warnings: list[dict[str, Any]] = field(default_factory=list)
    checks: dict[str, Any] = field(default_factory=dict)
    draws: dict[str, list[float]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values; a shallow copy, since `dataclasses.asdict` takes longer than an SNR."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @classmethod
    def from_dict(cls: type[R], values: object) -> R:
        """Build it from what `as_dict` gave, for this class or for one that has more to tell.

        Raises
        ------
        SrbenchError
            If a value is of another kind: a journal may have been edited.
        """
        record = schema.read(cls, values, "is not a record")
        object.__setattr__(record, "speaker", sys.intern(record.speaker))  # one text for all of one speaker
        return record


@dataclass(frozen=True, slots=True)
class ScoreRecord(Record):
    """What came of one pair: a run's record, with the reference as its file, and what is to be said of the pair."""

    estimate_file: str = ""
    estimate_stamp: str = ""
    low_stamp: str = ""
    repairs: list[str] = field(default_factory=list)


def _text(number: int | None) -> str:
    return "" if number is None else str(number)


COLUMNS: Mapping[str, Callable[[Record], str]] = {
    "utterance": lambda record: record.utterance,
    "speaker": lambda record: record.speaker,
    "file": lambda record: record.file,
    "file_rate": lambda record: _text(record.file_rate),
    "samples": lambda record: _text(record.samples),
    "status": lambda record: "failed" if record.error else "ok",
    "error": lambda record: record.error,
    "undefined": lambda record: "; ".join(f"{name}: {reason}" for name, reason in record.undefined.items()),
}
"""The columns of ``utterances.csv`` before those of the metrics."""


def row_of(record: Record, metrics: Sequence[str]) -> list[str]:
    """Return the row of ``utterances.csv`` that a record makes."""
    values = (repr(record.values[name]) if name in record.values else "" for name in metrics)
    return [*(told(record) for told in COLUMNS.values()), *values]


def write_records(folder: Path, records: Sequence[Record], metrics: Sequence[str]) -> None:
    """Write ``utterances.csv``, ``draws.csv`` where there are several, and ``timings.csv``, which never repeats."""
    write_table(folder / "utterances.csv", [*COLUMNS, *metrics], (row_of(record, metrics) for record in records))
    if any(record.draws for record in records):
        write_table(
            folder / "draws.csv",
            ["utterance", "draw", *metrics],
            (
                [record.utterance, str(draw), *(repr(record.draws[name][draw]) for name in metrics)]
                for record in records
                if set(metrics) <= record.draws.keys()
                for draw in range(len(record.draws[metrics[0]]))
            ),
        )
    timings = ("utterance", "seconds", "upscale_seconds", "metric_seconds")
    write_table(folder / "timings.csv", timings, ([getattr(r, name) for name in timings] for r in records))
