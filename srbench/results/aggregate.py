"""Aggregation: per utterance, then the mean over utterances, with an interval, n and failures beside it."""

from __future__ import annotations

import csv
import math
import sys
from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from srbench.corpora.splits import checksum
from srbench.metrics import get_metric
from srbench.results.bootstrap import clusters, mean, mean_interval
from srbench.run import Run
from srbench.run.engine import FIXED_COLUMNS
from srbench.table import unguarded, write_table

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class Aggregate:
    """One metric of one run.

    ``n`` utterances have a value; ``undefined`` have none though the upscaler did its part; ``failed`` were not
    evaluated. ``mean`` and the bounds are NaN where there are no values. ``over`` names the set of utterances that have
    a value (`name_set`). ``clusters`` are resampled.
    """

    metric: str
    mean: float
    ci95: tuple[float, float]
    resampled: str
    n: int
    undefined: int
    failed: int
    expected: int
    signature: str
    over: str = ""
    clusters: int = 0

    @property
    def aggregation(self) -> str:
        """How the number was made of the utterances' values: ``agg:mean.utterance|n:24/28``."""
        return f"agg:mean.utterance|n:{self.n}/{self.expected}"


def name_set(utterances: Collection[str]) -> str:
    """Return a name for a set of utterances: their number, and the first 8 hex digits of the SHA-256 of their ids."""
    return f"{len(utterances)}.{checksum(list(utterances))[:8]}"


def read_columns(folder: str | Path, fixed: Collection[str]) -> dict[str, Any]:
    """Read columns of a run's ``utterances.csv``: every metric as an array of floats, and those of the others named.

    Floats are read to the last bit, NaN where there is no value; texts are lists of str.
    """
    with (Path(folder) / "utterances.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        header = next(rows, [])
        wanted = [(n, name) for n, name in enumerate(header) if name not in FIXED_COLUMNS or name in fixed]
        columns: dict[str, Any] = {name: [] if name in FIXED_COLUMNS else array("d") for _, name in wanted}
        for row in rows:  # float() reads what repr() wrote to the last bit, which not every reader of CSV does
            for n, name in wanted:
                text = row[n]
                columns[name].append(
                    sys.intern(unguarded(text)) if name in FIXED_COLUMNS else float(text) if text else math.nan
                )
    return {name: c if name in FIXED_COLUMNS else np.array(c, np.float64) for name, c in columns.items()}


def read_utterances(folder: str | Path) -> DataFrame:
    """Read a run's ``utterances.csv``; metric columns are floats to the last bit, NaN where there is no value."""
    import pandas as pd

    table: DataFrame = pd.DataFrame(read_columns(folder, FIXED_COLUMNS))
    return table


def aggregate_run(run: Run) -> dict[str, Aggregate]:
    """Aggregate every metric of a run from its ``utterances.csv``."""
    table = read_columns(run.folder, ("utterance", "speaker", "status"))
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


def write_aggregates(run: Run, aggregates: Mapping[str, Aggregate]) -> None:
    """Write ``aggregates.csv``, one row a metric, and ``speakers.csv``, one row a speaker, into the run's folder."""
    rows: list[dict[str, Any]] = []
    for a in aggregates.values():
        metric = get_metric(a.metric)
        rows.append(
            {
                "metric": a.metric,
                "mean": a.mean,
                "ci95_low": a.ci95[0],
                "ci95_high": a.ci95[1],
                "resampled": a.resampled,
                "n": a.n,
                "undefined": a.undefined,
                "failed": a.failed,
                "expected": a.expected,
                "unit": metric.unit,
                "better": metric.better,
                "signature": a.signature,
                "aggregation": a.aggregation,
                "protocol_signature": run.manifest.protocol_signature,
            }
        )
    write_table(run.folder / "aggregates.csv", list(rows[0]), (row.values() for row in rows))
    table = read_columns(run.folder, ("speaker", "status"))
    columns = ["speaker", "n", "failed", *aggregates]
    rows_of = (_of_speaker(*each, tuple(aggregates)) for each in _by_speaker(table))
    write_table(run.folder / "speakers.csv", columns, rows_of)


def _by_speaker(table: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each speaker, sorted, and what of the columns is theirs."""
    places: dict[str, list[int]] = {}
    for place, speaker in enumerate(table["speaker"]):
        places.setdefault(speaker, []).append(place)
    for speaker in sorted(places):
        mine = places[speaker]
        yield speaker, {n: c[mine] if isinstance(c, np.ndarray) else [c[p] for p in mine] for n, c in table.items()}


def _of_speaker(speaker: str, table: Mapping[str, Any], metrics: Sequence[str]) -> list[Any]:
    means = []
    for name in metrics:
        values = table[name][~np.isnan(table[name])]
        means.append(mean(values))
    return [speaker, len(table["speaker"]), table["status"].count("failed"), *means]


def real_time_factor(run: Run) -> float | None:
    """Return the median over utterances of upscaling seconds per second of audio; below 1 is faster than real time."""
    ratios = [r.upscale_seconds / r.seconds for r in run.records if r.upscale_seconds is not None and r.seconds]
    return float(np.median(ratios)) if ratios else None
