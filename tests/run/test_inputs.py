"""What upscalers are given, as files."""

from __future__ import annotations

import hashlib
import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile

from srbench import audio
from srbench.errors import SrbenchError
from srbench.protocols import load_protocol, prepare
from srbench.run import make_plan
from srbench.run.inputs import FORMATS, header_rate, write_inputs, write_low

DEMO = load_protocol("demo")
PLAN = make_plan(DEMO, limit=3)


def test_the_files_hold_what_a_plug_in_is_given(tmp_path: Path) -> None:
    written = write_inputs(PLAN, tmp_path / "in", references=True)
    assert (written.n, written.clipped, written.failures) == (3, 0, {})
    manifest = json.loads((tmp_path / "in" / "inputs.json").read_text())
    assert manifest["protocol_signature"] == str(PLAN.signature)
    for utterance in PLAN.utterances:
        prepared = prepare(*audio.read(utterance.path), DEMO)
        entry = manifest["files"][utterance.id]
        for kind, samples, rate in (("input", prepared.low, 4000), ("reference", prepared.reference, 16000)):
            path = tmp_path / "in" / entry[kind]["file"]
            found, its_rate = soundfile.read(path)
            assert np.array_equal(found, samples)
            assert its_rate == rate
            assert hashlib.sha256(path.read_bytes()).hexdigest() == entry[kind]["sha256"]
        assert (entry["samples"], entry["estimate_samples"]) == (len(prepared.low), len(prepared.reference))
    assert (tmp_path / "in" / f"{PLAN.utterances[0].id}.wav").is_file()


@pytest.mark.parametrize(
    ("form", "subtype", "step"), [("float32", "FLOAT", 2**-24), ("flac", "PCM_24", 2**-23), ("pcm16", "PCM_16", 2**-15)]
)
def test_other_formats(tmp_path: Path, form: str, subtype: str, step: float) -> None:
    low = np.linspace(-0.9, 0.9, 1000)
    path = write_low(low, 4000, tmp_path, "a/b", form)
    assert path == tmp_path / f"a/b{FORMATS[form].suffix}"
    assert soundfile.info(path).subtype == subtype
    assert np.abs(soundfile.read(path)[0] - low).max() <= step


def test_samples_that_are_cut_off_are_counted(tmp_path: Path) -> None:
    folder = tmp_path / "loud"
    folder.mkdir()
    loud = np.sin(np.arange(16000) / 40) * 1.5
    soundfile.write(folder / "a.wav", loud, 16000, subtype="FLOAT")
    plan = make_plan(DEMO, folder)
    assert write_inputs(plan, tmp_path / "f").clipped == 0
    assert 1000 < write_inputs(plan, tmp_path / "i", form="pcm16").clipped < 3000


def test_a_rate_that_is_no_whole_number() -> None:
    assert header_rate(Fraction(8000, 3)) == 2667


def test_no_id_leads_out(tmp_path: Path) -> None:
    with pytest.raises(SrbenchError, match="leads out"):
        write_low(np.zeros(10), 4000, tmp_path / "in", "../a", "float")


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "thesis.txt").write_text("years")
    with pytest.raises(SrbenchError, match="not empty"):
        write_inputs(PLAN, tmp_path / "in")
    assert [each.name for each in tmp_path.rglob("*")] == ["in", "thesis.txt"]


def test_its_own_folder_is_written_anew_and_what_else_lies_there_stays(tmp_path: Path) -> None:
    write_inputs(PLAN, tmp_path / "in")
    (tmp_path / "in" / "notes.txt").write_text("mine")
    write_inputs(make_plan(DEMO, limit=1), tmp_path / "in", form="flac")
    names = sorted(each.name for each in (tmp_path / "in").iterdir())
    assert names == [f"{PLAN.utterances[0].id}.flac", "inputs.json", "notes.txt"]
    assert [each.name for each in tmp_path.iterdir()] == ["in"]


def test_it_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("srbench.run.inputs._write_manifest", full)
    with pytest.raises(OSError, match="space"):
        write_inputs(PLAN, tmp_path / "in")
    assert list(tmp_path.iterdir()) == []
