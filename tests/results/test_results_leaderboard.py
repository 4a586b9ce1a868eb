"""The leaderboard as data: the shape that others rely on, as strict JSON, and the CSV file."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from textwrap import dedent
from typing import Any, NoReturn

import numpy as np
import pandas as pd
import pytest
import soundfile

from srbench.protocols import load_protocol
from srbench.results import aggregate_run, leaderboard, write_leaderboard
from srbench.results.board import Board
from srbench.run import Entrant, make_plan, run_entrant

PLUGIN = """
    from srbench.upscaler import upscaler

    @upscaler("picky")
    def picky(low, low_rate, high_rate):
        if abs(low).max() > 0.7:
            raise ValueError("too loud")
        return low.repeat(4)
"""
METRICS = ("snr", "lsd", "mse")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write five utterances of two speakers, one silent, one loud, and a plug-in that refuses the loud one."""
    root = tmp_path_factory.mktemp("board")
    (root / "mine.py").write_text(dedent(PLUGIN))
    rng = np.random.default_rng(0)
    for name, level in (("a/1", 0.1), ("a/2", 0.0), ("a/3", 0.2), ("b/4", 0.9), ("b/5", 0.1)):
        (root / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        noise = np.cumsum(rng.uniform(-1, 1, 4800))
        soundfile.write(root / "data" / f"{name}.wav", level * noise / np.abs(noise).max(), 16000, subtype="DOUBLE")
    return root


@pytest.fixture(scope="module")
def board(folder: Path) -> Board:
    plan = make_plan(load_protocol("demo"), folder / "data", metrics=METRICS, limit=10)
    asked = [Entrant("picky", plugins=(folder / "mine.py",)), Entrant("spline")]
    beside = [Entrant(name, anchor=True) for name in ("ceiling", "reference")]
    runs, anchors = ([run_entrant(plan, e, folder / "r") for e in some] for some in (asked, beside))
    return leaderboard(plan, runs, anchors, folder / "r" / "demo")


@pytest.fixture(scope="module")
def document(board: Board) -> dict[str, Any]:
    return board.document()


def strict(text: str) -> Any:
    def refuse(constant: str) -> NoReturn:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def test_shape(document: dict[str, Any]) -> None:
    assert {"protocol", "protocol_signature", "split", "run_dir", "models"} <= set(document)
    assert document["protocol"] == "demo"
    assert document["protocol_signature"].startswith("PROTOCOL|corpus:folder|split:all.")
    assert document["split"] == {"name": "all", "side": "all", "expected": 5, "found": 5, "scored": 5, "speakers": 2}
    assert [model["name"] for model in document["models"]] == ["picky", "spline"]
    assert [anchor["name"] for anchor in document["anchors"]] == ["ceiling", "reference"]
    assert document["own_corpus"] is False
    for model in document["models"] + document["anchors"]:
        assert {"name", "n", "failed", "real_time_factor", "metrics"} <= set(model)
        assert isinstance(model["n"], int)
        assert isinstance(model["failed"], int)
        assert isinstance(model["real_time_factor"], float)
        assert list(model["metrics"]) == list(METRICS)
        for metric in model["metrics"].values():
            assert {"mean", "ci95", "n", "unit", "better", "signature"} <= set(metric)
            assert len(metric["ci95"]) == 2
            assert metric["better"] in ("higher", "lower")
            assert isinstance(metric["n"], int)
            assert "|v:" in metric["signature"]


def test_numbers(document: dict[str, Any]) -> None:
    picky, spline = document["models"]
    assert (picky["n"], picky["failed"], spline["n"], spline["failed"]) == (4, 1, 5, 0)
    assert picky["failures"] == [{"utterance": "b/4", "error": "upscaler picky raised ValueError: too loud"}]
    assert spline["failures"] == []
    for model, values in ((picky, 3), (spline, 4)):  # the silent one has no SNR, the loud one failed
        snr = model["metrics"]["snr"]
        assert (snr["n"], snr["undefined"], snr["unit"], snr["better"]) == (values, 1, "dB", "higher")
        assert snr["aggregation"] == f"agg:mean.utterance|n:{values}/5"
        assert snr["ci95"][0] <= snr["mean"] <= snr["ci95"][1]
        assert model["metrics"]["mse"]["n"] == values + 1
    table = pd.read_csv(Path(spline["run_dir"]) / "utterances.csv")
    assert spline["metrics"]["snr"]["mean"] == pytest.approx(table["snr"].mean(), rel=1e-12)
    assert table["snr"].notna().sum() == 4


def test_strict_json(document: dict[str, Any]) -> None:
    text = json.dumps(document, allow_nan=False)
    assert strict(text) == document
    reference = next(a for a in document["anchors"] if a["name"] == "reference")
    assert reference["metrics"]["snr"]["mean"] == "inf"
    assert reference["metrics"]["snr"]["ci95"] == [None, None]
    assert reference["metrics"]["lsd"]["mean"] == 0.0


def test_aggregates_lie_in_every_runs_folder(document: dict[str, Any]) -> None:
    for entry in document["models"] + document["anchors"]:
        table = pd.read_csv(Path(entry["run_dir"]) / "aggregates.csv", index_col="metric")
        assert table.loc["lsd", "mean"] == entry["metrics"]["lsd"]["mean"]
        assert (Path(entry["run_dir"]) / "speakers.csv").exists()


def test_csv(board: Board, document: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "leaderboard.csv"
    write_leaderboard(board, path)
    table = pd.read_csv(path)
    assert table["upscaler"].tolist() == ["picky", "spline", "ceiling", "reference"]
    assert table["kind"].tolist() == ["model", "model", "anchor", "anchor"]
    assert table["failed"].tolist() == [1, 0, 0, 0]
    assert (table["scored"] == 5).all()
    assert (table["expected"] == 5).all()
    assert (table["own_corpus"] == "no").all()
    assert set(table["protocol_signature"]) == {document["protocol_signature"]}
    entries = document["models"] + document["anchors"]
    for name in METRICS:
        columns = [name, f"{name}_ci95_low", f"{name}_ci95_high"]
        expected = [[e["metrics"][name]["mean"], *e["metrics"][name]["ci95"]] for e in entries]
        np.testing.assert_array_equal(table[columns].to_numpy(float), np.array(expected, dtype=object).astype(float))
        assert table[f"{name}_n"].tolist() == [e["metrics"][name]["n"] for e in entries]
    assert table["snr"].dtype == float
    assert table["snr"].tolist()[-1] == np.inf
    assert b"\r" not in path.read_bytes()


def test_a_run_where_nothing_has_a_value(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for name in ("1", "2"):
        soundfile.write(tmp_path / "data" / f"{name}.wav", np.zeros(4800), 16000)
    plan = make_plan(load_protocol("demo"), tmp_path / "data", metrics=("snr",))
    run = run_entrant(plan, Entrant("hold"), tmp_path / "r")
    aggregate = aggregate_run(run)["snr"]
    assert (aggregate.n, aggregate.undefined, aggregate.failed) == (0, 2, 0)
    board = leaderboard(plan, [run], [], tmp_path / "r" / "demo")
    document = board.document()
    (model,) = document["models"]
    assert (model["n"], model["failed"]) == (2, 0)
    assert (model["metrics"]["snr"]["mean"], model["metrics"]["snr"]["ci95"]) == (None, [None, None])
    strict(json.dumps(document, allow_nan=False))
    write_leaderboard(board, tmp_path / "leaderboard.csv")
    assert pd.read_csv(tmp_path / "leaderboard.csv")["snr"].isna().all()


def test_upscalers_of_one_name_are_told_apart(folder: Path) -> None:
    """By their folders, as where two weights files are both best.safetensors."""
    plan = make_plan(load_protocol("demo"), folder / "data", metrics=("snr",), limit=10)
    one = run_entrant(plan, Entrant("spline"), folder / "names")
    runs = [one, dataclasses.replace(one, folder=one.folder.with_name("spline-of-another"))]
    shutil.copytree(one.folder, runs[1].folder)
    found = leaderboard(plan, runs, [], folder / "names" / "demo").document()
    assert [entry["name"] for entry in found["models"]] == [one.folder.name, "spline-of-another"]
    assert [entry["provenance"]["name"] for entry in found["models"]] == ["spline", "spline"]
