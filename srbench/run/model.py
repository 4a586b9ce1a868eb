"""A model in a process of its own: it sees low-resolution signals and nothing else, and gives back copies.

It cannot reach the references, the metrics, the next model or the command. When it dies at a signal it gets one more
try in a new process, since what it leaked before may be to blame.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from srbench.apart import Answer, Apart, Died, Overdue, Words
from srbench.audio import Rate, Samples
from srbench.errors import SrbenchError, UpscalerError
from srbench.plugins import Registration, contents
from srbench.upscaler import BuiltUpscaler, build_upscaler, find_registration, registrations
from srbench.upscaler_sources import opened_files, short_digest, used_sources, weights_among

_SERVE = f"{__name__}:serve"


@dataclass(frozen=True)
class Model:
    """What a model's process is asked for: an upscaler's name, the plug-in files it may be in, how it is built."""

    name: str
    plugins: tuple[Path, ...] = ()
    device: str | None = None
    precision: str | None = None


class ModelProcess:
    """A built upscaler in a process of its own.

    Raises
    ------
    UpscalerError
        If it cannot be loaded or built.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self.files: dict[str, str] = {}  # weights that it read after it was built: path to digest
        self._apart = Apart(_SERVE)
        self._build()

    def _build(self) -> None:
        model = self._model
        what = {"name": model.name, "plugins": list(map(str, model.plugins))}
        try:
            told = self._once({"do": "build", **what, "device": model.device, "precision": model.precision})[0]
        except Died as died:
            raise UpscalerError(f"upscaler {model.name} cannot be built: {died}") from died
        self.told: dict[str, Any] = told["told"]
        self.takes_batches = bool(told["takes_batches"])

    def check_rates(self, low_rate: Rate, high_rate: int) -> None:
        """Raise UpscalerError, with the list, if this pair of rates is not supported."""
        self._asked({"do": "check_rates", "rates": _plain_rates(low_rate, high_rate)})

    def upscale(
        self,
        lows: Sequence[Samples],
        low_rate: Rate,
        high_rate: int,
        *,
        seed: int,
        batch: bool = False,
        seconds: float | None = None,
    ) -> tuple[list[Samples], float]:
        """Return the estimates of signals, and the seconds that the upscaler itself took.

        Parameters
        ----------
        lows : sequence of ndarray, shape (n,)
        low_rate, high_rate : in Hz
        seed : int
            For the global generators of its process.
        batch : bool
            All at once, by ``upscale_batch``; else there is one signal.
        seconds : float, optional
            That it may take.

        Raises
        ------
        UpscalerError
            If it fails, breaks its contract, dies twice, or takes longer.
        """
        words = {"do": "upscale", "rates": _plain_rates(low_rate, high_rate), "seed": seed, "batch": batch}
        told, estimates = self._asked(words, lows, seconds)
        lengths = [len(low) * high_rate // low_rate for low in lows]
        if [len(each) for each in estimates] != lengths or not all(np.isfinite(each).all() for each in estimates):
            self.close()
            raise UpscalerError(f"upscaler {self._model.name}: its process answered out of turn")
        self.files |= told["files"]
        return estimates, float(told["seconds"])

    def _asked(self, words: Words, arrays: Sequence[Samples] = (), seconds: float | None = None) -> Answer:
        """Ask; if it died, at this or since the last call, ask a new process once more."""
        try:
            return self._once(words, arrays, seconds)
        except Died:
            self._restart()
        try:
            return self._once(words, arrays, seconds)
        except Died as died:
            self._restart()
            raise UpscalerError(f"upscaler {self._model.name}: {died}") from died

    def _restart(self) -> None:
        self._apart = Apart(_SERVE)
        self._build()

    def _once(self, words: Words, arrays: Sequence[Samples] = (), seconds: float | None = None) -> Answer:
        try:
            told, estimates = self._apart.ask(words, arrays, seconds)
        except Overdue as late:
            self._restart()
            raise UpscalerError(f"it took longer than {seconds:g} s (--timeout): its process was ended") from late
        if "error" in told:
            raise UpscalerError(str(told["error"]))
        return told, estimates

    def close(self) -> None:
        """End the process."""
        self._apart.close()


def names_in(plugin: Path) -> tuple[Registration, ...]:
    """Return what a plug-in file registers. The file is run, in a process of its own.

    Raises
    ------
    SrbenchError
        If it cannot be loaded.
    """
    origin = {"distribution": plugin.name}
    return tuple(
        Registration("upscaler", str(told["name"]), f"plug-in {plugin}", _never, origin)
        for told in contents(plugin, "upscaler")
    )


def readable_plugins(plugins: Sequence[Path], unreadable: dict[Path, str] | None = None) -> tuple[Path, ...]:
    """Return the plug-in files that can be loaded.

    Parameters
    ----------
    plugins : sequence of Path
    unreadable : dict of Path to str, optional
        Takes the others, and why. Without it such a one is an error.

    Raises
    ------
    SrbenchError
        If one cannot be loaded, or holds no upscaler.
    """
    found = []
    for file in plugins:
        try:
            names_in(file)
            found.append(file)
        except SrbenchError as error:
            if unreadable is None:
                raise
            unreadable[file] = str(error)
    return tuple(found)


def own_plugins(name: str, plugins: Sequence[Path]) -> tuple[Path, ...]:
    """Return the plug-in file that holds an upscaler, none for one of an installed package.

    So a model's process runs no other plug-in's code, and two files may each import a neighbour of one name.

    Raises
    ------
    SrbenchError
        If the name is unknown or claimed twice, or a plug-in cannot be loaded.
    """
    found = [(registration, file) for file in plugins for registration in names_in(file)]
    match = find_registration(name, [*registrations(), *(registration for registration, _ in found)])
    return tuple(file for registration, file in found if registration is match)


def seed_all(seed: int) -> None:
    """Seed the global generators of this process, for upscalers that draw from them."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 (it is the global generator that must not differ from run to run)
    if torch := sys.modules.get("torch"):
        torch.manual_seed(seed)


def _never() -> Any:
    raise SrbenchError("a plug-in is loaded by its own process")


def _plain_rates(low_rate: Rate, high_rate: int) -> list[int]:
    exact = Fraction(low_rate)
    return [exact.numerator, exact.denominator, high_rate]


# --- in the process of the model

_BUILT: list[BuiltUpscaler] = []
_OPENED: list[set[str]] = []  # names of files, of an upscaler that is not srbench's own
_FOLDERS: list[Path] = []  # of its plug-in files


def serve(words: Words, arrays: list[Samples]) -> Iterator[Answer]:
    """Answer one call in the model's process: ``build``, ``check_rates`` or ``upscale``."""
    try:
        yield _DO[words["do"]](words, arrays)
    except SrbenchError as error:
        yield {"error": str(error)}, []
    except BaseException as error:  # KeyboardInterrupt too: nobody's Ctrl-C reaches this process
        name = _BUILT[0].upscaler.name if _BUILT else words.get("name", "")
        yield {"error": f"upscaler {name} raised {type(error).__name__}"}, []


def _build(words: Words, _: list[Samples]) -> Answer:
    settle()
    plugins = [Path(each) for each in words["plugins"]]
    opened = opened_files()
    built, origin = build_upscaler(words["name"], plugins, device=words["device"], precision=words["precision"])
    told = {**built.describe(), **origin}
    if origin.get("distribution") != "srbench":
        told |= used_sources(plugins, opened)
        _FOLDERS[:] = [path.resolve().parent for path in plugins]
        _OPENED[:] = [opened]
    opened.clear()
    _BUILT[:] = [built]
    return {"told": told, "takes_batches": built.takes_batches}, []


def _check_rates(words: Words, _: list[Samples]) -> Answer:
    _BUILT[0].check_rates(*_rates(words))
    return {}, []


def _upscale(words: Words, lows: list[Samples]) -> Answer:
    low_rate, high_rate = _rates(words)
    seed_all(int(words["seed"]))
    started = perf_counter()
    if words["batch"]:
        estimates = _BUILT[0].batch(lows, low_rate, high_rate)
    else:
        estimates = [_BUILT[0](lows[0], low_rate, high_rate)]
    return {"seconds": perf_counter() - started, "files": _read_late()}, estimates


def _read_late() -> dict[str, str]:
    """Return the weights that were read since the last call, with their digests: no identity could hold them."""
    for opened in _OPENED:
        late = {str(path): short_digest(path) for path in weights_among(set(opened), _FOLDERS)}
        opened.clear()  # after the digests, which open them too
        return late
    return {}


def _rates(words: Words) -> tuple[Rate, int]:
    numerator, denominator, high_rate = words["rates"]
    exact = Fraction(numerator, denominator)
    return (int(exact) if exact.denominator == 1 else exact), high_rate


@lru_cache(maxsize=1)
def settle() -> None:
    """Have this process use one thread and keep its memory; see `srbench.threads` and `keep_memory`."""
    from srbench.run.processes import keep_memory
    from srbench.threads import be_single_threaded

    be_single_threaded()
    keep_memory()


_DO = {"build": _build, "check_rates": _check_rates, "upscale": _upscale}
