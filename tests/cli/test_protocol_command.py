"""Protocols for somebody's own recordings: written, run, compared, published."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from kit import Cli, noise, refused

from srbench.errors import SrbenchError
from srbench.protocols import load_protocol


def record(folder: Path, names: str, rate: int = 16000, channels: int = 1) -> Path:
    for number, name in enumerate(names.split()):
        path = folder / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        speech = np.cumsum(noise(rate // 2, seed=number, level=0.01))
        soundfile.write(path, np.stack([speech] * channels, 1) - speech.mean(), rate, subtype="FLOAT")
    return folder


def test_it_extends_another_and_takes_every_recording(cli: Cli, tmp_path: Path) -> None:
    data = record(tmp_path / "mine", "ann/1 ann/2 bob/1")
    status, out, err = cli("protocol", "new", "own", "--from", "vctk-test8-8k-16k", "--data", data)
    assert (status, err) == (0, "")
    assert "srbench run --protocol own.toml" in out
    made, base = load_protocol("own.toml"), load_protocol("vctk-test8-8k-16k")
    assert (made.name, made.corpus, made.split, made.side) == ("own", "folder", "all", "all")
    for key in ("low_rate", "high_rate", "degradation", "metrics"):
        assert getattr(made, key) == getattr(base, key)


def test_its_runs_are_published_and_compared_under_its_name(cli: Cli, tmp_path: Path) -> None:
    data = record(tmp_path / "mine", "ann/1 ann/2 bob/1")
    assert cli("protocol", "new", "own", "--from", "demo", "--data", data)[0] == 0
    Path("own.toml").write_text(Path("own.toml").read_text() + 'metrics = ["snr", "lsd"]\n')
    run = ("--protocol", "own.toml", "--data", data)
    status, out, _ = cli("run", "--model", "linear", "--model", "hold", *run, "--json")
    document = json.loads(out)
    assert (status, document["own_corpus"], document["split"]["expected"]) == (0, True, 3)
    assert Path(document["run_dir"], "leaderboard.csv").is_file()
    folders = [each["run_dir"] for each in document["models"]]
    assert cli("compare", *folders, "--json")[0] == 0
    publish = ("publish", "results", "--protocol", "own.toml", "--leaderboard", "board", "--json")
    status, out, _ = cli(*publish, "--data", data, "--site", "site")
    published = json.loads(out)["published"]
    assert status == 0
    assert {each["protocol"] for each in published} == {"own"}
    assert all(each["rechecked"] == 3 for each in published)
    assert Path("board/own.md").is_file()
    assert Path("site/index.html").is_file()

    # other recordings of the same names are another leaderboard's
    other = record(tmp_path / "other", "x/9 ann/1 ann/2 bob/1")
    (other / "x" / "9.wav").unlink()
    status, out, _ = cli("run", "--model", "linear", *run[:2], "--data", other, "--results", "r2", "--json")
    assert json.loads(out)["protocol_signature"] != document["protocol_signature"]
    status, out, _ = cli("publish", "r2", *publish[2:], "--data", other)
    assert status == 1
    assert "split" in str(json.loads(out))


def test_a_run_whose_recordings_were_exchanged_is_refused(cli: Cli, tmp_path: Path) -> None:
    data = record(tmp_path / "mine", "ann/1 ann/2 bob/1")
    cli("protocol", "new", "own", "--from", "demo", "--data", data)
    Path("own.toml").write_text(Path("own.toml").read_text() + 'metrics = ["snr"]\n')
    _, out, _ = cli("run", "--protocol", "own.toml", "--data", data, "--model", "linear", "--no-anchors", "--json")
    journal = Path(json.loads(out)["models"][0]["run_dir"]) / "journal.jsonl"
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    lines[0]["recording"] = "0" * 64
    journal.write_text("".join(json.dumps(line) + "\n" for line in lines))
    publish = ("publish", "results", "--protocol", "own.toml", "--leaderboard", "board", "--json")
    assert cli(*publish, "--data", data)[0] == 1


def test_recordings_that_will_fail_are_counted(cli: Cli, tmp_path: Path) -> None:
    data = record(record(record(tmp_path / "mine", "a/1"), "a/2", rate=8000), "a/3 a/4", channels=2)
    new = ("protocol", "new", "own", "--from", "demo", "--data", data)
    status, _, err = cli(*new)
    assert status == 1
    assert "1 of 4 recordings have a rate below 16000 Hz" in err
    assert "2 of 4 recordings have several channels" in err
    refused(cli(*new), "own.toml", "--force")
    status, _, err = cli(*new, "--force", "--channels", "left")
    assert "channels" not in err
    assert load_protocol("own.toml").channels == "left"


@pytest.mark.parametrize("name", ["demo", "../own", "a b", ".own"])
def test_names_that_cannot_be(cli: Cli, tmp_path: Path, name: str) -> None:
    data = record(tmp_path / "mine", "a/1")
    refused(cli("protocol", "new", name, "--from", "demo", "--data", data), "name")
    assert not list(tmp_path.rglob("*.toml"))


def write(name: str, text: str) -> str:
    Path(name).parent.mkdir(exist_ok=True, parents=True)
    Path(name).write_text(text)
    return name


def test_extends_may_go_by_way_of_a_file(cli: Cli) -> None:
    write("sub/base.toml", 'extends = "demo"\ncorpus = "folder"\nsplit = "list.toml"\nside = "test"\n')
    write("sub/list.toml", 'corpus = "folder"\n[sides.test]\nids = "ids.txt"\n')
    write("sub/ids.txt", "a\nb\n")
    made = load_protocol(write("mine.toml", 'extends = "sub/base.toml"\ntitle = "Mine"\nmetrics = ["snr"]\n'))
    assert made.load_split().ids("test") == ("a", "b")
    assert (made.title, made.metrics, made.low_rate) == ("Mine", ("snr",), 4000)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('extends = "dmo"', "demo"),
        ("extends = 3", "extends"),
        ('extends = "mine.toml"', "extends itself"),
        ('extends = "../other.toml"', "must be a file in the folder"),
        ('extends = "demo"\nsplit = "all"\nside = "test"', "all"),
        ('extends = "demo"\nside = "all"', "all"),
    ],
)
def test_what_extends_cannot_say(cli: Cli, text: str, told: str) -> None:
    with pytest.raises(SrbenchError, match=told):
        load_protocol(write("mine.toml", text))


def test_a_limit_says_of_how_many_speakers_it_is(cli: Cli, tmp_path: Path) -> None:
    data = record(tmp_path / "mine", "ann/1 ann/2 bob/1 eve/1")
    _, out, _ = cli("run", "--data", data, "--model", "hold", "--limit", 3, "--metric", "snr", "--no-anchors", "--json")
    assert "The first 3 by id are of 2 of 3 speakers." in json.loads(out)["notes"]
