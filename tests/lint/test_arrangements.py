"""Tables as people arrange them are read whole, and what is not read is listed."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from srbench.cli.lint import command
from srbench.lint.lint import lint
from srbench.lint.table import Table, read_table


def read(folder: Path, text: str, name: str) -> Table:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return read_table(path)


def values(table: Table) -> list[tuple[str, str, list[float | None]]]:
    """Return, of every column of a metric: its name, its setting and its numbers."""
    return [
        (c.metric or "", c.span, [None if (n := row.numbers[c.index]) is None else n.value for row in table.rows])
        for c in table.metric_columns
    ]


HTML = """
<p>Results</p><table><caption>Speech</caption><thead>
<tr><th rowspan="2">Scale<th rowspan="2">Model<th colspan="2">VCTK</tr><tr><th>SNR</th><th>MSE</th></tr></thead>
<tbody><tr><td rowspan="2">2</td><td>Spline<sup>a</sup></td><td>19.0</td><td>4.1 × 10<sup>-5</sup></td></tr>
<tr><td><b>Ours</b></td><td><b>21.7</b></td><td>2.2e-5</td></tr></tbody></table>
"""


def test_html_with_cells_that_span_rows_and_columns(tmp_path: Path):
    table = read(tmp_path, HTML, "page.html")
    assert [(row.model, row.group) for row in table.rows] == [("Spline", ("", "2")), ("Ours", ("", "2"))]
    assert values(table) == [("snr", "VCTK", [19.0, 21.7]), ("mse", "VCTK", [4.1e-5, 2.2e-5])]


def test_a_turned_table(tmp_path: Path):
    text = "| Metric | spline | A |\n|---|---|---|\n| SNR (dB) | 14.8 ± 2.0 | 17.1 ± 1.9 |\n| LSD | 2.31 | 1.52 |\n"
    table = read(tmp_path, text, "t.md")
    assert [row.model for row in table.rows] == ["spline", "A"]
    assert values(table) == [("snr", "", [14.8, 17.1]), ("lsd", "", [2.31, 1.52])]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.md", "LSD at 48 kHz\n\n| Model | 8 kHz | 12 kHz |\n|---|---|---|\n| spline | 4.31 | 3.85 |\n"),
        ("t.csv", "LSD at 48 kHz,,\nModel,8 kHz,12 kHz\nspline,4.31,3.85\n"),
        (
            "t.tex",
            "\\begin{table}\\caption{LSD at 48 kHz}\\begin{tabular}{lcc}\nModel & 8 kHz & 12 kHz \\\\ \\hline\n"
            "spline & 4.31 & 3.85 \\\\\n\\end{tabular}\\end{table}\n",
        ),
    ],
)
def test_settings_as_columns_under_a_caption(tmp_path: Path, name: str, text: str):
    table = read(tmp_path, text, name)
    assert values(table) == [("lsd", "8 kHz", [4.31]), ("lsd", "12 kHz", [3.85])]
    assert len(list(table.panels())) == 2


def test_two_metrics_in_a_cell(tmp_path: Path):
    text = (
        "| Model | 2x SNR / LSD | 4x SNR / LSD |\n|---|---|---|\n| A | 19.1 / 3.6 | 15.0 / 5.5 |\n| B | – | 15 / 5 |\n"
    )
    table = read(tmp_path, text, "t.md")
    assert values(table) == [
        ("snr", "2x", [19.1, None]),
        ("lsd", "2x", [3.6, None]),
        ("snr", "4x", [15.0, 15.0]),
        ("lsd", "4x", [5.5, 5.0]),
    ]
    assert [set(panel.columns) for panel in table.panels()] == [{"snr", "lsd"}] * 2


@pytest.mark.parametrize("header", ["before -> after (SNR)", "SNR"])
def test_before_and_after_in_a_cell(tmp_path: Path, header: str):
    table = read(tmp_path, f"| System | {header} |\n|---|---|\n| sinc | 14.1 -> 14.2 dB |\n| A | 14 → 16.4 |\n", "t.md")
    assert values(table) == [("snr", "before", [14.1, 14.0]), ("snr", "after", [14.2, 16.4])]


@pytest.mark.parametrize(
    ("header", "metric", "setting"),
    [
        ("VCTK LSD↓", "lsd", "VCTK"),
        ("LSD-HF @ 2x", "lsd_hf", "2x"),
        ("Test SI-SDR (dB)", "si_sdr", "Test"),
        ("PESQ-WB (mean)", "pesq", ""),
        ("Ours (STOI)", "stoi", "Ours"),
        ("SNR improvement", None, ""),
        ("SNR std", None, ""),
        ("snr_n", None, ""),
        ("MSE loss", None, ""),
        ("snr_ci95_low", None, ""),
    ],
)
def test_words_beside_the_name_of_a_metric(tmp_path: Path, header: str, metric: str | None, setting: str):
    table = read(tmp_path, f"model,{header},PESQ-NB\nA,1.5,3.1\n", "t.csv")
    column = table.columns[1]
    assert (column.metric, column.span) == (metric, setting)
    assert (table.not_read == ()) == (metric is not None)


def test_decimal_commas_between_tabs(tmp_path: Path):
    table = read(tmp_path, "Modell\tSNR (dB)\tMSE\nA\t14,8\t0,00021\nB\t17,1\t1,2e-4\n", "t.tsv")
    assert values(table) == [("snr", "", [14.8, 17.1]), ("mse", "", [0.00021, 1.2e-4])]


def test_commas_between_thousands_stay(tmp_path: Path):
    table = read(tmp_path, "| Model | SNR | n |\n|---|---|---|\n| A | 14.8 | 2,937 |\n", "t.md")
    assert table.count(table.rows[0]) == 2937


def test_links_and_emphasis_around_names(tmp_path: Path):
    text = "| Model | SNR |\n|---|---|\n| [*Spline*](http://x) | 15.1 |\n| **[Ours](http://y)** (v_2) | _13.2_ |\n"
    table = read(tmp_path, text, "t.md")
    assert [row.model for row in table.rows] == ["Spline", "Ours (v_2)"]
    assert [finding.rule for finding in lint(table)] == ["below-spline"]


def test_remarks_are_kept(tmp_path: Path):
    table = read(tmp_path, "| Model | LSD |\n|---|---|\n| A | 1.05 ± 0.02 (best, ep16) |\n", "t.md")
    number = table.rows[0].numbers[1]
    assert number is not None
    assert (number.value, number.spread, number.remark) == (1.05, 0.02, "best, ep16")


def test_factors_in_headers(tmp_path: Path):
    table = read(tmp_path, "| Model | STOI (×100) | MSE (×1000) |\n|---|---|---|\n| A | 92.1 | 0.12 |\n", "t.md")
    assert [v[2][0] for v in values(table)] == pytest.approx([0.921, 1.2e-4])


def test_what_is_not_read_is_listed(tmp_path: Path):
    table = read(
        tmp_path, "| Model | SNR | Params |\n|---|---|---|\n| A | 14.8 | 1.2 |\n| B | see text | – |\n", "t.md"
    )
    assert table.not_read == ("column 'Params'", "'see text' in row 2, column 'SNR'")
    result = CliRunner().invoke(command, [str(tmp_path / "t.md")], standalone_mode=False)
    assert "Not read: column 'Params'; 'see text' in row 2" in result.output


# --- what is found in them


def found(folder: Path, text: str) -> list[tuple[str, str, tuple[int, ...]]]:
    findings = lint(read(folder, text, "t.csv"))
    return [(f.rule, f.severity, f.rows) for f in findings if f.severity != "note"]


@pytest.mark.parametrize(("factor", "words"), [(0.5, "multiply the snrs by 2"), (2.0, "divide the snrs by 2 ")])
def test_halved_and_doubled_snrs_drift(tmp_path: Path, factor: float, words: str):
    rows = "".join(
        f"m{k},{factor * snr:.2f},{10 ** ((-24 - snr) / 10):.4g}\n" for k, snr in enumerate((14.1, 17.0, 18.4))
    )
    findings = [f for f in lint(read(tmp_path, f"model,SNR,MSE\n{rows}", "t.csv")) if f.rule == "impossible-power"]
    assert findings
    assert words in findings[0].suggestion.casefold()


def test_one_row_with_half_its_snr_is_told(tmp_path: Path):
    rows = "a,14.1,3.1e-4\nb,17.0,1.59e-4\nc,9.2,1.15e-4\nd,20.0,7.95e-5\n"
    (finding,) = [f for f in lint(read(tmp_path, f"model,SNR,MSE\n{rows}", "t.csv")) if f.rule == "impossible-power"]
    assert finding.rows == (3,)
    assert "multiply the SNRs by 2" in finding.suggestion


def test_one_row_with_an_mse_in_another_unit_is_told(tmp_path: Path):
    rows = "a,14.1,3.1e-4\nb,17.0,1.59e-4\nc,18.4,0.115\nd,20.0,7.95e-5\n"
    (finding,) = [f for f in lint(read(tmp_path, f"model,SNR,MSE\n{rows}", "t.csv")) if f.rule == "impossible-power"]
    assert finding.rows == (3,)
    assert "1000 times" in finding.suggestion


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("model,LSD\nspline,23.1\nA,1.52\nB,1.31\nC,1.05\n", [("lsd-in-db", "warning", (1,))]),
        ("model,LSD\nspline,5.2\nA,1.52\nB,1.31\nC,0.9\n", []),
        ("model,LSD\nspline,12.9\nA,7.1\n", []),  # natural logarithms
        ("model,LSD-LF,LSD-HF\nA,3.24,0.40\nB,2.1,0.45\n", [("swapped-columns", "warning", (1, 2))]),
        ("model,PESQ,STOI\nA,0.92,1.97\nB,0.93,2.31\n", [("swapped-columns", "error", (1, 2))]),
        ("model,SNR,LSD\nAudioUNet,17.1,1.523\nAudioUNet (our port),17.1,1.523\n", []),
        ("model,LSD\nspline,3.2\nceiling,4.4\nreference,0\n", []),
    ],
)
def test_units_and_columns(tmp_path: Path, text: str, expected: list[tuple[str, str, tuple[int, ...]]]):
    assert found(tmp_path, text) == expected
