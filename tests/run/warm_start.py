"""The command in a process of its own, at the price of a fork: one process has imported all of it, and waits."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

SERVER = """
import json, os, signal, sys
import numpy, pandas, scipy.signal, soundfile, soxr, threadpoolctl
import srbench.cli.run, srbench.metrics, srbench.results, srbench.run
from srbench.cli.main import main

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored in what it starts behind it
for line in sys.stdin:
    told = json.loads(line)
    child = os.fork()
    if not child:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        os.dup2(os.open(told["stderr"], os.O_WRONLY), 2)
        print(os.getpid(), flush=True)
        os.dup2(0, 1)
        main(told["arguments"])
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""


def beside_names(err: str) -> str:
    """Return stderr without the lines that name foreign code, which come first, and once for each file."""
    files = re.match(r"(?:srbench: running code of plug-in \S+\n)*", err)
    assert files is not None
    named = files[0].splitlines()
    assert len(named) == len({*named}), "it was named again, by a worker perhaps"
    return err[files.end() :]


@dataclass
class Started:
    """A command under way; its process leads a group."""

    pid: int
    _stderr: int
    _statuses: IO[str]

    def status(self) -> int:
        """Wait until it is dead, and return its exit status."""
        return int(self._statuses.readline())

    def wait_for_all(self, seconds: float = 300.0) -> str:
        """Wait until no process has its stderr any more, so that no worker is left; return what was said there."""
        deadline, said = time.monotonic() + seconds, b""
        try:
            while select.select([self._stderr], [], [], max(0.0, deadline - time.monotonic()))[0]:
                more = os.read(self._stderr, 65536)
                if not more:
                    return beside_names(said.decode())
                said += more
        finally:
            os.close(self._stderr)
        os.killpg(self.pid, signal.SIGKILL)
        raise AssertionError(f"workers of {self.pid} outlived it")


@dataclass
class WarmStart:
    """Starts commands, one at a time."""

    _server: subprocess.Popen[str]
    _folder: Path

    def start(self, arguments: list[str]) -> Started:
        """Start ``srbench`` with these arguments."""
        assert self._server.stdin
        assert self._server.stdout
        fifo = self._folder / "stderr"
        fifo.unlink(missing_ok=True)
        os.mkfifo(fifo)
        stderr = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        self._server.stdin.write(json.dumps({"arguments": arguments, "stderr": str(fifo)}) + "\n")
        self._server.stdin.flush()
        return Started(int(self._server.stdout.readline()), stderr, self._server.stdout)


@contextmanager
def warm_start(folder: Path) -> Iterator[WarmStart]:
    """Give the means to start commands; the environment is the present one."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # threads do not survive a fork
    ) as server:
        yield WarmStart(server, folder)
        assert server.stdin
        server.stdin.close()
