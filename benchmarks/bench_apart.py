"""What processes apart cost a run: ``python benchmarks/bench_apart.py CORPUS [PROTOCOL] [LIMIT]``, as ratios.

The same run by the spline in a process of its own each time: as it is, with model and foreign metrics apart, and with
both in the one process that reads and writes. Processor time of all processes and time on the wall, in turn.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 3
TOGETHER = """
from contextlib import suppress
from srbench.metrics import measure_all
from srbench.run import entrant, pipeline
from srbench.run.model import Model, seed_all
from srbench.upscaler import build_upscaler

class Together:
    files: dict[str, str] = {}

    def __init__(self, model: Model) -> None:
        built, origin = build_upscaler(model.name, model.plugins, device=model.device, precision=model.precision)
        self.built, self.told, self.takes_batches = built, {**built.describe(), **origin}, built.takes_batches
        self.check_rates = built.check_rates

    def upscale(self, lows, low_rate, high_rate, *, seed, batch=False, seconds=None):
        seed_all(seed)
        started = time.perf_counter()
        return [self.built(low, low_rate, high_rate) for low in lows], time.perf_counter() - started

    def close(self) -> None:
        pass

entrant.ModelProcess = Together
pipeline.measure = measure_all
"""
RUN = """
import sys, time
from pathlib import Path
{patch}
from srbench.protocols import load_protocol
from srbench.run import Entrant, make_plan, run_entrant

corpus, protocol, limit, results = sys.argv[1:]
plan = make_plan(load_protocol(protocol), Path(corpus), side="all", limit=int(limit))
print(len(run_entrant(plan, Entrant("spline"), Path(results), keep_gigabytes=0.0).records))
"""


def timed(patch: str, arguments: list[str]) -> tuple[float, float, int]:
    """Return the processor time of a run, its time on the wall, both in seconds, and its utterances."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with tempfile.TemporaryDirectory() as results:
        done = subprocess.run(
            [sys.executable, "-c", RUN.format(patch=patch), *arguments, results],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, time.perf_counter() - started, int(done.stdout)


def main(corpus: Path, protocol: str = "vctk-p239-r4", limit: str = "300") -> None:
    """Print the times of each round, and the medians of the ratios."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    ratios = []
    for number in range(ROUNDS):
        ways = {
            name: timed(patch, [str(corpus), protocol, limit]) for name, patch in (("apart", ""), ("one", TOGETHER))
        }
        (apart, wall, count), (one, wall_of_one, _) = ways["apart"], ways["one"]
        ratios.append((apart / one, wall / wall_of_one))
        print(
            f"round {number + 1}: {count} utterances; processor time {1000 * apart / count:.1f} ms apart, "
            f"{1000 * one / count:.1f} ms in one: {apart / one:.4f}; on the wall {wall / wall_of_one:.4f}",
            flush=True,
        )
    print(
        *(
            f"{name} {statistics.median(each):.4f}"
            for name, each in zip(("processor", "wall"), zip(*ratios, strict=True), strict=True)
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])  # type: ignore[arg-type]
