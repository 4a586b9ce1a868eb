"""Several utterances through a network at once, in its process, while workers read, degrade and measure.

For upscalers with a method ``upscale_batch``, on a GPU above all: it waits for no metric, and no metric for it.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from itertools import islice

from srbench import audio
from srbench.audio import Samples
from srbench.corpora import Utterance
from srbench.errors import SrbenchError
from srbench.run.pipeline import Made, Task, evaluate, one_line, read_low, seed_of
from srbench.run.record import Record

AHEAD = 2  # batches that are read before they are upscaled
_LOG = logging.getLogger(__name__)


def in_batches(task: Task, batch: int, utterances: Sequence[Utterance], pool: Executor) -> Iterator[Record]:
    """Yield the records of utterances, as they are finished.

    Parameters
    ----------
    task : Task
        Of an entrant that takes batches.
    batch : int
        Utterances at once.
    utterances : sequence
        Taken longest first, so that those that go together are of like length.
    pool : Executor
        Who reads and measures.
    """
    ordered = iter(sorted(utterances, key=_seconds, reverse=True))
    reading: deque[list[tuple[Utterance, Future[Samples | None]]]] = deque()
    measuring: set[Future[Record]] = set()
    failed_before = False
    while True:
        while len(reading) < AHEAD and (group := list(islice(ordered, batch))):
            reading.append([(each, pool.submit(read_low, task, each)) for each in group])
        if not reading:
            break
        read = [(each, future.result()) for each, future in reading.popleft()]
        lows = [(each, low) for each, low in read if low is not None]
        made, why = _upscale(task, lows)
        if why and not failed_before:  # once: too small a memory is so for all
            _LOG.warning("%d utterances at once: %s; where that happens, they go one by one", len(lows), why)
            failed_before = True
        measuring |= {pool.submit(evaluate, task, each, _first(made, each)) for each, _ in read}
        yield from _finished(measuring, keep=3 * batch)
    yield from _finished(measuring, keep=0)


def _first(made: Mapping[str, Made], utterance: Utterance) -> tuple[Made, ...]:
    return (made[utterance.id],) if utterance.id in made else ()


def _upscale(task: Task, lows: Sequence[tuple[Utterance, Samples]]) -> tuple[dict[str, Made], str]:
    """Return the estimates by utterance; where several fail as a whole, each by itself, and why they did."""
    if not lows:
        return {}, ""
    seed, limit = seed_of(task.seed, lows[0][0].id), task.timeout and task.timeout * len(lows)
    try:
        estimates, seconds = task.entrant.estimate_batch([low for _, low in lows], task.protocol, seed, limit)
    except SrbenchError as error:
        why = one_line(error)
        if len(lows) == 1:
            return {lows[0][0].id: Made(None, 0.0, why)}, ""
        return {key: made for each in lows for key, made in _upscale(task, [each])[0].items()}, why
    each_took, files = seconds / len(lows), task.entrant.late_files
    pairs = zip(lows, estimates, strict=True)
    return {each.id: Made(estimate, each_took, files=files) for (each, _), estimate in pairs}, ""


def _finished(measuring: set[Future[Record]], keep: int) -> Iterator[Record]:
    """Yield what is measured by now, and go on until no more than ``keep`` are under way."""
    while measuring:
        done, _ = wait(measuring, timeout=None if len(measuring) > keep else 0, return_when=FIRST_COMPLETED)
        if not done:
            return
        for future in done:
            measuring.remove(future)
            yield future.result()


def _seconds(utterance: Utterance) -> float:
    try:
        header = audio.info(utterance.path)
    except SrbenchError:  # its record will say so
        return 0.0
    return header.frames / max(header.sample_rate, 1)
