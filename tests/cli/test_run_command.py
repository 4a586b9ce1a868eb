"""``srbench run`` as a person meets it: exit status, messages, JSON, files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
from kit import Cli, refused

PLUGIN = """
    import os
    from srbench.upscaler import upscaler

    @upscaler("prints")
    def prints(low, low_rate, high_rate):
        print("hello")
        return low.repeat(4)

    @upscaler("picky")
    def picky(low, low_rate, high_rate):
        if abs(low).max() > 0.5:
            raise ValueError("too [/loud]")
        return low.repeat(4)

    @upscaler("on_device")
    class OnDevice:
        def __init__(self, device="cpu"):
            if device not in ("cpu", "cuda"):
                raise ValueError(f"no device {device}")
        def upscale(self, low, low_rate, high_rate):
            return low.repeat(4)
"""
COMMAND = "run"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for name, level in (("one", 0.1), ("two", 0.2), ("loud", 0.9)):
        noise = np.cumsum(np.random.default_rng(0).uniform(-1, 1, 4800))
        soundfile.write(folder / f"{name}.wav", level * noise / np.abs(noise).max(), 16000)
    return folder


QUICK = ("--metric", "snr", "--no-anchors")


def test_leaderboard_and_files(cli: Cli, data: Path, tmp_path: Path) -> None:
    status, out, err = cli("--model", "linear", "--data", data, "--metric", "snr", "--metric", "mse")
    assert (status, err) == (0, "")
    for text in ("SNR dB ↑", "MSE ↓", "linear", "spline", "ceiling", "reference", "PROTOCOL|corpus:folder|split:all."):
        assert text in out
    files = out[out.index("Files to open:") : out.index("For your paper")].strip()
    named = [line.split()[0] for line in files.splitlines()[1:]]
    assert len(named) == 2
    assert all((tmp_path / name).is_file() for name in named)
    board = pd.read_csv(tmp_path / named[0])
    assert board["upscaler"].tolist() == ["linear", "spline", "ceiling", "reference"]


def test_no_anchors(cli: Cli, data: Path) -> None:
    status, out, _ = cli("--model", "spline", "--data", data, *QUICK, "--json")
    document = json.loads(out)
    assert (status, document["anchors"]) == (0, [])
    assert [model["name"] for model in document["models"]] == ["spline"]


def test_the_spline_stands_once(cli: Cli, data: Path) -> None:
    document = json.loads(cli("--model", "spline", "--data", data, "--metric", "snr", "--json")[1])
    assert [entry["name"] for entry in document["models"]] == ["spline"]
    assert [entry["name"] for entry in document["anchors"]] == ["ceiling", "reference"]


def test_the_spline_stands_once_by_its_full_name(cli: Cli, data: Path) -> None:
    document = json.loads(cli("--model", "srbench:spline", "--data", data, "--metric", "snr", "--json")[1])
    assert [entry["name"] for entry in document["anchors"]] == ["ceiling", "reference"]


def test_another_packages_spline_does_not_stop_every_run(data: Path, tmp_path: Path) -> None:
    info = tmp_path / "site" / "other.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[srbench.upscalers]\nspline = nowhere:spline\n")
    done = subprocess.run(
        [sys.executable, "-m", "srbench", "run", "--model", "linear", "--data", "data", "--metric", "snr", "--json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path / "site"), *sys.path])},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert [entry["name"] for entry in json.loads(done.stdout)["anchors"]] == ["spline", "ceiling", "reference"]


def test_a_model_given_twice_runs_once(cli: Cli, data: Path) -> None:
    document = json.loads(
        cli("--model", "hold", "--model", "linear", "--model", "hold", "--data", data, *QUICK, "--json")[1]
    )
    assert [model["name"] for model in document["models"]] == ["hold", "linear"]


def test_json_is_one_document_though_the_plugin_prints(cli: Cli, data: Path, plugin: Path) -> None:
    status, out, err = cli("--model", "prints", "--plugin", plugin, "--data", data, *QUICK, "--json")
    document = json.loads(out)
    assert (status, document["models"][0]["n"], document["split"]["found"]) == (0, 3, 3)
    assert err.count("hello") == 3


@pytest.mark.parametrize("workers", ["1", "2"])
def test_json_is_one_document_though_loading_prints(workers: str, data: Path, tmp_path: Path) -> None:
    """A module that prints when it is imported, a class that prints when it is built; in a real process."""
    code = """
        from srbench.upscaler import upscaler
        print("importing")
        @upscaler("loud")
        class Loud:
            def __init__(self):
                print("building")
            def upscale(self, low, low_rate, high_rate):
                print("working")
                return low.repeat(4)
    """
    (tmp_path / "loud.py").write_text(dedent(code))
    arguments = ["run", "--model", "loud", "--plugin", "loud.py", "--data", "data", *QUICK, "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "srbench", *arguments, "--workers", workers],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    assert json.loads(done.stdout)["models"][0]["n"] == 3


def test_json_of_a_description_with_a_path_in_it(cli: Cli, data: Path, tmp_path: Path) -> None:
    code = """
        import pathlib
        import numpy as np
        from srbench.upscaler import upscaler
        @upscaler("told")
        class Told:
            def upscale(self, low, low_rate, high_rate):
                return low.repeat(4)
            def describe(self):
                return {"weights": pathlib.Path("w"), "steps": np.int64(3)}
    """
    (tmp_path / "told.py").write_text(dedent(code))
    status, out, _ = cli("--model", "told", "--plugin", tmp_path / "told.py", "--data", data, *QUICK, "--json")
    assert (status, json.loads(out)["models"][0]["provenance"]["steps"]) == (0, 3)


def test_failing_utterance_is_status_1(cli: Cli, data: Path, plugin: Path, tmp_path: Path) -> None:
    arguments = ("--model", "picky", "--plugin", plugin, "--data", data, *QUICK)
    status, out, err = cli(*arguments)
    assert (status, err) == (1, f"srbench: running code of plug-in {plugin}\n")
    assert "failed: picky on loud: upscaler picky raised ValueError: too [/loud]" in out
    (table,) = (tmp_path / "results" / "demo").glob("picky-*/utterances.csv")
    rows = pd.read_csv(table, keep_default_na=False).set_index("utterance")
    assert rows["status"].to_dict() == {"loud": "failed", "one": "ok", "two": "ok"}
    assert rows.loc["loud", "error"] == "upscaler picky raised ValueError: too [/loud]"
    status, out, _ = cli(*arguments, "--json")
    (model,) = json.loads(out)["models"]
    assert (status, model["n"], model["failed"], model["metrics"]["snr"]["n"]) == (1, 2, 1, 2)


def bad_wav(folder: Path, what: str) -> str:
    """Write an unusable recording, and return what is said of it."""
    path = folder / "bad.wav"
    if what == "text":
        path.write_text("this is no audio")
        return "bad.wav: cannot be read as audio"
    if what == "empty":
        path.touch()
        return "bad.wav: is an empty file"
    samples, rate = {
        "stereo": (np.zeros((4800, 2)), 16000),
        "no samples": (np.zeros(0), 16000),
        "8 kHz": (np.zeros(4800), 8000),
    }[what]
    soundfile.write(path, samples, rate)
    return {"stereo": "has 2 channels", "no samples": "holds no samples", "8 kHz": "recorded at 8000 Hz"}[what]


BAD = ["text", "empty", "stereo", "no samples", "8 kHz"]


@pytest.mark.parametrize("what", BAD)
def test_only_bad_files(what: str, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    reason = bad_wav(tmp_path / "bad", what)
    refused(cli("--model", "linear", "--data", "bad", *QUICK), "none of 1 recordings can be used", reason)


@pytest.mark.parametrize("what", BAD)
def test_one_bad_file_among_good_ones(what: str, cli: Cli, data: Path) -> None:
    reason = bad_wav(data, what)
    status, out, err = cli("--model", "linear", "--data", data, *QUICK, "--json")
    (model,) = json.loads(out)["models"]
    assert (status, err, model["n"], model["failed"]) == (1, "", 3, 1)
    assert model["failures"][0]["utterance"] == "bad"
    assert reason in model["failures"][0]["error"]


def test_missing_and_strange_corpus_folders(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    (tmp_path / "file").touch()
    for folder, reason in (("gone", "no such folder"), ("nothing", "holds no audio"), ("file", "is not a folder")):
        refused(cli("--model", "linear", "--data", folder, *QUICK), f"{folder}: {reason}")


def test_unknown_names(cli: Cli) -> None:
    refused(cli("--model", "splin"), "unknown upscaler 'splin'. Did you mean 'spline'?")
    refused(cli("--model", "spline", "--metric", "snrr"), "unknown metric 'snrr'. Did you mean 'snr'?")
    refused(cli("--model", "spline", "--protocol", "demmo"), "unknown protocol 'demmo'. Did you mean 'demo'?")
    refused(cli("--model", "spline", "--split", "tset"), "unknown side of split demo 'tset'. Did you mean 'test'?")
    refused(cli("--model", "spline", "--plugin", "gone.py"), "plug-in", "gone.py: No such file or directory")
    refused(cli("--model", "spline", "--protocol", "gone.toml"), "gone.toml: no such file")


def test_a_misspelt_name_costs_no_work(cli: Cli, data: Path, tmp_path: Path) -> None:
    refused(cli("--model", "linear", "--model", "splin", "--data", data, *QUICK), "unknown upscaler 'splin'")
    assert not (tmp_path / "results").exists()


def test_misuse_of_options(cli: Cli, data: Path) -> None:
    refused(cli(), "--model NAME", "srbench run --help")
    refused(cli("--model", "spline", "--wokers", "2"), "No such option", "--wokers")
    refused(cli("--model", "spline", "extra"), "unexpected extra argument (extra)")
    refused(cli("--model"), "--model")
    for workers in ("0", "-1", "two", "1.5"):
        refused(cli("--model", "spline", "--workers", workers), "--workers", workers)
    for limit in ("0", "-3", "x"):
        refused(cli("--model", "spline", "--limit", limit), "--limit", limit)


def test_device(cli: Cli, data: Path, plugin: Path) -> None:
    refused(cli("--model", "spline", "--device", "cuda"), "upscaler spline runs on the CPU only; it takes no --device")
    mine = ("--model", "on_device", "--plugin", plugin, "--data", data, *QUICK, "--json")
    refused(cli(*mine, "--device", "abacus"), "on_device cannot be built: ValueError: no device abacus")
    status, out, _ = cli(*mine, "--device", "cuda")
    assert (status, json.loads(out)["models"][0]["provenance"]["device"]) == (0, "cuda")


def test_device_does_not_reach_the_anchors(cli: Cli, data: Path, plugin: Path) -> None:
    mine = ("--model", "on_device", "--plugin", plugin, "--device", "cpu", "--data", data, "--metric", "snr", "--json")
    status, out, _ = cli(*mine)
    assert status == 0
    assert [entry["name"] for entry in json.loads(out)["anchors"]] == ["spline", "ceiling", "reference"]


def test_protocol_that_needs_data(cli: Cli) -> None:
    refused(cli("--model", "spline", "--protocol", "vctk-test8-8k-16k"), "runs on vctk-0.92-mic1", "--data DIR")


def test_own_protocol(cli: Cli, tmp_path: Path) -> None:
    text = """
        title = "Mine"
        corpus = "demo-1"
        split = "demo"
        side = "test"
        low_rate = 8000
        high_rate = 16000
        metrics = ["snr"]
        [degradation]
        kind = "sinc"
    """
    (tmp_path / "mine.toml").write_text(dedent(text))
    status, out, _ = cli("--model", "linear", "--protocol", "mine.toml", "--limit", 2, "--json", "--no-anchors")
    document = json.loads(out)
    assert (status, document["protocol"], document["own_corpus"]) == (0, "mine", True)
    assert len(list((tmp_path / "results" / "mine").glob("leaderboard-*.csv"))) == 1  # limited: not the protocol's own
    (tmp_path / "wrong.toml").write_text(dedent(text).replace("low_rate", "low_rat"))
    refused(
        cli("--model", "linear", "--protocol", "wrong.toml"),
        "protocol wrong.toml: unknown key 'low_rat'. Did you mean 'low_rate'?",
    )
    (tmp_path / "broken.toml").write_text("title = ")
    refused(cli("--model", "linear", "--protocol", "broken.toml"), "broken.toml: is not valid TOML")


def test_metric_that_is_not_defined_at_the_rate(cli: Cli, tmp_path: Path) -> None:
    text = 'title="x"\ncorpus="demo-1"\nsplit="demo"\nside="test"\nlow_rate=2000\nhigh_rate=4000\nmetrics=["snr"]\n'
    (tmp_path / "low.toml").write_text(text + '[degradation]\nkind="sinc"\n')
    refused(cli("--model", "linear", "--protocol", "low.toml", "--metric", "pesq"), "PESQ", "4000")


def test_results_that_cannot_be_written(cli: Cli, data: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    refused(cli("--model", "linear", "--data", data, *QUICK, "--results", "file"), "cannot write results to file")
    assert (tmp_path / "file").read_text() == "mine"
    if Path("/proc/version").exists():
        refused(cli("--model", "linear", "--data", data, *QUICK, "--results", "/proc/nonexistent"), "/proc/nonexistent")
    assert cli("--model", "linear", "--data", data, *QUICK)[0] == 0
    (board,) = (tmp_path / "results" / "demo").glob("leaderboard-*.csv")
    board.unlink()
    board.mkdir()
    refused(cli("--model", "linear", "--data", data, *QUICK), board.name, "directory")


def test_audio_that_cannot_be_written(cli: Cli, data: Path, tmp_path: Path) -> None:
    arguments = ("--model", "linear", "--data", data, *QUICK)
    assert cli(*arguments)[0] == 0
    (folder,) = (tmp_path / "results" / "demo").glob("linear-*")
    (folder / "audio" / "one.wav").mkdir(parents=True)
    (folder / "journal.jsonl").unlink()
    refused(cli(*arguments, "--save-audio"), "cannot write results to")


def test_save_audio(cli: Cli, data: Path, tmp_path: Path) -> None:
    soundfile.write(data / "high.wav", 0.1 * np.random.default_rng(0).standard_normal(14406), 48000)
    status, _, _ = cli("--model", "linear", "--data", data, *QUICK, "--save-audio", "--results", "kept")
    (folder,) = (tmp_path / "kept" / "demo").glob("linear-*")
    assert status == 0
    assert sorted(p.name for p in (folder / "audio").iterdir()) == ["high.wav", "loud.wav", "one.wav", "two.wav"]
    for name, frames in (("one", 4800), ("high", 4800)):  # 14406 at 48 kHz are 4802, cut to whole low samples
        header = soundfile.info(folder / "audio" / f"{name}.wav")
        assert (header.samplerate, header.channels, header.subtype) == (16000, 1, "FLOAT")
        assert header.frames == frames


def test_limit_and_second_run(cli: Cli, tmp_path: Path) -> None:
    arguments = ("--model", "linear", *QUICK, "--limit", 3, "--json")
    status, out, _ = cli(*arguments)
    document = json.loads(out)
    assert status == 0
    assert document["split"] == {
        "name": "demo",
        "side": "test",
        "expected": 28,
        "found": 28,
        "scored": 3,
        "speakers": 1,
    }
    assert document["models"][0]["n"] == 3
    assert "Partial: limited to the first 3 of 28 utterances." in document["notes"]
    (journal,) = (tmp_path / "results" / "demo").glob("linear-*/journal.jsonl")
    before = journal.read_bytes()
    assert json.loads(cli(*arguments)[1]) == document  # the timings too: nothing was run again
    assert journal.read_bytes() == before


def test_split_all(cli: Cli, tmp_path: Path) -> None:
    ids = [f"p225_{n}" for n in (355, 356, 999)]  # two of the eight, and one of no split
    folder = tmp_path / "vctk" / "wav48" / "p225"
    folder.mkdir(parents=True)
    for i in ids:
        soundfile.write(folder / f"{i}.wav", 0.1 * np.random.default_rng(0).standard_normal(4800), 16000)
    arguments = ("--model", "linear", "--data", "vctk", "--protocol", "vctk-speaker1-r4", *QUICK)
    refused(cli(*arguments), "6 of the 8 utterances", "--allow-partial")
    status, out, _ = cli(*arguments, "--allow-partial", "--json")
    document = json.loads(out)
    assert (status, document["split"]["expected"], document["split"]["found"]) == (0, 8, 2)
    assert (document["own_corpus"], document["models"][0]["n"]) == (True, 2)
    assert document["notes"] == ["Partial: 2 of 8 utterances of the split are there."]
    assert document["models"][0]["metrics"]["snr"]["aggregation"] == "agg:mean.utterance|n:2/8"
    _, printed, _ = cli(*arguments, "--allow-partial")
    assert "Partial: 2 of 8 utterances of the split are there." in printed
    assert "2 of 8" in printed[printed.index("│n") :]
    status, out, _ = cli(*arguments, "--split", "all", "--json")
    document = json.loads(out)
    assert (status, document["split"]["name"], document["models"][0]["n"]) == (0, "all", 3)
    assert document["own_corpus"] is False


# --- with recordings of VCTK


@pytest.fixture
def vctk() -> Path:
    if not os.environ.get("SRBENCH_VCTK"):
        pytest.skip("SRBENCH_VCTK does not name a folder of VCTK")
    return Path(os.environ["SRBENCH_VCTK"]).resolve()


def test_vctk_without_the_speaker_of_the_protocol(vctk: Path, cli: Cli) -> None:
    arguments: tuple[Any, ...] = ("--model", "linear", "--protocol", "vctk-speaker1-r4", "--data", vctk, *QUICK)
    refused(
        cli(*arguments, "--allow-partial"),
        "all 8 utterances of split vctk-speaker1, side validation are absent",
        "vctk-0.80, 79 utterances",
        "--split all",
    )


def test_vctk_under_the_demo_protocol(vctk: Path, cli: Cli) -> None:
    status, out, err = cli("--model", "linear", "--model", "spline", "--data", vctk, *QUICK, "--json")
    document = json.loads(out)
    assert (status, err) == (0, "")
    assert document["own_corpus"] is False
    assert (document["split"]["expected"], document["split"]["scored"]) == (79, 79)
    means = []
    for model in document["models"]:
        snr = model["metrics"]["snr"]
        assert (model["n"], model["failed"]) == (79, 0)
        assert (snr["n"], snr["resampled"]) == (79, "speakers")
        assert snr["ci95"][0] < snr["mean"] < snr["ci95"][1]
        means.append(snr["mean"])
    assert means[0] < means[1]


@pytest.mark.parametrize("option", ["--timeout", "--keep"])
@pytest.mark.parametrize("value", ["nan", "inf", "1e12", "-1"])
def test_what_is_no_amount_is_refused(cli: Cli, data: Path, option: str, value: str) -> None:
    refused(cli("--model", "linear", "--data", data, *QUICK, option, value), option)
