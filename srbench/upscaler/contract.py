"""The upscaler contract: what an upscaler is, how one is made, and what its results are held to."""

from __future__ import annotations

import copy
import functools
import inspect
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np

from srbench.audio import Rate, Samples
from srbench.errors import SrbenchError, UpscalerError
from srbench.names import check_name
from srbench.plugins import Plugin, guarded, one_line

READY = "ready"  # what `Upscaler.state` says of one that can run here


@dataclass(frozen=True)
class Upscaler(Plugin):
    """A named upscaler.

    Attributes
    ----------
    name : str
    target : function or class
        A function ``(low, low_rate, high_rate) -> array``, or a class with such a method ``upscale``, built when it
        is asked for (with ``device=…``, ``weights=…``, ``precision=…`` if its constructor takes them). A built object
        may also offer ``supports(low_rate, high_rate)``, ``rates``, ``upscale_batch(lows, low_rate, high_rate)`` for
        several signals at once, ``num_parameters`` and ``describe()``, a mapping for the record (weights' hash,
        training data, ``training_speakers``). The class itself may have ``licence`` and a class method ``state()``.
    rates : sequence of (low_rate, high_rate), or None
        The pairs of rates in Hz that it supports; None for any.
    description : str
    """

    KIND = "upscaler"
    name: str
    target: Callable[..., Any]
    rates: tuple[tuple[Rate, int], ...] | None = None
    description: str = ""

    @property
    def licence(self) -> str:
        """The licence of code and weights, "" where the class says none."""
        return str(getattr(self.target, "licence", ""))

    def state(self) -> str:
        """Return ``ready``, or in one line what is still missing here: what the class method ``state()`` says.

        Raises
        ------
        UpscalerError
            If ``state()`` raises.
        """
        told = getattr(self.target, "state", None)
        if not callable(told):
            return READY
        return str(_guarded(f"upscaler {self.name}: state() raised", told))

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
            raise UpscalerError(f"upscaler {name}: describe() cannot be recorded: {one_line(error)}") from error
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


_guarded = functools.partial(guarded, kind=UpscalerError)


def _plain(value: Any) -> Any:
    if isinstance(value, PurePath):
        return str(value)
    if hasattr(value, "tolist"):  # NumPy's numbers and arrays
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is no plain value")
