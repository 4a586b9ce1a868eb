"""How metrics and their values are written for people, in one place for every table, figure and page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from srbench.audio import Rate
from srbench.metrics import get_metric
from srbench.results.board import Row
from srbench.signature import parse, short


def heading(name: str, with_unit: bool = True) -> str:
    """Return a metric's name as tables head their columns: ``SNR dB ↑``, the arrow pointing to better."""
    metric = get_metric(name)
    if not with_unit:
        return metric.label
    arrow = "↑" if metric.better == "higher" else "↓"
    unit = "" if metric.unit in ("1", "MOS") else f" {metric.unit}"
    return f"{metric.label}{unit} {arrow}"


_CORE = ("snr", "lsd", "lsd_hf")
_HEARS = ("visqol", "pesq", "estoi")  # one of them beside, if it hears the whole band
_FEW = 5


def core_metrics(names: Sequence[str], protocol_signature: str) -> tuple[str, ...]:
    """Return the few metrics that are shown where nobody said which: SNR, LSD, LSD-HF, and one of those that listen.

    Parameters
    ----------
    names : sequence of str
        All that there are. Up to five are all shown: somebody chose them.
    protocol_signature : str
        It tells the band. A metric that is deaf to part of it is not shown.
    """
    hears = [name for name in _HEARS if name in names and deaf_above(name, protocol_signature) is None]
    found = tuple(name for name in (*_CORE, *hears[:1]) if name in names)
    return tuple(names) if len(names) <= _FEW or not found else found


def deaf_above(name: str, protocol_signature: str) -> float | None:
    """Return the frequency in Hz above which a metric hears nothing of a protocol's band; None if it hears all of it.

    Parameters
    ----------
    name : str
    protocol_signature : str
        Without a field ``high`` nothing is known of the band.
    """
    high_rate = int(dict(parse(protocol_signature).fields).get("high", "0")) if protocol_signature else 0
    top = get_metric(name).hears(high_rate) if high_rate else 0.0
    return top if top < high_rate / 2 else None


def khz(rate: Rate) -> str:
    """Return a rate in Hz as a person writes it in kHz: ``2.667``."""
    return f"{float(rate) / 1000:.4g}"


def number(value: Any, digits: str) -> str:
    """Return a value to the digits of its metric; a dash for None, ``inf`` as it is."""
    if value is None:
        return "–"
    return f"{value:{digits}}" if isinstance(value, float) else str(value)


def count(row: Row) -> str:
    """Return how many utterances a row is of: ``24 of 28`` where that is not all."""
    return str(row.n) if row.n == row.expected else f"{row.n} of {row.expected}"


def with_short(signature: str) -> str:
    """Return a signature with its short form before it."""
    return f"{short(signature)}  {signature}"
