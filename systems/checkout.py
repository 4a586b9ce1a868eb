"""Code of a system's own repository, which you have cloned and named: it is imported from there and run."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import logging
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from srbench.errors import UpscalerError

LOG = logging.getLogger("srbench.plugins")


class _Absent(ModuleType):
    """Stands for a package that is imported and not used; each name in it is a class without anything."""

    __path__: list[str] = []  # noqa: RUF012 (as a package has it)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {"__init__": lambda self, *_, **__: None})


@contextlib.contextmanager
def code_of(folder: Path, unused: Sequence[str] = ()) -> Iterator[None]:
    """Import from a checkout within the block: its folder comes first on the path, and leaves it afterwards.

    Parameters
    ----------
    folder : Path
    unused : sequence of str
        Packages that the code imports and does not use for inference. Where one is not installed, an empty one stands
        in for it.

    Raises
    ------
    UpscalerError
        If there is no such folder.
    """
    if not folder.is_dir():
        raise UpscalerError(f"no such folder: {folder}")
    LOG.info("running code of %s", folder)
    own = {path.stem for path in folder.iterdir() if path.is_dir() or path.suffix == ".py"}
    aside = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] in own}
    before = set(sys.modules)
    for name in unused:
        if name.split(".")[0] in aside or importlib.util.find_spec(name.split(".")[0]) is None:
            parts = name.split(".")
            sys.modules |= {part: _Absent(part) for part in map(".".join, (parts[: i + 1] for i in range(len(parts))))}
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            if name.split(".")[0] in own or isinstance(sys.modules[name], _Absent):
                del sys.modules[name]
        sys.modules |= aside


def module(name: str) -> ModuleType:
    """Return a module of a checkout, within `code_of`."""
    return importlib.import_module(name)


def load_state(path: Path, device: str) -> Any:
    """Return a checkpoint of torch without running code of it.

    Raises
    ------
    UpscalerError
        If it is missing, or holds more than numbers and names.
    """
    import torch

    if not path.is_file():
        raise UpscalerError(f"weights missing: {path}")
    try:
        return torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # pickle's, zip's and torch's own
        raise UpscalerError(f"{path}: cannot be read as weights: {type(error).__name__}") from error
