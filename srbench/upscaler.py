"""The upscaler contract and its registry.

An upscaler maps a low-resolution signal to a high-resolution one::

    upscale(low: float array (n,), low_rate: int, high_rate: int) -> float array (n * high_rate // low_rate,)

aligned with the reference (no delay) and finite. ``low_rate`` is a whole number of Hz but for scales that have none
(16 kHz at scale 6), where it is an exact ``fractions.Fraction``; the formula for the length holds for both. A
function or a class becomes one with the decorator `upscaler`; it is found through the entry-point group
``srbench.upscalers`` of any installed package, or in a single file named with ``--plugin``. What comes with srbench
is registered in just the same way.

Code that does not come with srbench is named in the log (``srbench.plugins``, level INFO) before it is run; the
command line shows that on stderr.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import hashlib
import importlib.util
import inspect
import json
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path, PurePath
from typing import Any, TypeVar

import numpy as np

from srbench.audio import Rate, Samples
from srbench.errors import SrbenchError, UpscalerError, shown, unknown_name
from srbench.extras import how_to_install
from srbench.names import check_name

GROUP = "srbench.upscalers"
LOG = logging.getLogger("srbench.plugins")
T = TypeVar("T")


@dataclass(frozen=True)
class Upscaler:
    """A named upscaler.

    Attributes
    ----------
    name : str
    target : function or class
        A function ``(low, low_rate, high_rate) -> array``, or a class with such a method ``upscale``, built when it
        is asked for (with ``device=…``, ``weights=…``, ``precision=…`` if its constructor takes them). A built object
        may also offer ``supports(low_rate, high_rate)``, ``rates``, ``upscale_batch(lows, low_rate, high_rate)`` for
        several signals at once, ``num_parameters`` and ``describe()``, a mapping for the record (weights' hash,
        training data, ``training_speakers``).
    rates : sequence of (low_rate, high_rate), or None
        The pairs of rates in Hz that it supports; None for any.
    description : str
    """

    name: str
    target: Callable[..., Any]
    rates: tuple[tuple[Rate, int], ...] | None = None
    description: str = ""

    def build(
        self, device: str | None = None, *, weights: str | None = None, precision: str | None = None
    ) -> BuiltUpscaler:
        """Make it ready to run; a class is instantiated here, with those of the arguments that are given.

        Raises
        ------
        UpscalerError
            If the constructor raises, or something is asked for that it does not take.
        """
        takes = inspect.signature(self.target).parameters if inspect.isclass(self.target) else {}
        given = {
            key: value
            for key, value in (("device", device), ("weights", weights), ("precision", precision))
            if value is not None
        }
        refusals = {
            "device": "runs on the CPU only; it takes no --device",
            "weights": f"takes no weights (asked for {self.name}@{weights})",
            "precision": "has one precision; it takes no --precision",
        }
        for key in given:
            if key not in takes:
                raise UpscalerError(f"upscaler {self.name} {refusals[key]}")
        if not inspect.isclass(self.target):
            return BuiltUpscaler(self, self.target, None)
        built: Any = _guarded(f"upscaler {self.name} cannot be built:", lambda: self.target(**given))
        if not callable(getattr(built, "upscale", None)):
            raise UpscalerError(f"upscaler {self.name}: class {self.target.__name__} has no method upscale")
        return BuiltUpscaler(self, built.upscale, built)

    def __call__(self, low: Samples, low_rate: Rate, high_rate: int) -> Samples:
        """Upscale one signal, with the contract checked (see `BuiltUpscaler.__call__`)."""
        return self.build()(low, low_rate, high_rate)


@dataclass(frozen=True)
class BuiltUpscaler:
    """An upscaler ready to run."""

    upscaler: Upscaler
    function: Callable[..., Any]
    instance: Any

    def __call__(self, low: Samples, low_rate: Rate, high_rate: int) -> Samples:
        """Upscale one signal and hold the result to the contract.

        Parameters
        ----------
        low : ndarray of float64, shape (n,)
        low_rate : int or Fraction, in Hz
        high_rate : int, in Hz

        Returns
        -------
        ndarray of float64, shape (n * high_rate // low_rate,)

        Raises
        ------
        UpscalerError
            If the upscaler raises, or returns another type, shape or length, or NaN or infinity.
        """
        name = self.upscaler.name
        estimate = _guarded(f"upscaler {name} raised", lambda: self.function(low.copy(), low_rate, high_rate))
        return check_estimate(name, estimate, len(low) * high_rate // low_rate)

    @property
    def takes_batches(self) -> bool:
        """Whether it has a method ``upscale_batch(lows, low_rate, high_rate)`` for several signals at once."""
        return callable(getattr(self.instance, "upscale_batch", None))

    def batch(self, lows: Sequence[Samples], low_rate: Rate, high_rate: int) -> list[Samples]:
        """Upscale several signals at once and hold each to the contract.

        Raises
        ------
        UpscalerError
            See `__call__`; also if it does not return as many as it was given.
        """
        name = self.upscaler.name
        given = [low.copy() for low in lows]
        # copied as they come: a generator may fill the same array again
        made = _guarded(
            f"upscaler {name} raised",
            lambda: [copy.copy(each) for each in self.instance.upscale_batch(given, low_rate, high_rate)],
        )
        if len(made) != len(lows):
            raise UpscalerError(f"upscaler {name} returned {len(made)} signals for {len(lows)}")
        return [
            check_estimate(name, estimate, len(low) * high_rate // low_rate)
            for estimate, low in zip(made, lows, strict=True)
        ]

    def check_rates(self, low_rate: Rate, high_rate: int) -> None:
        """Raise UpscalerError, with the list, if this pair of rates is not supported."""
        upscaler = self.upscaler
        rates = upscaler.rates if upscaler.rates is not None else getattr(self.instance, "rates", None)
        if rates is not None and (low_rate, high_rate) not in rates:
            known = ", ".join(f"{low} to {high} Hz" for low, high in rates)
            raise UpscalerError(f"upscaler {upscaler.name} does not support {low_rate} to {high_rate} Hz, only {known}")
        supports = getattr(self.instance, "supports", None)
        if callable(supports) and not _guarded(
            f"upscaler {upscaler.name}: supports() raised", lambda: supports(low_rate, high_rate)
        ):
            raise UpscalerError(f"upscaler {upscaler.name} does not support {low_rate} to {high_rate} Hz")

    def describe(self) -> dict[str, Any]:
        """Return what the upscaler tells about itself, as plain values: description, parameters, ``describe()``.

        Raises
        ------
        UpscalerError
            If ``describe()`` or ``num_parameters`` raises, or gives what cannot be written down as JSON.
        """
        name = self.upscaler.name
        told: dict[str, Any] = {"name": name, "description": self.upscaler.description}
        parameters = getattr(self.instance, "num_parameters", None)
        if parameters is not None:
            told["num_parameters"] = _guarded(
                f"upscaler {name}: num_parameters raised",
                lambda: int(parameters() if callable(parameters) else parameters),
            )
        describe = getattr(self.instance, "describe", None)
        if not callable(describe):
            return told
        own = _guarded(f"upscaler {name}: describe() raised", describe)
        if not isinstance(own, Mapping):
            raise UpscalerError(f"upscaler {name}: describe() returned {type(own).__name__}, not a mapping")
        try:
            plain = json.loads(json.dumps(dict(own), allow_nan=False, default=_plain))
        except (TypeError, ValueError) as error:
            raise UpscalerError(f"upscaler {name}: describe() cannot be recorded: {_one_line(error)}") from error
        if not isinstance(plain.get("training_speakers", []), list):
            raise UpscalerError(f"upscaler {name}: describe() must give training_speakers as a list")
        return {**plain, **told}  # it does not get to say who it is


def check_estimate(name: str, estimate: Any, length: int) -> Samples:
    """Return a copy of the estimate as float64 if it keeps the contract: an upscaler may use its buffer again.

    Raises
    ------
    UpscalerError
        Naming what is wrong with it.
    """
    if hasattr(estimate, "detach"):
        raise UpscalerError(f"upscaler {name} returned a tensor; return a NumPy array (tensor.cpu().numpy())")
    if not isinstance(estimate, np.ndarray):
        raise UpscalerError(f"upscaler {name} returned {type(estimate).__name__}, not a NumPy array")
    if estimate.dtype.kind != "f":
        raise UpscalerError(f"upscaler {name} returned {estimate.dtype} samples, not floats with full scale 1.0")
    if estimate.shape != (length,):
        raise UpscalerError(f"upscaler {name} returned shape {estimate.shape}, not ({length},)")
    bad = np.count_nonzero(~np.isfinite(estimate))
    if bad:
        raise UpscalerError(f"upscaler {name} returned {bad} NaN or infinite samples of {length}")
    return np.array(estimate, dtype=np.float64)


def upscaler(
    name: str | None = None, *, rates: Iterable[tuple[Rate, int]] | None = None, description: str | None = None
) -> Callable[[Callable[..., Any]], Upscaler]:
    """Make an upscaler of a function or class; used as a decorator.

    Parameters
    ----------
    name : str, optional
        The function's or class's own name by default.
    rates : iterable of (low_rate, high_rate), optional
        The pairs in Hz that it supports; any by default.
    description : str, optional
        The first line of the docstring by default.

    Examples
    --------
    >>> @upscaler("hold_twice", rates=[(8000, 16000)])
    ... def hold_twice(low, low_rate, high_rate):
    ...     return low.repeat(2)
    >>> hold_twice(np.array([1.0, 2.0]), 8000, 16000)
    array([1., 1., 2., 2.])
    """
    if name is not None and not isinstance(name, str):
        raise SrbenchError("@upscaler needs its brackets: @upscaler() or @upscaler('name')")
    if name is not None and ":" in name:
        raise SrbenchError(f"an upscaler's name cannot hold a colon, which stands after a distribution's: '{name}'")
    if name is not None and "@" in name:
        raise SrbenchError(f"an upscaler's name cannot hold an @, which stands before weights: '{name}'")

    def wrap(target: Callable[..., Any]) -> Upscaler:
        check_name("an upscaler's name", name or target.__name__)
        told = description if description is not None else (inspect.getdoc(target) or "").split("\n")[0]
        fixed = None if rates is None else tuple((low, high) for low, high in rates)
        return Upscaler(name or target.__name__, target, fixed, told)

    return wrap


@dataclass(frozen=True)
class Registration:
    """One name that can be asked for, and where it comes from; nothing is loaded yet."""

    name: str
    origin: str
    load: Callable[[], Any] = field(repr=False)
    provenance: Mapping[str, str] = field(default_factory=dict)

    @property
    def strange(self) -> bool:
        """Whether it is of another package than srbench: code not run yet, which is named before it is."""
        return "object" in self.provenance and self.provenance["distribution"] != "srbench"


def registrations(plugins: Sequence[str | Path] = ()) -> list[Registration]:
    """List all upscalers: those of installed packages, then those in plug-in files.

    Listing loads no package; a plug-in file is run, which is how its upscalers become known.

    Raises
    ------
    SrbenchError
        If a plug-in file is missing, fails to run, or holds no upscaler.
    """
    found = []
    for entry in metadata.entry_points(group=GROUP):
        distribution = entry.dist.name if entry.dist else "unknown"
        version = entry.dist.version if entry.dist else "unknown"
        told = {"distribution": distribution, "version": version, "object": entry.value}
        found.append(Registration(entry.name, f"{distribution} {version} ({entry.value})", entry.load, told))
    # One distribution found twice (an installed one and a checkout's metadata on the path) is still one.
    unique = {(r.name, r.provenance["distribution"]): r for r in reversed(found)}
    files = dict.fromkeys(Path(file) for file in plugins)
    return sorted(unique.values(), key=lambda r: r.name) + [r for file in files for r in _load_file(file)]


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
    name = name.partition("@")[0]
    announce(match)
    loaded = _guarded(f"upscaler '{name}' of {match.origin} cannot be loaded:", match.load)
    if not isinstance(loaded, Upscaler):
        raise SrbenchError(f"upscaler '{name}' of {match.origin} is not made with @upscaler")
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


def announce(code: Registration | Path) -> None:
    """Name code that does not come with srbench, in the log, before it is run."""
    if isinstance(code, Path):
        LOG.info("running code of plug-in %s", code)
    elif code.strange:
        where = found_at(code.provenance["object"])
        LOG.info("running code of upscaler '%s' of %s%s", code.name, code.origin, where)


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


def _source_digest(loaded: Upscaler) -> dict[str, str]:
    """Return the hash of the file that the upscaler is written in: a version does not tell an edited checkout."""
    try:
        file = inspect.getsourcefile(loaded.target)
        return {"source_sha256": hashlib.sha256(Path(file).read_bytes()).hexdigest()} if file else {}
    except (TypeError, OSError):
        return {}


def _load_file(path: Path) -> list[Registration]:
    try:
        source = path.read_bytes()
    except OSError as error:
        raise SrbenchError(f"plug-in {path}: {error.strerror or 'cannot be read'}") from error
    announce(path)
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
            _guarded(f"plug-in {path} cannot be loaded:", functools.partial(spec.loader.exec_module, module), path)
        except UpscalerError:
            del sys.modules[module_name]
            raise
    found: dict[str, Upscaler] = {}
    for value in vars(module).values():
        if isinstance(value, Upscaler) and found.setdefault(value.name, value) is not value:
            raise SrbenchError(f"plug-in {path}: the name '{value.name}' appears twice")
    if not found:
        raise SrbenchError(
            f"plug-in {path}: holds no upscaler at its top level; decorate a function or class there with @upscaler()"
        )
    told = {"distribution": path.name, "sha256": digest}
    return [Registration(name, f"plug-in {path}", _giving(value), told) for name, value in found.items()]


def _giving(value: Upscaler) -> Callable[[], Upscaler]:
    return lambda: value


def _guarded(what: str, call: Callable[[], T], plugin: Path | None = None) -> T:
    """Run code that is not ours: what it prints goes to stderr, whatever it raises becomes one line.

    Of a plug-in that cannot be loaded the line says where it, or a file beside it, went wrong.
    """
    try:
        with _put_back(), contextlib.redirect_stdout(sys.stderr):  # stdout belongs to results (--json)
            return call()
    except KeyboardInterrupt:
        raise
    except SrbenchError as error:  # of our own making, or in our manner: said as it is
        raise UpscalerError(f"{what} {_text(error)}") from error
    except BaseException as error:  # SystemExit, CancelledError and their like are no Exception
        raise UpscalerError(f"{what} {_one_line(error)}{_place(error, plugin)}") from error


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


def _plain(value: Any) -> Any:
    if isinstance(value, PurePath):
        return str(value)
    if hasattr(value, "tolist"):  # NumPy's numbers and arrays
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is no plain value")


def _one_line(error: BaseException) -> str:
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
