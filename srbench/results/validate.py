"""Checking a run that lies on disk: that it is what a run of this version leaves behind, and was not changed since.

Bad content is never raised but returned, as findings that name the file and the row.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from statistics import fmean
from typing import Any

from srbench.corpora import Corpus
from srbench.corpora.splits import checksum
from srbench.errors import SrbenchError, shown
from srbench.level import CI
from srbench.metrics import METRICS, get_metric
from srbench.results.aggregate import Aggregate, aggregate_row, aggregate_run, speaker_rows
from srbench.run import ORACLES, Record, Run
from srbench.run.basis import Basis
from srbench.run.folder import ANEW
from srbench.run.manifest import ANCHOR, AUDIO, COMMAND, ESTIMATES, MANIFEST, UPSCALER, Manifest, Utterances
from srbench.run.recordings import recordings
from srbench.signature import differing_fields
from srbench.table import read_table

# tables of a run are written with all their digits; another build of NumPy may add up in another order
TABLE_TOLERANCE = 1e-9
_INTERVAL = {f"{CI}_low", f"{CI}_high"}


@dataclass(frozen=True)
class RunFault:
    """What is wrong, in which file of the run, and in which row of it ("" where it is not one row)."""

    file: str
    row: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}{f', row {shown(self.row)}' if self.row else ''}: {shown(self.message, 500)}"


@dataclass(frozen=True)
class Checked:
    """What the check of a run came to.

    Attributes
    ----------
    findings : tuple of RunFault
        Empty where nothing is wrong.
    aggregates : mapping of metric name to Aggregate
        Computed here and now; empty where its rows cannot be trusted.
    suspects : mapping of speaker to set of metric names
        Where the rows agree with the journal but with neither of the two tables made from them: whose rows, and which
        of their values, to compute again.
    """

    findings: tuple[RunFault, ...]
    aggregates: Mapping[str, Aggregate] = field(default_factory=dict)
    suspects: Mapping[str, set[str]] = field(default_factory=dict)


def check_run(run: Run, basis: Basis, corpus: Corpus | None = None) -> Checked:
    """Check the files of a run against each other, and against its protocol as this version defines it.

    Parameters
    ----------
    run : Run
        As `srbench.run.open_run` read it.
    basis : Basis
        The protocol that the manifest names; of a scored run what it was scored against.
    corpus : Corpus, optional
        The protocol's, to check the speakers by.
    """
    found = _check_manifest(run.manifest)
    if found:  # nothing else can be read by it
        return Checked(tuple(found))
    found = [*_check_identity(run), *_check_definitions(run, basis), *_check_ids(run, basis)]
    rows = [*_check_rows(run), *_check_speakers_by(run, corpus)]
    if rows:
        return Checked((*found, *rows))
    aggregates = aggregate_run(run)
    of_metrics = _compare_table(
        run.folder / "aggregates.csv", "metric", [aggregate_row(run, a) for a in aggregates.values()]
    )
    of_speakers = _compare_table(run.folder / "speakers.csv", "speaker", speaker_rows(run))
    if len(of_metrics) > 1 and all(columns and columns <= _INTERVAL for _, columns in of_metrics):
        text = f"its intervals, and those of {len(of_metrics) - 1} more rows, are not of this version: {ANEW}"
        of_metrics = [(RunFault("aggregates.csv", of_metrics[0][0].row, text), _INTERVAL)]
    found += [finding for finding, _ in (*of_metrics, *of_speakers)]
    suspects = {}
    if any("mean" in columns for _, columns in of_metrics):
        suspects = {finding.row: columns & aggregates.keys() for finding, columns in of_speakers}
    return Checked(tuple(found), aggregates, {speaker: metrics for speaker, metrics in suspects.items() if metrics})


def _check_manifest(manifest: Manifest) -> list[RunFault]:
    told = manifest.upscaler
    wrong: list[str] = []
    if told.kind not in (UPSCALER, ANCHOR, ESTIMATES, COMMAND, AUDIO) or (told.anchor and told.name not in ORACLES):
        wrong.append(f"there is no {told.kind} '{told.name}'")
    way = "if it is of a plug-in, name its file with --plugin"
    wrong += [f"there is no metric '{name}' here; {way}" for name in manifest.metrics if name not in METRICS]
    try:
        datetime.fromisoformat(manifest.started)
    except ValueError:
        wrong.append(f"started '{manifest.started}' is no date")
    return [RunFault(MANIFEST, "", text) for text in wrong]


def _check_identity(run: Run) -> list[RunFault]:
    """Check that the folder is named by what its manifest says that its numbers depend on, and what they rest on."""
    told = run.manifest.recordings  # version 0.1.0 says nothing of them
    if told is not None and told != recordings(run.records):
        text = f"its recordings are not those of the journal: it was edited, or the journal; {ANEW}"
        return [RunFault(MANIFEST, "", text)]
    named = run.manifest.folder_name
    if named == run.folder.resolve().name:
        return []
    text = f"it is the manifest of {named}: it was edited, or the folder was renamed; run it again"
    return [RunFault(MANIFEST, "", text)]


def _check_definitions(run: Run, basis: Basis) -> list[RunFault]:
    manifest, found = run.manifest, []
    wanted = {"protocol": str(basis.signature())}
    told = {"protocol": manifest.protocol_signature}
    try:
        names = tuple(manifest.metrics)
        wanted |= {name: str(made.signature()) for name, made in basis.define_metrics(names).items()}
        told |= manifest.metrics
    except SrbenchError as error:
        found.append(RunFault(MANIFEST, "", f"its metrics cannot be checked here: {error}"))
    for name in wanted:
        try:
            differ = differing_fields(str(told[name]), wanted[name])
        except SrbenchError as error:
            differ = [str(error)]
        if differ:
            text = f"is not the signature of this version: {'; '.join(differ)}"
            found.append(RunFault(MANIFEST, name, text))
    return found + [RunFault(file, "", text) for file, text in basis.faults(run)]


def _check_ids(run: Run, basis: Basis) -> list[RunFault]:
    ids, wanted, listed = [r.utterance for r in run.records], basis.ids(), run.manifest.utterances
    known, found = set(wanted), []
    for utterance, times in Counter(ids).items():
        if utterance not in known:
            found.append(RunFault("utterances.csv", utterance, f"is not in {basis.set_name}"))
        elif times > 1:
            found.append(RunFault("utterances.csv", utterance, f"stands {times} times"))
    if listed.n == len(wanted):  # a run of them all
        absent = sorted(known.difference(ids))
        found += [
            RunFault("utterances.csv", utterance, "is absent, and the manifest counts it") for utterance in absent
        ]
    if not found and listed != Utterances(len(ids), checksum(ids)):
        found.append(RunFault("utterances.csv", "", "its rows are not the utterances that the manifest counts"))
    return found


def _check_rows(run: Run) -> list[RunFault]:
    """Check every row of ``utterances.csv`` against the journal, and what the journal says against what can be."""
    ranges = {name: get_metric(name).range for name in run.manifest.metrics}
    found = []
    for record in run.records:
        if wrong := _wrong_in(record, ranges):
            found.append(RunFault("journal.jsonl", record.utterance, wrong))
        elif wrong := run.edited.get(record.utterance, ""):
            found.append(RunFault("utterances.csv", record.utterance, f"{wrong}: {ANEW}"))
    return found


def _wrong_in(record: Record, ranges: Mapping[str, tuple[float, float]]) -> str:
    """Say what cannot be in a record, "" where all can."""
    if record.error:
        return "failed, and has values" if record.values else ""
    if record.samples is None or record.file_rate is None:
        return "has no length and rate"
    for name, (low, high) in ranges.items():
        value = record.values.get(name)
        if value is None:
            if not record.undefined.get(name):
                return f"has no {name}, and no reason why"
            continue
        if math.isnan(value):
            return f"{name} is {value!r}, which is no value"
        if not low - TABLE_TOLERANCE <= value <= high + TABLE_TOLERANCE:
            return f"{name} is {value!r}, and can only be from {low:g} to {high:g}"
    for name, draws in record.draws.items():
        if not math.isclose(fmean(draws), record.values.get(name, math.nan), rel_tol=TABLE_TOLERANCE):
            return f"{name} is {record.values.get(name)!r}, which is not the mean of its {len(draws)} draws"
    strange = (record.values.keys() | record.undefined.keys()).difference(ranges)
    return f"has a value of {min(strange)}, which is not measured" if strange else ""


def _check_speakers_by(run: Run, corpus: Corpus | None) -> list[RunFault]:
    here = {} if corpus is None else corpus.by_id()
    return [
        RunFault("utterances.csv", r.utterance, f"its speaker is '{here[r.utterance].speaker}', not '{r.speaker}'")
        for r in run.records
        if r.utterance in here and here[r.utterance].speaker != r.speaker
    ]


def _compare_table(path: Path, key: str, made: Sequence[Mapping[str, Any]]) -> list[tuple[RunFault, set[str]]]:
    """Compare a table with the rows that it must have: a finding a row, and the columns that differ in it."""
    told = {row[key]: row for row in made}
    try:
        header, *lines = read_table(path) or [[]]
    except SrbenchError:
        return [(RunFault(path.name, "", f"is missing or unreadable: {ANEW}"), set())]
    rows = {row.get(key, ""): row for row in (dict(zip(header, line, strict=False)) for line in lines if line)}
    strange = sorted(rows.keys() - told.keys())
    found = [(RunFault(path.name, name, "is not a row that utterances.csv gives"), set[str]()) for name in strange]
    for name, wanted_row in told.items():
        if name not in rows:
            found.append((RunFault(path.name, name, f"is absent: {ANEW}"), set()))
            continue
        differ = [
            (column, cell, wanted)
            for column, wanted in wanted_row.items()
            if not _says(cell := rows[name].get(column, ""), wanted)
        ]
        if differ:
            column, cell, wanted = differ[0]
            text = f"{column} is '{cell}', and utterances.csv gives '{wanted}': {ANEW}"
            found.append((RunFault(path.name, name, text), {each for each, _, _ in differ}))
    return found


def _says(cell: str, wanted: Any) -> bool:
    if not isinstance(wanted, float):
        return cell == str(wanted)
    try:
        number = float(cell) if cell else math.nan
    except ValueError:
        return False
    if math.isnan(wanted) or math.isnan(number):
        return math.isnan(wanted) and math.isnan(number)
    return math.isclose(number, wanted, rel_tol=TABLE_TOLERANCE, abs_tol=1e-15)
