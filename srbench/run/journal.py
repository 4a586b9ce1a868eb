"""The journal: one JSON line for each finished utterance, appended as it is finished, so that a killed run loses none.

A line that was torn by a kill is cut off before anything is appended.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar

from srbench.files import open_file
from srbench.run.record import Record

R = TypeVar("R", bound=Record)
_LONGEST = 10_000_000  # bytes of a line


def read_journal(path: Path, kind: type[R] = Record) -> dict[str, R]:  # type: ignore[assignment]
    """Return the finished utterances by id, as records of a kind; of two lines for one id the later counts."""
    records: dict[str, R] = {}
    try:
        with open_file(path, links=False) as file:
            for line in _lines(file):
                record = _parse(line, kind) if line.endswith(b"\n") else None  # else torn
                if record is not None:
                    records[record.utterance] = record
    except FileNotFoundError:
        pass
    return records


@contextmanager
def open_journal(path: Path) -> Iterator[BinaryIO]:
    """Open a journal for appending, after cutting off a torn last line."""
    with open_file(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, links=False) as file:
        end = 0
        for line in _lines(file):  # line by line: it may be long
            end = file.tell() if line.endswith(b"\n") else end
        file.truncate(end)
        yield file


def append(journal: BinaryIO, record: Record) -> None:
    """Write one record and hand it to the operating system at once."""
    journal.write(json.dumps(record.as_dict(), ensure_ascii=False).encode() + b"\n")
    journal.flush()


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Read line by line; one that is too long comes in parts, none of which is a record."""
    return iter(lambda: file.readline(_LONGEST), b"")


def _parse(line: bytes, kind: type[R]) -> R | None:
    try:
        return kind.from_dict(json.loads(line))
    except (ValueError, RecursionError):
        return None  # damaged by something else than a kill: the utterance is evaluated again
