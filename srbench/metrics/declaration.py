"""What a plug-in's metric says of itself, and its signature, which says it again to whoever does not have the plug-in.

A leaderboard or a run may hold numbers of a metric that is unknown here. Their signature tells which plug-in made them,
their unit, which way is better and how to print them; so they can be read and shown, though not computed again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import inf, isnan
from typing import NoReturn
from urllib.parse import quote, unquote

from srbench.errors import SrbenchError, folded, shown
from srbench.level import CI
from srbench.metrics.metric import Metric
from srbench.names import check_name
from srbench.plugins import one_line
from srbench.signature import parse, value_text

# Tables have columns of these names, and for each metric columns with these ends: what could not be told apart.
COLUMNS = frozenset(
    """
    utterance speaker file file_rate samples status error undefined upscaler kind distribution version num_parameters
    weights weights_sha256 source_sha256 trained_on n failed expected resampled real_time_factor protocol_signature
    draws recordings run seed date versions machine rechecked warnings digest system
    """.split()  # noqa: SIM905
)
ENDINGS = (f"_{CI}_low", f"_{CI}_high", "_n", "_signature", "_over", "_paired")
_NAME = re.compile("[A-Za-z][A-Za-z0-9_]*")
_DIGITS = re.compile(r"\.\d[efg]")
_ENCODED = re.compile(r"""[\s|,"'%]""")  # what a signature cannot hold
_LONGEST = 40  # characters of a name, a label or a unit: they head columns


def check(
    name: str, label: str, unit: str, better: str, bounds: tuple[float, float], hears: float, digits: str
) -> None:
    """Refuse a declaration that cannot be.

    Raises
    ------
    SrbenchError
        Naming the metric and what is wrong.
    """
    if not isinstance(name, str):
        raise SrbenchError("@metric needs a name: @metric('my_snr', better='higher')")
    check_name("a metric's name", name)
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        why = f"it may hold the letters a to z, digits and _ only, begins with a letter, and has at most {_LONGEST}"
        raise SrbenchError(f"a metric's name cannot be '{shown(name)}': {why}")
    if name.lower() in COLUMNS:
        raise SrbenchError(f"a metric's name cannot be '{name}': tables have a column of that name")
    wrong = ""
    try:
        low, high = bounds
        if better not in ("higher", "lower"):
            wrong = f"better is higher or lower, not {shown(repr(better), 40)}"
        elif not low < high:
            wrong = f"its range is (low, high), not {shown(repr(bounds), 40)}"
        elif isnan(hears) or hears <= 0:
            wrong = "it hears up to a frequency above 0 Hz"
        elif not _DIGITS.fullmatch(digits):
            wrong = f"digits is like .2f or .3e, not {shown(repr(digits), 40)}"
        for what, text in (("label", label), ("unit", unit)):
            if not text.strip() or not text.isprintable() or len(text) > _LONGEST:
                wrong = wrong or f"its {what} is a text of 1 to {_LONGEST} characters that print"
    except (TypeError, ValueError, AttributeError) as error:
        wrong = one_line(error)
    if wrong:
        raise SrbenchError(f"metric {name}: {wrong}")


def fields_of(home: str, made: Metric) -> tuple[tuple[str, str], ...]:
    """Return the first fields of the signature of a plug-in's metric: all that `described` needs.

    Parameters
    ----------
    home : str
        The plug-in that made it: a file's name, or a module's.
    made : Metric
    """
    low, high = made.range
    hears = made.hears(1 << 30)
    told = {
        "from": home,
        "label": made.label,
        "unit": made.unit,
        "better": made.better,
        "range": f"{value_text(low)}..{value_text(high)}",
        "hears": value_text(hears if hears < 1 << 29 else inf),
        "digits": made.digits,
    }
    return tuple((key, _ENCODED.sub(lambda odd: quote(odd[0]), text)) for key, text in told.items())


def described(name: str, signature: str) -> Metric | None:
    """Return a metric as its signature describes it, None where the signature is not that of a plug-in's metric.

    It cannot be measured: whoever asks is told whose it is.
    """
    try:
        told = {key: unquote(value) for key, value in parse(signature).fields}
        home, label, unit, better, digits = (told[key] for key in ("from", "label", "unit", "better", "digits"))
        low, high = map(float, told["range"].split(".."))
        hears = float(told["hears"])
        check(name, label, unit, better, (low, high), hears, digits)
    except (KeyError, ValueError, SrbenchError):
        return None
    home = shown(home, 100)

    def define(*_: object) -> NoReturn:
        raise SrbenchError(f"{name} is a metric of the plug-in {home}, which is not here: name its file with --plugin")

    title = f"A metric of the plug-in {home}"
    more = {"digits": digits, "label": label, "foreign": True, "home": home}
    return Metric(name, title, unit, better, (low, high), define, lambda sr: min(hears, sr / 2), **more)  # type: ignore[arg-type]


def refuse_taken(made: Metric, others: Iterable[Metric]) -> None:
    """Raise SrbenchError, with both named, where a metric's name is another's, or cannot be told from it in a table."""
    for other in others:
        same = folded(made.name) == folded(other.name)
        ends = [a.name.removeprefix(b.name) for a, b in ((made, other), (other, made)) if a.name.startswith(b.name)]
        if same or set(ends) & set(ENDINGS):
            raise SrbenchError(
                f"metric '{made.name}' of {made.home}: the name is too near to '{other.name}' "
                f"of {other.home or 'srbench'} ({other.title}); give it another"
            )
