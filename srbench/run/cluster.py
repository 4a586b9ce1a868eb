"""A Dask cluster as a place where utterances are evaluated: connecting to it, and what can go wrong with it.

`distributed` hands tasks to its workers, and to others when it loses one. What any foreign engine needs beside stands
in `srbench.run.parcels`.
"""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

from srbench import __version__
from srbench.errors import SrbenchError, shown
from srbench.extras import missing_package
from srbench.run.parcels import ForeignWorkers
from srbench.run.pipeline import one_line
from srbench.run.workers import Where

_ANSWER_SECONDS = 20
_ADDRESS = re.compile(r"([a-z]+://)?[^/\s]+:\d+")


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
                executor=ForeignWorkers(executor, send),
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
