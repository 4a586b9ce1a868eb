"""A look at some of a run's estimates, as ``srbench score`` looks at pairs.

It costs about as much as one quick metric, so it is had on few utterances: enough to see what a model does to all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from srbench.audio import Samples, resample
from srbench.protocols import Prepared, Protocol
from srbench.run.record import Record
from srbench.scoring.faults import LEAST_DELAY, LEAST_GAIN_DB, Looks, look
from srbench.scoring.given import Given
from srbench.scoring.warning import KINDS, PairFault

FEWEST, MOST = 3, 30
ONE_OF = 40  # utterances: a look costs less than a read, a degradation and an SNR
_ALIKE = 0.02  # of a value: such a share less may be the input's own


def chosen(ids: Sequence[str]) -> frozenset[str]:
    """Return the utterances that are looked at: one of forty, at least 3 and at most 30, evenly spaced."""
    count = min(len(ids), max(FEWEST, min(MOST, len(ids) // ONE_OF)))
    return frozenset(ids[(2 * place + 1) * len(ids) // (2 * count)] for place in range(count))


def look_at(prepared: Prepared, estimate: Samples, protocol: Protocol) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return what is not as it seems about an estimate, and what was measured.

    What the low-resolution signal itself shows is not the upscaler's doing: a causal low-pass delays all.

    Returns
    -------
    warnings : list of dict
        In the form of `srbench.scoring.warning.PairWarning.as_dict`, without effects.
    checks : dict of name to number
        See `srbench.scoring.faults.Looks`.
    """
    rate, cutoff = protocol.high_rate, protocol.cutoff
    pair = Given(prepared.reference, estimate, rate, cutoff)
    looks = look(pair)
    found = [each for each in looks.findings if each.side == "estimate"]
    if any(each.kind in ("delay", "gain", "polarity", "low-band", "dc-offset") for each in found):
        low = resample(prepared.low, protocol.low_rate, rate)[: len(prepared.reference)]
        of_input = look(pair.having(prepared.reference, low))
        found = [each for each in found if not _of_the_input(each, of_input)]
    warnings = [
        {"kind": each.kind, "detail": each.text, "value": _number(each.value), "unit": each.unit, "side": each.side}
        for each in found
    ]
    return [{**each, "effects": {}} for each in warnings], looks.numbers()


def summary(records: Iterable[Record]) -> list[str]:
    """Return a line for each kind of what was found: the middle one of its values, and on how many estimates."""
    looked = [record for record in records if record.checks]
    told = []
    for kind in KINDS:
        found = [each for record in looked for each in record.warnings if each.get("kind") == kind]
        if found:
            found.sort(key=lambda each: each.get("value") or 0.0)
            middle = found[len(found) // 2]
            told.append(f"{kind}: {middle.get('detail')} ({len(found)} of {len(looked)} estimates checked)")
    return told


def _of_the_input(found: PairFault, given: Looks) -> bool:
    """Tell whether the low-resolution signal shows as much."""
    value = float(found.value or 0.0)
    for each in given.findings:
        if each.kind == found.kind:
            least = {"delay": LEAST_DELAY, "gain": LEAST_GAIN_DB}.get(each.kind, 0.0)
            return abs(value - float(each.value or 0.0)) <= max(least, _ALIKE * abs(value))
    return False


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
