"""What is taken up for publishing: protocols, corpora, and of the runs in some folders those that belong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from srbench.corpora import Corpus, open_corpus
from srbench.corpora.corpus import file_digest
from srbench.errors import SrbenchError, shown
from srbench.folders.references import differing_terms, is_scored, references_of
from srbench.protocols import load_protocol, protocol_names
from srbench.run import Record, Run, find_runs, open_run
from srbench.run.basis import Basis, Terms, of_protocol
from srbench.run.manifest import ANCHOR, MANIFEST
from srbench.run.recordings import is_recording


@dataclass(frozen=True)
class Aside:
    """A run, or a leaderboard, that was not taken, and why; ``fault`` where that is for somebody to repair."""

    path: Path
    reasons: tuple[str, ...]
    fault: bool


@dataclass(frozen=True)
class Candidate:
    """A run that may become a row, and what its numbers rest on."""

    run: Run
    basis: Basis

    @property
    def upscaler(self) -> str:
        """The name of who made it."""
        return self.run.manifest.upscaler.name


def known_protocols(files: Sequence[str | Path] = ()) -> dict[str, Basis]:
    """Return the named protocols, and those of a user's own files, which come first where they share a name.

    Raises
    ------
    SrbenchError
        If a file is not a protocol.
    """
    known = [of_protocol(load_protocol(each)) for each in (*protocol_names(), *files)]
    return {basis.name: basis for basis in known}


def corpora_of(bases: Iterable[Basis], folders: Sequence[Path]) -> dict[str, list[Corpus]]:
    """Return the folders that hold a protocol's own corpus, by the protocol's name; of references, they themselves.

    Raises
    ------
    SrbenchError
        If a folder is no corpus.
    """
    opened = cache(open_corpus)
    return {basis.name: basis.corpora(folders, opened) for basis in bases}


def corpus_of(run: Run, corpora: Sequence[Corpus]) -> Corpus | None:
    """Return the folder whose recordings are those of a run, else the one that differs last; None where there is none.

    Parameters
    ----------
    run : Run
    corpora : sequence of Corpus
        Of one name.
    """

    def fitting(corpus: Corpus, same: Callable[[Record, Path], bool]) -> int:
        here = corpus.by_id()
        own = (r.utterance in here and same(r, here[r.utterance].path) for r in run.records)
        return next((number for number, fits in enumerate(own) if not fits), len(run.records))

    if len(corpora) < 2:
        return next(iter(corpora), None)
    by_bytes = [
        each for each in corpora if fitting(each, lambda r, path: file_digest(path) == r.stamp) == len(run.records)
    ]
    return by_bytes[-1] if by_bytes else max(reversed(corpora), key=lambda each: fitting(each, is_recording))


def take_in(
    places: Sequence[Path],
    protocols: Mapping[str, Basis],
    allow_partial: bool,
    standing: Mapping[str, Terms] | None = None,
) -> tuple[list[Candidate], list[Aside], list[str]]:
    """Read the runs in some places, and take of each upscaler's the newest that belongs into a leaderboard.

    Parameters
    ----------
    places : sequence of Path
        Run folders, or folders with runs below them.
    protocols : mapping of name to Basis
    allow_partial : bool
        Whether a run that lacks utterances belongs.
    standing : mapping of name to Terms, optional
        Of the leaderboards that are there: of scored runs those are taken that fit theirs, else the newest of a name.

    Returns
    -------
    candidates : list of Candidate
    aside : list of Aside
    notes : list of str

    Raises
    ------
    SrbenchError
        If a place holds no run.
    """
    named = {place.resolve() for place in places if (place / MANIFEST).is_file()}
    aside: list[Aside] = []
    found: dict[tuple[str, str, str], list[Candidate]] = {}
    for folder in {folder.resolve(): folder for folder in find_runs(places)}.values():
        direct = folder.resolve() in named
        if not (folder / "utterances.csv").exists():
            aside.append(Aside(folder, ("it is not finished: run it again",), direct))
            continue
        try:
            run = open_run(folder, check=False)
        except SrbenchError as error:
            aside.append(Aside(folder, tuple(str(error).splitlines()), fault=True))
            continue
        basis = protocols.get(run.manifest.protocol)
        try:
            if is_scored(run.manifest.protocol_signature):
                basis = references_of(run)
        except SrbenchError as error:
            aside.append(Aside(folder, (str(error),), fault=True))
            continue
        basis = basis and basis.of_run(run)
        if basis is None:
            reason = f"protocol {shown(run.manifest.protocol)} is not known here: give its file with --protocol"
        else:
            reason = _unfit(run, basis, allow_partial)
        if basis is None or reason:
            aside.append(Aside(folder, (reason,), direct))
            continue
        candidate = Candidate(run, basis)
        key = (basis.name, ANCHOR if run.manifest.upscaler.anchor else "", candidate.upscaler)
        found.setdefault(key, []).append(candidate)
    found, strange = _one_set_a_name(found, standing or {})
    lost = {c.basis.name for c, _ in strange} - {name for name, _, _ in found}  # nothing of it is published
    aside += [
        Aside(c.run.folder, (reason,), c.basis.name in lost or c.run.folder.resolve() in named) for c, reason in strange
    ]
    taken, notes = [], []
    for (protocol_name, _, upscaler), several in found.items():
        weights = {str(c.run.manifest.upscaler.told.get("weights_sha256")) for c in several}
        if "@" in upscaler and len(weights) > 1:  # not one upscaler run again: two training runs' best.safetensors
            why = f"{len(weights)} files of weights make the name {upscaler}: rename one, run it again, leave this out"
            aside += [Aside(c.run.folder, (why,), fault=True) for c in several]
            continue
        *older, newest = sorted(several, key=_started)
        taken.append(newest)
        if older:
            notes.append(
                f"{protocol_name}: of {len(several)} runs of {upscaler} the newest is taken, {newest.run.folder.name}"
            )
    return taken, aside, notes


def _one_set_a_name(
    found: Mapping[tuple[str, str, str], list[Candidate]], standing: Mapping[str, Terms]
) -> tuple[dict[tuple[str, str, str], list[Candidate]], list[tuple[Candidate, str]]]:
    """Keep of scored runs those that fit their leaderboard, else the newest terms of a name; say why not the others."""
    newest: dict[str, Terms] = {}
    for candidate in sorted((c for several in found.values() for c in several), key=_started):
        if not candidate.basis.own_name:
            newest[candidate.basis.name] = candidate.basis.terms
    kept: dict[tuple[str, str, str], list[Candidate]] = {}
    strange = []
    for key, several in found.items():
        for candidate in several:
            of = candidate.basis
            if not of.own_name and (ours := of.terms) != (wanted := {**newest, **standing}[of.name]):
                others = "the leaderboard" if of.name in standing else "newer runs of"
                differ = differing_terms(ours, wanted)
                text = f"differs from {others} {of.name} in {differ}: {of.other_name}"
                strange.append((candidate, text))
            else:
                kept.setdefault(key, []).append(candidate)
    return kept, strange


def _started(candidate: Candidate) -> tuple[str, str]:
    return candidate.run.manifest.started, candidate.run.folder.name


def _unfit(run: Run, basis: Basis, allow_partial: bool) -> str:
    """Say why a run does not belong into a leaderboard though nothing need be wrong with it; "" where it does."""
    manifest = run.manifest
    if not manifest.own_corpus:
        return next(
            (note for note in manifest.notes if note.startswith("Not the protocol's own")),
            "it is not a run on the protocol's own corpus and split",
        )
    lacking = [name for name in basis.metrics if name not in manifest.metrics]
    if lacking or len(manifest.metrics) != len(basis.metrics):
        more = sorted(manifest.metrics.keys() - set(basis.metrics))
        text = "; ".join(
            f"{word} {', '.join(names)}" for word, names in (("without", lacking), ("with", more)) if names
        )
        return f"its metrics are not the protocol's: {text}"
    if allow_partial:
        return ""
    expected = basis.expected
    listed = manifest.utterances.n
    if listed == len(run.records) < expected:
        return f"it is partial: {listed} of {expected} utterances (--allow-partial takes it, and its n says so)"
    failed = [record for record in run.records if record.error]
    if failed:
        first = f"{failed[0].utterance}: {failed[0].error}"
        return f"it failed on {len(failed)} of {expected} utterances (--allow-partial takes it); the first, {first}"
    return ""
