"""Run the target in a process of its own, so that a crash or a hang of it is a finding and not the audit's end."""

from __future__ import annotations

import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from srbench.audit.target import Convention, TargetFault, call, load
from srbench.errors import SrbenchError

START_LIMIT = 120.0  # seconds to import the target's packages
FIRST_LIMIT = 120.0  # seconds for the first call in a process: functions import, compile and load weights in it


class IsolatedTarget:
    """A target in a child process, called like a function; restarted after it hangs or dies.

    Parameters
    ----------
    target : str
        ``package.module:function`` or ``file.py:function``.
    convention : Convention
    limit : float
        Seconds that one call may take. The first call in a process has `FIRST_LIMIT`, if that is more; where it needs
        it, the question is asked again, and that call has the limit.
    cutoff : float, in Hz, optional
        For the metrics of one band.

    Raises
    ------
    SrbenchError
        If the target cannot be loaded.
    """

    def __init__(self, target: str, convention: Convention, limit: float = 20.0, cutoff: float | None = None) -> None:
        self.target, self.convention, self.limit, self.cutoff = target, convention, limit, cutoff
        self._patience = max(limit, FIRST_LIMIT)
        self._start()

    def __call__(self, reference: Any, estimate: Any, sample_rate: int) -> float:
        """Return the target's answer; raise TargetFault for a crash, a hang, or an answer that is no number."""
        answer = self._ask(("call", reference, estimate, sample_rate))
        if not isinstance(answer, float):
            raise TargetFault("its process answered out of turn (does it fork?)")
        return answer

    def modifies(self, reference: Any, estimate: Any, sample_rate: int) -> list[str]:
        """Return which of the two arrays the target writes into: ``reference``, ``estimate``."""
        answer = self._ask(("modifies", reference, estimate, sample_rate))
        if not isinstance(answer, list):
            raise TargetFault("its process answered out of turn (does it fork?)")
        return answer

    def close(self) -> None:
        """End the child process."""
        self._process.kill()
        self._process.join()
        self._pipe.close()

    def __enter__(self) -> IsolatedTarget:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> None:
        context = get_context("spawn")
        self._pipe, child = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(child, self.target, self.convention, self.cutoff), daemon=True
        )
        self._process.start()
        child.close()
        try:
            if not self._pipe.poll(START_LIMIT):
                raise SrbenchError(f"{self.target} takes more than {START_LIMIT:g} s to load")
            started = self._pipe.recv()
        except EOFError as died:
            raise SrbenchError(f"{self.target} ended its process while it was loaded") from died
        if isinstance(started, str):
            raise SrbenchError(started)
        self.takes_rate = started.takes_rate
        self._allowed = self._patience

    def _ask(self, question: tuple[Any, ...]) -> Any:
        patience, self._allowed = self._allowed, self.limit
        started = time.monotonic()
        status, answer = self._answer(question, patience)
        if patience > self.limit and time.monotonic() - started > self.limit:
            status, answer = self._answer(question, self.limit)
        if status == "fault":
            raise TargetFault(answer)
        return answer

    def _answer(self, question: tuple[Any, ...], patience: float) -> Any:
        try:
            self._pipe.send(question)
            if not self._pipe.poll(patience):
                if patience > self.limit:
                    self._patience = self.limit  # it hangs: the next process is not waited for as long
                self._restart()
                raise TargetFault(f"gave no answer within {patience:g} s and was stopped")
            return self._pipe.recv()
        except (EOFError, BrokenPipeError, ConnectionResetError) as error:
            self._restart()
            raise TargetFault("its process died (crashed or exited)") from error

    def _restart(self) -> None:
        self.close()
        self._start()


def modified(
    function: Callable[..., Any], convention: Convention, reference: Any, estimate: Any, rate: int
) -> list[str]:
    """Return which of the two arrays a function writes into, given them without a copy."""
    if convention.array.startswith("files"):
        return []
    before = {"ref": np.array(reference), "est": np.array(estimate)}
    given: dict[str, Any] = {key: value.copy() for key, value in before.items()}
    if convention.array == "torch":
        import torch

        given = {key: torch.from_numpy(value) for key, value in given.items()}
    axes: dict[str, Any] = {"n": ..., "1n": (None, ...), "n1": (..., None), "11n": (None, None, ...)}
    views = {key: value[axes[convention.shape]] for key, value in given.items()} | {"sr": rate, "cutoff": rate / 4}

    convention.answer(function, views)
    after = {key: np.asarray(value) for key, value in given.items()}
    return [word for key, word in (("ref", "reference"), ("est", "estimate")) if (after[key] != before[key]).any()]


def _serve(pipe: Connection, target: str, convention: Convention, cutoff: float | None) -> None:
    """Answer calls until the pipe is closed; what the target prints goes nowhere."""
    import os
    import warnings

    silence = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # of the process, not of Python alone: C code prints too
        os.dup2(silence, stream)
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    try:
        function = load(target)
    except SrbenchError as error:
        pipe.send(str(error))
        return
    convention = convention.for_function(function)
    pipe.send(convention)
    while True:
        try:
            verb, reference, estimate, rate = pipe.recv()
        except EOFError:
            return
        try:
            if verb == "call":
                pipe.send(("ok", call(function, convention, reference, estimate, rate, cutoff)))
            else:
                pipe.send(("ok", modified(function, convention, reference, estimate, rate)))
        except TargetFault as fault:
            pipe.send(("fault", str(fault)))
        except BaseException as error:  # SystemExit and KeyboardInterrupt too: an answer is due
            pipe.send(("fault", f"raised {type(error).__name__}: {error}"))
