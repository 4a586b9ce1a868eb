"""A process between srbench and a program: it starts the program, tells how it ended, and leaves nothing of it behind.

It is run as a file, by itself: ``python -I -S supervise.py PROGRAM ARGUMENT …``, and imports nothing of srbench. Its
standard input is a pipe that srbench holds open. When that is closed, because srbench is done or is dead, all that the
program started is killed. What the program prints goes to standard error, its end as JSON to standard output.
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import signal
import subprocess
import sys
import threading

MARK = "SRBENCH_APART"  # as in srbench.apart: an environment variable that it and all that it starts carry


def main(arguments: list[str]) -> None:
    """Run a program until it ends, or nobody wants it any more."""
    try:
        program = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=2)
    except (OSError, ValueError) as error:
        _tell({"error": getattr(error, "strerror", None) or str(error)})
        return
    waiting = threading.Thread(target=_wait_for_the_end, daemon=True)
    waiting.start()
    _tell({"status": program.wait()})
    waiting.join()


def _tell(what: dict[str, object]) -> None:
    with contextlib.suppress(OSError):
        os.write(1, json.dumps(what).encode() + b"\n")


def _wait_for_the_end() -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 1):
            pass
    _end_all()


def _end_all() -> None:
    """Kill all that carries our mark, then our own group. Where there is no /proc, the group alone."""
    mark = f"{MARK}={os.environ.get(MARK, '')}".encode()
    me = str(os.getpid())
    for place in glob.glob("/proc/[0-9]*"):
        number = os.path.basename(place)
        with contextlib.suppress(OSError, ValueError):
            with open(f"{place}/environ", "rb") as file:
                ours = mark in file.read().split(b"\0")
            if ours and number != me:
                os.kill(int(number), signal.SIGKILL)
    if hasattr(os, "killpg"):
        os.killpg(os.getpgid(0), signal.SIGKILL)
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
