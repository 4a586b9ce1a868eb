from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from srbench.cli.lint import command
from srbench.errors import SrbenchError
from srbench.lint.lint import RULES, Finding, lint
from srbench.lint.number import parse_number
from srbench.lint.table import read_table

PRINTED = (
    ("stacked B=4 M=512, 50 epochs", "45.8967", "1.19825", "4.1263e-5"),
    ("stacked B=5 M=512, 50", "45.9406", "1.18799", "3.78957e-5"),
    ("stacked B=5 M=1024, 110", "48.5504", "1.09285", "3.27255e-5"),
    ("additive B=5 M=1024, 80", "45.8967", "1.19825", "4.1263e-5"),
)
LOGGED = (*PRINTED[:3], ("additive B=5 M=1024, 80", "47.5956", "1.10706", "3.57351e-5"))
HEADERS = ("model", "SNR", "LSD", "MSE")


def as_csv(rows: tuple[tuple[str, ...], ...], headers: tuple[str, ...] = HEADERS) -> str:
    return "".join(",".join(f'"{cell}"' if "," in cell else cell for cell in row) + "\n" for row in (headers, *rows))


def as_markdown(rows: tuple[tuple[str, ...], ...]) -> str:
    lines = [
        "# Results",
        "",
        "Some | words first.",
        "",
        "| model | SNR (dB) ↑ | **LSD** ↓ | MSE ↓ |",
        "|:---|---:|--:|--:|",
    ]
    lines += [f"| {m} | {s} | {d} | {e} |" for m, s, d, e in rows[:2]]
    lines += [f"| *{m}* | **{s}** | __{d}__ | `{e}` |" for m, s, d, e in rows[2:]]
    return "\n".join([*lines, "", "And words after.", ""])


def as_latex(rows: tuple[tuple[str, ...], ...]) -> str:
    def cells(row: tuple[str, ...]) -> str:
        mantissa, exponent = row[3].split("e")
        mse = rf"${mantissa} \times 10^{{{exponent}}}$"
        return rf"{row[0]} & $\mathbf{{{row[1]}}}$ & \underline{{{row[2]}}} & {mse} \\[2pt]"

    return "\n".join(
        [
            r"\begin{table}\caption{Results, 50\% of them} % a comment & so on",
            r"\begin{tabular}[t]{l|c@{}cc}",
            r"\toprule \textbf{Model} & SNR (dB) $\uparrow$ & LSD$\downarrow$ & \textbf{MSE} \\ \midrule",
            *map(cells, rows[:3]),
            r"\cmidrule(lr){2-3} % " + cells(rows[0]),
            *map(cells, rows[3:]),
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]
    )


@pytest.fixture
def found(tmp_path: Path):
    def read_and_lint(text: str, name: str = "table.csv", n: int | None = None, **options) -> list[Finding]:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return lint(read_table(path, **options), n=n)

    return read_and_lint


def of(findings: list[Finding], rule: str) -> list[Finding]:
    return [finding for finding in findings if finding.rule == rule]


def serious(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.severity != "note"]


# --- the founding table


@pytest.mark.parametrize(("name", "form"), [("t.csv", as_csv), ("t.md", as_markdown), ("t.tex", as_latex)])
def test_the_founding_table_has_a_pasted_row_and_snrs_of_another_logarithm(found, name, form):
    findings = found(form(PRINTED), name)
    (pasted,) = of(findings, "identical-rows")
    assert (pasted.rows, pasted.severity) == ((1, 4), "error")
    (power,) = of(findings, "impossible-power")
    assert (power.severity, power.rows) == ("error", (1, 2, 3, 4))
    for printed in (
        "1.60 (2.1 dBFS)",
        "1.49 (1.7 dBFS)",
        "2.34 (3.7 dBFS)",
        "0.00406 (-23.9 dBFS)",
        "0.00420 (-23.8 dBFS)",
    ):
        assert printed in power.message
    assert power.suggestion.startswith("Divide the SNRs by 2.302585 (10·ln was computed for 10·log10).")
    assert len(serious(findings)) == 2


def test_all_forms_of_a_table_give_the_same_findings(found):
    forms = [
        found(form(PRINTED), name) for name, form in (("t.csv", as_csv), ("t.md", as_markdown), ("t.tex", as_latex))
    ]
    rules = [[(f.rule, f.severity, f.rows) for f in findings] for findings in forms]
    assert rules[0] == rules[1] == rules[2]
    assert of(forms[0], "impossible-power") == of(forms[1], "impossible-power")


def test_an_unknown_suffix_is_recognised_by_its_content(found):
    for form in (as_csv, as_markdown, as_latex):
        assert [f.rule for f in serious(found(form(PRINTED), "table.txt"))] == ["identical-rows", "impossible-power"]


def test_the_corrected_founding_table_is_clean(found):
    rows = tuple((m, f"{float(s) / math.log(10):.4f}", d, e) for m, s, d, e in LOGGED)
    assert serious(found(as_csv(rows))) == []


def test_the_logged_values_alone_still_name_the_logarithm(found):
    (power,) = serious(found(as_csv(LOGGED)))
    assert "2.302585" in power.suggestion.split(".  ")[0]


@pytest.mark.parametrize("level", [-20.0, -26.0, -32.0])
def test_a_halved_snr_names_the_factor_two(found, level):
    true = {"linear": 19.2, "U-Net": 16.8, "MU-GAN": 22.0, "NU-Wave": 23.8}
    rows = tuple((name, f"{snr / 2:.2f}", f"{10 ** ((level - snr) / 10):.3e}") for name, snr in true.items())
    (power,) = of(found(as_csv(rows, ("model", "SNR", "MSE"))), "impossible-power")
    assert power.severity == "error"
    assert power.suggestion.startswith("Multiply the SNRs by 2 ")


def simulated(seed: int, n: int, factor: float = 1.0) -> str:
    """Print a table as an honest benchmark would: means over utterances of dB and of MSE."""
    draw = np.random.default_rng(seed)
    models = int(draw.integers(2, 7))
    power = draw.uniform(-32, -20) + draw.uniform(1, 3) * draw.standard_normal(n)
    shared = draw.standard_normal(n)
    snr = draw.uniform(10, 25, (models, 1)) + 3 * math.sqrt(0.5) * (shared + draw.standard_normal((models, n)))
    mse = 10 ** ((power - snr) / 10)
    rows = tuple((f"m{i}", f"{factor * snr[i].mean():.2f}", f"{mse[i].mean():.3g}") for i in range(models))
    return as_csv(rows, ("model", "SNR", "MSE"))


@pytest.mark.parametrize("n", [8, 20, 100, 500])
@pytest.mark.parametrize("told", [True, False], ids=["n-known", "n-unknown"])
def test_means_over_real_spreads_raise_no_false_alarm(found, n, told):
    for seed in range(100):
        assert of(found(simulated(seed, n), n=n if told else None), "impossible-power") == [], seed


def test_a_table_of_natural_logarithms_is_found_whatever_the_spread(found):
    for seed in range(30):
        findings = found(simulated(seed, 100, math.log(10)))
        alarms = of(findings, "impossible-power")
        assert alarms == [] or "2.302585" in alarms[0].suggestion or alarms[0].severity == "warning"
        snrs = [float(line.split(",")[1]) for line in simulated(seed, 100).splitlines()[1:]]
        if max(snrs) > 28:
            assert alarms


# --- each rule: once broken, once kept


BROKEN_AND_KEPT = {
    "identical-rows": (
        "model,SNR,LSD\na,20.123,1.101\nb,20.123,1.101\n",
        "model,SNR,LSD\na,20.123,1.101\nb,20.123,1.102\n",
    ),
    "impossible-power": ("model,SNR,MSE\na,46.0,4.1e-5\n", "model,SNR,MSE\na,20.0,4.1e-5\n"),
    "out-of-range": ("model,STOI\na,93.1\n", "model,STOI (%)\na,93.1\n"),
    "snr-above-si-sdr": ("model,SNR,SI-SDR\na,20.0,17.0\n", "model,SNR,SI-SDR\na,17.0,20.0\n"),
    "lsd-outside-its-parts": (
        "model,LSD,LSD-HF,LSD-LF\na,0.50,1.50,0.60\n",
        "model,LSD,LSD-HF,LSD-LF\na,1.10,1.50,0.30\n",
    ),
    "below-spline": (
        "model,SNR,LSD\nSpline,15.6,2.1\nnet,15.2,1.3\n",
        "model,SNR,LSD\nSpline,15.6,2.1\nnet,16.4,1.3\n",
    ),
    "too-many-digits": ("model,SNR,n\na,20.1234,8\n", "model,SNR,n\na,20.1,8\n"),
    "swapped-columns": ("model,PESQ,STOI\na,0.92,1.97\n", "model,PESQ,STOI\na,1.97,0.92\n"),
    "lsd-in-db": ("model,LSD\na,23.1\nb,10.5\n", "model,LSD (dB)\na,23.1\nb,10.5\n"),
    "snr-at-equal-mse": (
        "model,SNR,MSE\na,14.8,1.32e-4\nb,17.1,7.80e-5\nc,18.2,6.05e-5\nd,19.8,6.05e-5\n",
        "model,SNR,MSE\na,14.8,1.32e-4\nb,17.1,7.80e-5\nc,18.2,6.05e-5\nd,19.8,4.19e-5\n",
    ),
    "no-convention": ("model,LSD\na,1.2\n", "model,LSD (nuwave)\na,1.2\n"),
}


def test_every_rule_is_tested_and_states_itself():
    assert set(BROKEN_AND_KEPT) == set(RULES)
    assert all(rule.statement.endswith(".") and len(rule.statement) < 130 for rule in RULES.values())


@pytest.mark.parametrize("rule", BROKEN_AND_KEPT)
def test_a_rule_finds_what_breaks_it_and_passes_what_keeps_it(found, rule):
    broken, kept = BROKEN_AND_KEPT[rule]
    assert of(found(broken), rule)
    assert of(found(kept), rule) == []


def test_few_digits_may_tie_and_one_model_may_be_listed_twice(found):
    for rows, severity in (("a,20,1.1\nb,20,1.1\n", "note"), ("a,20.1,1.1\nb,20.1,1.1\n", "warning")):
        (tie,) = of(found(f"model,SNR,LSD\n{rows}"), "identical-rows")
        assert tie.severity == severity
    assert found("model,SNR,LSD nuwave\na,20,1.1\na,20,1.1\n") == []
    assert of(found("model,SNR\na,20.1234567\nb,20.1234567\n"), "identical-rows") == []


def test_rows_are_compared_within_their_group_only(found):
    table = "data set,rate,model,SNR,LSD\nVCTK,8,spline,20.11,2.111\nVCTK,8,a,19.1,1.2\nVCTK,12,b,20.11,2.111\n"
    findings = serious(found(table))
    assert [(f.rule, f.rows) for f in findings] == [("below-spline", (2, 1))]
    assert "(VCTK, 8)" in findings[0].message


def test_rows_of_one_data_set_with_unequal_powers_are_doubted(found):
    rows = "model,SNR,MSE,n\na,20.0,4.0e-5,2937\nb,21.0,3.2e-5,2937\nc,22.0,1.0e-5,2937\n"
    (doubt,) = of(found(rows), "impossible-power")
    assert doubt.severity == "warning"
    assert "same utterances" in doubt.suggestion
    assert of(found(rows.replace("2937", "8")), "impossible-power") == []


def test_one_row_that_departs_from_others_that_agree_is_named_with_the_snr_of_its_mse(found):
    """A factor on all SNRs would undo the agreement of the others, and is not proposed."""
    rows = "model,SNR,MSE\nspline,14.0,2.31e-4\nU-Net,16.0,1.46e-4\nOurs,26.0,1.46e-4\n"
    (finding,) = of(found(rows), "impossible-power")
    assert (finding.severity, finding.rows) == ("error", (3,))
    assert "'Ours' departs" in finding.message
    assert "an MSE of 0.000146 is an SNR of 16.00 dB" in finding.suggestion
    assert "ivide" not in finding.suggestion


def test_nothing_beats_a_baseline_in_the_band_that_it_keeps(found):
    table = "model,LSD-LF,LSD-HF\nspline,0.1,3.1\nnet,0.2,1.4\n"
    assert of(found(table), "below-spline") == []


def test_a_gain_in_brackets_is_no_spread():
    assert parse_number("17.1 (+2.3)").spread is None
    assert parse_number("17.1 (2.3)").spread == 2.3


def test_further_tables_are_counted(tmp_path):
    path = tmp_path / "two.md"
    path.write_text("| model | SNR |\n|---|---|\n| a | 12.1 |\n\nand\n\n| model | PESQ |\n|---|---|\n| a | 9.1 |\n")
    assert read_table(path).further == 1


def test_rounding_is_allowed_for(found):
    assert of(found("model,SNR,MSE\na,20,0.0000\nb,20,0.0001\nc,16,0.0002\n"), "impossible-power") == []


def test_an_mse_may_have_its_power_of_ten_in_the_header(found):
    for header in ("MSE (×10^-5)", "MSE x10⁻⁵", "MSE [1e-5]", "MSE ×10^5"):
        table = as_csv(
            tuple((m, s, d, e.removesuffix("e-5")) for m, s, d, e in PRINTED), ("model", "SNR", "LSD", header)
        )
        assert "1.60 (2.1 dBFS)" in of(found(table), "impossible-power")[0].message


@pytest.mark.parametrize(
    ("table", "advice"),
    [
        ("model,PESQ\na,-0.1\n", "raw P.862"),
        ("model,PESQ-WB\na,4.9\n", "4.644"),
        ("model,LSD\na,-1.0\n", "negative"),
        ("model,MSE\na,-1e-5\n", "negative"),
        ("model,ESTOI\na,88.0\n", "Divide by 100"),
        ("model,LSD kuleshov\na,11.0\n", "caps"),
        ("model,ViSQOL\na,5.5\n", "unit"),
    ],
)
def test_a_value_out_of_range_comes_with_advice(found, table, advice):
    (finding,) = of(found(table), "out-of-range")
    assert finding.severity == "error"
    assert advice in finding.suggestion


def test_snr_may_exceed_si_sdr_as_far_as_the_best_gain_brings_it():
    from srbench.metrics import METRICS

    draw = np.random.default_rng(3)
    pairs = []
    for _ in range(300):
        reference = draw.standard_normal(400)
        estimate = draw.uniform(0.05, 1.5) * reference + draw.uniform(0.05, 3) * draw.standard_normal(400)
        pairs.append([METRICS[name](reference, estimate, 16000) for name in ("snr", "si_sdr")])
    snr, si_sdr = np.array(pairs).T
    assert (snr <= 10 * np.log10(1 + 10 ** (si_sdr / 10)) + 1e-9).all()
    assert (snr > si_sdr).any()


def test_means_of_snr_and_si_sdr_of_widely_spread_utterances_are_believed(found):
    draw = np.random.default_rng(0)
    for mean in (-5, 0, 5, 10, 20):
        si_sdr = mean + 8 * draw.standard_normal(500)
        snr = 10 * np.log10(1 + 10 ** (si_sdr / 10))
        assert of(found(f"model,SNR,SI-SNR\na,{snr.mean():.2f},{si_sdr.mean():.2f}\n"), "snr-above-si-sdr") == []


def test_lsd_above_both_parts_is_doubtful_and_above_their_root_sum_impossible(found):
    for total, severity in (("1.08", []), ("1.20", ["warning"]), ("1.45", ["error"])):
        findings = of(found(f"model,LSD,LSD_HF,LSD (LF)\na,{total},1.00,1.00\n"), "lsd-outside-its-parts")
        assert [f.severity for f in findings] == severity


def test_lsd_of_random_pairs_lies_within_its_parts(found):
    from srbench.metrics import define as define_all
    from srbench.metrics import measure_all
    from srbench.metrics.pair import Pair

    names, draw = ["lsd", "lsd_hf", "lsd_lf"], np.random.default_rng(5)
    definitions = define_all(names, 16000, 4000.0)
    rows = []
    for i in range(10):
        reference = draw.standard_normal(8000) * np.repeat(10 ** draw.uniform(-3, 0, 8), 1000)
        estimate = np.convolve(reference, draw.standard_normal(5), "same") + 10 ** draw.uniform(
            -4, 0
        ) * draw.standard_normal(8000)
        values, _ = measure_all(Pair(reference, estimate, 16000, 4000.0), definitions)
        rows.append((f"m{i}", *(f"{values[name]:.3f}" for name in names)))
    assert of(found(as_csv(tuple(rows), ("model", *names))), "lsd-outside-its-parts") == []


@pytest.mark.parametrize(
    "name", ["Cubic B-spline", "Bicubic", "Linear interp.", "Input", "Unprocessed", "scipy spline"]
)
def test_baselines_go_by_many_names(found, name):
    (finding,) = of(found(f"method,SNR\n{name},20\nSpline-input U-Net,19\n"), "below-spline")
    assert finding.rows == (2, 1)
    assert f"'{name}'" in finding.message


def test_the_spline_comes_before_other_baselines(found):
    (finding,) = of(found("method,SNR\nInput,10\nSpline,15\nLinear,14\nnet,12\n"), "below-spline")
    assert finding.rows == (4, 2)


def test_digits_are_held_against_the_printed_spread(found):
    assert of(found("model,SNR\na,20.1234 ± 0.5\n"), "too-many-digits")
    (note,) = of(found("model,SNR\na,20.123 ± 0.5\n"), "too-many-digits")
    assert note.rows == (1,)
    assert "0.1 or 0.01" in note.suggestion
    assert of(found("model,SNR\na,20.12 ± 0.5\n"), "too-many-digits") == []
    assert of(found("model,SNR\na,20.1234\n"), "too-many-digits") == []
    assert of(found("model,SNR\na,20.1234\n", n=8), "too-many-digits")


@pytest.mark.parametrize(
    ("cell", "n", "said"),
    [
        ("20.123 ± 2.1", None, ""),  # a standard deviation, of nobody knows how many
        ("20.123 ± 2.1", 100, "standard deviation of 100"),
        ("20.1234 ± 0.2", 100, "as the standard error"),
        ("20.12 ± 0.2", 100, ""),
    ],
)
def test_what_stands_after_plus_minus_is_read_by_its_size(found, cell, n, said):
    notes = of(found(f"model,SNR\na,{cell}\n", n=n), "too-many-digits")
    assert bool(notes) == bool(said)
    assert all(said in note.message for note in notes)


def test_a_note_on_digits_does_not_contradict_itself(found):
    assert of(found("model,MSE,n\na,8.49e-05,800\n"), "too-many-digits") == []


def test_a_convention_can_be_given(found):
    assert of(found("model,LSD\na,1.2\n", conventions={"LSD": "nuwave"}), "no-convention") == []
    assert of(found("model,PESQ\na,3.2\n", conventions={"pesq": "wb"}), "no-convention") == []
    (note,) = of(found("model,PESQ\na,3.2\n"), "no-convention")
    assert note.severity == "note"
    (note,) = of(found("model,LSD\na,1.2\n"), "no-convention")
    assert "nuwave, paper, kuleshov, nvsr, tunet" in note.suggestion


# --- reading


@pytest.mark.parametrize(
    ("text", "value", "step", "spread"),
    [
        ("12.3", 12.3, 0.1, None),
        ("12.30", 12.3, 0.01, None),
        ("**12.3**", 12.3, 0.1, None),
        ("**12.3** ± 0.4", 12.3, 0.1, 0.4),
        ("12.3 ± 0.4", 12.3, 0.1, 0.4),
        ("12.3 +/- 0.4", 12.3, 0.1, 0.4),
        ("12.3 (0.4)", 12.3, 0.1, 0.4),
        ("12.3 [11.9, 12.7]", 12.3, 0.1, None),
        (r"$\mathbf{12.3}_{\pm 0.4}$", 12.3, 0.1, 0.4),
        (r"\textbf{12.3}$^{\dagger}$", 12.3, 0.1, None),
        (r"\cellcolor{gray!20}12.3", 12.3, 0.1, None),
        ("1.2e-5", 1.2e-5, 1e-6, None),
        ("1.2×10⁻⁵", 1.2e-5, 1e-6, None),
        (r"$1.2\times10^{-5}$", 1.2e-5, 1e-6, None),
        ("−3", -3.0, 1.0, None),
        ("2,937", 2937.0, 1.0, None),
        ("19.9 dB", 19.9, 0.1, None),
        ("12.3†", 12.3, 0.1, None),
        ("12.3*", 12.3, 0.1, None),
    ],
)
def test_numbers_are_read_as_printed(text, value, step, spread):
    number = parse_number(text)
    assert number is not None
    assert (number.value, number.step) == (pytest.approx(value), pytest.approx(step))
    assert number.spread == (None if spread is None else pytest.approx(spread))


@pytest.mark.parametrize(
    "text", ["", "–", "-", "n/a", "N/A", "nan", "inf", "U-Net", "1e9999", "r = 2", "4 kHz", "1.2.3"]
)
def test_what_is_no_number_is_none(text):
    assert parse_number(text) is None


def read(tmp_path: Path, text: str, name: str = "t.csv", **options):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_table(path, **options)


def test_usual_headers_are_recognised(tmp_path):
    headers = {
        "SNR (dB)": "snr", "SI-SNR": "si_sdr", "SI-SDR [dB] ↑": "si_sdr",
        "LSD ↓": "lsd", "LSD-HF": "lsd_hf", "lsd_lf": "lsd_lf",
        "MSE": "mse", "PESQ-WB": "pesq", "NB-PESQ": "pesq_nb", "STOI (%)": "stoi", "ESTOI": "estoi", "ViSQOL": "visqol",
        "mean LSD (kuleshov)": "lsd_kuleshov", "lsd_tunet": "lsd_tunet",
        "SNRi": None, "MSE (dB)": None, "SDR": None, "Params (M)": None,
    }  # fmt: skip
    table = read(tmp_path, as_csv((("a", *["1.0"] * len(headers)),), ("System", *headers)))
    assert {column.header: column.metric for column in table.columns[1:]} == headers
    assert table.columns[0].role == "model"
    roles = read(tmp_path, "Data set,Scale,Utterances,Approach,SNR\nVCTK,2,8,a,1\n")
    assert [column.role for column in roles.columns] == ["group", "group", "n", "model", "metric"]


def test_a_column_can_be_named(tmp_path):
    table = read(tmp_path, "who,Dist.,k\na,1.2,8\n", columns={"dist.": "lsd", "k": "n"})
    assert [column.role for column in table.columns] == ["model", "metric", "n"]
    assert table.count(table.rows[0]) == 8
    with pytest.raises(SrbenchError, match=r"unknown metric 'lds'\. Did you mean 'lsd'"):
        read(tmp_path, "who,Dist.\na,1.2\n", columns={"Dist.": "lds"})
    with pytest.raises(SrbenchError, match=r"unknown column 'Dist'\. Did you mean 'Dist\.'"):
        read(tmp_path, "who,Dist.,SNR\na,1.2,3\n", columns={"Dist": "lsd"})


def test_semicolons_and_decimal_commas(tmp_path):
    table = read(tmp_path, "model;SNR;LSD\na;20,5;1,25\n")
    assert [number.value for number in table.rows[0].numbers if number] == [20.5, 1.25]


def test_latex_with_spanning_headers_and_multirow(tmp_path):
    text = r"""
    \begin{tabularx}{\textwidth}{ll*{4}{c}}
    \multirow{2}{*}{Data set} & \multirow{2}{*}{Model} & \multicolumn{2}{c}{$r = 2$} & \multicolumn{2}{c}{$r = 4$} \\
    \cline{3-6} & & SNR & LSD & SNR & LSD \\ \hline
    \multirow{2}{*}{VCTK} & Spline & 20.1 & 2.0 & 15.1 & 3.0 \\
     & A\&B~net & \textbf{21.1} & 1.0 & 14.9 & -- \\ \hline
    \multicolumn{6}{c}{\textit{LibriTTS}} \\
    All & Spline & 21 $\pm$ 1 & 2.2 & 1 & 2 \\
    \end{tabularx}"""
    table = read(tmp_path, text, "t.tex")
    assert [(row.number, row.model, row.group) for row in table.rows] == [
        (1, "Spline", ("", "VCTK")),
        (2, "A&B net", ("", "VCTK")),
        (3, "Spline", ("LibriTTS", "All")),
    ]
    (finding,) = serious(lint(table))
    assert (finding.rule, finding.rows) == ("below-spline", (2, 1))
    assert "SNR 14.9 against 15.1 (VCTK, r = 4)" in finding.message


def test_scales_below_the_metrics(tmp_path):
    lines = ["Model SNR SNR LSD LSD", "--- --- --- --- ---", "- 2 4 2 4", "spline 20 15 1 2", "a 21 14 1 2"]
    text = "".join("| " + line.replace(" ", " | ") + " |\n" for line in lines).replace("| - ", "| ")
    (finding,) = serious(lint(read(tmp_path, text, "t.md")))
    assert (finding.rows, finding.message[-4:]) == ((2, 1), "(4).")


def test_the_first_table_with_a_metric_is_read_and_titles_divide_it(tmp_path):
    text = """
| step | cost |
|------|------|
| 1    | 2    |

| model | SNR |
|-------|----:|
| **VCTK** | |
| spline | 20 |
| **Other** | |
| a | 19 |
"""
    table = read(tmp_path, text, "t.md")
    assert [row.group for row in table.rows] == [("VCTK",), ("Other",)]
    assert serious(lint(table)) == []


# --- bad input


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (None, "t.csv", "cannot be read: No such file"),
        (b"", "t.csv", "is empty"),
        (b" \n\n", "t.csv", "is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0", "t.csv", "not a text file"),
        (b"model,SNR\0\na,1", "t.csv", "not a text file"),
        ("modèle,SNR\na,1".encode("latin-1"), "t.csv", "not a text file in UTF-8"),
        (b"model,SNR,LSD\na,-,n/a\n", "t.csv", "no numbers under SNR, LSD"),
        (b"model,SNR\n", "t.csv", "no numbers under SNR"),
        (b"model,speed\na,3\n", "t.csv", r"no column is a metric .*--column"),
        (b"some words", "t.md", "no table in it"),
        (b"\\section{x}", "t.tex", "no table in it"),
        (b"model,SNR\n" + b"a,1\n" * 6000, "t.csv", "not a results table"),
        (b"SNR," + b"LSD," * 400, "t.csv", "not a results table"),
        (b"system,year,metric,value\na,2017,SNR,20.3\n", "t.csv", "Pivot it first"),
        (b"quality,a,b\nloudness,20,21\n", "t.csv", "Rows are models"),
    ],
)
def test_unusable_files_are_refused_in_words(tmp_path, content, name, message):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SrbenchError, match=message):
        read_table(path)


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(SrbenchError, match="is a folder"):
        read_table(tmp_path)


WORDS = '| --- , ; " model SNR MSE LSD-HF LSD N & \\\\ { } [ $ \\pm ± 1.2 -3e5 9e999 e % ** x10^ ( )'
HTML = ["<table>", "<tr>", "<td rowspan=3>", "<th colspan='2'>", "</table>", "<sup>", "->", "/", "kHz", "[a](b)"]
LATEX = [r"\begin{tabular}{l}", r"\end{tabular}", r"\multicolumn{2}{c}{", r"\multirow{2}{*}{"]
PIECES = st.sampled_from([*WORDS.split(), *LATEX, *HTML, " ", "\n", "\r"])


@given(
    text=st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=60).map("".join)),
    suffix=st.sampled_from(["csv", "tsv", "md", "tex", "txt", "html"]),
)
@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
def test_any_text_is_read_and_linted_or_refused(tmp_path, text, suffix):
    path = tmp_path / f"t.{suffix}"
    path.write_text(text, encoding="utf-8", errors="surrogatepass", newline="")
    try:
        table = read_table(path)
    except SrbenchError:
        return
    lint(table, n=8)


CELLS = st.one_of(
    st.floats(width=64).map(repr),
    st.floats(-60, 60).map("{:.3g}".format),
    st.sampled_from(["", "–", "a", "spline", "1e300", "1e-320", "0"]),
)


@given(rows=st.lists(st.lists(CELLS, min_size=9, max_size=9), min_size=1, max_size=5))
@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
def test_any_numbers_are_linted(found, rows):
    headers = ("model", "SNR", "MSE", "SI-SDR", "LSD", "LSD-HF", "LSD-LF", "STOI", "n")
    assume(any(parse_number(cell) for row in rows for cell in row[1:-1]))
    found(as_csv(tuple(map(tuple, rows)), headers))


# --- the command


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments), standalone_mode=False)


def test_the_command_prints_findings_and_fails(tmp_path):
    path = tmp_path / "printed.csv"
    path.write_text(as_csv(PRINTED))
    result = invoke(str(path))
    assert result.return_value == 1
    assert "identical-rows  rows 1, 4: " in result.output
    assert "\n    Divide the SNRs by 2.302585" in result.output
    assert "printed.csv, 4 rows, SNR, LSD, MSE: 2 errors, 1 note." in result.output


def test_the_command_prints_json(tmp_path):
    path = tmp_path / "printed.csv"
    path.write_text(as_csv(PRINTED))
    result = invoke(str(path), "--json", "--n", "8", "--convention", "LSD=paper")
    document = json.loads(result.output)
    assert result.return_value == 1
    assert set(document["findings"][0]) == {"rule", "severity", "rows", "message", "suggestion"}
    assert document["findings"][0]["rows"] == [1, 4]
    assert {finding["rule"] for finding in document["findings"]} == {
        "identical-rows",
        "impossible-power",
        "too-many-digits",
    }


def test_notes_alone_do_not_fail(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("model,Dist.\na,1.2\n")
    assert invoke(str(path), "--column", "Dist.=lsd").return_value == 0
    assert invoke(str(path), "--column", "Dist.=lsd", "--convention", "Dist.=nuwave").return_value == 0


def test_misuse_is_an_srbench_error(tmp_path):
    for arguments in ([str(tmp_path / "none.csv")], [str(tmp_path / "none.csv"), "--column", "x"]):
        assert isinstance(invoke(*arguments).exception, SrbenchError)
