"""Files that are whole or not there at all: written beside their place, then moved to it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def beside(path: str | Path) -> Iterator[Path]:
    """Offer a place in the same folder for what is to take the place of ``path`` once it is written, and only then.

    Raises
    ------
    OSError
        If it cannot be written; it names the file.
    """
    path = Path(path)
    # of one length, since its own name may be as long as the disk takes; another process may write the same
    digits = hashlib.sha256(path.name.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    unfinished = path.with_name(f"{digits}.{os.getpid()}.unfinished")
    try:
        yield unfinished
        unfinished.replace(path)
    except OSError as error:
        if error.filename in (None, unfinished, str(unfinished)):  # none as on a full disk; nobody knows the unfinished
            error.filename, error.filename2 = str(path), None
        raise
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def whole_file(path: str | Path, *, newline: str | None = None) -> Iterator[IO[str]]:
    """Open a text file for writing that takes the place of ``path`` once it is written, and not if that fails.

    Raises
    ------
    OSError
        If it cannot be written; it names the file.
    """
    with beside(path) as unfinished, unfinished.open("w", encoding="utf-8", newline=newline) as file:  # closed first
        yield file
