"""Work that is done item by item, journal in hand: in this process or in others, and gone on with after a stop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from srbench.run.journal import append, open_journal, read_journal
from srbench.run.pipeline import Record


class Item(Protocol):
    """One thing to do; ``id`` is its record's ``utterance``."""

    @property
    def id(self) -> str:
        """Unique among the items."""
        ...


I = TypeVar("I", bound=Item)  # noqa: E741
R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class Work(Generic[I, R]):
    """How items become records.

    Attributes
    ----------
    kind : type
        Of the records, to read them back from the journal.
    evaluate : callable item -> record
        Raises nothing, and can be pickled.
    died : callable item -> record
        For an item whose process died.
    still_good : callable (record, item) -> bool
        Whether a record from the journal is still what `evaluate` would give.
    """

    kind: type[R]
    evaluate: Callable[[I], R]
    died: Callable[[I], R]
    still_good: Callable[[R, I], bool]


def do_all(
    work: Work[I, R],
    items: Sequence[I],
    journal_path: Path,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[R, ...]:
    """Return the record of every item, in order: what the journal has and is still good, the rest done now.

    Parameters
    ----------
    work : Work
    items : sequence
    journal_path : Path
        Records are appended as they are finished.
    workers : int
        Processes; 1 works in this one.
    progress : callable (done, total), optional
    """
    known = read_journal(journal_path, work.kind)
    keep_memory()
    done = {each.id: known[each.id] for each in items if each.id in known and work.still_good(known[each.id], each)}
    todo = [each for each in items if each.id not in done]
    with open_journal(journal_path) as journal:
        if progress:
            progress(len(done), len(items))
        for record in _records(work, todo, workers):
            append(journal, record)
            done[record.utterance] = record
            if progress:
                progress(len(done), len(items))
    return tuple(done[each.id] for each in items)


def _records(work: Work[I, R], items: list[I], workers: int) -> Iterator[R]:
    if workers <= 1:  # even a single item may be the one that kills its process
        yield from map(work.evaluate, items)
    else:
        yield from _in_processes(work, items, workers)


def _in_processes(work: Work[I, R], items: list[I], workers: int) -> Iterator[R]:
    """Evaluate in worker processes; a worker that dies costs at most the item it died on.

    When a worker dies the pool is lost with all that was under way. Those items are then tried one at a time,
    each in a process of its own, so that the one at fault is found and the others are not blamed.
    """
    left = iter(items)
    while True:
        suspects: list[I] = []
        with _pool(workers) as pool, suppress(BrokenProcessPool):
            yield from _windowed(pool, work, left, 3 * workers, suspects)
        if not suspects:
            return
        for item in suspects:
            with _pool(1) as alone:
                try:
                    yield alone.submit(work.evaluate, item).result()
                except BrokenProcessPool:
                    yield work.died(item)


def _windowed(pool: Executor, work: Work[I, R], left: Iterable[I], window: int, under_way: list[I]) -> Iterator[R]:
    """Yield records as they are finished, with at most `window` items under way; `under_way` names them."""
    waiting: dict[Future[R], I] = {}
    source = iter(left)
    while True:
        for item in islice(source, window - len(waiting)):
            under_way.append(item)
            waiting[pool.submit(work.evaluate, item)] = item
        if not waiting:
            return
        finished, _ = wait(waiting, return_when=FIRST_COMPLETED)
        for future in finished:
            record = future.result()
            under_way.remove(waiting.pop(future))
            yield record


def _pool(workers: int) -> ProcessPoolExecutor:
    # spawn: a forked child inherits the threads' locks of numerical libraries in whatever state they were
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=keep_memory)


def keep_memory() -> None:
    """Have the C library keep freed arrays of some megabytes for the next, where it would return them each time.

    glibc maps large arrays anew, page by page, until it has once seen a mapped one freed that was larger; metrics are
    one large array after another, and spent a quarter of their time on pages. Elsewhere it does nothing.
    """
    import numpy as np

    np.empty(31 << 20, np.uint8)  # just below the largest threshold that glibc takes on; never written to
