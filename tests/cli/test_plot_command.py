"""``srbench plot`` as a person meets it: figures, exit status, messages, JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from kit import Cli, refused

pytest.importorskip("matplotlib")
pytest.importorskip("seaborn")
COMMAND = "plot"
TWO = ("--model", "spline", "--model", "linear")
PLUGIN = """
    import numpy as np
    from srbench.upscaler import upscaler

    @upscaler("random")
    def random(low, low_rate, high_rate):
        return np.random.normal(0, 0.1, 4 * len(low))

    @upscaler("picky")
    def picky(low, low_rate, high_rate):
        if len(low) == 14880:  # the first utterance of the demo corpus
            raise ValueError("not this one")
        return low.repeat(4)
"""


def document(result: tuple[int, str, str], status: int = 0) -> dict[str, Any]:
    assert result[0] == status, result
    found: dict[str, Any] = json.loads(result[1])
    assert all(Path(file).stat().st_size for file in found["files"])
    return found


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_spectrogram(cli: Cli, ending: str):
    found = document(cli("spectrogram", *TWO, "--out", f"a.{ending}", "--json"))
    assert (found["files"], found["utterance"]) == ([f"a.{ending}"], "demo1_001")
    assert found["shown"] == [0, found["seconds"]]
    assert found["scores"]["spline"]["snr"] == pytest.approx(13.4616, abs=0.01)
    assert found["scores"]["spline"]["lsd"] == pytest.approx(3.6048, abs=0.001)
    assert found["protocol_signature"].startswith("PROTOCOL|corpus:demo-1|")


def test_spectrogram_of_a_stretch_in_words(cli: Cli):
    status, out, err = cli("spectrogram", *TWO, "--utterance", "demo1_003", "--from", 0.5, "--to", 99, "--out", "a.png")
    assert (status, err) == (0, "")
    assert out.splitlines() == ["a.png: utterance demo1_003", "The corpus is synthetic speech."]


def test_a_random_upscaler_scores_as_in_a_run(cli: Cli, plugin: Path, tmp_path: Path):
    asked = ("--plugin", plugin, "--model", "random")
    drawn = document(cli("spectrogram", *asked, "--out", "a.png", "--json"))
    ran = document(cli("distribution", *asked, "--limit", 1, "--metric", "snr", "--out", "b.png", "--json"))
    assert ran["metrics"]["snr"]["random"]["mean"] == drawn["scores"]["random"]["snr"]


def test_spectrum(cli: Cli):
    found = document(cli("spectrum", *TWO, "--limit", 2, "--out", "a.svg", "--json"))
    assert (found["n"], found["left_out"]) == (2, {})
    below, above = found["bands"][:2]
    assert (below["from_hz"], below["to_hz"], above["to_hz"]) == (0, 2000, 8000)
    assert list(below["mean"]) == ["low resolution", "spline", "linear", "reference"]
    assert abs(below["mean"]["spline"] - below["mean"]["reference"]) < 0.5
    assert above["mean"]["spline"] < above["mean"]["reference"] - 10


def test_lsd(cli: Cli):
    found = document(cli("lsd", *TWO, "--limit", 2, "--out", "a.pdf", "--json"))
    below, above = (band["mean"] for band in found["bands"][:2])
    assert list(below) == ["spline", "linear"]
    assert below["spline"] < 1 < above["linear"] < above["spline"]
    status, out, _ = cli("lsd", *TWO, "--utterance", "demo1_002", "--out", "a.png")
    assert (status, out.splitlines()[0]) == (0, "a.png: LSD over frequency: demo, demo1_002")


def test_an_utterance_that_fails_is_left_out_and_told(cli: Cli, plugin: Path):
    asked = ("--plugin", plugin, "--model", "picky", "--model", "spline", "--limit", 2, "--json")
    result = cli("lsd", *asked, "--out", "a.png")
    found = document(result, status=1)
    assert (found["n"], list(found["left_out"])) == (1, ["demo1_001"])
    assert "left out: demo1_001: upscaler picky raised ValueError: not this one" in result[2]
    found = document(cli("distribution", *asked, "--metric", "snr", "--out", "b.png"), status=1)
    assert (found["failed"], found["metrics"]["snr"]["spline"]["n"]) == (1, 1)
    assert "SNR: 1 of 2 utterances, on which all have a finite value." in found["notes"]
    refused(cli("spectrogram", *asked[:6], "--out", "c.png"), "picky raised")


def test_distribution_of_runs_on_disk_and_made_now(cli: Cli):
    quick = ("--metric", "snr", "--metric", "lsd", "--limit", 3)
    found = document(cli("distribution", *TWO, *quick, "--results", "mine", "--out", "a.png", "--json"))
    assert {name: each["n"] for name, each in found["metrics"]["lsd"].items()} == {"spline": 3, "linear": 3}
    assert all(Path(folder).parent == Path("mine/demo") for folder in found["runs"])
    again = document(cli("distribution", "mine", "--by", "speaker", "--out", "b.png", "--json"))
    assert again["metrics"] == {metric: dict(sorted(found["metrics"][metric].items())) for metric in ("snr", "lsd")}
    status, out, _ = cli("distribution", found["runs"][0], "--out", "c.png")
    assert (status, out.splitlines()[0]) == (0, "c.png: demo: 3 of 28 utterances, 1 speaker")


def test_runs_on_another_corpus_beside_the_protocols_own_are_left_out(cli: Cli, tmp_path: Path):
    quick = ("--model", "linear", "--metric", "snr", "--limit", 2, "--results", "mixed")
    own = document(cli("distribution", *quick, "--out", "a.png", "--json"))
    walk = np.cumsum(np.random.default_rng(0).uniform(-1, 1, 4800))
    (tmp_path / "mine").mkdir()
    for name in ("one", "two"):
        soundfile.write(tmp_path / "mine" / f"{name}.wav", 0.5 * walk / np.abs(walk).max(), 16000)
    document(cli("distribution", *quick, "--data", tmp_path / "mine", "--out", "b.png", "--json"))
    found = document(cli("distribution", "mixed", "--out", "c.png", "--json"))
    assert found["runs"] == own["runs"]
    assert any(note.startswith("Left out: 1 runs on other corpora") for note in found["notes"])


def test_anchors_are_drawn_when_asked_for(cli: Cli):
    cli(*TWO, "--metric", "snr", "--metric", "lsd", "--limit", "2", "--json", command="run")
    without = document(cli("distribution", "results", "--out", "a.png", "--json"))
    assert set(without["metrics"]["snr"]) == {"spline", "linear"}
    found = document(cli("distribution", "results", "--anchors", "--out", "b.png", "--json"))
    assert set(found["metrics"]["snr"]) == {"spline", "linear", "ceiling"}
    assert set(found["metrics"]["lsd"]) == {"spline", "linear", "ceiling", "reference"}
    assert "SNR: reference has no finite value." in found["notes"]
    (folder,) = [path for path in Path("results/demo").iterdir() if path.name.startswith("anchor-ceiling")]
    refused(cli("distribution", folder, "--out", "c.png"), "only anchors", "--anchors")


def test_misuse(cli: Cli, tmp_path: Path):
    out = ("--out", "a.png")
    refused(cli("spectrogram", *TWO, "--out", "a.jpg"), "a.jpg: a figure's file ends in .png, .svg, .pdf")
    refused(cli("spectrum", *TWO, "--out", "no/a.png"), "there is no folder no")
    refused(cli("lsd", "--model", "splin", *out), "unknown upscaler 'splin'", "Did you mean 'spline'")
    refused(cli("lsd", "--model", "spline", "--protocol", "dem", *out), "unknown protocol 'dem'")
    refused(cli("lsd", "--model", "spline", "--data", "nowhere", *out), "nowhere: no such folder")
    refused(cli("spectrogram", *TWO, "--utterance", "demo1_01", *out), "among the 28 of demo", "Did you mean 'demo1_0")
    refused(cli("spectrogram", *TWO, "--from", 2, "--to", 1, *out), "--from 2 --to 1: nothing to show")
    refused(cli("spectrogram", *TWO, "--from", 50, *out), "nothing to show of an utterance of 3.72 s")
    refused(cli("spectrogram", *TWO, "--from", "nan", *out), "nothing to show")
    refused(cli("distribution", *out), "nothing to draw", "--model")
    refused(cli("distribution", "nowhere", *out), "no such folder")
    refused(cli("distribution", tmp_path, *out), "holds no run")
    refused(cli("spectrum", *TWO), "Missing option '--out'")
    assert not (tmp_path / "a.png").exists()


@pytest.mark.parametrize("absent", ["matplotlib", "seaborn"])
@pytest.mark.parametrize("figure", ["spectrogram", "spectrum", "lsd", "distribution"])
def test_without_the_extra(cli: Cli, monkeypatch: pytest.MonkeyPatch, absent: str, figure: str):
    monkeypatch.setitem(sys.modules, absent, None)
    refused(cli(figure, *TWO, "--out", "a.png"), "pip install 'srbench[plots]'")


def test_no_display_is_needed(tmp_path: Path):
    environment = {key: value for key, value in os.environ.items() if key != "DISPLAY"} | {"MPLBACKEND": "TkAgg"}
    command = "-W error::DeprecationWarning -m srbench plot lsd --model linear --utterance demo1_001 --out a.png --json"
    done = subprocess.run(
        [sys.executable, *command.split()],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["files"] == ["a.png"]


def test_help_names_the_figures(cli: Cli):
    status, out, _ = cli("--help")
    assert status == 0
    for word in ("spectrogram", "spectrum", "lsd", "distribution", "srbench[plots]"):
        assert word in out
