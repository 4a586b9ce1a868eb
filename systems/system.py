"""What every adapter says of its system, and what it says when a package or weights are missing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from srbench.audio import Rate, Samples
from srbench.errors import UpscalerError
from srbench.upscaler import READY

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Card:
    """A published system.

    Attributes
    ----------
    system : str
        Its name as its paper writes it.
    licence : str
        Of code and weights, as its repository states it.
    paper, source : str
        Where they are to be read.
    weights : str
        Where the weights come from.
    rates : str
        Low and high rates in kHz, for people.
    install : str
        A command, or what to do.
    undone : str
        What the adapter takes back of what the system's own scripts do to level, length, rate and format, and what it
        cannot take back.
    sha256 : mapping of file name to SHA-256
        Of released weights; empty where they are unknown.
    """

    system: str
    licence: str
    paper: str
    source: str
    weights: str
    rates: str
    install: str
    undone: str
    sha256: Mapping[str, str] = field(default_factory=dict)


class System:
    """A published system as an upscaler; an adapter fills `card`, and tells what is missing in `state`."""

    card: ClassVar[Card]
    licence: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        """Give the class the licence of its card, for ``srbench list upscalers --all``."""
        if "card" in vars(cls):
            cls.licence = cls.card.licence

    @classmethod
    def state(cls) -> str:
        """Return ``ready``, or in one line what is missing here and how to get it; loads no package."""
        return READY

    def used(self) -> dict[str, Path]:
        """Return the weights and sources in use by name, for the record."""
        return {}

    def describe(self) -> dict[str, Any]:
        """Return the card, and the SHA-256 of each file in use."""
        used = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in self.used().items()}
        known = {name: digest == used[name] for name, digest in self.card.sha256.items() if name in used}
        return {**asdict(self.card), "sha256": used, "sha256_is_the_released_one": known or UNKNOWN}


def need(state: str) -> None:
    """Raise UpscalerError with what is missing, unless it is ``ready``."""
    if state != READY:
        raise UpscalerError(state)


def installed(distribution: str, at_least: tuple[int, int] = (0, 0)) -> bool:
    """Tell whether a package is installed, and new enough, without importing it."""
    try:
        parts = metadata.version(distribution).split(".")
    except metadata.PackageNotFoundError:
        return False
    return tuple(int("".join(filter(str.isdigit, part)) or 0) for part in parts[:2]) >= at_least


def with_end(low: Samples, low_rate: Rate, *, more: int, least: float = 0.1) -> Samples:
    """Return a signal with zeros after its end.

    Many systems return whole hops only, and refuse what is shorter than a window: the zeros take the loss.

    Parameters
    ----------
    low : ndarray, shape (n,)
    low_rate : int or Fraction, in Hz
    more : int
        Zeros, in low-resolution samples.
    least : float
        Seconds; a shorter signal gets more zeros.

    Returns
    -------
    ndarray, shape (n + more,) or longer
    """
    return np.pad(low, (0, max(more, int(least * low_rate) + 1 - len(low))))
