"""The document of a comparison: its shape, what it refuses, when it says that one is better."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_runs import made_manifest

from srbench.errors import SrbenchError
from srbench.protocols import load_protocol
from srbench.results import compare_runs, paired
from srbench.results.bootstrap import Interval
from srbench.results.paired import holm
from srbench.run import Entrant, Record, Run, make_plan, open_run, run_entrant

SIGNATURES = {"snr": "SNR|of:power|log:10log10|floor:none|v:1", "mse": "MSE|full_scale:1|v:1"}
Made = Callable[..., Run]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """Return a function that makes a run: its upscaler's name, and a value or error of each utterance of speakers."""

    def make(name: str, values: list[Any], speakers: str = "abcdefgh", folder: str | None = None, **more: Any) -> Run:
        place = tmp_path / (folder or f"{name}-1")
        place.mkdir()
        metrics = more.pop("metrics", {"snr": SIGNATURES["snr"]})
        records = []
        for number, value in enumerate(values):
            speaker = speakers[number % len(speakers)]
            i, error = f"{speaker}_{number:03}", value if isinstance(value, str) else ""
            found = {} if error or value is None else dict.fromkeys(metrics, float(value))
            records.append(Record(i, speaker, f"{i}.wav", f"stamp-{i}", error=error, values=found))
        told: dict[str, Any] = {
            "metrics": metrics,
            "utterances": {"n": len(values), "sha256": f"{speakers}{len(values)}"},
            "upscaler": {"name": name, "kind": "upscaler"},
            "split": {"expected": len(values), "found": len(values)},
            "notes": ["Synthetic."],
        }
        return Run(place, made_manifest(**{**told, **more}), tuple(records))

    return make


def numbers(shift: float = 0.0, n: int = 40, seed: int = 0) -> list[float]:
    return (shift + np.random.default_rng(seed).normal(10, 1, n)).tolist()


def test_shape_on_real_audio(tmp_path: Path) -> None:
    plan = make_plan(load_protocol("demo"), metrics=("snr", "lsd"), limit=6)
    runs = [run_entrant(plan, Entrant(name), tmp_path) for name in ("spline", "linear", "hold")]
    document = compare_runs(runs)
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert (document["protocol"], document["protocol_signature"]) == ("demo", str(plan.signature))
    assert document["split"] == {"name": "demo", "side": "test", "expected": 28, "found": 28, "scored": 6}
    assert document["notes"][:2] == list(plan.notes)
    assert document["difference"] == "a - b"
    assert [(pair["a"], pair["b"]) for pair in document["pairs"]] == [
        ("spline", "linear"),
        ("spline", "hold"),
        ("linear", "hold"),
    ]
    assert [run["run_dir"] for run in document["runs"]] == [str(run.folder) for run in runs]
    for pair in document["pairs"]:
        assert list(pair["metrics"]) == ["snr", "lsd"]
        for name, value in pair["metrics"].items():
            assert value["n"] == value["a_wins"] + value["b_wins"] + value["ties"] == 6
            assert value["mean_difference"] == pytest.approx(value["mean_a"] - value["mean_b"])
            assert value["ci95"][0] <= value["mean_difference"] <= value["ci95"][1]
            assert value["resampled"] == "utterances"  # the embedded corpus has one speaker
            assert value["signature"] == runs[0].manifest.metrics[name]
            assert value["speakers"] == [
                {
                    "speaker": "demo1",
                    "n": 6,
                    "mean_difference": pytest.approx(value["mean_difference"]),
                    "a_wins": value["a_wins"],
                    "b_wins": value["b_wins"],
                }
            ]
    snr = document["pairs"][0]["metrics"]["snr"]
    assert (snr["unit"], snr["better"], snr["identical"], snr["reason"]) == ("dB", "higher", False, None)
    values = [[record.values["snr"] for record in run.records] for run in runs[:2]]
    assert snr["mean_difference"] == pytest.approx(np.mean(np.subtract(*values)))
    assert snr["p_value"] == 2 / 2**6  # the spline is the better in all six


def test_read_back_from_disk_it_is_the_same(tmp_path: Path) -> None:
    plan = make_plan(load_protocol("demo"), metrics=("snr",), limit=3)
    runs = [run_entrant(plan, Entrant(name), tmp_path) for name in ("spline", "linear")]
    assert compare_runs([open_run(run.folder) for run in runs]) == compare_runs(runs)


def test_holm_is_over_all_metrics_and_pairs(made: Made) -> None:
    metrics = {"metrics": SIGNATURES}
    runs = [made(name, numbers(seed**2, seed=seed), **metrics) for seed, name in enumerate("xyz")]
    document = compare_runs(runs)
    values = [value for pair in document["pairs"] for value in pair["metrics"].values()]
    assert document["tests"] == len(values) == 6
    assert [value["p_holm"] for value in values] == holm([value["p_value"] for value in values])


def test_identical_ones_are_not_counted_as_tests(made: Made) -> None:
    document = compare_runs([made("x", numbers()), made("y", numbers()), made("z", numbers(1, seed=1))])
    first, *others = [pair["metrics"]["snr"] for pair in document["pairs"]]
    assert (first["identical"], first["p_value"], first["p_holm"], first["better_shown"]) == (True, None, None, None)
    assert document["tests"] == 2
    assert all(value["p_value"] is not None for value in others)


def test_better_is_shown_by_interval_and_p(made: Made) -> None:
    rng = np.random.default_rng(5)
    base = rng.normal(10, 1, 40)
    runs = [
        made("x", base.tolist(), metrics=SIGNATURES),
        made("y", (base - 1 + rng.normal(0, 0.1, 40)).tolist(), metrics=SIGNATURES),
    ]
    values = compare_runs(runs)["pairs"][0]["metrics"]
    assert (values["snr"]["better_shown"], values["mse"]["better_shown"]) == ("x", "y")  # MSE is better when lower
    values = compare_runs(runs[::-1])["pairs"][0]["metrics"]
    assert (values["snr"]["better_shown"], values["mse"]["better_shown"]) == ("x", "y")
    same = made("z", (base + rng.normal(0, 1, 40)).tolist(), metrics=SIGNATURES)
    assert compare_runs([runs[0], same])["pairs"][0]["metrics"]["snr"]["better_shown"] is None


def test_p_alone_does_not_show_it(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [made("x", numbers(5)), made("y", numbers(seed=1))]
    assert compare_runs(runs)["pairs"][0]["metrics"]["snr"]["better_shown"] == "x"
    for low, high in ((-0.1, 9.0), (0.0, 9.0), (-9.0, 0.0)):
        monkeypatch.setattr(paired, "mean_interval", lambda *_, low=low, high=high: Interval(low, high, "speakers"))
        assert compare_runs(runs)["pairs"][0]["metrics"]["snr"]["better_shown"] is None


def test_too_few_speakers_show_nothing_and_the_note_says_so(made: Made) -> None:
    x, y = made("x", numbers(5), "abcde"), made("y", numbers(0), "abcde")
    document = compare_runs([x, y])
    value = document["pairs"][0]["metrics"]["snr"]
    assert (value["p_value"], value["better_shown"]) == (2 / 32, None)
    assert value["ci95"][0] > 0
    (note,) = [note for note in document["notes"] if "too few" in note]
    assert note.startswith("5 speakers are too few: such an interval")
    assert "No p-value can be below 0.062:" in note
    assert "at most 94 %" in note


def test_a_family_too_large_for_the_speakers_is_told(made: Made) -> None:
    """Of eight speakers the smallest p is 2/256: seven tests, corrected, cannot reach 0.05; six can."""
    runs = [made(name, numbers(4 * shift, 80, seed=shift)) for shift, name in enumerate("wxyz")]
    document = compare_runs(runs)
    assert document["tests"] == 6
    assert not [note for note in document["notes"] if "Holm" in note]
    assert all(pair["metrics"]["snr"]["better_shown"] == pair["b"] for pair in document["pairs"])
    document = compare_runs([*runs, made("v", numbers(20, 80, seed=9))])
    (note,) = [note for note in document["notes"] if "Holm" in note]
    assert note.startswith("With 8 speakers no p-value can be below 0.0078: corrected for 10 tests")
    assert "at most 6 at once" in note
    assert "--metric" in note
    assert not any(pair["metrics"]["snr"]["better_shown"] for pair in document["pairs"])


def test_one_speaker_is_told(made: Made) -> None:
    document = compare_runs([made("x", numbers(), "a"), made("y", numbers(seed=1), "a")])
    assert document["pairs"][0]["metrics"]["snr"]["resampled"] == "utterances"
    assert "One speaker: utterances are resampled, so nothing is said about other speakers." in document["notes"]


def test_failures_are_left_out_and_listed(made: Made) -> None:
    values: list[Any] = numbers()
    document = compare_runs([made("x", [*values[:-1], "it broke"]), made("y", [None, *values[1:]])])
    snr = document["pairs"][0]["metrics"]["snr"]
    assert (snr["n"], snr["unpaired"]) == (38, 2)
    x, y = document["runs"]
    assert (x["n"], x["failed"], y["n"], y["failed"]) == (39, 1, 40, 0)
    assert x["failures"] == [{"utterance": "h_039", "error": "it broke"}]


def test_infinite_values_are_texts(made: Made) -> None:
    document = compare_runs([made("x", [math.inf] * 8), made("y", [*numbers(n=7), math.inf])])
    snr = document["pairs"][0]["metrics"]["snr"]
    assert (snr["mean_a"], snr["mean_b"], snr["mean_difference"], snr["ci95"]) == ("inf", "inf", None, [None, None])
    assert (snr["a_wins"], snr["ties"], snr["p_value"]) == (7, 1, None)
    assert "8 of 8 differences are not finite" in snr["reason"]
    assert [row["difference"] for row in snr["most_different"]] == ["inf"] * 3
    json.dumps(document, allow_nan=False)


def test_speakers_and_where_they_differ_most(made: Made) -> None:
    a, b = [5.0, 1.0, 7.0, 2.0, 2.0, 0.0, 9.0, 3.0], [1.0, 4.0, 7.0, 1.0, 4.0, 5.0, 1.0, 3.5]
    snr = compare_runs([made("x", a, "pq"), made("y", b, "pq")])["pairs"][0]["metrics"]["snr"]
    assert snr["speakers"] == [
        {"speaker": "p", "n": 4, "mean_difference": 2.5, "a_wins": 2, "b_wins": 1},
        {"speaker": "q", "n": 4, "mean_difference": -1.875, "a_wins": 1, "b_wins": 3},
    ]
    assert [(row["utterance"], row["difference"]) for row in snr["most_different"]] == [
        ("p_006", 8.0),
        ("p_000", 4.0),
        ("q_003", 1.0),
        ("q_005", -5.0),
        ("q_001", -3.0),
        ("p_004", -2.0),
    ]
    assert snr["most_different"][0] == {"utterance": "p_006", "a": 9.0, "b": 1.0, "difference": 8.0}


def test_metrics_in_common_and_metrics_asked_for(made: Made) -> None:
    x, y = made("x", numbers(), metrics=SIGNATURES), made("y", numbers(seed=1))
    document = compare_runs([x, y])
    assert list(document["pairs"][0]["metrics"]) == ["snr"]
    assert "Not compared, because not all runs have it: mse." in document["notes"]
    assert compare_runs([x, y], ["snr"])["notes"] == document["notes"][:1]
    with pytest.raises(SrbenchError, match="the run of y has no mse, only snr"):
        compare_runs([x, y], ["mse"])
    with pytest.raises(SrbenchError, match="Did you mean 'snr'"):
        compare_runs([x, y], ["snrr"])
    z = made("z", numbers(), metrics={"mse": SIGNATURES["mse"]})
    with pytest.raises(SrbenchError, match="y and z have no metric in common"):
        compare_runs([y, z])


def test_same_names_are_told_apart_by_folder(made: Made, tmp_path: Path) -> None:
    x, y = made("x", numbers(), folder="x-1111"), made("x", numbers(seed=1), folder="x-2222")
    z = made("z", numbers(seed=2))
    assert [run["label"] for run in compare_runs([x, z, y])["runs"]] == ["x-1111", "z", "x-2222"]
    (tmp_path / "other").mkdir()
    copied = made("x", numbers(seed=3), folder="other/x-1111")
    labels = [run["label"] for run in compare_runs([x, copied, y])["runs"]]
    assert labels == [str(x.folder), str(copied.folder), "x-2222"]


DIFFERENT: list[tuple[dict[str, Any], str]] = [
    ({"protocol_signature": "PROTOCOL|low:8000|high:16000|v:1"}, "protocols differ in low 4000 against 8000"),
    ({"metrics": {"snr": "SNR|of:power|log:ln|floor:none|v:1"}}, "snr differ in log 10log10 against ln"),
    ({"seed": 1}, "seed 0 against 1"),
    ({"utterances": {"n": 12, "sha256": "0"}}, r"not of the same utterances \(40 against 12\)"),
]


@pytest.mark.parametrize(("changed", "message"), DIFFERENT, ids=[next(iter(changed)) for changed, _ in DIFFERENT])
def test_runs_that_do_not_compare(made: Made, changed: dict[str, Any], message: str) -> None:
    with pytest.raises(SrbenchError, match=f"x and y cannot be compared: .*{message}") as refused:
        compare_runs([made("x", numbers()), made("y", numbers(), **copy.deepcopy(changed))])
    assert len(str(refused.value).splitlines()) <= 2


def test_other_recordings_under_the_same_names_do_not_compare(made: Made) -> None:
    x, y = made("x", numbers()), made("y", numbers())
    first, *rest = y.records
    y = replace(y, records=(replace(first, stamp="other"), *rest))
    with pytest.raises(SrbenchError, match=r"1 of 40 recordings are not the same samples, the first a_000"):
        compare_runs([x, y])


def test_one_recording_in_two_formats_compares(made: Made) -> None:
    x, y = made("x", numbers()), made("y", numbers())
    told = {"recording": "ab" * 32}
    x = replace(x, records=tuple(replace(r, **told) for r in x.records))
    y = replace(y, records=tuple(replace(r, **told, stamp="of the FLAC file") for r in y.records))
    assert compare_runs([x, y])["pairs"]


def test_one_run_or_the_same_twice(made: Made) -> None:
    x = made("x", numbers())
    with pytest.raises(SrbenchError, match="needs two runs"):
        compare_runs([x])
    with pytest.raises(SrbenchError, match="x-1 is named twice"):
        compare_runs([x, x])
