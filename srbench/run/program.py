"""Programs that are not ours, in any language: started without a shell, limited in time, and gone when we are."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from srbench.apart import end_all_with
from srbench.run import supervise

_TAIL = 2000  # bytes of a log's end
_LEFT = 20.0  # seconds that a killed process may take to be gone


@dataclass(frozen=True)
class Ended:
    """How a program ended.

    Attributes
    ----------
    why : str
        What went wrong; "" where it ended with exit status 0.
    seconds : float
        That it ran, its start included.
    tail : str
        The end of what it printed.
    """

    why: str
    seconds: float
    tail: str


class Programs:
    """Starts programs, and can end all that run; for several threads."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._stopped = False
        self._environment = dict(os.environ)  # as it is now: threads of ours may change theirs for a while

    def run(self, arguments: Sequence[str], folder: Path, log: Path, seconds: float | None) -> Ended:
        """Run a program to its end.

        Parameters
        ----------
        arguments : sequence of str
            The program and what follows it.
        folder : Path
            It starts there.
        log : Path
            Gets what it prints.
        seconds : float or None
            That it may take.
        """
        token = f"srb{secrets.token_hex(6)}"
        started = perf_counter()
        with log.open("wb") as output:
            with self._lock:
                if self._stopped:
                    return Ended("it was not started: the run was stopped", 0.0, "")
                process = subprocess.Popen(
                    [sys.executable, "-I", "-S", supervise.__file__, *arguments],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=output,
                    cwd=folder,
                    env={**self._environment, supervise.MARK: token},
                    start_new_session=True,  # a terminal's Ctrl-C is meant for us
                )
                self._running.add(process)
            try:
                told = _wait(process, seconds)
            finally:
                _end(process, token)
                with self._lock:
                    self._running.discard(process)
        return Ended(_why(told, seconds), perf_counter() - started, tail_of(log))

    def stop(self) -> None:
        """End all that run, and start no more."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                _close(process)


def _wait(process: subprocess.Popen[bytes], seconds: float | None) -> bytes | None:
    """Return what the supervisor tells of the end, None where it is late."""
    answers: list[bytes] = []
    pipe = process.stdout
    assert pipe is not None
    reading = threading.Thread(target=lambda: answers.append(pipe.readline()), daemon=True)
    reading.start()
    reading.join(seconds)
    return answers[0] if answers else None


def _why(told: bytes | None, seconds: float | None) -> str:
    if told is None:
        return f"took longer than {seconds:g} s (--timeout) and was ended"
    try:
        found = json.loads(told)
    except ValueError:
        return "was ended from outside"
    if "error" in found:
        return f"cannot be started: {found['error']}"
    status = int(found["status"])
    if status >= 0:
        return f"ended with exit status {status}" if status else ""
    names = {int(each): each.name for each in signal.Signals}
    return f"died ({names.get(-status, f'signal {-status}')})"


def _close(process: subprocess.Popen[bytes]) -> None:
    """Have a supervisor end what it started."""
    with contextlib.suppress(OSError):
        assert process.stdin is not None
        process.stdin.close()


def _end(process: subprocess.Popen[bytes], token: str) -> None:
    """End a supervisor and what the program left behind."""
    _close(process)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_LEFT)
    process.kill()
    process.wait()
    end_all_with(token)  # where somebody killed the supervisor
    assert process.stdout is not None
    process.stdout.close()


def tail_of(log: Path) -> str:
    """Return the end of what a program printed, in one line; "" where it printed nothing."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    lines = text.splitlines()[1:] if size > _TAIL else text.splitlines()
    return " ".join(" ".join(line for line in lines if line.strip()).split())[-400:]
