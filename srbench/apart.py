"""A process of its own for code that is not ours: models, and metrics of other packages.

Such a process starts clean, gets copies and gives copies. It can crash, hang, patch NumPy, close its files or ignore
signals: that costs the call that it was at. What goes in and comes out are JSON and arrays of numbers, never pickles,
so what comes back cannot run anything here. It is no sandbox: the code runs with the rights of the user.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import importlib
import json
import os
import queue
import secrets
import signal
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from srbench.apart_start import end_server, start
from srbench.audio import Samples

Words = dict[str, Any]
Answer = tuple[Words, list[Samples]]
Serve = Callable[[Words, list[Samples]], Iterator[Answer]]
_HEAD = struct.Struct("<4sII")  # a magic number, the bytes of the words, the number of arrays
_MAGIC = b"srb1"
_LENGTH = struct.Struct("<Q")
_LONGEST_WORDS = 1 << 26  # bytes of JSON
_LONGEST_ARRAY = 1 << 32  # samples
_TICK = 0.1  # seconds between looks at whether it lives: a process that it forked may hold its files open
_MARK = "SRBENCH_APART"  # an environment variable that it and all that it starts carry
_LOST = 70  # exit status: it could not answer
_PR_SET_PDEATHSIG = 1  # of Linux's prctl(2)
_OPEN: set[Apart] = set()


class Died(Exception):
    """The process ended in the middle of a call; the text says how."""


class Overdue(Exception):
    """There was no answer in time; the process was ended."""


class Apart:
    """A process that answers calls, one after the other. It starts when it is created.

    Parameters
    ----------
    serve : str
        ``module:function``: what runs there. The function takes the words and arrays of one call, and yields answers.
    """

    def __init__(self, serve: str) -> None:
        self._token = f"srb{secrets.token_hex(6)}"
        self._process = start(serve, {_MARK: self._token})
        self._outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._inbox: queue.SimpleQueue[Answer | None] = queue.SimpleQueue()
        # threads, since a write to a process that hangs would wait for ever
        for run, pipe, box in (
            (_write, self._process.calls, self._outbox),
            (_read, self._process.answers, self._inbox),
        ):
            threading.Thread(target=run, args=(pipe, box), daemon=True).start()
        _OPEN.add(self)

    def send(self, words: Mapping[str, Any], arrays: Sequence[Samples] = ()) -> None:
        """Send a call; `receive` gets its answers."""
        self._outbox.put(_packed(words, arrays))

    def receive(self, seconds: float | None = None) -> Answer:
        """Return the next answer.

        Parameters
        ----------
        seconds : float, optional
            That it may take from now.

        Raises
        ------
        Died
            If the process ended, or sent what is no answer.
        Overdue
            If there is no answer in time.

        An interrupt while it waits ends the process: nobody could tell its answer from the next one.
        """
        try:
            return self._next(seconds)
        except BaseException:
            self.close()
            raise

    def _next(self, seconds: float | None) -> Answer:
        deadline = None if seconds is None else time.monotonic() + seconds
        while True:
            wait = _TICK if deadline is None else min(_TICK, max(0.0, deadline - time.monotonic()))
            with contextlib.suppress(queue.Empty):
                answer = self._inbox.get(timeout=wait)
                if answer is None:
                    raise Died(self._how_it_ended())
                return answer
            if self._process.wait(0.0) is not None and self._inbox.empty():
                raise Died(self._how_it_ended())
            if deadline is not None and time.monotonic() >= deadline:
                raise Overdue

    def ask(self, words: Mapping[str, Any], arrays: Sequence[Samples] = (), seconds: float | None = None) -> Answer:
        """Send a call and return its one answer; see `receive`."""
        self.send(words, arrays)
        return self.receive(seconds)

    def close(self) -> None:
        """End the process, and all that it started."""
        _OPEN.discard(self)
        self._outbox.put(None)
        if self._process.wait(0.0) is None:
            with contextlib.suppress(OSError, AttributeError):
                os.killpg(self._process.pid, signal.SIGKILL)
        end_all_with(self._token)
        self._process.wait(5.0)

    def _how_it_ended(self) -> str:
        status = self._process.wait(1.0)
        if status in (None, _LOST):
            return "its process closed its connection, or wrote into it"
        if status >= 0:
            return f"its process ended itself (exit status {status})"
        names = {int(each): each.name for each in signal.Signals}
        name = names.get(-status, f"signal {-status}")
        return f"its process died ({name}{', perhaps for want of memory' if name == 'SIGKILL' else ''})"


def close_all() -> None:
    """End all such processes that this one started."""
    for each in list(_OPEN):
        each.close()
    end_server()


atexit.register(close_all)


def main(serve: str) -> None:
    """Answer calls until the other side is gone; this is what such a process runs."""
    calls, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # stdout belongs to results; C code's too
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    me, parent = os.getpid(), os.getppid()
    _end_with_parent(parent)
    module, _, name = serve.partition(":")
    function: Serve = getattr(importlib.import_module(module), name)
    while True:
        try:
            words, arrays = _take(calls)
        except (OSError, EOFError):
            os._exit(0)
        for answer in function(words, arrays):
            if os.getpid() != me:  # a fork of the code came back here
                os._exit(0)
            _flush()
            try:
                answers.write(_packed(*answer))
                answers.flush()
            except BaseException:  # what the code patched may raise anything
                os._exit(_LOST)


def _end_with_parent(parent: int) -> None:
    """Have this process end when the one that started it does, whatever it is at then."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # forks of it have its name
            Path("/proc/self/comm").write_text(os.environ[_MARK])
        with contextlib.suppress(OSError):  # should memory end, the kernel ends this process and not ours
            Path("/proc/self/oom_score_adj").write_text("1000")
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        with contextlib.suppress(OSError, AttributeError):
            os.killpg(os.getpgid(0), signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def end_all_with(token: str) -> None:
    """Kill what a process started and left behind: forks have its name, programs its environment. Linux only."""
    name, mark = f"{token}\n".encode(), f"{_MARK}={token}".encode()
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            if (place / "comm").read_bytes() == name or mark in (place / "environ").read_bytes().split(b"\0"):
                os.kill(int(place.name), signal.SIGKILL)


def _flush() -> None:
    """Hand on what C code holds for stdout: the process may be killed before it ends by itself."""
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    with contextlib.suppress(OSError, TypeError, AttributeError):
        ctypes.CDLL(None).fflush(None)


def _packed(words: Mapping[str, Any], arrays: Sequence[Samples]) -> bytes:
    text = json.dumps(words).encode()
    parts = [_HEAD.pack(_MAGIC, len(text), len(arrays)), text]
    for array in arrays:
        content = np.ascontiguousarray(array, np.float64).tobytes()
        parts += [_LENGTH.pack(len(content) // 8), content]
    return b"".join(parts)


def _take(pipe: IO[bytes]) -> Answer:
    """Read one message.

    Raises
    ------
    EOFError
        If there is none, or it is none.
    """
    magic, size, count = _HEAD.unpack(_exactly(pipe, _HEAD.size))
    if magic != _MAGIC or size > _LONGEST_WORDS:
        raise EOFError
    try:
        words = json.loads(_exactly(pipe, size))
    except (ValueError, RecursionError) as error:
        raise EOFError from error
    arrays = []
    for _ in range(count):
        (length,) = _LENGTH.unpack(_exactly(pipe, _LENGTH.size))
        if length > _LONGEST_ARRAY:
            raise EOFError
        arrays.append(np.frombuffer(_exactly(pipe, 8 * length), np.float64))
    if not isinstance(words, dict):
        raise EOFError
    return words, arrays


def _exactly(pipe: IO[bytes], size: int) -> bytes:
    content = pipe.read(size)
    if len(content) != size:
        raise EOFError
    return content


def _write(pipe: IO[bytes], outbox: queue.SimpleQueue[bytes | None]) -> None:
    with contextlib.suppress(OSError, ValueError):
        while (message := outbox.get()) is not None:
            pipe.write(message)
            pipe.flush()
    with contextlib.suppress(OSError):
        pipe.close()


def _read(pipe: IO[bytes], inbox: queue.SimpleQueue[Answer | None]) -> None:
    with contextlib.suppress(EOFError, OSError, ValueError, MemoryError):
        while True:
            inbox.put(_take(pipe))
    inbox.put(None)
    with contextlib.suppress(OSError):
        pipe.close()
