"""Runs on disk: finding run folders, and reading one back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from srbench.errors import SrbenchError, shown
from srbench.files import need_plain
from srbench.run.engine import FIXED_COLUMNS, Run, utterance_row
from srbench.run.journal import read_journal
from srbench.run.manifest import MANIFEST, Manifest
from srbench.run.pipeline import Record
from srbench.table import read_table

ANEW = "the same 'srbench run' or 'srbench score' writes it anew"  # what to do about a file that was edited


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
        Hold ``utterances.csv`` against the journal, from which the records come; without it, what reads the run has to
        (`srbench.results.validate`, which names every row).

    Raises
    ------
    SrbenchError
        If a file is missing, damaged or edited, or the run was not finished.
    """
    folder = Path(folder)
    if folder.is_dir():
        need_plain(folder)
    manifest = Manifest.read(folder)
    try:
        journal: dict[str, Record] = read_journal(folder / "journal.jsonl")
        rows = read_table(folder / "utterances.csv")
    except (OSError, SrbenchError) as error:
        raise SrbenchError(
            f"{folder}: has no readable utterances.csv: the run is not finished; run it again"
        ) from error
    if not rows or rows[0] != [*FIXED_COLUMNS, *manifest.metrics]:
        raise SrbenchError(f"{folder / 'utterances.csv'}: its columns are not those of the run's manifest")
    ids = [row[0] if row else "" for row in rows[1:]]
    absent = [each for each in ids if each not in journal]
    if absent:
        raise SrbenchError(
            f"{folder}: utterance '{shown(absent[0])}' of utterances.csv does not stand in the journal, "
            "or is damaged there"
        )
    counted = manifest.utterances.n
    if check and len(ids) != counted:
        raise SrbenchError(
            f"{folder / 'utterances.csv'}: has {len(ids)} rows, and the run's manifest counts {counted}. "
            f"It was edited: {ANEW}."
        )
    records = tuple(journal[each] for each in ids)
    metrics = tuple(manifest.metrics)
    seen: set[str] = set()
    for row, record in zip(rows[1:], records, strict=True):
        if check and (row != utterance_row(record, metrics) or record.utterance in seen):
            raise SrbenchError(
                f"{folder / 'utterances.csv'}, row {shown(record.utterance)}: is not what the journal says, or stands "
                f"twice. It was edited: {ANEW}."
            )
        seen.add(record.utterance)
    return Run(folder, manifest, records)
