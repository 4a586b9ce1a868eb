"""Work that is done item by item, journal in hand, wherever it is done; gone on with after a stop."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from srbench.run.journal import append, open_journal, read_journal
from srbench.run.pipeline import Record
from srbench.run.processes import DIED, in_processes, keep_memory, pool_of
from srbench.run.threads import single_threaded

_LOG = logging.getLogger(__name__)


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
    died : callable (item, why) -> record
        For an item whose process died.
    still_good : callable (record, item) -> bool
        Whether a record from the journal is still what `evaluate` would give.
    batched : callable (items, pool) -> records, optional
        Does several at once in this process, and gives a pool what can be done beside.
    """

    kind: type[R]
    evaluate: Callable[[I], R]
    died: Callable[[I, str], R]
    still_good: Callable[[R, I], bool]
    batched: Callable[[Sequence[I], Executor], Iterator[R]] | None = None


@dataclass(frozen=True)
class Where:
    """Where work is done; the numbers do not depend on it.

    Attributes
    ----------
    workers : int
        Processes on this machine; 1 without a timeout is this one.
    timeout : float or None, in seconds
        For one item; what takes longer fails.
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
    under_way = journal_path.with_name("under_way")
    with open_journal(journal_path) as journal:
        if progress:
            progress(len(done), len(items))
        for record in _records(work, todo, where, known, under_way):
            append(journal, record)
            done[record.utterance] = record
            if progress:
                progress(len(done), len(items))
    under_way.unlink(missing_ok=True)
    return tuple(done[each.id] for each in items)


def _records(work: Work[I, R], items: list[I], where: Where, known: Mapping[str, R], under_way: Path) -> Iterator[R]:
    if not items:
        return
    if where.executor is not None:
        yield from _through(where.executor, work, items, where)
    elif work.batched is not None:
        yield from _batched(work, work.batched, items, where.workers)
    elif where.workers > 1 or where.timeout is not None:  # even a single item may be the one that kills its process
        yield from in_processes(work.evaluate, work.died, items, where.workers, where.timeout)
    elif deadly := _deadly(items, known, under_way):
        _LOG.warning("the process died, or was killed, at %s: now it works in a process of its own", deadly[0])
        yield from in_processes(work.evaluate, work.died, items, 1)
    else:
        yield from _here(work.evaluate, items, under_way)


def _here(evaluate: Callable[[I], R], items: list[I], under_way: Path) -> Iterator[R]:
    """Evaluate in this process. Should that die, by a crash of the model above all, a file says what it was at."""
    keep_memory()
    try:
        with single_threaded(), under_way.open("wb", buffering=0) as file:  # what is written survives the process
            for item in items:
                file.seek(0)
                file.truncate()
                file.write(os.fsencode(item.id))
                yield evaluate(item)
    finally:
        under_way.unlink(missing_ok=True)


def _deadly(items: Sequence[I], known: Mapping[str, R], under_way: Path) -> list[str]:
    """Return the items at which a process died before: what it was at, or what has a record that says so."""
    try:
        last = os.fsdecode(under_way.read_bytes())
    except OSError:
        last = None
    return [i.id for i in items if i.id == last or (i.id in known and known[i.id].error.startswith(DIED))]


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
    late = "" if where.timeout is None else f", or it took longer than {where.timeout:g} s (--timeout)"
    try:
        while left or waiting:
            while left and len(waiting) < 3 * max(1, where.at_once() if where.at_once else 1):
                item = left.pop()
                waiting[executor.submit(work.evaluate, item)] = item
            finished, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                item = waiting.pop(future)
                lost = future.exception()  # `evaluate` raises nothing: it is the engine's own
                yield work.died(item, f"{DIED}{late}: {type(lost).__name__}") if lost else future.result()
    finally:
        for future in waiting:
            future.cancel()
