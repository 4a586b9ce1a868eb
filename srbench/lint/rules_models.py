"""Rules on what a results table claims: against the baseline, in its digits, in its conventions."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from srbench.lint.number import Number
from srbench.lint.rule import Finding, rule, short, where, who
from srbench.lint.table import LSD_CONVENTIONS, Panel, Row, Table
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
_BASELINE_WORDS = frozenset(_BESIDE.split()).union(*_BASELINES)


@rule
def below_spline(table: Table, n: int | None) -> Iterator[Finding]:
    """Models are better than the spline (or another baseline of the table) in every metric.

    LSD-LF is left out: whoever copies the low band wins there. The baseline is a row named for it, in this order:
    spline, cubic, linear, sinc, unprocessed input. A value that the table marks with † is left out: the table says so
    itself.
    """
    for panel in table.panels():
        floor = _baseline(panel)
        if floor is None:
            continue
        at_floor = panel.numbers(floor)
        for row in panel.rows:
            if _baseline_rank(row.model) is not None:
                continue
            worse = []
            for name, number in panel.numbers(row).items():
                if (
                    name not in at_floor or name == "lsd_lf" or number.marked
                ):  # a baseline keeps the low band: nothing can beat it there
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


def _baseline(panel: Panel) -> Row | None:
    ranked = [(rank, row.number, row) for row in panel.rows if (rank := _baseline_rank(row.model)) is not None]
    return min(ranked, key=lambda each: each[:2])[2] if ranked else None


_DIGIT_RATIO = 20


@rule
def too_many_digits(table: Table, n: int | None) -> Iterator[Finding]:
    """Means are printed no finer than a twentieth of their standard error.

    The standard error is sd / √n, with n from the table or the caller and sd what stands after ± (read as a standard
    deviation, the reading that allows most digits), else the usual spread between utterances of that metric
    (SNR 2 dB, LSD 0.15, PESQ 0.4, STOI 0.05, MSE 70 % of its mean …). Without n, what stands after ± is read as the
    standard error. Nothing is said where neither is known, nor of data files, which hold every digit.
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
            if error is not None and number.step < error / _DIGIT_RATIO * (1 - 1e-9):
                found.append((row, number, error, source))
        if found:
            _, number, error, source = found[0]
            yield Finding(
                "too-many-digits",
                "note",
                tuple(row.number for row, *_ in found),
                f"{column.header}: {number.text} is printed to {number.step:.0e}, "
                f"with a standard error of about {error:.1g} ({source}).",
                f"Print it in steps of {10.0 ** math.floor(math.log10(error)):g} or "
                f"{10.0 ** (math.floor(math.log10(error)) - 1):g}, and the interval beside it.",
            )


def _standard_error(metric: str, number: Number, count: int | None) -> tuple[float | None, str]:
    if number.spread:
        if count:
            return number.spread / math.sqrt(
                count
            ), f"±{number.spread:g} as the standard deviation of {count} utterances"
        return number.spread, f"±{number.spread:g} as printed"
    usual = METRICS[metric].spread if metric else None
    if not count or usual is None:
        return None, ""
    sd = usual * abs(number.value) if metric == "mse" else usual
    if sd == 0:
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
