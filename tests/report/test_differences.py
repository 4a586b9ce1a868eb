"""The figure of a comparison: what it shows, of whom, in which files."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from srbench.protocols import load_protocol
from srbench.report.differences import draw_differences
from srbench.report.figure import FORMATS, save
from srbench.results import compare_runs
from srbench.run import Entrant, Run, make_plan, run_entrant

pytest.importorskip("matplotlib")
pytest.importorskip("seaborn")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    """Return runs of three upscalers and of the reference itself on a few utterances of the embedded corpus."""
    plan = make_plan(load_protocol("demo"), metrics=("snr", "mse", "lsd"), limit=5)
    entrants = [*map(Entrant, ("spline", "linear", "hold")), Entrant("reference", anchor=True)]
    return [run_entrant(plan, entrant, tmp_path_factory.mktemp("runs")) for entrant in entrants]


@pytest.fixture(scope="module")
def document(runs: list[Run]) -> dict[str, Any]:
    return compare_runs(runs[:2])


def drawn(panel: Any) -> list[float]:
    """Return the heights of a panel's points, from left to right."""
    (points,) = panel.collections
    offsets = np.asarray(points.get_offsets())
    assert offsets[:, 0].tolist() == list(range(1, len(offsets) + 1))
    return [float(height) for height in offsets[:, 1]]


def legend(figure: Any) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_points_mean_interval_and_units(runs: list[Run], document: dict[str, Any]) -> None:
    figure = draw_differences(document, runs[:2])
    snr, lsd = figure.axes  # of the usual ones these two were compared, MSE is not usual
    for panel, name in ((snr, "snr"), (lsd, "lsd")):
        values = [{r.utterance: r.values[name] for r in run.records} for run in runs[:2]]
        assert drawn(panel) == pytest.approx(sorted(values[0][u] - values[1][u] for u in values[0]))
        value = document["pairs"][0]["metrics"][name]
        (band,) = [patch for patch in panel.patches if patch.get_height()]
        assert (band.get_y(), band.get_y() + band.get_height()) == pytest.approx(tuple(value["ci95"]))
        assert [float(line.get_ydata()[0]) for line in panel.lines] == [value["mean_difference"], 0]
        assert panel.get_xlabel() == "5 utterances, sorted"
    value = document["pairs"][0]["metrics"]["snr"]
    told = f"mean {value['mean_difference']:+.2f} [{value['ci95'][0]:+.2f}, {value['ci95'][1]:+.2f}]"
    assert snr.get_title() == f"SNR dB ↑\n{told}".replace("-", "−")
    assert (snr.get_ylabel(), lsd.get_ylabel()) == ("spline − linear, dB", "spline − linear")
    assert legend(figure) == ["spline better", "linear better", "equal"]


def test_points_are_told_apart_by_colour_and_mark(runs: list[Run], document: dict[str, Any]) -> None:
    """The better one's, by the metric's direction: the spline has the better SNR, the linear one the better LSD."""
    values = document["pairs"][0]["metrics"]
    assert (values["snr"]["a_wins"], values["lsd"]["b_wins"]) == (5, 5)
    figure = draw_differences(document, runs[:2])
    colours = [tuple(np.unique(panel.collections[0].get_facecolors(), axis=0).ravel()[:3]) for panel in figure.axes]
    handles = figure.legends[0].legend_handles
    assert colours == [pytest.approx(handle.get_color()) for handle in handles[:2]]
    brightness = [float(np.dot(colour, (0.299, 0.587, 0.114))) for colour in colours]
    assert abs(brightness[0] - brightness[1]) > 0.15  # in a black-and-white print
    assert len({handle.get_marker() for handle in handles}) == 3
    three = draw_differences(compare_runs(runs[:3]), runs[:3], ["lsd"])
    assert legend(three) == ["spline better", "linear better", "hold better", "equal"]
    assert len(three.axes) == 3
    assert [handle.get_color() for handle in three.legends[0].legend_handles[:2]] == [
        handle.get_color() for handle in handles[:2]
    ]


def test_metrics_asked_for(runs: list[Run], document: dict[str, Any]) -> None:
    (panel,) = draw_differences(document, runs[:2], ["mse"]).axes
    assert panel.get_title().startswith("MSE ↓\nmean ")


def test_differences_that_are_not_finite_or_all_zero(runs: list[Run], tmp_path: Path) -> None:
    shutil.copytree(runs[0].folder, tmp_path / "again")
    again = Run(tmp_path / "again", runs[0].manifest, runs[0].records)
    three = [runs[0], again, runs[3]]
    figure = draw_differences(compare_runs(three), three, ["snr"])
    equal, *infinite = figure.axes
    assert drawn(equal) == [0] * 5
    assert equal.get_title() == "SNR dB ↑\nmean +0.00 [+0.00, +0.00]"
    for panel in infinite:  # the reference's SNR is infinite
        assert [text.get_text() for text in panel.texts] == ["no finite difference"]
        assert panel.get_title() == "SNR dB ↑"
        assert panel.get_xlabel() == "0 utterances, sorted (5 not finite)"
    save(figure, tmp_path / "x.png")


@pytest.mark.parametrize("suffix", FORMATS)
def test_files_repeat_and_names_are_text(
    runs: list[Run], document: dict[str, Any], tmp_path: Path, suffix: str
) -> None:
    document = copy.deepcopy(document)
    document["runs"][0]["label"] = document["pairs"][0]["a"] = r"a$x^2$_\b"  # no formula
    first, second = (tmp_path / f"{name}{suffix}" for name in "xy")
    for path in (first, second):
        save(draw_differences(document, runs[:2]), path)
    assert first.read_bytes() == second.read_bytes()
    if suffix == ".svg":
        assert r"a$x^2$_\b − linear, dB" in first.read_text(encoding="utf-8")
