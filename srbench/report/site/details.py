"""What the page of one upscaler tells beyond its row: speakers, extremes, where it comes from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from srbench.metrics import get_metric
from srbench.report.headings import heading
from srbench.report.site.tables import sort_key, text
from srbench.results.aggregate import speaker_rows
from srbench.results.board import Board, Row
from srbench.results.board_file import facts
from srbench.results.bootstrap import mean
from srbench.results.rows import recordings_fact
from srbench.run import Run
from srbench.run.recordings import recordings

EXTREMES = 3
_SAME = 1e-9  # relative; a row's means and those of its own run differ by less
_NOT_PROVENANCE = ("upscaler", "kind", "n", "failed", "expected", "warnings", "protocol_signature")


@dataclass(frozen=True)
class Extreme:
    """An utterance and its value, as text."""

    utterance: str
    value: str


def find_runs_of(board: Board, runs: Sequence[Run]) -> tuple[dict[str, Run], list[str]]:
    """Return the run behind each row of a leaderboard, by name, where it is here; and notes on those that are not.

    A run counts as the row's if it is of the same protocol and metrics and its means are the row's.
    """
    found: dict[str, Run] = {}
    notes = []
    for run in runs:
        name, row = run.manifest.upscaler.name, board.row(run.manifest.upscaler.name)
        if row is None or name in found or row.anchor != run.manifest.upscaler.anchor:
            continue
        if why := _not_of(row, run, board):
            notes.append(f"{board.protocol}: the run {run.folder.name} is not what stands in the leaderboard: {why}")
        else:
            found[name] = run
    return {row.name: found[row.name] for row in board.rows if row.name in found}, notes


def speakers(run: Run, metrics: Sequence[str]) -> list[dict[str, Any]]:
    """Return one entry a speaker: ``speaker``, ``n``, and ``cells`` of ``(text, sort)``, one a metric."""
    return [
        {
            "speaker": row["speaker"],
            "n": row["n"] - row["failed"],
            "cells": [(text(metric, row[metric]), sort_key(row[metric])) for metric in metrics],
        }
        for row in speaker_rows(run)
    ]


def extremes(run: Run, metrics: Sequence[str]) -> list[dict[str, Any]]:
    """Return for each metric the utterances where the upscaler is worst and best, ``EXTREMES`` of each at the most."""
    found = []
    for metric in metrics:
        sign = 1 if get_metric(metric).better == "higher" else -1
        values = ((r.utterance, r.values[metric]) for r in run.records if metric in r.values)
        order = sorted(values, key=lambda each: (sign * each[1], each[0]))
        if count := min(EXTREMES, len(order) // 2):
            shown = [Extreme(utterance, text(metric, value)) for utterance, value in order]
            found.append({"heading": heading(metric), "worst": shown[:count], "best": shown[: -count - 1 : -1]})
    return found


def provenance(row: Row, run: Run | None) -> list[tuple[str, str]]:
    """Return what is known of where a row comes from, as pairs of name and text; what is empty is left out."""
    told = [(key.replace("_", " "), cell) for key, cell in facts(row).items() if key not in _NOT_PROVENANCE]
    if run is not None:
        known = {key for key, _ in told}
        upscaler = run.manifest.upscaler.told
        told += [
            (key.replace("_", " "), _plain(value))
            for key, value in upscaler.items()
            if key not in ("name", "kind", "description") and key.replace("_", " ") not in known
        ]
    return [(key, value) for key, value in told if value != ""]


def _not_of(row: Row, run: Run, board: Board) -> str:
    if run.manifest.protocol_signature != board.signature:
        return "its protocol is another"
    if dict(run.manifest.metrics) != {name: value.signature for name, value in row.values.items()}:
        return "its metrics are others"
    if row.recordings not in ("", recordings_fact(recordings(run.records))):
        return "its recordings are others"
    for metric, value in row.values.items():
        column = run.columns[metric]
        here = mean(column[~np.isnan(column)])
        if not (math.isclose(here, value.mean, rel_tol=_SAME) or (math.isnan(here) and math.isnan(value.mean))):
            return f"its {metric} is {text(metric, here)}, not {text(metric, value.mean)}"
    return ""


def _plain(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(_plain(each) for each in value)
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_plain(each)}" for key, each in value.items())
    return "" if value is None else str(value)
