"""A paper's table: what is bold, in every format, and that lint finds nothing in it."""

from __future__ import annotations

import csv
import io
import math
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from srbench.errors import SrbenchError
from srbench.lint.lint import lint
from srbench.lint.table import read_table
from srbench.metrics import METRICS
from srbench.protocols import load_protocol
from srbench.report.paper_formats import ENDINGS, FORMATS
from srbench.report.paper_table import Choices, PaperTable, paper_table, title
from srbench.results.board import Board, Row, Value
from srbench.results.literature import load_published
from srbench.results.standing import Standing

PUBLISHED = Path(__file__).parents[2] / "leaderboard" / "published.csv"
MEANS = {
    "spline": {"snr": 12.64, "lsd": 3.570, "pesq": 2.206},
    "50%_net": {"snr": 13.31, "lsd": 1.353, "pesq": 2.008},
    "other|net": {"snr": 13.39, "lsd": 1.350, "pesq": math.nan},
    "ceiling": {"snr": 13.59, "lsd": 4.372, "pesq": 2.485},
}
STANDINGS = {
    "spline": {name: Standing(best="no") for name in ("snr", "lsd", "pesq")},
    "50%_net": {"snr": Standing("better", best="no"), "lsd": Standing("better", best="yes"), "pesq": Standing("worse")},
    "other|net": {"snr": Standing("better", best="yes"), "lsd": Standing("better", best="yes"), "pesq": Standing()},
}


def board(protocol: str = "vctk-speaker1-r4") -> Board:
    loaded = load_protocol(protocol)
    signatures = {n: str(METRICS[n].signature(loaded.high_rate, loaded.cutoff)) for n in ("snr", "lsd", "pesq")}
    rows = []
    for name, means in MEANS.items():
        values = {
            n: Value(
                mean, mean - 0.03, mean + 0.05, 8, signatures[n], "8.x", STANDINGS.get(name, {}).get(n, Standing())
            )
            for n, mean in means.items()
        }
        kind = "anchor" if name == "ceiling" else "model"
        told = {"n": 8, "expected": 8, "resampled": ((8, "speakers"),), "protocol_signature": str(loaded.signature())}
        rows.append(Row(name, kind, values=values, **told))
    return Board(protocol, tuple(rows))


def table(*protocols: str, reported: bool = False, **choices: object) -> PaperTable:
    boards = [board(name) for name in protocols or ("vctk-speaker1-r4",)]
    return paper_table(boards, Choices(**choices), load_published(PUBLISHED) if reported else ())


def bold(made: PaperTable) -> set[tuple[str, str]]:
    return {
        (line.label, column.metric)
        for line in made.lines
        for column, cell in zip(made.columns, line.cells, strict=True)
        if cell is not None and cell.bold
    }


def test_bold_is_what_the_paired_comparison_says():
    assert bold(table()) == {("other|net", "snr"), ("50%_net", "lsd"), ("other|net", "lsd")}
    assert bold(table(best="none")) == set()
    assert bold(table(best="mean")) == {("other|net", "snr"), ("other|net", "lsd"), ("spline", "pesq")}


def test_nothing_is_bold_where_all_tie():
    tied = board()
    rows = [
        replace(row, values={n: replace(value, paired=Standing("same", best="yes")) for n, value in row.values.items()})
        for row in tied.rows
    ]
    assert bold(paper_table([Board(tied.protocol, tuple(rows))], Choices())) == set()


def test_the_mark_of_the_floor_stands_beside_the_value():
    cells = {line.label: line.cells for line in table().lines}
    assert [cell.mark if cell else None for cell in cells["50%_net"]] == ["", "", "†"]
    assert cells["other|net"][2].mean == "–"


def test_order_labels_digits_and_anchors():
    made = table(order=["other|net"], labels={"50%_net": "Ours", "snr": "Signal"}, digits={"lsd": 1}, anchors=True)
    assert [line.label for line in made.lines] == ["other|net", "spline", "Ours", "ceiling"]
    assert [line.section for line in made.lines] == ["", "", "", "Anchors"]
    assert made.columns[0].title == "Signal ↑"
    assert made.lines[1].cells[1].mean == "3.6"
    with pytest.raises(SrbenchError, match="spline"):
        table(order=["splin"])
    with pytest.raises(SrbenchError, match="nobody"):
        table(labels={"nobody": "x"})
    with pytest.raises(SrbenchError, match="estoi"):
        table(metrics=["estoi"])


def test_half_an_interval_has_no_more_digits_than_mean_something():
    wide = board()
    rows = [
        replace(r, values={n: replace(v, low=v.mean - 3, high=v.mean + 3) for n, v in r.values.items()})
        for r in wide.rows
    ]
    made = paper_table([replace(wide, rows=tuple(rows))], Choices(intervals="pm"))
    assert made.lines[0].cells[0].mean == "13"
    assert made.lines[0].cells[0].interval == "± 3"


def test_protocols_are_groups_of_columns_named_by_their_rates():
    made = table("vctk-test8-8k-48k", "vctk-test8-16k-48k", metrics=["snr", "lsd"])
    assert made.groups == ("8 to 48 kHz", "16 to 48 kHz")
    assert [(column.metric, column.group) for column in made.columns] == [
        ("snr", 0),
        ("lsd", 0),
        ("snr", 1),
        ("lsd", 1),
    ]
    assert table("vctk-speaker1-r4", "vctk-speaker1-causal-r4").groups == (
        "vctk-speaker1-r4",
        "vctk-speaker1-causal-r4",
    )


def test_a_metric_that_is_deaf_to_the_band_is_told_of():
    told = " ".join(table("vctk-test8-8k-48k", metrics=["snr", "pesq"]).notes)
    assert "PESQ-WB hears nothing above 8 kHz" in told
    assert "hears nothing" not in " ".join(table(metrics=["snr", "pesq"]).notes)


def test_reported_rows_stand_apart_and_are_marked_as_such():
    made = table(reported=True)
    reported = [line for line in made.lines if line.section.startswith("Reported")]
    assert reported
    assert all("(" in line.label for line in reported)
    assert not any(cell.bold or cell.mark for line in reported for cell in line.cells if cell)
    assert "printed" in " ".join(made.notes)


@pytest.mark.parametrize("ending", [".tex", ".md", ".html", ".csv"])
@pytest.mark.parametrize("intervals", ["none", "pm", "brackets"])
@pytest.mark.parametrize("protocols", [(), ("vctk-test8-8k-48k", "vctk-test8-16k-48k")], ids=["one", "two"])
def test_lint_reads_every_format_and_finds_nothing(
    ending: str, intervals: str, protocols: tuple[str, ...], tmp_path: Path
):
    made = table(*protocols, intervals=intervals, anchors=True, reported=True)
    path = tmp_path / f"table{ending}"
    path.write_text(FORMATS[ENDINGS[ending]](made), encoding="utf-8")
    read = read_table(path)
    assert lint(read) == []
    assert {column.metric for column in read.metric_columns} == {column.metric for column in made.columns}
    models = {row.model for row in read.rows}
    assert {"spline", "ceiling", "50%_net"} <= models


def test_lint_still_warns_of_a_value_below_the_spline_that_no_mark_tells_of(tmp_path: Path):
    text = FORMATS["markdown"](table())
    (tmp_path / "table.md").write_text(text.replace("†", ""), encoding="utf-8")
    assert [finding.rule for finding in lint(read_table(tmp_path / "table.md"))] == ["below-spline"]


def test_csv_holds_every_digit_and_the_marks_in_words():
    rows = list(csv.DictReader(io.StringIO(FORMATS["csv"](table()))))
    assert float(rows[0]["snr"]) == 12.64
    assert rows[1]["pesq_paired"] == "floor:worse"
    assert rows[2]["pesq"] == ""


def test_latex_is_balanced_and_escaped():
    text = FORMATS["latex"](table("vctk-test8-8k-48k", "vctk-test8-16k-48k", anchors=True))
    assert r"50\%\_net" in text
    plain = re.sub(r"\\[{}]", "", text)
    assert plain.count("{") == plain.count("}")
    assert re.findall(r"\\begin\{(\w+)\}", text) == re.findall(r"\\end\{(\w+)\}", text)[::-1]
    body = text[text.index(r"\midrule") : text.index(r"\bottomrule")]
    lines = [line for line in body.splitlines() if line.endswith(r"\\") and "multicolumn" not in line]
    assert {line.count("&") for line in lines} == {6}


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no TeX is installed")
def test_latex_compiles(tmp_path: Path):
    body = FORMATS["latex"](table("vctk-test8-8k-48k", "vctk-test8-16k-48k", anchors=True, intervals="pm"))
    source = "\\documentclass{article}\n\\usepackage{booktabs}\n\\begin{document}\n" + body + "\\end{document}\n"
    (tmp_path / "paper.tex").write_text(source, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "paper.pdf").exists()


def test_titles_say_which_lsd():
    assert title("lsd") == "LSD (nuwave) ↓"
    assert title("lsd_hf") == "LSD-HF (nuwave) ↓"
    assert title("snr") == "SNR (dB) ↑"
    assert title("pesq") == "PESQ-WB ↑"
    assert "kuleshov" in title("lsd_kuleshov")
