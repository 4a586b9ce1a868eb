"""Files that are whole or not there at all: written beside their place, then moved to it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def whole_file(path: Path, *, newline: str | None = None) -> Iterator[IO[str]]:
    """Open a text file for writing that takes the place of ``path`` once it is written, and not if that fails.

    Raises
    ------
    OSError
        If it cannot be written; it names the file.
    """
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.unfinished")  # another process may write the same
    try:
        with unfinished.open("w", encoding="utf-8", newline=newline) as file:
            yield file
        unfinished.replace(path)
    except OSError as error:
        if error.filename is None:  # as on a full disk
            error.filename = str(path)
        raise
    finally:
        unfinished.unlink(missing_ok=True)
