"""``srbench score`` killed at random moments: nothing finished is lost, and the end is the same bytes."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pairs_of_speech import RATE, splined

from srbench import audio

N = 60
TABLES = ("utterances.csv", "pairs.csv", "aggregates.csv", "speakers.csv")


def command(root: Path, results: Path, workers: int) -> list[str]:
    options = ["--metric", "snr", "--metric", "lsd", "--json", "--workers", str(workers), "--results", str(results)]
    return [sys.executable, "-m", "srbench", "score", str(root / "refs"), str(root / "made"), *options]


def finished(results: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in results.glob("score/made-*/journal.jsonl"))


def tables(results: Path) -> dict[str, bytes]:
    (run,) = (results / "score").glob("made-*")
    return {name: (run / name).read_bytes() for name in TABLES}


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs process groups")
@pytest.mark.parametrize("workers", [1, 2])
def test_killed_at_random_moments(workers: int, tmp_path: Path) -> None:
    for number in range(N):
        reference, estimate, _ = splined(2, number % 10)
        for place, samples in {"refs": reference, "made": estimate}.items():
            (tmp_path / place).mkdir(exist_ok=True)
            audio.write(tmp_path / place / f"{number:02}.wav", samples, RATE)
    subprocess.run(command(tmp_path, tmp_path / "whole", 1), check=True, capture_output=True, timeout=600)
    results, rng, at_kill = tmp_path / "r", random.Random(workers), []
    for _ in range(3):
        with subprocess.Popen(
            command(tmp_path, results, workers),
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            target, deadline = finished(results) + rng.randint(1, 8), time.monotonic() + 600
            while finished(results) < target and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.001)
            os.killpg(process.pid, signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        at_kill.append(finished(results))
    assert at_kill == sorted(at_kill), "a kill lost what was finished"
    assert 0 < at_kill[0] < at_kill[-1] < N
    subprocess.run(command(tmp_path, results, workers), check=True, capture_output=True, timeout=600)
    assert tables(results) == tables(tmp_path / "whole")
