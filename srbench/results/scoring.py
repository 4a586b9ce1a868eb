"""Scored systems as data: the document of ``srbench score --json``, and one table of everything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from srbench.folders.job import Job, ScoreRun, pair_row
from srbench.results.board import plain
from srbench.results.leaderboard import aggregated_row
from srbench.run.record import COLUMNS, ScoreRecord, row_of
from srbench.table import write_table


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
    told = aggregated_row(run).document()
    lonely = {"reference": run.pairs.lonely_references, "estimate": run.pairs.lonely_estimates}
    return {
        "system": told["name"],
        "references": run.pairs.expected,
        "pairs": len(run.records),
        "n": told["n"],
        "failed": told["failed"],
        "notes": list(run.pairs.notes),
        "unmatched": {side: [str(path) for path in paths] for side, paths in lonely.items()},
        # nothing is paired here: that is for `srbench compare`
        "metrics": {name: {k: v for k, v in each.items() if k != "paired"} for name, each in told["metrics"].items()},
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


def is_score_table(path: str | Path) -> bool:
    """Tell whether a file is one that `write_score_table` wrote, or an empty one."""
    head = f"system,{next(iter(COLUMNS))},".encode()
    try:
        with Path(path).open("rb") as file:
            return file.read(len(head)) in (head, b"")
    except OSError:
        return False


def write_score_table(runs: Sequence[ScoreRun], path: str | Path) -> None:
    """Write one CSV file of all systems: a row a pair, with its values, what was found and what was repaired.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    metrics = tuple(runs[0].manifest.metrics)
    rows = [
        {
            "system": run.manifest.upscaler.name,
            **dict(zip((*COLUMNS, *metrics), row_of(record, metrics), strict=True)),
            **pair_row(record),
            "signature": run.manifest.protocol_signature,
        }
        for run in runs
        for record in run.records
    ]
    write_table(path, list(rows[0]), (row.values() for row in rows))
