"""What a run is known by: the recordings' contents, not their names, sizes or times."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from srbench.protocols import load_protocol
from srbench.results import leaderboard_name
from srbench.run import Entrant, Plan, make_plan, run_entrant


def folder(path: Path, seed: int) -> Path:
    path.mkdir()
    soundfile.write(path / "a.wav", np.random.default_rng(seed).standard_normal(16000) * 0.1 / seed, 16000, "PCM_16")
    os.utime(path / "a.wav", (1, 1))
    return path


def plan_of(data: Path, metrics: tuple[str, ...] = ("mse",)) -> Plan:
    return make_plan(load_protocol("demo"), data, metrics=metrics)


def test_folders_that_differ_in_content_only_are_told_apart(tmp_path: Path):
    one, other = (plan_of(folder(tmp_path / name, seed)) for name, seed in (("one", 1), ("other", 2)))
    assert str(one.signature) != str(other.signature)
    runs = [run_entrant(plan, Entrant("linear"), tmp_path / "results") for plan in (one, other, one)]
    assert runs[0].folder == runs[2].folder != runs[1].folder
    values = [run.records[0].values["mse"] for run in runs]
    assert values[0] == values[2] != values[1]


def test_fresh_runs_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    plan = plan_of(folder(tmp_path / "data", 1))
    run = run_entrant(plan, Entrant("linear"), tmp_path / "results")
    journal = run.folder / "journal.jsonl"
    line = journal.read_text().replace('"mse": ', '"mse": 1')
    journal.write_text(line)
    kept = run_entrant(plan, Entrant("linear"), tmp_path / "results").records[0].values["mse"]
    fresh = run_entrant(plan, Entrant("linear"), tmp_path / "results", fresh=True).records[0].values["mse"]
    assert kept != fresh == run.records[0].values["mse"]


def test_only_the_protocols_own_whole_run_is_the_leaderboard(tmp_path: Path):
    demo = load_protocol("demo")
    assert leaderboard_name(make_plan(demo)) == "leaderboard.csv"
    others = [
        make_plan(demo, limit=2),
        make_plan(demo, limit=3),
        make_plan(demo, metrics=("snr",)),
        plan_of(folder(tmp_path / "data", 1)),
    ]
    names = {leaderboard_name(plan) for plan in others}
    assert len(names) == 4
    assert all(name.startswith("leaderboard-") for name in names)
