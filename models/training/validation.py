"""Validation by srbench's own metrics on whole utterances, with the spline beside the model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
JUDGED = ("snr", "lsd")


@dataclass(frozen=True)
class Verdict:
    """Whether one validation beats the spline: what the table, the card, the JSON and the exit status all say.

    Attributes
    ----------
    worse : tuple of str
        The judged metrics in which the spline is at least as good, by values that are not rounded.
    unknown : tuple of str
        Those without a value for the network or the spline; nothing is claimed of them.
    """

    worse: tuple[str, ...]
    unknown: tuple[str, ...]

    @classmethod
    def of(cls, scores: Mapping[str, float], spline: Mapping[str, float]) -> Verdict:
        """Compare the means of a network with the spline's."""
        known = [name for name in JUDGED if not any(math.isnan(s.get(name, math.nan)) for s in (scores, spline))]
        worse = tuple(name for name in known if not better(name, scores[name], spline[name]))
        return cls(worse, tuple(name for name in JUDGED if name not in known))

    @property
    def beats(self) -> bool | None:
        """Whether it beats the spline in all that is judged; None where that cannot be told."""
        return False if self.worse else None if self.unknown else True

    def __str__(self) -> str:
        """Return it as a person reads it after "it"."""
        if self.worse:
            return f"does not beat the spline in {' and '.join(self.worse)}"
        if self.unknown:
            return f"has no verdict against the spline: {' and '.join(self.unknown)} has no value"
        return "beats the spline"


def better(metric: str, new: float, old: float | None) -> bool:
    """Tell whether a value of a metric is better than one before."""
    return old is None or (new > old if METRICS[metric].better == "higher" else new < old)


@dataclass(frozen=True)
class Validation:
    """The utterances, prepared once, and the spline's scores on them.

    Attributes
    ----------
    ids : tuple of str
        Of the utterances.
    prepared : tuple of Prepared
    protocol : Protocol
    definitions : mapping
        The metrics by name.
    spline : dict
        Its mean of each metric.
    refused : tuple of str
        Why utterances were left out.
    """

    ids: tuple[str, ...]
    prepared: tuple[Prepared, ...]
    protocol: Protocol
    definitions: Mapping[str, Definition]
    spline: Scores
    refused: tuple[str, ...] = ()

    def scores(self, network: nn.Module, device: str) -> Scores:
        """Return the means over the utterances of a network."""
        made = self._upscaled(network, self.prepared, device)
        if not all(np.isfinite(estimate).all() for estimate in made):
            return dict.fromkeys(self.definitions, math.nan)
        pairs = [_pair(*each, self.protocol) for each in zip(self.prepared, made, strict=True)]
        return _means([measure_all(pair, self.definitions)[0] for pair in pairs], self.definitions)

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

    def verdict(self, scores: Mapping[str, float]) -> Verdict:
        """Return whether scores of a network beat the spline's."""
        return Verdict.of(scores, self.spline)


def make_validation(utterances: Sequence[Utterance], protocol: Protocol, metrics: Sequence[str]) -> Validation:
    """Read and degrade the utterances, and score the spline.

    Utterances on which a metric has no value even for the spline, such as silent ones, are left out.

    Raises
    ------
    SrbenchError
        If one cannot be read or degraded, for what validates has to be sound; or none is left.
    """
    if not utterances:
        raise SrbenchError("there is nothing to validate with: name validation_speakers, or a split with two sides")
    prepared = []
    for utterance in utterances:
        try:
            prepared.append(prepare(*audio.read(utterance.path, protocol.channels), protocol))
        except SrbenchError as error:
            raise SrbenchError(f"validation utterance {utterance.id}: {error}") from error
    definitions = protocol.define_metrics(tuple(dict.fromkeys([*METRIC_NAMES, *metrics])))
    ids, kept, rows, refused = [], [], [], []
    for utterance, each in zip(utterances, prepared, strict=True):
        raised = spline.target(each.low, low_rate=protocol.low_rate, high_rate=protocol.high_rate)
        row, undefined = measure_all(_pair(each, raised, protocol), definitions)
        if undefined:
            refused.append(f"{utterance.id}: {next(iter(undefined.values()))}")
        else:
            ids.append(utterance.id)
            kept.append(each)
            rows.append(row)
    if not kept:
        raise SrbenchError(
            f"none of {len(utterances)} validation utterances can be scored; the first: {refused[0]}. "
            "Name other validation_speakers, or other data"
        )
    floor = _means(rows, definitions)
    return Validation(tuple(ids), tuple(kept), protocol, definitions, floor, tuple(refused))


def _pair(prepared: Prepared, estimate: Samples, protocol: Protocol) -> Pair:
    return Pair(prepared.reference, estimate, protocol.high_rate, protocol.cutoff)


def _means(rows: Sequence[Mapping[str, float]], definitions: Mapping[str, Definition]) -> Scores:
    """Return the mean of each metric over all utterances; NaN where one has no value, not a mean over fewer."""
    with np.errstate(invalid="ignore"):  # of inf and -inf
        return {name: float(np.mean([row.get(name, math.nan) for row in rows])) for name in definitions}
