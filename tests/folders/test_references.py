"""Scores in leaderboards and on the site: checked like any run, computed again from where the audio lies."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile as sf
from pairs_of_speech import RATE, splined

from srbench import audio
from srbench.cli.main import main
from srbench.results.board_file import read_board

NAMES = ("p225_001", "p225_002", "p226_001")
Cli = Callable[..., tuple[int, str]]


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Return a call of the command in a folder with references and two systems, one of them with a delay."""
    monkeypatch.chdir(tmp_path)
    for number, name in enumerate(NAMES):
        reference, spline, _ = splined(2, number)
        _, sinc, _ = splined(2, number, "sinc")
        for place, samples in {"refs": reference, "spline": spline, "sinc": sinc}.items():
            (tmp_path / place).mkdir(exist_ok=True)
            audio.write(tmp_path / place / f"{name}.wav", samples, RATE)

    def run(*arguments: object) -> tuple[int, str]:
        with pytest.raises(SystemExit) as stop:
            main(list(map(str, arguments)))
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return int(stop.value.code or 0), out + err

    return run


SCORE = ("score", "refs", "--systems", "spline=spline", "sinc=sinc", "--name", "mine")


def test_scores_become_a_leaderboard_and_a_site_with_sound(ran: Cli, tmp_path: Path) -> None:
    assert ran(*SCORE)[0] == 0
    status, out = ran("publish", "results", "--site", "site")
    assert (status, out.count("3 rows measured again")) == (0, 2)
    board = read_board(tmp_path / "leaderboard/mine.csv")
    assert [row.name for row in board.rows] == ["sinc", "spline"]
    assert board.rows[0].expected == 3
    assert "floor" not in out
    scripts = sorted((tmp_path / "site/mine/clips").glob("*.js"))
    assert [script.stem for script in scripts] == list(NAMES)
    clip = json.loads(scripts[0].read_text().removeprefix("srbenchClip(").removesuffix(");\n"))
    assert clip["versions"].keys() == {"reference", "spline", "sinc"}
    assert "undefined" not in (tmp_path / "site/mine/listen.html").read_text()
    before = (tmp_path / "leaderboard/mine.csv").read_bytes()
    assert ran("publish", "results", "--site", "site")[0] == 0
    assert (tmp_path / "leaderboard/mine.csv").read_bytes() == before


def test_rows_say_what_was_found_on_the_pairs(ran: Cli, tmp_path: Path) -> None:
    for name in NAMES:
        samples, rate = audio.read(tmp_path / "sinc" / f"{name}.wav")
        audio.write(tmp_path / "sinc" / f"{name}.wav", -samples, rate)
    assert ran(*SCORE)[0] == 0
    assert ran("publish", "results")[0] == 0
    rows = {row.name: row.warnings for row in read_board(tmp_path / "leaderboard/mine.csv").rows}
    assert "polarity: 3 of 3 pairs" in rows["sinc"]
    assert "polarity" not in rows["spline"]


def test_they_compare(ran: Cli, tmp_path: Path) -> None:
    assert ran(*SCORE)[0] == 0
    status, out = ran("compare", *sorted(Path("results/mine").iterdir()))
    assert status == 0
    assert "SCORE|sr:16000" in out


def test_the_same_samples_in_another_format_are_the_same_references(ran: Cli, tmp_path: Path) -> None:
    (tmp_path / "flac").mkdir()
    for name in NAMES:
        samples, rate = sf.read(tmp_path / f"refs/{name}.wav")
        sf.write(tmp_path / f"flac/{name}.flac", samples, rate, subtype="PCM_24")
        sf.write(tmp_path / f"refs/{name}.wav", sf.read(tmp_path / f"flac/{name}.flac")[0], rate, subtype="PCM_24")
    assert ran("score", "refs", "spline", "--name", "mine")[0] == 0
    assert ran("score", "flac", "sinc", "--name", "mine")[0] == 0
    status, out = ran("compare", *sorted(Path("results/mine").iterdir()))
    assert (status, "SNR" in out) == (0, True)
    assert ran("publish", "results")[0] == 0
    assert [row.name for row in read_board(tmp_path / "leaderboard/mine.csv").rows] == ["sinc", "spline"]


def test_other_samples_under_the_same_names_are_other_references(ran: Cli, tmp_path: Path) -> None:
    assert ran("score", "refs", "spline", "--name", "mine")[0] == 0
    (tmp_path / "other").mkdir()
    for name in NAMES:
        samples, rate = sf.read(tmp_path / f"refs/{name}.wav")
        sf.write(tmp_path / f"other/{name}.wav", 0.5 * samples, rate, subtype="DOUBLE")
    assert ran("score", "other", "sinc", "--name", "mine")[0] == 0
    status, out = ran("compare", *sorted(Path("results/mine").iterdir()))
    assert status == 2
    assert "refs " in out
    assert "of the samples" in out


def test_edited_values_are_found_though_all_files_of_the_run_agree(ran: Cli, tmp_path: Path) -> None:
    assert ran(*SCORE, "--metric", "snr")[0] == 0
    folder = next((tmp_path / "results/mine").glob("spline-*"))
    lines = (folder / "journal.jsonl").read_text().splitlines()
    told = [json.loads(line) for line in lines]
    for each in told:
        each["values"]["snr"] += 3.0
    (folder / "journal.jsonl").write_text("".join(json.dumps(each) + "\n" for each in told))
    assert ran(*SCORE, "--metric", "snr")[0] == 0  # writes the tables by the journal
    status, out = ran("publish", folder)
    assert status == 1
    assert re.search(r"row p22\d_00\d: snr is '?[\d.]+'?, and computed again it is", out)


@pytest.mark.parametrize(("place", "word"), [("spline", "estimate"), ("refs", "reference")])
def test_audio_that_changed_since_is_refused_and_gone_audio_is_said(
    ran: Cli, tmp_path: Path, place: str, word: str
) -> None:
    assert ran("score", "refs", "spline", "--name", "mine")[0] == 0
    for name in NAMES:
        samples, rate = audio.read(tmp_path / place / f"{name}.wav")
        audio.write(tmp_path / place / f"{name}.wav", 0.9 * samples, rate)
    status, out = ran("publish", "results")
    assert status == 1
    assert "is not what was scored (SHA-256 differs); score it again" in out
    shutil.rmtree(tmp_path / place)
    status, out = ran("publish", "results")
    assert status == 0
    assert f"not rechecked: the {word}s are not here any more" in out
    assert read_board(tmp_path / "leaderboard/mine.csv").rows[0].rechecked == "0"


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs a device that never ends")
def test_scores_that_point_at_devices_are_refused_and_end(ran: Cli, tmp_path: Path) -> None:
    """A stranger's manifest names the folders that are read to measure rows again."""
    assert ran(*SCORE)[0] == 0
    (folder,) = (tmp_path / "results/mine").glob("spline-*")
    for file in folder.glob("*.*"):
        told = file.read_text()
        for place in ("refs", "spline"):
            told = told.replace(f'"{tmp_path}/{place}"', '"/dev"')
        file.write_text(told.replace(f"{NAMES[0]}.wav", "zero"))
    assert '"/dev"' in (folder / "manifest.json").read_text()
    status, out = ran("publish", folder)
    assert status == 1
    assert "/dev/zero is not what was scored" in out
    assert not (tmp_path / "leaderboard/mine.csv").exists()


def test_two_sets_of_one_name_are_told_apart(ran: Cli, tmp_path: Path) -> None:
    assert ran(*SCORE)[0] == 0
    for old in (tmp_path / "results/mine").iterdir():
        manifest = json.loads((old / "manifest.json").read_text())
        (old / "manifest.json").write_text(json.dumps({**manifest, "started": "2001-01-01T00:00:00+00:00"}))
    assert ran("score", "refs", "spline", "--name", "mine", "--match-gain")[0] == 0
    status, out = ran("publish", "results")
    assert status == 0
    assert "gain no against yes" in out
    assert "score it under another --name" in out


def test_a_leaderboard_that_stands_takes_the_scores_that_fit_it(ran: Cli, tmp_path: Path) -> None:
    assert ran(*SCORE)[0] == 0
    assert ran("publish", "results")[0] == 0
    before = (tmp_path / "leaderboard/mine.csv").read_bytes()
    assert ran(*SCORE, "--match-gain")[0] == 0  # newer, and of other terms
    assert ran("score", "refs", "hold=spline", "--systems", "--name", "mine")[0] == 0  # newer, and of the same
    status, out = ran("publish", "results", "--site", "site")
    assert status == 0, out
    assert out.count("differs from the leaderboard mine in gain yes against no: score it under another --name") == 2
    assert [row.name for row in read_board(tmp_path / "leaderboard/mine.csv").rows] == ["hold", "sinc", "spline"]
    assert len((tmp_path / "leaderboard/mine.csv").read_bytes()) > len(before)


def test_scores_none_of_which_fits_their_leaderboard_are_refused(ran: Cli, tmp_path: Path) -> None:
    assert ran(*SCORE)[0] == 0
    assert ran("publish", "results")[0] == 0
    before = (tmp_path / "leaderboard/mine.csv").read_bytes()
    shutil.rmtree(tmp_path / "results")
    assert ran(*SCORE, "--metric", "snr")[0] == 0
    status, out = ran("publish", "results", "--site", "site")
    assert status == 1
    assert out.count("differs from the leaderboard mine in its metrics (lsd, mse, si_sdr)") == 2
    assert "No run was published; the leaderboards are as they were." in out
    assert "Nothing was published" not in out
    assert (tmp_path / "leaderboard/mine.csv").read_bytes() == before


def test_a_set_of_references_has_a_name_of_its_own(ran: Cli) -> None:
    assert ran("score", "refs", "spline", "--name", "demo") == (
        2,
        "srbench: 'demo' is a protocol's name: choose another --name\n",
    )
    status, out = ran("score", "refs", "spline", "--name", "../up")
    assert status == 2
    assert "cannot be called '../up'" in out


def test_files_below_folders_are_found_again(ran: Cli, tmp_path: Path) -> None:
    for place in ("refs", "spline"):
        (tmp_path / place / "p225").mkdir()
        for name in NAMES[:2]:
            (tmp_path / place / f"{name}.wav").rename(tmp_path / place / "p225" / f"{name}.wav")
    assert ran("score", "refs", "spline", "--name", "mine")[0] == 0
    status, out = ran("publish", "results", "--recheck", "all")
    assert status == 0, out
    assert "3 rows measured again" in out, out


def test_references_without_an_estimate_make_it_partial(ran: Cli, tmp_path: Path) -> None:
    (tmp_path / "spline" / f"{NAMES[0]}.wav").unlink()
    assert ran("score", "refs", "spline", "--name", "mine")[0] == 0
    _, out = ran("publish", "results")
    assert "it is partial: 2 of 3 utterances" in out
    status, _ = ran("publish", "results", "--allow-partial")
    assert status == 0
    assert read_board(tmp_path / "leaderboard/mine.csv").rows[0].n == 2


@pytest.mark.parametrize(
    "edit",
    [
        lambda m: m["corpus"].pop("root"),
        lambda m: m.update(protocol_signature="SCORE|sr:x"),
        lambda m: m.update(protocol_signature=m["protocol_signature"].replace("sr:16000", "sr:48000")),
        lambda m: m["split"].update(expected="many"),
    ],
)
def test_an_edited_manifest_is_refused(ran: Cli, tmp_path: Path, edit: Callable[[dict], object]) -> None:
    assert ran("score", "refs", "spline", "--name", "mine")[0] == 0
    path = next((tmp_path / "results/mine").iterdir()) / "manifest.json"
    manifest = json.loads(path.read_text())
    edit(manifest)
    path.write_text(json.dumps(manifest))
    status, out = ran("publish", "results")
    assert status == 1
    assert "Refused:" in out


def test_scores_that_all_failed_say_so(ran: Cli, tmp_path: Path) -> None:
    for name in NAMES:
        samples, rate = audio.read(tmp_path / f"spline/{name}.wav")
        audio.write(tmp_path / f"spline/{name}.wav", samples[:-9], rate)
    assert ran("score", "refs", "spline", "--name", "mine")[0] == 1
    _, out = ran("publish", "results", "--allow-partial")
    assert "not rechecked: nothing of it has a value, it failed on every utterance" in out
    assert "none of its utterances are in" not in out
