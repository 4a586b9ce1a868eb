"""The power of the reference that a table implies: MSE times 10^(SNR/10), and the factors that would repair it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from srbench.lint.table import Panel, Row


@dataclass(frozen=True)
class Repair:
    """A factor on the SNRs, and the mistake that it undoes."""

    factor: float
    words: str


# In the order in which they are believed when the numbers cannot tell: first what published code is known to have done.
REPAIRS = (
    Repair(1 / math.log(10), "divide the SNRs by 2.302585 (10·ln was computed for 10·log10)"),
    Repair(2.0, "multiply the SNRs by 2 (10·log10 of a ratio of norms was computed, half the SNR)"),
    Repair(0.5, "divide the SNRs by 2 (20·log10 of a ratio of powers was computed)"),
    Repair(math.log10(2), "divide the SNRs by 3.321928 (10·log2 was computed for 10·log10)"),
)
FULL_SCALE, _QUIETEST = 0.0, -60.0  # dBFS
_ASSUMED_N = 8
SURE = 2.5  # dB of spread from which a factor that explains it is an error
_ROWS: dict[int, tuple[float, float]] = {3: (1.5, 15.0), 4: (1.25, 8.0)}
INDISTINCT = 0.5  # dB of spread that cannot tell two factors apart


@dataclass(frozen=True)
class Implied:
    """One row's implied power: MSE in dB, SNR in dB, and what their rounding may hide."""

    row: Row
    mse: float
    snr: float
    rounding: float

    def power(self, factor: float = 1.0) -> float:
        """Return the implied power in dBFS, with the SNR multiplied by a factor."""
        return self.mse + factor * self.snr


def spread_of(implied: list[Implied], factor: float = 1.0) -> float:
    """Return how far the implied powers lie apart, in dB, beyond what rounding explains."""
    powers = [each.power(factor) for each in implied]
    return max(0.0, max(powers) - min(powers) - 2 * max(each.rounding for each in implied))


def power_tolerance(n: int | None) -> float:
    """Return how far apart implied powers may lie, in dB, for means over n utterances (8 where it is not known).

    With P the power of an utterance's reference, SNR = 10 log10(P / MSE) for each, so that the means give
    mean MSE · 10^(mean SNR / 10) = GM(P) · AM(MSE) / GM(MSE): the geometric mean power, times the ratio of
    arithmetic to geometric mean of the MSEs. The first factor is the same for all models. The second is about
    exp(s² / 2) for an MSE whose logarithm spreads by s between utterances: 1.0 dB where it spreads by 3 dB, 2.9 dB by
    5 dB. Two models that spread by 3 and by 5 dB thus differ by 1.8 dB for ever, hence the 2 dB. The rest is chance,
    and falls as 1/√n: in simulations (2 to 6 models, SNR spreading by 3 dB per utterance, half of the variance shared
    by the models, references by 2 and 3 dB) this tolerance was exceeded in one table of 20 000 or none, at 8, 16, 30,
    100 and 500 utterances. A fixed 10 % (0.4 dB) would accuse most honest tables of 8 to 30 utterances.
    """
    return 2 + 14 / math.sqrt(n or _ASSUMED_N)


def implied_powers(panel: Panel) -> list[Implied]:
    """Return the implied power of every row that prints both SNR and MSE."""
    implied = []
    for row in panel.rows:
        numbers = panel.numbers(row)
        if "snr" not in numbers or "mse" not in numbers:
            continue
        snr, mse = numbers["snr"], numbers["mse"]
        if mse.value <= mse.step / 2:  # 0.000 says nothing
            continue
        rounding = 10 * math.log10(1 + mse.step / (2 * mse.value)) + snr.step / 2
        implied.append(Implied(row, 10 * math.log10(mse.value), snr.value, rounding))
    return implied


def outliers(implied: list[Implied], tolerance: float) -> list[Implied]:
    """Return the rows whose power lies beyond the tolerance from that of a majority which agrees; none without one.

    The majority is at least two rows and more than half, within `INDISTINCT` of their median, at a possible power: no
    factor on the SNRs of all could have made them agree.
    """
    middle = sorted(each.power() for each in implied)[(len(implied) - 1) // 2]
    agree: list[Implied] = []
    rest: list[Implied] = []
    for each in implied:
        (agree if abs(each.power() - middle) <= INDISTINCT + each.rounding else rest).append(each)
    if len(agree) < 2 or len(agree) <= len(rest) or not _QUIETEST < middle < FULL_SCALE:
        return []
    if max(each.snr for each in agree) - min(each.snr for each in agree) < 2 * INDISTINCT:
        return []  # equal SNRs agree under any factor
    return [each for each in rest if abs(each.power() - middle) > tolerance]


def repairs_for(implied: list[Implied], tolerance: float) -> list[Repair]:
    """Return the factors that make the powers possible and equal, best first."""
    possible = [
        repair
        for repair in REPAIRS
        if all(_QUIETEST < each.power(repair.factor) < FULL_SCALE for each in implied)
        and spread_of(implied, repair.factor) <= tolerance
    ]
    least = min((spread_of(implied, repair.factor) for repair in possible), default=0.0)
    near = [repair for repair in possible if spread_of(implied, repair.factor) <= least + INDISTINCT]
    return near


def explains(implied: list[Implied], repair: Repair) -> bool:
    """Tell whether a factor on the SNRs explains how the powers lie apart.

    Powers that drift with the SNR by half of it and more are what a wrong factor makes. From four rows on they must
    lie 1.25 dB apart and after the factor at most an eighth of that; three rows 1.5 dB and a fifteenth. In
    simulations of honest tables (8 to 500 utterances, models whose SNRs spread by 2 to 5 dB) one of a thousand was
    accused.
    """
    least, ratio = _ROWS.get(min(len(implied), 4), (math.inf, 1.0))
    spread = spread_of(implied)
    return spread >= least and spread_of(implied, repair.factor) <= spread / ratio


def what_if(each: Implied, power: float) -> str:
    """Say what a row that departs would have to be at the power of the others."""
    text = f"an MSE of {10 ** (each.mse / 10):.3g} is an SNR of {power - each.mse:.2f} dB"
    for repair in REPAIRS:
        if abs(each.power(repair.factor) - power) <= INDISTINCT + each.rounding:
            return f"{text}, as it is if you {repair.words}"
    times = (each.power() - power) / 10
    if abs(times) >= 2 and abs(times - round(times)) < 0.1:
        return f"{text}; or the MSE is in a unit {10.0 ** round(times):g} times as large"
    if abs(times - math.log10(32768**2)) < 0.1:
        return f"{text}; or the MSE is of 16-bit samples: divide it by {32768**2}"
    return text


def repaired_text(implied: list[Implied], repairs: list[Repair]) -> str:
    """Say what the powers are after the first repair."""
    if not repairs:
        return ""
    repaired = ", ".join(power_text(each.power(repairs[0].factor)) for each in implied)
    return f"; it is {repaired} if you {repairs[0].words.split(' (')[0]}"


def suggestion(repairs: list[Repair], none: str) -> str:
    """Say what to do: the first repair, and the others that the numbers do not exclude."""
    if not repairs:
        return none
    first = repairs[0].words[0].upper() + repairs[0].words[1:]
    others = "; or ".join(repair.words for repair in repairs[1:])
    return f"{first}. " + (f"These numbers alone do not exclude: {others}." if others else "")


def power_text(dbfs: float) -> str:
    """Write a power for people, linear and in dBFS."""
    linear = f"{10 ** (dbfs / 10):#.3g} ".replace(". ", " ") if abs(dbfs) < 100 else ""
    return f"{linear}({dbfs:.1f} dBFS)"
