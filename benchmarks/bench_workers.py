"""Two workers beside one: the same `srbench run`, start and tables included, against half of what one worker takes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench_stages import speech_files, srbench_run
from measure import Row, timed_row

# utterances of 4 s, enough for the start (2 s more with two workers and torch) not to decide, and rounds
JOBS = {"spline": (240, 3), "additive_b5_small": (400, 1)}


def rows() -> list[Row]:
    """Measure on all cores, of which two should have nothing else to do."""
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    if cores:
        os.sched_setaffinity(0, range(os.cpu_count() or 1))  # of those that there are, the ones that we may use
    try:
        with tempfile.TemporaryDirectory() as name:
            return [_row(Path(name), model, *job) for model, job in JOBS.items()]
    finally:
        if cores:
            os.sched_setaffinity(0, cores)


def _row(folder: Path, model: str, utterances: int, rounds: int) -> Row:
    corpus = folder / model
    speech_files(corpus, utterances)

    def run(workers: int) -> Callable[[], float]:
        return lambda: srbench_run(model, corpus, workers)

    return timed_row(
        f"srbench run --workers 2, {model}, {utterances} utterances of 4 s; per utterance",
        run(2),
        "bound: half of --workers 1",
        lambda: run(1)() / 2,
        utterances,
        1 / 0.9,
        rounds=rounds,
    )
