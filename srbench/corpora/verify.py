"""Check a corpus before it is scored against. Files are read once; a fault is a `CorpusFault`, never an exception."""

from __future__ import annotations

import hashlib
import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from srbench import audio
from srbench.audio import Samples
from srbench.bandwidth import bandwidth_of_blocks
from srbench.corpora.clipping import Clips
from srbench.corpora.corpus import Corpus, Utterance
from srbench.errors import SrbenchError

# In the order in which they are told of one utterance.
KINDS = (
    "missing",
    "unreadable",
    "channels",
    "non-finite",
    "wrong-rate",
    "silent",
    "clipped",
    "band-limited",
    "duplicate",
)
SILENT_DB = -60.0  # dBFS, of the peak: 33 steps of 16 bits
BAND_MARGIN = 0.9  # of what is needed: anti-alias filters roll off in the rest


@dataclass(frozen=True)
class CorpusFault:
    """One fault of one utterance; ``detail`` is one line with the numbers, ``path`` is empty if there is no file."""

    kind: str
    utterance: str
    path: str
    detail: str


@dataclass(frozen=True)
class _Examined:
    """What one reading of a file told; rate 0 and no digest if the examination ended before they mattered."""

    findings: tuple[CorpusFault, ...]
    sample_rate: int = 0
    digest: str = ""


_Examine = Callable[[Utterance], _Examined]


class _Unreadable(Exception):
    pass


def verify(
    corpus: Corpus,
    *,
    expected_ids: Sequence[str] | None = None,
    sample_rate: int | None = None,
    needs_hz: float | None = None,
    workers: int = 1,
    progress: Callable[[int, int], object] | None = None,
) -> list[CorpusFault]:
    """Return the faults of a corpus, in the order of its utterances.

    =============  ===================================================================================================
    missing        an expected id has no file
    unreadable     not audio, empty, or shorter than its header says
    channels       more than one
    non-finite     samples that are NaN, infinite, or beyond 2^31 times full scale
    wrong-rate     a rate below ``sample_rate``; without one, below the rate that most files have (of two, the higher).
                   A higher rate is fine: the file gets downsampled
    silent         no sample further than -60 dBFS from the mean
    clipped        three or more samples in a row at exactly the greatest (or least) value, entered and left by a corner
                   (more than four steps of 16 bits); a normalised peak has one or two
    band-limited   `srbench.bandwidth.bandwidth` is below 0.9 of ``needs_hz``
    duplicate      the samples of an earlier utterance
    =============  ===================================================================================================

    The first four end the examination of a file. What a silent file holds is not looked at any further.

    Parameters
    ----------
    corpus : Corpus
    expected_ids : sequence of str, optional
        Check these only, and that they are there; every utterance by default.
    sample_rate : int, optional, in Hz
        The rate at which the references are used.
    needs_hz : float, optional
        How far up a reference must hold something, in Hz; by default half of ``sample_rate``, without that half of the
        file's own rate.
    workers : int
        Processes that read; the findings do not depend on it.
    progress : callable, optional
        Told how many files are done and how many there are, after each.
    """
    known = corpus.by_id()
    ids = list(dict.fromkeys(expected_ids)) if expected_ids is not None else list(known)
    present = [known[id_] for id_ in ids if id_ in known]
    findings = [CorpusFault("missing", id_, "", _absent(corpus, id_)) for id_ in ids if id_ not in known]
    examined: dict[str, _Examined] = {}
    with _mapper(min(workers, len(present))) as each:
        results = each(partial(_examine, sample_rate=sample_rate, needs_hz=needs_hz), present)
        for utterance, result in zip(present, results, strict=True):
            examined[utterance.id] = result
            findings += result.findings
            if progress is not None:
                progress(len(examined), len(present))
    if sample_rate is None:
        findings += _below_most(present, examined)
    findings += _duplicates(present, examined)
    place = {id_: n for n, id_ in enumerate(ids)}
    return sorted(findings, key=lambda finding: (place[finding.utterance], KINDS.index(finding.kind)))


def _absent(corpus: Corpus, id_: str) -> str:
    meant = corpus.meant(id_)
    hint = f"; there it is {meant}" if meant else ""
    return f"no file for it in {corpus.root} ({corpus.name}){hint}"


@contextmanager
def _mapper(workers: int) -> Iterator[Callable[[_Examine, list[Utterance]], Iterable[_Examined]]]:
    """Offer an ordered map, over processes if there are to be several."""
    if workers <= 1:
        yield map
        return
    # "spawn": a forked copy of a process with threads (numpy's, a progress bar's) may hang
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield partial(pool.map, chunksize=8)


def _examine(utterance: Utterance, sample_rate: int | None, needs_hz: float | None) -> _Examined:
    def finding(kind: str, detail: str) -> CorpusFault:
        return CorpusFault(kind, utterance.id, str(utterance.path), detail)

    try:
        with _opened(utterance.path) as file:
            if file.channels != 1:
                return _Examined((finding("channels", f"{file.channels} channels; a reference has one"),))
            told = _first_pass(_blocks(file, utterance.path))
            if told.damage or told.swing < 10 ** (SILENT_DB / 20):
                runs, longest, held = 0, 0, 0.0
            else:
                file.seek(0)  # what lies at the peak can be looked for when the peak is known
                clips = Clips(told.lowest, told.highest)
                seen = (clips.look(block) for block in _blocks(file, utterance.path))
                held = bandwidth_of_blocks(seen, told.samples, max(-told.lowest, told.highest), file.samplerate)
                runs, longest = clips.finish()
            rate = int(file.samplerate)
    except _Unreadable as error:
        return _Examined((finding("unreadable", str(error)),))
    if told.damage:
        return _Examined((finding("non-finite", f"holds {told.damage}, of {told.samples}"),))
    found = []
    needed = needs_hz if needs_hz is not None else (sample_rate or rate) / 2
    if sample_rate is not None and rate < sample_rate:
        found.append(finding("wrong-rate", f"{rate} Hz; {sample_rate} Hz or more are needed"))
        needed = min(needed, rate / 2)  # half of its own rate is all it can hold; more was just said
    if told.swing < 10 ** (SILENT_DB / 20):
        found.append(finding("silent", _silence(told)))
        return _Examined(tuple(found), rate)
    if runs:
        peak = max(-told.lowest, told.highest)
        times = "once" if runs == 1 else f"{runs} times"
        found.append(finding("clipped", f"cut off flat at {peak:.4f} {times}, for up to {longest} samples"))
    if held < BAND_MARGIN * needed:
        found.append(finding("band-limited", f"holds nothing above {held:.0f} Hz while {needed:.0f} Hz is needed"))
    return _Examined(tuple(found), rate, told.digest)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a recording to be read in pieces, whatever it holds; `srbench.audio.read` would refuse some."""
    try:
        size = path.stat().st_size
        if size == 0:
            raise _Unreadable("the file is empty (0 bytes)")
        with audio.open_audio(path) as file:
            yield file
    except OSError as error:
        raise _Unreadable(error.strerror or type(error).__name__) from error
    except SrbenchError as error:
        raise _Unreadable(f"{size} bytes: {str(error).removeprefix(f'{path}: ')}") from error


def _blocks(file: Any, path: Path) -> Iterator[Samples]:
    """Yield the samples of an open file of one channel, in pieces of shape (n,).

    Raises
    ------
    SrbenchError
        If there are none, or fewer than its header promises.
    """
    promised, there = int(file.frames), 0
    for block in audio.blocks_of(file, path, promised):
        there += len(block)
        if len(block):
            yield block[:, 0]
    audio.check_whole(path, there, promised)


class _Told(NamedTuple):
    """What a first reading tells: ``swing`` is the greatest distance from the mean."""

    samples: int
    damage: str
    lowest: float
    highest: float
    swing: float
    digest: str


def _first_pass(blocks: Iterable[Samples]) -> _Told:
    count, infinite, beyond, total, lowest, highest = 0, 0, 0, 0.0, np.inf, -np.inf
    digest = hashlib.sha256()
    for block in blocks:
        count += block.size
        infinite += int(np.count_nonzero(~np.isfinite(block)))
        beyond += int(np.count_nonzero(np.abs(block) > audio.LOUDEST))
        if not infinite and not beyond:
            total += float(block.sum())
            lowest, highest = min(lowest, float(block.min())), max(highest, float(block.max()))
            digest.update((block + 0.0).tobytes())  # adding 0.0 makes one of the two zeros that floats have
    mean = total / count
    damage = audio.damage_told(infinite, beyond)
    return _Told(count, damage, lowest, highest, max(highest - mean, mean - lowest), digest.hexdigest())


def _silence(told: _Told) -> str:
    if told.lowest == told.highest:
        return f"each of its {told.samples} samples is {told.lowest:g}"
    return f"peak at {20 * np.log10(told.swing):.1f} dBFS; {SILENT_DB:.0f} dBFS is the least"


def _below_most(present: list[Utterance], examined: dict[str, _Examined]) -> list[CorpusFault]:
    counts = Counter(result.sample_rate for result in examined.values() if result.sample_rate)
    if len(counts) < 2:
        return []
    usual, files = max(counts.items(), key=lambda item: (item[1], item[0]))
    return [
        CorpusFault("wrong-rate", u.id, str(u.path), f"{rate} Hz; {files} of {counts.total()} files have {usual} Hz")
        for u in present
        if 0 < (rate := examined[u.id].sample_rate) < usual
    ]


def _duplicates(present: list[Utterance], examined: dict[str, _Examined]) -> list[CorpusFault]:
    first: dict[str, Utterance] = {}
    found = []
    for utterance in present:
        digest = examined[utterance.id].digest
        if digest and (earlier := first.setdefault(digest, utterance)) is not utterance:
            detail = f"the same samples as {earlier.id}"
            found.append(CorpusFault("duplicate", utterance.id, str(utterance.path), detail))
    return found
