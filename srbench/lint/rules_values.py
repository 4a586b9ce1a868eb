"""Rules on the values of a results table: what cannot be true, whatever the audio was."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping

from srbench.lint.implied_power import (
    FULL_SCALE,
    INDISTINCT,
    SURE,
    explains,
    implied_powers,
    outliers,
    power_text,
    power_tolerance,
    repaired_text,
    repairs_for,
    spread_of,
    suggestion,
    what_if,
)
from srbench.lint.number import Number
from srbench.lint.rule import Finding, rule, short, where, who
from srbench.lint.rules_units import swapped
from srbench.lint.table import Column, Panel, Row, Table
from srbench.metrics import METRICS

_SURE_DIGITS, _TIE_DIGITS = 6, 5
_FAR = 6.0  # dB between one row's implied power and the others', which no honest mean explains


@rule
def identical_rows(table: Table, n: int | None) -> Iterator[Finding]:
    """Different models do not share every printed number.

    Rows are compared that have numbers for the same metrics, at least two. Six significant digits in all make a
    coincidence unlikely (error); with five, two models may tie (warning), with fewer they often do (note).
    """
    for panel in table.panels():
        alike: dict[tuple[tuple[str, float], ...], list[Row]] = {}
        for row in panel.rows:
            alike.setdefault(tuple((name, x.value) for name, x in panel.numbers(row).items()), []).append(row)
        for values, rows in alike.items():
            names = list(dict.fromkeys(who(row) for row in rows))
            if len(values) < 2 or len(names) < 2:
                continue
            numbers = panel.numbers(rows[0])
            printed = ", ".join(f"{short(name)} {number.text}" for name, number in numbers.items())
            digits = 0 if _one_model(rows) else sum(number.digits for number in numbers.values())
            yield Finding(
                "identical-rows",
                "error" if digits >= _SURE_DIGITS else "warning" if digits >= _TIE_DIGITS else "note",
                tuple(row.number for row in rows),
                f"{', '.join(names[:-1])} and {names[-1]} have the same numbers in all {len(values)} metrics: "
                f"{printed}{where(panel)}.",
                "One row was probably pasted over the other: look them up in the logs.",
            )


def _one_model(rows: list[Row]) -> bool:
    """Tell whether rows name one model, as a port beside its original does: they may be equal."""
    words = [set(re.findall(r"[a-z0-9]+", row.model.casefold())) for row in rows]
    return (
        bool(set.intersection(*words))
        and min(words, key=len) <= set.union(*words)
        and any(all(least <= other for other in words) for least in words)
    )


@rule
def impossible_power(table: Table, n: int | None) -> Iterator[Finding]:
    """MSE times 10^(SNR/10) is the mean power of the reference: at most full scale, and one for all rows of a data set.

    Above full scale (1.0, for samples in [-1, 1]) is an error at any tolerance: the means only approximate the power
    (see `power_tolerance`), but speech lies 15 dB and more below full scale, which no usual spread bridges. Unequal is
    an error where some rows depart from a majority that agrees, or a usual factor on the SNRs explains it (rows that
    lie 2.5 dB apart; less is a warning, see `explains`), else a warning above `power_tolerance`. The factor named
    leaves powers between -60 dBFS and full scale, equal within the tolerance, with the least spread. Factors within
    0.5 dB of the least cannot be told apart: of them, the one that published code is known for is named first, and
    the others are named too.
    """
    for panel in table.panels():
        implied = implied_powers(panel)
        if not implied:
            continue
        counts = [count for each in implied if (count := table.count(each.row))]
        tolerance = power_tolerance(min(counts) if counts else n)
        spread, rows = spread_of(implied), tuple(each.row.number for each in implied)
        printed = ", ".join(power_text(each.power()) for each in implied)
        intro = f"MSE·10^(SNR/10), the mean power of the reference, is {printed}{where(panel)}"
        apart = outliers(implied, tolerance)
        if apart:
            others = {each.row.number for each in implied} - {each.row.number for each in apart}
            agreed = sorted(each.power() for each in implied if each.row.number in others)
            far = max(abs(each.power() - agreed[len(agreed) // 2]) for each in apart)
            yield Finding(
                "impossible-power",
                "error" if far > _FAR else "warning",
                tuple(each.row.number for each in apart),
                f"{intro}: {' and '.join(who(each.row) for each in apart)} "
                f"depart{'s' if len(apart) == 1 else ''} from the others, which agree.",
                "Is it of the same utterances, and are its SNR and MSE of the same outputs? At the others' power, "
                + "; ".join(what_if(each, agreed[len(agreed) // 2]) for each in apart)
                + ".",
            )
            continue
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
        explained = [repair for repair in repairs_for(implied, INDISTINCT) if explains(implied, repair)]
        if explained or spread > tolerance:
            repairs = explained or [
                r for r in repairs_for(implied, tolerance) if spread_of(implied, r.factor) <= spread / 2
            ]
            none = "Were SNR and MSE of each row measured on the same outputs, and all rows on the same utterances?"
            yield Finding(
                "impossible-power",
                "error" if explained and spread >= SURE else "warning",
                rows,
                f"{intro}: unequal by {spread:.1f} dB for one data set{repaired_text(implied, repairs)}.",
                suggestion(repairs, none),
            )


@rule
def out_of_range(table: Table, n: int | None) -> Iterator[Finding]:
    """Every value lies within its metric's range."""
    exchanged = {column.index for pair in swapped(table) for column in pair}  # told by swapped-columns
    for column in table.metric_columns:
        if column.index in exchanged:
            continue
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
                f"SNR lies further above SI-SDR than any estimate can bring it: {shown}{where(panel)}.",
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
                f"LSD does not lie between its two bands: {shown}{where(panel)}.",
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
