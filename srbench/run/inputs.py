"""What upscalers are given, as files: for programs, and for whoever runs a model somewhere else."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from srbench import __version__, audio
from srbench.audio import FLOAT32, FileFormat, Rate, Samples
from srbench.corpora.corpus import file_digest
from srbench.errors import SrbenchError, shown
from srbench.files import UNFINISHED, read_file, whole_file
from srbench.protocols import prepare
from srbench.run.plan import Plan

FORMATS: Mapping[str, FileFormat] = {
    "float": FileFormat("WAV", "DOUBLE"),
    "float32": FLOAT32,
    "flac": FileFormat("FLAC", "PCM_24", ".flac"),
    "pcm16": FileFormat("WAV", "PCM_16"),
}
"""``float`` holds the very numbers that an upscaler in Python is given: 64 bits."""
MANIFEST = "inputs.json"
REFERENCES = "references"
_LARGEST = 1 << 30  # bytes of a manifest


@dataclass(frozen=True)
class Written:
    """What was written: how many utterances, how many samples were beyond full scale and cut off, and what failed."""

    folder: Path
    n: int
    clipped: int
    failures: dict[str, str]


def write_low(low: Samples, low_rate: Rate, folder: Path, utterance_id: str, form: str) -> Path:
    """Write a low-resolution signal by its utterance's id, and return the file.

    Parameters
    ----------
    low : ndarray, shape (n,)
    low_rate : int or Fraction, in Hz
        A header holds a whole number: the nearest.
    folder : Path
    utterance_id : str
        May have folders in it.
    form : str
        One of `FORMATS`.
    """
    path = folder / f"{utterance_id}{FORMATS[form].suffix}"
    if not path.resolve().is_relative_to(folder.resolve()):
        raise SrbenchError(f"{path}: leads out of {folder}: nothing is written there")
    path.parent.mkdir(parents=True, exist_ok=True)
    audio.write(path, low, header_rate(low_rate), FORMATS[form])
    return path


def header_rate(low_rate: Rate) -> int:
    """Return the rate in Hz that a file's header says: the nearest whole number."""
    return round(low_rate)


def write_inputs(
    plan: Plan,
    folder: str | Path,
    *,
    form: str = "float",
    references: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Written:
    """Write a plan's low-resolution signals into a folder, whole or not at all, with a manifest.

    Parameters
    ----------
    plan : Plan
    folder : path
        It may be there if it is empty, or holds what an earlier call wrote.
    form : str
        One of `FORMATS`.
    references : bool
        Write the references too, below ``references``.
    progress : callable (done, total), optional

    Raises
    ------
    SrbenchError
        If the folder holds something else, or not one recording can be used.
    OSError
        If it cannot be written.
    """
    folder = Path(folder)
    before = _own_files(folder)
    folder.absolute().parent.mkdir(parents=True, exist_ok=True)
    unfinished = folder.absolute().with_name(f".{secrets.token_hex(8)}{UNFINISHED}")
    try:
        unfinished.mkdir()
        files, failures, clipped = _write_all(plan, unfinished, form, references, progress)
        if not files:
            first = next(iter(failures.items()), ("", ""))
            raise SrbenchError(f"none of {len(failures)} recordings can be used; {first[0]}: {first[1]}")
        _write_manifest(plan, unfinished, form, files, failures)
        _put_in_place(unfinished, folder, before)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return Written(folder, len(files), clipped, failures)


def _write_all(
    plan: Plan, folder: Path, form: str, references: bool, progress: Callable[[int, int], None] | None
) -> tuple[dict[str, Any], dict[str, str], int]:
    protocol = plan.protocol
    files: dict[str, Any] = {}
    failures, clipped = {}, 0
    for number, utterance in enumerate(plan.utterances):
        if progress:
            progress(number, len(plan.utterances))
        try:
            prepared = prepare(*audio.read(utterance.path, protocol.channels), protocol)
        except SrbenchError as error:
            failures[utterance.id] = str(error)
            continue
        written = [("input", write_low(prepared.low, protocol.low_rate, folder, utterance.id, form))]
        if references:
            place = folder / REFERENCES
            reference = write_low(prepared.reference, protocol.high_rate, place, utterance.id, form)
            written.append(("reference", reference))
        if form in ("flac", "pcm16"):
            clipped += sum(int((np.abs(each) > 1).sum()) for each in (prepared.low, *prepared[: int(references)]))
        files[utterance.id] = {
            "samples": len(prepared.low),
            "estimate_samples": len(prepared.reference),
            **{
                kind: {"file": path.relative_to(folder).as_posix(), "sha256": file_digest(path)}
                for kind, path in written
            },
        }
    if progress:
        progress(len(plan.utterances), len(plan.utterances))
    return files, failures, clipped


def _write_manifest(plan: Plan, folder: Path, form: str, files: Mapping[str, Any], failures: Mapping[str, str]) -> None:
    protocol = plan.protocol
    told = {
        "made_by": f"srbench {__version__}, srbench inputs",
        "protocol": protocol.name,
        "protocol_signature": str(plan.signature),
        "low_rate": str(protocol.low_rate),
        "header_rate": header_rate(protocol.low_rate),
        "high_rate": protocol.high_rate,
        "format": form,
        "notes": list(plan.notes),
        "utterances": len(files),
        "left_out": dict(failures),
        "files": dict(files),
    }
    with whole_file(folder / MANIFEST) as file:
        file.write(json.dumps(told, indent=1, ensure_ascii=False) + "\n")


def _own_files(folder: Path) -> list[str]:
    """Return the files that an earlier call wrote into a folder.

    Raises
    ------
    SrbenchError
        If there is something, and no manifest of ours that can be read.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return []
    try:
        found = json.loads(read_file(folder / MANIFEST, _LARGEST, links=False))
        entries = found["files"].values()
        return [str(each[kind]["file"]) for each in entries for kind in ("input", "reference") if kind in each]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SrbenchError(
            f"{shown(folder)}: is not empty, and srbench inputs did not write it (no {MANIFEST}): name another --out"
        ) from error


def _put_in_place(made: Path, folder: Path, before: list[str]) -> None:
    """Move a finished folder to its place; where an earlier one lies, file by file, with what others put there kept."""
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
    if not folder.exists():
        made.rename(folder)
        return
    (folder / MANIFEST).unlink()  # until all is there, it is not a whole set
    for name in before:
        old = folder / name
        if old.resolve().is_relative_to(folder.resolve()):  # a manifest can be edited
            old.unlink(missing_ok=True)
    for file in sorted(made.rglob("*"), key=lambda each: each.name == MANIFEST):
        if file.is_file():
            target = folder / file.relative_to(made)
            target.parent.mkdir(parents=True, exist_ok=True)
            file.replace(target)
