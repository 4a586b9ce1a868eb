"""The journal: one JSON line for each finished utterance, appended as it is finished, so that a killed run loses none.

A line that was torn by a kill is cut off before anything is appended.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeVar

from srbench.run.pipeline import Record

R = TypeVar("R", bound=Record)


def read_journal(path: Path, kind: type[R] = Record) -> dict[str, R]:  # type: ignore[assignment]
    """Return the finished utterances by id, as records of a kind; of two lines for one id the later counts."""
    records: dict[str, R] = {}
    if path.exists():
        with path.open("rb") as file:
            for line in file:
                record = _parse(line, kind) if line.endswith(b"\n") else None  # else torn
                if record is not None:
                    records[record.utterance] = record
    return records


@contextmanager
def open_journal(path: Path) -> Iterator[IO[str]]:
    """Open a journal for appending, after cutting off a torn last line."""
    if path.exists():
        with path.open("r+b") as file:
            end = 0
            for line in file:  # line by line: it may be long
                end += len(line) if line.endswith(b"\n") else 0
            file.truncate(end)
    with path.open("a", encoding="utf-8") as file:
        yield file


def append(journal: IO[str], record: Record) -> None:
    """Write one record and hand it to the operating system at once."""
    journal.write(json.dumps(record.as_dict(), ensure_ascii=False) + "\n")
    journal.flush()


def _parse(line: bytes, kind: type[R]) -> R | None:
    try:
        record = kind.from_dict(json.loads(line))
        return record if isinstance(record.utterance, str) and isinstance(record.stamp, str) else None
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return None  # damaged by something else than a kill: the utterance is evaluated again
