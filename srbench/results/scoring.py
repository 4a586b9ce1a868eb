"""Scored systems as data: the document of ``srbench score --json``, and one table of everything."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from srbench.files import whole_file
from srbench.results.leaderboard import plain, run_entry
from srbench.run.engine import FIXED_COLUMNS, utterance_row
from srbench.scoring.job import Job, ScoreRun, pair_row
from srbench.scoring.task import ScoreRecord


def score_document(job: Job, runs: Sequence[ScoreRun]) -> dict[str, Any]:
    """Aggregate scored systems, write their aggregates, and return the document of ``srbench score --json``.

    With one system its own keys stand at the top; with several, each stands under ``systems``.

    Parameters
    ----------
    job : Job
    runs : sequence of ScoreRun
        Of the job's systems, in their order.
    """
    shared = {
        "reference": str(job.reference),
        "signature": str(job.signature),
        "sample_rate": job.sample_rate,
        "cutoff": job.cutoff,
        "repairs": dict(job.repairs.fields()),
    }
    systems = [_system(run) for run in runs]
    return {**shared, **systems[0]} if len(systems) == 1 else {**shared, "systems": systems}


def _system(run: ScoreRun) -> dict[str, Any]:
    told = run_entry(run)
    lonely = {"reference": run.pairs.lonely_references, "estimate": run.pairs.lonely_estimates}
    return {
        "system": told["name"],
        "pairs": len(run.records),
        "n": told["n"],
        "failed": told["failed"],
        "unmatched": {side: [str(path) for path in paths] for side, paths in lonely.items()},
        "metrics": told["metrics"],
        "run_dir": told["run_dir"],
        "utterances": [_utterance(record) for record in run.records],
    }


def _utterance(record: ScoreRecord) -> dict[str, Any]:
    return {
        "id": record.utterance,
        "reference": record.file,
        "estimate": record.estimate_file,
        "samples": record.samples,
        "error": record.error or None,
        "metrics": {name: plain(value) for name, value in record.values.items()},
        "undefined": record.undefined,
        "warnings": record.warnings,
        "repairs": record.repairs,
        "checks": record.checks,
    }


def write_score_table(runs: Sequence[ScoreRun], path: Path) -> None:
    """Write one CSV file of all systems: a row a pair, with its values, what was found and what was repaired.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    metrics = tuple(runs[0].manifest["metrics"])
    with whole_file(path, newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        for number, run in enumerate(runs):
            for record in run.records:
                row = {"system": run.manifest["upscaler"]["name"]}
                row |= dict(zip((*FIXED_COLUMNS, *metrics), utterance_row(record, metrics), strict=True))
                row |= pair_row(record)
                row["signature"] = run.manifest["protocol_signature"]
                if not number and record is run.records[0]:
                    writer.writerow(row)
                writer.writerow(row.values())
