"""How the benchmark measures: one core, one thread, ours and a peer in turn, the median of the ratios; and on what."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from srbench import audio
from srbench.audio import Samples
from srbench.corpora import demo_corpus, open_corpus
from srbench.run.processes import keep_memory

SECONDS, LOW_RATE, PIECES, ROUNDS = 4, 8000, 6, 9
Work = Callable[[Any], object]


@dataclass(frozen=True)
class Row:
    """One line of the table: what is measured, of which peer, in ms, and what is wanted of ours / theirs."""

    what: str
    ours: float
    peer: str
    theirs: float
    ratio: float
    target: float | None = None
    why_not: str = ""

    def line(self) -> str:
        """Return it as a line of Markdown."""
        if self.why_not:
            return f"| {self.what} | | {self.peer} | | | not measured: {self.why_not} |"
        met = "" if self.target is None else f"≤ {self.target:.3g}: {'met' if self.ratio <= self.target else 'missed'}"
        return f"| {self.what} | {self.ours:.2f} | {self.peer} | {self.theirs:.2f} | {self.ratio:.3f} | {met} |"


def one_core() -> None:
    """Bind this process, and those it starts, to one core, and have it keep memory as every process of a run does."""
    keep_memory()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def row(what: str, ours: Work, peer: str, theirs: Work, items: Sequence[Any], target: float | None = None) -> Row:
    """Time both on every item, in turn; see `timed_row`."""
    return timed_row(what, seconds_of(ours, items), peer, seconds_of(theirs, items), len(items), target)


def timed_row(
    what: str,
    ours: Callable[[], float],
    peer: str,
    theirs: Callable[[], float],
    items: int,
    target: float | None = None,
    rounds: int = ROUNDS,
) -> Row:
    """Make a row of two functions that say how many seconds they took for all items.

    Both run once unmeasured, then in turn. Times are medians, and so is the ratio of each round: the machine may be
    busy, and a round is short enough for both to meet the same.
    """
    ours(), theirs()
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    mine, other = (1000 * statistics.median(times) / items for times in zip(*pairs, strict=True))
    return Row(what, mine, peer, other, statistics.median(a / b for a, b in pairs), target)


def seconds_of(work: Work, items: Sequence[Any]) -> Callable[[], float]:
    """Return a function that does the work on all items and says how many seconds that took."""

    def timed() -> float:
        started = time.perf_counter()
        for item in items:
            work(item)
        return time.perf_counter() - started

    return timed


def pairs(rate: int) -> list[tuple[Samples, Samples]]:
    """Return references of 4 s and their band below 4 kHz, as the `sinc` upscaler would return it."""
    return [(piece, audio.resample(audio.resample(piece, rate, LOW_RATE), LOW_RATE, rate)) for piece in pieces(rate)]


def pieces(rate: int) -> list[Samples]:
    """Return speech at a rate in pieces of 4 s: of SRBENCH_VCTK as far as recorded so high, or of the demo corpus."""
    wanted = SECONDS * rate
    joined = np.zeros(0)
    if corpus := os.environ.get("SRBENCH_VCTK"):
        for utterance in open_corpus(corpus).utterances:
            if len(joined) < PIECES * wanted and audio.info(utterance.path).sample_rate >= rate:
                joined = np.concatenate([joined, _speech(utterance.path, rate)])
    if len(joined) < 2 * wanted:
        joined = np.concatenate([_speech(each.path, rate) for each in demo_corpus().utterances[: 2 * PIECES]])
    count = min(PIECES, len(joined) // wanted)
    return [np.ascontiguousarray(joined[k * wanted : (k + 1) * wanted]) for k in range(count)]


def source() -> str:
    """Say where the speech comes from."""
    return "SRBENCH_VCTK (VCTK recordings)" if "SRBENCH_VCTK" in os.environ else "the embedded demo corpus"


def _speech(path: Any, rate: int) -> Samples:
    samples, recorded = audio.read(path)
    return audio.resample(samples, recorded, rate)
