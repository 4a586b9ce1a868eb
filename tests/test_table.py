"""Tables: what a spreadsheet would run is quoted, numbers are not, and everything reads back as it was."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from srbench.errors import SrbenchError
from srbench.table import guarded, read_table, unguarded, write_table

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"))
NASTY = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =1",
    "'=1",
    "''=1",
    "＝1",
    "-",
    "=",
    "'\t",
    "-1 ",
    "- 1",
]
NUMBERS = ["-1.5", "+3", "-1e-05", "-.5", "-inf", "+2.5E+10", "-0"]


@pytest.mark.parametrize("text", NASTY)
def test_what_a_spreadsheet_would_run_is_quoted(text: str):
    assert guarded(text) == f"'{text}"


@pytest.mark.parametrize("text", [*NUMBERS, "p225_001", "'quoted'", "", "a=b", "1-1", "é", "nan"])
def test_numbers_and_other_texts_stay(text: str):
    assert guarded(text) == text


@given(TEXT)
@example("'=1")
@example("'-1.5")
@example("'\n")
def test_every_text_comes_back(text: str):
    assert unguarded(guarded(text)) == text


@given(st.one_of(TEXT, st.sampled_from("'=+-@\t\r ").flatmap(lambda sign: TEXT.map(lambda text: sign + text))))
def test_no_cell_begins_like_a_formula(text: str):
    cell = guarded(text)
    first = cell.lstrip()[:1]
    assert first not in ("=", "@", "＝", "＋", "－", "＠")
    if first in ("+", "-"):
        float(cell)  # a number


@given(st.lists(st.lists(TEXT, min_size=2, max_size=2)))
@example([["a\rb", "=1\r\n"], ["\r", '"']])
def test_a_table_comes_back(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]):
    path = tmp_path_factory.mktemp("table") / "t.csv"
    write_table(path, ["=a", "b"], rows)
    assert read_table(path) == [["=a", "b"], *rows]


def test_numbers_are_written_with_all_digits_and_nothing_as_nothing(tmp_path: Path):
    path = tmp_path / "t.csv"
    write_table(path, ["a"] * 6, [[-1.5, 0.1 + 0.2, -math.inf, math.nan, None, 3]])
    assert path.read_bytes() == b"a,a,a,a,a,a\n-1.5,0.30000000000000004,-inf,,,3\n"


@pytest.mark.parametrize("data", [None, b"\xff"])
def test_what_is_no_table(tmp_path: Path, data: bytes | None):
    path = tmp_path / "t.csv"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(
        SrbenchError, match=r"t\.csv: (no such file|cannot be read as a (text file|table): .+)"
    ) as error:
        read_table(path)
    assert len(str(error.value).splitlines()) == 1


def test_other_readers_see_the_quote(tmp_path: Path):
    """What a spreadsheet, or another program, finds in the file."""
    path = tmp_path / "t.csv"
    write_table(path, ["utterance", "snr"], [["=cmd|' /C calc'!A0", "-1.5"]])
    with path.open(newline="") as file:
        assert list(csv.reader(file))[1] == ["'=cmd|' /C calc'!A0", "-1.5"]


def test_a_long_cell_is_a_cell(tmp_path: Path):
    path = tmp_path / "t.csv"
    write_table(path, ["a"], [["b" * 200_000]])
    assert read_table(path)[1] == ["b" * 200_000]
