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
from srbench.run.entrant import Entrant
from srbench.run.estimates import estimates_in
from srbench.run.folder import Run
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
    then, now = told.told, entrant.provenance(protocol).told
    differ = sorted(key for key in then.keys() | now.keys() if then.get(key) != now.get(key))
    if differ:
        raise SrbenchError(f"{name} is not the upscaler of this run: its {', '.join(differ)} differ")
    return entrant


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
    if entrant is None:
        raise SrbenchError(f"{run.folder.name} kept no audio of {utterance_id} (run with --save-audio)")
    seed = run.manifest.seed
    found = estimates_in(run.folder.parent.parent, protocol, run.manifest.upscaler, seed, 0).find(
        utterance_id, record.stamp, len(prepared.reference)
    )
    if found is not None:
        return Signals(*prepared, found[0], False)
    return Signals(*prepared, entrant.estimate(prepared, protocol, seed_of(seed, utterance_id))[0], False)
