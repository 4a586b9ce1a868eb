"""What will be run: the utterances of a protocol's split, found in a corpus, or what stands in for them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from srbench.audio import check_channels
from srbench.corpora import Corpus, Utterance, demo_corpus, open_corpus
from srbench.corpora.corpus import file_digest, samples_digest
from srbench.corpora.demo import NAME as DEMO
from srbench.corpora.splits import checksum
from srbench.errors import SrbenchError, shown
from srbench.metrics import Definition
from srbench.protocols import ALL, Protocol
from srbench.signature import Signature


@dataclass(frozen=True)
class Plan:
    """The utterances to score, and what must be said about them.

    Attributes
    ----------
    protocol : Protocol
    signature : Signature
        The protocol's, with the corpus and split really used.
    corpus : Corpus
    utterances : tuple of Utterance
        What is scored, sorted by id.
    split, side : str
        ``all`` twice where every utterance of the corpus is scored.
    expected : int
        Utterances of the split; `found` of them are in the corpus, and a limit may leave fewer to score.
    found : int
    own : bool
        Whether corpus, split and side are the protocol's own, and where the split ships digests of its recordings, so
        are these. Numbers of a run that is not its own do not compare.
    notes : tuple of str
        What has to stand beside the numbers.
    definitions : mapping of metric name to its definition
    """

    protocol: Protocol
    signature: Signature
    corpus: Corpus
    utterances: tuple[Utterance, ...]
    split: str
    side: str
    expected: int
    found: int
    own: bool
    notes: tuple[str, ...]
    definitions: Mapping[str, Definition] = field(hash=False)


def make_plan(
    protocol: Protocol,
    data: str | Path | None = None,
    *,
    side: str | None = None,
    metrics: tuple[str, ...] | None = None,
    limit: int | None = None,
    allow_partial: bool = False,
    channels: str | None = None,
) -> Plan:
    """Find the utterances of a protocol.

    Parameters
    ----------
    protocol : Protocol
    data : path, optional
        The corpus's folder; without it, the embedded demo corpus.
    side : str, optional
        A side of the protocol's split in place of its own, or ``all`` for every utterance of the corpus. The
        protocols of the embedded corpus take ``all`` by themselves when another corpus is given.
    metrics : tuple of str, optional
        In place of the protocol's.
    limit : int, optional
        Score only the first so many.
    allow_partial : bool
        Go on when some utterances of the split are absent.
    channels : str, optional
        In place of the protocol's: what is taken of recordings with several (`srbench.audio.one_channel`).

    Raises
    ------
    SrbenchError
        If the corpus or the side cannot be used, no utterance of the split is there, or some are absent and
        `allow_partial` is not set.
    """
    if data is None and protocol.corpus != DEMO:
        raise SrbenchError(
            f"protocol {protocol.name} runs on {protocol.corpus}: say where it is with --data DIR "
            "('srbench data fetch' downloads; 'srbench list protocols' shows what needs no data)"
        )
    if limit is not None and limit < 1:
        raise SrbenchError(f"--limit must be at least 1, not {limit}")
    check_channels(channels)
    own_channels = channels in (None, protocol.channels)
    protocol = dataclasses.replace(protocol, channels=channels or protocol.channels)
    own_split = protocol.load_split()
    corpus = demo_corpus() if data is None else open_corpus(data, own_split.mic, protocol.corpus)
    if side is None:
        side = ALL if protocol.corpus == DEMO and corpus.name != DEMO else protocol.side
    missing: list[str] = []
    if side == ALL:
        chosen = corpus.utterances
        split, expected = ALL, len(chosen)
        # no list fixes these recordings, so their samples are what is named, or the bytes of what is no recording
        lines = [f"{u.id} {samples_digest(u.path) or file_digest(u.path)}" for u in chosen]
        identity = f"{ALL}.{checksum(lines)[:8]}"
    else:
        ids, here = own_split.ids(side), corpus.by_id()
        missing = [i for i in ids if i not in here]
        chosen = tuple(here[i] for i in ids if i in here)
        split, expected = own_split.name, len(ids)
        identity = f"{split}.{side}.{own_split.checksum(side)[:8]}"
        _refuse_absent(protocol, corpus, f"{split}, side {side}", missing, expected, allow_partial)
    own = corpus.name == protocol.corpus and side == protocol.side and own_channels
    notes = []
    if corpus.name == DEMO:
        notes.append("The corpus is synthetic speech.")
    if corpus.name != protocol.corpus:
        notes.append(f"Not the protocol's own corpus: {corpus.name} ({corpus.root}) in place of {protocol.corpus}.")
    elif side != protocol.side:
        notes.append(f"Not the protocol's own side: {side} in place of {protocol.side}.")
    if not own_channels:
        notes.append(f"Not the protocol's own channels: --channels {channels} of recordings with several.")
    if missing:
        notes.append(f"Partial: {len(chosen)} of {expected} utterances of the split are there.")
    notes += corpus.notes
    found = len(chosen)
    if limit is not None and limit < found:
        speakers = len({each.speaker for each in chosen})
        chosen = chosen[:limit]
        notes.append(f"Partial: limited to the first {limit} of {expected} utterances.")
        if speakers > 1:  # they stand by speaker
            notes.append(f"The first {limit} by id are of {len({u.speaker for u in chosen})} of {speakers} speakers.")
    if own and (samples := own_split.samples()):  # only a split that ships digests says what its recordings are
        other = not_own(samples, {u.id: samples_digest(u.path) for u in chosen})
        own, notes = own and not other, [*notes, *([other] if other else [])]
    return Plan(
        protocol,
        protocol.signature(corpus.name, identity),
        corpus,
        chosen,
        split,
        side,
        expected,
        found,
        own,
        tuple(notes),
        protocol.define_metrics(metrics),
    )


def not_own(own: Mapping[str, str], digests: Mapping[str, str]) -> str:
    """Say how many recordings are not those of a split that ships digests; "" where all are.

    Parameters
    ----------
    own : mapping of id to digest
        From `srbench.corpora.splits.Split.samples`; their first digits are enough.
    digests : mapping of id to digest
        Of what is to be scored; "" where it could not be read, which is not compared.
    """
    other = sorted(each for each, digest in digests.items() if digest and not digest.startswith(own.get(each, "")))
    if not other:
        return ""
    text = f"{len(other)} of {len(digests)} recordings are not the protocol's own samples; the first: {other[0]}"
    return f"Not the protocol's own recordings: {text}."


def _refuse_absent(
    protocol: Protocol, corpus: Corpus, split: str, missing: list[str], expected: int, allow_partial: bool
) -> None:
    if not missing or (allow_partial and len(missing) < expected):
        return
    some = f"{len(missing)} of the {expected} utterances" if len(missing) < expected else f"all {expected} utterances"
    way = (
        "--allow-partial scores the others and says so"
        if len(missing) < expected
        else f"--split {ALL} scores what is there instead, marked as not the protocol's own"
    )
    raise SrbenchError(
        f"protocol {protocol.name}: {some} of split {split} are absent from {corpus.root} ({corpus.name}, "
        f"{len(corpus.utterances)} utterances such as {corpus.utterances[0].id}); the first is {shown(missing[0])}"
        f"{f': there it is {meant}' if (meant := corpus.meant(missing[0])) else ''}.\n{way}."
    )
