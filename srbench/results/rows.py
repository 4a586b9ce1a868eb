"""A checked run as a row of a leaderboard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from srbench.results.aggregate import Aggregate, real_time_factor
from srbench.results.board import Behind, Row, Value
from srbench.run import Run
from srbench.run.manifest import Recordings
from srbench.run.recordings import recordings


def make_row(
    run: Run, aggregates: Mapping[str, Aggregate], metrics: Sequence[str] | None = None, rechecked: str = "0"
) -> Row:
    """Return the row of a run.

    Parameters
    ----------
    run : Run
    aggregates : mapping of metric name to Aggregate
    metrics : sequence of str, optional
        In the order of the leaderboard; all in the run's by default.
    rechecked : str
        What computing rows again came to (`srbench.results.recheck.Recheck.cell`).
    """
    manifest, upscaler = run.manifest, run.manifest.upscaler
    told = upscaler.told
    failures = tuple((record.utterance, record.error) for record in run.records if record.error)
    machine = manifest.machine
    texts = {
        "upscaler": upscaler.name,
        "kind": "anchor" if upscaler.anchor else "model",
        **{key: told.get(key) for key in ("distribution", "version", "weights", "weights_sha256", "source_sha256")},
        "trained_on": _trained_on(told),
        "protocol_signature": manifest.protocol_signature,
        "recordings": recordings_fact(recordings(run.records)),
        "run": run.folder.resolve().name,
        "date": manifest.started,
        "versions": " ".join(f"{package}={version}" for package, version in manifest.versions.items()),
        "machine": ", ".join(str(machine[key]) for key in ("system", "processor") if key in machine),
        "rechecked": rechecked,
        "warnings": "; ".join(manifest.warnings),
        "draws": _draws(manifest.draws, spread := spread_of(run)),
    }
    parameters = told.get("num_parameters")
    return Row(
        **{key: _text(value) for key, value in texts.items()},
        num_parameters=parameters if isinstance(parameters, int) else None,
        n=len(run.records) - len(failures),
        failed=len(failures),
        expected=manifest.split.expected,
        resampled=_resampled(aggregates.values()),
        real_time_factor=real_time_factor(run),
        seed=manifest.seed,
        values={name: value_of(aggregates[name]) for name in metrics or aggregates},
        behind=Behind(str(run.folder), manifest.warnings, failures, told, upscaler.made, spread),
    )


def spread_of(run: Run) -> dict[str, float]:
    """Return the standard deviation over draws of each metric's mean over utterances; nothing of a single draw."""
    found = {}
    for name in run.manifest.metrics if run.manifest.draws > 1 else ():
        draws = [record.draws[name] for record in run.records if name in record.draws]
        if draws:
            found[name] = float(np.asarray(draws).mean(axis=0).std(ddof=1))
    return found


def _draws(count: int, spread: Mapping[str, float]) -> str:
    """Return how many draws there are, and the spread of each metric's mean over them; "" for one."""
    told = ", ".join(f"{name} {value:.2g}" for name, value in spread.items())
    return f"{count}: {told}" if count > 1 else ""


def value_of(a: Aggregate) -> Value:
    """Return an aggregate as a number of a row."""
    return Value(a.mean, *a.interval, a.n, a.signature, a.over, resampled=a.resampled, clusters=a.clusters)


def recordings_fact(found: Recordings) -> str:
    """Return what a row rests on: how many recordings, and 16 hex digits of their ids and of their samples."""
    return f"{found.n}.{found.ids[:16]}.{found.sha256[:16]}" if found.n else ""


def _resampled(aggregates: Iterable[Aggregate]) -> tuple[tuple[int, str], ...]:
    """Return the kinds of what the intervals resample, and the least number of each."""
    least: dict[str, int] = {}
    for a in aggregates:
        if a.clusters:
            least[a.resampled] = min(a.clusters, least.get(a.resampled, a.clusters))
    return tuple((number, kind) for kind, number in sorted(least.items()))


def _trained_on(told: Mapping[str, Any]) -> str:
    corpora, hours, speakers = (told.get(f"training_{key}") for key in ("corpora", "hours", "speakers"))
    parts = [", ".join(map(str, corpora)) if isinstance(corpora, list) else str(corpora or "")]
    if isinstance(hours, (int, float)):
        parts.append(f"{hours:.3g} h")
    if isinstance(speakers, list) and speakers:
        parts.append(f"{len(speakers)} speaker{'s' if len(speakers) > 1 else ''}")
    return "; ".join(filter(None, parts))


def _text(value: Any) -> str:
    """Return a value as one line of text that any file can hold."""
    text = "" if value is None else " ".join(str(value).split())
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
