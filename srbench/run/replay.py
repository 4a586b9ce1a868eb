"""The signals behind a row of a run: reference, low resolution and estimate of one utterance, made again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PureWindowsPath
from typing import NamedTuple

from srbench import audio
from srbench.audio import Samples
from srbench.corpora import Corpus
from srbench.errors import SrbenchError
from srbench.protocols import Protocol, prepare
from srbench.run.elsewhere import MadeElsewhere, found_in
from srbench.run.entrant import Entrant
from srbench.run.estimates import estimates_in
from srbench.run.folder import Run
from srbench.run.manifest import COMMAND, ESTIMATES, Provenance
from srbench.run.pipeline import audio_file, seed_of
from srbench.run.recordings import is_recording


class Signals(NamedTuple):
    """Of one utterance; ``low`` is at the protocol's low rate, the others are at its high rate."""

    reference: Samples
    low: Samples
    estimate: Samples
    saved: bool
    """Whether the estimate was read from the run's folder (32-bit float) and not made again."""


def entrant_of(run: Run, protocol: Protocol, plugins: Sequence[Path] = ()) -> Entrant:
    """Return who made a run, ready to make it again.

    Parameters
    ----------
    run : Run
    protocol : Protocol
    plugins : sequence of Path
        Plug-in files, where the upscaler came from one.

    Raises
    ------
    SrbenchError
        If it is not to be had here, or is not what it was: another version, source or weights. The name of its weights
        is not followed to another place, nor to a download.
    """
    told = run.manifest.upscaler
    name = told.name
    if told.kind == COMMAND:  # a run that came from somewhere would have us run anything
        raise SrbenchError(f"{name}: a command that stands in a run is not run")
    if told.kind == ESTIMATES:
        return _found_again(run, protocol)
    weights = name.partition("@")[2]
    if PureWindowsPath(weights).name != weights:  # a run tells the file's name only; a place is somebody's invention
        raise SrbenchError(f"{name}: a run does not say where weights are: this one was edited")
    if told.told.get("made_by"):
        raise SrbenchError(f"{name} was {told.told['made_by']}: nobody can run it again")
    entrant = Entrant(
        name if told.anchor or plugins else f"{told.distribution}:{name}",
        anchor=told.anchor,
        plugins=tuple(plugins),
        device=told.device,
        precision=told.precision,
    )
    _refuse_other(told, entrant.provenance(protocol))
    return entrant


def _found_again(run: Run, protocol: Protocol) -> MadeElsewhere:
    """Return the folder of estimates that a run was given, if it is what it was."""
    told = run.manifest.upscaler
    pattern = told.told.get("pattern")
    folder = run.manifest.corpus.estimates
    if not folder:
        raise SrbenchError(f"{told.name}: its run does not say where its estimates lay")
    ids = {record.utterance: None for record in run.records}
    found = found_in(told.name, folder, ids, pattern if isinstance(pattern, str) else None)
    _refuse_other(told, found.provenance(protocol))
    return found


def _refuse_other(then: Provenance, now: Provenance) -> None:
    differ = sorted(key for key in then.told.keys() | now.told.keys() if then.told.get(key) != now.told.get(key))
    if differ:
        raise SrbenchError(f"{then.name} is not the upscaler of this run: its {', '.join(differ)} differ")


def signals(run: Run, protocol: Protocol, corpus: Corpus, utterance_id: str, entrant: Entrant | None) -> Signals:
    """Return the signals of an utterance: the estimate made again, or without an entrant as the run kept it.

    Parameters
    ----------
    run : Run
    protocol : Protocol
        Of the run.
    corpus : Corpus
        Where the recording is.
    utterance_id : str
    entrant : Entrant or None
        From `entrant_of`; None where only what was kept can be used.

    Raises
    ------
    SrbenchError
        If the recording is absent or another than the run's, or there is no estimate.
    """
    record = run.by_id.get(utterance_id)
    utterance = corpus.by_id().get(utterance_id)
    if record is None or utterance is None:
        raise SrbenchError(f"utterance '{utterance_id}' is not in {run.folder if record is None else corpus.root}")
    if not is_recording(record, utterance.path):
        raise SrbenchError(f"{utterance.path}: is not the recording that {run.folder.name} scored (SHA-256 differs)")
    if record.error:
        raise SrbenchError(f"{run.folder.name} failed on {utterance_id}: {record.error}")
    prepared = prepare(*audio.read(utterance.path, protocol.channels), protocol)
    kept = audio_file(run.folder / "audio", utterance_id)
    if entrant is None and kept.exists():
        estimate, rate = audio.read(kept)
        if rate != protocol.high_rate or len(estimate) != len(prepared.reference):
            raise SrbenchError(f"{kept}: is not the estimate of {utterance_id}: another rate or length")
        return Signals(*prepared, estimate, True)
    seed, samples = run.manifest.seed, len(prepared.reference)
    if entrant is None or entrant.makes:
        cache = estimates_in(run.folder.parent.parent, protocol, run.manifest.upscaler, seed, 0)
        if (found := cache.find(utterance_id, record.stamp, samples)) is not None:
            return Signals(*prepared, found[0], False)
    if entrant is None:
        raise SrbenchError(f"{run.folder.name} kept no audio of {utterance_id} (run with --save-audio)")
    made, _ = entrant.estimate(prepared, protocol, seed_of(seed, utterance_id), utterance_id=utterance_id)
    return Signals(*prepared, made, False)
