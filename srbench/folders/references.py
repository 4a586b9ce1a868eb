"""A set of references: what scores of audio made elsewhere have in place of a protocol and its corpus."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from srbench import audio, metrics
from srbench.audio import Samples
from srbench.corpora import Corpus, Utterance
from srbench.corpora.corpus import file_digest
from srbench.corpora.splits import checksum
from srbench.errors import SrbenchError
from srbench.folders.pairing import FilePair
from srbench.folders.task import ScoreTask, evaluate
from srbench.metrics import Definition
from srbench.protocols import Protocol
from srbench.run import Run
from srbench.run.record import ScoreRecord
from srbench.scoring.repair import Repairs
from srbench.signature import Signature, differing_fields, parse, value_text

VERSION = 1
_NAME = "SCORE"


def signature(
    sample_rate: int, cutoff: float | None, repairs: Repairs, digests: Iterable[tuple[str, str]]
) -> Signature:
    """Return all that scores depend on but the estimates.

    Parameters
    ----------
    sample_rate : int, in Hz
    cutoff : float or None, in Hz
    repairs : Repairs
    digests : iterable of (str, str)
        Of each reference its id and the SHA-256 of its file.
    """
    lines = [f"{key} {digest}" for key, digest in digests]
    refs = f"{len(lines)}.{checksum(lines)[:8]}"
    told = {"sr": sample_rate, "cutoff": cutoff, **repairs.fields(), "refs": refs, "v": VERSION}
    return Signature(_NAME, tuple((key, value_text(value)) for key, value in told.items()))


def is_scored(protocol_signature: object) -> bool:
    """Tell by what a run or a leaderboard has as its protocol's signature whether it is of audio made elsewhere."""
    return str(protocol_signature).startswith(f"{_NAME}|")


@dataclass(frozen=True)
class References:
    """What a scored run was scored against.

    Attributes
    ----------
    name, title : str
    metrics : tuple of str
    high_rate : int, in Hz
    cutoff : float or None, in Hz
    repairs : Repairs
    expected : int
        References in all; some may have no estimate.
    root : Path
        Where they lay when they were scored. They need not be there any more.
    utterances : tuple of Utterance
        Those that were scored.
    digests : mapping of id to SHA-256
        Of their files.
    """

    name: str
    title: str
    metrics: tuple[str, ...]
    high_rate: int
    cutoff: float | None
    repairs: Repairs
    expected: int
    root: Path
    utterances: tuple[Utterance, ...]
    digests: Mapping[str, str]

    @property
    def corpus(self) -> Corpus | None:
        """The references as a corpus, None where they are not here."""
        return Corpus("folder", self.root, self.utterances) if self.root.is_dir() else None

    def signature(self) -> Signature:
        """Return the signature that scores against these references have, with this version."""
        return signature(self.high_rate, self.cutoff, self.repairs, self.digests.items())

    def define_metrics(self, names: tuple[str, ...] | None = None) -> dict[str, Definition]:
        """Fix the metrics (or the named ones) at the references' rate and cutoff."""
        return metrics.define(names if names is not None else self.metrics, self.high_rate, self.cutoff)


Basis = Protocol | References  # what the numbers of a run rest on


def references_of(run: Run) -> References:
    """Return what a run was scored against, as its manifest and its records say.

    Raises
    ------
    SrbenchError
        If the manifest is not one of a scored run.
    """
    manifest = run.manifest
    told = dict(parse(manifest.protocol_signature).fields)
    try:
        length = None if told["length"] == "none" else told["length"]
        wanted = (told["align"] == "yes", length, told["gain"] == "yes", told["resample"] != "none")
        repairs = Repairs(*wanted, told.get("channels"))
        cutoff = None if told["cutoff"] == "none" else float(told["cutoff"])
        root, rate = Path(manifest.corpus.root or told["root"]), int(told["sr"])
    except (KeyError, ValueError, TypeError) as error:
        raise SrbenchError(f"{run.folder}: is not the manifest of scores: {error!r}") from error
    return References(
        manifest.protocol,
        manifest.protocol_title,
        tuple(manifest.metrics),
        rate,
        cutoff,
        repairs,
        manifest.split.expected,
        root,
        tuple(Utterance(r.utterance, r.speaker, root / r.file) for r in run.records),
        {r.utterance: r.stamp for r in run.records},
    )


class Elsewhere:
    """The audio behind a scored run, where it still lies there.

    Parameters
    ----------
    run : Run
    references : References
        From `references_of`.

    Raises
    ------
    SrbenchError
        If the folder of the estimates is not there.
    """

    def __init__(self, run: Run, references: References) -> None:
        self._references = references
        self._folder = Path(run.manifest.corpus.estimates or "")
        if not self._folder.is_dir():
            raise SrbenchError(f"the estimates are not here any more ({self._folder})")
        self._records = {r.utterance: r for r in run.records if isinstance(r, ScoreRecord)}

    def score(self, utterance_id: str, definitions: Mapping[str, Definition]) -> dict[str, float]:
        """Score a pair again, as it was scored.

        Raises
        ------
        SrbenchError
            If a file is not what it was, or the pair cannot be scored.
        """
        of = self._references
        task = ScoreTask(definitions, of.high_rate, of.cutoff, of.repairs, of.root, self._folder)
        again = evaluate(task, self._pair(utterance_id))
        if again.error:
            raise SrbenchError(again.error)
        return dict(again.values)

    def read(self, utterance_id: str) -> tuple[Samples, Samples]:
        """Return reference and estimate as they lie there, the estimate brought to the reference's rate.

        Raises
        ------
        SrbenchError
            If a file is not what it was, or cannot be read.
        """
        pair = self._pair(utterance_id)
        assert pair.estimate is not None
        (reference, rate), (estimate, its_rate) = (
            audio.read(path, self._references.repairs.channels) for path in (pair.reference, pair.estimate)
        )
        return reference, estimate if its_rate == rate else audio.resample(estimate, its_rate, rate)

    def _pair(self, utterance_id: str) -> FilePair:
        record = self._records[utterance_id]
        pair = FilePair(
            utterance_id, record.speaker, self._references.root / record.file, self._folder / record.estimate_file
        )
        assert pair.estimate is not None
        for path, stamp in ((pair.reference, record.stamp), (pair.estimate, record.estimate_stamp)):
            if file_digest(path) != stamp:
                raise SrbenchError(f"{path} is not what was scored (SHA-256 differs); score it again")
        return pair


class Terms(NamedTuple):
    """What scores of one leaderboard have in common: the references, rate, cutoff and repairs, and the metrics."""

    signature: str
    metrics: frozenset[str]


def terms_of(references: References) -> Terms:
    """Return the terms that scores against a set of references are on."""
    return Terms(str(references.signature()), frozenset(references.metrics))


def differing_protocols(a: str | Signature, b: str | Signature) -> list[str]:
    """List in words what differs between two protocols' signatures, of references also what their checksum is of."""
    of = "of the bytes of the files: the same samples in another format are other references"
    return [f"{part} ({of})" if part.startswith("refs ") else part for part in differing_fields(a, b)]


def differing_terms(ours: Terms, others: Terms) -> str:
    """Return in what terms differ, in words: ``gain yes against no``."""
    differ = differing_protocols(ours.signature, others.signature)
    return "; ".join(differ) or f"its metrics ({', '.join(sorted(ours.metrics ^ others.metrics))})"
