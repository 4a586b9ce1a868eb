"""A leaderboard on disk: what is written is read back, and what was edited is named."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srbench.errors import SrbenchError
from srbench.report.site import build_site
from srbench.report.tables import latex, markdown
from srbench.results.board import Board, Row, Value, make_board
from srbench.results.board_file import DIGEST, FACTS, cells, digest, read_board, write_board

SNR, LSD = "SNR|v:1", "LSD|v:1"


def row(name: str, kind: str = "model", snr: float = 12.5, signature: str = "PROTOCOL|v:1", **facts: Any) -> Row:
    told = {"upscaler": name, "kind": kind, "protocol_signature": signature, "n": 3, "expected": 3, **facts}
    values = {"snr": Value(snr, snr - 1, snr + 1, 3, SNR), "lsd": Value(1.0, math.nan, math.nan, 3, LSD)}
    return Row(**told, values=values)


def test_rows_are_in_order_and_are_found() -> None:
    board = make_board("p", [row("b"), row("reference", "anchor"), row("a")])
    assert [each.name for each in board.rows] == ["a", "b", "reference"]
    assert board.metrics == ("snr", "lsd")
    assert board.signature == "PROTOCOL|v:1"
    assert board.row("b") is board.rows[1]
    assert board.row("c") is None
    assert (make_board("p", []).metrics, make_board("p", []).signature) == ((), "")


def test_rows_that_do_not_belong_together_are_refused() -> None:
    other = row("b")
    with pytest.raises(SrbenchError, match="p: b and a have different protocol signatures"):
        make_board("p", [row("a"), row("b", signature="PROTOCOL|v:2")])
    with pytest.raises(SrbenchError, match="p: b and a are not of the same metrics"):
        make_board("p", [row("a"), replace(other, values={"snr": other.values["snr"]})])
    changed = {**other.values, "snr": Value(1.0, 0.0, 2.0, 3, "SNR|v:2")}
    with pytest.raises(SrbenchError, match="are not of the same metrics"):
        make_board("p", [row("a"), replace(other, values=changed)])
    with pytest.raises(SrbenchError, match="'a' appears twice"):
        make_board("p", [row("a"), row("a", "anchor")])


def told(board: Board) -> list[dict[str, str]]:
    return [cells(each) for each in board.rows]


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=12)


@given(
    names=st.lists(TEXT.filter(bool), min_size=1, max_size=4, unique=True),
    numbers=st.lists(st.floats(), min_size=4, max_size=4),
    warning=TEXT,
)
def test_what_is_written_is_read_back(
    names: list[str], numbers: list[float], warning: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rows = [row(name, snr=number, warnings=warning) for name, number in zip(names, numbers, strict=False)]
    board = make_board("p", rows)
    path = tmp_path_factory.mktemp("board") / "p.csv"
    write_board(board, path)
    again = read_board(path)
    assert told(again) == told(board)
    first = path.read_bytes()
    write_board(again, path)
    assert path.read_bytes() == first
    assert b"\r" not in first


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_board(make_board("p", [row("a"), row("b"), row("ceiling", "anchor")]), tmp_path / "p.csv")
    assert [file.name for file in tmp_path.iterdir()] == ["p.csv"]
    return tmp_path / "p.csv"


def edited(path: Path, line: int, column: str, cell: str) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    rows[line - 1][rows[0].index(column)] = cell
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


@pytest.mark.parametrize("column", [*FACTS[1:], "snr", "snr_ci95_low", "lsd_n", "lsd_signature", DIGEST])
def test_every_edited_cell_is_found(path: Path, column: str) -> None:
    edited(path, 3, column, "5")
    with pytest.raises(SrbenchError, match=r"p.csv, line 3 \(b\): was changed after it was published"):
        read_board(path)


def test_a_renamed_row_and_swapped_rows(path: Path) -> None:
    edited(path, 2, "upscaler", "z")
    with pytest.raises(SrbenchError, match=r"line 2 \(z\): was changed"):
        read_board(path)


def test_a_row_may_be_taken_out(path: Path) -> None:
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([lines[0], *lines[2:]]))
    assert [each.name for each in read_board(path).rows] == ["b", "ceiling"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: "", "its columns are not those of a leaderboard"),
        (lambda text: text.replace("machine,", "machines,", 1), r"see column 'machines'"),
        (lambda text: text.replace(f",{DIGEST}", "", 1), rf"see column '{DIGEST}'"),
        (lambda text: text + "a,b\n", r"line 5 \(a\): was changed"),
        (lambda text: text + "\n", r"line 5 \(no name\): was changed"),
        (lambda text: text + text.splitlines(keepends=True)[1], "'a' appears twice"),
    ],
)
def test_files_that_are_no_leaderboard(path: Path, change: Callable[[str], str], said: str) -> None:
    path.write_text(change(path.read_text()))
    with pytest.raises(SrbenchError, match=said):
        read_board(path)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "latin.csv").write_bytes(b"\xff")
    (tmp_path / "folder.csv").mkdir()
    for name in ("latin.csv", "folder.csv", "absent.csv"):
        with pytest.raises(SrbenchError, match=r"cannot be read as a text file|no such file"):
            read_board(tmp_path / name)


@pytest.mark.parametrize(("column", "cell"), [("snr", "much"), ("snr_n", "3.5"), ("failed", "no")])
def test_a_cell_that_is_no_number_though_its_digest_fits(path: Path, column: str, cell: str) -> None:
    edited(path, 2, column, cell)
    with path.open(encoding="utf-8", newline="") as file:
        cells = next(csv.DictReader(file))
    edited(path, 2, DIGEST, digest(cells))
    with pytest.raises(SrbenchError, match=r"line 2 \(a\): .*" + cell):
        read_board(path)


def test_a_board_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        write_board(make_board("p", [row("a")]), tmp_path / "absent" / "p.csv")


@pytest.mark.parametrize(
    "facts",
    [
        {"distribution": "x" * 200_000},
        {"num_parameters": 10**19},
        {"trained_on": "vctk; inf h", "seed": 10**400, "real_time_factor": math.inf},
        {"expected": 10**400, "n": 10**400},
        {"rechecked": "3"},
        {"rechecked": "\u0663 x", "warnings": "\x1b[2J" * 10_000, "date": "1e400"},
    ],
    ids=["long", "parameters", "infinite", "counts", "earlier", "odd"],
)
def test_one_absurd_row_keeps_nobody_from_the_others(facts: dict[str, Any], tmp_path: Path) -> None:
    board = make_board("p", [row("absurd", **facts), row("sound")])
    write_board(board, tmp_path / "p.csv")
    again = read_board(tmp_path / "p.csv")
    assert [each.name for each in again.rows] == ["absurd", "sound"]
    assert markdown(again).count("sound")
    assert latex(again).count("sound")
    assert build_site(tmp_path / "site", [again], {}, corpora={})
    assert "sound" in (tmp_path / "site" / "p" / "index.html").read_text(encoding="utf-8")


def test_a_count_that_is_none_is_told_with_its_row(tmp_path: Path) -> None:
    write_board(make_board("p", [row("absurd", n="9" * 5000), row("sound")]), tmp_path / "p.csv")
    with pytest.raises(SrbenchError, match=r"line 2 \(absurd\)"):
        read_board(tmp_path / "p.csv")


def test_facts_have_types_and_are_read_back_as_they_were(tmp_path: Path) -> None:
    told = row("a", num_parameters=12, seed=0, real_time_factor=0.01234567, resampled=((8, "speakers"),))
    write_board(make_board("p", [told, row("b", resampled=((0, "speakers"), (3, "utterances")))]), tmp_path / "p.csv")
    a, b = read_board(tmp_path / "p.csv").rows
    assert (a.num_parameters, a.seed, a.real_time_factor, a.resampled) == (12, 0, 0.0123, ((8, "speakers"),))
    assert (b.num_parameters, b.seed, b.real_time_factor) == (None, None, None)
    assert b.resampled == ((0, "speakers"), (3, "utterances"))
    write_board(make_board("p", [a, b]), tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "p.csv").read_bytes()


def test_a_number_of_parameters_that_is_none_is_not_shown(path: Path) -> None:
    """Version 0.1.0 wrote down whatever an upscaler told."""
    edited(path, 2, "num_parameters", "9" * 5000)
    with path.open(encoding="utf-8", newline="") as file:
        edited(path, 2, DIGEST, digest(next(csv.DictReader(file))))
    assert read_board(path).rows[0].num_parameters is None


def test_a_published_board_has_the_document_of_a_run() -> None:
    document = make_board("p", [row("a", warnings="odd"), row("ceiling", "anchor")]).document()
    (model,), (anchor,) = document["models"], document["anchors"]
    assert (document["protocol"], document["protocol_signature"]) == ("p", "PROTOCOL|v:1")
    assert (model["name"], model["n"], model["failed"], model["warnings"]) == ("a", 3, 0, ["odd"])
    assert anchor["name"] == "ceiling"
    snr, lsd = model["metrics"]["snr"], model["metrics"]["lsd"]
    assert (snr["mean"], snr["ci95"], snr["n"], snr["undefined"]) == (12.5, [11.5, 13.5], 3, 0)
    assert (snr["unit"], snr["better"], snr["signature"]) == ("dB", "higher", SNR)
    assert lsd["ci95"] == [None, None]
