"""Who takes part in a run: an upscaler, or an anchor that shows what the protocol allows.

Anchors stand on every leaderboard beside the upscalers. Two need the reference and so are not upscalers: the
low-band *ceiling* (the reference with everything from the cutoff up set to zero: the most SNR that adding nothing can
reach) and the *reference* itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from srbench.audio import Rate, Samples
from srbench.degradation import Brickwall
from srbench.errors import SrbenchError
from srbench.names import check_name
from srbench.plugins import announce
from srbench.protocols import Prepared, Protocol
from srbench.run.manifest import ANCHOR, UPSCALER, Provenance, tell_of
from srbench.run.model import Model, ModelProcess
from srbench.run.plan import Plan
from srbench.upscaler import find_registration, registrations

FLOOR = "spline"  # the upscaler that every model is asked to beat


@dataclass(frozen=True)
class Entrant:
    """A name that can be run from any process: nothing in it is loaded yet, and none of its code is loaded here.

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

    def provenance(self, protocol: Protocol) -> Provenance:
        """Return where it comes from and what it tells of itself.

        Raises
        ------
        SrbenchError
            If the upscaler has no fit name, is unknown, cannot be built, or does not support the protocol's rates.
        """
        if self.anchor:
            return tell_of(self.name, {"name": self.name, "kind": ANCHOR, "distribution": "srbench"})
        check_name("an upscaler's name", _told_name(self.name))
        process = _process(self.model)
        process.check_rates(protocol.low_rate, protocol.high_rate)
        if self.batch > 1 and not process.takes_batches:
            raise SrbenchError(f"upscaler {self.name} takes one signal at a time (no method upscale_batch): no --batch")
        told: dict[str, Any] = {"device": self.device} if self.device else {}
        told |= {"batch": self.batch} if self.batch > 1 else {}  # last digits may depend on what goes together
        return tell_of(self.name, {**process.told, "name": _told_name(self.name), "kind": UPSCALER, **told})

    @property
    def model(self) -> Model:
        """What its process is asked for."""
        return Model(self.name, self.plugins, self.device, self.precision)

    def takes_batches(self) -> bool:
        """Tell whether several signals can go through it together."""
        return not self.anchor and _process(self.model).takes_batches

    def make_ready(self) -> None:
        """Have its process ready: what it loads and draws then is no part of an estimate.

        Raises
        ------
        SrbenchError
            If it cannot be built.
        """
        if not self.anchor:
            _process(self.model)

    def close(self) -> None:
        """End its process, if there is one."""
        if (process := _PROCESSES.pop(self.model, None)) is not None:
            process.close()

    @property
    def makes(self) -> bool:
        """Whether making an estimate may take long, so that it is worth to be kept."""
        return not self.anchor

    def warnings(self, plan: Plan, provenance: Provenance) -> list[str]:
        """Return what has to stand beside its numbers, as far as that is known before it is run."""
        return leakage(provenance, plan)

    def estimate(
        self,
        prepared: Prepared,
        protocol: Protocol,
        seed: int = 0,
        seconds: float | None = None,
        *,
        utterance_id: str = "",
    ) -> tuple[Samples, float | None]:
        """Return the estimate of a reference from its low-resolution version, and the seconds that it took.

        None where that is not known.

        An anchor makes it from the reference itself; an upscaler is given the low resolution alone.

        Parameters
        ----------
        prepared : Prepared
        protocol : Protocol
        seed : int
            For the global generators.
        seconds : float, optional
            That it may take.
        utterance_id : str
            For entrants whose estimates are files.

        Raises
        ------
        UpscalerError
            If the upscaler fails; see `srbench.run.model.ModelProcess.upscale`.
        """
        if self.anchor:
            started = perf_counter()
            estimate = ORACLES[self.name](prepared.reference, protocol.low_rate, protocol.high_rate)
            return estimate, perf_counter() - started
        (estimate,), took = _process(self.model).upscale(
            [prepared.low], protocol.low_rate, protocol.high_rate, seed=seed, seconds=seconds
        )
        return estimate, took

    @property
    def late_files(self) -> dict[str, str]:
        """Weights that its process read after it was built, path to digest: estimates rest on them too."""
        process = None if self.anchor else _PROCESSES.get(self.model)
        return dict(process.files) if process else {}

    def estimate_batch(
        self, lows: Sequence[Samples], protocol: Protocol, seed: int = 0, seconds: float | None = None
    ) -> tuple[list[Samples], float]:
        """Return the estimates of several low-resolution signals that go through the upscaler together."""
        return _process(self.model).upscale(
            lows, protocol.low_rate, protocol.high_rate, seed=seed, batch=True, seconds=seconds
        )


def _told_name(name: str) -> str:
    """Return the name as tables show it: without the distribution, and with the weights' file name."""
    plain, _, weights = name.partition("@")
    return plain.rpartition(":")[2] + (f"@{Path(weights).name}" if weights else "")


_PROCESSES: dict[Model, ModelProcess] = {}


def _process(model: Model) -> ModelProcess:
    """Return the process of a model, started where there is none."""
    if model not in _PROCESSES:
        if not model.plugins:
            announce(find_registration(model.name, registrations()))
        _PROCESSES[model] = ModelProcess(model)
    return _PROCESSES[model]


def leakage(provenance: Provenance, plan: Plan) -> list[str]:
    """Return a warning if the upscaler says that it was trained on speakers that are scored here."""
    trained = set(map(str, provenance.told.get("training_speakers", ())))
    met = sorted(trained & {utterance.speaker for utterance in plan.utterances})
    return [f"trained on {len(met)} of the speakers scored here: {', '.join(met)}"] if met else []


def _ceiling(reference: Samples, low_rate: Rate, high_rate: Rate) -> Samples:
    return Brickwall().low_pass(reference, high_rate, low_rate)


def _reference(reference: Samples, low_rate: Rate, high_rate: Rate) -> Samples:
    return np.array(reference)


ORACLES: dict[str, Callable[[Samples, Rate, Rate], Samples]] = {"ceiling": _ceiling, "reference": _reference}
