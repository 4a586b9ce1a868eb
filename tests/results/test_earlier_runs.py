"""Runs, scores and a leaderboard that version 0.1.0 wrote, as they lie in tests/data: this version reads them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from srbench.folders.references import references_of
from srbench.protocols import load_protocol
from srbench.results import compare_runs
from srbench.results.board_file import facts, read_board
from srbench.results.intake import known_protocols
from srbench.results.publish import publish
from srbench.results.validate import check_run
from srbench.run import find_runs, open_run
from srbench.run.basis import of_protocol

DATA = Path(__file__).parents[1] / "data" / "0.1.0"
RUNS = find_runs(DATA / "results")


@pytest.mark.parametrize("folder", RUNS, ids=[folder.name for folder in RUNS])
def test_a_run_is_opened_and_its_manifest_is_written_as_it_was(folder: Path, tmp_path: Path) -> None:
    run = open_run(folder)
    run.manifest.write(tmp_path)
    assert (tmp_path / "manifest.json").read_bytes() == (folder / "manifest.json").read_bytes()
    assert run.manifest.folder_name == folder.name
    assert run.manifest.recordings is None
    assert [record.recording for record in run.records] == ["", "", ""]
    journal = [json.loads(line) for line in (folder / "journal.jsonl").read_bytes().splitlines()]
    assert [record.values for record in run.records] == [line["values"] for line in journal]


@pytest.mark.parametrize("folder", RUNS, ids=[folder.name for folder in RUNS])
def test_nothing_is_wrong_with_it(folder: Path) -> None:
    """But for what a later version measures in another way: that is said by the field of the signature."""
    run = open_run(folder, check=False)
    scored = run.manifest.upscaler.kind == "audio"
    checked = check_run(run, references_of(run) if scored else of_protocol(load_protocol(DATA / "short.toml")))
    assert [str(each) for each in checked.findings if "is not the signature of this version" not in each.message] == []
    assert list(checked.aggregates) == ["snr", "lsd"]


def test_two_of_them_compare() -> None:
    spline, linear = (open_run(next(DATA.glob(f"results/short/{name}-*"))) for name in ("spline", "linear"))
    found = compare_runs([spline, linear])["pairs"][0]["metrics"]
    assert found["snr"]["mean_difference"] == pytest.approx(13.132931817588771 - 12.311355467083994)
    assert found["lsd"]["n"] == 3


def test_a_leaderboard_takes_its_own_runs_again(tmp_path: Path) -> None:
    """Its rows say what they said, and now also what 0.1.0 did not: over which utterances, and how they stand."""
    shutil.copy(DATA / "short.csv", tmp_path / "short.csv")
    before = read_board(tmp_path / "short.csv")
    known = known_protocols([DATA / "short.toml"])
    outcome = publish([DATA / "results/short"], tmp_path, protocols=known, rows=0, allow_partial=True)
    assert [each for each in outcome.aside if each.fault] == []
    assert [each.change for each in outcome.published] == ["the same", "the same"]
    for old, new in zip(before.rows, read_board(tmp_path / "short.csv").rows, strict=True):
        assert facts(old) == {**facts(new), "recordings": ""}
        assert [value.mean for value in old.values.values()] == [value.mean for value in new.values.values()]
        assert all(value.over.startswith("3.") for value in new.values.values())
