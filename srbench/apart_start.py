"""How a process apart is started: on Linux as a fork of one that has its imports done, elsewhere anew.

A start takes half a second, most of it imports, and a run starts one for each model. So one process, which never runs
any other code, imports what all of them need and waits; each process is a fork of it, as clean as a new one. Worker
processes are such forks themselves, and let a fork of their own be theirs.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

_LENGTH = struct.Struct("<Q")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
_PRELOADED = ("numpy", "srbench.run.model", "srbench.run.measuring")
_PRELOADED_LATER = ("scipy.signal",)  # splines and some metrics need it, and it takes a second
_IDLE = 0.2  # seconds without a request
_FORKING = sys.platform == "linux" and hasattr(socket, "send_fds")


@dataclass
class Started:
    """A process, and the two pipes to it.

    Attributes
    ----------
    pid : int
    calls, answers : binary files
        What it reads, and what it writes.
    status : int or None
        Its exit status, negative for a signal, once `wait` saw it.
    """

    pid: int
    calls: IO[bytes]
    answers: IO[bytes]
    status: int | None = None
    _popen: subprocess.Popen[bytes] | None = None
    _pidfd: int = -1
    _forked_by: _Server | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait(self, seconds: float) -> int | None:
        """Wait so long for its end, and return the exit status; None if it lives."""
        with self._lock:
            if self.status is not None:
                return self.status
            if self._popen is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.status = self._popen.wait(seconds)
                return self.status
            if select.select([self._pidfd], [], [], seconds)[0]:
                assert self._forked_by is not None
                self.status = self._forked_by.status_of(self.pid)
                os.close(self._pidfd)
            return self.status


def start(serve: str, mark: Mapping[str, str]) -> Started:
    """Start a process that runs `srbench.apart.main`.

    Parameters
    ----------
    serve : str
        ``module:function``, which answers its calls.
    mark : mapping of str to str
        Environment variables that it gets besides ours.
    """
    environment = {**os.environ, **dict.fromkeys(_THREADS, "1"), **mark}
    if _FORKING:
        return _server().fork(serve, environment)
    code = f"import sys; sys.path[:] = {sys.path!r}; from srbench.apart import main; main({serve!r})"
    popen = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        start_new_session=True,  # a terminal's Ctrl-C is meant for us, and what it starts can be ended with it
    )
    assert popen.stdin is not None
    assert popen.stdout is not None
    return Started(popen.pid, popen.stdin, popen.stdout, _popen=popen)


class _Server:
    """The process that forks, seen from here."""

    def __init__(self, main: Callable[[str], None] | None = None) -> None:
        self.owner = os.getpid()
        ours, theirs = socket.socketpair()
        self._process = _new_process(theirs) if main is None else _Fork(theirs, main)
        theirs.close()
        self._socket, self._lock = ours, threading.Lock()

    def end(self) -> None:
        self._socket.close()  # it ends when nobody can ask it any more
        if self.owner == os.getpid():
            self._process.wait()

    def lives(self) -> bool:
        return self.owner == os.getpid() and self._process.poll() is None

    def fork(self, serve: str, environment: Mapping[str, str]) -> Started:
        calls_in, calls_out = os.pipe()
        answers_in, answers_out = os.pipe()
        with contextlib.suppress(OSError):
            sys.stderr.flush()
        told = {"serve": serve, "environment": dict(environment), "folder": _folder(), "path": sys.path}
        errors = os.dup(2) if _is_open(2) else os.open(os.devnull, os.O_WRONLY)
        try:
            pid = self._ask(told, [calls_in, answers_out, errors])
            pidfd = os.pidfd_open(pid)
        finally:
            for number in (calls_in, answers_out, errors):
                os.close(number)
        return Started(pid, os.fdopen(calls_out, "wb"), os.fdopen(answers_in, "rb"), _pidfd=pidfd, _forked_by=self)

    def status_of(self, pid: int) -> int:
        try:
            return os.waitstatus_to_exitcode(self._ask({"wait": pid}, []))
        except OSError:  # a model killed it; its forks end with it
            return -signal.SIGKILL

    def _ask(self, told: Mapping[str, Any], files: list[int]) -> int:
        text = json.dumps(told).encode()
        with self._lock:
            socket.send_fds(self._socket, [_LENGTH.pack(len(text))], files)
            self._socket.sendall(text)
            answer = self._socket.recv(_LENGTH.size, socket.MSG_WAITALL)
        if len(answer) != _LENGTH.size:
            raise ChildProcessError("the process that starts others has ended")
        return int(_LENGTH.unpack(answer)[0])


class _Fork:
    """A fork of this process, which serves."""

    def __init__(self, control: socket.socket, main: Callable[[str], None]) -> None:
        self._status: int | None = None
        self._pid = os.fork()
        if self._pid == 0:
            os.setsid()
            os.dup2(control.fileno(), 0)
            os.closerange(3, os.sysconf("SC_OPEN_MAX"))
            serve_forks(main)

    def poll(self) -> int | None:
        return self.wait(os.WNOHANG)

    def wait(self, options: int = 0) -> int | None:
        if self._status is None and (found := os.waitpid(self._pid, options)) != (0, 0):
            self._status = found[1]
        return self._status


def _new_process(control: socket.socket) -> subprocess.Popen[bytes]:
    code = (
        f"import sys; sys.path[:] = {sys.path!r}; from srbench.apart import main; "
        "from srbench.apart_start import serve_forks; serve_forks(main)"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=control.fileno(),
        env={**os.environ, **dict.fromkeys(_THREADS, "1")},
        start_new_session=True,
    )


_SERVERS: list[_Server] = []


def _server() -> _Server:
    if not (_SERVERS and _SERVERS[0].lives()):
        end_server()
        _SERVERS[:] = [_Server()]
    return _SERVERS[0]


def end_server() -> None:
    """End the process that forks, if there is one; its forks end with it."""
    while _SERVERS:
        _SERVERS.pop().end()


def let_a_fork_serve(main: Callable[[str], None]) -> None:
    """Have a fork of this process be the one that forks. It must have done its imports, and nothing else so far."""
    if _FORKING:
        _SERVERS[:] = [_Server(main)]


def _folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # it is gone
        return os.curdir


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def serve_forks(main: Callable[[str], None]) -> None:
    """Fork when asked, and tell the exit status of a fork; what the process that forks runs.

    Parameters
    ----------
    main : callable serve -> None
        What each fork runs.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    control = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    for name in _PRELOADED:
        importlib.import_module(name)
    with contextlib.suppress(OSError):
        _serve_forks(control, main)
    os._exit(0)  # whom it works for is gone


def _serve_forks(control: socket.socket, main: Callable[[str], None]) -> None:
    later = list(_PRELOADED_LATER)
    while True:
        while later and not select.select([control], [], [], _IDLE)[0]:
            with contextlib.suppress(Exception):
                importlib.import_module(later.pop(0))
        head, files, _, _ = socket.recv_fds(control, _LENGTH.size, 3)
        if len(head) != _LENGTH.size:
            return
        told = json.loads(_exactly(control, _LENGTH.unpack(head)[0]))
        if "wait" in told:
            control.sendall(_LENGTH.pack(os.waitpid(told["wait"], 0)[1]))
            continue
        pid = os.fork()
        if pid == 0:
            control.close()
            _become(told, files)
            main(told["serve"])
        for number in files:
            os.close(number)
        control.sendall(_LENGTH.pack(pid))


def _become(told: Mapping[str, Any], files: list[int]) -> None:
    """In a fork: take on the environment of whom it works for."""
    os.setsid()
    os.environ.clear()
    os.environ.update(told["environment"])
    with contextlib.suppress(OSError):
        os.chdir(told["folder"])
    sys.path[:] = told["path"]
    for target, number in enumerate(files):
        os.dup2(number, target)
        os.close(number)


def _exactly(control: socket.socket, size: int) -> bytes:
    content = control.recv(size, socket.MSG_WAITALL)
    while len(content) < size:
        more = control.recv(size - len(content), socket.MSG_WAITALL)
        if not more:
            os._exit(0)
        content += more
    return content
