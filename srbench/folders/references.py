"""A set of references: what scores of audio made elsewhere have in place of a protocol and its corpus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from srbench import audio
from srbench.corpora import Corpus, Utterance, open_corpus
from srbench.corpora.corpus import file_digest
from srbench.corpora.splits import checksum
from srbench.errors import SrbenchError
from srbench.folders.pairing import FilePair
from srbench.folders.task import ScoreTask, evaluate
from srbench.metrics import Definition
from srbench.run import Run
from srbench.run.basis import MEASURED, Again, Basis, Heard, Terms
from srbench.run.record import ScoreRecord
from srbench.scoring.repair import Repairs
from srbench.signature import Signature, differing_fields, parse, value_text

VERSION = 2  # version 1 took the digests of files, so WAV and FLAC of one recording were two references
_NAME = "SCORE"


def signature(
    sample_rate: int,
    cutoff: float | None,
    repairs: Repairs,
    digests: Iterable[tuple[str, str]],
    version: int = VERSION,
) -> Signature:
    """Return all that scores depend on but the estimates.

    Parameters
    ----------
    sample_rate : int, in Hz
    cutoff : float or None, in Hz
    repairs : Repairs
    digests : iterable of (str, str)
        Of each reference its id and the digest of its samples (`srbench.audio.recording_digest`), of its file where
        they cannot be read.
    version : int
        Of this definition. Version 1 takes the digests of the files.
    """
    lines = [f"{key} {digest}" for key, digest in digests]
    refs = f"{len(lines)}.{checksum(lines)[:8]}"
    told = {"sr": sample_rate, "cutoff": cutoff, **repairs.fields(), "refs": refs, "v": version}
    return Signature(_NAME, tuple((key, value_text(value)) for key, value in told.items()))


def is_scored(protocol_signature: object) -> bool:
    """Tell by what a run or a leaderboard has as its protocol's signature whether it is of audio made elsewhere."""
    return str(protocol_signature).startswith(f"{_NAME}|")


@dataclass(frozen=True)
class References(Basis):
    """What a scored run was scored against.

    Attributes
    ----------
    repairs : Repairs
    references : int
        In all; some may have no estimate.
    root : Path
        Where they lay when they were scored. They need not be there any more.
    utterances : tuple of Utterance
        Those that were scored.
    digests : mapping of id to SHA-256
        Of their samples; in scores of version 1 of their files.
    version : int
        Of the signature.
    """

    repairs: Repairs
    references: int
    root: Path
    utterances: tuple[Utterance, ...]
    digests: Mapping[str, str]
    version: int

    def signature(self) -> Signature:
        """Return the signature that scores against these references have, with this version."""
        return signature(self.high_rate, self.cutoff, self.repairs, self.digests.items(), self.version)

    def ids(self) -> tuple[str, ...]:
        """Return those that were scored."""
        return tuple(self.digests)

    @property
    def expected(self) -> int:
        """How many references there are."""
        return self.references

    @property
    def set_name(self) -> str:
        """What they are, in words."""
        return "the references"

    @property
    def absent(self) -> str:
        """Where they were."""
        return f"the references are not here any more ({self.root})"

    def corpora(self, folders: Sequence[Path], opened: Callable[..., Corpus] = open_corpus) -> list[Corpus]:
        """Return the references as a corpus, where they still lie there."""
        return [Corpus("folder", self.root, self.utterances)] if self.root.is_dir() else []

    def faults(self, run: Run) -> list[tuple[str, str]]:
        """Return nothing: the references are what the run says."""
        return []

    def again(self, run: Run, corpus: Corpus, plugins: Sequence[Path]) -> Again:
        """Score pairs again as they were scored, from where they lie."""
        folder = _estimates(run)

        def values(utterance: Utterance, definitions: Mapping[str, Definition]) -> Mapping[str, float]:
            task = ScoreTask(definitions, self.high_rate, self.cutoff, self.repairs, self.root, folder)
            again = evaluate(task, self._pair(run, folder, utterance.id))
            if again.error:
                raise SrbenchError(again.error)
            return again.values

        return Again(values, MEASURED)

    def recordings(self, run: Run, corpus: Corpus, plugins: Sequence[Path]) -> Callable[[str], Heard]:
        """Return reference and estimate as they lie there, the estimate brought to the reference's rate and length."""

        def heard(utterance: str) -> Heard:
            pair = self._pair(run, _estimates(run), utterance)
            assert pair.estimate is not None
            (reference, rate), (estimate, its_rate) = (
                audio.read(path, self.repairs.channels) for path in (pair.reference, pair.estimate)
            )
            return Heard(reference, None, estimate if its_rate == rate else audio.resample(estimate, its_rate, rate))

        return heard

    def _pair(self, run: Run, folder: Path, utterance_id: str) -> FilePair:
        """Return the files of a pair; raise SrbenchError where one is not what was scored."""
        record = run.by_id[utterance_id]
        assert isinstance(record, ScoreRecord)
        reference, estimate = self.root / record.file, folder / record.estimate_file
        for path, stamp in ((reference, record.stamp), (estimate, record.estimate_stamp)):
            if file_digest(path) != stamp:
                raise SrbenchError(f"{path} is not what was scored (SHA-256 differs); score it again")
        return FilePair(utterance_id, record.speaker, reference, estimate)


def _estimates(run: Run) -> Path:
    """Return the folder of a scored run's estimates; raise SrbenchError where it is not there."""
    folder = Path(run.manifest.corpus.estimates or "")
    if not folder.is_dir():
        raise SrbenchError(f"the estimates are not here any more ({folder})")
    return folder


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
        root, rate, version = Path(manifest.corpus.root or told["root"]), int(told["sr"]), int(told["v"])
    except (KeyError, ValueError, TypeError) as error:
        raise SrbenchError(f"{run.folder}: is not the manifest of scores: {error!r}") from error
    return References(
        name=manifest.protocol,
        title=manifest.protocol_title,
        source="",
        metrics=tuple(manifest.metrics),
        high_rate=rate,
        low_rate=None,
        cutoff=cutoff,
        has_floor=False,
        own_name=False,
        repairs=repairs,
        references=manifest.split.expected,
        root=root,
        utterances=tuple(Utterance(r.utterance, r.speaker, root / r.file) for r in run.records),
        digests={r.utterance: r.stamp if version == 1 else r.recording or r.stamp for r in run.records},
        version=version,
    )


def differing_protocols(a: str | Signature, b: str | Signature) -> list[str]:
    """List in words what differs between two protocols' signatures, of references also what their checksum is of."""
    of = "of the samples"
    return [f"{part} ({of})" if part.startswith("refs ") else part for part in differing_fields(a, b)]


def differing_terms(ours: Terms, others: Terms) -> str:
    """Return in what terms differ, in words: ``gain yes against no``."""
    differ = differing_protocols(ours.signature, others.signature)
    return "; ".join(differ) or f"its metrics ({', '.join(sorted(ours.metrics ^ others.metrics))})"
