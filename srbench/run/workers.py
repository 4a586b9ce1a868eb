"""Work that is done item by item, journal in hand, wherever it is done; gone on with after a stop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from srbench.run.journal import append, open_journal, read_journal
from srbench.run.processes import DIED, in_processes, keep_memory, pool_of
from srbench.run.record import Record
from srbench.threads import single_threaded


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
    blank : callable item -> dict
        The part of its record that is known before it is done, which is all where its process dies.
    still_good : callable (record, item) -> bool
        Whether a record from the journal is still what `evaluate` would give.
    batched : callable (items, pool) -> records, optional
        Does several at once in this process, and gives a pool what can be done beside.
    """

    kind: type[R]
    evaluate: Callable[[I], R]
    blank: Callable[[I], dict[str, Any]]
    still_good: Callable[[R, I], bool]
    batched: Callable[[Sequence[I], Executor], Iterator[R]] | None = None

    def died(self, item: I, why: str) -> R:
        """Return the record of an item whose process died."""
        return self.kind(**self.blank(item), error=why)


@dataclass(frozen=True)
class Where:
    """Where work is done; the numbers do not depend on it.

    Attributes
    ----------
    workers : int
        Processes on this machine; 1 is this one. Upscalers have processes of their own beside.
    timeout : float or None, in seconds
        For an upscaler on one utterance; what takes longer fails.
    executor : Executor or None
        In place of processes of ours, any engine behind the standard interface; what it runs are picklable calls.
    at_once : callable () -> int, optional
        How many items such an engine works at together.
    sends : bool
        Whether it is sent the files that it reads; else it sees ours.
    """

    workers: int = 1
    timeout: float | None = None
    executor: Executor | None = None
    at_once: Callable[[], int] | None = None
    sends: bool = False


HERE = Where()


def do_all(
    work: Work[I, R],
    items: Sequence[I],
    journal_path: Path,
    where: Where = HERE,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[R, ...]:
    """Return the record of every item, in order: what the journal has and is still good, the rest done now.

    Parameters
    ----------
    work : Work
    items : sequence
    journal_path : Path
        Records are appended as they are finished.
    where : Where
    progress : callable (done, total), optional
    """
    known = read_journal(journal_path, work.kind)
    done = {each.id: known[each.id] for each in items if each.id in known and work.still_good(known[each.id], each)}
    todo = [each for each in items if each.id not in done]
    with open_journal(journal_path) as journal:
        if progress:
            progress(len(done), len(items))
        for record in _records(work, todo, where):
            append(journal, record)
            done[record.utterance] = record
            if progress:
                progress(len(done), len(items))
    return tuple(done[each.id] for each in items)


def _records(work: Work[I, R], items: list[I], where: Where) -> Iterator[R]:
    if not items:
        return
    if where.executor is not None:
        yield from _through(where.executor, work, items, where)
    elif work.batched is not None:
        yield from _batched(work, work.batched, items, where.workers)
    elif where.workers > 1:
        yield from in_processes(work.evaluate, work.died, items, where.workers)
    else:
        keep_memory()
        with single_threaded():
            yield from map(work.evaluate, items)


def _batched(
    work: Work[I, R], batched: Callable[[Sequence[I], Executor], Iterator[R]], items: list[I], workers: int
) -> Iterator[R]:
    """Work in batches; if a worker dies, do what is left one by one, each death at the cost of its item."""
    left = {each.id: each for each in items}
    try:
        with pool_of(workers) as pool:
            for record in batched(items, pool):
                left.pop(record.utterance)
                yield record
    except BrokenProcessPool:
        yield from in_processes(work.evaluate, work.died, list(left.values()), 1)


def _through(executor: Executor, work: Work[I, R], items: list[I], where: Where) -> Iterator[R]:
    """Evaluate by somebody else's engine, which sees to its own losses, two items ahead of each of its workers."""
    left, waiting = items[::-1], dict[Future[R], I]()
    try:
        while left or waiting:
            while left and len(waiting) < 3 * max(1, where.at_once() if where.at_once else 1):
                item = left.pop()
                waiting[executor.submit(work.evaluate, item)] = item
            finished, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                item = waiting.pop(future)
                lost = future.exception()  # `evaluate` raises nothing: it is the engine's own
                yield work.died(item, f"{DIED}: {type(lost).__name__}") if lost else future.result()
    finally:
        for future in waiting:
            future.cancel()
