"""Folders of estimates scored against folders of references, kept on disk in the form of a run."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from srbench import audio
from srbench.corpora.corpus import file_digest, samples_digest
from srbench.errors import SrbenchError
from srbench.folders.pairing import FilePair, Pairs, pair_up
from srbench.folders.references import signature
from srbench.folders.swapped import find_swapped
from srbench.folders.task import ScoreTask, blank, evaluate, still_good
from srbench.metrics import Definition, define, get_metric
from srbench.metrics.arguments import as_cutoff, as_names
from srbench.names import check_name
from srbench.protocols import ALL, protocol_names
from srbench.run import Run
from srbench.run.engine import begun, finished
from srbench.run.manifest import CorpusFound, Identity, Manifest, SplitFound, begin, elsewhere, identity
from srbench.run.record import ScoreRecord
from srbench.run.workers import HERE, Where, Work, do_all
from srbench.scoring.faults import Looks
from srbench.scoring.pair import WITH_CUTOFF, default_metrics
from srbench.scoring.repair import Repairs
from srbench.scoring.warning import KINDS
from srbench.signature import Signature, value_text
from srbench.table import write_table

NAME = "score"  # stands where a run has its protocol's name, unless another is given
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
CHECKS = tuple(name for name in Looks().numbers())


@dataclass(frozen=True)
class Job:
    """Systems to score against one set of references.

    Attributes
    ----------
    name : str
        Of the set of references.
    reference : Path
        The folder, or the file.
    systems : mapping of name to Pairs
    sample_rate : int, in Hz
        Of most references.
    cutoff : float or None, in Hz
    repairs : Repairs
    definitions : mapping of metric name to its definition
    signature : Signature
        All that the numbers depend on but the estimates.
    """

    name: str
    reference: Path
    systems: Mapping[str, Pairs]
    sample_rate: int
    cutoff: float | None
    repairs: Repairs
    definitions: Mapping[str, Definition]
    signature: Signature


@dataclass(frozen=True)
class ScoreRun(Run):
    """A finished system: a run whose records tell of pairs."""

    records: tuple[ScoreRecord, ...]
    pairs: Pairs


def make_job(
    reference: str | Path,
    systems: Mapping[str, str | Path],
    *,
    name: str = NAME,
    patterns: tuple[str, str] | None = None,
    low: str | Path | None = None,
    cutoff: float | None = None,
    metrics: Sequence[str] | None = None,
    repairs: Repairs | None = None,
) -> Job:
    """Find the pairs, and fix what is measured on them.

    Parameters
    ----------
    reference : path
    systems : mapping of name to path
    name : str
        Of the set of references: of the folder of its scores, and of its leaderboard.
    patterns : (str, str), optional
        How the files of either side are named; see `srbench.corpora.by_id.files_by_id`.
    low : path, optional
        The low-resolution files. Half their rate is the cutoff.
    cutoff : float, in Hz, optional
    metrics : sequence of str, optional
    repairs : Repairs, optional

    Raises
    ------
    SrbenchError
        If there are no pairs, a metric cannot be measured, `low` and `cutoff` contradict each other, or the name is a
        protocol's.
    """
    if not _NAME.fullmatch(name):
        raise SrbenchError(f"a set of references cannot be called '{name}': letters, digits, '.', '_' and '-' only")
    if name in protocol_names():
        raise SrbenchError(f"'{name}' is a protocol's name: choose another --name")
    repairs = repairs or Repairs()
    for system in systems:
        check_name("a system's name (--systems NAME=DIR gives another)", system)
    found = pair_up(reference, list(systems.values()), patterns, low)
    pairs = found[0].pairs
    rate = _most_common_rate([pair.reference for pair in pairs])
    lows = [pair.low for pair in pairs if pair.low is not None]
    if lows:
        cutoff = _cutoff_of(lows, cutoff, rate)
    cutoff = as_cutoff(cutoff, rate)
    names = default_metrics(cutoff) if metrics is None else [get_metric(name).name for name in as_names(metrics)]
    banded = [name for name in names if name in WITH_CUTOFF]
    if banded and cutoff is None:
        raise SrbenchError(f"{banded[0]} needs the cutoff, half the low rate: --cutoff HZ, or --low DIR with the files")
    definitions = define(names, rate, cutoff)
    digests = {pair.id: samples_digest(pair.reference) for pair in pairs}
    stands_for = ((pair.id, digests[pair.id] or file_digest(pair.reference)) for pair in pairs)
    told = signature(rate, cutoff, repairs, stands_for)
    named = {
        system: replace(each, pairs=tuple(replace(pair, recording=digests[pair.id]) for pair in each.pairs))
        for system, each in zip(systems, found, strict=True)
    }
    return Job(name, Path(reference), named, rate, cutoff, repairs, definitions, told)


def score_system(
    job: Job,
    system: str,
    results: str | Path,
    *,
    where: Where = HERE,
    fresh: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> ScoreRun:
    """Score one system, going on from its journal if there is one.

    Parameters
    ----------
    job : Job
    system : str
        One of the job's.
    results : path
        The folder ``<name>/<system>-<identity>`` is made below it.
    where : Where
        In this process, in others, on other machines. The numbers do not depend on it.
    fresh : bool
        Forget what was finished before.
    progress : callable (name, done, total), optional

    Raises
    ------
    SrbenchError
        If the results folder cannot be written, or another process is writing there.
    """
    pairs = job.systems[system]
    known = identity(job.signature, job.definitions, [pair.id for pair in pairs.pairs], elsewhere(system))
    folder = Path(results) / job.name / known.folder_name
    task = ScoreTask(job.definitions, job.sample_rate, job.cutoff, job.repairs, _root(job), pairs.root)
    work = Work(ScoreRecord, partial(evaluate, task), partial(blank, task), partial(still_good, task))
    with begun(folder, _manifest(job, known, pairs), fresh=fresh) as (journal, begins):
        told = partial(progress, system) if progress else None
        records = _name_swapped(do_all(work, pairs.pairs, journal, where, told), pairs.pairs, job.repairs)
        # a leaderboard's row says the warnings with the numbers
        done = finished(folder, dataclasses.replace(begins, warnings=_counted(records)), records)
        told_pairs = [pair_row(record) for record in records]
        write_table(folder / "pairs.csv", list(told_pairs[0]), (row.values() for row in told_pairs))
    return ScoreRun(folder, done, records, pairs)


def _root(job: Job) -> Path:
    return job.reference if job.reference.is_dir() else job.reference.parent


def _manifest(job: Job, known: Identity, pairs: Pairs) -> Manifest:
    repaired = ", ".join(f"{key} {value_text(value)}" for key, value in job.repairs.fields().items() if value)
    return begin(
        known,
        protocol=job.name,
        protocol_title=f"Audio made elsewhere, at {job.sample_rate} Hz",
        split=SplitFound(ALL, ALL, pairs.expected, len(pairs.pairs)),
        own_corpus=True,
        notes=(*([f"Repaired where needed: {repaired}."] if repaired else []), *pairs.notes),
        corpus=CorpusFound("folder", job.reference.name, str(_root(job).absolute()), str(pairs.root)),
    )


def _most_common_rate(paths: Sequence[Path]) -> int:
    rates: Counter[int] = Counter()
    why = ""
    for path in paths:
        try:
            rates[audio.info(path).sample_rate] += 1
        except SrbenchError as error:  # its row will say so
            why = why or str(error)
    if not rates:
        raise SrbenchError(f"none of {len(paths)} references can be read; of the first: {why}")
    return max(rates, key=lambda rate: (rates[rate], rate))


def _cutoff_of(lows: Sequence[Path], cutoff: float | None, reference_rate: int) -> float:
    rates = {audio.info(path).sample_rate: path for path in lows}
    if len(rates) > 1:
        (a, first), (b, second) = list(rates.items())[:2]
        raise SrbenchError(f"the low-resolution files are of several rates: {first} at {a} Hz, {second} at {b} Hz")
    half = next(iter(rates)) / 2
    if half >= reference_rate / 2:
        than = (
            "the references' rate"
            if 2 * half == reference_rate
            else f"a higher rate than the references' {reference_rate} Hz"
        )
        raise SrbenchError(
            f"the low-resolution files have {than} ({2 * half:g} Hz, {lows[0]}): --low wants them as the upscaler got "
            "them; for files that were brought to the references' rate, say --cutoff HZ"
        )
    if cutoff is not None and cutoff != half:
        raise SrbenchError(f"the low-resolution files end at {half:g} Hz, and the cutoff is said to be {cutoff:g} Hz")
    return half


def _counted(records: Sequence[ScoreRecord]) -> tuple[str, ...]:
    """Return one line for each kind of warning: of how many pairs it was given."""
    times = Counter(kind for record in records for kind in {warning["kind"] for warning in record.warnings})
    return tuple(f"{kind}: {times[kind]} of {len(records)} pairs" for kind in KINDS if times[kind])


def _name_swapped(
    records: tuple[ScoreRecord, ...], pairs: Sequence[FilePair], repairs: Repairs
) -> tuple[ScoreRecord, ...]:
    """Say of pairs that do not match whose reference the estimate fits instead, where it is one of them."""
    lost = {record.utterance for record in records if any(w["kind"] == "mismatch" for w in record.warnings)}
    if len(lost) < 2:
        return records
    fits = find_swapped([pair for pair in pairs if pair.id in lost], repairs.channels)
    told = []
    for record in records:
        other = fits.get(record.utterance)
        warnings = [
            {**w, "detail": f"{w['detail']}. It fits the reference of {other}: swapped?", "fits": other}
            if other and w["kind"] == "mismatch"
            else w
            for w in record.warnings
        ]
        told.append(dataclasses.replace(record, warnings=warnings))
    return tuple(told)


def pair_row(record: ScoreRecord) -> dict[str, str]:
    """Return a record as ``pairs.csv`` tells it: what was measured on the pair, what was found, what was repaired."""
    return {
        "utterance": record.utterance,
        "estimate": record.estimate_file,
        "warnings": " ".join(dict.fromkeys(warning["kind"] for warning in record.warnings)),
        "repairs": "; ".join(record.repairs),
        **{name: "" if (value := record.checks.get(name)) is None else repr(value) for name in CHECKS},
        "details": "; ".join(warning["detail"] for warning in record.warnings),
    }
