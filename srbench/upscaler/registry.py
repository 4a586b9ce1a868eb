"""The registry of upscalers: those of installed packages and of plug-in files, by name."""

from __future__ import annotations

import functools
import hashlib
import inspect
from collections.abc import Sequence
from pathlib import Path

from srbench.errors import SrbenchError, UpscalerError, unknown_name
from srbench.plugins import Registration, announce, installed, load_file, load_registered
from srbench.upscaler.contract import BuiltUpscaler, Upscaler


def registrations(plugins: Sequence[str | Path] = ()) -> list[Registration]:
    """List all upscalers: those of installed packages, then those in plug-in files.

    Listing loads no package; a plug-in file is run, which is how its upscalers become known.

    Raises
    ------
    SrbenchError
        If a plug-in file is missing, fails to run, or holds no upscaler.
    """
    files = dict.fromkeys(Path(file) for file in plugins)
    return installed("upscaler") + [r for file in files for r in _in_file(file)]


def get_upscaler(name: str, plugins: Sequence[str | Path] = ()) -> tuple[Upscaler, dict[str, str]]:
    """Return an upscaler by name, and where it came from.

    ``distribution:name`` picks one where several packages claim a name. (What follows an ``@`` names weights, and is
    not looked at here.)

    Raises
    ------
    SrbenchError
        If no or several packages register the name, or the one that does cannot be loaded.
    """
    match = find_registration(name, registrations(plugins))
    announce(match)
    loaded = load_registered(match, UpscalerError)
    assert isinstance(loaded, Upscaler)
    return loaded, {**match.provenance, **_source_digest(loaded)}


def find_registration(name: str, known: Sequence[Registration]) -> Registration:
    """Return what a name means among registrations; see `get_upscaler`."""
    name, _, _ = name.partition("@")
    distribution, _, short = name.rpartition(":")
    matches = [r for r in known if r.name == short and distribution in ("", r.provenance["distribution"])]
    if not matches:
        raise unknown_name("upscaler", name, {r.name for r in known})
    if len(matches) > 1:
        origins = " and ".join(r.origin for r in matches)
        pick = matches[0].provenance["distribution"]
        raise SrbenchError(f"upscaler '{name}' is claimed by {origins}. Say which: {pick}:{short}, for example.")
    return matches[0]


def build_upscaler(
    name: str, plugins: Sequence[str | Path] = (), *, device: str | None = None, precision: str | None = None
) -> tuple[BuiltUpscaler, dict[str, str]]:
    """Return the upscaler of ``name`` or ``name@weights``, ready to run, and where it came from.

    Raises
    ------
    SrbenchError
        If it is unknown or cannot be built (see `get_upscaler` and `Upscaler.build`), or nothing follows the ``@``.
    """
    upscaler, origin = get_upscaler(name, plugins)
    _, at, weights = name.partition("@")
    if at and not weights:
        raise SrbenchError(f"nothing follows the @ of '{name}': name weights, or leave it out")
    return upscaler.build(device, weights=weights or None, precision=precision), origin


def _source_digest(loaded: Upscaler) -> dict[str, str]:
    """Return the hash of the file that the upscaler is written in: a version does not tell an edited checkout."""
    try:
        file = inspect.getsourcefile(loaded.target)
        return {"source_sha256": hashlib.sha256(Path(file).read_bytes()).hexdigest()} if file else {}
    except (TypeError, OSError):
        return {}


def _in_file(path: Path) -> list[Registration]:
    announce(path)
    found, digest = load_file(path)
    told = {"distribution": path.name, "sha256": digest}
    return [
        Registration("upscaler", name, f"plug-in {path}", functools.partial(found.get, name), told)
        for name, value in found.items()
        if isinstance(value, Upscaler)
    ]
