"""``srbench publish`` as a person meets it: exit status, messages, JSON, files."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
import soundfile

from srbench.cli.main import main
from srbench.results.board_file import read_board

PROTOCOL = """
    title = "Small"
    corpus = "folder"
    split = "small_split.toml"
    side = "test"
    low_rate = 4000
    high_rate = 16000
    metrics = ["snr", "lsd"]

    [degradation]
    kind = "cheby1"
    order = 8
    ripple_db = 0.05
    cut = 0.8
    phase = "zero"
"""
ODD = "<script> a_b & c|d"
PLUGIN = f"""
    from srbench.upscaler import upscaler

    @upscaler("{ODD}")
    def odd(low, low_rate, high_rate):
        return low.repeat(4)
"""
Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Return a function that runs a command in a folder with a protocol and its corpus: status, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    for speaker in ("a", "b"):
        (tmp_path / "corpus" / speaker).mkdir(parents=True)
        for number in (1, 2):
            noise = np.cumsum(np.random.default_rng(number).uniform(-1, 1, 3200))
            soundfile.write(tmp_path / "corpus" / speaker / f"{number}.wav", 0.5 * noise / np.abs(noise).max(), 16000)
    (tmp_path / "ids.txt").write_text("a/1\na/2\nb/1\nb/2\n")
    (tmp_path / "small_split.toml").write_text('corpus = "folder"\n[sides]\ntest = { ids = "ids.txt" }\n')
    (tmp_path / "small.toml").write_text(dedent(PROTOCOL))
    (tmp_path / "odd.py").write_text(dedent(PLUGIN))

    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main([*map(str, arguments)])
        assert isinstance(stop.value.code, int)
        return stop.value.code, *capsys.readouterr()

    return call


KNOWN = ("--protocol", "small.toml", "--data", "corpus")


@pytest.fixture
def ran(cli: Cli) -> Cli:
    """The same, after a run of ``linear`` with its anchors."""
    assert cli("run", "--model", "linear", *KNOWN)[0] == 0
    return cli


def edit(folder: Path, name: str, row: str, column: str, cell: str) -> None:
    path = next(folder.glob(f"small/{name}-*")) / "utterances.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    next(each for each in rows if each[0] == row)[rows[0].index(column)] = cell
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def test_leaderboard_and_tables(ran: Cli, tmp_path: Path) -> None:
    status, out, err = ran("publish", *KNOWN)
    assert (status, err) == (0, "")
    assert "leaderboard/small.csv: 4 rows" in out
    assert out.count("3 rows run again") == 4
    files = out[out.index("Files written:") : out.index("For your paper")].strip()
    named = [Path(line.strip()) for line in files.splitlines()[1:]]
    assert named == [Path("leaderboard") / f"small{suffix}" for suffix in (".csv", ".md", ".tex")]
    before = [path.read_bytes() for path in named]
    status, out, _ = ran("publish", "results", *KNOWN, "--recheck", "all")
    assert status == 0
    assert "Nothing to write: all of it is published already." in out
    assert out.count("4 rows run again") == 4
    assert [path.read_bytes() for path in named] == before


def test_json(ran: Cli, tmp_path: Path) -> None:
    edit(tmp_path / "results", "linear", "b/1", "snr", "1.5")
    assert ran("run", "--model", "sinc", "--limit", 2, *KNOWN)[0] == 0
    status, out, err = ran("publish", *KNOWN, "--recheck", 0, "--json")
    document = json.loads(out)
    assert (status, err, document["leaderboard"]) == (1, "", "leaderboard")
    assert [(e["upscaler"], e["change"], e["rechecked"]) for e in document["published"]] == [
        (name, "new", 0) for name in ("ceiling", "reference", "spline")
    ]
    (fault,) = document["refused"]
    assert "linear-" in fault["path"]
    assert fault["reasons"][0].startswith("utterances.csv, row b/1: snr is '1.5'")
    assert len(document["left_out"]) == 4
    assert document["written"] == [f"leaderboard/small{suffix}" for suffix in (".csv", ".md", ".tex")]
    assert document["notes"] == []


def test_a_refused_run_is_printed_with_its_row(ran: Cli, tmp_path: Path) -> None:
    for name in ("a/1", "a/2", "b/1", "b/2"):
        for column in ("snr", "lsd"):
            edit(tmp_path / "results", "linear", name, column, "1.5")
    path = next((tmp_path / "results").glob("small/linear-*")) / "aggregates.csv"
    path.write_text("metric\n")
    status, out, err = ran("publish", *KNOWN)
    assert (status, err) == (1, "")
    assert "Refused:" in out
    assert "utterances.csv, row a/1: snr is '1.5', and '" in out
    assert "linear" not in read_board(tmp_path / "leaderboard" / "small.csv").rows[0].name


def test_a_conflict_and_its_way_out(ran: Cli, tmp_path: Path) -> None:
    assert ran("publish", *KNOWN, "--site", "site")[0] == 0
    spline = tmp_path / "site" / "small" / "spline.html"
    (tmp_path / "corpus" / "a" / "1.wav").write_bytes((tmp_path / "corpus" / "b" / "2.wav").read_bytes())
    assert ran("run", "--model", "linear", "--no-anchors", *KNOWN)[0] == 0
    folder = next((tmp_path / "results").glob("small/linear-*"))
    board = tmp_path / "leaderboard" / "small.csv"
    before = board.read_bytes()
    status, out, _ = ran("publish", folder, *KNOWN)
    assert (status, board.read_bytes()) == (1, before)
    assert "linear: snr is " in out
    assert "--replace linear" in out
    assert "Nothing was published." in out
    assert "Where it is worst and best" in spline.read_text()
    status, _, _ = ran("publish", *KNOWN, "--recheck", 0, "--site", "site")
    assert (status, board.read_bytes()) == (1, before)
    assert "Where it is worst and best" in spline.read_text()  # the others' pages stay what they were
    status, out, _ = ran("publish", folder, *KNOWN, "--replace", "linear")
    assert (status, board.read_bytes()) == (1, before), "the other rows are of the recordings that were there before"
    assert "are of other recordings with the same ids" in out
    assert ran("run", "--model", "linear", *KNOWN)[0] == 0
    again = [part for name in ("linear", "spline", "ceiling", "reference") for part in ("--replace", name)]
    status, out, _ = ran("publish", *KNOWN, *again)
    assert status == 0
    assert "replaced  linear" in out
    assert board.read_bytes() != before


def test_a_run_named_itself_must_be_fit(ran: Cli, tmp_path: Path) -> None:
    assert ran("run", "--model", "linear", "--no-anchors", "--limit", 2, "--results", "part", *KNOWN)[0] == 0
    folder = next((tmp_path / "part").glob("small/linear-*"))
    status, out, _ = ran("publish", "part", *KNOWN)
    assert status == 0
    assert "Left out:" in out
    assert "it is partial: 2 of 4 utterances" in out
    status, out, _ = ran("publish", folder, *KNOWN)
    assert status == 1
    assert "Refused:" in out
    assert not (tmp_path / "leaderboard").exists()
    status, out, _ = ran("publish", folder, *KNOWN, "--allow-partial")
    assert status == 0
    assert "note: small: has no row of the spline" in out
    assert "2 of 4" in (tmp_path / "leaderboard" / "small.md").read_text()


def test_a_strange_name(cli: Cli, tmp_path: Path) -> None:
    assert cli("run", "--plugin", "odd.py", "--model", ODD, "--no-anchors", *KNOWN)[0] == 0
    status, out, _ = cli("publish", "--plugin", "odd.py", *KNOWN)
    assert status == 0
    assert f"new       {ODD}" in out
    assert "3 rows run again" in out
    assert read_board(tmp_path / "leaderboard" / "small.csv").rows[0].name == ODD
    assert "<script" not in (tmp_path / "leaderboard" / "small.md").read_text()
    assert "not rechecked: it kept no audio" in cli("publish", *KNOWN)[1]


def test_the_embedded_corpus_needs_no_data(cli: Cli, tmp_path: Path) -> None:
    assert cli("run", "--model", "linear", "--no-anchors", "--limit", 2, "--metric", "snr")[0] == 0
    status, out, _ = cli("publish")
    assert status == 0
    assert "its metrics are not the protocol's: without si_sdr" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere",), "nowhere: no such folder of runs"),
        (("corpus",), "corpus: holds no run"),
        (("--recheck", "some"), "'some' is neither a number of rows nor 'all'"),
        (("--recheck", "-1"), "'-1' is neither a number of rows nor 'all'"),
        (("--data", "nowhere"), "Directory 'nowhere' does not exist"),
        (("--protocol", "nowhere.toml"), "File 'nowhere.toml' does not exist"),
        (("--protocol", "ids.txt"), "unknown protocol 'ids.txt'"),
        (("--plugin", "nowhere.py", "results"), "nowhere.py: No such file"),
    ],
)
def test_misuse(cli: Cli, arguments: tuple[str, ...], said: str) -> None:
    status, out, err = cli("publish", *arguments)
    assert (status, out) == (2, "")
    assert said in err
    assert 1 <= len(err.splitlines()) <= 2


def test_site(ran: Cli, tmp_path: Path) -> None:
    status, out, err = ran("publish", *KNOWN, "--site", "site", "--utterances", 1)
    assert (status, err) == (0, "")
    assert "site/index.html" in out
    assert (tmp_path / "site" / "index.html").is_file()
    assert (tmp_path / "site" / "small" / "listen.html").is_file()
    (tmp_path / "leaderboard" / "other.csv").write_text("edited")
    status, out, _ = ran("publish", *KNOWN, "--site", "site", "--utterances", 1)
    assert status == 1
    assert "other.csv: its columns are not those of a leaderboard" in out


def test_listening_test(ran: Cli, tmp_path: Path) -> None:
    status, out, _ = ran("publish", *KNOWN, "--mushra", "test", "--utterance", "b/1")
    assert status == 0
    assert (tmp_path / "test" / "small.yaml").is_file()
    assert "\n  test\n" in out
    status, out, _ = ran("publish", "--protocol", "small.toml", "--mushra", "test")
    assert "note: small: no listening test, its corpus is not here" in out


def test_what_was_published_is_said_before_a_listening_test_that_cannot_be(ran: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    status, out, err = ran("publish", *KNOWN, "--mushra", "file/below")
    assert status == 2
    assert "leaderboard/small.csv: 4 rows" in out
    assert len(err.splitlines()) == 1
