"""Models that are no plug-ins: folders of files, and programs in any language, beside one that is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from kit import Cli, refused

VCTK = os.environ.get("SRBENCH_VCTK", "")
SCRIPT = """
import sys, pathlib, numpy as np, soundfile
source, target, high = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3])
for file in sorted(source.rglob("*.wav")):
    low, rate = soundfile.read(file)
    n = len(low) * high // rate
    estimate = np.interp(np.arange(n) * rate / high, np.arange(len(low)), low)
    out = target / file.relative_to(source)
    out.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(out, estimate, high, subtype="DOUBLE")
"""
PLUGIN = """
    import numpy as np
    from srbench.upscaler import upscaler

    @upscaler("plugged")
    def plugged(low, low_rate, high_rate):
        n = len(low) * high_rate // low_rate
        return np.interp(np.arange(n) * low_rate / high_rate, np.arange(len(low)), low)

    @upscaler("one_rate", rates=[(8000, 16000)])
    def one_rate(low, low_rate, high_rate):
        return low.repeat(2)

    @upscaler("no_weights")
    class NoWeights:
        def __init__(self):
            raise FileNotFoundError("no file weights.bin")
        def upscale(self, low, low_rate, high_rate):
            return low
"""
PROGRAM = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Repeats each sample: WAV of 64-bit floats in, WAV of 64-bit floats out. */
static void put(FILE *f, unsigned long value, int bytes) { while (bytes--) { fputc(value & 255, f); value >>= 8; } }

int main(int argc, char **argv) {
    int times = atoi(argv[3]) / atoi(argv[4]);
    FILE *in = fopen(argv[1], "rb"), *out = fopen(argv[2], "wb");
    char id[4];
    unsigned size = 0;
    if (argc != 5 || !in || !out || fseek(in, 12, SEEK_SET)) return 1;
    while (fread(id, 1, 4, in) == 4 && fread(&size, 4, 1, in) == 1 && memcmp(id, "data", 4)) fseek(in, size, SEEK_CUR);
    unsigned long bytes = (unsigned long)size * times;
    fputs("RIFF", out); put(out, 36 + bytes, 4); fputs("WAVEfmt ", out); put(out, 16, 4);
    put(out, 3, 2); put(out, 1, 2); put(out, atoi(argv[3]), 4); put(out, atoi(argv[3]) * 8, 4); put(out, 8, 2);
    put(out, 64, 2); fputs("data", out); put(out, bytes, 4);
    double sample;
    for (unsigned i = 0; i < size / 8; i++) {
        if (fread(&sample, 8, 1, in) != 1) return 2;
        for (int k = 0; k < times; k++) fwrite(&sample, 8, 1, out);
    }
    return fclose(out) != 0;
}
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """Return a program in ten lines, which imports nothing of srbench."""
    path = tmp_path / "infer.py"
    path.write_text(SCRIPT)
    return path


def rows(document: dict[str, Any], name: str) -> bytes:
    entry = next(each for each in document["models"] if each["name"] == name)
    return (Path(entry["run_dir"]) / "utterances.csv").read_bytes()


@pytest.mark.parametrize(
    ("protocol", "more"),
    [
        ("demo", ("--limit", "3")),
        pytest.param(
            "vctk-p239-r4",
            ("--limit", "3", "--data", VCTK, "--split", "all"),
            marks=pytest.mark.skipif(not VCTK, reason="SRBENCH_VCTK names no folder with VCTK recordings"),
        ),
    ],
)
def test_one_function_as_plug_in_as_files_and_as_program(
    cli: Cli, plugin: Path, script: Path, tmp_path: Path, protocol: str, more: tuple[str, ...]
) -> None:
    assert cli("inputs", protocol, "--out", "in", *more)[0] == 0
    subprocess.run([sys.executable, script, "in", "out", "16000"], check=True, cwd=tmp_path)
    line = f"program='{sys.executable}' infer.py {{in}} {{out}} {{high_rate}}"
    models = ("--model", "plugged", "--plugin", plugin, "--estimates", "files=out", "--command", line)
    status, out, _ = cli("run", "--protocol", protocol, *more, *models, "--json")
    assert status == 0
    document = json.loads(out)
    assert rows(document, "files") == rows(document, "program") == rows(document, "plugged")
    assert [each["made"] for each in document["models"]] == ["", "made elsewhere", "made by a command"]
    folders = [each["run_dir"] for each in document["models"]]

    status, out, _ = cli("compare", *folders, "--json")
    assert status == 0
    pairs = json.loads(out)["pairs"]
    assert len(pairs) == 3
    assert all(value["mean_difference"] == 0 for pair in pairs for value in pair["metrics"].values())

    if not document["own_corpus"]:
        return
    publish = ("publish", *folders, "--leaderboard", "board", "--allow-partial", "--json")
    status, out, _ = cli(*publish, "--plugin", plugin)
    assert status == 0, out
    published = {each["upscaler"]: (each["rechecked"], each["how"]) for each in json.loads(out)["published"]}
    again = {"plugged": (3, "run again"), "files": (3, "measured again"), "program": (3, "measured again")}
    assert published == again
    board = (tmp_path / "board" / f"{protocol}.csv").read_text()
    assert "made elsewhere" in board
    assert "command line" in board


def test_files_that_changed_since_are_not_measured_again(cli: Cli, script: Path, tmp_path: Path) -> None:
    cli("inputs", "demo", "--out", "in", "--limit", 3)
    subprocess.run([sys.executable, script, "in", "out", "16000"], check=True, cwd=tmp_path)
    status, out, _ = cli("run", "--estimates", "files=out", "--limit", 3, "--json")
    folder = json.loads(out)["models"][0]["run_dir"]
    soundfile.write("out/demo1_002.wav", np.zeros(100), 16000)
    status, out, _ = cli("publish", folder, "--leaderboard", "board", "--allow-partial", "--json")
    (entry,) = json.loads(out)["published"]
    assert (status, entry["rechecked"]) == (0, 0)
    assert "differ" in entry["note"]


def test_what_is_missing_wrong_or_too_much_is_named(cli: Cli, script: Path, tmp_path: Path) -> None:
    cli("inputs", "demo", "--out", "in", "--limit", 4)
    subprocess.run([sys.executable, script, "in", "out", "16000"], check=True, cwd=tmp_path)
    out_folder = tmp_path / "out"
    (out_folder / "demo1_001.wav").unlink()
    soundfile.write(out_folder / "demo1_002.wav", np.zeros(1000), 44100)
    soundfile.write(out_folder / "demo1_003 copy.wav", np.zeros(1000), 16000)
    status, out, _ = cli("run", "--estimates", "files=out", "--limit", 4, "--metric", "snr", "--json")
    (entry,) = json.loads(out)["models"]
    assert (status, entry["failed"]) == (1, 2)
    errors = {each["utterance"]: each["error"] for each in entry["failures"]}
    assert "no estimate" in errors["demo1_001"]
    assert "44100 Hz" in errors["demo1_002"]
    assert any("demo1_001" in each for each in entry["warnings"])
    assert any("demo1_003 copy.wav" in each for each in entry["warnings"])


def test_files_of_16_bits_are_announced(cli: Cli, script: Path, tmp_path: Path) -> None:
    script.write_text(SCRIPT.replace("DOUBLE", "PCM_16"))
    cli("inputs", "demo", "--out", "in", "--limit", 2)
    subprocess.run([sys.executable, script, "in", "out", "16000"], check=True, cwd=tmp_path)
    _, out, _ = cli("run", "--estimates", "files=out", "--limit", 2, "--metric", "snr", "--json")
    assert any("16-bit: 2 of 2" in each for each in json.loads(out)["models"][0]["warnings"])


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler (cc)")
def test_a_program_in_c(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "hold.c").write_text(PROGRAM)
    subprocess.run(["cc", "-O1", "-o", "hold4", "hold.c"], check=True, cwd=tmp_path)
    line = "c=./hold4 {in_file} {out_file} {high_rate} {low_rate}"
    status, out, err = cli("run", "--model", "hold", "--command", line, "--limit", 3, "--workers", 2, "--json")
    assert status == 0, err
    assert rows(json.loads(out), "c") == rows(json.loads(out), "hold")


def test_one_bad_model_does_not_end_the_command(cli: Cli, plugin: Path, tmp_path: Path) -> None:
    (tmp_path / "unreadable.py").write_text("import numpy\nimport a_package_that_is_nowhere\n")
    bad = ("one_rate", "no_weights", "elsewhere")
    models = [part for name in (*bad, "plugged") for part in ("--model", name)]
    quick = ("--limit", 2, "--metric", "snr", "--no-anchors")
    more = ("--estimates", "files=nowhere", "--command", "program=no-such-program {in} {out}")
    plugins = ("--plugin", plugin, "--plugin", "unreadable.py")
    status, out, err = cli("run", *models, *more, *plugins, *quick, "--json")
    assert status == 1
    document = json.loads(out)
    assert [each["name"] for each in document["models"]] == ["plugged"]
    why = {each["name"]: each["error"] for each in document["left_out"]}
    assert why.keys() == {*bad, "files", "program"}
    assert "8000" in why["one_rate"]
    assert "no file weights.bin" in why["no_weights"]
    assert "a_package_that_is_nowhere" in why["elsewhere"]
    assert "line 2 of unreadable.py" in why["elsewhere"]
    assert "nowhere" in why["files"]
    assert "no-such-program" in why["program"]
    assert all(f"srbench: {name} was not run: " in err for name in why)


def test_a_plug_in_that_nobody_needed_is_named_too(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "unreadable.py").write_text("1 +")
    models = ("--model", "linear", "--model", "hold", "--plugin", "unreadable.py")
    status, _, err = cli("run", *models, "--limit", 1, "--metric", "snr", "--no-anchors")
    assert status == 1
    assert "unreadable.py was not run" in err


def test_a_metric_of_a_plug_in_that_cannot_be_loaded(cli: Cli) -> None:
    Path("unreadable.py").write_text("import a_package_that_is_nowhere\n")
    models = ("--model", "linear", "--model", "hold", "--plugin", "unreadable.py")
    refused(cli("run", *models, "--metric", "mine"), "a_package_that_is_nowhere")


def test_a_misspelt_name_is_misuse(cli: Cli) -> None:
    refused(cli("run", "--model", "linear", "--model", "splin"), "splin", "spline")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "--estimates"),
        (("--estimates", "out"), "NAME="),
        (("--estimates", "a=x", "--command", "a=y {in} {out}"), "twice"),
        (("--estimates", "spline=x"), "anchor"),
        (("--model", "linear", "--estimates", "linear=x"), "linear"),
        (("--estimates", "-a=x"), "begins with"),
        (("--command", "a=prog {in}"), "{out}"),
        (("--command", "a=prog {in} {out}", "--cwd", "nowhere"), "nowhere"),
    ],
)
def test_misuse(cli: Cli, tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    (tmp_path / "x").mkdir()
    soundfile.write(tmp_path / "x" / "demo1_001.wav", np.zeros(100), 16000)
    refused(cli("run", *arguments), told)


def test_compare_takes_them_by_name(cli: Cli, script: Path, tmp_path: Path) -> None:
    cli("inputs", "demo", "--out", "in", "--limit", 3)
    subprocess.run([sys.executable, script, "in", "out", "16000"], check=True, cwd=tmp_path)
    quick = ("--limit", 3, "--metric", "snr", "--json")
    status, out, _ = cli("compare", "linear", "files", "--estimates", "files=out", *quick)
    assert status == 0
    assert [each["label"] for each in json.loads(out)["runs"]] == ["linear", "files"]


def test_the_inputs_command_says_what_to_do_next(cli: Cli) -> None:
    status, out, err = cli("inputs", "demo", "--out", "in", "--limit", 2, "--references")
    assert (status, err) == (0, "")
    assert "2 files at 4000 Hz" in out
    assert "srbench run --estimates NAME=DIR --protocol demo" in out
    assert Path("in/references/demo1_001.wav").is_file()
    Path("other").mkdir()
    Path("other/thesis.txt").touch()
    refused(cli("inputs", "demo", "--out", "other"), "other", "--out")
