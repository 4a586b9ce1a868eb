"""Code that does not come with srbench: what is in a file named with ``--plugin``, or behind an entry point.

It is named in the log (``srbench.plugins``, level INFO) before it is run; the command line shows that on stderr. What
it raises becomes one line. The command asks a process apart what a file holds, so that it never runs it itself.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.util
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np

from srbench.apart import Answer, Apart, Died, Words
from srbench.audio import Samples
from srbench.errors import SrbenchError, shown
from srbench.extras import how_to_install
from srbench.upscaler_sources import source_digest

LOG = logging.getLogger("srbench.plugins")
T = TypeVar("T")


class Plugin:
    """What a plug-in file or an entry point may offer: an upscaler or a metric."""

    KIND: ClassVar[str]
    name: str

    def declared(self) -> dict[str, Any]:
        """Return what others must know of it without running its code, as plain values."""
        return {"name": self.name}


@dataclass(frozen=True)
class Registration:
    """One name that can be asked for, and where it comes from; nothing is loaded yet."""

    kind: str
    name: str
    origin: str
    load: Callable[[], Any] = field(repr=False)
    provenance: Mapping[str, str] = field(default_factory=dict)

    @property
    def strange(self) -> bool:
        """Whether it is of another package than srbench: code not run yet, which is named before it is."""
        return "object" in self.provenance and self.provenance["distribution"] != "srbench"

    def is_at(self, target: str) -> bool:
        """Whether it is the object ``package.module:object``."""
        return self.provenance.get("object", "").replace(" ", "") == target


def installed(kind: str) -> list[Registration]:
    """List what installed packages register under the entry-point group of a kind, by name; nothing is loaded."""
    return list(_installed(kind, tuple(sys.path)))


@functools.lru_cache(maxsize=8)
def _installed(kind: str, _path: tuple[str, ...]) -> list[Registration]:
    found = []
    for entry in metadata.entry_points(group=f"srbench.{kind}s"):
        distribution = entry.dist.name if entry.dist else "unknown"
        version = entry.dist.version if entry.dist else "unknown"
        told = {"distribution": distribution, "version": version, "object": entry.value}
        found.append(Registration(kind, entry.name, f"{distribution} {version} ({entry.value})", entry.load, told))
    # One distribution found twice (an installed one and a checkout's metadata on the path) is still one.
    unique = {(r.name, r.provenance["distribution"]): r for r in reversed(found)}
    return sorted(unique.values(), key=lambda r: r.name)


def announce(code: Registration | Path) -> None:
    """Name code that does not come with srbench, in the log, before it is run."""
    if isinstance(code, Path):
        if code.is_file():
            LOG.info("running code of plug-in %s", code)
    elif code.strange:
        where = found_at(code.provenance["object"])
        LOG.info("running code of %s '%s' of %s%s", code.kind, code.name, code.origin, where)


def found_at(entry_value: str) -> str:
    """Return where the package of an entry point lies, as `` in <file>``, without importing it; "" if not to be found.

    Parameters
    ----------
    entry_value : str
        ``package.module:object``.
    """
    try:
        spec = importlib.util.find_spec(entry_value.split(":")[0].split(".")[0].strip())  # of the top: runs nothing
    except (ImportError, ValueError):
        return ""
    return f" in {spec.origin}" if spec and spec.origin else ""


def load_file(path: Path) -> tuple[dict[str, Plugin], str]:
    """Run a plug-in file in this process, and return what it holds by name, and its SHA-256.

    Raises
    ------
    SrbenchError
        If it is missing, fails to run, holds nothing, or one name twice.
    """
    try:
        source = path.read_bytes()
    except OSError as error:
        raise SrbenchError(f"plug-in {path}: {error.strerror or 'cannot be read'}") from error
    digest = hashlib.sha256(source).hexdigest()
    place = hashlib.sha256(f"{path.resolve()}\n{digest}".encode("utf-8", "surrogateescape")).hexdigest()
    module_name = f"srbench_plugin_{path.stem}_{place[:8]}"
    module = sys.modules.get(module_name)
    if module is None:
        spec = importlib.util.spec_from_file_location(module_name, path)
        if spec is None or spec.loader is None:
            raise SrbenchError(f"plug-in {path}: is not a Python file (.py)")
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module
        if (folder := str(path.resolve().parent)) not in sys.path:
            sys.path.insert(0, folder)  # a plug-in imports its neighbours
        try:
            guarded(f"plug-in {path} cannot be loaded:", functools.partial(spec.loader.exec_module, module), path)
        except SrbenchError:
            del sys.modules[module_name]
            raise
    found: dict[str, Plugin] = {}
    for value in vars(module).values():
        if isinstance(value, Plugin) and not _is_ours(value) and found.setdefault(value.name, value) is not value:
            raise SrbenchError(f"plug-in {path}: the name '{value.name}' appears twice")
    if not found:
        raise SrbenchError(
            f"plug-in {path}: holds no upscaler and no metric at its top level; decorate a function or class there "
            "with @upscaler() or @metric()"
        )
    return found, digest


def contents(path: Path, kind: str) -> list[dict[str, Any]]:
    """Return what a plug-in file declares of one kind. It is run, in a process of its own.

    Raises
    ------
    SrbenchError
        If it cannot be loaded.
    """
    announce(path)
    return [each for each in _contents(path, source_digest(path)) if each["kind"] == kind]


@functools.lru_cache(maxsize=64)
def _contents(path: Path, _digest: str) -> list[dict[str, Any]]:
    return ask_what(f"plug-in {path}", {"file": str(path)})


def ask_what(who: str, words: Words) -> list[dict[str, Any]]:
    """Return what code declares that is run in a process of its own: of a ``file``, or of an entry point's ``value``.

    Raises
    ------
    SrbenchError
        If it cannot be loaded.
    """
    with closing(Apart(f"{__name__}:serve")) as apart:
        try:
            told, _ = apart.ask(words)
        except Died as died:
            raise SrbenchError(f"{who} cannot be loaded: {died}") from died
    if "error" in told:
        raise SrbenchError(str(told["error"]))
    return list(told["found"])


def serve(words: Words, _: list[Samples]) -> Iterator[Answer]:
    """Answer in the process that looks: what a file or an entry point declares."""
    try:
        yield {"found": [{**each.declared(), "kind": each.KIND} for each in take(words).values()]}, []
    except SrbenchError as error:
        yield {"error": str(error)}, []
    except BaseException as error:  # an answer is due
        yield {"error": f"{words} cannot be loaded: {one_line(error)}"}, []


def take(words: Words) -> Mapping[str, Plugin]:
    """Load, in this process, what `ask_what` asks for."""
    if "file" in words:
        return load_file(Path(words["file"]))[0]
    for each in installed(words["kind"]):
        if (each.name, each.provenance["distribution"]) == (words["name"], words["distribution"]):
            return {each.name: load_registered(each)}
    raise SrbenchError(f"no {words['kind']} '{words['name']}' of {words['distribution']} is installed any more")


def load_registered(registration: Registration, error: type[SrbenchError] = SrbenchError) -> Plugin:
    """Load what an installed package registers, in this process."""
    kind, name, origin = registration.kind, registration.name, registration.origin
    loaded = guarded(f"{kind} '{name}' of {origin} cannot be loaded:", registration.load, kind=error)
    if not isinstance(loaded, Plugin) or kind != loaded.KIND:
        raise SrbenchError(f"{kind} '{name}' of {origin} is not made with @{kind}")
    return loaded


def _is_ours(value: Plugin) -> bool:
    """Tell whether it is one of srbench's own metrics, which a plug-in imported."""
    return value.KIND == "metric" and not getattr(value, "home", "")


def guarded(what: str, call: Callable[[], T], plugin: Path | None = None, kind: type[SrbenchError] = SrbenchError) -> T:
    """Run code that is not ours: what it prints goes to stderr, whatever it raises becomes one line.

    Of a plug-in that cannot be loaded the line says where it, or a file beside it, went wrong.
    """
    try:
        with _put_back(), contextlib.redirect_stdout(sys.stderr):  # stdout belongs to results (--json)
            return call()
    except KeyboardInterrupt:
        raise
    except SrbenchError as error:  # of our own making, or in our manner: said as it is
        raise kind(f"{what} {_text(error)}") from error
    except BaseException as error:  # SystemExit, CancelledError and their like are no Exception
        raise kind(f"{what} {one_line(error)}{_place(error, plugin)}") from error


def _place(error: BaseException, plugin: Path | None) -> str:
    """Return `` (line 3 of model.py)``: where in a plug-in's folder an error came up, "" where that says nothing."""
    if plugin is None or isinstance(error, SyntaxError):  # which names its line itself
        return ""
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    folder = plugin.resolve().parent
    inside = [(file, line) for file, line in frames if Path(file).resolve().is_relative_to(folder)]
    return f" (line {inside[-1][1]} of {Path(inside[-1][0]).name})" if inside else ""


@contextlib.contextmanager
def _put_back() -> Iterator[None]:
    """Put back at the end what such code may have changed for all: working directory, stderr, NumPy's error state."""
    try:
        here = os.getcwd()
    except OSError:  # it is gone
        here = os.curdir
    try:
        with contextlib.redirect_stderr(sys.stderr), np.errstate():
            yield
    finally:
        with contextlib.suppress(OSError):
            os.chdir(here)


def one_line(error: BaseException) -> str:
    """Return an error's type and text on one line, and how to install what it did not find."""
    text = _text(error)
    told = f"{type(error).__name__}: {shown(text[:200])}" if text else type(error).__name__
    return told + how_to_install(error)


def _text(error: BaseException) -> str:
    """Return an error's text on one line, "" where it has none, or asking for it raises."""
    try:
        text = " ".join(str(error).split())
    except BaseException:  # whatever it is: it is somebody else's code
        return ""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")  # file names may hold what UTF-8 does not
