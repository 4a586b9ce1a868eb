"""Which recordings numbers rest on: an utterance is its samples, and two recordings of one id are two utterances."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from srbench.corpora.corpus import file_digest, samples_digest
from srbench.corpora.splits import checksum
from srbench.errors import SrbenchError, shown
from srbench.run.manifest import Recordings
from srbench.run.record import Record


def recordings(records: Iterable[Record]) -> Recordings:
    """Return what a manifest says of a run's recordings."""
    told = {record.utterance: record.recording for record in records if record.recording}
    lines = [f"{utterance} {digest}" for utterance, digest in told.items()]
    return Recordings(len(told), checksum(list(told)), checksum(lines))


def is_recording(record: Record, path: Path) -> bool:
    """Tell whether a file is the recording that a record is of: the same bytes, or the same samples in another format.

    A record of version 0.1.0 knows the bytes only.
    """
    same = bool(record.stamp) and file_digest(path) == record.stamp
    return same or (bool(record.recording) and samples_digest(path) == record.recording)


def refuse_other_recordings(runs: Sequence[tuple[str, Sequence[Record]]]) -> None:
    """Raise SrbenchError unless all of some runs are of the same recordings.

    Parameters
    ----------
    runs : sequence of (name, records)
    """
    known: dict[str, tuple[str, Record]] = {}
    for name, records in runs:
        changed = sorted(r.utterance for r in records if r.utterance in known and not _same(r, known[r.utterance][1]))
        if changed:
            first, _ = known[changed[0]]
            raise SrbenchError(
                f"{shown(first)} and {shown(name)} cannot be compared: {len(changed)} of {len(records)} recordings are "
                f"not the same samples, the first {shown(changed[0])}. Run both on one corpus."
            )
        for record in records:
            if record.utterance not in known or not known[record.utterance][1].recording:
                known[record.utterance] = (name, record)


def _same(a: Record, b: Record) -> bool:
    if a.recording and b.recording:
        return a.recording == b.recording
    died = any(record.error and not record.recording and not record.input_at_fault for record in (a, b))
    return a.stamp == b.stamp or died  # who died has not told what was read, and has no value either
