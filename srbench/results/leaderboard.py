"""The leaderboard of the runs of one plan, and its CSV file beside them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from srbench.level import CI
from srbench.results.aggregate import aggregate_run, write_aggregates
from srbench.results.board import Board, Row, Setting
from srbench.results.rows import make_row
from srbench.results.standing import contestant, standings
from srbench.run import Plan, Run
from srbench.run.recordings import refuse_other_recordings
from srbench.table import write_table


def leaderboard(plan: Plan, runs: Sequence[Run], anchors: Sequence[Run], folder: Path) -> Board:
    """Aggregate the runs of one plan, write their aggregates, and return their leaderboard in the order given.

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
    every = (*runs, *anchors)
    refuse_other_recordings([(run.manifest.upscaler.name, run.records) for run in every])
    called = (*names(runs), *(run.manifest.upscaler.name for run in anchors))
    rows = [
        replace(
            row := aggregated_row(run),
            upscaler=name,
            rechecked="",
            kind="model" if number < len(runs) else "anchor",
            values={metric: replace(value, paired=stands[metric]) for metric, value in row.values.items()},
        )
        for number, (run, name, stands) in enumerate(
            zip(every, called, standings([contestant(run) for run in every], tuple(plan.definitions)), strict=True)
        )
    ]
    split = {
        "name": plan.split,
        "side": plan.side,
        "expected": plan.expected,
        "found": plan.found,
        "scored": len(plan.utterances),
        "speakers": len({utterance.speaker for utterance in plan.utterances}),
    }
    setting = Setting(plan.protocol.title, split, plan.own, plan.notes, str(folder))
    return Board(plan.protocol.name, tuple(rows), setting)


def aggregated_row(run: Run) -> Row:
    """Return a run as a row, with its aggregates, which are written into its folder."""
    aggregates = aggregate_run(run)
    write_aggregates(run, aggregates)
    return make_row(run, aggregates)


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


def write_leaderboard(board: Board, path: str | Path) -> None:
    """Write the leaderboard of runs as CSV: one row an upscaler or anchor, a mean and its bounds for each metric.

    Rows stand in the order of the leaderboard; the columns are described in docs/results.md.
    """
    assert board.setting is not None
    rows: list[dict[str, Any]] = []
    for row in board.rows:
        told: dict[str, Any] = {
            "upscaler": row.name,
            "kind": row.kind,
            "made": row.behind.made if row.behind else "",
            "scored": board.setting.split["scored"],
            "expected": board.setting.split["expected"],
            "failed": row.failed,
            "real_time_factor": row.real_time_factor,
        }
        for name, value in row.document()["metrics"].items():
            told[name] = value["mean"]
            told[f"{name}_{CI}_low"], told[f"{name}_{CI}_high"] = value[CI]
            told[f"{name}_n"] = value["n"]
            told[f"{name}_over"], told[f"{name}_paired"] = value["over"], str(row.values[name].paired)
        told["protocol_signature"] = board.signature
        told["own_corpus"] = "yes" if board.setting.own_corpus else "no"
        rows.append(told)
    write_table(path, list(rows[0]), (told.values() for told in rows))
