"""Aggregation: per utterance, then the mean over utterances, with an interval, n and failures beside it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from srbench.corpora.splits import checksum
from srbench.level import CI
from srbench.metrics import get_metric
from srbench.results.bootstrap import clusters, mean, mean_interval
from srbench.run import Run
from srbench.table import write_table


@dataclass(frozen=True)
class Aggregate:
    """One metric of one run.

    ``n`` utterances have a value; ``undefined`` have none though the upscaler did its part; ``failed`` were not
    evaluated. ``mean`` and the bounds are NaN where there are no values. ``over`` names the set of utterances that have
    a value (`name_set`). ``clusters`` are resampled.
    """

    metric: str
    mean: float
    interval: tuple[float, float]
    resampled: str
    n: int
    undefined: int
    failed: int
    expected: int
    signature: str
    over: str = ""
    clusters: int = 0


def aggregation(n: int | str, expected: int) -> str:
    """Return how a mean was made of its utterances' values: ``agg:mean.utterance|n:24/28``."""
    return f"agg:mean.utterance|n:{n}/{expected}"


def name_set(utterances: Collection[str]) -> str:
    """Return a name for a set of utterances: their number, and the first 8 hex digits of the SHA-256 of their ids."""
    return f"{len(utterances)}.{checksum(list(utterances))[:8]}"


def aggregate_run(run: Run) -> dict[str, Aggregate]:
    """Aggregate every metric of a run."""
    table = run.columns
    speakers, failed = np.array(table["speaker"], object), table["status"].count("failed")
    ids = np.array(table["utterance"], object)
    found = {}
    for metric, signature in run.manifest.metrics.items():
        there = ~np.isnan(table[metric])
        values = table[metric][there]
        low, high, resampled = mean_interval(values, speakers[there])
        found[metric] = Aggregate(
            metric,
            mean(values),
            (low, high),
            resampled,
            len(values),
            len(speakers) - failed - len(values),
            failed,
            run.manifest.split.expected,
            signature,
            name_set(ids[there]),
            0 if resampled == "nothing" else int(clusters(speakers[there])[0].max()) + 1,
        )
    return found


def aggregate_row(run: Run, a: Aggregate) -> dict[str, Any]:
    """Return the row of ``aggregates.csv`` that a metric makes."""
    metric = get_metric(a.metric)
    return {
        "metric": a.metric,
        "mean": a.mean,
        f"{CI}_low": a.interval[0],
        f"{CI}_high": a.interval[1],
        "resampled": a.resampled,
        "n": a.n,
        "undefined": a.undefined,
        "failed": a.failed,
        "expected": a.expected,
        "unit": metric.unit,
        "better": metric.better,
        "signature": a.signature,
        "aggregation": aggregation(a.n, a.expected),
        "protocol_signature": run.manifest.protocol_signature,
    }


def speaker_rows(run: Run) -> list[dict[str, Any]]:
    """Return the rows of ``speakers.csv``: of each speaker, sorted, the utterances and the means over them."""
    speakers, failed = np.array(run.columns["speaker"], object), np.array(run.columns["status"]) == "failed"
    names, of_speaker = np.unique(speakers, return_inverse=True)
    rows = []
    for number, name in enumerate(names):
        mine = of_speaker == number
        counts = {"speaker": str(name), "n": int(mine.sum()), "failed": int(failed[mine].sum())}
        values = {metric: run.columns[metric][mine] for metric in run.manifest.metrics}
        rows.append(counts | {metric: mean(each[~np.isnan(each)]) for metric, each in values.items()})
    return rows


def write_aggregates(run: Run, aggregates: Mapping[str, Aggregate]) -> None:
    """Write ``aggregates.csv``, one row a metric, and ``speakers.csv``, one row a speaker, into the run's folder."""
    for name, rows in (
        ("aggregates.csv", [aggregate_row(run, each) for each in aggregates.values()]),
        ("speakers.csv", speaker_rows(run)),
    ):
        write_table(run.folder / name, list(rows[0]), (row.values() for row in rows))


def real_time_factor(run: Run) -> float | None:
    """Return the median over utterances of upscaling seconds per second of audio; below 1 is faster than real time."""
    ratios = [r.upscale_seconds / r.seconds for r in run.records if r.upscale_seconds is not None and r.seconds]
    return float(np.median(ratios)) if ratios else None
