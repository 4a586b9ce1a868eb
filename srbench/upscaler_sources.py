"""What code and which files an upscaler is made of, as far as it can be known: a run's identity holds their digests.

A version does not tell an edited checkout, and a plug-in's own hash does not tell that the file beside it was edited.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import os
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

_WEIGHTS = {".bin", ".ckpt", ".gguf", ".h5", ".hdf5", ".jit", ".joblib", ".mat", ".msgpack", ".npy", ".npz", ".onnx"}
_WEIGHTS |= {".pb", ".pkl", ".pt", ".pt2", ".pth", ".safetensors", ".tflite", ".th", ".weights"}
_INSTALLED = ("site-packages", "dist-packages")
_OURS = ("srbench", "srbench_baselines", "srbench_models", "srbench_systems")
_STANDARD = tuple(filter(None, (sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"))))


def used_sources(plugins: Sequence[Path], opened: Iterable[str] = ()) -> dict[str, Any]:
    """Return the digests of what an upscaler in this process uses besides installed packages.

    Parameters
    ----------
    plugins : sequence of Path
        Plug-in files; each is told of by its own hash, and names are relative to their folders.
    opened : iterable of str
        Files that it opened while it was built.

    Returns
    -------
    dict
        ``sources``: modules that it loaded, and those that they import when they run, by name. ``files``: weights, by
        name, and whatever was opened in a plug-in's folder. Digests are the first 16 hex digits of the SHA-256. What
        is empty is left out.
    """
    own = {path.resolve() for path in plugins}
    folders = [path.parent for path in own]
    modules = {Path(file).resolve() for module in list(sys.modules.values()) if (file := _outside(module))}
    sources = with_imports(modules | own) - own
    files = weights_among(opened, folders) - sources - own
    told = {
        key: {_name(path, folders): digest for path in sorted(paths) if (digest := short_digest(path))}
        for key, paths in (("sources", sources), ("files", files))
    }
    return {key: found for key, found in told.items() if found}


def weights_among(opened: Iterable[str], folders: Sequence[Path]) -> set[Path]:
    """Return which of some opened files an upscaler's numbers rest on: weights by their suffix, or of its folders."""
    return {
        path
        for path in map(Path.resolve, map(Path, opened))
        if path.suffix.lower() in _WEIGHTS or (path.suffix not in (".py", ".pyc") and _below(path, folders))
    }


def opened_files() -> set[str]:
    """Return a set that gets, from now on, the names of the files that are opened through Python in this process."""
    names: set[str] = set()

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event != "open" or not isinstance(arguments[0], (str, bytes, os.PathLike)):
            return
        if not arguments[2] & (os.O_WRONLY | os.O_RDWR):  # what it writes is not what it is made of
            with contextlib.suppress(Exception):
                names.add(os.path.abspath(os.fsdecode(arguments[0])))

    sys.addaudithook(hook)  # it cannot be taken off again
    return names


def _outside(module: Any) -> str | None:
    """Return the file of a module that is neither installed, nor Python's, nor srbench's."""
    file = getattr(module, "__file__", None)
    if not isinstance(file, str) or str(getattr(module, "__name__", "")).partition(".")[0] in _OURS:
        return None
    inside = any(part in _INSTALLED for part in Path(file).parts) or file.startswith(_STANDARD)
    return None if inside else file


def with_imports(files: set[Path]) -> set[Path]:
    """Return source files with those that they import from beside themselves, now or when they run."""
    found, left = set(files), list(files)
    while left:
        here = left.pop()
        for name in _imported(here):
            for folder in (here.parent, *here.parents[1:3]):
                base = folder.joinpath(*name.split("."))
                for path in (base.with_name(f"{base.name}.py"), base / "__init__.py"):
                    if path not in found and path.is_file():
                        found.add(path)
                        left.append(path)
    return found


def source_digest(file: Path) -> str:
    """Return the SHA-256 of a source file and what it imports from beside itself; "" where one cannot be read."""
    try:
        digests = sorted(hashlib.sha256(each.read_bytes()).hexdigest() for each in with_imports({file.resolve()}))
    except OSError:
        return ""
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def _imported(file: Path) -> set[str]:
    if file.suffix != ".py":
        return set()
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, ValueError, SyntaxError, RecursionError):
        return set()
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            names |= {module} if module else set()
            names |= {f"{module}.{alias.name}".lstrip(".") for alias in node.names}
    return {name for name in names if not _is_installed(name.partition(".")[0])}


def _is_installed(name: str) -> bool:
    return name in sys.stdlib_module_names or name in _OURS or (name in sys.modules and not _outside(sys.modules[name]))


def _below(path: Path, folders: Iterable[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def _name(path: Path, folders: Iterable[Path]) -> str:
    for folder in folders:
        if path.is_relative_to(folder):
            return path.relative_to(folder).as_posix()
    return "/".join(path.parts[-2:])


def short_digest(path: Path) -> str:
    """Return the first 16 hex digits of a file's SHA-256, "" where it is no file that can be read."""
    digest = hashlib.sha256()
    try:
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError:
        return ""
    return digest.hexdigest()[:16]
