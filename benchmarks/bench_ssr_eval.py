"""Our metrics and our whole way beside those of ssr_eval (NVSR's evaluation), on the same files, on the same core.

ssr_eval is installed into a folder of its own (``$SRBENCH_BENCH_CACHE``, else ``~/.cache/srbench-bench``; that takes
the network, once): its code, scikit-image and torchlibrosa there, with the NumPy, SciPy, librosa and torch that this
Python has. It runs in a process of its own, `ssr_eval_peer.py`, which is asked in turn with ours.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench_metrics import SPECTRAL
from measure import LOW_RATE, Row, pairs, seconds_of, timed_row

from srbench import audio
from srbench.metrics import Pair, define, measure_all
from srbench.protocols import load_protocol, prepare

RATE = 44100
PACKAGES = ("ssr-eval==0.0.7", "scikit-image==0.25.2", "imageio==2.37.0", "tifffile==2025.3.30", "torchlibrosa==0.1.0")
METRICS = "LSD in all conventions, SNR, SI-SDR, MSE at 44.1 kHz"
WHOLE = "read, degrade to 8 kHz, upscale (sinc), score by those, at 44.1 kHz"


def rows() -> list[Row]:
    """Measure, or say why not."""
    try:
        packages = install()
        with tempfile.TemporaryDirectory() as folder:
            items = pairs(RATE)
            files = write(Path(folder), items)
            with Peer(packages, Path(folder)) as peer:
                return measured(items, files, peer)
    except (OSError, subprocess.SubprocessError) as error:
        reason = (getattr(error, "stderr", "") or str(error)).strip().splitlines()[-1:]
        return [Row(what, 0, "ssr_eval", 0, 0, why_not=" ".join(reason)) for what in (METRICS, WHOLE)]


def measured(items: list[Any], files: list[Path], peer: Peer) -> list[Row]:
    """Return the rows."""
    definitions = define(SPECTRAL, RATE, LOW_RATE / 2)
    protocol = load_protocol("vctk-nvsr-8k")

    def score(item: Any) -> None:
        measure_all(Pair(*item, RATE, LOW_RATE / 2), definitions)

    def whole(path: Path) -> None:
        prepared = prepare(*audio.read(path), protocol)
        estimate = audio.resample(prepared.low, LOW_RATE, RATE)[: len(prepared.reference)]
        score((prepared.reference[: len(estimate)], estimate))

    def theirs(what: str) -> Any:
        return lambda: peer.ask(what)

    ours, n = seconds_of(score, items), len(items)
    return [
        timed_row(METRICS, ours, "ssr_eval AudioMetrics, 32-bit floats (its own way)", theirs("float32"), n, 0.25),
        timed_row(METRICS, ours, "ssr_eval AudioMetrics, 64-bit floats (as ours)", theirs("float64"), n, 0.25),
        timed_row(
            WHOLE, seconds_of(whole, files), "ssr_eval SSR_Eval_Helper.evaluate", theirs("whole"), len(files), 0.125
        ),
    ]


def install() -> Path:
    """Return the folder of the peer's packages, filled if need be."""
    cache = Path(os.environ.get("SRBENCH_BENCH_CACHE", Path.home() / ".cache" / "srbench-bench"))
    folder = cache / f"ssr-eval-py{sys.version_info.major}.{sys.version_info.minor}"
    if not (folder / "complete").exists():
        command = [sys.executable, "-m", "pip", "install", "-qq", "--no-deps", "--upgrade", "--target", str(folder)]
        subprocess.run([*command, *PACKAGES], check=True, capture_output=True, text=True)
        (folder / "complete").touch()
    return folder


def write(folder: Path, items: list[Any]) -> list[Path]:
    """Write references and estimates; the folders are named as ssr_eval's test set, or it would download that."""
    paths = []
    for number, item in enumerate(items):
        for side, samples in zip((("p360", "s5")[number % 2], "estimate"), item, strict=True):
            path = folder / ("data" if side != "estimate" else "") / side / f"{number:02}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            audio.write(path, samples, RATE)
            paths.append(path)
    return [path for path in paths if path.parent.name != "estimate"]


class Peer:
    """The peer's process: a word in, seconds out."""

    def __init__(self, packages: Path, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(Path(__file__).with_name("ssr_eval_peer.py")), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(packages)},
        )

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.wait()

    def ask(self, what: str) -> float:
        """Return how long the peer took for all files."""
        print(what, file=self._process.stdin, flush=True)
        for line in self._process.stdout:
            if line.startswith("seconds "):
                return float(line.split()[1])
        raise ChildProcessError("ssr_eval stopped; delete the cache folder to install it again")
