"""One thread a process: cores are used by processes, and numbers do not depend on how many a machine has.

A sum over several threads is added up in another order, so the last digits of a result would change with the machine;
and N processes of N threads each only stand in each other's way.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@contextmanager
def single_threaded() -> Iterator[None]:
    """Have numerical libraries use one thread, those that are loaded later too; put it back at the end.

    BLAS and OpenMP by threadpoolctl, torch by itself. What a plug-in starts on its own is its own.
    """
    from threadpoolctl import threadpool_limits

    before = {name: os.environ.get(name) for name in _VARIABLES}
    os.environ.update(dict.fromkeys(_VARIABLES, "1"))  # a library that is loaded later reads them then
    torch = sys.modules.get("torch")
    threads = torch.get_num_threads() if torch else 0
    try:
        with threadpool_limits(limits=1):
            if torch:
                torch.set_num_threads(1)
            yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        if torch:
            torch.set_num_threads(threads)


def be_single_threaded() -> None:
    """Do the same for good; for a worker process."""
    from threadpoolctl import threadpool_limits

    os.environ.update(dict.fromkeys(_VARIABLES, "1"))
    threadpool_limits(limits=1)  # as a plain call it stays
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)
