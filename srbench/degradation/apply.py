"""A degradation applied to a signal, and built from a table of a protocol's file."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from fractions import Fraction
from math import inf
from typing import Any

import numpy as np

from srbench.audio import Rate, Samples, resample
from srbench.degradation.filters import CLASSES, KINDS, Degradation, Iir
from srbench.degradation.sinc import Sinc
from srbench.errors import SrbenchError, known_name, shown, unknown_name


def whole_length(n: int, high_rate: Rate, low_rate: Rate) -> int:
    """Return the greatest length up to ``n`` that is a whole number of low-resolution samples."""
    step = Fraction(low_rate, high_rate).denominator
    return n - n % step


def degrade(high: Samples, high_rate: Rate, low_rate: Rate, degradation: Degradation) -> Samples:
    """Make the low-resolution signal.

    Parameters
    ----------
    high : ndarray, shape (n,)
        High-resolution signal; n a whole number of low-resolution samples (see `whole_length`).
    high_rate, low_rate : int or Fraction, in Hz
    degradation : Degradation

    Returns
    -------
    low : ndarray, shape (n * low_rate / high_rate,)

    Raises
    ------
    SrbenchError
        If the length does not fit, or the signal is too short for the filter.
    """
    if not 0 < low_rate < high_rate:
        raise SrbenchError(f"the low rate must be below the high rate, not {low_rate} and {high_rate} Hz")
    if not len(high) or whole_length(len(high), high_rate, low_rate) != len(high):
        step = Fraction(low_rate, high_rate).denominator
        raise SrbenchError(f"{len(high)} samples are not a whole number of low-resolution samples (multiple of {step})")
    if isinstance(degradation, Sinc):
        return degradation.resampled(high, high_rate, low_rate)
    filtered = degradation.low_pass(high, high_rate, low_rate)
    if high_rate % low_rate == 0:
        return np.ascontiguousarray(filtered[:: high_rate // low_rate])
    return resample(filtered, high_rate, low_rate)


def from_table(table: Mapping[str, Any]) -> Degradation:
    """Build a degradation from a TOML table: ``kind`` and that kind's parameters.

    Raises
    ------
    SrbenchError
        If the kind or a key is unknown, or a value is of the wrong type or out of range.
    """
    if not isinstance(table.get("kind"), str):
        raise SrbenchError(f"a degradation needs a kind, one of: {', '.join(KINDS)}")
    kind = known_name("degradation", table["kind"], KINDS)
    cls = CLASSES[kind]
    fields = {f.name: str(f.type) for f in dataclasses.fields(cls)}
    given: dict[str, Any] = {key: value for key, value in table.items() if key != "kind" or cls is Iir}
    for key, value in given.items():
        if key not in fields:
            raise unknown_name(f"parameter of degradation {kind}", key, [name for name in fields if name != "kind"])
        wanted: type | tuple[type, ...] = (
            str if "str" in fields[key] else (int, float) if "float" in fields[key] else int
        )
        if isinstance(value, bool) or not isinstance(value, wanted):
            raise SrbenchError(f"degradation {kind}: {key} cannot be {shown(repr(value))}")
        if "float" in fields[key]:
            try:
                given[key] = float(given[key])
            except OverflowError:
                given[key] = inf
    built: Degradation = cls(**given)
    return built
