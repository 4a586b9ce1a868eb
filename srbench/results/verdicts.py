"""What the comparison of some runs says of each mean: the marks of a table whose runs are here.

`srbench.results.standing` tells the same of a leaderboard that grows run by run, from the intervals alone. Here every
claim is one that ``srbench compare`` of the same runs and metrics makes too: the corrected p-value and the interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from srbench.metrics import get_metric
from srbench.results.aggregate import aggregate_run
from srbench.results.board import Board, Row
from srbench.results.comparison import compare_runs
from srbench.results.leaderboard import names
from srbench.results.rows import make_row
from srbench.results.standing import UNKNOWN, Standing
from srbench.run import FLOOR, Run


def compared_board(runs: Sequence[Run], metrics: Sequence[str]) -> Board:
    """Return runs of one protocol as a leaderboard, marked by what ``srbench compare`` says of its models.

    Parameters
    ----------
    runs : sequence of Run
        At least one, in the order of the rows. Anchors are not compared.
    metrics : sequence of str

    Raises
    ------
    SrbenchError
        If two models do not compare, or one has not the metrics.
    """
    models = [run for run in runs if not run.manifest.upscaler.anchor]
    anchors = [run for run in runs if run.manifest.upscaler.anchor]
    found: list[dict[str, Standing]] = [{} for _ in models]
    called = names(models)
    if len(models) > 1:
        document = compare_runs(models, metrics)
        floor = next((name for name, run in zip(called, models, strict=True) if _is_floor(run)), "")
        found = [{metric: verdict(document, name, metric, floor) for metric in metrics} for name in called]
    rows = [
        _row(run, name, metrics, stands)
        for run, name, stands in zip(
            [*models, *anchors],
            [*called, *(run.manifest.upscaler.name for run in anchors)],
            [*found, *({} for _ in anchors)],
            strict=True,
        )
    ]
    return Board(runs[0].manifest.protocol, tuple(rows))


def verdict(document: Mapping[str, Any], name: str, metric: str, floor: str = "") -> Standing:
    """Return what a document of `compare_runs` says of one mean.

    A mean is among the best if it is the best, or the best is not shown to be better. Where a pair has utterances with
    a value in one only, or infinite differences, nothing is known.

    Parameters
    ----------
    document : mapping
    name : str
        A label of its runs.
    metric : str
    floor : str
        The label of the spline, "" where it is not there.
    """
    pairs = {frozenset((pair["a"], pair["b"])): pair["metrics"][metric] for pair in document["pairs"]}
    if any(pair["unpaired"] or pair["mean_difference"] is None for pair in pairs.values()):
        return UNKNOWN
    means = {pair[side]: pair["metrics"][metric][f"mean_{side}"] for pair in document["pairs"] for side in ("a", "b")}
    better = max if get_metric(metric).better == "higher" else min
    first = better(means, key=lambda each: means[each])
    best = name == first or pairs[frozenset((name, first))]["better_shown"] != first
    side = ""
    if floor and name != floor:
        shown = pairs[frozenset((name, floor))]["better_shown"]
        side = "better" if shown == name else "worse" if shown == floor else "same"
    return Standing(floor=side, best="yes" if best else "no")


def _is_floor(run: Run) -> bool:
    return run.manifest.upscaler.name == FLOOR


def _row(run: Run, name: str, metrics: Sequence[str], stands: Mapping[str, Standing]) -> Row:
    row = make_row(run, aggregate_run(run), [metric for metric in metrics if metric in run.manifest.metrics])
    values = {metric: replace(value, paired=stands.get(metric, UNKNOWN)) for metric, value in row.values.items()}
    return replace(row, upscaler=name, values=values)
