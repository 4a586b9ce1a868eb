"""How each mean of a table stands beside the others: what the paired comparisons say of it.

The marks of every table rest on this alone, and on the very numbers of `srbench compare`, so that no table claims what
the comparison denies. Means over different sets of utterances are not set beside each other at all.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from srbench.errors import SrbenchError
from srbench.metrics import get_metric
from srbench.results.aggregate import name_set
from srbench.results.bootstrap import mean
from srbench.results.paired import Columns, Paired, paired
from srbench.run import FLOOR, Run

CEILING = "ceiling"


@dataclass(frozen=True)
class Standing:
    """What is known of one mean of a model; "" where it is not known, or where there is nothing to set it beside.

    Attributes
    ----------
    floor : {"better", "same", "worse", ""}
        Than the spline: on which side of zero the whole 95 % interval of the paired difference lies; ``same`` where
        it holds zero.
    ceiling : {"above", "same", "below", ""}
        The same of the low-band ceiling, for the metrics that have one.
    best : {"yes", "no", ""}
        Whether it is the best mean of all models, or its paired difference to the best holds zero.
    """

    floor: str = ""
    ceiling: str = ""
    best: str = ""

    def __str__(self) -> str:
        """Return it as a cell: ``floor:better ceiling:below best:yes``, what is not known left out."""
        return " ".join(f"{each.name}:{told}" for each in fields(self) if (told := getattr(self, each.name)))


_WORDS: Mapping[str, tuple[str, ...]] = {
    "floor": ("better", "same", "worse"),
    "ceiling": ("above", "same", "below"),
    "best": ("yes", "no"),
}
UNKNOWN = Standing()


def parse_standing(cell: str) -> Standing:
    """Read a cell back.

    Raises
    ------
    SrbenchError
        If it is not one.
    """
    told = dict(word.partition(":")[::2] for word in cell.split())
    if str(made := Standing(**{key: told.get(key, "") for key in _WORDS})) != cell or not all(
        told.get(key, words[0]) in words for key, words in _WORDS.items()
    ):
        raise SrbenchError(f"'{cell}' does not say how a mean stands, as in 'floor:better best:yes'")
    return made


@dataclass(frozen=True)
class Contestant:
    """One column of a table: its values, and whether it is a model (the spline is one), the floor or the ceiling."""

    columns: Columns
    model: bool
    floor: bool = False
    ceiling: bool = False

    def over(self, metric: str) -> str:
        """Return the name of the set of utterances that have a value, as `srbench.results.aggregate.name_set` does."""
        return name_set(_with_value(self.columns, metric))


def contestant(run: Run) -> Contestant:
    """Return a run as a column of a table: an anchor, or a model, among which the spline is."""
    told = run.manifest.upscaler
    return Contestant(run.columns, not told.anchor, told.name == FLOOR, told.anchor and told.name == CEILING)


def standings(contestants: Sequence[Contestant], metrics: Sequence[str]) -> list[dict[str, Standing]]:
    """Return of each column, for each metric, how its mean stands; `UNKNOWN` for what is no model.

    Parameters
    ----------
    contestants : sequence of Contestant
        Of one protocol and one set of recordings.
    metrics : sequence of str
    """
    found: list[dict[str, Standing]] = [{} for _ in contestants]
    floor = next((k for k, each in enumerate(contestants) if each.floor), None)
    ceiling = next((k for k, each in enumerate(contestants) if each.ceiling), None)
    models = [k for k, each in enumerate(contestants) if each.model]
    for metric in metrics:
        table = _Table(contestants, metric)
        best = table.best(models)
        for k in range(len(contestants)):
            found[k][metric] = UNKNOWN
            if k in models:
                side = "" if floor is None or k == floor else table.side(k, floor)
                higher = get_metric(metric).better == "higher"
                of_floor = {"above": "better", "below": "worse"} if higher else {"above": "worse", "below": "better"}
                top = ceiling if get_metric(metric).ceiling and k != floor else None
                found[k][metric] = Standing(
                    of_floor.get(side, side),
                    "" if top is None else table.side(k, top),
                    "" if not best else "yes" if k in best else "no",
                )
    return found


def _size(over: str) -> int:
    """Return how many utterances a mean is over; 0 where a leaderboard from outside does not say a number."""
    number = over.partition(".")[0]
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else 0


def other_sets(overs: Sequence[Mapping[str, str]]) -> dict[str, list[int]]:
    """Return for each metric which columns are over another set of utterances than most; none where all are over one.

    Parameters
    ----------
    overs : sequence of mapping of metric name to `srbench.results.aggregate.Aggregate.over`
    """
    found = {}
    for metric in overs[0] if overs else ():
        told = [over[metric] for over in overs]
        usual = max(told, key=lambda over: (told.count(over), _size(over)))
        if other := [k for k, over in enumerate(told) if over != usual]:
            found[metric] = other
    return found


class _Table:
    """One metric of some columns."""

    def __init__(self, contestants: Sequence[Contestant], metric: str) -> None:
        self._columns = [each.columns for each in contestants]
        self._metric = metric
        self._there = [_with_value(each.columns, metric) for each in contestants]

    def side(self, one: int, other: int) -> str:
        """Tell on which side of zero the paired interval lies: above, below, or ``same``; "" where there is none."""
        row = self._pair(one, other)
        if row is None or math.isnan(row.interval[0]):
            return "same" if row is not None and row.identical else ""
        return "above" if row.interval[0] > 0 else "below" if row.interval[1] < 0 else "same"

    def best(self, models: Sequence[int]) -> Collection[int]:
        """Return who has the best mean or is not shown to be worse; none where that cannot be told of every model."""
        if len(models) < 2 or len({self._there[k] for k in models}) > 1 or not self._there[models[0]]:
            return ()
        values = [np.asarray(self._columns[k][self._metric], np.float64) for k in models]
        means = {k: mean(each[~np.isnan(each)]) for k, each in zip(models, values, strict=True)}
        if any(map(math.isnan, means.values())):
            return ()
        better = max if get_metric(self._metric).better == "higher" else min
        first = better(models, key=lambda k: means[k])
        sides = {k: self.side(first, k) for k in models if k != first}
        return () if "" in sides.values() else [first, *(k for k, side in sides.items() if side == "same")]

    def _pair(self, one: int, other: int) -> Paired | None:
        """Compare two columns as `srbench compare` does; None where they are over different utterances."""
        if self._there[one] != self._there[other]:
            return None
        return paired(self._columns[one], self._columns[other], [self._metric], test=False)[self._metric]


def _with_value(columns: Columns, metric: str) -> frozenset[str]:
    there: Iterable[bool] = ~np.isnan(np.asarray(columns[metric], np.float64))
    return frozenset(u for u, has in zip(columns["utterance"], there, strict=True) if has)
