"""Utterances on a Dask cluster, behind the same interface as processes on this machine.

`distributed` hands tasks to its workers, and to others when it loses one. Its tasks may share a process as threads, and
an upscaler need not stand that (it may draw from the global generator, or change the folder): they take turns.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import re
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Executor, Future
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from srbench import __version__
from srbench.corpora import Utterance
from srbench.corpora.corpus import file_below
from srbench.errors import SrbenchError, shown
from srbench.extras import missing_package
from srbench.run.pipeline import Task, evaluate, one_line
from srbench.run.record import Record
from srbench.run.workers import Where
from srbench.threads import single_threaded

_ANSWER_SECONDS = 20
_ADDRESS = re.compile(r"([a-z]+://)?[^/\s]+:\d+")
_TURN = threading.Lock()
_UNPACKED: dict[str, Path] = {}  # in a worker: what was sent along, by content


@dataclass(frozen=True)
class Parcel:
    """A file that is sent along: its place below the root, and its bytes."""

    name: str
    content: bytes


@contextlib.contextmanager
def dask_cluster(address: str, *, send: bool = False, timeout: float | None = None) -> Iterator[Where]:
    """Connect to a Dask scheduler, and offer its workers as a place where work is done.

    Parameters
    ----------
    address : str
        Such as ``tcp://10.0.0.1:8786``, or the path of a scheduler file.
    send : bool
        Send recordings and plug-in files along with each utterance; else the workers must see them, and the results,
        under the same paths.
    timeout : float, in seconds, optional
        For an upscaler on one utterance.

    Raises
    ------
    SrbenchError
        If `distributed` is not installed, it is no address, nobody answers, there are no workers, or they have another
        srbench; inside of the ``with`` block, if the scheduler is lost.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise missing_package("--dask", error, extra="cluster") from error
    for name in ("distributed", "distributed.client"):  # they tell of what was lost at length; we in one line
        logging.getLogger(name).setLevel(logging.CRITICAL)
    place = "scheduler_file" if Path(address).is_file() else "address"
    if place == "address" and not _ADDRESS.fullmatch(address):  # it would try for long
        raise SrbenchError(
            f"--dask takes a scheduler's address (tcp://10.0.0.1:8786) or its file, not {shown(address)!r}"
        )
    connect: Callable[..., Any] = Client
    try:
        client = connect(**{place: address}, timeout=_ANSWER_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise SrbenchError(f"no Dask scheduler answers at {address}: {one_line(error)}") from error
    try:
        with contextlib.suppress(TimeoutError):
            client.wait_for_workers(1, timeout=_ANSWER_SECONDS)
        _check_workers(client, address)
        with client.get_executor(retries=0) as executor:
            yield Where(
                timeout=timeout,
                executor=_Taking(executor, send),
                at_once=lambda: _threads(client),
                sends=send,
            )
    except CancelledError as error:
        raise SrbenchError(
            f"the Dask scheduler at {address} was lost. What is finished is kept: "
            "give the same command again to resume."
        ) from error
    finally:
        client.close()


def _check_workers(client: Any, address: str) -> None:
    found: dict[str, str] = client.run(_version, on_error="return")
    if not found:
        raise SrbenchError(f"the Dask scheduler at {address} has no workers: start some with 'dask worker {address}'")
    for worker, version in found.items():
        if version != __version__:
            raise SrbenchError(f"Dask worker {worker} has srbench {version}, here is {__version__}: install the same")


def _threads(client: Any) -> int:
    with contextlib.suppress(OSError):  # the scheduler was lost: what is under way will be cancelled
        return sum(client.nthreads().values())
    return 1


def _version() -> str:
    return __version__


class _Taking(Executor):
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
    return partial(_unpack_and_evaluate, task, item, recording, plugins)


def _unpack_and_evaluate(task: Task, utterance: Utterance, recording: Parcel, plugins: Sequence[Parcel]) -> Record:
    entrant = replace(task.entrant, plugins=tuple(map(_unpacked, plugins)))
    with tempfile.TemporaryDirectory(prefix="srbench-") as folder:
        root = Path(folder)
        path = root / recording.name
        if not path.resolve().is_relative_to(root.resolve()):
            raise ValueError(f"{recording.name} lies outside its folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(recording.content)
        return evaluate(replace(task, entrant=entrant, root=root), Utterance(utterance.id, utterance.speaker, path))


def _unpacked(parcel: Parcel) -> Path:
    """Return the path of a plug-in file that was sent along, the same for the life of this process."""
    digest = hashlib.sha256(parcel.content).hexdigest()
    if digest not in _UNPACKED:
        path = Path(tempfile.mkdtemp(prefix="srbench-plugin-")) / Path(parcel.name).name
        path.write_bytes(parcel.content)
        _UNPACKED[digest] = path
    return _UNPACKED[digest]
