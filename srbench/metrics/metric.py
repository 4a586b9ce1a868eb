"""What a metric is: a frozen definition with a name, a unit, a direction, a range and a signature."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from srbench.errors import SrbenchError
from srbench.metrics.arguments import as_cutoff, as_rate
from srbench.metrics.pair import Pair
from srbench.plugins import Plugin
from srbench.signature import Signature

TEXTS = ("title", "family", "source", "cite")  # what a signature does not say


class Definition(Protocol):
    """A metric's configuration, fixed for one sample rate and cutoff."""

    def signature(self) -> Signature:
        """Return every parameter that the value depends on."""
        ...

    def measure(self, pair: Pair) -> float:
        """Return the value, in float64; raise UndefinedMetric where there is none."""
        ...


@dataclass(frozen=True)
class Metric(Plugin):
    """A registered metric: the family of its definitions over sample rates.

    Attributes
    ----------
    name : str
        As in results and on the command line.
    title : str
        One line for people.
    unit : str
        ``dB``, ``MOS`` or ``1``.
    better : {"higher", "lower"}
    range : (float, float)
        Closed bounds of the value.
    define : callable (sample_rate, cutoff) -> Definition
        Raises SrbenchError where the metric is not defined for the rate or needs a cutoff.
    hears : callable sample_rate -> float
        The highest frequency in Hz that the value depends on.
    digits : str
        How to print it, as a format specification.
    label : str
        What a table heads its column with; by default the name in capitals.
    family : str
        What it is a kind of: the audit has laws for a family. "" for none.
    convention : str
        What tables call this definition, where its family has several.
    spread : float or None
        Its usual standard deviation between utterances of speech, in its unit; of the MSE as a share of the mean.
    ceiling : bool
        Whether a perfect low band with nothing above it has the most that can be had of it.
    usual : bool
        Whether it is shown where there is room for a few only.
    slow : bool
        Whether a pair takes seconds.
    also : str
        Other names of the same, for tables; small letters only, blanks between.
    near : str
        What people also type when they mean it.
    packages : tuple of str
        The distributions that compute it; their versions are recorded.
    extra : str
        The optional dependency set it needs, "" for none.
    foreign : bool
        Whether code of another package computes it, which may crash or hang: a run measures it in another process.
    source : str
        Who defined it, and where.
    cite : str
        The BibTeX key of that, "" for none.
    home : str
        Where it comes from, "" for srbench itself.
    """

    name: str
    title: str
    unit: str
    better: str
    range: tuple[float, float]
    define: Callable[[int, float | None], Definition]
    hears: Callable[[int], float]
    digits: str = ".3f"
    label: str = ""
    family: str = ""
    convention: str = ""
    spread: float | None = None
    ceiling: bool = False
    usual: bool = False
    slow: bool = False
    also: str = ""
    near: str = ""
    packages: tuple[str, ...] = ()
    extra: str = ""
    foreign: bool = False
    source: str = ""
    cite: str = ""
    home: str = ""
    KIND: ClassVar[str] = "metric"

    def __post_init__(self) -> None:
        if not self.label:
            object.__setattr__(self, "label", self.name.upper().replace("_", "-"))

    def __call__(self, reference: Any, estimate: Any, sample_rate: int, cutoff: float | None = None) -> float:
        """Measure one pair.

        Parameters
        ----------
        reference, estimate : ndarray of floats, shape (n,)
        sample_rate : int, in Hz
        cutoff : float, in Hz, optional
            Needed by the metrics of one band.

        Raises
        ------
        SrbenchError
            If the pair is not valid (see `Pair`) or the metric is not defined at this rate.
        UndefinedMetric
            If this pair has no value (a silent reference, a signal too short).
        """
        pair = Pair(reference, estimate, sample_rate, cutoff)
        return self.define(pair.sample_rate, pair.cutoff).measure(pair)

    def signature(self, sample_rate: int, cutoff: float | None = None) -> Signature:
        """Return the signature of the definition used at this rate and cutoff."""
        rate = as_rate(sample_rate)
        return self.define(rate, as_cutoff(cutoff, rate)).signature()

    def declared(self) -> dict[str, Any]:
        """Return all that a process which does not run its code must know of it, as plain values."""
        return {key: getattr(self, key) for key in ("name", *TEXTS)} | {"signature": self.signature(16000).fields}


def needs_rate(name: str, sample_rate: int, least: int) -> None:
    """Raise SrbenchError if the sample rate is below what the metric needs (it is never upsampled for it)."""
    if sample_rate < least:
        raise SrbenchError(f"{name} needs a sample rate of at least {least} Hz, not {sample_rate}")
