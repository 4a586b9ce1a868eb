"""Rules on what a column holds: another metric than its header says, or numbers in another unit."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise

from srbench.lint.implied_power import Implied, implied_powers
from srbench.lint.number import Number
from srbench.lint.rule import Finding, rule, short, where, who
from srbench.lint.table import Column, Row, Table
from srbench.metrics import METRICS

_LEAST_DB, _CERTAIN_DB = 5.0, 14.0  # an LSD in log10 or ln that nothing but silence has; a spline's in dB
_GAP = 4.0  # times, between numbers of one metric of models that can be compared


def swapped(table: Table) -> list[tuple[Column, Column]]:
    """Return the pairs of columns in which every number is out of its own range and in the range of the other."""
    found = []
    for panel in table.panels():
        for a, b in combinations(panel.columns.values(), 2):
            values = [[n.value for row in panel.rows if (n := row.numbers[c.index]) is not None] for c in (a, b)]
            ranges = [METRICS[c.metric or ""].range for c in (a, b)]
            if all(values) and all(
                not own[0] <= value <= own[1] and other[0] <= value <= other[1]
                for held, own, other in zip(values, ranges, reversed(ranges), strict=True)
                for value in held
            ):
                found.append((a, b))
    return list(dict.fromkeys(found))


@rule
def swapped_columns(table: Table, n: int | None) -> Iterator[Finding]:
    """Columns hold the metric that their header names.

    Two columns whose numbers are impossible, each, and possible in each other's place are an error. An LSD-LF above
    the LSD-HF in every row of two and more is a warning: a bandwidth extension that keeps the low band has it lower.
    """
    for a, b in swapped(table):
        rows = tuple(row.number for row in table.rows if row.numbers[a.index] or row.numbers[b.index])
        shown = [_span([row.numbers[c.index] for row in table.rows]) for c in (a, b)]
        yield Finding(
            "swapped-columns",
            "error",
            rows,
            f"{a.header} holds {shown[0]} and {b.header} holds {shown[1]}: the two columns are swapped.",
            f"Exchange the headers {a.header} and {b.header}.",
        )
    for panel in table.panels():
        both = [(row, panel.numbers(row)) for row in panel.rows]
        pairs = [(row, held["lsd_lf"], held["lsd_hf"]) for row, held in both if {"lsd_lf", "lsd_hf"} <= held.keys()]
        if len(pairs) >= 2 and all(low.value - high.value > (low.step + high.step) / 2 for _, low, high in pairs):
            yield Finding(
                "swapped-columns",
                "warning",
                tuple(row.number for row, *_ in pairs),
                f"LSD-LF is above LSD-HF in every row{where(panel)}.",
                "Are the two columns swapped? The band that the input has is the easier one.",
            )


def _span(numbers: list[Number | None]) -> str:
    held = sorted((number for number in numbers if number is not None), key=lambda number: number.value)
    return held[0].text if len(held) == 1 else f"{held[0].text} to {held[-1].text}"


@rule
def lsd_in_db(table: Table, n: int | None) -> Iterator[Finding]:
    """Every LSD is in log10 or in ln of spectra, or its header says dB.

    Where every LSD of a column is above 5 and one above 14, no logarithm but dB gives it. Where the others of a column
    are more than four times smaller, and a tenth of the number lies among them, one row is in dB.
    """
    for panel in table.panels():
        for name, column in panel.columns.items():
            if not name.startswith("lsd") or "db" in column.header.casefold():
                continue
            held = [(row, number) for row in panel.rows if (number := row.numbers[column.index]) is not None]
            values = sorted(number.value for _, number in held)
            if len(values) >= 2 and values[0] >= _LEAST_DB and values[-1] >= _CERTAIN_DB:
                yield Finding(
                    "lsd-in-db",
                    "warning",
                    tuple(row.number for row, _ in held),
                    f"{column.header} {values[0]:.0f} to {values[-1]:.0f} can only be in dB, ten times the log10 "
                    f"value{where(panel)}.",
                    f"Divide it by 10, or write dB in the header '{column.header}'.",
                )
            elif other := _tenfold(held):
                shown = ", ".join(f"{who(row)} {number.text}" for row, number in other)
                yield Finding(
                    "lsd-in-db",
                    "warning",
                    tuple(row.number for row, _ in other),
                    f"{column.header}: {shown} {'is' if len(other) == 1 else 'are'} in dB, ten times the log10 values "
                    f"of the others{where(panel)}.",
                    "Divide by 10, if the log tells that it is the same definition.",
                )


def _tenfold(held: list[tuple[Row, Number]]) -> list[tuple[Row, Number]]:
    """Return the few rows whose numbers are ten times too large beside the others."""
    ordered = sorted(held, key=lambda each: each[1].value)
    for k, ((_, low), (_, high)) in enumerate(pairwise(ordered), 1):
        if low.value > 0 and high.value > _GAP * low.value and high.value >= _LEAST_DB:
            lower, upper = ordered[:k], ordered[k:]
            least, most = 0.4 * lower[0][1].value, 2.5 * lower[-1][1].value
            few = len(lower) >= 2 and len(upper) < len(lower)
            return upper if few and all(least <= number.value / 10 <= most for _, number in upper) else []
    return []


@rule
def snr_at_equal_mse(table: Table, n: int | None) -> Iterator[Finding]:
    """At an equal MSE the SNR is equal, within what the other rows of the table vary by.

    MSE times 10^(SNR/10) is one power for all rows. Two rows whose printed MSEs are equal may differ in SNR by three
    times the spread of that power among the other rows, and by 0.5 dB; by 2 dB where there are no others.
    """
    for panel in table.panels():
        implied = implied_powers(panel)
        equal: dict[float, list[Implied]] = {}
        for each in implied:
            equal.setdefault(each.mse, []).append(each)
        for rows in equal.values():
            a, b = min(rows, key=lambda each: each.snr), max(rows, key=lambda each: each.snr)
            rise, rounding = b.snr - a.snr, a.rounding + b.rounding
            if rise <= 0.5 + rounding:
                continue
            rest = [each.power() for each in implied if each is not a and each is not b]
            allowed = 2.0
            if len(rest) >= 2:
                allowed = max(0.5, 3 * min(max(*rest, own.power()) - min(*rest, own.power()) for own in (a, b)))
            if rise > allowed + rounding:
                yield Finding(
                    "snr-at-equal-mse",
                    "warning",
                    tuple(sorted((a.row.number, b.row.number))),
                    f"The SNR of {who(a.row)} and {who(b.row)} differs by {rise:.1f} dB at an equal {short('mse')}"
                    f"{where(panel)}.",
                    "One of the numbers is of another output: look both rows up in the logs.",
                )
