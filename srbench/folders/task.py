"""One pair of files to a record, like an utterance of a run: every failure becomes a record, none becomes a crash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from srbench import audio, memory
from srbench.audio import Samples
from srbench.corpora.corpus import file_below, file_digest
from srbench.errors import SrbenchError
from srbench.folders.pairing import FilePair
from srbench.metrics import Definition
from srbench.run.pipeline import one_line
from srbench.run.record import ScoreRecord
from srbench.scoring.pair import score_pair
from srbench.scoring.repair import Repairs

_OPTIONS = {
    "match_length": " (--match-length shorter or pad)",
    "channels": " (--channels mix|left|right|N takes one)",
    "resample": " (--resample brings it to the reference's)",
}


@dataclass(frozen=True)
class ScoreTask:
    """All that a process must know to score a pair.

    Attributes
    ----------
    definitions : mapping of metric name to its definition
    sample_rate : int, in Hz
        Of the references.
    cutoff : float or None, in Hz
    repairs : Repairs
    root, estimates : Path
        The folders of the references and of the estimates, to which file names in records are relative.
    """

    definitions: Mapping[str, Definition]
    sample_rate: int
    cutoff: float | None
    repairs: Repairs
    root: Path
    estimates: Path


def evaluate(task: ScoreTask, pair: FilePair) -> ScoreRecord:
    """Score one pair; what goes wrong is recorded, with the reason in one line.

    Parameters
    ----------
    task : ScoreTask
    pair : FilePair

    Returns
    -------
    ScoreRecord
    """
    base = blank(task, pair)
    if pair.estimate is None:
        return ScoreRecord(**base, error="there is no estimate")
    try:
        memory.check_file(pair.reference, task.sample_rate, task.definitions, memory.SCORE)
        reference, reference_rate = _read(pair.reference, task.repairs.channels)
    except (SrbenchError, MemoryError) as error:
        return ScoreRecord(**base, error=one_line(error), input_at_fault=True)
    base |= {"file_rate": reference_rate, "samples": len(reference), "seconds": len(reference) / reference_rate}
    if reference_rate != task.sample_rate:
        text = f"the reference is at {reference_rate} Hz, most are at {task.sample_rate} Hz: score them apart"
        return ScoreRecord(**base, error=text, input_at_fault=True)
    try:
        estimate, estimate_rate = _read(pair.estimate, task.repairs.channels)
        low = None if pair.low is None else _read_low(pair.low, task.cutoff, task.repairs.channels)
        started = perf_counter()
        score = score_pair(
            reference, estimate, (reference_rate, estimate_rate), task.definitions, task.cutoff, task.repairs, low
        )
        seconds = perf_counter() - started
    except (SrbenchError, MemoryError) as error:
        return ScoreRecord(**base, error=one_line(error))
    base |= {} if score.samples is None else {"samples": score.samples}
    return ScoreRecord(
        **base,
        error=score.error + _OPTIONS.get(score.needs, ""),
        values=dict(score.metrics),
        undefined=dict(score.undefined),
        metric_seconds=seconds,
        warnings=[warning.as_dict() for warning in score.warnings],
        repairs=list(score.repairs),
        checks=dict(score.checks),
    )


def blank(task: ScoreTask, pair: FilePair) -> dict[str, Any]:
    """Return the part of a record that is known before anything is read."""
    return {
        "utterance": pair.id,
        "speaker": pair.speaker,
        "file": file_below(pair.reference, task.root),
        "stamp": file_digest(pair.reference),
        "recording": pair.recording,
        "estimate_file": "" if pair.estimate is None else file_below(pair.estimate, task.estimates),
        "estimate_stamp": "" if pair.estimate is None else file_digest(pair.estimate),
        "low_stamp": "" if pair.low is None else file_digest(pair.low),
    }


def still_good(task: ScoreTask, record: ScoreRecord, pair: FilePair) -> bool:
    """Tell whether a record from the journal is of the very files that would be scored now, and did not fail."""
    now = blank(task, pair)
    return not record.error and all(
        getattr(record, key) == now[key] for key in ("stamp", "estimate_file", "estimate_stamp", "low_stamp")
    )


def _read(path: Path, channels: str | None) -> tuple[Samples, int]:
    """Read a file as it is, or of several channels the one that was chosen, shape (n, channels)."""
    samples, rate = audio.read_channels(path)
    if channels is not None:
        try:
            samples = audio.one_channel(samples, channels)[:, None]
        except SrbenchError as error:
            raise SrbenchError(f"{path}: {error}") from error
    return samples, rate


def _read_low(path: Path, cutoff: float | None, channels: str | None) -> tuple[Samples, float]:
    samples, rate = audio.read(path, channels)
    if cutoff is None or rate != 2 * cutoff:
        raise SrbenchError(f"{path}: is at {rate} Hz, the other low-resolution files are not")
    return samples, float(rate)
