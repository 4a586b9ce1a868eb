"""How much memory a run takes, for more and more utterances: the largest resident set of ``srbench run``.

    python benchmarks/bench_memory.py [UTTERANCES …]

Utterances of 1100 samples, the shortest with an LSD, so that what is counted is what an utterance leaves behind, not
what it takes in passing. The target is 300 MB for 100 000. Each number is a process of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

METRICS = ("snr", "si_sdr", "mse", "lsd", "lsd_hf", "lsd_lf", "lsd_paper")


def main(counts: list[int]) -> None:
    """Print the table."""
    print("| utterances | MB | s | MB of utterances.csv |\n|---|---|---|---|")
    for count in counts:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            make_corpus(folder / "corpus", count)
            started = time.perf_counter()
            megabytes = largest(folder)
            seconds = time.perf_counter() - started
            (table,) = (folder / "results").glob("demo/hold-*/utterances.csv")
            rows = table.read_bytes()
            assert rows.count(b"\n") == count + 1
            print(f"| {count} | {megabytes:.0f} | {seconds:.0f} | {len(rows) / 1e6:.1f} |", flush=True)


def make_corpus(folder: Path, count: int) -> None:
    """Write speakers of 400 utterances."""
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (64, 1100))
    for number in range(count):
        speaker = folder / f"p{number // 400:03}"
        if not number % 400:
            speaker.mkdir(parents=True)
        soundfile.write(speaker / f"p{number // 400:03}_{number % 400:03}.wav", noise[number % 64], 16000)


def largest(folder: Path) -> float:
    """Return the largest resident set of a run in MB."""
    metrics = [word for name in METRICS for word in ("--metric", name)]
    command = [sys.executable, "-m", "srbench", "run", "--model", "hold", "--no-anchors", *metrics]
    command += ["--data", str(folder / "corpus"), "--results", str(folder / "results")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in (0, 1)
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


if __name__ == "__main__":
    main([int(each) for each in sys.argv[1:]] or [1000, 10_000, 100_000])
