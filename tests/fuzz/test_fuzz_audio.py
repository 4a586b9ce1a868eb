"""Ten thousand damaged audio files: each is read or refused in a line or two, in bounded memory and time."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from mutated_audio import WAYS, mutated

from srbench.cli.main import main

FILES = 10_000
LONGEST = 300  # seconds for all of them; they take a fortieth of that, but for one that hangs
SOUND = 0.1 * np.random.default_rng(0).standard_normal((3, 16000))
Call = Callable[..., tuple[int, str]]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Call:
    """Run the command line in an empty folder; return its status and what it printed, nothing on stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path) -> tuple[int, str]:
        with pytest.raises(SystemExit) as stop:
            main([*map(str, arguments)])
        out, err = capsys.readouterr()
        assert err == ""
        assert isinstance(stop.value.code, int)
        return stop.value.code, out

    return run


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the memory of a process is limited on Linux only")
def test_ten_thousand_mutated_files(tmp_path: Path) -> None:
    child = [sys.executable, str(Path(__file__).with_name("read_mutated.py")), "0", str(FILES), str(tmp_path)]
    try:
        done = subprocess.run(child, capture_output=True, text=True, timeout=LONGEST, check=False)
    except subprocess.TimeoutExpired:
        pytest.fail(f"hangs on {(tmp_path / 'current').read_text()}")
    assert done.returncode == 0, f"died of {(tmp_path / 'current').read_text()}:\n{done.stderr[-2000:]}"
    assert done.stderr == ""
    told = json.loads(done.stdout)
    assert told["faults"] == {}
    assert told["files"] == FILES
    # mutations that nothing survives, or that damage nothing, would find nothing
    for reader in ("info", "read_channels", "read"):
        assert told["outcomes"][f"{reader} read"] > FILES / 10
        assert told["outcomes"][f"{reader} refused"] > FILES / 10


def test_a_number_gives_the_same_file_again() -> None:
    for number in range(3 * len(WAYS)):
        assert mutated(number) == mutated(number)
    names = {mutated(number).name.partition("-")[2] for number in range(2 * len(WAYS))}
    assert len({name.partition(".")[0] for name in names}) == len(set(WAYS))


def write_folder(folder: Path, first: int, last: int) -> None:
    """Write the mutated files of these numbers, and three good recordings between them."""
    folder.mkdir()
    for number in range(first, last):
        file = mutated(number)
        (folder / file.name).write_bytes(file.data)
    for number, samples in enumerate(SOUND):
        soundfile.write(folder / f"00100-good{number}.wav", samples, 16000)


def rows_of(table: Path) -> dict[str, dict[str, str]]:
    with table.open(encoding="utf-8", newline="") as file:
        return {row["utterance"]: row for row in csv.DictReader(file)}


def test_a_run_on_a_folder_of_them(tmp_path: Path, call: Call) -> None:
    write_folder(tmp_path / "recordings", 0, 300)
    status, _ = call("run", "--model", "spline", "--protocol", "demo", "--data", "recordings", "--no-anchors")
    assert status == 1
    (table,) = tmp_path.glob("results/demo/spline-*/utterances.csv")
    rows = rows_of(table)
    assert len(rows) == 303
    assert all(rows[f"00100-good{number}"]["status"] == "ok" for number in range(3))
    assert all(row["error"] or row["snr"] or row["undefined"] for row in rows.values())
    failed = [row for row in rows.values() if row["status"] == "failed"]
    assert 200 < len(failed) < 300
    assert all(row["error"] and "\n" not in row["error"] for row in failed)


def test_a_corpus_of_them_is_verified(tmp_path: Path, call: Call) -> None:
    write_folder(tmp_path / "recordings", 300, 600)
    status, out = call("data", "verify", "recordings", "--json")
    told = json.loads(out)
    assert status == 1
    assert told["checked"] == 303
    assert not [finding for finding in told["findings"] if "good" in finding["utterance"]]
    assert told["counts"]["unreadable"] > 100


@pytest.mark.parametrize("repairs", [(), ("--resample", "--align", "--match-gain", "--match-length", "pad")])
def test_a_folder_of_them_is_scored(tmp_path: Path, call: Call, repairs: tuple[str, ...]) -> None:
    write_folder(tmp_path / "references", 600, 900)
    write_folder(tmp_path / "estimates", 600, 900)
    for file in sorted((tmp_path / "estimates").iterdir())[::2]:  # half of them are paired with something else
        file.write_bytes(mutated(int(file.name[:5]) + 7).data if "good" not in file.name else file.read_bytes())
    status, out = call("score", "references", "estimates", "--json", *repairs)
    told = json.loads(out)
    assert status == 1
    assert len(told["utterances"]) == 303
    (table,) = tmp_path.glob("results/score/*/utterances.csv")
    assert all(rows_of(table)[f"00100-good{number}"]["snr"] == "inf" for number in range(3))


LENGTHS = (1, 2, 3, 5, 9, 17, 40, 100, 255, 256, 257, 511, 513, 1025, 2047, 2049, 4000, 8001)
LEVELS = (1e-310, 1e-160, 1e-30, 1e-5, 0.1, 1.0, 3e4, 2.0**31)


def odd_sound(random: np.random.Generator) -> np.ndarray:
    """Return what a whole and honest file may hold: a sample or two, silence, squares, clicks, any level."""
    samples = 0.2 * random.standard_normal(random.choice(LENGTHS))
    n = len(samples)
    shape = random.integers(8)
    if shape == 0:
        samples[:] = 0
    elif shape == 1:
        samples[:] = 1
    elif shape == 2:
        samples = np.sign(samples)
    elif shape == 3:
        samples = np.where(np.arange(n) == random.integers(n), 1.0, 0.0)
    elif shape == 4:
        samples = 1.0 - 2 * (np.arange(n) % 2)
    elif shape == 5:
        samples[: n // 2] = 0
    elif shape == 6:
        samples += 1
    return np.clip(samples * random.choice(LEVELS), -(2.0**31), 2.0**31)


def odd_estimate(random: np.random.Generator, reference: np.ndarray) -> np.ndarray:
    kind = random.integers(5)
    if kind == 0:
        return odd_sound(random)
    if kind == 1:
        return reference * random.choice([1, -1, 0.5, 1e-5, 0])
    if kind == 2:
        return np.roll(reference, 3)
    if kind == 3:
        return reference[: max(1, len(reference) - 2)]
    return np.clip(reference + 1e-3 * random.standard_normal(len(reference)), -(2.0**31), 2.0**31)


def test_odd_but_honest_sound_through_the_commands(tmp_path: Path, call: Call) -> None:
    """No number overflows, none is divided by nothing: a warning of NumPy is an error here."""
    random = np.random.default_rng(1)
    for folder in ("references", "estimates"):
        (tmp_path / folder).mkdir()
    for number in range(150):
        reference = odd_sound(random)
        soundfile.write(tmp_path / f"references/{number:03}.wav", reference, 16000, subtype="DOUBLE")
        rate = int(random.choice([16000] * 9 + [8000]))
        estimate = odd_estimate(random, reference)
        soundfile.write(tmp_path / f"estimates/{number:03}.wav", estimate, rate, subtype="DOUBLE")
    metrics = [word for name in ("snr", "si_sdr", "mse", "lsd", "lsd_hf", "stoi") for word in ("--metric", name)]
    models = [word for name in ("spline", "sinc", "replicate") for word in ("--model", name)]
    data = ("--protocol", "demo", "--data", "references")
    assert call("run", *models, *data, *metrics)[0] == 1
    assert call("compare", "spline", "sinc", *data, *metrics)[0] in (0, 1)
    assert call("data", "verify", "references")[0] == 1
    assert call("score", "references", "estimates", "--cutoff", "4000", *metrics)[0] == 1
    repairs = ("--resample", "--align", "--match-gain", "--match-length", "pad")
    assert call("score", "references", "estimates", *repairs)[0] in (0, 1)
