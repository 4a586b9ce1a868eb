"""How long ``srbench score`` takes, as a ratio to one LSD of librosa on the same pairs in the same run.

    python benchmarks/bench_score.py [PAIRS]

Pairs of 4 s at 16 kHz, synthetic speech and its cubic spline at scale 2; SNR, SI-SDR, MSE and every LSD, pair checks,
reading and the journal included. The target is 6 times the LSD of librosa, and 1.8 for two workers on two free cores.
Blocks of pairs are timed in turn, and the median of the ratios is told, because machines are busy. Where both cores
are, the clock says nothing of two workers, but their processor time does: 1.1 times that of one leaves 1.8.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # one core against one core, in the workers too

import numpy as np

from srbench import audio
from srbench.corpora import demo_corpus
from srbench.folders.job import Job, make_job, score_system
from srbench.protocols import load_protocol, prepare
from srbench.run.workers import Where
from srbench.upscaler import build_upscaler

RATE, SECONDS, BLOCK = 16000, 4, 100
METRICS = ("snr", "si_sdr", "mse", *("lsd", "lsd_hf", "lsd_lf", "lsd_paper", "lsd_kuleshov", "lsd_tunet", "lsd_nvsr"))


def main(pairs: int = 500) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        blocks = [make_pairs(folder / str(number), BLOCK, number * BLOCK) for number in range(-(-pairs // BLOCK))]
        one_lsd(blocks[0])
        ratios, speedups, spent, per_pair, lsds = [], [], [], [], []
        for number, block in enumerate(blocks):
            job = make_job(block / "reference", {"spline": block / "spline"}, metrics=METRICS, cutoff=4000.0)
            lsd = seconds(lambda block=block: one_lsd(block))
            single = seconds(lambda job=job, number=number: score(job, folder / f"one{number}", 1))
            again = seconds(lambda block=block: one_lsd(block))
            per_pair.append(single / BLOCK)
            lsds.append((lsd + again) / 2 / BLOCK)
            ratios.append(per_pair[-1] / lsds[-1])
        whole = folder / "whole"
        for side in ("reference", "spline"):
            (whole / side).mkdir(parents=True)
            for number, block in enumerate(blocks):
                for file in (block / side).iterdir():
                    file.rename(whole / side / f"{number}-{file.name}")
        job = make_job(whole / "reference", {"spline": whole / "spline"}, metrics=METRICS, cutoff=4000.0)
        for number in range(2):
            single, spent_single = timed(lambda number=number: score(job, folder / f"single{number}", 1))
            double, spent_double = timed(lambda number=number: score(job, folder / f"double{number}", 2))
            speedups.append(single / double)
            spent.append(spent_double / spent_single)
    print(f"| {len(blocks) * BLOCK} pairs of {SECONDS} s at {RATE} Hz | |\n|---|---|")
    print(f"| one LSD of librosa, ms a pair | {1000 * statistics.median(lsds):.1f} |")
    print(f"| srbench score, ms a pair | {1000 * statistics.median(per_pair):.1f} |")
    print(f"| ratio (median; from, to) | {statistics.median(ratios):.2f} ({min(ratios):.2f}, {max(ratios):.2f}) |")
    print(f"| two workers against one, on the clock | {max(speedups):.2f} |")
    print(f"| processor time of two workers over that of one | {min(spent):.2f} |")


def seconds(work: Callable[[], object]) -> float:
    """Return how long a call takes on the clock."""
    return timed(work)[0]


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return how long a call takes on the clock, and how much of the processor it and its processes took."""
    started, before = time.perf_counter(), sum(os.times()[:4])
    work()
    return time.perf_counter() - started, sum(os.times()[:4]) - before


def score(job: Job, results: Path, workers: int) -> None:
    """Score all pairs of a job."""
    records = score_system(job, "spline", results, where=Where(workers)).records
    assert not any(record.error for record in records)


def one_lsd(block: Path) -> float:
    """Return the mean LSD of librosa's spectrograms, for files read here too."""
    import librosa  # here, so that worker processes do not load it

    total = 0.0
    for path in sorted((block / "reference").iterdir()):
        spectra = []
        for side in ("reference", "spline"):
            samples, _ = audio.read(block / side / path.name)
            spectra.append(np.log10(np.maximum(np.abs(librosa.stft(samples, n_fft=2048, hop_length=512)) ** 2, 1e-8)))
        total += float(np.sqrt(((spectra[0] - spectra[1]) ** 2).mean(axis=0)).mean())
    return total


def make_pairs(folder: Path, count: int, first: int) -> Path:
    """Write references and their splines: speech of the embedded corpus, another stretch of it for every pair."""
    joined = np.concatenate([audio.read(each.path)[0] for each in demo_corpus().utterances[:10]])
    joined = audio.resample(joined, 24000, RATE)
    protocol, (spline, _) = load_protocol("vctk-speaker1-r2"), build_upscaler("spline")
    for side in ("reference", "spline"):
        (folder / side).mkdir(parents=True)
    for number in range(first, first + count):
        start = number * 1117 % (len(joined) - SECONDS * RATE)
        prepared = prepare(joined[start : start + SECONDS * RATE], RATE, protocol)
        audio.write(folder / "reference" / f"{number}.wav", prepared.reference, RATE)
        audio.write(
            folder / "spline" / f"{number}.wav", spline(prepared.low, protocol.low_rate, protocol.high_rate), RATE
        )
    return folder


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
