"""`srbench.compare`: results compared utterance by utterance, as ``srbench compare`` does."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srbench.api import plot
from srbench.api.arguments import the_metrics
from srbench.api.opened import HasRun, opened
from srbench.level import CI, PERCENT
from srbench.metrics import get_metric
from srbench.report.headings import heading, number
from srbench.results import compare_runs
from srbench.results.paired import differences
from srbench.run import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

_COLUMNS = (
    *("mean_a", "mean_b", "mean_difference", "p_value", "p_holm", "better_shown", "a_wins", "b_wins", "ties", "n"),
    *("unpaired", "identical", "reason", "resampled", "clusters", "unit", "better", "signature"),
)


@dataclass(frozen=True, eq=False)
class Comparison:
    """All pairs of some results, in their order.

    Attributes
    ----------
    document : mapping
        What ``srbench compare --json`` prints; its keys are described in docs/results.md.
    runs : tuple of srbench.run.Run
        That were compared.
    """

    document: Mapping[str, Any] = field(repr=False)
    runs: tuple[Run, ...] = field(repr=False)

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of what was compared."""
        return tuple(run["label"] for run in self.document["runs"])

    def to_dataframe(self) -> DataFrame:
        """Return one row per pair and metric.

        Returns
        -------
        pandas.DataFrame
            Columns ``a``, ``b``, ``metric``, means and their difference a - b in the metric's unit, ``ci95_low`` and
            ``ci95_high`` of the difference, ``p_value`` and ``p_holm`` (corrected over all rows), ``better_shown``
            (the better one's name where it is shown), wins and ties in utterances, and what they rest on.
        """
        import pandas as pd

        rows = []
        for pair in self.document["pairs"]:
            for name, found in pair["metrics"].items():
                low, high = found[CI]
                row = {"a": pair["a"], "b": pair["b"], "metric": name, f"{CI}_low": low, f"{CI}_high": high}
                rows.append(row | {column: found[column] for column in _COLUMNS})
        table: DataFrame = pd.DataFrame(rows)
        return table

    def differences(self, metric: str, a: str | None = None, b: str | None = None) -> DataFrame:
        """Return the differences of one metric, one row per utterance.

        Parameters
        ----------
        metric : str
        a, b : str, optional
            Labels of the two; the first two by default.

        Returns
        -------
        pandas.DataFrame
            Columns ``utterance``, ``speaker``, ``a``, ``b``, ``difference``, ``favours`` (1 for a, -1 for b, 0).
        """
        by_label = dict(zip(self.labels, self.runs, strict=True))
        one, two = a or self.labels[0], b or self.labels[1]
        return differences(by_label[one].columns, by_label[two].columns, get_metric(metric).name)

    def plot(self, *, metrics: str | Sequence[str] | None = None, ax: Axes | None = None) -> Figure:
        """Draw every utterance's difference; see `srbench.plot.differences`."""
        return plot.differences(self, metrics=metrics, ax=ax)

    def __repr__(self) -> str:
        lines = [f"<Comparison: {' and '.join(self.labels)} on {self.document['protocol']}>"]
        for pair in self.document["pairs"]:
            for name, found in pair["metrics"].items():
                lines.append("  " + "  ".join(_cells(pair, name, found)))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Return a table for notebooks; every text from outside is escaped."""
        head = "".join(f"<th>{each}</th>" for each in ("pair", "metric", "difference", PERCENT, "p (Holm)", "better"))
        rows = [
            "".join(f"<td>{html.escape(cell)}</td>" for cell in _cells(pair, name, found))
            for pair in self.document["pairs"]
            for name, found in pair["metrics"].items()
        ]
        notes = "".join(f"<br>{html.escape(note)}" for note in self.document["notes"])
        return (
            f"<table><caption>{html.escape(self.document['protocol'])}{notes}</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{''.join(f'<tr>{row}</tr>' for row in rows)}</tbody></table>"
        )


def _cells(pair: Mapping[str, Any], name: str, found: Mapping[str, Any]) -> tuple[str, ...]:
    digits = get_metric(name).digits
    low, high = (number(bound, digits) for bound in found[CI])
    p = "–" if found["p_holm"] is None else f"{found['p_holm']:.3g}"
    shown = found["better_shown"] or ("identical" if found["identical"] else "no difference shown")
    difference = number(found["mean_difference"], f"+{digits}")
    return f"{pair['a']} − {pair['b']}", heading(name), difference, f"[{low}, {high}]", p, shown


def compare(*results: HasRun | str | Path, metrics: str | Sequence[str] | None = None) -> Comparison:
    """Compare results utterance by utterance: paired differences, 95 % intervals, p-values, wins.

    Parameters
    ----------
    *results : Result or path
        At least two, of one protocol on the same recordings. A path is a run's folder.
    metrics : str or sequence of str, optional
        In place of all that they have in common. P-values are corrected over all that is tested.

    Returns
    -------
    Comparison

    Raises
    ------
    SrbenchError
        If they do not compare: it says in what they differ.

    Examples
    --------
    >>> import srbench
    >>> results = [srbench.evaluate(name, limit=8, metrics="snr") for name in ("spline", "hold")]
    >>> table = srbench.compare(*results).to_dataframe()
    >>> table[["a", "b", "metric", "a_wins", "b_wins", "n"]]
            a     b metric  a_wins  b_wins  n
    0  spline  hold    snr       8       0  8
    """
    runs = tuple(map(opened, results))
    return Comparison(compare_runs(runs, the_metrics(metrics)), runs)
