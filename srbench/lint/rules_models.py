"""Rules on what a results table claims: against the baseline, in its digits, in its conventions."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from srbench.lint.headers import LSD_CONVENTIONS
from srbench.lint.number import Number
from srbench.lint.rule import Finding, rule, short, where, who
from srbench.lint.table import Panel, Row, Table
from srbench.metrics import METRICS

_BASELINES = (
    {"spline", "splines"},
    {"cubic", "bicubic"},
    {"linear"},
    {"sinc", "interpolation"},
    {"unprocessed", "input", "lr", "low"},
)
_BESIDE = (
    "b interp interpolated interpolate interpolator upsampling upsampled resampling resampled baseline "
    "resolution res signal scipy naive only the"
)
_ANCHORS = "ceiling reference ground truth gt target original oracle upper bound anchor hr the"
_ANCHOR_WORDS = frozenset(_ANCHORS.split())
_BASELINE_WORDS = frozenset(_BESIDE.split()).union(*_BASELINES)


@rule
def below_spline(table: Table, n: int | None) -> Iterator[Finding]:
    """Models are better than the spline (or another baseline of the table) in every metric.

    LSD-LF is left out: whoever copies the low band wins there. The baseline is a row named for it, in this order:
    spline, cubic, linear, sinc, unprocessed input. A value that the table marks with † is left out: the table says so
    itself. So are the reference and the ceiling, which are no models.
    """
    for panel in table.panels():
        floor = _baseline(panel)
        if floor is None:
            continue
        at_floor = panel.numbers(floor)
        for row in panel.rows:
            if _baseline_rank(row.model) is not None or _is_anchor(row.model):
                continue
            worse = []
            for name, number in panel.numbers(row).items():
                if name not in at_floor or name == "lsd_lf" or number.marked:  # a baseline keeps the low band
                    continue
                gain = number.value - at_floor[name].value
                if (gain if METRICS[name].better == "higher" else -gain) < 0:
                    worse.append(f"{short(name)} {number.text} against {at_floor[name].text}")
            if worse:
                yield Finding(
                    "below-spline",
                    "warning",
                    (row.number, floor.number),
                    f"{who(row)} is worse than the baseline {who(floor)}: {', '.join(worse)}{where(panel)}.",
                    "Say so beside the table; check the alignment and the level of the outputs.",
                )


def _baseline_rank(model: str) -> int | None:
    words = set(re.findall(r"[a-z]+", model.casefold()))
    if not words or not words <= _BASELINE_WORDS:
        return None
    return next((rank for rank, names in enumerate(_BASELINES) if words & names), None)


def _is_anchor(model: str) -> bool:
    """Tell whether a row is of no model: the reference, or the best that keeps the low band alone."""
    words = set(re.findall(r"[a-z]+", model.casefold()))
    return bool(words) and words <= _ANCHOR_WORDS


def _baseline(panel: Panel) -> Row | None:
    ranked = [(rank, row.number, row) for row in panel.rows if (rank := _baseline_rank(row.model)) is not None]
    return min(ranked, key=lambda each: each[:2])[2] if ranked else None


_STD_FROM = 0.4  # of the usual spread between utterances: what stands after ± and is less is a standard error


@rule
def too_many_digits(table: Table, n: int | None) -> Iterator[Finding]:
    """Means are printed to two digits of their standard error, no finer.

    The standard error is sd / √n, with n from the table or the caller. sd is what stands after ±, else the usual
    spread between utterances of that metric (SNR 2 dB, LSD 0.15, PESQ 0.4, STOI 0.05, MSE 70 % of its mean …). What
    stands after ± is read as a standard error where it is nearer to the usual one of n utterances than to the usual
    spread; without n, where it is less than 0.4 of the usual spread. Nothing is said where neither is
    known, nor of data files, which hold every digit.
    """
    for column in table.metric_columns:
        if column.data:
            continue
        found: list[tuple[Row, Number, float, str]] = []
        for row in table.rows:
            number, count = row.numbers[column.index], table.count(row) or n
            if number is None:
                continue
            error, source = _standard_error(column.metric or "", number, count)
            if error and number.step < _finest(error) * (1 - 1e-9):
                found.append((row, number, error, source))
        if found:
            _, number, error, source = found[0]
            yield Finding(
                "too-many-digits",
                "note",
                tuple(row.number for row, *_ in found),
                f"{column.header}: {number.text} is printed to {number.step:.0e}, "
                f"with a standard error of about {error:.1g} ({source}).",
                f"Print it in steps of {10 * _finest(error):g} or {_finest(error):g}, and the interval beside it.",
            )


def _finest(error: float) -> float:
    return float(10.0 ** (math.floor(math.log10(error)) - 1))


def _standard_error(metric: str, number: Number, count: int | None) -> tuple[float | None, str]:
    usual = METRICS[metric].spread if metric else None
    sd = None if usual is None else usual * abs(number.value) if metric == "mse" else usual
    if number.spread:
        if sd:
            limit = sd / math.sqrt(math.sqrt(count)) if count else _STD_FROM * sd  # the middle, of logarithms
            if number.spread < limit:
                return number.spread, f"±{number.spread:g} as the standard error"
        elif not count:
            return number.spread, f"±{number.spread:g} as printed"
        if not count:
            return None, ""
        return number.spread / math.sqrt(count), f"±{number.spread:g} as the standard deviation of {count} utterances"
    if not count or not sd:
        return None, ""
    return sd / math.sqrt(count), f"if utterances spread by {sd:.2g}, usual on speech, n = {count}"


@rule
def no_convention(table: Table, n: int | None) -> Iterator[Finding]:
    """LSD and PESQ say which definition they are."""
    for column in {column.header: column for column in reversed(table.metric_columns)}.values():
        if column.convention:
            continue
        if column.metric in ("lsd", "lsd_hf", "lsd_lf"):
            names = ", ".join(LSD_CONVENTIONS)
            yield Finding(
                "no-convention",
                "note",
                (),
                f"{column.header}: which LSD? On the same files, conventions in use differ by a factor of 2 and more.",
                f"Say which with --convention '{column.header}=NAME', and in the table. srbench has: {names}.",
            )
        elif column.metric == "pesq":
            yield Finding(
                "no-convention",
                "note",
                (),
                f"{column.header}: wide band (P.862.2) or narrow band (P.862)?",
                f"Say which with --convention '{column.header}=wb' (or nb), and in the table. "
                "srbench has: pesq, pesq_nb.",
            )
