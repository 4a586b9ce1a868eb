"""The listening test for webMUSHRA: its configuration, and what its files hold."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from made_runs import telling
from test_site import IMAGE, SCRIPT, outside_run, small_protocol, small_runs

from srbench import audio
from srbench.corpora import demo_corpus
from srbench.errors import SrbenchError
from srbench.protocols import prepare as prepare_pair
from srbench.report.mushra import export_mushra
from srbench.report.site.names import file_names
from srbench.run import Run
from srbench.run.basis import Basis, of_protocol


def basis() -> Basis:
    return of_protocol(small_protocol())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Run], Path]:
    return small_runs(tmp_path_factory.mktemp("runs"))


def pages(path: Path) -> list[dict[str, Any]]:
    """Read the pages back: block YAML, four spaces a level, every scalar as in JSON; anything else is refused."""
    found: list[dict[str, Any]] = []
    stimuli = False
    _, _, text = path.read_text().partition("\npages:\n")
    for line in text.splitlines():
        parts = re.fullmatch(r"(    - |      |          )([A-Za-z0-9._-]+):(?: (.+))?", line)
        assert parts, line
        lead, key, value = parts.groups()
        if lead == "    - ":
            found.append({})
        stimuli = stimuli and len(lead) == 10
        target = found[-1]["stimuli"] if stimuli else found[-1]
        target[key] = json.loads(value) if value else {}
        stimuli = stimuli or key == "stimuli"
    return found


def test_a_page_an_utterance_a_condition_an_upscaler(made: tuple[list[Run], Path], tmp_path: Path):
    runs, plugin = made
    assert export_mushra(tmp_path, basis(), runs, demo_corpus(), plugins=(plugin,), utterances=2) == []
    head = (tmp_path / "demo.yaml").read_text().splitlines()
    assert head[:3] == ['testname: "srbench: demo"', 'testId: "demo"', "bufferSize: 2048"]
    *trials, finish = pages(tmp_path / "demo.yaml")
    assert finish["type"] == "finish"
    assert [trial["id"] for trial in trials] == ["demo1_001", "demo1_003"]
    hostile = {file_names([name])[name] for name in (SCRIPT, IMAGE)}
    for trial in trials:
        assert trial["type"] == "mushra"
        assert trial["stimuli"].keys() == {"low-resolution", "spline", "sinc", "linear"} | hostile  # not the anchors
        assert trial["strict"] is True
        assert trial["showConditionNames"] is False
        assert (trial["createAnchor35"], trial["createAnchor70"]) == (False, False)  # the cutoff is at 2 kHz
        utterance = demo_corpus().by_id()[trial["id"]]
        reference = prepare_pair(*audio.read(utterance.path), small_protocol()).reference
        lengths = set()
        for path in (trial["reference"], *trial["stimuli"].values()):
            assert path.startswith("configs/demo/")
            samples, rate = soundfile.read(tmp_path / path.removeprefix("configs/"))
            assert rate == 16000
            lengths.add(len(samples))
        assert lengths == {len(reference)}
        played, _ = soundfile.read(tmp_path / trial["reference"].removeprefix("configs/"))
        gain = played @ reference / (reference @ reference)
        np.testing.assert_allclose(played, gain * reference, rtol=0, atol=1 / 32768)


def test_the_files_of_the_hidden_reference_and_the_low_anchor_differ(made: tuple[list[Run], Path], tmp_path: Path):
    runs, _ = made
    export_mushra(tmp_path, basis(), runs[:1], demo_corpus(), only=["demo1_002"])
    trial, _ = pages(tmp_path / "demo.yaml")
    reference, low = (
        soundfile.read(tmp_path / path.removeprefix("configs/"))[0]
        for path in (trial["reference"], trial["stimuli"]["low-resolution"])
    )
    spectrum = np.abs(np.fft.rfft([reference, low])) ** 2
    above = np.fft.rfftfreq(len(low), 1 / 16000) > 2500
    assert spectrum[1, above].sum() < 1e-4 * spectrum[0, above].sum()


def test_anchors_of_webmushra_only_below_the_cutoff(
    made: tuple[list[Run], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    runs, _ = made
    protocol = small_protocol()
    for cutoff, wanted in ((3500.0, (False, False)), (4000.0, (True, False)), (8000.0, (True, True))):
        with monkeypatch.context() as patch:
            patch.setattr(type(protocol), "cutoff", cutoff)
            export_mushra(tmp_path, of_protocol(protocol), runs[:1], demo_corpus(), utterances=1)
        trial, _ = pages(tmp_path / "demo.yaml")
        assert (trial["createAnchor35"], trial["createAnchor70"]) == wanted


def test_more_than_the_recommendation_allows_is_said(made: tuple[list[Run], Path], tmp_path: Path):
    runs, _ = made
    many = [telling(runs[0], name=f"spline{k}") for k in range(11)]
    audio_folder = runs[0].folder / "audio"
    audio_folder.mkdir(exist_ok=True)
    utterance = demo_corpus().by_id()["demo1_001"]
    reference = prepare_pair(*audio.read(utterance.path), small_protocol()).reference
    audio.write(audio_folder / "demo1_001.wav", reference, 16000)  # what a run kept is heard, whoever made it
    notes = export_mushra(tmp_path, basis(), many, demo_corpus(), only=["demo1_001"])
    (audio_folder / "demo1_001.wav").unlink()
    assert notes == ["13 conditions a page: BS.1534 asks for 12 at the most; take fewer upscalers"]
    assert pages(tmp_path / "demo.yaml")[0]["strict"] is False


def test_what_cannot_be_heard(made: tuple[list[Run], Path], tmp_path: Path):
    runs, _ = made
    notes = export_mushra(tmp_path, basis(), runs[3:5], demo_corpus())  # plug-ins that are not given
    assert notes[-1] == "demo: no listening test, there is nothing to be heard"
    assert not list(tmp_path.glob("*.yaml"))
    notes = export_mushra(tmp_path, basis(), runs[:1], demo_corpus(), only=["demo1_001", "nobody"])
    assert notes == ["demo: no run here scored nobody: not in the test"]
    (tmp_path / "file").write_text("")
    with pytest.raises(SrbenchError, match="cannot write the listening test to"):
        export_mushra(tmp_path / "file", basis(), runs[:1], demo_corpus())


def test_the_same_input_gives_the_same_files(made: tuple[list[Run], Path], tmp_path: Path):
    runs, plugin = made
    for name in ("a", "b"):
        export_mushra(tmp_path / name, basis(), runs, demo_corpus(), plugins=(plugin,), utterances=1)
    a, b = ({p.relative_to(tmp_path / n): p.read_bytes() for p in (tmp_path / n).rglob("*.*")} for n in ("a", "b"))
    assert a == b
    assert len(a) == 8  # reference, low resolution, five upscalers, the configuration


def test_an_utterance_of_any_name_is_text(tmp_path: Path):
    """WebMUSHRA writes a page's name as HTML, and asks for files by their names as they are."""
    run, corpus = outside_run(tmp_path)
    export_mushra(tmp_path / "test", basis(), [run], corpus, plugins=(tmp_path / "says.py",))
    trial, _ = pages(tmp_path / "test" / "demo.yaml")
    assert trial["name"] == "&lt;b&gt;Ann/&lt;img src=x onerror=1&gt;"
    assert "<" not in (tmp_path / "test" / "demo.yaml").read_text()
    for path in (tmp_path / "test").rglob("*"):
        assert re.fullmatch(r"[A-Za-z0-9._-]+", path.name), path
