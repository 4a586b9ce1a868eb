"""What the page of one upscaler tells beyond its row: speakers, extremes, where it comes from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from srbench.metrics import get_metric
from srbench.report.headings import heading
from srbench.report.site.tables import sort_key, text
from srbench.results.aggregate import read_utterances
from srbench.results.board import FACTS, Board, Row, recordings_fact
from srbench.run import Run
from srbench.run.recordings import recordings

if TYPE_CHECKING:
    from pandas import DataFrame

EXTREMES = 3
_SAME = 1e-9  # relative; a row's means and those of its own run differ by less
_NOT_PROVENANCE = ("upscaler", "kind", "n", "failed", "expected", "warnings", "protocol_signature")


@dataclass(frozen=True)
class Ran:
    """A row's run and its table of utterances."""

    run: Run
    table: DataFrame


@dataclass(frozen=True)
class Extreme:
    """An utterance and its value, as text."""

    utterance: str
    value: str


def find_runs_of(board: Board, runs: Sequence[Run]) -> tuple[dict[str, Ran], list[str]]:
    """Return the run behind each row of a leaderboard, by name, where it is here; and notes on those that are not.

    A run counts as the row's if it is of the same protocol and metrics and its means are the row's. Each run's
    ``utterances.csv`` is read once.
    """
    found: dict[str, Ran] = {}
    notes = []
    for run in runs:
        name = run.manifest.upscaler.name
        row = board.row(name)
        anchor = run.manifest.upscaler.anchor
        if row is None or name in found or (row.facts["kind"] == "anchor") != anchor:
            continue
        why = _not_of(row, run, board)
        table = None if why else read_utterances(run.folder)
        if table is not None:
            why = _other_means(row, table)
        if table is None or why:
            notes.append(f"{board.protocol}: the run {run.folder.name} is not what stands in the leaderboard: {why}")
        else:
            found[name] = Ran(run, table)
    return {row.name: found[row.name] for row in board.rows if row.name in found}, notes


def speakers(ran: Ran, metrics: Sequence[str]) -> list[dict[str, Any]]:
    """Return one entry a speaker: ``speaker``, ``n``, and ``cells`` of ``(text, sort)``, one a metric."""
    found = []
    for speaker, table in ran.table.groupby("speaker", sort=True):
        means = [float(table[metric].mean()) for metric in metrics]
        cells = [(text(metric, mean), sort_key(mean)) for metric, mean in zip(metrics, means, strict=True)]
        found.append({"speaker": str(speaker), "n": int((table["status"] == "ok").sum()), "cells": cells})
    return found


def extremes(ran: Ran, metrics: Sequence[str]) -> list[dict[str, Any]]:
    """Return for each metric the utterances where the upscaler is worst and best, ``EXTREMES`` of each at the most."""
    found = []
    for metric in metrics:
        column = ran.table[["utterance", metric]].dropna()
        ascending = get_metric(metric).better == "higher"
        order = column.sort_values([metric, "utterance"], ascending=[ascending, True], kind="stable")
        count = min(EXTREMES, len(order) // 2)
        if count:
            worst, best = _extremes(order.head(count), metric), _extremes(order.tail(count)[::-1], metric)
            found.append({"heading": heading(metric), "worst": worst, "best": best})
    return found


def _extremes(rows: DataFrame, metric: str) -> list[Extreme]:
    return [
        Extreme(str(utterance), text(metric, float(value)))
        for utterance, value in zip(rows["utterance"], rows[metric], strict=True)
    ]


def provenance(row: Row, ran: Ran | None) -> list[tuple[str, str]]:
    """Return what is known of where a row comes from, as pairs of name and text; what is empty is left out."""
    told = [(key.replace("_", " "), row.facts[key]) for key in FACTS if key not in _NOT_PROVENANCE]
    if ran is not None:
        known = {key for key, _ in told}
        upscaler = ran.run.manifest.upscaler.told
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
    if row.facts["recordings"] not in ("", recordings_fact(recordings(run.records))):
        return "its recordings are others"
    return ""


def _other_means(row: Row, table: DataFrame) -> str:
    for metric, value in row.values.items():
        mean = float(table[metric].mean())
        if not (math.isclose(mean, value.mean, rel_tol=_SAME) or (math.isnan(mean) and math.isnan(value.mean))):
            return f"its {metric} is {text(metric, mean)}, not {text(metric, value.mean)}"
    return ""


def _plain(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(_plain(each) for each in value)
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_plain(each)}" for key, each in value.items())
    return "" if value is None else str(value)
