"""The leaderboard of one protocol as data: a JSON document, a CSV file."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from srbench.metrics import get_metric
from srbench.results.aggregate import Aggregate, aggregate_run, real_time_factor, write_aggregates
from srbench.results.standing import Standing, contestant, standings
from srbench.run import Plan, Run
from srbench.run.recordings import refuse_other_recordings
from srbench.table import write_table


def leaderboard(plan: Plan, runs: Sequence[Run], anchors: Sequence[Run], folder: Path) -> dict[str, Any]:
    """Aggregate the runs of one plan, write their aggregates, and return the document of ``srbench run --json``.

    Parameters
    ----------
    plan : Plan
    runs, anchors : sequences of Run
        The upscalers that were asked for, and the anchors.
    folder : Path
        The protocol's folder, named in the document.

    Raises
    ------
    SrbenchError
        If a recording changed between two of the runs.
    """
    refuse_other_recordings([(run.manifest.upscaler.name, run.records) for run in (*runs, *anchors)])
    entries = [run_entry(run) for run in (*runs, *anchors)]
    of_all = standings([contestant(run) for run in (*runs, *anchors)], tuple(plan.definitions))
    for entry, of_metrics in zip(entries, of_all, strict=True):
        for metric, standing in of_metrics.items():
            entry["metrics"][metric]["paired"] = asdict(standing)
    models, others = entries[: len(runs)], entries[len(runs) :]
    return {
        "protocol": plan.protocol.name,
        "protocol_title": plan.protocol.title,
        "protocol_signature": str(plan.signature),
        "split": {
            "name": plan.split,
            "side": plan.side,
            "expected": plan.expected,
            "found": plan.found,
            "scored": len(plan.utterances),
            "speakers": len({utterance.speaker for utterance in plan.utterances}),
        },
        "own_corpus": plan.own,
        "notes": list(plan.notes),
        "run_dir": str(folder),
        "models": [{**entry, "name": name} for entry, name in zip(models, names(runs), strict=True)],
        "anchors": others,
    }


def names(runs: Sequence[Run]) -> list[str]:
    """Return a name for each run: its upscaler's, or where two share it (weights of one file name) the run's folder."""
    told = [run.manifest.upscaler.name for run in runs]
    for finer in ([run.folder.name for run in runs], [str(run.folder) for run in runs]):
        told = [fine if told.count(name) > 1 else name for name, fine in zip(told, finer, strict=True)]
    return told


def leaderboard_name(plan: Plan) -> str:
    """Return ``leaderboard.csv`` for a protocol's own split, in full, by its own metrics; else a name that says which.

    So a look at ten utterances, or at another corpus, does not take the place of the protocol's leaderboard.
    """
    whole = plan.own and len(plan.utterances) == plan.expected
    if whole and tuple(plan.definitions) == plan.protocol.metrics:
        return "leaderboard.csv"
    told = [str(plan.signature), *plan.definitions, *(utterance.id for utterance in plan.utterances)]
    return f"leaderboard-{hashlib.sha256(chr(10).join(told).encode()).hexdigest()[:8]}.csv"


def write_leaderboard(document: dict[str, Any], path: str | Path) -> None:
    """Write the leaderboard as CSV: one row an upscaler or anchor, a mean and its bounds for each metric.

    Rows stand in the order of the document; the columns are described in docs/results.md.
    """
    rows: list[dict[str, Any]] = []
    for kind in ("models", "anchors"):
        for entry in document[kind]:
            row = {
                "upscaler": entry["name"],
                "kind": kind[:-1],
                "made": entry["made"],
                "scored": document["split"]["scored"],
                "expected": document["split"]["expected"],
                "failed": entry["failed"],
                "real_time_factor": entry["real_time_factor"],
            }
            for name, value in entry["metrics"].items():
                row[name] = value["mean"]
                row[f"{name}_ci95_low"], row[f"{name}_ci95_high"] = value["ci95"]
                row[f"{name}_n"] = value["n"]
                row[f"{name}_over"], row[f"{name}_paired"] = value["over"], str(Standing(**value["paired"]))
            row["protocol_signature"] = document["protocol_signature"]
            row["own_corpus"] = "yes" if document["own_corpus"] else "no"
            rows.append(row)
    write_table(path, list(rows[0]), (row.values() for row in rows))


def run_entry(run: Run) -> dict[str, Any]:
    """Return a run as documents tell it, with its aggregates, which are written into its folder."""
    aggregates = aggregate_run(run)
    write_aggregates(run, aggregates)
    return {
        "name": run.manifest.upscaler.name,
        "n": sum(1 for record in run.records if not record.error),
        "failed": sum(1 for record in run.records if record.error),
        "failures": [{"utterance": r.utterance, "error": r.error} for r in run.records if r.error],
        "real_time_factor": real_time_factor(run),
        "warnings": list(run.manifest.warnings),
        "made": run.manifest.upscaler.made,
        "provenance": dict(run.manifest.upscaler.told),
        "run_dir": str(run.folder),
        "metrics": {name: _metric(aggregate) for name, aggregate in aggregates.items()},
    }


def _metric(aggregate: Aggregate) -> dict[str, Any]:
    metric = get_metric(aggregate.metric)
    return {
        "mean": plain(aggregate.mean),
        "ci95": [plain(bound) for bound in aggregate.ci95],
        "n": aggregate.n,
        "undefined": aggregate.undefined,
        "over": aggregate.over,
        "resampled": aggregate.resampled,
        "clusters": aggregate.clusters,
        "unit": metric.unit,
        "better": metric.better,
        "signature": aggregate.signature,
        "aggregation": aggregate.aggregation,
    }


def plain(value: float) -> float | str | None:
    """Write what JSON has no number for: None for no value, a text for infinity."""
    if math.isnan(value):
        return None
    return ("inf" if value > 0 else "-inf") if math.isinf(value) else value
