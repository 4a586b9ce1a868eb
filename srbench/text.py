"""Read text files that may be anything: enormous, of other bytes, a device, not there."""

from __future__ import annotations

from pathlib import Path

from srbench.errors import SrbenchError, shown

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
        if not path.is_file():  # a device would never end
            raise SrbenchError(f"{where}: {'cannot be read as a text file' if path.exists() else 'no such file'}")
        with path.open("rb") as file:
            content = file.read(largest + 1)
    except OSError as error:
        raise SrbenchError(f"{where}: cannot be read as a text file: {error.strerror}") from error
    if len(content) > largest:
        raise SrbenchError(f"{where}: larger than {largest // 1_000_000} MB, which no such file is")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SrbenchError(f"{where}: cannot be read as a text file: it is not in UTF-8") from error
