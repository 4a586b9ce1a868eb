"""Runs on disk: finding run folders, and reading one back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from srbench.errors import SrbenchError, shown
from srbench.files import need_plain, read_file
from srbench.names import check_name
from srbench.run.engine import FIXED_COLUMNS, Run, utterance_row
from srbench.run.journal import read_journal
from srbench.run.manifest import FORMAT, LARGEST
from srbench.run.pipeline import Record
from srbench.table import read_table

MANIFEST = "manifest.json"
LONGEST_TEXT = 10_000  # characters in a manifest: they come to stand in leaderboards
LARGEST_NUMBER = 2**63
ANEW = "the same 'srbench run' or 'srbench score' writes it anew"  # what to do about a file that was edited
_KINDS: dict[str, type | tuple[type, ...]] = {
    "format": int,
    "protocol": str,
    "protocol_title": str,
    "protocol_signature": str,
    "metrics": dict,
    "utterances": dict,
    "upscaler": dict,
    "seed": int,
    "split": dict,
    "own_corpus": bool,
    "notes": list,
    "corpus": dict,
    "started": str,
    "versions": dict,
    "machine": dict,
    "warnings": list,
}
_INNER_KINDS: dict[tuple[str, str], type] = {
    **{("upscaler", key): str for key in ("name", "kind")},
    **{("split", "name"): str, ("split", "expected"): int},
    **{("utterances", "n"): int, ("utterances", "sha256"): str},
}


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
    manifest = _manifest(folder / MANIFEST)
    try:
        journal: dict[str, Record] = read_journal(folder / "journal.jsonl")
        rows = read_table(folder / "utterances.csv")
    except (OSError, SrbenchError) as error:
        raise SrbenchError(
            f"{folder}: has no readable utterances.csv: the run is not finished; run it again"
        ) from error
    if not rows or rows[0] != [*FIXED_COLUMNS, *manifest["metrics"]]:
        raise SrbenchError(f"{folder / 'utterances.csv'}: its columns are not those of the run's manifest")
    ids = [row[0] if row else "" for row in rows[1:]]
    absent = [each for each in ids if each not in journal]
    if absent:
        raise SrbenchError(
            f"{folder}: utterance '{shown(absent[0])}' of utterances.csv does not stand in the journal, "
            "or is damaged there"
        )
    counted = manifest["utterances"]["n"]
    if check and len(ids) != counted:
        raise SrbenchError(
            f"{folder / 'utterances.csv'}: has {len(ids)} rows, and the run's manifest counts {shown(counted)}. "
            f"It was edited: {ANEW}."
        )
    records = tuple(journal[each] for each in ids)
    metrics = tuple(manifest["metrics"])
    seen: set[str] = set()
    for row, record in zip(rows[1:], records, strict=True):
        if check and (row != utterance_row(record, metrics) or record.utterance in seen):
            raise SrbenchError(
                f"{folder / 'utterances.csv'}, row {shown(record.utterance)}: is not what the journal says, or stands "
                f"twice. It was edited: {ANEW}."
            )
        seen.add(record.utterance)
    return Run(folder, manifest, records)


def _beyond(value: Any) -> str:
    """Say what in a value is larger than anything that a run tells, "" where nothing is."""
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return f"a text of {len(value)} characters; {LONGEST_TEXT} is the most"
    if isinstance(value, int) and abs(value) >= LARGEST_NUMBER:
        return "a number of more than 64 bits"
    inner = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next(filter(None, map(_beyond, inner)), "")


def _manifest(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(read_file(path, LARGEST, links=False))
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode()  # it goes into other files
    except OSError as error:
        raise SrbenchError(f"{path}: {error.strerror or 'cannot be read'}: not the folder of a run") from error
    except (ValueError, RecursionError) as error:
        raise SrbenchError(f"{path}: is not JSON: {shown(error)}") from error
    if not isinstance(found, dict) or not isinstance(found.get("format"), int):
        raise SrbenchError(f"{path}: is not the manifest of a run")
    if found["format"] != FORMAT:
        raise SrbenchError(f"{path}: is of format {shown(found['format'])}; this version reads {FORMAT}")
    for key, value in found.items():
        if why := _beyond(value):
            raise SrbenchError(f"{path}: is not the manifest of a run: in '{shown(key)}' is {why}")
    for key, kind in _KINDS.items():
        if not isinstance(found.get(key), kind):
            raise SrbenchError(f"{path}: is not the manifest of a run: '{key}' is missing or of another kind")
    texts = [*found["metrics"].values(), *found["notes"], *found["warnings"], *found["versions"].values()]
    told = found["upscaler"]
    texts += [told.get(key, "") for key in ("name", "kind", "distribution")]
    texts += [told[key] for key in ("device", "precision") if told.get(key) is not None]
    if not all(isinstance(text, str) and text == text.encode(errors="replace").decode() for text in texts):
        raise SrbenchError(f"{path}: is not the manifest of a run: a name, signature or note is not a text")
    if isinstance(told.get("name"), str):
        check_name(f"{path}: an upscaler's name", told["name"])
    for (table, key), kind in _INNER_KINDS.items():
        if not isinstance(found[table].get(key), kind):
            raise SrbenchError(f"{path}: is not the manifest of a run: '{table}' has no '{key}', or of another kind")
    return found
