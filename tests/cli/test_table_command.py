"""``srbench table`` and ``compare --table``: marks that say what compare says, and files that lint reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kit import Cli, refused

from srbench.lint.lint import lint
from srbench.lint.table import read_table

MODELS = ("spline", "linear", "sinc")
METRICS = ("--metric", "snr", "--metric", "lsd", "--metric", "lsd_hf")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from srbench.cli.main import main

    folder = tmp_path_factory.mktemp("results")
    models = [word for name in MODELS for word in ("--model", name)]
    with pytest.raises(SystemExit) as stop:
        main(["run", *models, *METRICS, "--limit", "9", "--results", str(folder), "--json"])
    assert stop.value.code == 0
    return folder / "demo"


def folders(results: Path) -> list[Path]:
    return [next(results.glob(f"{name}-*")) for name in MODELS]


def test_marks_equal_those_of_compare(cli: Cli, results: Path):
    document = json.loads(cli("compare", *folders(results), *METRICS, "--json")[1])
    assert cli("table", *folders(results), *METRICS, "--out", "t.csv")[0] == 0
    rows = {row.model: row for row in read_table("t.csv").rows}
    headers = read_table("t.csv").headers
    assert set(rows) == set(MODELS)
    for metric in ("snr", "lsd", "lsd_hf"):
        values = {name: float(rows[name].cells[headers.index(metric)]) for name in MODELS}
        marks = {name: rows[name].cells[headers.index(f"{metric}_paired")] for name in MODELS}
        shown = {
            frozenset((pair["a"], pair["b"])): pair["metrics"][metric]["better_shown"] for pair in document["pairs"]
        }
        first = (max if metric == "snr" else min)(values, key=values.__getitem__)
        for name in MODELS:
            best = name == first or shown[frozenset((name, first))] != first
            assert ("best:yes" in marks[name]) == best, (metric, name)
            if name != "spline":
                assert ("floor:better" in marks[name]) == (shown[frozenset((name, "spline"))] == name)
    assert any("best:no" in " ".join(row.cells) for row in rows.values())  # the test can fail


@pytest.mark.parametrize("ending", ["tex", "md", "html", "csv"])
def test_lint_finds_nothing_in_what_is_written(cli: Cli, results: Path, ending: str):
    for arguments in (
        ("table", results, "--anchors", "--out", f"table.{ending}"),
        ("compare", *folders(results), "--table", f"table.{ending}"),
    ):
        assert cli(*arguments)[0] == 0
        assert lint(read_table(f"table.{ending}")) == []
    assert "Δ" in Path(f"table.{ending}").read_text(encoding="utf-8") or ending == "tex"


def test_lint_finds_nothing_in_the_leaderboard_of_a_run(results: Path):
    (table,) = results.glob("leaderboard*.csv")
    assert lint(read_table(table)) == []


def test_a_leaderboard_is_a_table_too(cli: Cli):
    board = Path(__file__).parents[1] / "results" / "data" / "demo-0.1.0.csv"
    status, out, _ = cli("table", board, "--label", "linear=Straight")
    assert status == 0
    assert "| Straight |" in out
    assert "No marks" in out  # a file of version 0.1.0 tells of no comparison


def test_what_cannot_be_written(cli: Cli, results: Path):
    refused(cli("table", results, "--out", "t.docx"), "t.docx", "--format")
    refused(cli("table", results, "--label", "spline"), "NAME=TEXT")
    refused(cli("table", results, "--digits", "snr=many"), "many")
    refused(cli("table", results, "--order", "splin"), "spline")
    refused(cli("table", "nowhere"), "nowhere")
    refused(cli("table", results, "--reported", "all"), "published.csv")
    refused(cli("compare", *folders(results), "--table", "t.docx"), "t.docx")
