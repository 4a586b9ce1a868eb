"""Reading TOML files that people write: every fault is named with its place and the nearest right word."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from srbench.errors import SrbenchError, known_name, shown, unknown_name
from srbench.names import leads_out
from srbench.text import read_text

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_LARGEST = 1_000_000  # bytes
Kind = type | tuple[type, ...]
_WORDS = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "a table",
}


def read(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    SrbenchError
        If the file is missing or is not TOML (with line and column).
    """
    text = read_text(path, _LARGEST)
    try:
        table: dict[str, Any] = tomllib.loads(text.replace("\r\n", "\n"))
    except ValueError as error:  # a TOMLDecodeError is one, and a number of thousands of digits raises one
        raise SrbenchError(f"{shown(path)}: is not valid TOML: {error}") from error
    except RecursionError as error:
        raise SrbenchError(f"{shown(path)}: is nested too deeply") from error
    return table


def beside(path: Path, name: str, where: str) -> Path:
    """Return the path of a file that a TOML file names: one in the TOML file's own folder, or below.

    Raises
    ------
    SrbenchError
        If it is another place.
    """
    if leads_out(name):
        raise SrbenchError(f"{where}: {name!r} must be a file in the folder of {path.name}, or below it")
    return path.parent / name


def names(folder: Path) -> list[str]:
    """List the names of the TOML files in a folder."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def find(what: str, name: str | Path, folder: Path) -> Path:
    """Return the path of a TOML file that is given by its path, or by its name in a folder.

    Raises
    ------
    SrbenchError
        If it is a name that is not there, with the nearest that is (`srbench.errors.known_name`).
    """
    text = str(name)
    if text.endswith(".toml"):
        return Path(text)
    return folder / f"{known_name(what, text, names(folder))}.toml"


def check_keys(
    table: Mapping[str, Any], where: str, *, required: Mapping[str, Kind], optional: Mapping[str, Kind]
) -> None:
    """Check that a table has its required keys, no unknown ones, and values of the right type.

    Raises
    ------
    SrbenchError
        Naming the place, the key and, for an unknown key, the nearest known one.
    """
    known = {**required, **optional}
    for key, value in table.items():
        if key not in known:
            raise SrbenchError(f"{where}: {unknown_name('key', key, known)}")
        kind = known[key]
        wanted = kind if isinstance(kind, tuple) else (kind,)
        accepted = (*wanted, int) if float in wanted else wanted
        if not isinstance(value, accepted) or (isinstance(value, bool) and bool not in wanted):
            raise SrbenchError(
                f"{where}: {key} must be {' or '.join(_WORDS[kind] for kind in wanted)}, not {shown(repr(value))}"
            )
    missing = [key for key in required if key not in table]
    if missing:
        raise SrbenchError(f"{where}: {', '.join(missing)} missing")
