"""Distributions of a metric's values over utterances, by upscaler or by speaker, from finished runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from srbench.errors import SrbenchError, unknown_name
from srbench.folders.references import differing_protocols
from srbench.metrics import USUAL, get_metric
from srbench.report.figure import looks, require_plots, style
from srbench.report.headings import heading, number
from srbench.results.leaderboard import names as names_of
from srbench.run import Run
from srbench.run.recordings import refuse_other_recordings
from srbench.signature import differing_fields

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

DEFAULT_METRICS = USUAL[:2]
_MOST_POINTS = 400  # of one upscaler: beyond, the violin alone, with its quartiles, says more
_COLUMNS = 3
_TALLEST = 30  # inches of speakers
_MOST_ROWS = 30  # of speakers times upscalers: beyond, no points, and closer together


@dataclass(frozen=True)
class Values:
    """The values of some runs, ready to be drawn.

    Attributes
    ----------
    table : DataFrame
        Columns ``metric, upscaler, speaker, utterance, value``; for each metric, the utterances on which every run
        that is drawn has a finite value, and so the same ones for all.
    title : str
    notes : tuple of str
        What has to be said beside the figure: utterances that are not in it.
    """

    table: DataFrame
    metrics: tuple[str, ...]
    upscalers: tuple[str, ...]
    title: str
    notes: tuple[str, ...]


def collect(runs: Sequence[Run], metrics: tuple[str, ...] = ()) -> Values:
    """Gather the values of some runs.

    Parameters
    ----------
    runs : sequence of Run
        Of one protocol, corpus and split.
    metrics : tuple of str
        SNR and LSD by default, or what the first run has.

    Raises
    ------
    SrbenchError
        If the runs' signatures or recordings differ, a run lacks a metric, or no utterance has a value in all.
    """
    import pandas as pd

    chosen = metrics or _default_metrics(runs[0])
    _check_comparable(runs, chosen)
    names = tuple(names_of(runs))
    rows: list[tuple[str, str, str, str, float]] = []
    notes = []
    for metric in chosen:
        title = heading(metric, with_unit=False)
        finite = {
            name: {r.utterance: r for r in run.records if math.isfinite(r.values.get(metric, math.nan))}
            for name, run in zip(names, runs, strict=True)
        }
        for name in [name for name, found in finite.items() if not found]:
            del finite[name]  # the reference's SNR is infinite everywhere
            notes.append(f"{title}: {name} has no finite value.")
        shared = [r.utterance for r in runs[0].records if all(r.utterance in found for found in finite.values())]
        if not finite or not shared:
            raise SrbenchError(f"{metric}: there is no utterance on which all runs have a finite value")
        everything = {r.utterance for run in runs for r in run.records}
        if len(shared) < len(everything):
            notes.append(f"{title}: {len(shared)} of {len(everything)} utterances, on which all have a finite value.")
        for name, found in finite.items():
            rows += [(metric, name, found[u].speaker, u, found[u].values[metric]) for u in shared]
    table = pd.DataFrame(rows, columns=["metric", "upscaler", "speaker", "utterance", "value"])
    told = runs[0].manifest
    n, expected = table["utterance"].nunique(), told.split.expected
    corpus = "" if told.own_corpus else f" on {told.corpus.name}, side {told.split.side}"
    count = f"{n}" if n == expected else f"{n} of {expected}"
    speakers = table["speaker"].nunique()
    title = f"{told.protocol}{corpus}: {count} utterances, {speakers} speaker{'s' * (speakers > 1)}"
    return Values(table, chosen, names, title, tuple(notes))


def summary(values: Values) -> dict[str, dict[str, dict[str, float]]]:
    """Return, by metric and upscaler, n, mean, and minimum, quartiles and maximum over utterances."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for metric in values.metrics:
        for name in values.upscalers:
            drawn = _of(values.table, metric, upscaler=name)
            if not len(drawn):
                continue
            marks = np.percentile(drawn, (0, 25, 50, 75, 100)).tolist()
            numbers = dict(zip(("min", "q1", "median", "q3", "max"), marks, strict=True))
            found.setdefault(metric, {})[name] = {"n": len(drawn), "mean": float(drawn.mean()), **numbers}
    return found


def draw_by_upscaler(values: Values) -> Figure:
    """Draw one panel a metric, a violin an upscaler; every utterance is a point while they are few."""
    require_plots()
    from matplotlib.figure import Figure

    with style():
        figure, axes = _grid(Figure, values, 0.7 + 0.55 * len(values.upscalers))
        for axis, metric in zip(axes, values.metrics, strict=True):
            draw_upscaler_panel(axis, values, metric)
        figure.suptitle(values.title)
    return figure


def draw_by_speaker(values: Values) -> Figure:
    """Draw one panel a metric, a row a speaker, the upscalers under each other: the median and the middle half.

    While the rows are few, every utterance is a point. Speakers stand in the order of their mean of the first metric,
    the best on top.
    """
    require_plots()
    from matplotlib.figure import Figure

    speakers = values.table["speaker"].nunique()
    row = (0.22 if _few_rows(values) else 0.07) * len(values.upscalers) + 0.1  # inches
    with style():
        figure, axes = _grid(Figure, values, 1 + min(row * speakers, _TALLEST))
        for axis, metric in zip(axes, values.metrics, strict=True):
            draw_speaker_panel(axis, values, metric)
        entries: dict[str, Any] = {}
        for axis in axes:
            handles, labels = axis.get_legend_handles_labels()
            entries |= dict(zip(labels, handles, strict=True))
        figure.legend(entries.values(), entries.keys(), loc="outside lower center", ncols=min(5, len(entries)))
        figure.suptitle(values.title)
    return figure


def _grid(kind: type[Figure], values: Values, height: float) -> tuple[Figure, list[Axes]]:
    """Return a figure and an axis for each metric, at most three to a row of this height in inches."""
    rows = math.ceil(len(values.metrics) / _COLUMNS)
    columns = math.ceil(len(values.metrics) / rows)
    figure = kind(figsize=(1.5 + 3.6 * columns, 0.5 + rows * height), layout="constrained")
    axes = list(figure.subplots(rows, columns, sharey=True, squeeze=False).ravel())
    for axis in axes[len(values.metrics) :]:
        axis.set_visible(False)
    return figure, axes[: len(values.metrics)]


def draw_upscaler_panel(axis: Axes, values: Values, metric: str) -> None:
    """Draw one metric on an axis, a violin an upscaler."""
    import seaborn

    styles = looks(values.upscalers)
    table = values.table[values.table["metric"] == metric]
    colors = {name: styles[name].color for name in values.upscalers}
    points = len(table) <= _MOST_POINTS * len(values.upscalers)
    seaborn.violinplot(
        table,
        x="value",
        y="upscaler",
        hue="upscaler",
        order=values.upscalers,
        hue_order=values.upscalers,
        palette=colors,
        saturation=1,
        inner=None if points else "box",
        cut=0,  # nothing is drawn where no value is
        density_norm="width",
        linewidth=0.8,
        legend=False,
        alpha=0.35,
        ax=axis,
    )
    for place, name in enumerate(values.upscalers if points else ()):
        drawn = _of(table, metric, upscaler=name)
        axis.scatter(drawn, place + 0.35 * _spread(len(drawn)), s=7, color=colors[name], linewidths=0, zorder=3)
    drawn_names = set(table["upscaler"])
    for place, name in enumerate(values.upscalers):
        if name not in drawn_names:
            continue
        mean = float(_of(table, metric, upscaler=name).mean())
        axis.plot(mean, place, marker="D", markersize=6, color="white", markeredgecolor="black", zorder=4)
        told = number(mean, get_metric(metric).digits)
        axis.annotate(told, (mean, place), (0, 11), textcoords="offset points", ha="center", fontsize=7, zorder=5)
    axis.set(xlabel=f"{heading(metric)}   (◇ mean)", ylabel="")
    axis.grid(axis="x", color="0.9", linewidth=0.6)
    axis.set_axisbelow(True)


def draw_speaker_panel(axis: Axes, values: Values, metric: str) -> None:
    """Draw one metric on an axis, a row a speaker."""
    styles, count = looks(values.upscalers), len(values.upscalers)
    speakers, points = _speakers(values), _few_rows(values)
    for k, name in enumerate(values.upscalers):
        look = styles[name]
        if not len(_of(values.table, metric, upscaler=name)):
            continue
        offset = 0.8 * ((k + 0.5) / count - 0.5)
        groups = [_of(values.table, metric, upscaler=name, speaker=speaker) for speaker in speakers]
        places = np.arange(len(speakers)) + offset
        low, middle, high = np.array([np.percentile(group, (25, 50, 75)) for group in groups]).T
        if points:
            for place, group in zip(places, groups, strict=True):
                spread = place + 0.3 / count * _spread(len(group))
                axis.scatter(group, spread, s=5, color=look.color, linewidths=0, alpha=0.6)
        axis.hlines(places, low, high, color=look.color, linewidth=5 if points else 2, alpha=0.5)
        axis.plot(
            middle,
            places,
            linestyle="",
            marker=look.marker or "|",  # the reference, which has none
            markersize=5 if points else 3.5,
            color=look.color,
            markeredgecolor="black" if points else look.color,
            markeredgewidth=0.6,
            label=name,
        )
    axis.set_yticks(range(len(speakers)), speakers)
    axis.set_ylim(len(speakers) - 0.5, -0.5)
    for place in range(1, len(speakers), 2):
        axis.axhspan(place - 0.5, place + 0.5, color="0.95", linewidth=0, zorder=0)
    axis.set_xlabel(f"{heading(metric)}   (median and middle half)")
    axis.grid(axis="x", color="0.88", linewidth=0.6)
    axis.set_axisbelow(True)


def _speakers(values: Values) -> list[str]:
    """Return the speakers, the best mean of the first metric first."""
    first = values.table[values.table["metric"] == values.metrics[0]].groupby("speaker")["value"].mean()
    best_first = first.sort_values(ascending=get_metric(values.metrics[0]).better == "lower", kind="stable")
    return list(map(str, best_first.index))


def _few_rows(values: Values) -> bool:
    return int(values.table["speaker"].nunique()) * len(values.upscalers) <= _MOST_ROWS


def _of(table: DataFrame, metric: str, **chosen: str) -> NDArray[np.float64]:
    rows = table["metric"] == metric
    for column, value in chosen.items():
        rows &= table[column] == value
    return table.loc[rows, "value"].to_numpy(np.float64)


def _spread(n: int) -> NDArray[np.float64]:
    """Return offsets in -0.5 to 0.5 that keep neighbouring points apart: the golden ratio's, always the same."""
    return np.asarray((np.arange(n) * 0.6180339887498949) % 1 - 0.5, dtype=np.float64)


def _default_metrics(run: Run) -> tuple[str, ...]:
    known = run.manifest.metrics
    return tuple(name for name in DEFAULT_METRICS if name in known) or tuple(known)[:2]


def _check_comparable(runs: Sequence[Run], metrics: Sequence[str]) -> None:
    first = runs[0]
    for run in runs:
        for metric in metrics:
            if metric not in run.manifest.metrics:
                raise unknown_name(f"metric of {run.folder}:", metric, run.manifest.metrics)
        one, other = first.manifest, run.manifest
        pairs = [("protocol", differing_protocols, one.protocol_signature, other.protocol_signature)]
        pairs += [(m, differing_fields, one.metrics[m], other.metrics[m]) for m in metrics]
        for what, differing, mine, theirs in pairs:
            if mine != theirs:
                raise SrbenchError(
                    f"{first.folder} and {run.folder} cannot be compared: their {what} differs: "
                    f"{'; '.join(differing(mine, theirs))}.\n"
                    "Give runs of one protocol and corpus."
                )
    refuse_other_recordings([(str(run.folder), run.records) for run in runs])
