"""Tables of a leaderboard: what is marked, and that a stranger's name cannot break them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srbench.metrics import METRICS
from srbench.report.headings import heading
from srbench.report.tables import latex, latex_text, markdown, markdown_text, write_tables
from srbench.results.board import Board, Row, Value, make_board
from srbench.results.standing import parse_standing

ODD = "<script>alert(1)</script> a_b & c|d [x](y) $2^3$ \\end{table} #1 ~50% `q`"


def row(
    name: str, snr: float, lsd: float = 2.0, kind: str = "model", n: int = 28, stands: str = "", **facts: Any
) -> Row:
    told = {"protocol_signature": "PROTOCOL|high:16000|v:1", "n": 28, "expected": 28, "rechecked": ""}
    told |= {"resampled": ((8, "speakers"),), "real_time_factor": 0.5, **facts}
    values = {
        "snr": Value(snr, snr - 0.25, snr + 0.25, n, "SNR|of:power|v:1", f"{n}.ab", parse_standing(stands)),
        "lsd": Value(lsd, float("nan"), float("nan"), n, "LSD|floor:max1e-8|v:1", f"{n}.ab"),
    }
    return Row(name, kind, **told, values=values)


def board(*rows: Row) -> Board:
    return make_board("demo", rows or [BEST, BELOW, row("spline", 12.0, stands="best:no"), CEILING])


CEILING = row("ceiling", 12.5, 3.0, "anchor")
BEST = row("a", 13.0, stands="floor:better ceiling:above best:yes")
BELOW = row("b", 11.0, 1.0, stands="floor:same ceiling:below best:no")


def cells(text: str, start: str) -> list[str]:
    """Return the cells of the first line of a Markdown table that starts so."""
    line = next(line for line in text.splitlines() if line.startswith(f"| {start}"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_marks_and_intervals() -> None:
    text = markdown(board())
    assert cells(text, "SNR dB ↑")[1:] == [
        "**13.00**‡<br>[12.75, 13.25]",
        "11.00†<br>[10.75, 11.25]",
        "12.00<br>[11.75, 12.25]",
        "12.50<br>[12.25, 12.75]",
    ]
    assert cells(text, "LSD ↓")[1:] == ["2.000", "1.000", "2.000", "3.000"]  # not compared
    assert cells(text, "n |")[1:] == ["28"] * 4
    assert cells(text, "real-time factor")[1:] == ["0.5", "0.5", "0.5", "–"]
    assert "† not shown to be better than the spline" in text
    assert "‡ above the ceiling" in text
    assert "(speakers resampled)" in text
    assert "- snr: `SNR|of:power|v:1`" in text
    assert "- protocol: `PROTOCOL|high:16000|v:1`" in text


def test_footnotes_only_where_they_are_needed() -> None:
    text = markdown(board(row("a", 13.0, 1.0)))
    for note in ("Bold", "†", "‡", "ceiling", "do not compare", "n=", "Warning"):
        assert note not in text


def test_rows_whose_runs_were_not_compared_are_named_and_carry_no_mark() -> None:
    text = markdown(board(row("a", 13.0), row("b", 11.0), row("spline", 12.0)))
    assert not {"†", "‡", "**"} & set("".join(cells(text, "SNR dB")))
    assert "No marks where runs were not compared: publish them together (a, b)." in text


def test_rows_that_nobody_computed_again_are_named() -> None:
    text = markdown(board(row("a", 13.0, rechecked="0"), row("spline", 12.0, rechecked="3")))
    assert "Not computed again from the audio before it was published: a." in text


def test_all_that_are_not_shown_to_be_worse_are_bold() -> None:
    best = row("a", 13.0, stands="best:yes"), row("b", 12.9, stands="best:yes"), row("c", 12.9, stands="best:no")
    text = markdown(board(*best))
    assert [cell.startswith("**") for cell in cells(text, "SNR dB ↑")[1:]] == [True, True, False]


def test_means_over_other_utterances_are_said_to_be_so() -> None:
    text = markdown(board(row("few", 20.0, n=20), row("a", 13.0), row("spline", 12.0)))
    assert cells(text, "SNR dB ↑")[2] == "20.00 n=20<br>[19.75, 20.25]"
    assert "n= beside a value" in text
    assert "Means over different utterances do not compare, and carry no marks: few (all metrics)." in text


def test_as_many_other_utterances_are_said_to_be_so() -> None:
    """Not how many counts, but which."""
    other = row("other", 20.0)
    other = replace(other, values={**other.values, "snr": replace(other.values["snr"], over="28.cd")})
    assert "carry no marks: other (SNR)." in markdown(board(other, row("a", 13.0), row("spline", 12.0)))


def test_few_speakers_are_said() -> None:
    rows = [row("a", 13.0, resampled=((4, "speakers"),)), row("spline", 12.0, resampled=((4, "speakers"),))]
    assert "4 speakers are too few: such an interval holds the true mean in at most 88 % of cases" in markdown(
        board(*rows)
    )
    assert "too few" not in markdown(board(row("a", 13.0, resampled=((0, "speakers"),)), row("spline", 12.0)))


def test_partial_rows_say_their_n() -> None:
    part = replace(row("part", 20.0, n=20), n=20)
    text = markdown(board(part, row("spline", 12.0)))
    assert cells(text, "n |")[1:] == ["20 of 28", "28"]
    assert cells(text, "SNR dB")[1] == "20.00<br>[19.75, 20.25]"


def test_no_value_is_a_dash() -> None:
    text = markdown(board(row("a", float("nan")), row("spline", 12.0)))
    assert cells(text, "SNR dB")[1] == "–"
    assert "\\textendash{}" in latex(board(row("a", float("nan")), row("spline", 12.0)))


def test_warnings_and_provenance_stand_below() -> None:
    text = markdown(
        board(row("a", 13.0, warnings="trained on *p1*", trained_on="vctk; 1 h", run="a-12"), row("spline", 1.0))
    )
    assert "Warning: a: trained on \\*p1\\*" in text
    assert "vctk; 1 h" in cells(text[text.index("## Rows") :], "a ")


def test_metrics_across_where_there_are_many_upscalers() -> None:
    rows = [row(f"m{number}", 13.0 + number) for number in range(7)]
    few, many = markdown(board(*rows)), markdown(board(*rows, row("spline", 12.0)))
    assert cells(few, " ")[1:] == [f"m{number}" for number in range(7)]
    assert cells(many, " ")[1:] == ["SNR dB ↑", "LSD ↓", "n", "parameters", "real-time factor"]
    assert cells(many, "m6 ")[1] == "19.00<br>[18.75, 19.25]"


def test_every_metric_has_a_heading_that_both_formats_take() -> None:
    values = {name: Value(1.0, 0.5, 1.5, 28, "S|v:1") for name in METRICS}
    whole = make_board("demo", [replace(row("a", 1.0), values=values)])
    for name in METRICS:
        assert markdown_text(heading(name)) in markdown(whole)
        assert latex_text(heading(name)) in latex(whole)


def test_a_strange_name_stays_a_name() -> None:
    text = markdown(board(row(ODD, 13.0, warnings=ODD, trained_on=ODD), row("spline", 12.0)))
    assert "<script" not in text
    assert "](" not in text.replace("\\](", "")
    widths = {line.count("|") for line in text[: text.index("Mean over")].splitlines() if line.startswith("|")}
    assert widths == {4}
    made = latex(board(row(ODD, 13.0, warnings=ODD), row("spline", 12.0)))
    assert r"\end{table} " not in made
    assert made.count(r"\begin{table}") == made.count("\n\\end{table}\n") == 1


@given(st.text(max_size=30))
def test_markdown_shows_any_text_as_it_is(text: str) -> None:
    made = markdown_text(text)
    assert not re.search(r"[<>|$\x00-\x1f]", made)
    assert not re.search(r"(?<!\\)[*_`\[\]~#]", made.replace("\\\\", "").replace("&#124;", "").replace("&#36;", ""))


SPECIAL = re.compile(r"(?<!\\)[$&#_%^~<>|\"`]")
COMMANDS = re.compile(
    r"\\text(?:backslash|ascii(?:circum|tilde|grave)|less|greater|bar|endash)\{\}|\\char34\{\}"
    r"|\$\\(?:uparrow|downarrow|pm)\$|\$\^\{\\d?dagger\}\$|\{\[\}|\{\]\}|-\{\}|\\[{}$&#_%]"
)


@given(st.text(max_size=30))
def test_latex_sets_any_text_as_it_is(text: str) -> None:
    """What is left when the known commands are taken away has nothing special in it."""
    made = latex_text(text)
    left = COMMANDS.sub("", made)
    assert not SPECIAL.search(left)
    assert not set(left) & set("\\{}[]\n")
    assert "--" not in made


def test_braces_and_columns_of_latex() -> None:
    made = latex(board(*(row(f"{ODD} {number}", 13.0 + number) for number in range(6)), row("spline", 12.0)))
    bare = made.replace(r"\{", "").replace(r"\}", "")
    assert bare.count("{") == bare.count("}")
    for table in made.split(r"\begin{table}")[1:]:
        (spec,) = re.findall(r"\\begin\{tabular\}\{(lr+)\}", table)
        body = table[table.index(r"\toprule") : table.index(r"\bottomrule")]
        lines = [line for line in body.splitlines() if line.endswith(r" \\")]
        assert lines
        assert {len(re.findall(r"(?<!\\)&", line)) for line in lines} == {len(spec) - 1}
    assert r"\label{tab:srbench-demo}" in made
    assert made.count(r"\label") == 1


def test_the_same_board_gives_the_same_bytes(tmp_path: Path) -> None:
    written = write_tables(board(), tmp_path)
    assert written == [tmp_path / "demo.md", tmp_path / "demo.tex"]
    before = [path.read_bytes() for path in written]
    assert write_tables(board(), tmp_path) == []
    written[1].write_text("edited")
    assert write_tables(board(), tmp_path) == [written[1]]
    assert [path.read_bytes() for path in written] == before
    assert b"\r" not in b"".join(before)


def test_a_folder_that_is_absent(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        write_tables(board(), tmp_path / "absent")
