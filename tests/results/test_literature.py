"""Published numbers: the shipped file is what it claims to be, and a broken one is refused with row and column."""

from __future__ import annotations

import csv
import io
import math
import re
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srbench.errors import SrbenchError
from srbench.results.literature import COLUMNS, ERRATA, Published, load_published

FILE = Path(__file__).resolve().parents[2] / "leaderboard" / "published.csv"
ROW = {
    "system": "U-Net",
    "year": "2017",
    "paper": "arXiv:1",
    "source": "the paper",
    "first_hand": "yes",
    "table": "Table 1",
    "corpus": "vctk-0.80",
    "split": "vctk-speaker1",
    "protocol": "vctk-speaker1-r6",
    "low_rate": "8000/3",
    "high_rate": "16000",
    "metric": "snr",
    "printed": "14.40",
    "value": "14.4",
    "unit": "dB",
    "convention": "",
    "erratum": "",
    "doubt": "",
}


def write(path: Path, *rows: dict[str, str], columns: tuple[str, ...] = COLUMNS) -> Path:
    file = io.StringIO()
    writer = csv.DictWriter(file, columns, lineterminator="\n", extrasaction="ignore", restval="")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(file.getvalue(), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def shipped() -> tuple[Published, ...]:
    return load_published(FILE)


def test_shipped_counts(shipped: tuple[Published, ...]):
    assert len(shipped) == 706
    assert sum(row.first_hand for row in shipped) == 426
    rules = [row.erratum.partition(":")[0] for row in shipped]
    assert {rule: rules.count(rule) for rule in ERRATA} == {
        "doubled": 16,
        "ln10": 6,
        "replaced": 2,
        "no-correction": 7,
    }
    assert sum(row.protocol != "" for row in shipped) == 144


def test_readme_states_the_counts(shipped: tuple[Published, ...]):
    text = (FILE.parent / "README.md").read_text(encoding="utf-8")
    assert f"{len(shipped)} numbers of {len({row.system for row in shipped})} systems" in text
    assert f"{sum(row.first_hand for row in shipped)} of them first-hand" in text
    for column in COLUMNS:
        assert f"| `{column}` |" in text


def test_shipped_is_sorted_without_duplicates(shipped: tuple[Published, ...]):
    keys = [row.key for row in shipped]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)
    assert FILE.read_text(encoding="utf-8").splitlines()[0] == ",".join(COLUMNS)


def test_nuwave_snr_is_twice_the_printed(shipped: tuple[Published, ...]):
    rows = [row for row in shipped if row.paper == "arXiv:2104.02321" and row.metric == "snr"]
    assert len(rows) == 16
    for row in rows:
        assert row.value == pytest.approx(2 * float(row.printed), rel=1e-12)
        assert row.erratum.startswith("doubled: ")
    (best,) = (row for row in rows if (row.system, row.protocol) == ("NU-Wave", "vctk-nuwave-r2"))
    assert (best.printed, best.value) == ("13.2", 26.4)


def test_founding_table(shipped: tuple[Published, ...]):
    rows = {(r.system, r.metric): r for r in shipped if r.paper.startswith("Semeniuta") and r.table == "Table 1"}
    assert len(rows) == 12
    assert {row.protocol for row in rows.values()} == {"vctk-speaker1-r4"}
    for system, printed in (
        ("stacked B=4 M=512", "45.8967"),
        ("stacked B=5 M=512", "45.9406"),
        ("stacked B=5 M=1024", "48.5504"),
    ):
        snr = rows[system, "snr"]
        assert snr.printed == printed
        assert snr.value == pytest.approx(float(printed) / math.log(10), abs=6e-5)
    additive = rows["additive B=5 M=1024", "snr"]
    assert additive.printed == rows["stacked B=4 M=512", "snr"].printed  # the pasted row
    assert additive.value == pytest.approx(47.5956 / math.log(10), abs=6e-5)
    assert rows["additive B=5 M=1024", "mse"].value == 3.57351e-5
    assert "1.10706" in rows["additive B=5 M=1024", "LSD?"].erratum
    lsds = [row for (_, metric), row in rows.items() if metric == "LSD?"]
    assert [row.value for row in lsds] == [None] * 4
    # MSE · 10^(SNR/10), the mean power of the reference: of speech, and the same for one validation set
    powers = [rows[s, "mse"].value * 10 ** (rows[s, "snr"].value / 10) for s in {system for system, _ in rows}]
    assert min(powers) > 0.003
    assert max(powers) < 1.2 * min(powers)


def test_one_system_has_one_name(shipped: tuple[Published, ...]):
    folded: dict[str, set[str]] = {}
    for row in shipped:
        folded.setdefault(
            re.sub(r"[\W_]+", "", row.system.replace("*", " star ").replace("+", "plus")).lower(), set()
        ).add(row.system)
    assert [names for names in folded.values() if len(names) > 1] == []


def test_bands_agree_with_the_whole(shipped: tuple[Published, ...]):
    """LSD² is about the mean of its bands' squares, weighted by their widths: no cell stands in another's column."""
    cells: dict[tuple[object, ...], dict[str, float]] = {}
    for row in shipped:
        if row.value is not None and row.metric.lower().replace("-", "_").startswith("lsd"):
            where = (row.paper, row.table, row.split, row.low_rate, row.high_rate, row.system)
            cells.setdefault(where, {})[row.metric.lower().replace("-", "_").rstrip("?")] = row.value
    checked = 0
    for where, lsds in cells.items():
        if {"lsd", "lsd_hf", "lsd_lf"} <= set(lsds):
            low = float(Fraction(where[3])) / float(where[4])
            assert lsds["lsd"] == pytest.approx(
                math.hypot(low**0.5 * lsds["lsd_lf"], (1 - low) ** 0.5 * lsds["lsd_hf"]), rel=0.05
            )
            checked += 1
    assert checked == 58


def test_nothing_private_in_the_folder():
    for path in FILE.parent.glob("*"):
        if path.suffix in (".csv", ".md"):
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"(?<![\w.:/])/(work|home|root|tmp|usr|your|mnt|data)\b|\.\./shared|shared/", text), (
                path
            )
            assert "\r" not in text


def test_a_row_as_written(tmp_path: Path):
    (row,) = load_published(write(tmp_path / "p.csv", ROW))
    assert (row.year, row.first_hand, row.low_rate, row.high_rate) == (2017, True, Fraction(8000, 3), 16000)
    assert (row.printed, row.value) == ("14.40", 14.4)


def test_columns_may_stand_in_any_order(tmp_path: Path):
    assert load_published(write(tmp_path / "p.csv", ROW, columns=COLUMNS[::-1]))[0].system == "U-Net"


@pytest.mark.parametrize(
    ("change", "column", "words"),
    [
        ({"metric": "snrr"}, "metric", "Did you mean 'snr'"),
        ({"metric": "?"}, "metric", "unknown metric"),
        ({"protocol": "vctk-speaker1-r5"}, "protocol", "Did you mean 'vctk-speaker1-r"),
        ({"protocol": "vctk-speaker1-r4"}, "protocol", "low_rate 4000, the row has 8000/3"),
        ({"corpus": "vctk-0.92"}, "protocol", "corpus vctk-0.80"),
        ({"value": "fourteen"}, "value", "must be a number, not 'fourteen'"),
        ({"printed": "14.4 dB"}, "printed", "must be a number"),
        ({"value": "nan"}, "value", "must be finite"),
        ({"printed": "inf"}, "printed", "must be finite"),
        ({"value": ""}, "value", "no erratum says"),
        ({"value": "14.5"}, "value", "not 1 times the printed 14.40"),
        ({"year": "2017.5"}, "year", "whole number"),
        ({"first_hand": "Yes"}, "first_hand", "yes or no"),
        ({"system": " "}, "system", "is empty"),
        ({"low_rate": "8 kHz"}, "low_rate", "must be Hz"),
        ({"low_rate": "1/0"}, "low_rate", "must be Hz"),
        ({"low_rate": "16000", "protocol": ""}, "low_rate", "not between"),
        ({"unit": "1"}, "unit", "snr is in dB"),
        ({"metric": "SNR?", "unit": "decibel"}, "unit", "dB, MOS or 1"),
        ({"convention": "nuwave"}, "convention", "snr goes with ''"),
        ({"convention": "nuwav"}, "convention", "Did you mean 'nuwave'"),
        ({"metric": "lsd", "unit": "1"}, "convention", "lsd goes with 'nuwave', not ''"),
        ({"metric": "LSD?", "unit": "1", "convention": "nuwave"}, "convention", "'other' or 'unstated'"),
        ({"metric": "stoi", "unit": "1"}, "value", "out of the range"),
        ({"erratum": "twice: why", "value": "28.8"}, "erratum", "unknown rule"),
        ({"erratum": "doubled", "value": "28.8"}, "erratum", "must say why"),
        ({"erratum": "doubled: norms", "value": "14.4"}, "value", "not 2 times"),
        ({"erratum": "ln10: ln", "value": "6.26"}, "value", "0.434294 times"),
        ({"erratum": "no-correction: a log of a log"}, "value", "must be empty"),
    ],
)
def test_broken_rows_name_row_and_column(tmp_path: Path, change: dict[str, str], column: str, words: str):
    path = write(tmp_path / "p.csv", ROW | {"system": "another"}, ROW | change)
    with pytest.raises(SrbenchError, match=re.escape(words)) as caught:
        load_published(path)
    assert str(caught.value).startswith(f"{path}: row 2, column '{column}': ")


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ({"erratum": "doubled: norms", "value": "28.8"}, 28.8),
        ({"erratum": "ln10: ln", "value": "6.2538"}, 6.2538),
        ({"erratum": "replaced: pasted", "value": "3"}, 3.0),
        ({"erratum": "no-correction: a log of a log", "value": ""}, None),
        ({"metric": "SegSNR?"}, 14.4),
        ({"metric": "LSD?", "unit": "1", "convention": "other"}, 14.4),
        ({"metric": "lsd_hf", "unit": "1", "convention": "nuwave"}, 14.4),
    ],
)
def test_rows_that_are_right(tmp_path: Path, change: dict[str, str], value: float | None):
    assert load_published(write(tmp_path / "p.csv", ROW | change))[0].value == value


@pytest.mark.parametrize("column", COLUMNS)
def test_a_missing_column_is_named(tmp_path: Path, column: str):
    path = write(tmp_path / "p.csv", ROW, columns=tuple(name for name in COLUMNS if name != column))
    with pytest.raises(SrbenchError, match=f"column '{column}' is missing"):
        load_published(path)


def test_an_unknown_column_is_named(tmp_path: Path):
    path = write(tmp_path / "p.csv", ROW, columns=(*COLUMNS, "doubts"))
    with pytest.raises(SrbenchError, match=r"unknown column 'doubts'\. Did you mean 'doubt'"):
        load_published(path)


def test_duplicates_name_both_rows(tmp_path: Path):
    path = write(tmp_path / "p.csv", ROW, ROW | {"system": "another"}, ROW | {"printed": "14.5", "value": "14.5"})
    with pytest.raises(SrbenchError, match="row 3: a second number for what row 1 is about"):
        load_published(path)


def test_files_that_are_none(tmp_path: Path):
    with pytest.raises(SrbenchError, match=r"absent\.csv: no such file"):
        load_published(tmp_path / "absent.csv")
    path = tmp_path / "p.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SrbenchError, match="it is not in UTF-8"):
        load_published(path)
    path.write_text("", encoding="utf-8")
    with pytest.raises(SrbenchError, match="column 'system' is missing"):
        load_published(path)
    path.write_text(write(path, ROW).read_text(encoding="utf-8") + "a,b\n", encoding="utf-8")
    with pytest.raises(SrbenchError, match="row 2: 2 cells under 18 columns"):
        load_published(path)


@given(
    column=st.sampled_from(COLUMNS),
    text=st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=8),
)
def test_any_cell_loads_or_is_refused(tmp_path_factory: pytest.TempPathFactory, column: str, text: str):
    path = write(tmp_path_factory.getbasetemp() / "any.csv", ROW | {column: text})
    try:
        (row,) = load_published(path)
    except SrbenchError as error:
        row, told = None, str(error)
    if row is None:
        assert told.startswith(f"{path}: row 1, column '")
    else:
        assert row.value is None or math.isfinite(row.value)
