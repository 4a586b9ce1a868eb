"""What is asked for, checked before anything is measured, for one metric and for a score alike."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Real
from typing import Any

import numpy as np

from srbench.audio import HIGHEST_RATE, LOWEST_RATE, Samples
from srbench.errors import SrbenchError, shown

_CALL = "(reference, estimate, sample_rate)"


def as_rate(value: Any, name: str = "the sample rate") -> int:
    """Return a sample rate as a whole number of Hz.

    Raises
    ------
    SrbenchError
        If it is none, or no rate of sound.
    """
    whole = isinstance(value, Real) and not isinstance(value, (bool, np.bool_)) and value == value // 1
    if not whole or not LOWEST_RATE <= value <= HIGHEST_RATE:
        raise SrbenchError(f"{name} is a whole number of Hz from {LOWEST_RATE} to {HIGHEST_RATE}, not {_told(value)}")
    return int(value)


def as_cutoff(value: Any, sample_rate: int) -> float | None:
    """Return a cutoff in Hz, None for none.

    Raises
    ------
    SrbenchError
        If it is not between 0 and half the sample rate.
    """
    if value is None:
        return None
    if not isinstance(value, Real) or isinstance(value, (bool, np.bool_)) or not 0 < float(value) < sample_rate / 2:
        raise SrbenchError(f"the cutoff must lie between 0 and {sample_rate / 2:g} Hz, not at {_told(value)}")
    return float(value)


def as_names(value: Any) -> tuple[str, ...]:
    """Return names of metrics, of one or several.

    Raises
    ------
    SrbenchError
        If there is none, or they are not names.
    """
    names = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, Iterable) else ()
    if not names or not all(isinstance(name, str) for name in names):
        raise SrbenchError(f"metrics are names such as ('snr', 'lsd'), at least one, not {_told(value)}")
    return tuple(dict.fromkeys(names))


def as_samples(signal: Any, name: str) -> Samples:
    """Return a signal as a contiguous array of shape (n,). It may hold NaN and infinity.

    Raises
    ------
    SrbenchError
        If it cannot be read as one, or is not one channel of floats.
    """
    try:
        array = np.asarray(signal)
    except (RuntimeError, TypeError, ValueError) as error:  # a tensor with a gradient, or on another device
        reason = shown(str(error).partition("\n")[0], 120)
        raise SrbenchError(f"the {name} cannot be read as an array ({type(signal).__name__}): {reason}") from error
    if np.ma.is_masked(signal):
        raise SrbenchError(f"the {name} is an array with masked samples; give it filled, or both cut to the others")
    if array.ndim != 1 or array.size == 0:
        given = f"not {array.shape}" if array.ndim else f"not {_told(signal)}; the order is {_CALL}"
        raise SrbenchError(f"the {name} must have shape (n,), n at least 1, {given}")
    if array.dtype.kind != "f":
        raise SrbenchError(
            f"the {name} must hold floats with full scale 1.0, not {array.dtype}; divide 16-bit by 32768"
        )
    with np.errstate(over="ignore"):  # a longdouble beyond what float64 holds: infinite, and told as that
        # contiguous, so that sums do not depend on how the caller laid the samples out
        return np.ascontiguousarray(array, dtype=np.float64)


def _told(value: Any) -> str:
    """Return a value as a message shows it: an array by its shape, and where it may have been meant to stand."""
    if getattr(value, "shape", ()):
        return f"an array of shape {tuple(value.shape)}; the order is {_CALL}"
    return f"{value:g}" if isinstance(value, float) else shown(repr(value), 40)
