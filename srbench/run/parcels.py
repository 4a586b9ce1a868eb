"""Utterances on the workers of somebody else's engine: one at a time in a process, with their files where it has none.

Any engine behind the standard interface may be wrapped so, a Dask cluster's as well as another's. Its tasks may share a
process as threads, and an upscaler need not stand that (it may draw from the global generator, or change the folder):
they take turns.
"""

from __future__ import annotations

import hashlib
import tempfile
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from srbench.corpora import Utterance
from srbench.corpora.corpus import file_below
from srbench.errors import SrbenchError
from srbench.metrics.plugins import Elsewhere
from srbench.run.pipeline import Task, evaluate
from srbench.run.record import Record
from srbench.threads import single_threaded

_TURN = threading.Lock()
_UNPACKED: dict[str, Path] = {}  # in a worker: what was sent along, by content


@dataclass(frozen=True)
class Parcel:
    """A file that is sent along: its place below the root, and its bytes."""

    name: str
    content: bytes


class ForeignWorkers(Executor):
    """An executor that has utterances evaluated as they must be on a worker of somebody else's."""

    def __init__(self, executor: Executor, send: bool) -> None:
        self._executor, self._send = executor, send

    def submit(self, call: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        """Submit a call ``evaluate(item)``; with an utterance its file goes along where files are sent."""
        # a worker has a working directory of its own
        items = [Utterance(a.id, a.speaker, a.path.absolute()) if isinstance(a, Utterance) else a for a in arguments]
        packed = _packed(call, *items) if self._send else partial(call, *items, **named)
        # a key of its own: the same call may be wanted again, and must then be run again
        return self._executor.submit(_in_turn, packed, uuid.uuid4().hex)


def _in_turn(call: Callable[[], Any], _unique: str) -> Any:
    with _TURN, single_threaded():
        return call()


def _packed(call: Callable[..., Any], item: Any) -> Callable[[], Any]:
    """Return the call with all files that it reads."""
    if not (isinstance(call, partial) and call.func is evaluate and isinstance(item, Utterance)):
        raise SrbenchError("only recordings that an upscaler is run on can be sent along: leave out --send-data")
    task: Task = call.args[0]
    try:
        recording = Parcel(file_below(item.path, task.root), item.path.read_bytes())
    except OSError:  # the worker finds it missing, and says so in the record
        return partial(call, item)
    plugins = [Parcel(each.name, each.read_bytes()) for each in task.entrant.plugins]
    files = {name: each.file for name, each in task.definitions.items() if isinstance(each, Elsewhere)}
    metrics = {name: Parcel(file.name, file.read_bytes()) for name, file in files.items() if file}
    return partial(_unpack_and_evaluate, task, item, recording, plugins, metrics)


def _unpack_and_evaluate(
    task: Task, utterance: Utterance, recording: Parcel, plugins: Sequence[Parcel], metrics: Mapping[str, Parcel]
) -> Record:
    entrant = replace(task.entrant, plugins=tuple(map(_unpacked, plugins)))
    definitions = {
        name: each.moved(_unpacked(metrics[name])) if isinstance(each, Elsewhere) and name in metrics else each
        for name, each in task.definitions.items()
    }
    with tempfile.TemporaryDirectory(prefix="srbench-") as folder:
        root = Path(folder)
        path = root / recording.name
        if not path.resolve().is_relative_to(root.resolve()):
            raise ValueError(f"{recording.name} lies outside its folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(recording.content)
        there = replace(task, entrant=entrant, definitions=definitions, root=root)
        return evaluate(there, Utterance(utterance.id, utterance.speaker, path))


def _unpacked(parcel: Parcel) -> Path:
    """Return the path of a plug-in file that was sent along, the same for the life of this process."""
    digest = hashlib.sha256(parcel.content).hexdigest()
    if digest not in _UNPACKED:
        path = Path(tempfile.mkdtemp(prefix="srbench-plugin-")) / Path(parcel.name).name
        path.write_bytes(parcel.content)
        _UNPACKED[digest] = path
    return _UNPACKED[digest]
