"""Commands in the soak: started with a mark that all their processes carry, so that what outlives them is found."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

MARK = "SRBENCH_SOAK"
LONGEST = 600.0  # seconds that a command may take on a busy machine; longer is a hang
GRACE = 20.0  # seconds in which all processes of a command must be gone after it
RUNS = ("utterances.csv", "aggregates.csv", "speakers.csv")


class Command:
    """A command under way, in a group of its own, in a folder; what it says goes to files of the folder."""

    def __init__(self, arguments: list[str], folder: Path, name: str = "said") -> None:
        self.token, self._errors, self._out = secrets.token_hex(8), folder / f"{name}.stderr", folder / f"{name}.stdout"
        with self._errors.open("wb") as stderr, self._out.open("wb") as stdout:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "srbench", *arguments],
                cwd=folder,
                env={**os.environ, MARK: self.token},
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
                preexec_fn=_hear_interrupts,
            )

    def send(self, number: signal.Signals, *, group: bool) -> None:
        """Send a signal to the command, or to all of its group as a terminal does."""
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if group else os.kill)(self._process.pid, number)

    def ends_within(self, seconds: float) -> bool:
        """Wait so long, and tell whether it has ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self._process.returncode is not None

    def said(self) -> tuple[str, str]:
        """Return what it has printed, on stdout and on stderr."""
        return self._out.read_text(errors="replace"), self._errors.read_text(errors="replace")

    def end(self) -> tuple[int, list[str]]:
        """Wait for its end and for that of all it started; return the exit status and what is wrong."""
        wrong = []
        if not self.ends_within(LONGEST):
            wrong.append("it hangs")
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        deadline = time.monotonic() + GRACE
        while (left := _carrying(self.token)) and time.monotonic() < deadline:
            time.sleep(0.05)
        for pid in left:
            with contextlib.suppress(OSError):
                wrong.append(f"process {pid} outlives it: {Path(f'/proc/{pid}/cmdline').read_bytes()[:200]!r}")
                os.kill(pid, signal.SIGKILL)
        said = "".join(self.said())
        # Python itself answers Ctrl-C with one before srbench is loaded
        if "Traceback (most recent call last)" in said and "/srbench/" in said:
            wrong.append(f"a traceback: {said[-1500:]}")
        return self._process.returncode, wrong


def _hear_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell has it ignored in what it starts behind it


def _carrying(token: str) -> list[int]:
    mark, found = f"{MARK}={token}".encode(), []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (place / "environ").read_bytes().split(b"\0"):
                found.append(int(place.name))
    return found


def contents(folder: Path, patterns: tuple[str, ...]) -> dict[str, bytes]:
    """Return the files below a folder whose names match, as path below it and bytes."""
    paths = sorted({path for pattern in patterns for path in folder.rglob(pattern) if path.is_file()})
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def unfinished(folder: Path) -> list[str]:
    """Return the files below a folder that are marked as not whole."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.unfinished"))
