"""``srbench compare`` as a person meets it: tables, JSON, exit status, messages, the figure."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from kit import Cli, refused

PLUGIN = """
    from srbench.upscaler import upscaler

    @upscaler("picky")
    def picky(low, low_rate, high_rate):
        if abs(low).max() > 0.5:
            raise ValueError("too [/loud]")
        return low.repeat(4)

    @upscaler("[bold]")
    def bold(low, low_rate, high_rate):
        return 0.9 * low.repeat(4)
"""
COMMAND = "compare"
SNR = ("--metric", "snr")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a corpus of seven speakers, one of them loud."""
    folder = tmp_path / "data"
    for number, speaker in enumerate("abcdefg"):
        (folder / speaker).mkdir(parents=True)
        for take in (1, 2):
            noise = np.cumsum(np.random.default_rng(10 * number + take).uniform(-1, 1, 4800))
            level = 0.9 if speaker == "g" else 0.2
            soundfile.write(folder / speaker / f"{take}.wav", level * noise / np.abs(noise).max(), 16000)
    return folder


def row(text: str, start: str) -> list[str]:
    """Return the words of the table's first row that starts so."""
    return next(line for line in text.splitlines() if line.strip().startswith(start)).split()


def test_tables(cli: Cli, data: Path) -> None:
    arguments = ("linear", "hold", "--data", data, *SNR, "--metric", "mse")
    status, out, err = cli(*arguments)
    assert (status, err) == (0, "")
    document = json.loads(cli(*arguments, "--json")[1])
    values = document["pairs"][0]["metrics"]
    snr = values["snr"]
    assert (snr["a_wins"], snr["n"], snr["resampled"], snr["p_value"]) == (14, 14, "speakers", 2 / 2**7)
    assert snr["p_holm"] == 4 / 2**7
    assert "linear − hold" in out
    numbers = (f"{snr['mean_a']:.2f}", f"{snr['mean_b']:.2f}", f"{snr['mean_difference']:+.2f}", f"{snr['p_holm']:.3f}")
    assert row(out, "SNR dB ↑") == ["SNR", "dB", "↑", *numbers, "linear"]
    assert f"[{snr['ci95'][0]:.2f}, {snr['ci95'][1]:.2f}]" in out
    assert "14/0/0" in out
    assert row(out, "MSE ↓")[-1] == "linear"
    assert "7 speakers resampled" in out
    assert "corrected for 2 tests (Holm)" in out
    for signature in (document["protocol_signature"], *(value["signature"] for value in values.values())):
        assert signature in out
    assert "by speaker" not in out
    named = [
        line.split()[0]
        for line in out[out.index("Files to open:") : out.index("For your paper")].split("\n\n")[0].splitlines()[1:]
    ]
    assert [Path(name).is_file() for name in named] == [True, True]


def test_no_difference_is_not_dressed_up(cli: Cli, data: Path, tmp_path: Path) -> None:
    """Fewer than six speakers cannot show one: told in a note and in the row, whatever the numbers."""
    for speaker in "efg":
        for file in (data / speaker).iterdir():
            file.unlink()
    status, out, _ = cli("linear", "hold", "--data", data, *SNR)
    assert status == 0
    assert "4 speakers are too few:" in out
    assert "No p-value can be below 0.12" in out
    assert row(out, "SNR dB ↑")[-3:] == ["no", "difference", "shown"]


def test_speakers_and_utterances_by_name(cli: Cli, data: Path) -> None:
    arguments = ("linear", "hold", "spline", "--data", data, *SNR, "--metric", "mse")
    out = cli(*arguments, "--per-speaker", "--sort-by", "mse")[1]
    value = json.loads(cli(*arguments, "--json")[1])["pairs"][0]["metrics"]
    assert out.count("by speaker") == out.count("Where they differ most in MSE") == 3
    line = next(line for line in out.splitlines() if line.startswith("│g "))
    assert f"{value['snr']['speakers'][-1]['mean_difference']:+.2f}  2:0" in line
    most = value["mse"]["most_different"][0]
    assert row(out, most["utterance"]) == [
        most["utterance"],
        *(f"{most[key]:.2e}" for key in "ab"),
        f"{most['difference']:+.2e}",
    ]


def test_finished_runs_are_not_run_again(cli: Cli, data: Path, tmp_path: Path) -> None:
    for name in ("linear", "hold"):
        assert cli("--model", name, "--data", data, *SNR, "--no-anchors", command="run")[0] == 0
    journals = {path: path.read_bytes() for path in (tmp_path / "results").rglob("journal.jsonl")}
    assert len(journals) == 2
    by_name = json.loads(cli("linear", "hold", "--data", data, *SNR, "--json")[1])
    by_folder = json.loads(cli(*sorted((path.parent for path in journals), reverse=True), "--json")[1])
    assert by_folder["pairs"] == by_name["pairs"]
    mixed = json.loads(cli(by_name["runs"][0]["run_dir"], "hold", "--data", data, *SNR, "--json")[1])
    assert mixed["pairs"] == by_name["pairs"]
    assert {path: path.read_bytes() for path in (tmp_path / "results").rglob("journal.jsonl")} == journals
    cli("linear", "hold", "--data", data, *SNR, "--fresh")
    assert all(path.read_bytes() != before for path, before in journals.items())  # the timings


def test_some_metrics_of_a_finished_run(cli: Cli, tmp_path: Path) -> None:
    """A run of all the protocol's metrics serves for a few: asking for fewer tests runs nothing."""
    own = tmp_path / "mine.toml"
    own.write_text(
        'title = "Mine"\ncorpus = "demo-1"\nsplit = "demo"\nside = "test"\nlow_rate = 8000\nhigh_rate = 16000\n'
        'metrics = ["snr", "mse"]\n[degradation]\nkind = "sinc"\n'
    )
    arguments = ("linear", "hold", "--protocol", own, "--limit", 3)
    assert cli(*arguments)[0] == 0
    folders = sorted((tmp_path / "results" / "mine").iterdir())
    document = json.loads(cli(*arguments, "--metric", "mse", "--json")[1])
    assert list(document["pairs"][0]["metrics"]) == ["mse"]
    assert document["tests"] == 1
    assert sorted((tmp_path / "results" / "mine").iterdir()) == folders
    assert cli(*arguments, "--metric", "lsd")[0] == 0  # not one of them: run for it
    assert len(list((tmp_path / "results" / "mine").iterdir())) == 4


def test_failed_utterances(cli: Cli, data: Path, plugin: Path) -> None:
    arguments = ("picky", "linear", "--plugin", plugin, "--data", data, *SNR)
    status, out, err = cli(*arguments)
    assert (status, err) == (1, f"srbench: running code of plug-in {plugin}\n")
    assert "failed: picky on g/1: upscaler picky raised ValueError: too [/loud]" in out
    assert "SNR: 2 utterances have a value in one only: left out." in out
    status, out, _ = cli(*arguments, "--json")
    document = json.loads(out)
    assert (status, document["runs"][0]["failed"]) == (1, 2)
    assert (document["pairs"][0]["metrics"]["snr"]["n"], document["pairs"][0]["metrics"]["snr"]["unpaired"]) == (12, 2)


def test_names_are_printed_as_text(cli: Cli, data: Path, plugin: Path) -> None:
    status, out, _ = cli("[bold]", "linear", "--plugin", plugin, "--data", data, *SNR, "--per-speaker")
    assert status == 0
    assert "[bold] − linear" in out


@pytest.mark.parametrize("as_json", [False, True])
def test_plot(cli: Cli, data: Path, tmp_path: Path, as_json: bool) -> None:
    more = ("--json",) if as_json else ()
    status, out, err = cli("linear", "hold", "--data", data, *SNR, "--plot", "x.svg", *more)
    assert (status, err) == (0, "")
    assert "linear − hold, dB" in (tmp_path / "x.svg").read_text(encoding="utf-8")
    if as_json:
        assert json.loads(out)["plot"] == "x.svg"
    else:
        assert "x.svg" in [line.split()[0] for line in out.splitlines() if line.strip()]


def test_misuse(cli: Cli, data: Path, tmp_path: Path) -> None:
    mine = ("--data", data, *SNR)
    refused(cli(*mine), "Missing argument", "srbench compare --help")
    refused(cli("linear", *mine), "needs two upscalers or runs, not only 'linear'")
    refused(cli("linear", "splin", *mine), "unknown upscaler 'splin'. Did you mean 'spline'?")
    refused(cli("linear", "hold", "--data", data, "--metric", "snrr"), "Did you mean 'snr'?")
    refused(cli("linear", "hold", *mine, "--sort-by", "msee"), "unknown metric 'msee'. Did you mean 'mse'?")
    refused(cli("linear", "hold", *mine, "--plot", "x.gif"), "x.gif", ".png")
    refused(cli("linear", "hold", "--data", "gone"), "gone: no such folder")
    (tmp_path / "some" / "folder").mkdir(parents=True)
    refused(cli("linear", "some/folder", *mine), "some/folder: is not the folder of a run (no manifest.json in it)")
    assert not (tmp_path / "results").exists()
    refused(cli("linear", "hold", *mine, "--sort-by", "mse"), "--sort-by mse: not among the metrics compared: snr")
    refused(cli("linear", "linear", *mine), "is named twice")
    refused(cli("linear", "srbench:linear", *mine), "is named twice")


def test_a_folder_named_like_an_upscaler_is_no_run(cli: Cli, data: Path, tmp_path: Path) -> None:
    (tmp_path / "linear").mkdir()
    assert cli("linear", "hold", "--data", data, *SNR)[0] == 0


def test_runs_that_do_not_compare(cli: Cli, data: Path, tmp_path: Path) -> None:
    assert cli("linear", "hold", "--data", data, *SNR)[0] == 0
    (linear,) = (tmp_path / "results" / "demo").glob("linear-*")
    # told before the other is run in vain
    refused(cli(linear, "spline", *SNR), "cannot be compared: their protocols differ in corpus folder against demo-1")
    refused(cli(linear, "spline", "--data", data, *SNR, "--limit", 3), "not of the same utterances (14 against 3)")
    assert not list((tmp_path / "results" / "demo").glob("spline-*"))
    manifest = linear / "manifest.json"
    manifest.write_text("{}")
    refused(cli(linear, "hold", "--data", data, *SNR), "is not the manifest of a run")
