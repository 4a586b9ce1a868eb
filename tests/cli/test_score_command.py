"""``srbench score``: what it prints, and its exit status."""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from srbench import audio
from srbench.cli.main import main

Call = Callable[..., tuple[int, str, str]]
SYSTEMS = os.environ.get("SRBENCH_SYSTEMS", "")
RATE = 16000


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    def run(*arguments: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main(["score", *map(str, arguments), "--results", str(tmp_path / "results")])
        assert isinstance(stop.value.code, int)
        return stop.value.code, *capsys.readouterr()

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of references and two systems: noise that is coloured like speech, and noisy copies of it."""
    for number in range(3):
        generator = np.random.default_rng(number)
        reference = np.cumsum(generator.standard_normal(16000 + 100 * number))
        reference = 0.3 * (reference - reference.mean()) / np.abs(reference).max()
        noise = generator.standard_normal(len(reference))
        for name, estimate in {"ref": reference, "a": reference + 0.003 * noise, "b": reference + 0.01 * noise}.items():
            (tmp_path / name).mkdir(exist_ok=True)
            audio.write(tmp_path / name / f"{number}.wav", estimate, RATE)
    return tmp_path


def test_two_folders(folder: Path, call: Call):
    status, out, err = call(folder / "ref", folder / "a")
    assert (status, err) == (0, "")
    assert "SNR dB" in out
    assert "SCORE|sr:16000|cutoff:none|align:no" in out
    assert "pairs.csv" in out


def test_json_has_the_shape_of_the_documents(folder: Path, call: Call):
    os.remove(folder / "a/2.wav")
    audio.write(folder / "a/x.wav", np.zeros(100), RATE)
    status, out, _ = call(
        folder / "ref", folder / "a", "--json", "--cutoff", "4000", "--metric", "snr", "--metric", "lsd_hf"
    )
    document = json.loads(out)
    assert status == 0
    assert document["pairs"] == 2
    assert document["unmatched"] == {"reference": [str(folder / "ref/2.wav")], "estimate": [str(folder / "a/x.wav")]}
    assert document["metrics"].keys() == {"snr", "lsd_hf"}
    assert document["metrics"]["snr"]["n"] == 2
    first = document["utterances"][0]
    assert first["id"] == "0"
    assert first["metrics"].keys() == {"snr", "lsd_hf"}
    for warning in first["warnings"]:
        assert {"kind", "detail"} <= warning.keys()


def test_what_lacks_files_says_so_beside_n(folder: Path, call: Call):
    os.remove(folder / "a/2.wav")
    os.remove(folder / "a/1.wav")
    status, out, _ = call(folder / "ref", folder / "a")
    assert status == 0
    assert re.search(r"\bn\b\W+1 of 3\b", out)
    assert "2 of the reference files without a counterpart: 1.wav, 2.wav" in out
    assert json.loads(call(folder / "ref", folder / "a", "--json")[1])["references"] == 3


def test_a_file_that_one_of_several_systems_lacks_is_named_once(folder: Path, call: Call):
    os.remove(folder / "a/2.wav")
    arguments = (folder / "ref", "--systems", f"a={folder / 'a'}", f"b={folder / 'b'}")
    status, out, _ = call(*arguments)
    assert status == 1
    assert re.search(r"\bn\b\W+2 of 3\W+3\b", out)
    assert "a: failed: 2: there is no estimate" in out
    assert "without a counterpart" not in out
    systems = json.loads(call(*arguments, "--json")[1])["systems"]
    assert [system["unmatched"]["reference"] for system in systems] == [[], []]
    manifest = json.loads((Path(systems[0]["run_dir"]) / "manifest.json").read_text())
    assert manifest["split"]["expected"] == 3


def test_a_metric_without_a_value_is_called_undefined(tmp_path: Path, call: Call):
    for name, value in (("r", 0.5), ("e", 0.4)):
        audio.write(tmp_path / f"{name}.wav", np.array([value]), RATE)
    _, out, _ = call(tmp_path / "r.wav", tmp_path / "e.wav", "--metric", "snr", "--metric", "lsd")
    assert re.search(r"LSD\W+undefined", out)


def test_help_shows_the_examples_a_line_each(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["score", "--help"])
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert "srbench score references estimates" in lines
    assert not any("\\b" in line or "\b" in line for line in lines)


def test_a_wrong_rate_is_told_before_the_length(folder: Path, call: Call):
    for number in range(3):
        samples, _ = audio.read(folder / "a" / f"{number}.wav")
        audio.write(folder / "a" / f"{number}.wav", audio.resample(samples, 48000, 44100), RATE)
        for place in ("ref", "a"):  # as files that say 48 kHz
            samples, _ = audio.read(folder / place / f"{number}.wav")
            audio.write(folder / place / f"{number}.wav", samples, 48000)
    status, out, _ = call(folder / "ref", folder / "a")
    assert status == 1
    assert "failed: 0: labelled 48000 Hz, the estimate fits the reference only as 44100 Hz" in out
    assert "samples shorter than the reference" in out


def test_systems_and_one_table(folder: Path, call: Call):
    table = folder / "all.csv"
    arguments = (folder / "ref", "--systems", f"a={folder / 'a'}", f"b={folder / 'b'}")
    status, out, _ = call(*arguments, "--csv", table, "--json")
    document = json.loads(out)
    assert status == 0
    assert [system["system"] for system in document["systems"]] == ["a", "b"]
    means = [system["metrics"]["snr"]["mean"] for system in document["systems"]]
    assert means[0] == pytest.approx(means[1] + 10.46, abs=0.1)
    with table.open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["system"], row["utterance"]) for row in rows] == [(s, u) for s in "ab" for u in "012"]
    assert np.mean([float(row["snr"]) for row in rows[:3]]) == pytest.approx(means[0])
    assert call(*arguments)[0] == 0


@pytest.mark.parametrize("target", ["ref/0.wav", "a/0.wav", "notes.txt", "other.csv", "a"])
def test_a_table_replaces_nothing_but_a_table(folder: Path, call: Call, target: str):
    (folder / "notes.txt").write_text("mine")
    (folder / "other.csv").write_text("band,gain\n1,2\n")
    path = folder / target
    before = path.read_bytes() if path.is_file() else b""
    status, out, err = call(folder / "ref", folder / "a", "--csv", path)
    assert (status, out) == (2, "")
    assert "is no table of scores" in err
    assert not path.is_file() or path.read_bytes() == before
    assert not (folder / "results").exists()


def test_a_table_replaces_a_table_of_scores(folder: Path, call: Call):
    table = folder / "all.csv"
    table.touch()
    assert call(folder / "ref", folder / "a", "--csv", table)[0] == 0
    first = table.read_text()
    assert call(folder / "ref", folder / "b", "--csv", table)[0] == 0
    assert table.read_text() != first


def test_a_table_in_no_folder_is_told_before_anything_is_scored(folder: Path, call: Call):
    status, out, err = call(folder / "ref", folder / "a", "--csv", folder / "gone/all.csv")
    assert (status, out) == (2, "")
    assert f"there is no folder {folder / 'gone'}" in err
    assert not (folder / "results").exists()


def test_unequal_lengths_fail_unless_they_are_matched(folder: Path, call: Call):
    samples, _ = audio.read(folder / "a/1.wav")
    audio.write(folder / "a/1.wav", samples[:-40], RATE)
    status, out, _ = call(folder / "ref", folder / "a")
    assert status == 1
    assert "failed: 1: the estimate is 40 samples shorter" in out
    assert "length: 1 of 3 pairs" in out
    status, out, _ = call(folder / "ref", folder / "a", "--match-length", "shorter", "--json")
    document = json.loads(out)
    assert status == 0
    assert document["utterances"][1]["repairs"] == ["reference cut from 16100 to 16060 samples"]
    assert "length:shorter" in document["signature"]


def test_two_files(folder: Path, call: Call):
    status, out, _ = call(folder / "ref/0.wav", folder / "b/0.wav", "--json")
    assert (status, json.loads(out)["pairs"]) == (0, 1)


def test_a_delay_is_told_with_its_cost_and_its_repair(folder: Path, call: Call):
    for number in range(3):
        samples, _ = audio.read(folder / "a" / f"{number}.wav")
        audio.write(folder / "a" / f"{number}.wav", np.concatenate([np.zeros(2), samples[:-2]]), RATE)
    _, out, _ = call(folder / "ref", folder / "a")
    assert "delay: 3 of 3 pairs" in out
    assert re.search(r"delayed by (1\.9|2\.0)\d samples: SNR \S+ dB would be \S+ dB if aligned", out)
    status, out, _ = call(folder / "ref", folder / "a", "--align", "--json")
    assert status == 0
    shifts = [
        float(each["repairs"][0].removeprefix("shifted by ").split()[0]) for each in json.loads(out)["utterances"]
    ]
    assert shifts == pytest.approx([-2] * 3, rel=0.01)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ref"], "one is missing"),
        (["ref", "a", "b"], "2 were given"),
        (["ref", "gone"], "no such file or folder"),
        (["ref", "a", "--metric", "snrr"], "Did you mean 'snr'?"),
        (["ref", "a", "--cutoff", "9000"], "between 0 and 8000"),
        (["ref", "a", "--cutoff", "nan"], "between 0 and 8000 Hz, not at nan"),
        (["ref", "a", "--low", "b"], "the low-resolution files have the references' rate (16000 Hz"),
        (["ref", "ref"], "is the folder of the references itself"),
        (["ref", "ref/../ref"], "is the folder of the references itself"),
        (["ref", "a", "--metric", "lsd_hf"], "lsd_hf needs the cutoff, half the low rate: --cutoff HZ, or --low DIR"),
        (["notes.csv", "a/0.wav"], "none of 1 references can be read; of the first: notes.csv: "),
        (["ref", "--systems", "a"], "needs NAME=DIR, not 'a'"),
        (["ref", "--systems"], "once for each system"),
        (["ref", "--systems", "a=a", "a=b"], "names 'a' twice"),
        (["ref", "a", "--pattern", "{id}.wav", "x.wav"], "must be a file name with one {id}"),
        (["ref", "a", "--match-length", "longer"], "'shorter', 'pad'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_misuse(folder: Path, call: Call, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str):
    monkeypatch.chdir(folder)
    (folder / "notes.csv").write_text("band,gain")
    status, out, err = call(*arguments)
    assert (status, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) <= 2


@pytest.mark.skipif(not SYSTEMS, reason="SRBENCH_SYSTEMS names no folder of published outputs")
def test_published_systems(call: Call):
    """Means measured once by other code, on the common length."""
    wanted = {"linear": (1.87, 19.2), "unet": (1.42, 16.8), "mugan": (1.12, 22.0), "nuwave": (0.81, 23.8)}
    systems = [f"{name}={SYSTEMS}/{name}" for name in wanted]
    status, out, _ = call(f"{SYSTEMS}/reference", "--systems", *systems, "--match-length", "shorter", "--json")
    assert status == 0
    for system in json.loads(out)["systems"]:
        lsd, snr = wanted[system["system"]]
        assert system["metrics"]["lsd"]["mean"] == pytest.approx(lsd, abs=0.006)
        assert system["metrics"]["snr"]["mean"] == pytest.approx(snr, abs=0.06)
    status, out, _ = call(f"{SYSTEMS}/reference", "--systems", *systems, "--json")
    assert status == 1
    for system in json.loads(out)["systems"]:
        unequal = system["system"] in ("unet", "mugan")
        assert system["failed"] == (5 if unequal else 0)
        assert all(("shorter than the reference" in (each["error"] or "")) == unequal for each in system["utterances"])


def test_no_table_holds_a_formula_and_no_system_is_one(folder: Path, call: Call):
    """File names are told in cells; a spreadsheet would run these."""
    for name, estimate in (("ref", "=1+1"), ("a", "=1+1"), ("ref", "-x"), ("a", "-x")):
        audio.write(folder / name / f"{estimate}.wav", np.sin(np.arange(8000) / 5) / 2, RATE)
    table = folder / "all.csv"
    status, out, _ = call(folder / "ref", "--systems", f"mine={folder / 'a'}", "--csv", table, "--json")
    assert status == 0
    (run,) = [Path(json.loads(out)["run_dir"])]
    for path in (table, *run.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        for cell in cells:
            assert not cell.startswith(("=", "@", "+")), (path.name, cell)
            if cell.startswith("-"):
                float(cell)
        if path.name in ("all.csv", "pairs.csv", "utterances.csv"):
            assert {"'=1+1", "'-x"} <= {*cells}
    for name in ("@a", "+a"):
        status, _, err = call(folder / "ref", "--systems", f"{name}={folder / 'a'}")
        assert status == 2
        assert f"a system's name (--systems NAME=DIR gives another) cannot be '{name}'" in err
