"""The lint: rules that a results table obeys whatever the audio was, each a small function that states itself.

A rule's sentence is the first line of its docstring. Rows are numbered from 1, headers and section titles left out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from srbench.audit.implied_power import (
    EXPLAINED,
    FULL_SCALE,
    INDISTINCT,
    implied_powers,
    power_text,
    power_tolerance,
    repaired_text,
    repairs_for,
    spread_of,
    suggestion,
)
from srbench.audit.table import LSD_CONVENTIONS, Column, Number, Panel, Row, Table
from srbench.errors import unknown_name
from srbench.metrics import METRICS

SEVERITIES = ("error", "warning", "note")


@dataclass(frozen=True)
class Finding:
    """What a rule found.

    Attributes
    ----------
    rule : str
    severity : {"error", "warning", "note"}
        An error cannot be true; a warning is doubtful; a note is worth saying.
    rows : tuple of int
        The rows concerned; empty for a whole column.
    message : str
    suggestion : str
    """

    rule: str
    severity: str
    rows: tuple[int, ...]
    message: str
    suggestion: str

    def as_dict(self) -> dict[str, Any]:
        """Return it in the shape of ``srbench lint --json``."""
        return {**vars(self), "rows": list(self.rows)}


@dataclass(frozen=True)
class Rule:
    """A registered rule: its name, its sentence, and the check, which takes the table and the number of utterances."""

    name: str
    statement: str
    check: Callable[[Table, int | None], Iterator[Finding]]


RULES: dict[str, Rule] = {}
_Check = Callable[[Table, "int | None"], Iterator[Finding]]


def rule(check: _Check) -> _Check:
    """Register a rule under its function's name, with hyphens."""
    name = check.__name__.replace("_", "-")
    assert name not in RULES, f"two rules are called {name}"
    assert check.__doc__, f"rule {name} does not state itself"
    RULES[name] = Rule(name, check.__doc__.split("\n")[0], check)
    return check


def lint(table: Table, *, n: int | None = None, rules: tuple[str, ...] = ()) -> list[Finding]:
    """Return what the rules find in a table, errors first.

    Parameters
    ----------
    table : Table
        From `srbench.audit.table.read_table`.
    n : int, optional
        The number of utterances behind each mean, where no column says it.
    rules : tuple of str
        Only these.

    Raises
    ------
    SrbenchError
        If a name is of no rule.
    """
    for name in rules:
        if name not in RULES:
            raise unknown_name("rule", name, RULES)
    findings = [
        finding for name, each in RULES.items() if not rules or name in rules for finding in each.check(table, n)
    ]
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))


# --- what the rules share


def _who(row: Row) -> str:
    return f"'{row.model}'" if row.model else f"row {row.number}"


def _where(panel: Panel) -> str:
    return f" ({panel.label})" if panel.label else ""


def _short(metric: str) -> str:
    return {
        "snr": "SNR",
        "si_sdr": "SI-SDR",
        "mse": "MSE",
        "lsd_hf": "LSD-HF",
        "lsd_lf": "LSD-LF",
        "pesq": "PESQ",
        "pesq_nb": "PESQ-NB",
        "stoi": "STOI",
        "estoi": "ESTOI",
        "visqol": "ViSQOL",
    }.get(metric, metric.replace("lsd", "LSD", 1))


# --- the rules

_SURE_DIGITS = 6


@rule
def identical_rows(table: Table, n: int | None) -> Iterator[Finding]:
    """Different models do not share every printed number.

    Rows are compared that have numbers for the same metrics, at least two. Six significant digits in all make a
    coincidence unlikely (error); with fewer, two models may tie (warning).
    """
    for panel in table.panels():
        alike: dict[tuple[tuple[str, float], ...], list[Row]] = {}
        for row in panel.rows:
            alike.setdefault(tuple((name, x.value) for name, x in panel.numbers(row).items()), []).append(row)
        for values, rows in alike.items():
            names = list(dict.fromkeys(_who(row) for row in rows))
            if len(values) < 2 or len(names) < 2:
                continue
            numbers = panel.numbers(rows[0])
            printed = ", ".join(f"{_short(name)} {number.text}" for name, number in numbers.items())
            yield Finding(
                "identical-rows",
                "error" if sum(number.digits for number in numbers.values()) >= _SURE_DIGITS else "warning",
                tuple(row.number for row in rows),
                f"{', '.join(names[:-1])} and {names[-1]} have the same numbers in all {len(values)} metrics: "
                f"{printed}{_where(panel)}.",
                "One row was probably pasted over the other: look them up in the logs.",
            )


@rule
def impossible_power(table: Table, n: int | None) -> Iterator[Finding]:
    """MSE times 10^(SNR/10) is the mean power of the reference: at most full scale, and one for all rows of a data set.

    Above full scale (1.0, for samples in [-1, 1]) is an error at any tolerance: the means only approximate the power
    (see `power_tolerance`), but speech lies 15 dB and more below full scale, which no usual spread bridges. Unequal is
    an error where a usual factor on the SNRs explains it (3 rows or more that lie 2.5 dB apart, and after the factor
    at most 0.5 dB and an eighth of that: in simulations 3 tables of 20 000 honest ones of 8 utterances, none of 16),
    else a warning above `power_tolerance`. The factor named leaves powers between -60 dBFS and full scale, equal
    within the tolerance, with the least spread; factors within 0.5 dB of the least cannot be told apart: of them, the
    one that published code is known for is named first, and the others are named too.
    """
    for panel in table.panels():
        implied = implied_powers(panel)
        if not implied:
            continue
        counts = [count for each in implied if (count := table.count(each.row))]
        tolerance = power_tolerance(min(counts) if counts else n)
        spread, rows = spread_of(implied), tuple(each.row.number for each in implied)
        printed = ", ".join(power_text(each.power()) for each in implied)
        intro = f"MSE·10^(SNR/10), the mean power of the reference, is {printed}{_where(panel)}"
        loud = [each for each in implied if each.power() - each.rounding > FULL_SCALE]
        if loud:
            repairs = repairs_for(implied, tolerance)
            none = "Check whether the samples were in [-1, 1] for the MSE, and which logarithm the SNR took."
            yield Finding(
                "impossible-power",
                "error",
                rows,
                f"{intro}: more than full scale (1.0){repaired_text(implied, repairs)}.",
                suggestion(repairs, none),
            )
            continue
        explained = [
            repair
            for repair in repairs_for(implied, INDISTINCT)
            if len(implied) >= 3 and spread >= EXPLAINED and spread_of(implied, repair.factor) <= spread / 8
        ]
        if explained or spread > tolerance:
            repairs = explained or [
                r for r in repairs_for(implied, tolerance) if spread_of(implied, r.factor) <= spread / 2
            ]
            none = "Were SNR and MSE of each row measured on the same outputs, and all rows on the same utterances?"
            yield Finding(
                "impossible-power",
                "error" if explained else "warning",
                rows,
                f"{intro}: unequal by {spread:.1f} dB for one data set{repaired_text(implied, repairs)}.",
                suggestion(repairs, none),
            )


@rule
def out_of_range(table: Table, n: int | None) -> Iterator[Finding]:
    """Every value lies within its metric's range."""
    for column in table.metric_columns:
        metric = METRICS[column.metric or ""]
        low, high = metric.range
        beyond = [
            (row, number)
            for row in table.rows
            if (number := row.numbers[column.index]) is not None and not low <= number.value <= high
        ]
        if not beyond:
            continue
        values = [number.value for _, number in beyond]
        bounds = f"at least {low:g}" if high == math.inf else f"from {low:g} to {high:g}"
        shown = ", ".join(number.text for _, number in beyond[:5]) + (", …" if len(beyond) > 5 else "")
        yield Finding(
            "out-of-range",
            "error",
            tuple(row.number for row, _ in beyond),
            f"{column.header} is {bounds}, not {shown}.",
            _range_advice(metric.name, values),
        )


def _range_advice(metric: str, values: list[float]) -> str:
    if metric in ("stoi", "estoi") and all(1 < value <= 100 for value in values):
        return "Percent? Divide by 100, or write % in the header."
    if metric.startswith("pesq"):
        if all(-0.5 <= value < 1 for value in values):
            return "A raw P.862 score goes down to -0.5: print the mapped score (MOS-LQO, P.862.1 or P.862.2)."
        return "Check the column: PESQ as MOS-LQO ends at 4.549 (narrow band) and 4.644 (wide band)."
    if metric == "mse" or metric.startswith("lsd"):
        if all(value < 0 for value in values):
            return "A mean of squares cannot be negative: a value in dB, a difference to a baseline, or a lost sign?"
        return "This convention caps the value: name the one that was used with --convention."
    return "Check the column's metric and its unit."


@rule
def snr_above_si_sdr(table: Table, n: int | None) -> Iterator[Finding]:
    """SNR exceeds SI-SDR by no more than 10 log10(1 + 10^(-SI-SDR/10)).

    Write the estimate as x = a y + e with e orthogonal to the reference y, and s = a²|y|² / |e|² (SI-SDR as a ratio).
    Then 1/SNR = |y - x|² / |y|² = (1 - a)² + a² / s, which is least for a = s / (s + 1), where it is 1 / (s + 1). So
    SNR <= s + 1 for each utterance, in dB f(t) = 10 log10(1 + 10^(t/10)) of t = SI-SDR, and equality for the
    best gain. SI-SDR may exceed SNR by anything (a wrong gain costs SNR alone): not flagged. For means, f is convex,
    so mean SNR <= mean f(t), which is above f(mean t): the mean of f is taken over a normal spread of t of 10 dB,
    more than real tables have, and half a last digit of both is allowed.
    """
    for panel in table.panels():
        wrong = []
        for row in panel.rows:
            numbers = panel.numbers(row)
            if "snr" in numbers and "si_sdr" in numbers:
                snr, si_sdr = numbers["snr"], numbers["si_sdr"]
                if snr.value > _highest_mean_snr(si_sdr.value) + (snr.step + si_sdr.step) / 2:
                    wrong.append((row, snr, si_sdr))
        if wrong:
            shown = ", ".join(f"{snr.text} against {si_sdr.text} dB" for _, snr, si_sdr in wrong[:5])
            yield Finding(
                "snr-above-si-sdr",
                "error",
                tuple(row.number for row, _, _ in wrong),
                f"SNR lies further above SI-SDR than any estimate can bring it: {shown}{_where(panel)}.",
                "Are the columns swapped, is one an improvement over the input, or an SNR with another logarithm?",
            )


def _highest_mean_snr(mean_si_sdr: float, sd: float = 10.0) -> float:
    """Return the mean of 10 log10(1 + 10^(t/10)) over t normal around a mean."""
    steps = [i / 10 for i in range(-40, 41)]
    weights = [math.exp(-z * z / 2) for z in steps]
    highest = (max(t, 0.0) + 10 * math.log10(1 + 10 ** (-abs(t) / 10)) for t in (mean_si_sdr + sd * z for z in steps))
    return sum(w * f for w, f in zip(weights, highest, strict=True)) / sum(weights)


_PARTS_TOLERANCE = 1.1


@rule
def lsd_outside_its_parts(table: Table, n: int | None) -> Iterator[Finding]:
    """LSD lies between its HF and LF parts.

    In each frame LSD² = w HF² + (1 - w) LF², w the share of the bins above the cutoff: LSD is a norm of (HF, LF). A
    norm is convex, so after the means LSD >= sqrt(w HF² + (1 - w) LF²) >= min(HF, LF); by the triangle inequality
    LSD <= sqrt(w) HF + sqrt(1 - w) LF <= sqrt(HF² + LF²). Outside these, beyond half a last digit: an error.
    The greater of the parts bounds each frame but not quite the means (HF may be the greater in some frames and LF in
    others): above it by more than 10 % is a warning. With parts of equal mean, that takes frames whose parts spread
    by two thirds of it, independently. Parts of another declared convention than the whole are not compared.
    """
    for panel in table.panels():
        parts = [panel.columns.get(name) for name in ("lsd_hf", "lsd_lf")]
        wholes = [column for name, column in panel.columns.items() if name.startswith("lsd") and column not in parts]
        if None in parts or len(wholes) != 1:
            continue
        declared = {column.convention for column in (*wholes, *parts) if column is not None and column.convention}
        if len(declared) > 1:
            continue
        for severity, rows in _outside(panel, wholes[0]).items():
            shown = ", ".join(f"{whole.text} with HF {hf.text} and LF {lf.text}" for _, whole, hf, lf in rows[:5])
            yield Finding(
                "lsd-outside-its-parts",
                severity,
                tuple(row.number for row, *_ in rows),
                f"LSD does not lie between its two bands: {shown}{_where(panel)}.",
                "Were the three columns computed by one convention, with one cutoff, from the same outputs?",
            )


def _outside(panel: Panel, whole: Column) -> Mapping[str, list[tuple[Row, Number, Number, Number]]]:
    found: dict[str, list[tuple[Row, Number, Number, Number]]] = {}
    for row in panel.rows:
        numbers = panel.numbers(row)
        total, hf, lf = (numbers.get(name or "") for name in (whole.metric, "lsd_hf", "lsd_lf"))
        if total is None or hf is None or lf is None:
            continue
        rounding = (total.step + hf.step + lf.step) / 2
        lowest, greater = min(hf.value, lf.value), max(hf.value, lf.value)
        if total.value < lowest - rounding or total.value > math.hypot(hf.value, lf.value) + rounding:
            found.setdefault("error", []).append((row, total, hf, lf))
        elif total.value > greater * _PARTS_TOLERANCE + rounding:
            found.setdefault("warning", []).append((row, total, hf, lf))
    return found


# the words of a baseline's name, the best floor first, and those that may stand beside them
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

    The baseline is a row named for it, in this order: spline, cubic, linear, sinc, unprocessed input.
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
                if name not in at_floor:
                    continue
                gain = number.value - at_floor[name].value
                if (gain if METRICS[name].better == "higher" else -gain) < 0:
                    worse.append(f"{_short(name)} {number.text} against {at_floor[name].text}")
            if worse:
                yield Finding(
                    "below-spline",
                    "warning",
                    (row.number, floor.number),
                    f"{_who(row)} is worse than the baseline {_who(floor)}: {', '.join(worse)}{_where(panel)}.",
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


_SPREADS = {  # per-utterance standard deviations that are usual on speech; of MSE as a share of the mean
    "snr": 2.0,
    "si_sdr": 2.0,
    "mse": 0.7,
    "lsd": 0.15,
    "pesq": 0.4,
    "stoi": 0.05,
    "estoi": 0.08,
    "visqol": 0.3,
    "dnsmos": 0.3,
}
_DIGIT_RATIO = 20


@rule
def too_many_digits(table: Table, n: int | None) -> Iterator[Finding]:
    """Means are printed no finer than a twentieth of their standard error.

    The standard error is sd / √n, with n from the table or the caller and sd what stands after ± (read as a standard
    deviation, the reading that allows most digits), else the usual spread between utterances of that metric
    (SNR 2 dB, LSD 0.15, PESQ 0.4, STOI 0.05, MSE 70 % of its mean …). Without n, what stands after ± is read as the
    standard error. Nothing is said where neither is known.
    """
    for column in table.metric_columns:
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
    usual = _SPREADS.get(metric) or _SPREADS.get(metric.split("_")[0])
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
