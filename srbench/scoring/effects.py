"""What a fault costs: each metric with it and without it, measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import isfinite

from srbench.errors import SrbenchError
from srbench.metrics import METRICS, USUAL, Definition, get_metric, measure_all
from srbench.metrics.lsd import Lsd
from srbench.scoring.faults import LEAST_CONFIDENCE, Looks
from srbench.scoring.given import Given
from srbench.scoring.warning import Effect, PairFault, PairWarning, told

_TOLD = USUAL[:2]  # in the line for people; the others stand in the JSON document
_LEAST_CHANGE = 1 / 20  # of the usual spread; below, a line says nothing of it


def warnings_of(looks: Looks, given: Given, definitions: Mapping[str, Definition]) -> tuple[PairWarning, ...]:
    """Turn findings into warnings, by measuring the pair as it is and as it would be without each.

    Parameters
    ----------
    looks : Looks
        At this pair.
    given : Given
    definitions : mapping of metric name to its definition
        Effects are measured on all of them but those that take seconds.
    """
    if not looks.findings:
        return ()
    slow = {metric.name for metric in METRICS.values() if metric.slow}  # every fault would take as long again
    effects = _Effects(given, {name: each for name, each in definitions.items() if name not in slow})
    sure = (looks.confidence or 0) >= LEAST_CONFIDENCE
    return tuple(_warning(each, effects.of(each), sure) for each in looks.findings)


class _Effects:
    """What the faults of a pair do to its metrics."""

    def __init__(self, given: Given, asked: Mapping[str, Definition]) -> None:
        self._common, self._asked = given.common, asked
        self._now = _values(given, asked) if given.even else {}
        self._before = self._now or _values(self._common, asked)

    def of(self, finding: PairFault) -> dict[str, Effect]:
        """Return each metric's value with a fault and without; empty where nobody can take it away."""
        before = self._before
        if finding.remedy is not None:
            before = self._now if finding.kind == "length" else before
            mended = finding.remedy(self._common.reference, self._common.estimate)
            without = _values(self._common.having(*mended), self._asked)
        elif finding.kind == "bandwidth" and finding.side == "reference" and finding.value:
            narrow = {
                name: replace(definition, band=f"below{finding.value:.12g}")
                for name, definition in self._asked.items()
                if isinstance(definition, Lsd) and definition.band == "full"
            }
            without = _values(self._common, narrow)
        else:
            return {}
        there = [name for name in self._asked if name in without]
        return {name: Effect(_plain(before.get(name)), _plain(without[name])) for name in there}


def _warning(finding: PairFault, effects: Mapping[str, Effect], sure: bool) -> PairWarning:
    sentence = _sentence(effects, finding.if_without)
    trusted = sure or finding.kind not in ("delay", "gain", "polarity")
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


def _values(given: Given, definitions: Mapping[str, Definition]) -> dict[str, float]:
    try:
        return measure_all(given.pair(), definitions)[0]
    except SrbenchError:  # nothing is left of it
        return {}


def _plain(value: float | None) -> float | None:
    return None if value is None or not isfinite(value) else float(value)
