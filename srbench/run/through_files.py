"""Utterances whose estimates come as files: from a folder that was given, or from a program that writes them."""

from __future__ import annotations

import queue
import shlex
import shutil
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, as_completed, wait
from dataclasses import replace
from math import ceil, log2
from pathlib import Path

from srbench.corpora import Utterance
from srbench.errors import SrbenchError
from srbench.plugins import LOG
from srbench.run.command import TOGETHER, Command
from srbench.run.elsewhere import EstimateFile, MadeElsewhere
from srbench.run.inputs import write_low
from srbench.run.pipeline import Made, Task, evaluate, one_line, read_low, seed_of
from srbench.run.program import Ended, Programs
from srbench.run.record import Record

PRINTED = "command.log"
_WORK = "command"  # below the run's folder, while a program runs
_AHEAD = 16  # utterances that wait to be measured


def from_folder(
    task: Task, entrant: MadeElsewhere, utterances: Sequence[Utterance], pool: Executor
) -> Iterator[Record]:
    """Yield the records of utterances whose estimates lie in a folder, as they are finished.

    Parameters
    ----------
    task : Task
    entrant : MadeElsewhere
    utterances : sequence
    pool : Executor
        Who reads and measures.
    """
    slim = replace(task, entrant=replace(entrant, files={}, strange=()))  # it goes to the pool with each utterance
    measuring: set[Future[Record]] = set()
    for each in utterances:
        file = entrant.files.get(each.id)
        measuring.add(pool.submit(evaluate, slim, each, (Made(None, None, file=file),) if file else ()))
        while len(measuring) > _AHEAD:
            done, measuring = wait(measuring, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
    yield from (future.result() for future in as_completed(measuring))


def from_program(
    task: Task, entrant: Command, folder: Path, workers: int, utterances: Sequence[Utterance], pool: Executor
) -> Iterator[Record]:
    """Yield the records of utterances that go through a program, as they are finished.

    Parameters
    ----------
    task : Task
    entrant : Command
    folder : Path
        Of the run: gets the log, and for a while what the program reads and writes.
    workers : int
        How many times the program may run at once.
    utterances : sequence
    pool : Executor
        Who writes the inputs and measures.
    """
    LOG.info("running command %s: %s", entrant.name, shlex.join(entrant.arguments))
    shutil.rmtree(folder / _WORK, ignore_errors=True)  # of one that was killed
    most = 1 if entrant.per_file else entrant.batch if entrant.batch > 1 else TOGETHER
    together = min(most, max(1, ceil(len(utterances) / workers)))
    groups = [utterances[start : start + together] for start in range(0, len(utterances), together)]
    starts = _Starts(task, entrant, folder, workers, pool)
    with ThreadPoolExecutor(workers + 1) as threads:  # one more, since the program need not wait for what is measured
        waiting = [threads.submit(starts.take, group) for group in groups]
        try:
            for _ in utterances:
                record = starts.finished.get()
                if isinstance(record, BaseException):
                    raise record
                yield record
        finally:
            starts.programs.stop()
            for future in waiting:
                future.cancel()
    shutil.rmtree(folder / _WORK, ignore_errors=True)


class _Starts:
    """The starts of one program, in several threads."""

    def __init__(self, task: Task, entrant: Command, folder: Path, workers: int, pool: Executor) -> None:
        self.programs = Programs()
        self.finished: queue.SimpleQueue[Record | BaseException] = queue.SimpleQueue()
        self._task, self._entrant, self._folder, self._pool = task, entrant, folder, pool
        self._turn = threading.Semaphore(workers)
        self._lock = threading.Lock()
        self._number = 0
        self._in_vain = 0  # starts in a row that ended badly

    def take(self, group: Sequence[Utterance]) -> None:
        """Take utterances through the program, and hand out their records."""
        try:
            self._take(group)
        except BaseException as error:  # whoever waits for the records must know
            self.finished.put(error)

    def _take(self, group: Sequence[Utterance]) -> None:
        place = self._new_place()
        reading = [
            (each, self._pool.submit(_write_input, self._task, self._entrant, place / "in", each)) for each in group
        ]
        given = [each for each, future in reading if future.result()]
        self._measure([(each, ()) for each in group if each not in given])  # kept from before, or not to be read
        if not given:
            return
        made: dict[str, tuple[Made, ...]] = {each.id: () for each in given}
        for draw in range(self._task.draws):
            ended, of_draw = self._start(place, given, draw)
            made = {key: (*before, of_draw[key]) for key, before in made.items()}
            if ended.why:
                made = {key: (of_draw[key],) * self._task.draws for key in made}
                break
        if ended.why and len(given) > 1 and self._goes_on(len(group)):
            shutil.rmtree(place, ignore_errors=True)
            half = (len(given) + 1) // 2  # one utterance may be to blame: it is looked for
            self._take(given[:half])
            self._take(given[half:])
            return
        self._measure([(each, made[each.id]) for each in given])
        shutil.rmtree(place, ignore_errors=True)

    def _start(self, place: Path, given: Sequence[Utterance], draw: int) -> tuple[Ended, dict[str, Made]]:
        """Start the program on what lies in a place for one draw; where it did not end well, nothing is taken."""
        task, entrant, ids = self._task, self._entrant, [each.id for each in given]
        limit = task.timeout and task.timeout * len(given)
        with self._turn:
            seed = seed_of(task.seed + draw, ids[0])
            ended = entrant.start(self.programs, place, ids, task.protocol, seed, limit)
        self._keep_log(place, ids, ended)
        if ended.why:
            why = one_line(SrbenchError(entrant.failed(ended)))
            return ended, {each: Made(None, None, why) for each in ids}
        out = (place / "out").rename(place / f"draw{draw}")
        files = entrant.written(out, ids)
        none = one_line(SrbenchError(entrant.failed(ended, "wrote no file of it")))
        seconds = ended.seconds / len(ids)
        return ended, {
            each: Made(None, seconds, file=EstimateFile(files[each], "")) if each in files else Made(None, None, none)
            for each in ids
        }

    def _goes_on(self, n: int) -> bool:
        """Tell whether a group that failed is tried again in halves: not where nothing has come of several starts."""
        with self._lock:
            return self._in_vain <= ceil(log2(n)) + 1

    def _measure(self, utterances: Sequence[tuple[Utterance, tuple[Made, ...]]]) -> None:
        measuring = [self._pool.submit(evaluate, self._task, each, made) for each, made in utterances]
        for future in as_completed(measuring):
            self.finished.put(future.result())

    def _new_place(self) -> Path:
        with self._lock:
            self._number += 1
            place = self._folder.absolute() / _WORK / f"{self._number}"
        place.mkdir(parents=True)
        return place

    def _keep_log(self, place: Path, ids: Sequence[str], ended: Ended) -> None:
        """Put what a start printed at the end of the run's log."""
        told = f"== {len(ids)} utterances from {ids[0]}: {ended.why or 'exit status 0'}, {ended.seconds:.1f} s\n"
        with self._lock:
            self._in_vain = self._in_vain + 1 if ended.why else 0
            with (self._folder / PRINTED).open("ab") as log, (place / "log").open("rb") as printed:
                log.write(told.encode())
                shutil.copyfileobj(printed, log)


def _write_input(task: Task, entrant: Command, folder: Path, utterance: Utterance) -> bool:
    """Write what a program is given of an utterance; tell whether there was need."""
    low = read_low(task, utterance)
    if low is None:
        return False
    write_low(low, task.protocol.low_rate, folder, utterance.id, entrant.input_format)
    return True
