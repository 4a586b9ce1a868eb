"""The engine: evaluates the utterances of a plan for one entrant, in this process or in workers, journal in hand."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from srbench.corpora import Utterance
from srbench.corpora.corpus import file_digest
from srbench.errors import SrbenchError
from srbench.run.entrant import Entrant, leakage
from srbench.run.journal import append, open_journal, read_journal
from srbench.run.manifest import folder_name, identity, manifest, write_json
from srbench.run.pipeline import Record, Task, audio_file, blank, evaluate
from srbench.run.plan import Plan

SEED = 0
FIXED_COLUMNS = ("utterance", "speaker", "file", "file_rate", "samples", "status", "error", "undefined")
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Run:
    """A finished run: its folder, its manifest, and the records in the order of the plan."""

    folder: Path
    manifest: dict[str, Any]
    records: tuple[Record, ...]


def run_entrant(
    plan: Plan,
    entrant: Entrant,
    results: str | Path,
    *,
    workers: int = 1,
    save_audio: bool = False,
    seed: int = SEED,
    fresh: bool = False,
    progress: Progress | None = None,
) -> Run:
    """Run one entrant over a plan, going on from its journal if there is one.

    Parameters
    ----------
    plan : Plan
    entrant : Entrant
    results : path
        The run's folder is made below it, ``<protocol>/<entrant>-<identity>``.
    workers : int
        Processes; 1 works in this one. The numbers do not depend on it.
    save_audio : bool
        Keep every estimate as ``audio/<utterance>.wav`` in the run's folder, 32-bit float.
    seed : int
    fresh : bool
        Forget what was finished before.
    progress : callable (name, done, total), optional

    Raises
    ------
    SrbenchError
        If the entrant cannot be run at all, the results folder cannot be written, or no recording can be used.
    """
    provenance = entrant.provenance(plan.protocol)
    known = identity(plan, provenance, seed)
    folder = Path(results) / plan.protocol.name / folder_name(known)
    task = Task(
        plan.protocol, plan.definitions, entrant, seed, plan.corpus.root, folder / "audio" if save_audio else None
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if fresh:
            (folder / "journal.jsonl").unlink(missing_ok=True)
        document = {**manifest(plan, known), "warnings": leakage(provenance, plan)}
        document["started"] = _started_before(folder) or document["started"]
        write_json(folder / "manifest.json", document)
        records = _evaluate_all(plan, task, folder / "journal.jsonl", workers, progress)
        if all(record.input_at_fault for record in records):
            raise SrbenchError(f"none of {len(records)} recordings can be used; the first: {records[0].error}")
        write_run_tables(folder, records, tuple(plan.definitions))
    except OSError as error:
        raise SrbenchError(f"cannot write results to {folder}: {error.strerror or error}") from error
    return Run(folder, document, records)


def _started_before(folder: Path) -> str:
    """Return when a run that is gone on with was first started, "" where nothing was finished yet."""
    try:
        if not (folder / "journal.jsonl").stat().st_size:
            return ""
        return str(json.loads((folder / "manifest.json").read_bytes())["started"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _evaluate_all(
    plan: Plan, task: Task, journal_path: Path, workers: int, progress: Progress | None
) -> tuple[Record, ...]:
    known = read_journal(journal_path)
    done = {u.id: known[u.id] for u in plan.utterances if u.id in known and _still_good(known[u.id], u, task)}
    todo = [utterance for utterance in plan.utterances if utterance.id not in done]
    total = len(plan.utterances)
    with open_journal(journal_path) as journal:
        if progress:
            progress(task.entrant.name, len(done), total)
        for record in _records(task, todo, workers):
            append(journal, record)
            done[record.utterance] = record
            if progress:
                progress(task.entrant.name, len(done), total)
    return tuple(done[utterance.id] for utterance in plan.utterances)


def _still_good(record: Record, utterance: Utterance, task: Task) -> bool:
    if record.error or record.stamp != file_digest(utterance.path):
        return False  # failures are tried again, changed files are evaluated again
    return task.audio_folder is None or audio_file(task.audio_folder, utterance.id).exists()


def _records(task: Task, utterances: list[Utterance], workers: int) -> Iterator[Record]:
    if workers <= 1:  # even a single utterance may be the one that kills its process
        yield from (evaluate(task, utterance) for utterance in utterances)
    else:
        yield from _in_processes(task, utterances, workers)


def _in_processes(task: Task, utterances: list[Utterance], workers: int) -> Iterator[Record]:
    """Evaluate in worker processes; a worker that dies costs at most the utterance it died on.

    When a worker dies the pool is lost with all that was under way. Those utterances are then tried one at a time,
    each in a process of its own, so that the one at fault is found and the others are not blamed.
    """
    left = iter(utterances)
    while True:
        suspects: list[Utterance] = []
        with _pool(workers) as pool, suppress(BrokenProcessPool):
            yield from _windowed(pool, task, left, 3 * workers, suspects)
        if not suspects:
            return
        for utterance in suspects:
            with _pool(1) as alone:
                try:
                    yield alone.submit(evaluate, task, utterance).result()
                except BrokenProcessPool:
                    yield Record(
                        **blank(task, utterance), error="the process that evaluated it died (killed or crashed)"
                    )


def _windowed(
    pool: Executor, task: Task, left: Iterable[Utterance], window: int, under_way: list[Utterance]
) -> Iterator[Record]:
    """Yield records as they are finished, with at most `window` utterances under way; `under_way` names them."""
    waiting: dict[Future[Record], Utterance] = {}
    source = iter(left)
    while True:
        for utterance in islice(source, window - len(waiting)):
            under_way.append(utterance)
            waiting[pool.submit(evaluate, task, utterance)] = utterance
        if not waiting:
            return
        finished, _ = wait(waiting, return_when=FIRST_COMPLETED)
        for future in finished:
            record = future.result()
            under_way.remove(waiting.pop(future))
            yield record


def _pool(workers: int) -> ProcessPoolExecutor:
    # spawn: a forked child inherits the threads' locks of numerical libraries in whatever state they were
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"))


def write_run_tables(folder: Path, records: tuple[Record, ...], metrics: tuple[str, ...]) -> None:
    """Write ``utterances.csv`` and, apart from it because they never repeat, ``timings.csv``."""
    with ExitStack() as stack:
        tables = {
            name: csv.writer(
                stack.enter_context((folder / name).open("w", encoding="utf-8", newline="")), lineterminator="\n"
            )
            for name in ("utterances.csv", "timings.csv")
        }
        tables["utterances.csv"].writerow([*FIXED_COLUMNS, *metrics])
        tables["timings.csv"].writerow(["utterance", "seconds", "upscale_seconds", "metric_seconds"])
        for r in records:
            tables["utterances.csv"].writerow(utterance_row(r, metrics))
            tables["timings.csv"].writerow([r.utterance, r.seconds, r.upscale_seconds, r.metric_seconds])


def utterance_row(record: Record, metrics: Sequence[str]) -> list[str]:
    """Return the row of ``utterances.csv`` that a record makes."""
    fixed = (record.utterance, record.speaker, record.file, record.file_rate, record.samples)
    undefined = "; ".join(f"{name}: {reason}" for name, reason in record.undefined.items())
    return [
        *("" if value is None else str(value) for value in fixed),
        "failed" if record.error else "ok",
        record.error,
        undefined,
        *(repr(record.values[name]) if name in record.values else "" for name in metrics),
    ]
