"""Metrics that do not come with srbench: the decorator `metric`, and the process apart in which they measure.

A function ``(reference, estimate, sample_rate) -> float``, or a frozen dataclass with such a method ``measure``,
becomes a metric with the decorator. It is found in a file named with ``--plugin``, or through the entry-point group
``srbench.metrics`` of an installed package. What it says of itself is all that this process knows of it: its code runs
in a process of its own, one for each file or entry point, so that whatever it does costs its own value.
"""

from __future__ import annotations

import dataclasses
import inspect
import numbers
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from math import inf, isnan
from pathlib import Path
from typing import Any

from srbench import signature
from srbench.apart import Answer, Apart, Died, Overdue, Words
from srbench.audio import Samples
from srbench.errors import SrbenchError, UndefinedMetric, shown
from srbench.metrics.declaration import check, described, fields_of
from srbench.metrics.metric import TEXTS, Definition, Metric
from srbench.metrics.pair import Pair
from srbench.plugins import Registration, announce, ask_what, contents, guarded, take
from srbench.signature import Signature
from srbench.threads import be_single_threaded
from srbench.upscaler_sources import source_digest

PATIENCE = 120.0  # seconds that a metric may take, what it loads included …
PATIENCE_PER_SECOND = 30.0  # … and for each second of the signal


def patience(pair: Pair) -> float:
    """Return the seconds that a metric of other code may take for a pair."""
    return PATIENCE + PATIENCE_PER_SECOND * len(pair.reference) / pair.sample_rate


@dataclass(frozen=True)
class _Declared:
    """The definition of such a metric at one rate.

    Attributes
    ----------
    name : str
    fields : tuple of (key, value)
        Of its signature at any rate.
    sr : int, in Hz
    """

    name: str
    fields: tuple[tuple[str, str], ...]
    sr: int

    def signature(self) -> Signature:
        """Return the digest of the source, the parameters, the rate and the version."""
        told = ((key, str(self.sr) if key == "sr" else value) for key, value in self.fields)
        return Signature(self.name.upper(), tuple(told))


@dataclass(frozen=True)
class Here(_Declared):
    """A definition that is measured in this process."""

    function: Callable[..., Any]

    def measure(self, pair: Pair) -> float:
        """Return what the function gives, if it is one number; UndefinedMetric says what it is or raised otherwise."""
        arguments = pair.reference.copy(), pair.estimate.copy(), pair.sample_rate
        try:
            value = guarded("raised", lambda: self.function(*arguments))
        except SrbenchError as error:
            told = error.__cause__ if isinstance(error.__cause__, UndefinedMetric) else f"{self.name} {error}"
            raise UndefinedMetric(shown(told, 300)) from error
        if hasattr(value, "item") and getattr(value, "size", None) == 1:
            value = guarded(f"{self.name} returned what", value.item)
        if not isinstance(value, numbers.Real) or isinstance(value, bool):
            raise UndefinedMetric(f"{self.name} returned {type(value).__name__}, not a number")
        if isnan(value):
            raise UndefinedMetric(f"{self.name} returned NaN")
        return float(value)


@dataclass(frozen=True)
class Elsewhere(_Declared):
    """A definition that is measured in the process of its plug-in; ``words`` say which."""

    words: tuple[tuple[str, str], ...]
    range: tuple[float, float]

    @property
    def file(self) -> Path | None:
        """The plug-in file that holds it, None where a package does."""
        told = dict(self.words).get("file")
        return Path(told) if told else None

    def moved(self, file: Path) -> Elsewhere:
        """Return the same of a copy of its file."""
        return dataclasses.replace(
            self, words=(("file", str(file)), *(each for each in self.words if each[0] != "file"))
        )

    def measure(self, pair: Pair) -> float:
        """Return its value; UndefinedMetric says why there is none: it raised, crashed, hung or gave no number."""
        asked = {**dict(self.words), "metric": self.name, "rate": pair.sample_rate, "signature": str(self.signature())}
        limit = patience(pair)
        try:
            try:
                told = self._ask(asked, pair, limit)
            except Died:  # perhaps something else killed it
                told = self._ask(asked, pair, limit)
        except Died as error:
            raise UndefinedMetric(f"failed: {self.name}: {error}") from error
        except Overdue as error:
            raise UndefinedMetric(f"late: {self.name}: it took longer than {limit:g} s") from error
        value, (low, high) = told.get("value"), self.range
        if not isinstance(value, float):
            raise UndefinedMetric(shown(told.get("undefined", f"{self.name}: its process answered out of turn"), 300))
        if not low <= value <= high:
            raise UndefinedMetric(f"{self.name} returned {value:g}, outside of its range {low:g} to {high:g}")
        return value

    def _ask(self, asked: Words, pair: Pair, limit: float) -> Words:
        try:
            return _process(self.words).ask(asked, [pair.reference, pair.estimate], limit)[0]
        except BaseException:  # it has ended, or is ended
            _PROCESSES.pop(self.words, None)
            raise


_PROCESSES: dict[tuple[tuple[str, str], ...], Apart] = {}


def forget() -> None:
    """End the processes that measure for this one, and forget what packages declared."""
    _of_package.cache_clear()
    while _PROCESSES:
        _PROCESSES.popitem()[1].close()


def _process(words: tuple[tuple[str, str], ...]) -> Apart:
    if words not in _PROCESSES:
        _PROCESSES[words] = Apart(f"{__name__}:serve")
    return _PROCESSES[words]


def metric(
    name: str,
    *,
    better: str,
    unit: str = "1",
    range: tuple[float, float] = (-inf, inf),
    family: str = "",
    hears: float = inf,
    digits: str = ".3f",
    label: str = "",
    title: str = "",
    source: str = "",
    cite: str = "",
    version: int = 1,
) -> Callable[[Any], Metric]:
    """Make a metric of a function or of a frozen dataclass; used as a decorator.

    Parameters
    ----------
    name : str
        Letters, digits and underscores.
    better : {"higher", "lower"}
    unit : str
    range : (float, float)
        Closed bounds of the value.
    family : str
        Which laws of `srbench audit` it keeps: snr, si_sdr, mse, lsd, pesq, stoi; "" for none.
    hears : float, in Hz
        The highest frequency that the value depends on.
    digits, label, title, source, cite : str
        See `srbench.metrics.Metric`. The title is the first line of the docstring by default.
    version : int
        To be raised where the same source gives other values.

    Examples
    --------
    >>> @metric("peak_error", better="lower", range=(0, inf))
    ... def peak_error(reference, estimate, sample_rate):
    ...     return abs(reference - estimate).max()
    >>> import numpy as np
    >>> peak_error(np.zeros(4), np.array([0, 0.25, 0, -0.5]), 16000)
    0.5
    """
    label = label or str(name).upper().replace("_", "-")
    check(name, label, unit, better, range, hears, digits)

    def wrap(target: Any) -> Metric:
        of_class = inspect.isclass(target)
        config = guarded(f"metric {name}:", target) if of_class else None
        if of_class and not (dataclasses.is_dataclass(config) and callable(getattr(config, "measure", None))):
            raise SrbenchError(f"metric {name}: {target.__name__} is no dataclass with a method measure")
        if not callable(target):
            raise SrbenchError(f"metric {name}: {type(target).__name__} is neither a function nor a class")
        function = config.measure if config is not None else target

        def define(sr: int, _: float | None) -> Definition:
            return Here(name, fields, sr, function)

        made = Metric(
            name,
            title or _first_line(target) or name,
            unit,
            better,
            (float(range[0]), float(range[1])),
            define,
            lambda sr: min(float(hears), sr / 2),
            digits,
            label,
            family,
            foreign=True,
            source=source,
            cite=cite,
            home=_home(target),
        )
        parameters = signature.of_fields(name, config).fields if of_class else ()
        fields = (
            *fields_of(made.home, made),
            ("src", _source_digest(target)),
            *parameters,
            ("sr", ""),
            ("v", str(version)),
        )
        made.signature(16000)  # raises where a parameter cannot stand in it
        return made

    return wrap


def in_file(path: Path) -> list[Metric]:
    """Return the metrics of a plug-in file. It is run, in a process of its own; and so are they.

    Raises
    ------
    SrbenchError
        If it cannot be loaded, or what it declares is none.
    """
    words = {"file": str(path)}
    return [_from_outside(told, home_of(path), words) for told in contents(path, "metric")]


def home_of(path: Path) -> str:
    """Return what the metrics of a file tell as their home."""
    return f"plug-in {path}"


def of_package(registration: Registration) -> Metric:
    """Return a metric that an installed package registers; its code is run, in a process of its own.

    Raises
    ------
    SrbenchError
        If it cannot be loaded, or what it declares is none.
    """
    announce(registration)
    return _of_package(registration.name, registration.origin, registration.provenance["distribution"])


@lru_cache(maxsize=64)
def _of_package(name: str, origin: str, distribution: str) -> Metric:
    words = {"kind": "metric", "name": name, "distribution": distribution}
    (told,) = ask_what(f"metric '{name}' of {origin}", words)
    if told["name"] != name:
        raise SrbenchError(f"metric '{name}' of {origin} calls itself '{shown(told['name'])}'")
    return _from_outside(told, origin, words)


def _from_outside(told: Mapping[str, Any], home: str, words: Mapping[str, str]) -> Metric:
    """Build a metric of what a process said of it; that is checked again, for code that is not ours spoke."""
    try:
        name, fields = str(told["name"]), tuple((str(key), str(value)) for key, value in told["signature"])
        texts = {key: shown(told[key], 500) for key in TEXTS}
        found = described(name, str(Signature(name, fields)))
    except (KeyError, TypeError, ValueError, SrbenchError) as error:
        raise SrbenchError(f"{home}: what it says of its metrics cannot be read") from error
    if found is None:
        raise SrbenchError(f"{home}: what it says of its metric '{shown(name)}' cannot be")
    # the source too: what was changed is another process
    where, bounds = (*words.items(), ("src", dict(fields).get("src", ""))), found.range

    def define(sr: int, _: float | None) -> Definition:
        return Elsewhere(name, fields, sr, where, bounds)

    made = dataclasses.replace(found, define=define, home=home, **texts)  # type: ignore[arg-type]
    made.signature(16000)
    return made


def _home(target: Any) -> str:
    """Return what a plug-in is called in signatures: the name of its file, or of its module in a package."""
    module = str(getattr(target, "__module__", "") or "__main__")
    if not module.startswith("srbench_plugin_"):
        return module
    try:
        file = inspect.getsourcefile(target) or module
    except TypeError:
        return module
    return Path(file).name.encode("utf-8", "backslashreplace").decode("utf-8")


def _first_line(target: Any) -> str:
    """Return the first line of a docstring, but not of the one that a dataclass makes for itself."""
    line = (inspect.getdoc(target) or "").split("\n")[0]
    return "" if line.startswith(f"{target.__name__}(") else line


def _source_digest(target: Any) -> str:
    """Return 8 hex digits of the SHA-256 of the file that it is written in, and of those that this one imports."""
    try:
        file = inspect.getsourcefile(target)
    except TypeError:
        file = None
    return (source_digest(Path(file)) if file else "")[:8] or "unknown"


# --- in the process of a plug-in's metrics


@cache
def _loaded(words: tuple[tuple[str, str], ...]) -> Mapping[str, Any]:
    be_single_threaded()
    return take(dict(words))


def serve(words: Words, arrays: list[Samples]) -> Iterator[Answer]:
    """Answer in the process of a plug-in: the value of one metric for one pair."""
    name, rate = words.pop("metric"), words.pop("rate")
    expected = words.pop("signature")
    try:
        made = _loaded(tuple(words.items())).get(name)
        if not isinstance(made, Metric) or str(made.signature(rate)) != expected:
            yield {"undefined": "failed: its source was changed while it was in use: run again"}, []
            return
        reference, estimate = arrays
        yield {"value": made(reference, estimate, rate)}, []
    except SrbenchError as error:
        yield {"undefined": str(error)}, []
    except BaseException as error:  # an answer is due
        yield {"undefined": f"{name} raised {type(error).__name__}"}, []
