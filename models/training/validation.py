"""Validation by srbench's own metrics on whole utterances, with the spline beside the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from srbench_baselines.interpolation import spline
from srbench_models.inference import upscale_all
from torch import nn

from srbench import audio
from srbench.audio import Samples
from srbench.corpora import Utterance
from srbench.errors import SrbenchError
from srbench.metrics import METRICS, Definition, Pair, measure_all
from srbench.protocols import Prepared, Protocol, prepare

METRIC_NAMES = ("snr", "si_sdr", "lsd", "lsd_hf", "lsd_lf")
Scores = dict[str, float]


@dataclass(frozen=True)
class Validation:
    """The utterances, prepared once, and the spline's scores on them."""

    prepared: tuple[Prepared, ...]
    protocol: Protocol
    definitions: Mapping[str, Definition]
    spline: Scores

    def scores(self, network: nn.Module, device: str) -> Scores:
        """Return the means over the utterances of a network."""
        return _means(self, self._upscaled(network, self.prepared, device))

    def first(self, network: nn.Module, device: str) -> Samples:
        """Return the first utterance as a network gives it."""
        return self._upscaled(network, self.prepared[:1], device)[0]

    def _upscaled(self, network: nn.Module, prepared: Sequence[Prepared], device: str) -> list[Samples]:
        """Run a network in eval mode, and put it back into the mode it was in."""
        training = network.training
        rates = int(self.protocol.low_rate), self.protocol.high_rate
        made = upscale_all(network.eval(), [each.low for each in prepared], *rates, device=device)
        network.train(training)
        return made

    def better(self, metric: str, new: float, old: float | None) -> bool:
        """Tell whether a value of a metric is better than one before."""
        return old is None or (new > old if METRICS[metric].better == "higher" else new < old)

    def worse_than_spline(self, scores: Scores) -> list[str]:
        """Return the metrics in which the spline is at least as good."""
        return [name for name in ("snr", "lsd") if not self.better(name, scores[name], self.spline[name])]


def make_validation(utterances: Sequence[Utterance], protocol: Protocol, metrics: Sequence[str]) -> Validation:
    """Read and degrade the utterances, and score the spline.

    Raises
    ------
    SrbenchError
        If none can be used, or one cannot: what validates has to be sound.
    """
    if not utterances:
        raise SrbenchError("there is nothing to validate with: name validation_speakers, or a split with two sides")
    prepared = []
    for utterance in utterances:
        try:
            prepared.append(prepare(*audio.read(utterance.path, protocol.channels), protocol))
        except SrbenchError as error:
            raise SrbenchError(f"validation utterance {utterance.id}: {error}") from error
    names = tuple(dict.fromkeys([*METRIC_NAMES, *metrics]))
    bare = Validation(tuple(prepared), protocol, protocol.define_metrics(names), {})
    raised = partial(spline.target, low_rate=protocol.low_rate, high_rate=protocol.high_rate)
    floor = _means(bare, [raised(p.low) for p in prepared])
    return Validation(bare.prepared, protocol, bare.definitions, floor)


def _means(validation: Validation, estimates: Sequence[Samples]) -> Scores:
    protocol = validation.protocol
    rows = []
    for prepared, estimate in zip(validation.prepared, estimates, strict=True):
        if not np.isfinite(estimate).all():
            return dict.fromkeys(validation.definitions, float("nan"))
        pair = Pair(prepared.reference, estimate, protocol.high_rate, protocol.cutoff)
        rows.append(measure_all(pair, validation.definitions)[0])
    return {name: float(np.mean([row[name] for row in rows if name in row])) for name in validation.definitions}
