"""Runs on disk: finding run folders, and reading one back, once: what comes after takes the run and not the files."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from srbench.errors import SrbenchError, shown
from srbench.files import need_plain
from srbench.run.journal import read_journal
from srbench.run.manifest import AUDIO, MANIFEST, Manifest
from srbench.run.record import COLUMNS, Record, ScoreRecord, row_of
from srbench.table import read_table

ANEW = "the same 'srbench run' or 'srbench score' writes it anew"  # what to do about a file that was edited


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes
    ----------
    folder : Path
    manifest : Manifest
    records : tuple of Record
        In the order of the plan, and of ``utterances.csv``.
    edited : mapping of utterance to str
        Of which row of ``utterances.csv`` something else is said there than in the journal, and what.
    """

    folder: Path
    manifest: Manifest
    records: tuple[Record, ...]
    edited: Mapping[str, str] = field(default_factory=dict, kw_only=True)

    @cached_property
    def columns(self) -> dict[str, Any]:
        """Lists of ``utterance``, ``speaker`` and ``status``, and every metric's values, NaN where there is none."""
        told = {name: [COLUMNS[name](record) for record in self.records] for name in ("utterance", "speaker", "status")}
        return told | {
            name: np.array([record.values.get(name, math.nan) for record in self.records], np.float64)
            for name in self.manifest.metrics
        }

    @cached_property
    def by_id(self) -> dict[str, Record]:
        """The records by their utterance."""
        return {record.utterance: record for record in self.records}


def find_runs(places: str | Path | Sequence[str | Path]) -> list[Path]:
    """Return the run folders among and below one or some folders, sorted within each, each once.

    Raises
    ------
    SrbenchError
        If a place is no folder, or holds no run.
    """
    found: dict[Path, None] = {}
    for place in map(Path, [places] if isinstance(places, (str, Path)) else places):
        if not place.is_dir():
            raise SrbenchError(f"{place}: {'is not a folder' if place.exists() else 'no such folder'} of runs")
        here = sorted(manifest.parent for manifest in place.rglob(MANIFEST))
        if not here:
            raise SrbenchError(f"{place}: holds no run (no {MANIFEST} in it or below); 'srbench run' makes one")
        found |= dict.fromkeys(here)
    return list(found)


def open_run(folder: str | Path, *, check: bool = True) -> Run:
    """Read a finished run back: its manifest, and the records in the order of its ``utterances.csv``.

    Parameters
    ----------
    folder : path
    check : bool
        Refuse a run whose ``utterances.csv`` does not say what the journal does, from which the records come; without
        it, whoever reads the run has to (`srbench.results.validate`, which names every row).

    Raises
    ------
    SrbenchError
        If a file is missing, damaged or edited, or the run was not finished.
    """
    folder = Path(folder)
    if folder.is_dir():
        need_plain(folder)
    manifest = Manifest.read(folder)
    table = folder / "utterances.csv"
    try:
        journal = read_journal(folder / "journal.jsonl", ScoreRecord if manifest.upscaler.kind == AUDIO else Record)
        header, *rows = read_table(table) or [[]]
    except (OSError, SrbenchError) as error:
        raise SrbenchError(
            f"{folder}: has no readable utterances.csv: the run is not finished; run it again"
        ) from error
    metrics = tuple(manifest.metrics)
    if header != [*COLUMNS, *metrics]:
        raise SrbenchError(f"{table}: its columns are not those of the run's manifest")
    ids = [row[0] if row else "" for row in rows]
    absent = [each for each in ids if each not in journal]
    if absent:
        raise SrbenchError(
            f"{folder}: utterance '{shown(absent[0])}' of utterances.csv does not stand in the journal, "
            "or is damaged there"
        )
    edited = {each: why for each, row in zip(ids, rows, strict=True) if (why := _edited(row, journal[each], metrics))}
    run = Run(folder, manifest, tuple(journal[each] for each in ids), edited=edited)
    if check and len(ids) != manifest.utterances.n:
        why = f"has {len(ids)} rows, and the run's manifest counts {manifest.utterances.n}"
        raise SrbenchError(f"{table}: {why}. It was edited: {ANEW}.")
    if check and (edited or len(run.by_id) < len(ids)):
        row, why = next(iter(edited.items()), (max(ids, key=ids.count), "stands there twice"))
        raise SrbenchError(f"{table}, row {shown(row)}: {shown(why, 500)}. It was edited: {ANEW}.")
    return run


def _edited(row: Sequence[str], record: Record, metrics: Sequence[str]) -> str:
    """Say in what a row of ``utterances.csv`` is not what the journal says, "" where it is."""
    told = row_of(record, metrics)
    if len(row) != len(told):
        return f"has {len(row)} cells, not {len(told)}"
    for name, here, there in zip((*COLUMNS, *metrics), row, told, strict=True):
        if here != there:
            return f"{name} is '{here}', and '{there}' in the journal"
    return ""
