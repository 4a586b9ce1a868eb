"""One utterance, one entrant: read, degrade, upscale, measure. Every failure becomes a record, none becomes a crash."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from time import perf_counter
from typing import Any, NamedTuple

from srbench import audio, memory
from srbench.audio import Samples
from srbench.corpora import Utterance
from srbench.corpora.corpus import file_below, file_digest
from srbench.errors import SrbenchError, UpscalerError, cut
from srbench.metrics import Definition, Pair
from srbench.protocols import Prepared, Protocol, prepare
from srbench.run.checking import look_at
from srbench.run.elsewhere import EstimateFile, read_estimate
from srbench.run.entrant import Entrant
from srbench.run.estimates import LEAST_SECONDS, Estimates
from srbench.run.measuring import measure
from srbench.run.record import Record


@dataclass(frozen=True)
class Task:
    """All that a process must know to evaluate an utterance.

    Attributes
    ----------
    protocol : Protocol
    definitions : mapping of metric name to its definition
    entrant : Entrant
    seed : int
        Each utterance's random seed is drawn from this one and its id, so that it does not depend on the order.
    root : Path
        The corpus's folder, to which file names in records are relative.
    audio_folder : Path or None
        Where estimates are kept as audio.
    estimates : Estimates or None
        Where those that took long to make are kept, to be used again.
    fresh : bool
        Make them all the same.
    timeout : float or None, in seconds
        For an upscaler on one utterance.
    looked_at : set of str
        Utterances on whose estimates a look is had (`srbench.run.checking`).
    draws : int
        How many estimates are made of each utterance, each with a seed of its own; a value is their mean.
    """

    protocol: Protocol
    definitions: Mapping[str, Definition]
    entrant: Entrant
    seed: int
    root: Path
    audio_folder: Path | None = None
    estimates: Estimates | None = None
    fresh: bool = False
    timeout: float | None = None
    looked_at: frozenset[str] = frozenset()
    draws: int = 1

    def of_draw(self, draw: int) -> Task:
        """Return it for one draw alone: the first is as if there were no other, and the others keep no audio."""
        if not draw:
            return replace(self, draws=1)
        return replace(
            self,
            seed=self.seed + draw,
            estimates=self.estimates and self.estimates.of_draw(draw),
            audio_folder=None,
            looked_at=frozenset(),
            draws=1,
        )


_LONGEST_REASON = 1000  # characters: an upscaler that calls itself has hundreds of reasons, one inside the other


class Made(NamedTuple):
    """An estimate that was made elsewhere than where it is measured, and the seconds it took; or why there is none.

    ``file`` holds it in place of ``estimate``, and is held to the contract when it is read. ``files`` are weights that
    were read on the way, path to digest.
    """

    estimate: Samples | None
    seconds: float | None
    error: str = ""
    file: EstimateFile | None = None
    files: Mapping[str, str] | None = None


class _Drawn(NamedTuple):
    """What came of one draw."""

    values: dict[str, float]
    undefined: dict[str, str]
    upscale_seconds: float | None
    metric_seconds: float
    files: dict[str, str]
    warnings: list[dict[str, Any]]
    checks: dict[str, Any]


def evaluate(task: Task, utterance: Utterance, made: Sequence[Made] = ()) -> Record:
    """Evaluate one utterance; what goes wrong is recorded, with the reason in one line.

    Parameters
    ----------
    task : Task
    utterance : Utterance
    made : sequence of Made, optional
        What the upscaler made of it already, one for each draw.

    Returns
    -------
    Record
    """
    protocol = task.protocol
    base = blank(task, utterance)
    try:
        memory.check_file(utterance.path, protocol.high_rate, task.definitions)
        recording, file_rate = audio.read(utterance.path, protocol.channels)
        base["recording"] = audio.recording_digest(recording, file_rate)
        prepared = prepare(recording, file_rate, protocol)
    except (SrbenchError, MemoryError) as error:
        return Record(**base, error=one_line(error), input_at_fault=True)
    seconds = len(prepared.reference) / protocol.high_rate
    told = {**base, "file_rate": file_rate, "samples": len(prepared.reference), "seconds": seconds}
    try:
        drawn = [
            _draw(task.of_draw(draw), utterance, base["stamp"], prepared, made[draw] if made else None)
            for draw in range(task.draws)
        ]
    except (SrbenchError, MemoryError) as error:
        return Record(**told, error=one_line(error))
    if len(drawn) == 1:
        return Record(**told, **drawn[0]._asdict())
    return Record(**told, **_together(drawn, tuple(task.definitions)))


def _draw(task: Task, utterance: Utterance, stamp: str, prepared: Prepared, made: Made | None) -> _Drawn:
    """Make one estimate, or take the one that was made, and measure it."""
    rate = task.protocol.high_rate
    estimate, upscale_seconds, files = _estimate(task, utterance, stamp, prepared, made)
    if task.audio_folder is not None:
        kept = audio_file(task.audio_folder, utterance.id)
        kept.parent.mkdir(parents=True, exist_ok=True)
        audio.write(kept, estimate, rate)
    pair = Pair(prepared.reference, estimate, rate, task.protocol.cutoff)
    measuring = perf_counter()
    values, undefined = measure(pair, task.definitions)
    measured = perf_counter()
    looked = _looked_at(task, utterance, prepared, estimate)
    return _Drawn(values, undefined, upscale_seconds, measured - measuring, files, *looked)


def _together(drawn: Sequence[_Drawn], metrics: Sequence[str]) -> dict[str, Any]:
    """Return what a record holds of several draws: a metric has a value where it has one of each draw."""
    draws = {name: [each.values[name] for each in drawn] for name in metrics if all(name in d.values for d in drawn)}
    undefined = {
        name: next(
            f"draw {number}: {each.undefined[name]}" for number, each in enumerate(drawn) if name in each.undefined
        )
        for name in metrics
        if name not in draws
    }
    seconds = [each.upscale_seconds for each in drawn if each.upscale_seconds is not None]
    return {
        "values": {name: fmean(values) for name, values in draws.items()},
        "draws": draws,
        "undefined": undefined,
        "upscale_seconds": fmean(seconds) if seconds else None,
        "metric_seconds": sum(each.metric_seconds for each in drawn),
        "files": {path: digest for each in drawn for path, digest in each.files.items()},
        "warnings": drawn[0].warnings,
        "checks": drawn[0].checks,
    }


def _looked_at(
    task: Task, utterance: Utterance, prepared: Prepared, estimate: Samples
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return what a look at the estimate shows, nothing where none is to be had."""
    if utterance.id not in task.looked_at:
        return [], {}
    return look_at(prepared, estimate, task.protocol)


def _estimate(
    task: Task, utterance: Utterance, stamp: str, prepared: Prepared, made: Made | None
) -> tuple[Samples, float | None, dict[str, str]]:
    """Return the estimate, the seconds that it took, and weights read late: made already, kept, or made now."""
    if made is not None and made.error:
        raise UpscalerError(made.error)
    kept = task.estimates
    if made is not None and made.file is not None:
        made = made._replace(estimate=read_estimate(made.file, task.protocol.high_rate, len(prepared.reference)))
    if made is None or made.estimate is None:
        found = _kept(task, utterance, prepared, stamp)
        if found is not None:
            return *found, {}
        seed = seed_of(task.seed, utterance.id)
        estimate = task.entrant.estimate(prepared, task.protocol, seed, task.timeout, utterance_id=utterance.id)
        made = Made(*estimate, files=task.entrant.late_files)
    assert made.estimate is not None
    # what rests on weights that no identity holds is not kept: nobody could tell when they changed
    if (
        kept
        and not made.files
        and made.seconds is not None
        and (made.seconds >= LEAST_SECONDS or made.file is not None)
    ):
        kept.keep(utterance.id, stamp, made.estimate, made.seconds)
    return made.estimate, made.seconds, dict(made.files or {})


def read_low(task: Task, utterance: Utterance) -> Samples | None:
    """Return what an upscaler is given of an utterance; None where it is not needed, or cannot be read."""
    try:
        memory.check_file(utterance.path, task.protocol.high_rate, task.definitions)
        prepared = prepare(*audio.read(utterance.path, task.protocol.channels), task.protocol)
    except (SrbenchError, MemoryError):  # `evaluate` will say so
        return None
    kept = all(_kept(task.of_draw(draw), utterance, prepared) is not None for draw in range(task.draws))
    return None if kept else prepared.low


def _kept(
    task: Task, utterance: Utterance, prepared: Prepared, stamp: str | None = None
) -> tuple[Samples, float] | None:
    """Return the estimate that was kept from before and the seconds that it took, None where none may be used."""
    if task.estimates is None or task.fresh:
        return None
    stamp = file_digest(utterance.path) if stamp is None else stamp
    return task.estimates.find(utterance.id, stamp, len(prepared.reference))


def blank(task: Task, utterance: Utterance) -> dict[str, Any]:
    """Return the part of a record that is known before anything is read."""
    file = file_below(utterance.path, task.root)
    return {"utterance": utterance.id, "speaker": utterance.speaker, "file": file, "stamp": file_digest(utterance.path)}


def seed_of(seed: int, utterance_id: str) -> int:
    """Return the seed of one utterance: it does not depend on the order in which they are done."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{utterance_id}".encode()).digest()[:4], "big")


def audio_file(folder: Path, utterance_id: str) -> Path:
    """Return where the estimate of an utterance is kept.

    Raises
    ------
    SrbenchError
        If that is not in the folder: through the id, or through a link that lies there.
    """
    path = folder / f"{utterance_id}.wav"
    if not path.resolve().is_relative_to(folder.parent.resolve() / folder.name):  # nor may the folder be a link
        raise SrbenchError(f"{path}: leads out of {folder.name}: nothing is read or written there")
    return path


def one_line(error: BaseException) -> str:
    """Return an error's text without line breaks, and not longer than a person reads."""
    text = f"not enough memory. {error}" if isinstance(error, MemoryError) else str(error)
    return cut(" ".join(text.split()), _LONGEST_REASON)
