"""Aggregation: per utterance, then the mean over utterances, with an interval, n and failures beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from srbench.files import whole_file
from srbench.metrics import get_metric
from srbench.results.bootstrap import mean_interval
from srbench.run import Run
from srbench.run.engine import FIXED_COLUMNS

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class Aggregate:
    """One metric of one run.

    ``n`` utterances have a value; ``undefined`` have none though the upscaler did its part; ``failed`` were not
    evaluated. ``mean`` and the bounds are NaN where there are no values.
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

    @property
    def aggregation(self) -> str:
        """How the number was made of the utterances' values: ``agg:mean.utterance|n:24/28``."""
        return f"agg:mean.utterance|n:{self.n}/{self.expected}"


def read_utterances(folder: Path) -> DataFrame:
    """Read a run's ``utterances.csv``; metric columns are floats to the last bit, NaN where there is no value."""
    import pandas as pd

    table = pd.read_csv(folder / "utterances.csv", dtype=str, keep_default_na=False)
    for name in table.columns.difference(FIXED_COLUMNS, sort=False):
        table[name] = [float(text) if text else float("nan") for text in table[name].tolist()]
    return table


def aggregate_run(run: Run) -> dict[str, Aggregate]:
    """Aggregate every metric of a run from its ``utterances.csv``."""
    table = read_utterances(run.folder)
    failed = int((table["status"] == "failed").sum())
    signatures: Mapping[str, str] = run.manifest["metrics"]
    found = {}
    for metric, signature in signatures.items():
        rows = table[table[metric].notna()]
        values = rows[metric].to_numpy(np.float64)
        low, high, resampled = mean_interval(values, rows["speaker"].to_numpy(object))
        found[metric] = Aggregate(
            metric,
            float(values.mean()) if len(values) else float("nan"),
            (low, high),
            resampled,
            len(values),
            len(table) - failed - len(values),
            failed,
            int(run.manifest["split"]["expected"]),
            signature,
        )
    return found


def write_aggregates(run: Run, aggregates: Mapping[str, Aggregate]) -> None:
    """Write ``aggregates.csv``, one row a metric, and ``speakers.csv``, one row a speaker, into the run's folder."""
    import pandas as pd

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
                "protocol_signature": run.manifest["protocol_signature"],
            }
        )
    with whole_file(run.folder / "aggregates.csv", newline="") as file:
        pd.DataFrame(rows).to_csv(file, index=False, lineterminator="\n")
    table = read_utterances(run.folder)
    by_speaker = table.groupby("speaker")
    means = by_speaker[list(aggregates)].mean()
    means.insert(0, "n", by_speaker.size())
    means.insert(1, "failed", by_speaker["status"].agg(lambda status: int((status == "failed").sum())))
    with whole_file(run.folder / "speakers.csv", newline="") as file:
        means.to_csv(file, lineterminator="\n")


def real_time_factor(run: Run) -> float | None:
    """Return the median over utterances of upscaling seconds per second of audio; below 1 is faster than real time."""
    ratios = [r.upscale_seconds / r.seconds for r in run.records if r.upscale_seconds is not None and r.seconds]
    return float(np.median(ratios)) if ratios else None
