"""Who takes part in a run: an upscaler, or an anchor that shows what the protocol allows.

Anchors stand on every leaderboard beside the upscalers. Two need the reference and so are not upscalers: the
low-band *ceiling* (the reference with everything from the cutoff up set to zero: the most SNR that adding nothing can
reach) and the *reference* itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from srbench.audio import Rate, Samples
from srbench.degradation import Brickwall
from srbench.errors import SrbenchError
from srbench.names import check_name
from srbench.protocols import Prepared, Protocol
from srbench.run.plan import Plan
from srbench.upscaler import BuiltUpscaler, build_upscaler

FLOOR = "spline"  # the upscaler that every model is asked to beat


@dataclass(frozen=True)
class Entrant:
    """A name that can be run by any process: nothing in it is loaded yet.

    Attributes
    ----------
    name : str
        An upscaler's, or ``name@weights`` for one that takes weights.
    anchor : bool
        Whether ``name`` is one of `ORACLES` and not an upscaler's.
    plugins : tuple of Path
    device, precision : str or None
        For upscalers that take them.
    batch : int
        Utterances at once, for upscalers that take several.
    """

    name: str
    anchor: bool = False
    plugins: tuple[Path, ...] = ()
    device: str | None = None
    precision: str | None = None
    batch: int = 1

    def provenance(self, protocol: Protocol) -> dict[str, Any]:
        """Return where it comes from and what it tells of itself.

        Raises
        ------
        SrbenchError
            If the upscaler has no fit name, is unknown, cannot be built, or does not support the protocol's rates.
        """
        if self.anchor:
            return {"name": self.name, "kind": "anchor", "distribution": "srbench"}
        check_name("an upscaler's name", _told_name(self.name))
        built, origin = _build(self)
        built.check_rates(protocol.low_rate, protocol.high_rate)
        if self.batch > 1 and not built.takes_batches:
            raise SrbenchError(f"upscaler {self.name} takes one signal at a time (no method upscale_batch): no --batch")
        told: dict[str, Any] = {"device": self.device} if self.device else {}
        told |= {"batch": self.batch} if self.batch > 1 else {}  # last digits may depend on what goes together
        return {**built.describe(), "name": _told_name(self.name), "kind": "upscaler", **origin, **told}

    def takes_batches(self) -> bool:
        """Tell whether several signals can go through it together."""
        return not self.anchor and _build(self)[0].takes_batches

    def make_ready(self) -> None:
        """Have it ready in this process: what it loads and draws then is no part of an estimate.

        Raises
        ------
        SrbenchError
            If it cannot be built.
        """
        if not self.anchor:
            _build(self)

    def estimate(self, prepared: Prepared, protocol: Protocol) -> Samples:
        """Return the entrant's estimate of a reference from its low-resolution version (from itself, for an anchor)."""
        if self.anchor:
            return ORACLES[self.name](prepared.reference, protocol.low_rate, protocol.high_rate)
        return _build(self)[0](prepared.low, protocol.low_rate, protocol.high_rate)

    def estimate_batch(self, lows: Sequence[Samples], protocol: Protocol) -> list[Samples]:
        """Return the estimates of several low-resolution signals that go through the upscaler together."""
        return _build(self)[0].batch(lows, protocol.low_rate, protocol.high_rate)


def _told_name(name: str) -> str:
    """Return the name as tables show it: without the distribution, and with the weights' file name."""
    plain, _, weights = name.partition("@")
    return plain.rpartition(":")[2] + (f"@{Path(weights).name}" if weights else "")


@lru_cache(maxsize=64)
def _build(entrant: Entrant) -> tuple[BuiltUpscaler, dict[str, str]]:
    return build_upscaler(entrant.name, entrant.plugins, device=entrant.device, precision=entrant.precision)


def leakage(provenance: Mapping[str, Any], plan: Plan) -> list[str]:
    """Return a warning if the upscaler says that it was trained on speakers that are scored here."""
    trained = set(map(str, provenance.get("training_speakers", ())))
    met = sorted(trained & {utterance.speaker for utterance in plan.utterances})
    return [f"trained on {len(met)} of the speakers scored here: {', '.join(met)}"] if met else []


def _ceiling(reference: Samples, low_rate: Rate, high_rate: Rate) -> Samples:
    return Brickwall().low_pass(reference, high_rate, low_rate)


def _reference(reference: Samples, low_rate: Rate, high_rate: Rate) -> Samples:
    return np.array(reference)


ORACLES: dict[str, Callable[[Samples, Rate, Rate], Samples]] = {"ceiling": _ceiling, "reference": _reference}
