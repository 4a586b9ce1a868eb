"""What the numbers of a run rest on: a protocol, or the references that it was scored against.

Both answer the same questions, so that whatever checks, publishes or shows runs asks and need not know which it is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import NamedTuple

from srbench import metrics
from srbench.audio import Rate, Samples, resample
from srbench.corpora import Corpus, Utterance, demo_corpus, open_corpus
from srbench.corpora.demo import NAME as DEMO
from srbench.corpora.splits import checksum
from srbench.errors import SrbenchError
from srbench.metrics import Definition, Pair, measure_all
from srbench.protocols import ALL, Protocol
from srbench.run.entrant import Entrant
from srbench.run.folder import Run
from srbench.run.manifest import COMMAND, ESTIMATES, MANIFEST
from srbench.run.pipeline import Task, evaluate
from srbench.run.plan import not_own
from srbench.run.recordings import is_recording
from srbench.run.replay import entrant_of, signals
from srbench.signature import Signature, parse

RUN, MEASURED = "run again", "measured again"


class Terms(NamedTuple):
    """What all numbers of one leaderboard have in common: the basis's signature, and the metrics."""

    signature: str
    metrics: frozenset[str]


class Heard(NamedTuple):
    """The signals of one utterance at one rate, shapes (n,); ``low`` is None where there is no such file."""

    reference: Samples
    low: Samples | None
    estimate: Samples


Values = Callable[[Utterance, Mapping[str, Definition]], Mapping[str, float]]


@dataclass(frozen=True)
class Again:
    """How the values of an utterance are computed again.

    Attributes
    ----------
    values : callable (utterance, definitions) -> mapping of metric name to float
        Raises SrbenchError where that cannot be done.
    how : str
        `RUN` or `MEASURED`.
    kept : bool
        Whether they are of estimates that a run kept as 32-bit floats.
    """

    values: Values
    how: str = RUN
    kept: bool = False


@dataclass(frozen=True)
class Basis(ABC):
    """What a protocol and a set of references both answer.

    Attributes
    ----------
    name, title, source : str
    metrics : tuple of str
    high_rate : int, in Hz
    low_rate : int, Fraction or None, in Hz
    cutoff : float or None, in Hz
    has_floor : bool
        Whether a leaderboard of it is to hold the spline.
    own_name : bool
        Whether nothing else bears its name.
    """

    name: str
    title: str
    source: str
    metrics: tuple[str, ...]
    high_rate: int
    low_rate: Rate | None
    cutoff: float | None
    has_floor: bool
    own_name: bool

    @abstractmethod
    def signature(self) -> Signature:
        """Return all that numbers depend on but the estimates, as this version defines it."""

    def of_run(self, run: Run) -> Basis:
        """Return what this is for one run: itself, but where only a run can say which recordings it is of."""
        return self

    @property
    def other_name(self) -> str:
        """What to do where two of one name differ."""
        return "score it under another --name to publish it too"

    def define_metrics(self, names: Iterable[str] | None = None) -> dict[str, Definition]:
        """Fix its metrics (or the named ones) at its rate and cutoff."""
        return metrics.define(tuple(self.metrics if names is None else names), self.high_rate, self.cutoff)

    @property
    def terms(self) -> Terms:
        """The terms that its numbers are on."""
        return Terms(str(self.signature()), frozenset(self.metrics))

    @abstractmethod
    def ids(self) -> tuple[str, ...]:
        """Return the utterances that a whole run scores, sorted."""

    @property
    def expected(self) -> int:
        """How many utterances a leaderboard's rows are of."""
        return len(self.ids())

    @property
    @abstractmethod
    def set_name(self) -> str:
        """What its utterances are, in words."""

    @property
    @abstractmethod
    def absent(self) -> str:
        """What is to be said where its recordings are not here."""

    @abstractmethod
    def corpora(self, folders: Sequence[Path], opened: Callable[..., Corpus] = open_corpus) -> list[Corpus]:
        """Return where its recordings are here: of some folders, which ``opened`` opens, those that hold them.

        Raises
        ------
        SrbenchError
            If a folder is no corpus.
        """

    @abstractmethod
    def faults(self, run: Run) -> list[tuple[str, str]]:
        """Return what about a run is not of this basis: pairs of a file of the run and what is wrong in it."""

    @abstractmethod
    def again(self, run: Run, corpus: Corpus, plugins: Sequence[Path]) -> Again:
        """Return how rows of a run are computed again.

        Raises
        ------
        SrbenchError
            If they cannot be.
        """

    @abstractmethod
    def recordings(self, run: Run, corpus: Corpus, plugins: Sequence[Path]) -> Callable[[str], Heard]:
        """Return a function from an utterance's id to its signals; it raises SrbenchError where they are not here."""


@dataclass(frozen=True)
class OfProtocol(Basis):
    """A protocol with its corpus and its split."""

    protocol: Protocol

    def of_run(self, run: Run) -> Basis:
        """Return itself; of a protocol that scores every recording of a corpus, with those of the run."""
        if self.protocol.split != ALL:
            return self
        told = {each.name: getattr(self, each.name) for each in fields(self)}
        return OfWholeCorpus(**{**told, "own_name": False}, run=run)

    def signature(self) -> Signature:
        """Return the protocol's signature, on its own corpus and split."""
        return self.protocol.signature()

    def ids(self) -> tuple[str, ...]:
        """Return the utterances of its side of the split."""
        return self.protocol.load_split().ids(self.protocol.side)

    @property
    def set_name(self) -> str:
        """The split's name."""
        return f"split {self.protocol.split}"

    @property
    def absent(self) -> str:
        """Which corpus is not here, and how to say where it is."""
        return f"{self.protocol.corpus} is not here; say where it is with --data DIR"

    def corpora(self, folders: Sequence[Path], opened: Callable[..., Corpus] = open_corpus) -> list[Corpus]:
        """Return those that hold its own corpus."""
        name, mic = self.protocol.corpus, self.protocol.load_split().mic
        here = [corpus for folder in folders if (corpus := opened(folder, mic, name)).name == name]
        return [*here, demo_corpus()] if name == DEMO else here

    def faults(self, run: Run) -> list[tuple[str, str]]:
        """Return where a run is not on the protocol's own corpus and split."""
        manifest, split, found = run.manifest, self.protocol.load_split(), []
        if not manifest.own_corpus or manifest.corpus.name != self.protocol.corpus:
            found.append((MANIFEST, f"it is not a run on {self.protocol.corpus}, the protocol's own corpus"))
        if other := not_own(split.samples(), {r.utterance: r.recording for r in run.records}):
            found.append(("journal.jsonl", other))
        wanted = {"name": split.name, "side": self.protocol.side, "expected": self.expected}
        return found + [
            (MANIFEST, f"the split's {key} is {value}, not {getattr(manifest.split, key)}")
            for key, value in wanted.items()
            if getattr(manifest.split, key) != value
        ]

    def again(self, run: Run, corpus: Corpus, plugins: Sequence[Path]) -> Again:
        """Have the upscaler make the estimates where it is here and what it was; else take those that the run kept."""
        kind = run.manifest.upscaler.kind
        try:
            made_again = self._run_again(run, entrant_of(run, self.protocol, plugins), corpus)
            return Again(made_again, MEASURED if kind == ESTIMATES else RUN)
        except SrbenchError as error:
            if run.manifest.draws > 1:
                raise SrbenchError(f"of its {run.manifest.draws} draws one was kept, and {error}") from error
            if not (run.folder / "audio").is_dir() and kind != COMMAND:  # what a command wrote may be in the cache
                raise SrbenchError(f"it kept no audio, and {error}") from error
        return Again(self._measure_again(run, corpus), MEASURED, kept=True)

    def _run_again(self, run: Run, entrant: Entrant, corpus: Corpus) -> Values:
        def values(utterance: Utterance, definitions: Mapping[str, Definition]) -> Mapping[str, float]:
            task = Task(self.protocol, definitions, entrant, run.manifest.seed, corpus.root, draws=run.manifest.draws)
            record = evaluate(task, utterance)
            if not is_recording(run.by_id[utterance.id], utterance.path):
                raise SrbenchError(f"{utterance.path} is not the recording that was scored (SHA-256 differs)")
            if record.error:
                raise SrbenchError(record.error)
            return record.values

        return values

    def _measure_again(self, run: Run, corpus: Corpus) -> Values:
        def values(utterance: Utterance, definitions: Mapping[str, Definition]) -> Mapping[str, float]:
            reference, _, estimate, _ = signals(run, self.protocol, corpus, utterance.id, None)
            return measure_all(Pair(reference, estimate, self.high_rate, self.cutoff), definitions)[0]

        return values

    def recordings(self, run: Run, corpus: Corpus, plugins: Sequence[Path]) -> Callable[[str], Heard]:
        """Return the signals as the run was made from them, the low resolution brought to the high rate."""
        entrant, why = None, ""
        try:
            entrant = entrant_of(run, self.protocol, plugins)
        except SrbenchError as error:  # what the run kept of its audio can be heard all the same
            why = str(error)

        def heard(utterance: str) -> Heard:
            try:
                made = signals(run, self.protocol, corpus, utterance, entrant)
            except SrbenchError as error:
                raise SrbenchError(why or str(error)) from error
            return Heard(made.reference, resample(made.low, self.protocol.low_rate, self.high_rate), made.estimate)

        return heard


@dataclass(frozen=True)
class OfWholeCorpus(OfProtocol):
    """A protocol that scores every recording of a corpus: which those are, a run says."""

    run: Run

    def signature(self) -> Signature:
        """Return the signature over the samples of the run's recordings; of a partial run, as the run tells it."""
        manifest = self.run.manifest
        lines = [f"{record.utterance} {record.recording or record.stamp}" for record in self.run.records]
        split = f"{ALL}.{checksum(lines)[:8]}"
        if len(lines) < manifest.split.expected:
            split = dict(parse(manifest.protocol_signature).fields).get("split", split)
        return self.protocol.signature(split=split)

    def ids(self) -> tuple[str, ...]:
        """Return the utterances of the run."""
        return tuple(sorted(record.utterance for record in self.run.records))

    @property
    def expected(self) -> int:
        """How many recordings the corpus had."""
        return self.run.manifest.split.expected

    @property
    def other_name(self) -> str:
        """What to do where two runs are of other recordings."""
        return "run all on the same recordings, or give the protocol another name"


def of_protocol(protocol: Protocol) -> OfProtocol:
    """Return a protocol as what numbers rest on."""
    told = {key: getattr(protocol, key) for key in ("name", "title", "source", "metrics", "high_rate", "low_rate")}
    return OfProtocol(**told, cutoff=protocol.cutoff, has_floor=True, own_name=True, protocol=protocol)
