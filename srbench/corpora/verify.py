"""Check a corpus before it is scored against: each file is read once, each fault is a `Finding`, none an exception."""

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

import numpy as np

from srbench import audio
from srbench.audio import Samples
from srbench.bandwidth import bandwidth
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
CLIPPED_RUN = 3  # samples; one or two at the peak are normal
# A quiet or slow wave rests on its 16-bit peak as well, but leaves it by a step or two. With this no false alarm in
# 841 recordings at gains down to -40 dB; without, eleven.
CLIPPED_CORNER = 4 / 32768
BAND_MARGIN = 0.9  # of what is needed: anti-alias filters roll off in the rest


@dataclass(frozen=True)
class Finding:
    """One fault of one utterance; ``detail`` is one line with the numbers, ``path`` is empty if there is no file."""

    kind: str
    utterance: str
    path: str
    detail: str


@dataclass(frozen=True)
class _Examined:
    """What one reading of a file told; rate 0 and no digest if the examination ended before they mattered."""

    findings: tuple[Finding, ...]
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
) -> list[Finding]:
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
    findings = [Finding("missing", id_, "", _absent(corpus, id_)) for id_ in ids if id_ not in known]
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
    def finding(kind: str, detail: str) -> Finding:
        return Finding(kind, utterance.id, str(utterance.path), detail)

    try:
        channels, rate = _decode(utterance.path)
    except _Unreadable as error:
        return _Examined((finding("unreadable", str(error)),))
    if channels.shape[1] != 1:
        return _Examined((finding("channels", f"{channels.shape[1]} channels; a reference has one"),))
    samples = np.ascontiguousarray(channels[:, 0])
    damage = audio.damage(samples)
    if damage:
        return _Examined((finding("non-finite", f"holds {damage}, of {samples.size}"),))

    found = []
    needed = needs_hz if needs_hz is not None else (sample_rate or rate) / 2
    if sample_rate is not None and rate < sample_rate:
        found.append(finding("wrong-rate", f"{rate} Hz; {sample_rate} Hz or more are needed"))
        needed = min(needed, rate / 2)  # half of its own rate is all it can hold; more was just said
    swing = float(np.abs(samples - samples.mean()).max())
    if swing < 10 ** (SILENT_DB / 20):
        found.append(finding("silent", _silence(samples, swing)))
        return _Examined(tuple(found), rate)
    runs, longest = _clipped_runs(samples)
    if runs:
        peak = float(np.abs(samples).max())
        times = "once" if runs == 1 else f"{runs} times"
        found.append(finding("clipped", f"cut off flat at {peak:.4f} {times}, for up to {longest} samples"))
    held = bandwidth(samples, rate)
    if held < BAND_MARGIN * needed:
        found.append(finding("band-limited", f"holds nothing above {held:.0f} Hz while {needed:.0f} Hz is needed"))
    # adding 0.0 makes one of the two zeros that floats have
    return _Examined(tuple(found), rate, hashlib.sha256((samples + 0.0).tobytes()).hexdigest())


def _decode(path: Path) -> tuple[Samples, int]:
    """Read all channels, shape (frames, channels), whatever they hold; `srbench.audio.read` would refuse some."""
    try:
        size = path.stat().st_size
        if size == 0:
            raise _Unreadable("the file is empty (0 bytes)")
        return audio.read_channels(path)
    except OSError as error:
        raise _Unreadable(error.strerror or type(error).__name__) from error
    except SrbenchError as error:
        raise _Unreadable(f"{size} bytes: {str(error).removeprefix(f'{path}: ')}") from error


def _silence(samples: Samples, swing: float) -> str:
    if np.ptp(samples) == 0:
        return f"each of its {samples.size} samples is {samples[0]:g}"
    return f"peak at {20 * np.log10(swing):.1f} dBFS; {SILENT_DB:.0f} dBFS is the least"


def _clipped_runs(samples: Samples) -> tuple[int, int]:
    """Return how many runs of clipped samples there are, and the length of the longest."""
    runs, longest = 0, 0
    for side in (samples, -samples):
        flat = np.concatenate(([0], (side == side.max()).astype(np.int8), [0]))
        steps = np.diff(flat)
        for start, end in zip(np.flatnonzero(steps == 1), np.flatnonzero(steps == -1), strict=True):
            if end - start < CLIPPED_RUN or start == 0 or end == side.size:
                continue
            if side[start] - max(side[start - 1], side[end]) > CLIPPED_CORNER:
                runs, longest = runs + 1, max(longest, int(end - start))
    return runs, longest


def _below_most(present: list[Utterance], examined: dict[str, _Examined]) -> list[Finding]:
    counts = Counter(result.sample_rate for result in examined.values() if result.sample_rate)
    if len(counts) < 2:
        return []
    usual, files = max(counts.items(), key=lambda item: (item[1], item[0]))
    return [
        Finding("wrong-rate", u.id, str(u.path), f"{rate} Hz; {files} of {counts.total()} files have {usual} Hz")
        for u in present
        if 0 < (rate := examined[u.id].sample_rate) < usual
    ]


def _duplicates(present: list[Utterance], examined: dict[str, _Examined]) -> list[Finding]:
    first: dict[str, Utterance] = {}
    found = []
    for utterance in present:
        digest = examined[utterance.id].digest
        if digest and (earlier := first.setdefault(digest, utterance)) is not utterance:
            detail = f"the same samples as {earlier.id}"
            found.append(Finding("duplicate", utterance.id, str(utterance.path), detail))
    return found
