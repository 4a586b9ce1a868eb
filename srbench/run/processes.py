"""Worker processes on this machine: a death costs one item, and none outlives its parent."""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, reduction
from multiprocessing.context import get_spawning_popen
from types import ModuleType
from typing import Any, TypeVar

from srbench.apart import main
from srbench.apart_start import let_a_fork_serve
from srbench.threads import be_single_threaded, single_threaded

I = TypeVar("I")  # noqa: E741
R = TypeVar("R")

DIED = "the process that evaluated it died (killed or crashed)"
_PRELOADED = ("srbench.run.model", "srbench.run.pipeline", "scipy.signal")
_FREE = -1
_PR_SET_PDEATHSIG = 1  # of Linux's prctl(2)
_SLOTS: Any = None  # in a worker: the item that each worker is at, shared with the parent
_SLOT = 0  # in a worker: its own place there


def in_processes(
    evaluate: Callable[[I], R], died: Callable[[I, str], R], items: Sequence[I], workers: int
) -> Iterator[R]:
    """Evaluate in worker processes, and yield records as they are finished.

    When a worker dies (models have processes of their own, so it was killed from outside, or ours is at fault), the
    pool is lost with all that was under way. What the workers were at is known: each of those is tried alone in a
    process of its own, so that the one at fault is found and the others are not blamed.

    Parameters
    ----------
    evaluate : callable item -> record
        Raises nothing, and can be pickled.
    died : callable (item, why) -> record
        For an item whose process died.
    items : sequence
    workers : int
    """
    left = list(range(len(items)))[::-1]
    while left:
        pool = _Pool(workers)
        try:
            yield from pool.run(evaluate, items, left)
        except BrokenProcessPool:
            for number in pool.blame(left):
                yield _alone(evaluate, died, items[number])
        finally:
            pool.end()


@contextlib.contextmanager
def pool_of(workers: int) -> Iterator[Executor]:
    """Give a pool of such processes to work with directly; they are ended at once where its use is broken off."""
    pool = _Pool(workers)
    try:
        yield pool.executor
        pool.ended = True
    finally:
        pool.end()


def _alone(evaluate: Callable[[I], R], died: Callable[[I, str], R], item: I) -> R:
    pool = _Pool(1)
    try:
        return next(iter(pool.run(evaluate, [item], [0])))
    except BrokenProcessPool:
        return died(item, DIED)
    finally:
        pool.end()


class _Executor(ProcessPoolExecutor):
    """Starts its processes, which `submit` does, where an interrupt cannot reach them before they are prepared."""

    def submit(self, *what: Any, **more: Any) -> Future[Any]:
        with _no_interrupts(), _without_main():
            return super().submit(*what, **more)


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    """Have processes start without running the caller's script once more, which would need a guard in it.

    Nothing that is sent to them is found in it by name: functions of a script or a notebook go by value.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextlib.contextmanager
def _no_interrupts() -> Iterator[None]:
    """Block SIGINT here, and in processes that are started."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)  # one that came meanwhile is delivered now


class _Pool:
    """A process pool whose workers say what they are at."""

    def __init__(self, workers: int) -> None:
        context = _context()
        self._slots = context.RawArray("q", [_FREE] * workers)
        self._workers = workers
        self._under_way: set[int] = set()
        self.ended = False
        self._before = set(multiprocessing.active_children())
        begun = (self._slots, context.Value("i", 0), dict(os.environ), _Stderr())
        self.executor = _Executor(workers, mp_context=context, initializer=_begin, initargs=begun)

    def run(self, evaluate: Callable[[I], R], items: Sequence[I], left: list[int]) -> Iterator[R]:
        """Yield the records of the items whose numbers are left, taking them from the end of the list."""
        waiting: dict[Future[R], int] = {}
        while left or waiting:
            while left and len(waiting) < 3 * self._workers:
                number = left.pop()
                self._under_way.add(number)
                waiting[self.executor.submit(_at, evaluate, number, items[number])] = number
            finished, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in sorted(finished, key=lambda each: each.exception() is not None):  # what is done, first
                record = future.result()
                self._under_way.discard(waiting.pop(future))
                yield record
        self.ended = True

    def blame(self, left: list[int]) -> list[int]:
        """Return the items that were under evaluation; give the others back."""
        at = {number for number in self._slots if number in self._under_way}
        suspects = sorted(at or self._under_way)  # a worker that died before it said anything: all are suspects
        left.extend(sorted(self._under_way.difference(suspects), reverse=True))
        return suspects

    def end(self) -> None:
        """Let the workers go; at once, where they are still at something that nobody waits for any more."""
        if not self.ended:
            for child in set(multiprocessing.active_children()) - self._before:
                child.kill()
        self.executor.shutdown(wait=True, cancel_futures=True)


def _context() -> Any:
    """Return how processes start: as forks of one that has done its imports and has no threads; on Windows anew.

    A fork of this process would inherit the locks of numerical libraries' threads in whatever state they were.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return get_context("spawn")
    from multiprocessing import forkserver, resource_tracker

    context = get_context("forkserver")
    context.set_forkserver_preload(list(_PRELOADED))
    resource_tracker.ensure_running()  # `forkserver` starts it too, and after that interrupts are no longer blocked
    with _no_interrupts(), single_threaded():
        forkserver.ensure_running()
    return context


class _Stderr:
    """Our stderr; in a fork of another process it takes the place of that one's."""

    def __reduce__(self) -> tuple[Callable[[Any], None], tuple[Any]]:
        started = get_spawning_popen()
        is_fork = started is not None and started.method == "forkserver"
        return _take_stderr, (reduction.DupFd(2) if is_fork else None,)


def _take_stderr(ours: Any) -> None:
    if ours is not None:
        number = ours.detach()
        os.dup2(number, 2)
        os.close(number)


def _begin(slots: Any, counter: Any, environment: dict[str, str], _: object) -> None:
    """Prepare a worker process."""
    global _SLOTS, _SLOT
    os.environ.clear()
    os.environ.update(environment)
    let_a_fork_serve(main)
    _SLOTS = slots
    with counter.get_lock():
        _SLOT = counter.value
        counter.value += 1
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is interrupted too, and ends its workers
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # for what a model may start
    if sys.platform == "linux":  # the thread below cannot act while C code hangs in Python's lock; the kernel can
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(sys.__stderr__.fileno(), 1)  # type: ignore[union-attr]  # stdout belongs to results, C code's too
    be_single_threaded()
    keep_memory()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _at(evaluate: Callable[[I], R], number: int, item: I) -> R:
    """Evaluate an item in a worker, which says so."""
    if len(_SLOTS) > _SLOT:
        _SLOTS[_SLOT] = number
    try:
        return evaluate(item)
    finally:
        if len(_SLOTS) > _SLOT:
            _SLOTS[_SLOT] = _FREE


def keep_memory() -> None:
    """Have the C library keep freed arrays of some megabytes for the next, where it would return them each time.

    glibc maps large arrays anew, page by page, until it has once seen a mapped one freed that was larger; metrics are
    one large array after another, and spent a quarter of their time on pages. Elsewhere it does nothing.
    """
    import numpy as np

    np.empty(31 << 20, np.uint8)  # just below the largest threshold that glibc takes on; never written to
