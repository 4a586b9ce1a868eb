"""The number in a table's cell, with the step of its last printed digit: ``12.30`` is not ``12.3``."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from srbench.lint.grid import plain_text

_MISSING = frozenset({"", "-", "–", "—", "--", "---", "n/a", "na", "nan", "none", "null", "/", "?", "x"}) | {
    "inf",
    "+inf",
    "-inf",
    "∞",
}
_LONGEST = 100  # characters; no number is printed with more, and to match one takes time as their square
_FLOAT = r"[-+]?(?:\d{1,3}(?:,\d{3})+(?:\.\d*)?|\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,4})?"
_SPREAD = rf"(?:±\s*(?P<pm>{_FLOAT})|\(\s*±?\s*(?P<paren>(?![-+]){_FLOAT})\s*\)|\(\s*[-+][^()]*\)|\[[^\]]*\])"
_NUMBER = re.compile(
    rf"(?P<value>{_FLOAT})\s*(?P<spread>{_SPREAD})?\s*(?:[×x]\s*10\^?(?P<power>[-+]?\d{{1,3}}))?\s*"
    r"(?P<unit>%|dB)?\s*[↑↓*]?\s*(?:[(\[](?P<remark>[^()\[\]]*[A-Za-z][^()\[\]]*)[)\]])?",
    re.IGNORECASE,
)
SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")


@dataclass(frozen=True)
class Number:
    """A number as printed.

    Attributes
    ----------
    text : str
        The cell, without markup.
    value : float
        Finite; in the metric's own unit (a percentage of a metric without unit is divided by 100).
    step : float
        The worth of one unit of the last printed digit.
    digits : int
        How many significant digits are printed.
    spread : float or None
        What stands after ±, or in brackets.
    marked : bool
        Whether † stands beside it: the table itself says that it is not shown to be better than the baseline.
    remark : str
        Words in brackets behind it.
    """

    text: str
    value: float
    step: float
    digits: int
    spread: float | None = None
    marked: bool = False
    remark: str = ""


def is_missing(text: str) -> bool:
    """Tell whether a cell says that there is no number."""
    return plain_text(text).casefold() in _MISSING


def parse_number(text: str, scale: float = 1.0, *, unitless: bool = False) -> Number | None:
    """Return the number that a cell holds, or None.

    Parameters
    ----------
    text : str
        ``12.3``, ``12.3 ± 0.4``, ``12.3 (0.4)``, ``1.2e-5``, ``1.2 × 10^-5``, ``93.1 %``, ``19.9 dB``.
    scale : float
        What the column's values are multiplied by.
    unitless : bool
        Whether a percent sign divides by 100.
    """
    marked, text = "†" in text, plain_text(text)
    if text.casefold() in _MISSING or len(text) > _LONGEST:
        return None
    match = _NUMBER.fullmatch(text.translate(SUPERSCRIPTS))
    if match is None:
        return None
    printed = match["value"].replace(",", "").lower()
    mantissa, _, exponent = printed.partition("e")
    power = int(exponent or 0) + int(match["power"] or 0)
    scale *= 0.01 if unitless and match["unit"] == "%" else 1.0
    decimals = len(mantissa.partition(".")[2])
    spread = match["pm"] or match["paren"]
    try:
        value = float(f"{mantissa}e{power}") * scale
        step = float(f"1e{power - decimals}") * scale
        around = None if spread is None else float(spread.replace(",", "")) * 10.0 ** int(match["power"] or 0) * scale
    except (OverflowError, ValueError):
        return None
    if not math.isfinite(value) or not math.isfinite(step) or (around is not None and not math.isfinite(around)):
        return None
    digits = len(re.sub(r"\D", "", mantissa).lstrip("0"))
    return Number(text, value, step, digits, around, marked, (match["remark"] or "").strip())
