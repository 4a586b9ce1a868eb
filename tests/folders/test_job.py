"""Folders scored like a run: resumed, in processes, read back, compared."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from pairs_of_speech import RATE, speech, splined

import srbench
from srbench import audio
from srbench.errors import SrbenchError
from srbench.folders.job import make_job, score_system
from srbench.results import aggregate_run, compare_runs, write_aggregates
from srbench.run import open_run
from srbench.run.workers import Where
from srbench.scoring import Repairs
from srbench.signature import parse
from srbench.threads import single_threaded

NAMES = ("p225_001", "p225_002", "p226_001", "p226_002")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("audio")
    for place in ("reference", "spline", "sinc", "low"):
        (root / place).mkdir()
    for number, name in enumerate(NAMES):
        for model in ("spline", "sinc"):
            reference, estimate, _ = splined(2, number, model)
            audio.write(root / model / f"{name}.wav", estimate, RATE)
        audio.write(root / "reference" / f"{name}.wav", reference, RATE)
        audio.write(root / "low" / f"{name}.wav", audio.resample(reference, RATE, RATE // 2), RATE // 2)
    return root


def score_one(root: Path, results: Path, system: str = "spline", workers: int = 1, **asked):
    job = make_job(root / "reference", {system: root / system}, **asked)
    return score_system(job, system, results, where=Where(workers))


def test_the_numbers_are_those_of_the_function(folders: Path, tmp_path: Path):
    run = score_one(folders, tmp_path, cutoff=4000.0)
    for record in run.records:
        reference, _ = audio.read(folders / "reference" / f"{record.utterance}.wav")
        estimate, _ = audio.read(folders / "spline" / f"{record.utterance}.wav")
        with single_threaded():  # sums of several threads differ in the last digit
            score = srbench.score(reference, estimate, RATE, 4000.0)
        assert record.values == score.metrics
        assert record.checks == score.checks
        assert record.warnings == [warning.as_dict() for warning in score.warnings]
    assert [record.speaker for record in run.records] == ["p225", "p225", "p226", "p226"]
    assert list(run.records[0].values) == ["snr", "si_sdr", "mse", "lsd", "lsd_hf", "lsd_lf"]


def test_it_is_read_back_as_a_run_and_compared(folders: Path, tmp_path: Path):
    runs = []
    for system in ("spline", "sinc"):
        run = score_one(folders, tmp_path, system)
        write_aggregates(run, aggregate_run(run))
        runs.append(open_run(run.folder))
        assert [r.values for r in runs[-1].records] == [r.values for r in run.records]
    document = compare_runs(runs)
    assert document["pairs"][0]["metrics"]["snr"]["n"] == 4
    assert {path.name for path in runs[0].folder.iterdir()} == {
        *("manifest.json", "journal.jsonl", "utterances.csv", "pairs.csv", "aggregates.csv", "speakers.csv"),
        *("timings.csv", ".lock"),
    }


def test_workers_give_the_same_bytes(folders: Path, tmp_path: Path):
    one, two = (score_one(folders, tmp_path / str(workers), workers=workers).folder for workers in (1, 2))
    for name in ("utterances.csv", "pairs.csv"):
        assert (one / name).read_bytes() == (two / name).read_bytes()


def test_it_goes_on_where_it_was(folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    whole = score_one(folders, tmp_path / "whole").folder
    folder = score_one(folders, tmp_path / "killed").folder
    lines = (folder / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "journal.jsonl").write_bytes(b"".join(lines[:2]) + lines[2][:30])
    scored = []
    real = srbench.folders.task.score_pair
    monkeypatch.setattr("srbench.folders.task.score_pair", lambda *given: scored.append(1) or real(*given))
    assert score_one(folders, tmp_path / "killed").folder == folder
    assert len(scored) == 2
    assert (folder / "utterances.csv").read_bytes() == (whole / "utterances.csv").read_bytes()


@pytest.mark.parametrize("side", ["reference", "spline", "low"])
def test_a_changed_file_is_scored_again(folders: Path, tmp_path: Path, side: str):
    root = tmp_path / "audio"
    for place in ("reference", "spline", "low"):
        (root / place).mkdir(parents=True)
        for name in NAMES[:2]:
            os.link(folders / place / f"{name}.wav", root / place / f"{name}.wav")
    score_one(root, tmp_path / "r", low=root / "low")
    changed = root / side / f"{NAMES[0]}.wav"
    samples, rate = audio.read(changed)
    changed.unlink()
    audio.write(changed, samples * 0.5, rate)
    again = score_one(root, tmp_path / "r", low=root / "low")
    assert len((again.folder / "journal.jsonl").read_text().splitlines()) == (2 if side == "reference" else 3)
    if side != "low":
        assert "gain" in [warning["kind"] for warning in again.records[0].warnings]


def test_the_signature_holds_every_repair_and_the_references(folders: Path, tmp_path: Path):
    plain = make_job(folders / "reference", {"a": folders / "spline"}).signature
    fields = dict(parse(str(plain)).fields)
    assert {key: fields[key] for key in ("sr", "cutoff", "align", "length", "gain", "resample", "v")} == {
        "sr": "16000",
        "cutoff": "none",
        "align": "no",
        "length": "none",
        "gain": "no",
        "resample": "none",
        "v": "2",
    }
    seen = {str(plain)}
    for repairs in (Repairs(align=True), Repairs(match_length="pad"), Repairs(match_gain=True), Repairs(resample=True)):
        seen.add(str(make_job(folders / "reference", {"a": folders / "spline"}, repairs=repairs).signature))
    seen.add(str(make_job(folders / "reference", {"a": folders / "spline"}, cutoff=4000.0).signature))
    seen.add(str(make_job(folders / "sinc", {"a": folders / "spline"}).signature))
    assert len(seen) == 7


def test_what_cannot_be_scored_is_a_row_and_the_rest_goes_on(tmp_path: Path):
    reference, estimate, _ = splined(2)
    stereo, broken = np.stack([estimate, estimate], axis=1), estimate.copy()
    broken[5] = np.inf
    wrong = {
        "good": (estimate, RATE),
        "short": (estimate[:-3], RATE),
        "stereo": (stereo, RATE),
        "broken": (broken, RATE),
        "rate": (audio.resample(estimate, RATE, 24000), 24000),
    }
    (tmp_path / "reference").mkdir()
    (tmp_path / "made").mkdir()
    for name, (samples, rate) in wrong.items():
        audio.write(tmp_path / "reference" / f"{name}.wav", reference, RATE)
        soundfile.write(tmp_path / "made" / f"{name}.wav", samples, rate, subtype="FLOAT")
    audio.write(tmp_path / "reference" / "empty.wav", reference, RATE)
    (tmp_path / "made" / "empty.wav").touch()
    run = score_one(tmp_path, tmp_path / "r", "made")
    errors = {record.utterance: record.error for record in run.records}
    assert not errors.pop("good")
    assert {name: word in errors[name] for name, word in _ERRORS.items()} == dict.fromkeys(_ERRORS, True)
    kinds = {record.utterance: [w["kind"] for w in record.warnings] for record in run.records}
    for name, kind in {"short": "length", "stereo": "channels", "broken": "non-finite", "rate": "sample-rate"}.items():
        assert kind in kinds[name]
    mended = score_one(
        tmp_path, tmp_path / "r", "made", repairs=Repairs(match_length="shorter", resample=True, align=True)
    )
    assert {record.utterance for record in mended.records if record.error} == {"stereo", "broken", "empty"}
    with (mended.folder / "pairs.csv").open() as file:
        rows = {row["utterance"]: row for row in csv.DictReader(file)}
    assert rows["rate"]["repairs"].startswith("resampled from 24000 to 16000 Hz")
    assert rows["short"]["repairs"].startswith("reference cut from")
    assert rows["good"]["repairs"] == ""


_ERRORS = {
    "short": "3 samples shorter",
    "stereo": "2 channels (all equal)",
    "broken": "1 NaN or infinite",
    "rate": "at 24000 Hz",
    "empty": "empty file",
}


def test_swapped_files_are_named(folders: Path, tmp_path: Path):
    made = tmp_path / "swapped"
    made.mkdir()
    other = {NAMES[0]: NAMES[2], NAMES[2]: NAMES[0]}
    for name in NAMES:
        os.link(folders / "spline" / f"{other.get(name, name)}.wav", made / f"{name}.wav")
    job = make_job(folders / "reference", {"made": made}, repairs=Repairs(match_length="shorter"))
    run = score_system(job, "made", tmp_path / "r")
    fits = {r.utterance: w["fits"] for r in run.records for w in r.warnings if w["kind"] == "mismatch"}
    assert fits == other
    assert f"fits the reference of {NAMES[2]}" in (run.folder / "pairs.csv").read_text()


def test_low_resolution_files_give_the_cutoff_and_the_check(folders: Path, tmp_path: Path):
    run = score_one(folders, tmp_path, low=folders / "low")
    assert "cutoff:4000" in run.manifest.protocol_signature
    assert all(record.checks["low_band_db"] > 15 for record in run.records)
    with pytest.raises(SrbenchError, match="end at 4000 Hz, and the cutoff is said to be 2000 Hz"):
        score_one(folders, tmp_path, low=folders / "low", cutoff=2000.0)


def test_a_low_band_that_was_not_kept(folders: Path):
    reference, estimate, cutoff = splined(2)
    noise = np.random.default_rng(0).standard_normal(len(reference)) * reference.std() / 2
    score = srbench.score(reference, estimate + noise, RATE, cutoff)
    (found,) = [warning for warning in score.warnings if warning.kind == "low-band"]
    assert found.value == pytest.approx(score.checks["low_band_db"])
    assert 3 < found.value < 12


def test_a_system_that_lacks_a_file(folders: Path, tmp_path: Path):
    made = tmp_path / "fewer"
    made.mkdir()
    os.link(folders / "spline" / f"{NAMES[1]}.wav", made / f"{NAMES[1]}.wav")
    job = make_job(folders / "reference", {"whole": folders / "spline", "fewer": made})
    run = score_system(job, "fewer", tmp_path)
    assert [record.error for record in run.records] == ["there is no estimate", "", *["there is no estimate"] * 2]
    assert score_system(job, "whole", tmp_path).manifest.utterances == run.manifest.utterances


def test_references_of_several_rates(tmp_path: Path):
    for place in ("reference", "made"):
        (tmp_path / place).mkdir()
        for number, rate in enumerate((16000, 16000, 24000)):
            audio.write(tmp_path / place / f"{number}.wav", speech(number), rate)
    run = score_one(tmp_path, tmp_path / "r", "made")
    assert [bool(record.error) for record in run.records] == [False, False, True]
    assert "score them apart" in run.records[2].error


def test_cutoff_beyond_the_band(folders: Path):
    with pytest.raises(SrbenchError, match="between 0 and 8000 Hz"):
        make_job(folders / "reference", {"a": folders / "spline"}, cutoff=8000.0)
