"""What a fault costs: each metric with it and without it, measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import isfinite

from srbench.audio import Samples
from srbench.errors import SrbenchError
from srbench.metrics import METRICS, USUAL, Definition, Pair, get_metric, measure_all
from srbench.metrics.lsd import Lsd
from srbench.scoring.faults import LEAST_CONFIDENCE, Looks
from srbench.scoring.warning import Effect, Finding, PairWarning, told

_TOLD = USUAL[:2]  # in the line for people; the others stand in the JSON document
_LEAST_CHANGE = 1 / 20  # of the usual spread; below, a line says nothing of it


def warnings_of(
    looks: Looks,
    reference: Samples,
    estimate: Samples,
    sample_rate: int,
    cutoff: float | None,
    definitions: Mapping[str, Definition],
) -> tuple[PairWarning, ...]:
    """Turn findings into warnings, by measuring the pair as it is and as it would be without each.

    Parameters
    ----------
    looks : Looks
        At this pair.
    reference, estimate : ndarray, shapes (n,) and (m,)
    sample_rate : int, in Hz
    cutoff : float or None, in Hz
    definitions : mapping of metric name to its definition
        Effects are measured on all of them but those that take seconds.
    """
    slow = {metric.name for metric in METRICS.values() if metric.slow}  # every fault would take as long again
    asked = {name: definition for name, definition in definitions.items() if name not in slow}
    if not looks.findings:
        return ()
    n = min(len(reference), len(estimate))
    now = _values(reference, estimate, sample_rate, cutoff, asked) if len(reference) == len(estimate) else {}
    common = now or _values(reference[:n], estimate[:n], sample_rate, cutoff, asked)
    return tuple(
        _warning(finding, looks, reference, estimate, sample_rate, cutoff, asked, now, common)
        for finding in looks.findings
    )


def _warning(
    finding: Finding,
    looks: Looks,
    reference: Samples,
    estimate: Samples,
    sample_rate: int,
    cutoff: float | None,
    asked: Mapping[str, Definition],
    now: Mapping[str, float],
    common: Mapping[str, float],
) -> PairWarning:
    n = min(len(reference), len(estimate))
    before: Mapping[str, float]
    if finding.remedy is not None:
        before = now if finding.kind == "length" else common
        mended = finding.remedy(reference[:n], estimate[:n])
        without = _values(*mended, sample_rate, cutoff, asked)
    elif finding.kind == "bandwidth" and finding.side == "reference" and finding.value:
        before = common
        narrow = {
            name: replace(definition, band=f"below{finding.value:.12g}")
            for name, definition in asked.items()
            if isinstance(definition, Lsd) and definition.band == "full"
        }
        without = _values(reference[:n], estimate[:n], sample_rate, cutoff, narrow)
    else:
        return PairWarning(finding.kind, finding.text, _plain(finding.value), finding.unit, finding.side)
    effects = {name: Effect(_plain(before.get(name)), _plain(without[name])) for name in asked if name in without}
    sentence = _sentence(effects, finding.if_without)
    trusted = (looks.confidence or 0) >= LEAST_CONFIDENCE or finding.kind not in ("delay", "gain", "polarity")
    detail = f"{finding.text}: {sentence}" if sentence and trusted else finding.text
    return PairWarning(finding.kind, detail, _plain(finding.value), finding.unit, finding.side, effects)


def _sentence(effects: Mapping[str, Effect], if_without: str) -> str:
    """Return "SNR 17.6 dB would be 24.1 dB if aligned" for the first metric that changes; "" where none does.

    Also "" where another fault hides it, so that the SNR would be worse without this one alone.
    """
    for name in _TOLD:
        effect = effects.get(name)
        if effect is None or effect.without is None:
            continue
        metric = get_metric(name)
        if effect.now is None:
            return f"{metric.label} would be {told(name, effect.without)} {if_without}"
        if name == "snr" and effect.without < effect.now:
            return ""
        if abs(effect.without - effect.now) >= _LEAST_CHANGE * (metric.spread or 0.0):
            return f"{metric.label} {told(name, effect.now)} would be {told(name, effect.without)} {if_without}"
    return ""


def _values(
    reference: Samples,
    estimate: Samples,
    sample_rate: int,
    cutoff: float | None,
    definitions: Mapping[str, Definition],
) -> dict[str, float]:
    try:
        return measure_all(Pair(reference, estimate, sample_rate, cutoff), definitions)[0]
    except SrbenchError:  # nothing is left of it
        return {}


def _plain(value: float | None) -> float | None:
    return None if value is None or not isfinite(value) else float(value)
