"""What is said of a pair that may not be what it seems."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isnan
from typing import Any

from srbench.audio import Samples
from srbench.metrics import get_metric

KINDS = (
    "sample-rate",
    "channels",
    "non-finite",
    "length",
    "silent",
    "identical",
    "full-scale",
    "mismatch",
    "delay",
    "polarity",
    "gain",
    "dc-offset",
    "clipped",
    "bandwidth",
    "low-band",
)
Remedy = Callable[[Samples, Samples], tuple[Samples, Samples]]


@dataclass(frozen=True)
class Effect:
    """A metric's value as the pair is, and as it would be without the fault; None where it has none."""

    now: float | None
    without: float | None


@dataclass(frozen=True)
class PairWarning:
    """One thing about a pair that its numbers suffer from, or that they should not be trusted for.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    detail : str
        One line for people, with the number and its effect.
    value : float or None
        The number, in ``unit``.
    unit : str
    side : {"reference", "estimate", "low"}
        Which of them it is about; ``low`` is the low-resolution signal.
    effects : mapping of metric name to Effect
        Measured, not estimated; of the metrics that were asked for, but those that take seconds.
    """

    kind: str
    detail: str
    value: float | None = None
    unit: str = ""
    side: str = "estimate"
    effects: Mapping[str, Effect] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values, as the journal and the JSON document hold it."""
        effects = {name: {"now": effect.now, "without": effect.without} for name, effect in self.effects.items()}
        return {
            "kind": self.kind,
            "detail": self.detail,
            "value": self.value,
            "unit": self.unit,
            "side": self.side,
            "effects": effects,
        }


@dataclass(frozen=True)
class PairFault:
    """A warning in the making: what was found, and how the pair would be without it.

    ``remedy`` takes the pair as it is and returns it without the fault, None where nobody can; ``if_without`` ends the
    sentence "SNR 17.6 dB would be 24.1 dB …".
    """

    kind: str
    text: str
    value: float | None = None
    unit: str = ""
    side: str = "estimate"
    remedy: Remedy | None = None
    if_without: str = ""


def told(name: str, value: float | None) -> str:
    """Return a metric's value as a detail tells it: ``17.6 dB``."""
    metric = get_metric(name)
    if value is None or isnan(value):
        return "undefined"
    digits = ".1f" if metric.unit == "dB" else metric.digits
    return f"{value:{digits}}" + (f" {metric.unit}" if metric.unit not in ("1", "MOS") else "")
