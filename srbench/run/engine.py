"""The engine: evaluates the utterances of a plan for one entrant, in this process or in workers, journal in hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

from srbench.corpora import Utterance
from srbench.corpora.corpus import file_digest
from srbench.errors import SrbenchError
from srbench.files import alone_in, clear_unfinished, need_plain
from srbench.run.batches import in_batches
from srbench.run.checking import chosen, summary
from srbench.run.command import Command
from srbench.run.elsewhere import MadeElsewhere
from srbench.run.entrant import Entrant
from srbench.run.estimates import Estimates, estimates_in
from srbench.run.folder import Run
from srbench.run.manifest import Manifest, Provenance, identity_of, manifest
from srbench.run.pipeline import Task, audio_file, blank, evaluate
from srbench.run.plan import Plan
from srbench.run.record import Record, write_records
from srbench.run.recordings import recordings
from srbench.run.through_files import from_folder, from_program
from srbench.run.workers import HERE, Where, Work, do_all
from srbench.upscaler_sources import short_digest

SEED = 0
Progress = Callable[[str, int, int], None]


def run_entrant(
    plan: Plan,
    entrant: Entrant,
    results: str | Path,
    *,
    where: Where = HERE,
    save_audio: bool = False,
    seed: int = SEED,
    draws: int = 1,
    fresh: bool = False,
    wait: bool = False,
    keep_gigabytes: float = 0.0,
    progress: Progress | None = None,
) -> Run:
    """Run one entrant over a plan, going on from its journal if there is one.

    Parameters
    ----------
    plan : Plan
    entrant : Entrant
    results : path
        The run's folder is made below it, ``<protocol>/<entrant>-<identity>``.
    where : Where
        In this process, in others, on other machines. The numbers do not depend on it.
    save_audio : bool
        Keep every estimate as ``audio/<utterance>.wav`` in the run's folder, 32-bit float.
    seed : int
    draws : int
        How many estimates are made of each utterance, with seeds from this one on; values are their means.
    fresh : bool
        Forget what was finished before.
    wait : bool
        Where another process is writing there, wait for it and take what it made.
    keep_gigabytes : float
        Keep estimates that took long to make, for other metrics, as long as those in the results folder are not more.
    progress : callable (name, done, total), optional

    Raises
    ------
    SrbenchError
        If the entrant cannot be run at all, the results folder cannot be written or another process is writing there,
        or no recording can be used.
    """
    provenance = entrant.provenance(plan.protocol)
    draws = draws if entrant.makes else 1  # files and anchors are the same each time
    known = identity_of(plan, provenance, seed, draws)
    folder = Path(results) / plan.protocol.name / known.folder_name
    task = Task(
        plan.protocol,
        plan.definitions,
        entrant,
        seed,
        plan.corpus.root.absolute(),
        (folder / "audio").absolute() if save_audio else None,
        None if where.sends else _estimates(Path(results).absolute(), plan, entrant, provenance, seed, keep_gigabytes),
        fresh,
        where.timeout,
        frozenset() if entrant.anchor else chosen([each.id for each in plan.utterances]),
        draws,
    )
    if where.workers > 1 or where.executor is not None:
        entrant.close()  # its processes are the workers' now
    given = entrant.folder if isinstance(entrant, MadeElsewhere) else None
    begins = manifest(plan, known, entrant.warnings(plan, provenance), given)
    with closing(entrant), begun(folder, begins, fresh=fresh, wait=wait) as (journal, told):
        records = _evaluate_all(plan, task, journal, where, progress)
        if all(record.input_at_fault for record in records):
            raise SrbenchError(f"none of {len(records)} recordings can be used; the first: {records[0].error}")
        done = finished(folder, replace(told, warnings=(*told.warnings, *summary(records))), records)
    return Run(folder, done, records)


@contextmanager
def begun(folder: Path, manifest: Manifest, *, fresh: bool, wait: bool = False) -> Iterator[tuple[Path, Manifest]]:
    """Begin a run in its folder, or go on with it, alone there: write its manifest, and offer the journal's path.

    Parameters
    ----------
    folder : Path
        Made where it is absent.
    manifest : Manifest
        It is offered too, with the date of the first start, where something is finished already.
    fresh : bool
        Forget what was finished before.
    wait : bool
        For another process that is writing there.

    Raises
    ------
    SrbenchError
        If another process is writing there and is not waited for, or it cannot be written, here or inside of the
        ``with`` block.
    """
    journal = folder / "journal.jsonl"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        need_plain(folder)
        with alone_in(folder, wait=wait, instead="--results"):
            clear_unfinished(folder.parent)
            if fresh:
                journal.unlink(missing_ok=True)
            manifest = replace(manifest, started=_started_before(folder) or manifest.started)
            manifest.write(folder)
            yield journal, manifest
    except OSError as error:
        raise SrbenchError(f"cannot write results to {folder}: {error.strerror or error}") from error


def finished(folder: Path, begins: Manifest, records: Sequence[Record]) -> Manifest:
    """Write what a run ends in, its tables and the manifest that says what they rest on, and return that manifest."""
    done = replace(begins, recordings=recordings(records))
    done.write(folder)
    write_records(folder, records, tuple(begins.metrics))
    return done


def _estimates(
    results: Path, plan: Plan, entrant: Entrant, provenance: Provenance, seed: int, gigabytes: float
) -> Estimates | None:
    """Return where estimates are kept; None for anchors, which are made quickly, and where none are wanted."""
    if not entrant.makes or gigabytes <= 0:
        return None
    return estimates_in(results, plan.protocol, provenance, seed, int(gigabytes * 1e9))


def _started_before(folder: Path) -> str:
    """Return when a run that is gone on with was first started, "" where nothing was finished yet."""
    try:
        if not (folder / "journal.jsonl").stat().st_size:
            return ""
        return Manifest.read(folder).started
    except (OSError, SrbenchError):
        return ""


def _evaluate_all(
    plan: Plan, task: Task, journal_path: Path, where: Where, progress: Progress | None
) -> tuple[Record, ...]:
    batched = _batched(task, journal_path.parent, where)
    work = Work(
        Record, partial(evaluate, task), partial(blank, task), partial(_still_good, task, cache(short_digest)), batched
    )
    told = partial(progress, task.entrant.name) if progress else None
    return do_all(work, plan.utterances, journal_path, where, told)


def _batched(task: Task, folder: Path, where: Where) -> Callable[..., Iterator[Record]] | None:
    """Return how utterances are done otherwise than one by one; None where they are."""
    entrant = task.entrant
    if isinstance(entrant, Command):
        if where.executor is not None:
            raise SrbenchError(f"{entrant.name}: --command does not work with --dask")
        return partial(from_program, task, entrant, folder, where.workers)
    if isinstance(entrant, MadeElsewhere):
        return partial(from_folder, task, entrant)
    if entrant.batch > 1 and task.draws > 1:
        raise SrbenchError(f"{entrant.name}: --batch does not work with --seeds")
    return partial(in_batches, task, entrant.batch) if entrant.batch > 1 else None


def _still_good(task: Task, digest_of: Callable[[Path], str], record: Record, utterance: Utterance) -> bool:
    if record.error or record.stamp != file_digest(utterance.path):
        return False  # failures are tried again, changed files are evaluated again
    if any(digest_of(Path(name)) not in ("", digest) for name, digest in record.files.items()):
        return False  # so are estimates by weights that changed
    return task.audio_folder is None or audio_file(task.audio_folder, utterance.id).exists()
