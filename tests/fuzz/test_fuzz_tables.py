"""Damaged tables: results to lint, leaderboards, published numbers. Read or refused in a line or two, and soon."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lint_hostile import HOSTILE
from mutations import ODD, answer, damaged_text

from srbench.cli.main import main
from srbench.errors import SrbenchError
from srbench.lint.lint import lint
from srbench.lint.table import read_table
from srbench.report.tables import write_tables
from srbench.results.board_file import DIGEST, digest, read_board
from srbench.results.literature import COLUMNS, load_published

LEADERBOARD = Path(__file__).resolve().parents[2] / "leaderboard"
LONGEST = 120  # seconds for all hostile tables, which take two
CELLS = (
    *(b"1e400", b"-1e400", b"nan", b"inf", b"0", b"-0.0", b"9" * 400, b"1e-320", b"1,234.5", b"12.3 \xc2\xb1 0.4"),
    *(
        b"",
        b'"',
        b'"a\nb"',
        b"=1+1",
        b"x" * 2000,
        b"12.3 (1e400)",
        b"99%",
        b"1 \xc3\x97 10^999",
        b"12.3 dB",
        b"snr",
        b"lsd",
    ),
    *(
        b"1e999999999",
        b"1/0",
        b"yes",
        b"doubled: why",
        b"LSD?",
        b"\xe2\x80\xae",
        b"\\frac{1}{2}",
        b"**1.0**",
        b"|",
        b"&",
    ),
)
RESULTS = {
    "results.csv": b"Model,N,SNR (dB),SI-SDR,MSE (x10^-5),LSD,LSD-HF,LSD-LF,PESQ,STOI (%),rate\n"
    b"spline,100,14.8,14.2,3.1,3.6,4.1,1.2,2.21,71.8,8000\nUNet,100,17.1,16.9,1.9,1.3,1.5,0.4,2.5,78.6,8000\n",
    "results.md": b"| Model | SNR | LSD |\n|---|--:|--:|\n| *4x* | | |\n"
    b"| spline | 14.8 | 3.6 |\n| **UNet** | 17.1 \xc2\xb1 0.2 | 1.3 |\n",
    "results.tex": b"\\begin{tabular}{l|cc}\n\\toprule\nModel & SNR $\\uparrow$ & LSD \\\\\n\\midrule\n"
    b"\\multirow{2}{*}{spline} & 14.8 & 3.6 \\\\\n & $17.1_{\\pm 0.2}$ & \\textbf{1.3} \\\\\n\\end{tabular}\n",
}
many = settings(max_examples=200)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables")


def linted(path: Path) -> None:
    for finding in lint(read_table(path)):
        json.dumps(finding.as_dict(), allow_nan=False)


@many
@given(
    st.sampled_from(sorted(RESULTS)).flatmap(lambda name: st.tuples(st.just(name), damaged_text(RESULTS[name], CELLS)))
)
def test_results_to_lint(folder: Path, damaged: tuple[str, bytes]) -> None:
    name, content = damaged
    (folder / name).write_bytes(content)
    answer(linted, folder / name)


@pytest.mark.parametrize("name", RESULTS)
def test_what_is_damaged_there_is_whole(folder: Path, name: str) -> None:
    (folder / name).write_bytes(RESULTS[name])
    assert len(read_table(folder / name).rows) == 2


def test_tables_made_to_take_long(tmp_path: Path) -> None:
    child = [sys.executable, str(Path(__file__).with_name("lint_hostile.py")), str(tmp_path)]
    try:
        done = subprocess.run(child, capture_output=True, text=True, timeout=LONGEST, check=False)
    except subprocess.TimeoutExpired as error:
        told = error.stdout or b""
        pytest.fail(f"hangs on the last of: {told.decode() if isinstance(told, bytes) else told}")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == list(HOSTILE)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(sorted(RESULTS)).flatmap(lambda name: st.tuples(st.just(name), damaged_text(RESULTS[name], CELLS)))
)
def test_the_command(folder: Path, capsys: pytest.CaptureFixture[str], damaged: tuple[str, bytes]) -> None:
    name, content = damaged
    (folder / name).write_bytes(content)
    with pytest.raises(SystemExit) as stop:
        main(["lint", str(folder / name)])
    out, err = capsys.readouterr()
    assert stop.value.code in (0, 1, 2)
    assert (stop.value.code == 2) == bool(err)
    assert "Traceback" not in err
    assert len(err.splitlines()) <= 3
    assert out or err


def board_of(path: Path, target: Path) -> None:
    """Read a leaderboard and write what is made of it."""
    board = read_board(path)
    write_tables(board, target)


def redigested(content: bytes) -> bytes:
    """Return a leaderboard whose digests are right whatever its cells are, as far as it can be read as CSV."""
    try:
        header, *lines = csv.reader(io.StringIO(content.decode(), newline=""))
    except (UnicodeDecodeError, csv.Error, ValueError):
        return content
    told = io.StringIO()
    writer = csv.writer(told, lineterminator="\n")
    writer.writerow(header)
    for line in lines:
        cells = dict(zip(header, line, strict=False))
        writer.writerow([*line[:-1], digest(cells)] if header[-1:] == [DIGEST] else line)
    return told.getvalue().encode()


@many
@given(st.data())
def test_leaderboards(folder: Path, data: st.DataObject) -> None:
    content = data.draw(damaged_text((LEADERBOARD / "demo.csv").read_bytes(), CELLS))
    (folder / "demo.csv").write_bytes(redigested(content) if data.draw(st.booleans()) else content)
    (folder / "out").mkdir(exist_ok=True)
    answer(board_of, folder / "demo.csv", folder / "out")


@many
@given(st.data())
def test_cells_of_a_leaderboard(folder: Path, data: st.DataObject) -> None:
    """Only cells change, so that the file stays a table with the right columns and digests."""
    with (LEADERBOARD / "demo.csv").open(encoding="utf-8", newline="") as file:
        header, *lines = csv.reader(file)
    for _ in range(data.draw(st.integers(1, 4))):
        line = lines[data.draw(st.integers(0, len(lines) - 1))]
        value = data.draw(st.sampled_from([cell.decode() for cell in CELLS]) | ODD.map(str))
        line[data.draw(st.integers(0, len(header) - 1))] = value.encode(errors="replace").decode()
    told = io.StringIO()
    csv.writer(told, lineterminator="\n").writerows([header, *lines])
    (folder / "demo.csv").write_bytes(redigested(told.getvalue().encode()))
    (folder / "out").mkdir(exist_ok=True)
    answer(board_of, folder / "demo.csv", folder / "out")


@many
@given(st.data())
def test_published_numbers(folder: Path, data: st.DataObject) -> None:
    whole = b"".join((LEADERBOARD / "published.csv").read_bytes().splitlines(keepends=True)[:12])
    (folder / "published.csv").write_bytes(data.draw(damaged_text(whole, CELLS)))
    answer(load_published, folder / "published.csv")


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("cell", ["1e999999999", "9" * 5000, "x" * 100_000, "nan", "\0", "a\nb\nc\nd", "\u2028"])
def test_a_cell_of_the_published_numbers(folder: Path, column: str, cell: str) -> None:
    with (LEADERBOARD / "published.csv").open(encoding="utf-8", newline="") as file:
        header, line, *_ = csv.reader(file)
    line[header.index(column)] = cell
    told = io.StringIO()
    csv.writer(told).writerows([header, line])
    (folder / "published.csv").write_text(told.getvalue(), encoding="utf-8", newline="")
    found = answer(load_published, folder / "published.csv")
    assert isinstance(found, SrbenchError) or column in (
        "system",
        "paper",
        "source",
        "table",
        "corpus",
        "split",
        "doubt",
    )
