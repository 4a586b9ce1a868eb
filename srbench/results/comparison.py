"""The comparison of runs as data: every pair, paired utterance by utterance, corrected over all that is tested."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from srbench.errors import SrbenchError, shown
from srbench.folders.references import differing_protocols
from srbench.level import CI, SIGNIFICANCE
from srbench.metrics import get_metric
from srbench.results.board import plain
from srbench.results.bootstrap import ONE_SPEAKER, too_few
from srbench.results.leaderboard import names
from srbench.results.paired import Paired, differences, holm, paired, smallest_p
from srbench.run import Run
from srbench.run.manifest import Identity
from srbench.run.recordings import refuse_other_recordings
from srbench.signature import differing_fields

if TYPE_CHECKING:
    from pandas import DataFrame

_MOST_DIFFERENT = 3  # utterances named in either direction


def compare_runs(runs: Sequence[Run], metrics: Sequence[str] | None = None) -> dict[str, Any]:
    """Return the document of ``srbench compare --json``: all pairs of some runs, in their order.

    Parameters
    ----------
    runs : sequence of Run
        At least two, of one protocol, on the same recordings, with one seed.
    metrics : sequence of str, optional
        In place of all that the runs have in common.

    Returns
    -------
    dict
        Its keys are described in docs/results.md.

    Raises
    ------
    SrbenchError
        If the runs do not compare (it says in what they differ), or one has not the metrics.
    """
    labels = _labels(runs)
    for run, label in zip(runs[1:], labels[1:], strict=True):
        refuse_different(runs[0].manifest, run.manifest, labels[0], label)
    refuse_other_recordings([(label, run.records) for label, run in zip(labels, runs, strict=True)])
    chosen, left_out = _metrics(runs, labels, metrics)
    tables = [run.columns for run in runs]
    pairs = list(combinations(range(len(runs)), 2))
    found = [paired(tables[i], tables[j], chosen) for i, j in pairs]
    tested = [(pair, name) for pair, rows in enumerate(found) for name in rows if not math.isnan(rows[name].p_value)]
    adjusted = dict(zip(tested, holm([found[pair][name].p_value for pair, name in tested]), strict=True))
    manifest = runs[0].manifest
    return {
        "protocol": manifest.protocol,
        "protocol_title": manifest.protocol_title,
        "protocol_signature": manifest.protocol_signature,
        "split": {**asdict(manifest.split), "scored": len(runs[0].records)},
        "own_corpus": manifest.own_corpus,
        "notes": [
            *dict.fromkeys(note for run in runs for note in run.manifest.notes),
            *left_out,
            *_notes([row for rows in found for row in rows.values()], len(tested)),
        ],
        "difference": "a - b",
        "tests": len(tested),
        "runs": [_run(run, label) for run, label in zip(runs, labels, strict=True)],
        "pairs": [
            {
                "a": labels[i],
                "b": labels[j],
                "metrics": {
                    name: _metric(
                        row,
                        adjusted.get((number, name), math.nan),
                        (labels[i], labels[j]),
                        manifest.metrics[name],
                        differences(tables[i], tables[j], name),
                    )
                    for name, row in found[number].items()
                },
            }
            for number, (i, j) in enumerate(pairs)
        ],
    }


def _labels(runs: Sequence[Run]) -> list[str]:
    """Return a name for each run, where there are at least two and none twice."""
    if len(runs) < 2:
        raise SrbenchError("a comparison needs two runs")
    folders = [run.folder.resolve() for run in runs]
    twice = next((folder for folder in folders if folders.count(folder) > 1), None)
    if twice is not None:
        raise SrbenchError(f"{twice.name} is named twice: a run cannot be compared with itself")
    return names(runs)


def refuse_different(one: Identity, two: Identity, a: str, b: str) -> None:
    """Raise SrbenchError, naming what differs, unless two manifests are of the same measurement.

    Parameters
    ----------
    one, two : Identity
        A manifest is one; so is what `srbench.run.manifest.identity_of` says of a run that is yet to be made.
    a, b : str
        Their names, for the message.
    """
    refused = f"{a} and {b} cannot be compared:"
    parts = differing_protocols(one.protocol_signature, two.protocol_signature)
    if parts:
        raise SrbenchError(f"{refused} their protocols differ in {'; '.join(parts)}")
    for name in [name for name in one.metrics if name in two.metrics]:
        parts = differing_fields(one.metrics[name], two.metrics[name])
        if parts:
            raise SrbenchError(f"{refused} their metrics {name} differ in {'; '.join(parts)}")
    if one.seed != two.seed:
        raise SrbenchError(f"{refused} seed {shown(one.seed)} against {shown(two.seed)}")
    if one.utterances != two.utterances:
        raise SrbenchError(
            f"{refused} they are not of the same utterances ({one.utterances.n} against "
            f"{two.utterances.n}). Give both the same --data, --split and --limit."
        )


def _metrics(runs: Sequence[Run], labels: Sequence[str], asked: Sequence[str] | None) -> tuple[list[str], list[str]]:
    """Return the metrics to compare by, and a note on those that not all runs have."""
    if asked is not None:
        for name in asked:
            get_metric(name)
            for run, label in zip(runs, labels, strict=True):
                if name not in run.manifest.metrics:
                    raise SrbenchError(f"the run of {label} has no {name}, only {', '.join(run.manifest.metrics)}")
        return list(asked), []
    everywhere = [name for name in runs[0].manifest.metrics if all(name in r.manifest.metrics for r in runs)]
    if not everywhere:
        raise SrbenchError(f"{' and '.join(labels)} have no metric in common")
    rest = dict.fromkeys(name for run in runs for name in run.manifest.metrics if name not in everywhere)
    return everywhere, [f"Not compared, because not all runs have it: {', '.join(rest)}."] if rest else []


def _notes(rows: Sequence[Paired], tests: int) -> list[str]:
    """Say what the numbers of clusters do not allow to be shown."""
    tested = [row for row in rows if not math.isnan(row.p_value)]
    if not tested:
        return []
    largest = max(tested, key=lambda row: row.clusters)
    number, kind, least = largest.clusters, largest.resampled, smallest_p(largest.clusters)
    notes = []
    if kind == "utterances":
        notes.append(ONE_SPEAKER)
    if few := too_few(number, kind):
        notes.append(f"{few} No p-value can be below {least:.2g}: it takes six to show a difference.")
    elif least * tests >= SIGNIFICANCE:
        most = math.ceil(SIGNIFICANCE / least) - 1
        notes.append(
            f"With {number} {kind} no p-value can be below {least:.2g}: corrected for {tests} tests (Holm) none "
            f"can reach {SIGNIFICANCE}. Test at most {most} at once, each metric of each pair being one: "
            "choose with --metric."
        )
    return notes


def _run(run: Run, label: str) -> dict[str, Any]:
    failures = [{"utterance": r.utterance, "error": r.error} for r in run.records if r.error]
    return {
        "label": label,
        "name": run.manifest.upscaler.name,
        "n": len(run.records) - len(failures),
        "failed": len(failures),
        "failures": failures,
        "warnings": list(run.manifest.warnings),
        "provenance": dict(run.manifest.upscaler.told),
        "run_dir": str(run.folder),
    }


def _metric(row: Paired, p_holm: float, pair: tuple[str, str], signature: str, table: DataFrame) -> dict[str, Any]:
    metric = get_metric(row.metric)
    return {
        "mean_a": plain(row.mean_a),
        "mean_b": plain(row.mean_b),
        "mean_difference": plain(row.mean_difference),
        CI: [plain(bound) for bound in row.interval],
        "resampled": row.resampled,
        "clusters": row.clusters,
        "p_value": plain(row.p_value),
        "p_holm": plain(p_holm),
        "better_shown": _better_shown(row, p_holm, pair),
        "a_wins": row.a_wins,
        "b_wins": row.b_wins,
        "ties": row.ties,
        "n": row.n,
        "unpaired": row.unpaired,
        "identical": row.identical,
        "reason": row.reason or None,
        "unit": metric.unit,
        "better": metric.better,
        "signature": signature,
        "speakers": _speakers(table),
        "most_different": _most_different(table),
    }


def _better_shown(row: Paired, p_holm: float, pair: tuple[str, str]) -> str | None:
    """Return who is better where both the interval and the corrected p-value say so; else None."""
    low, high = row.interval
    if not (p_holm < SIGNIFICANCE and (low > 0 or high < 0)):  # NaN is no
        return None
    return pair[0] if (low > 0) == (get_metric(row.metric).better == "higher") else pair[1]


def _speakers(table: DataFrame) -> list[dict[str, Any]]:
    found = []
    for speaker, rows in table.groupby("speaker", sort=True):
        difference = rows["difference"].to_numpy(np.float64)
        found.append(
            {
                "speaker": str(speaker),
                "n": len(rows),
                "mean_difference": plain(float(difference.mean()) if np.isfinite(difference).all() else math.nan),
                "a_wins": int((rows["favours"] == 1).sum()),
                "b_wins": int((rows["favours"] == -1).sum()),
            }
        )
    return found


def _most_different(table: DataFrame) -> list[dict[str, Any]]:
    """Return the utterances in which a is furthest above b, then those in which it is furthest below."""
    ordered = table[table["difference"].notna()].sort_values("difference", ascending=False, kind="stable")
    above = ordered[ordered["difference"] > 0].head(_MOST_DIFFERENT)
    below = ordered[ordered["difference"] < 0].tail(_MOST_DIFFERENT)
    return [
        {"utterance": str(row.utterance), **{key: plain(float(getattr(row, key))) for key in ("a", "b", "difference")}}
        for side in (above, below[::-1])
        for row in side.itertuples()
    ]
