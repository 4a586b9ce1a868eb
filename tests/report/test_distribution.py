"""Distributions: which values are drawn, for whom, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_runs import made_manifest

from srbench.errors import SrbenchError
from srbench.protocols import load_protocol
from srbench.report.distribution import collect, draw_by_speaker, draw_by_upscaler, summary
from srbench.report.figure import save
from srbench.run import Entrant, Record, Run, make_plan, open_run, run_entrant

pytest.importorskip("matplotlib")
pytest.importorskip("seaborn")
LSD = "LSD|log:10|nfft:2048|v:1"


def run(name: str, values: Mapping[str, Mapping[str, float]], **manifest: Any) -> Run:
    """Return a run of values by utterance and metric; the speaker is the part of the id before the ``_``."""
    told: dict[str, Any] = {
        "protocol": "demo",
        "metrics": {"snr": "SNR|v:1", "lsd": LSD},
        "upscaler": {"name": name, "kind": "upscaler"},
        "split": {"expected": len(values)},
    }
    records = tuple(Record(u, u.split("_")[0], f"{u}.wav", "", values=dict(found)) for u, found in values.items())
    return Run(Path(f"runs/{name}-01234567"), made_manifest(**{**told, **manifest}), records)


def many(speakers: int, each: int, level: float) -> dict[str, dict[str, float]]:
    draw = np.random.default_rng(0)
    return {
        f"p{s:03}_{u}": {"snr": level + 9 * s + float(draw.normal()), "lsd": level / 10}
        for s in range(speakers)
        for u in range(each)
    }


def visible(figure: Any) -> list[Any]:
    return [axis for axis in figure.axes if axis.get_visible()]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    plan = make_plan(load_protocol("demo"), limit=4, metrics=("snr", "lsd"))
    results = tmp_path_factory.mktemp("results")
    made = [run_entrant(plan, Entrant(name), results) for name in ("spline", "linear")]
    return [open_run(each.folder) for each in made]


def test_values_of_real_runs(real: list[Run]):
    values = collect(real)
    assert (values.metrics, values.upscalers, values.notes) == (("snr", "lsd"), ("spline", "linear"), ())
    assert values.title == "demo: 4 of 28 utterances, 1 speaker"
    found = summary(values)
    snr = [record.values["snr"] for record in real[0].records]
    assert found["snr"]["spline"] == {
        "n": 4,
        "mean": pytest.approx(np.mean(snr)),
        "min": min(snr),
        "q1": pytest.approx(np.percentile(snr, 25)),
        "median": pytest.approx(np.median(snr)),
        "q3": pytest.approx(np.percentile(snr, 75)),
        "max": max(snr),
    }


def test_panels_by_upscaler(real: list[Run]):
    axes = visible(draw_by_upscaler(collect(real)))
    assert [axis.get_xlabel() for axis in axes] == ["SNR dB ↑   (◇ mean)", "LSD ↓   (◇ mean)"]
    assert [text.get_text() for text in axes[0].get_yticklabels()] == ["spline", "linear"]
    points = [c.get_offsets() for c in axes[0].collections if len(c.get_offsets()) == 4]
    drawn = sorted(np.round(np.concatenate(points)[:, 0], 9))
    assert drawn == sorted(round(record.values["snr"], 9) for each in real for record in each.records)
    colours = [tuple(axis.collections[-1].get_facecolor()[0]) for axis in axes]
    assert colours[0] == colours[1]  # linear's, in both panels


def test_many_utterances_are_a_violin_without_points():
    few, lots = (collect([run("a", many(3, each, 10.0))], ("snr",)) for each in (10, 200))
    counts = [[len(c.get_offsets()) for c in visible(draw_by_upscaler(v))[0].collections] for v in (few, lots)]
    assert 30 in counts[0]
    assert 600 not in counts[1]


def test_panels_by_speaker():
    runs = [run("a", many(3, 5, 10.0)), run("b", many(3, 5, 12.0))]
    figure = draw_by_speaker(collect(runs))
    axes = visible(figure)
    assert [text.get_text() for text in axes[0].get_yticklabels()] == ["p002", "p001", "p000"]
    assert axes[0].get_ylim() == (2.5, -0.5)  # the best on top
    medians = {line.get_label(): line.get_xdata() for line in axes[0].lines if not line.get_label().startswith("_")}
    best = np.median([values["snr"] for u, values in many(3, 5, 12.0).items() if u.startswith("p002")])
    assert medians["b"][0] == pytest.approx(best)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b"]


def test_speakers_stand_from_low_to_high_where_low_is_better():
    values = {"p1_1": {"lsd": 3.0}, "p2_1": {"lsd": 1.0}, "p3_1": {"lsd": 2.0}}
    axis = visible(draw_by_speaker(collect([run("a", values)], ("lsd",))))[0]
    assert [text.get_text() for text in axis.get_yticklabels()] == ["p2", "p3", "p1"]


def test_a_hundred_speakers_can_be_drawn(tmp_path: Path):
    runs = [run(name, many(108, 2, level)) for name, level in (("a", 10.0), ("b", 12.0), ("c", 14.0), ("d", 16.0))]
    figure = draw_by_speaker(collect(runs))
    assert figure.get_size_inches()[1] < 40
    assert figure.get_size_inches()[1] * 72 / 108 > 12  # points a speaker: room for a name
    save(figure, tmp_path / "speakers.pdf")


def test_only_utterances_that_all_have_are_drawn():
    whole, partly = many(1, 6, 10.0), many(1, 6, 12.0)
    partly["p000_0"] = {"lsd": 1.0}
    partly["p000_1"]["snr"] = float("inf")
    values = collect([run("a", whole), run("b", partly)])
    assert values.notes == ("SNR: 4 of 6 utterances, on which all have a finite value.",)
    assert [summary(values)[metric]["a"]["n"] for metric in ("snr", "lsd")] == [4, 6]


@pytest.mark.parametrize("draw", [draw_by_upscaler, draw_by_speaker])
def test_a_run_without_a_finite_value_is_left_out_of_that_panel(draw: Any, tmp_path: Path):
    perfect = {u: {"snr": float("inf"), "lsd": 0.0} for u in many(1, 3, 0.0)}
    values = collect([run("reference", perfect), run("a", many(1, 3, 10.0))])
    assert values.notes == ("SNR: reference has no finite value.",)
    assert (set(summary(values)["snr"]), set(summary(values)["lsd"])) == ({"a"}, {"a", "reference"})
    save(draw(values), tmp_path / "figure.png")
    with pytest.raises(SrbenchError, match="snr: there is no utterance"):
        collect([run("reference", perfect)])


def test_two_runs_of_one_name_are_told_apart():
    one, two = run("a", many(1, 3, 10.0)), run("a", many(1, 3, 11.0))
    two = Run(Path("runs/a-76543210"), two.manifest, two.records)
    assert collect([one, two]).upscalers == ("a-01234567", "a-76543210")


def test_six_metrics_stand_in_two_rows():
    values = {u: dict.fromkeys(("snr", "si_sdr", "lsd", "pesq", "stoi", "estoi"), 1.0 + i) for i, u in enumerate("abc")}
    names = tuple(values["a"])
    drawn = collect([run("a", values, metrics=dict.fromkeys(names, "M|v:1"))], names)
    axes = visible(draw_by_upscaler(drawn))
    assert [axis.get_subplotspec().rowspan.start for axis in axes] == [0, 0, 0, 1, 1, 1]


def test_runs_that_do_not_compare_are_refused():
    first = run("a", many(1, 3, 10.0))
    other = run("b", many(1, 3, 10.0), protocol_signature="PROTOCOL|low:8000|high:16000|v:1")
    with pytest.raises(SrbenchError, match="their protocol differs: low 4000 against 8000"):
        collect([first, other])
    metric = run("b", many(1, 3, 10.0), metrics={"snr": "SNR|v:1", "lsd": LSD.replace("2048", "1024")})
    with pytest.raises(SrbenchError, match="their lsd differs: nfft 2048 against 1024"):
        collect([first, metric])
    assert collect([first, metric], ("snr",)).metrics == ("snr",)
    with pytest.raises(SrbenchError, match=r"'pesq'.*Known: lsd, snr"):
        collect([first], ("pesq",))
