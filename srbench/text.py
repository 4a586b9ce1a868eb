"""Read text files that may be anything: enormous, of other bytes, a device, not there."""

from __future__ import annotations

import errno
from pathlib import Path

from srbench.errors import SrbenchError, shown
from srbench.files import read_file

LARGEST = 100_000_000  # bytes; the lists of VCTK's utterances have half a million


def read_text(path: str | Path, largest: int = LARGEST) -> str:
    """Return what a file in UTF-8 holds, line ends as they are, without the mark (BOM) that Windows puts first.

    Parameters
    ----------
    path : path
    largest : int, in bytes
        What is larger is not read.

    Raises
    ------
    SrbenchError
        If there is none, it is too large, or it is no text.
    """
    path, where = Path(path), shown(path)
    try:
        content = read_file(path, largest)
    except FileNotFoundError as error:
        raise SrbenchError(f"{where}: no such file") from error
    except OSError as error:
        why = f"{error.strerror}" if error.errno == errno.EFBIG else f"cannot be read as a text file: {error.strerror}"
        raise SrbenchError(f"{where}: {why}") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SrbenchError(f"{where}: cannot be read as a text file: it is not in UTF-8") from error
