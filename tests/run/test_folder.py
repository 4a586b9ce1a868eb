"""Runs on disk: finding them, reading them back, and saying what is wrong with a folder that holds none."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from srbench.errors import SrbenchError
from srbench.protocols import load_protocol
from srbench.run import Entrant, Run, find_runs, make_plan, open_run, run_entrant


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Run:
    plan = make_plan(load_protocol("demo"), metrics=("snr", "mse"), limit=3)
    return run_entrant(plan, Entrant("linear"), tmp_path_factory.mktemp("results"))


@pytest.fixture
def folder(made: Run, tmp_path: Path) -> Path:
    return shutil.copytree(made.folder, tmp_path / "demo" / made.folder.name)


def test_a_run_is_read_back_as_it_was(made: Run) -> None:
    again = open_run(made.folder)
    assert again.records == made.records
    assert again.manifest == made.manifest
    assert json.loads((made.folder / "manifest.json").read_bytes()) == made.manifest.document()
    assert again.folder == made.folder
    assert open_run(str(made.folder)).folder == made.folder


def test_records_come_in_the_order_of_the_table(folder: Path, made: Run) -> None:
    """A run with workers finishes its utterances in any order; the table has them sorted."""
    journal = folder / "journal.jsonl"
    journal.write_bytes(b"".join(reversed(journal.read_bytes().splitlines(keepends=True))))
    assert open_run(folder).records == made.records


def test_runs_are_found_below_and_each_once(folder: Path, tmp_path: Path) -> None:
    other = shutil.copytree(folder, tmp_path / "demo" / "another")
    (tmp_path / "demo" / "empty").mkdir()
    assert find_runs([tmp_path]) == sorted([folder, other])
    assert find_runs([other]) == [other]
    assert find_runs([other, tmp_path, str(tmp_path)]) == [other, folder]


def test_places_without_runs(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place, said in (
        (tmp_path, "holds no run"),
        (tmp_path / "file", "is not a folder of runs"),
        (tmp_path / "nowhere", "no such folder of runs"),
    ):
        with pytest.raises(SrbenchError, match=f"{place}: {said}"):
            find_runs([place])


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("manifest.json", None, "No such file or directory: not the folder of a run"),
        ("manifest.json", b"{", "manifest.json: is not JSON"),
        ("manifest.json", b"\xff", "manifest.json: is not JSON"),
        ("manifest.json", b"[]", "is not the manifest of a run"),
        ("manifest.json", b"{}", "is not the manifest of a run"),
        ("manifest.json", b'{"format": 99}', "is of format 99; this version reads 1"),
        ("utterances.csv", None, "has no readable utterances.csv: the run is not finished; run it again"),
        ("utterances.csv", b"\xff", "has no readable utterances.csv"),
        ("utterances.csv", b"", "its columns are not those of the run's manifest"),
        ("utterances.csv", b"utterance,snr\n", "its columns are not those of the run's manifest"),
        ("journal.jsonl", None, "utterance 'demo1_001' of utterances.csv does not stand in the journal"),
        ("journal.jsonl", b'{"utterance": "demo1_001"}\n', "does not stand in the journal"),
    ],
)
def test_damaged_files(folder: Path, name: str, content: bytes | None, said: str) -> None:
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    with pytest.raises(SrbenchError) as error:
        open_run(folder)
    assert said in str(error.value)
    assert str(folder) in str(error.value)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: m.pop("warnings"), "'warnings' is missing"),
        (lambda m: m.pop("format"), "'format' is missing"),
        (lambda m: m.update(metrics=["snr"]), "'metrics' must be a table"),
        (lambda m: m.update(seed="0"), "'seed' must be a whole number"),
        (lambda m: m.update(own_corpus=None), "'own_corpus' must be true or false"),
        (lambda m: m["upscaler"].pop("kind"), "'upscaler.kind' is missing"),
        (lambda m: m["split"].pop("expected"), "'split.expected' is missing"),
        (lambda m: m["split"].update(expected="6"), "'split.expected' must be a whole number"),
        (lambda m: m.update(utterances={}), "'utterances.n' is missing; 'utterances.sha256' is missing"),
        (lambda m: m.update(protocol="\ud800"), "is not JSON"),
        (lambda m: m["machine"].update(cpus=float("nan")), "is not JSON"),
        (lambda m: m.update(format=10**400), r"is of format 10+…; this version reads 1"),
    ],
)
def test_damaged_manifests(folder: Path, change: Callable[[dict[str, Any]], Any], said: str) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    change(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(SrbenchError, match=said):
        open_run(folder)


def test_a_row_that_is_missing(folder: Path) -> None:
    """A mean of what is left would look like any other."""
    table = folder / "utterances.csv"
    lines = table.read_bytes().splitlines(keepends=True)
    table.write_bytes(b"".join(lines[:2] + lines[3:]))
    with pytest.raises(
        SrbenchError, match=rf"has {len(lines) - 2} rows, and the run's manifest counts {len(lines) - 1}"
    ):
        open_run(folder)


def test_a_row_without_cells(folder: Path) -> None:
    with (folder / "utterances.csv").open("a") as file:
        file.write("\n")
    with pytest.raises(SrbenchError, match=r"utterance '' of utterances\.csv does not stand in the journal"):
        open_run(folder)
