"""Kills: each kind of command is ended at random moments by SIGKILL, SIGTERM or SIGINT, and given again.

After a few kills it is left alone: its tables must have the bytes of a command that never was disturbed.
"""

from __future__ import annotations

import importlib.util
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

import numpy as np
import soundfile
from processes import RUNS, Command, contents, unfinished

AT_ONCE = 2  # kinds of commands
IN_A_ROW = 5  # kills before the command is left alone
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
STATUSES = {signal.SIGKILL: (-9,), signal.SIGTERM: (143, -15), signal.SIGINT: (130, -2)}
RATE, UTTERANCES = 16000, 20
PLUGIN = """
    import time
    import numpy as np
    from srbench.upscaler import upscaler

    @upscaler("drawn")
    class drawn:
        def upscale(self, low, low_rate, high_rate):
            time.sleep(0.02)
            return low.repeat(4) + 1e-3 * np.random.standard_normal(4 * len(low))

        def upscale_batch(self, lows, low_rate, high_rate):
            time.sleep(0.05)
            return [low.repeat(4) for low in lows]
"""
SPLIT = 'corpus = "folder"\n[sides]\ntest = { ids = "ids.txt" }\n'
PROTOCOL = """
title = "Soak"
corpus = "folder"
split = "split.toml"
side = "test"
low_rate = 4000
high_rate = 16000
metrics = ["snr", "lsd"]

[degradation]
kind = "cheby1"
"""
RECIPE = """
network = "additive_b5_small"
protocol = "vctk-speaker1-r4"
steps = 30
batch = 2
patch = 1024
learning_rate = 1e-3
validate_every = 5
stop_metric = "snr"

[options]
blocks = 2
first_filters = 8
max_filters = 16
first_kernel = 17
dropout = 0.5

[data]
validation_speakers = ["b"]
validation_utterances = 2

[loss]
log_mse = 1.0
"""


class Kind(NamedTuple):
    """A kind of command: its name and arguments, the folder that it writes, the files whose bytes must be equal."""

    name: str
    arguments: list[str]
    writes: str
    tables: tuple[str, ...] = RUNS


def soak(count: int, seed: int, work: Path) -> tuple[str, list[str]]:
    """Kill so many times, over all kinds in turn; return a line that says what came of it, and the findings."""
    make_inputs(work)
    told: Counter[str] = Counter()
    with _dask(work, wanted=count > 6) as dask, ThreadPoolExecutor(AT_ONCE) as pool:
        kinds = _kinds(dask)
        shares = [count // len(kinds) + (number < count % len(kinds)) for number in range(len(kinds))]
        draws = [random.Random(f"{seed} {kind.name}") for kind in kinds]
        killed = pool.map(_kill, kinds, shares, draws, [work] * len(kinds), [told] * len(kinds))
        findings = [f"{kind.name}: {each}" for kind, found in zip(kinds, killed, strict=True) for each in found]
    if dask is None:
        told["without Dask"] += 1
    parts = ", ".join(f"{key} {value}" for key, value in sorted(told.items()))
    return f"kills: {sum(told[each.name] for each in SIGNALS)} kills, {len(findings)} findings ({parts})", findings


def make_inputs(work: Path) -> None:
    """Write recordings, estimates, a plug-in and a recipe; and a run to publish."""
    (work / "mine.py").write_text(dedent(PLUGIN))
    (work / "tiny.toml").write_text(RECIPE)
    draw = np.random.default_rng(0)
    for number in range(UTTERANCES):
        noise = np.cumsum(draw.uniform(-1, 1, RATE // 2))
        samples = 0.3 * (noise - noise.mean()) / np.abs(noise).max()
        for name, given in (("data", samples), ("made", samples + 1e-3 * draw.standard_normal(len(samples)))):
            (work / name).mkdir(exist_ok=True)
            soundfile.write(work / name / f"u{number:02}.wav", given, RATE, subtype="FLOAT")
    for number in range(5):
        folder = work / "speech" / ("b" if number > 2 else "a")
        folder.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / f"{number}.wav", soundfile.read(work / "data" / f"u{number:02}.wav")[0], RATE)
    (work / "split.toml").write_text(SPLIT)
    (work / "ids.txt").write_text("".join(f"{path.stem}\n" for path in sorted((work / "data").iterdir())))
    (work / "soak.toml").write_text(PROTOCOL)
    run = ["run", "--protocol", "soak.toml", "--data", "data", "--no-anchors", "--model", "linear", "--model", "sinc"]
    _undisturbed([*run, "--results", "published"], work)


def _kinds(dask: str | None) -> list[Kind]:
    metrics = ["--metric", "snr", "--metric", "lsd"]
    run = ["run", "--model", "drawn", "--plugin", "mine.py", "--data", "data", "--no-anchors", *metrics]
    score = ["score", "data", "made", *metrics, "--results", "scored"]
    publish = ["publish", "published", "--leaderboard", "out/board", "--site", "out/site", "--utterances", "1"]
    publish += ["--protocol", "soak.toml", "--data", "data"]
    train = ["train", "tiny.toml", "--data", "speech", "--out", "trained", "--threads", "1", "--resume"]
    kinds = [
        Kind("run", [*run, "--results", "one"], "one"),
        Kind("run --workers 2", [*run, "--workers", "2", "--results", "two"], "two"),
        Kind("run --batch", [*run, "--batch", "4", "--workers", "2", "--results", "batched"], "batched"),
        Kind("score", [*score, "--workers", "2"], "scored", (*RUNS, "pairs.csv")),
        Kind("publish --site", publish, "out", ("*",)),
        Kind("train", train, "trained", ("last.safetensors", "best.safetensors")),
    ]
    return [*kinds, *([Kind("run --dask", [*run, "--dask", dask, "--results", "dask"], "dask")] if dask else [])]


def _kill(kind: Kind, count: int, draw: random.Random, work: Path, told: Counter[str]) -> list[str]:
    """Kill one kind of command so many times; return what is wrong."""
    if not count:
        return []
    whole, seconds = _whole(kind, work)
    wrong: list[str] = []
    if not whole:
        return [f"there are no tables of an undisturbed command in {kind.writes}"]
    kills = in_a_row = 0
    while kills < count or in_a_row:
        if kills < count and in_a_row < IN_A_ROW:
            number, group = draw.choice(SIGNALS), draw.random() < 0.7
            moment = draw.uniform(0.0, seconds if draw.random() < 0.7 else 0.4 * seconds)
            command = Command(_arguments(kind, work), work, kind.writes)
            if not command.ends_within(moment):
                command.send(number, group=group)
                told[number.name] += 1
                kills, in_a_row = kills + 1, in_a_row + 1
                status, found = command.end()
                if status not in (*STATUSES[number], 0, 1):  # 0, 1: it was done already
                    found.append(f"exit status {status}: {command.said()[1][-500:]}")
                _log(work, f"{kind.name}: {kills} of {count}, {number.name} after {moment:.2f} s: {status} {found}")
                wrong += [
                    f"kill {kills} ({number.name} after {moment:.2f} s of {seconds:.2f}): {each}" for each in found
                ]
                continue
        else:
            command = Command(_arguments(kind, work), work, kind.writes)
        status, found = command.end()
        wrong += [f"after {kills} kills: {each}" for each in found]
        if status not in (0, 1):
            wrong.append(f"after {kills} kills: exit status {status}: {command.said()[1][-500:]}")
        wrong += [f"after {kills} kills: {each}" for each in _differences(kind, work, whole)]
        told[f"ends of {kind.name}"] += 1
        in_a_row = 0
        shutil.rmtree(work / kind.writes, ignore_errors=True)
    return wrong


def _log(work: Path, line: str) -> None:
    with (work / "log").open("a") as log:
        log.write(line + "\n")


def _arguments(kind: Kind, work: Path) -> list[str]:
    """Return its arguments; training has nothing to resume before its folder holds a state."""
    begins = kind.name == "train" and not (work / kind.writes / "state.safetensors").exists()
    return [each for each in kind.arguments if not (begins and each == "--resume")]


def _whole(kind: Kind, work: Path) -> tuple[dict[str, bytes], float]:
    """Return the tables of the command that nobody disturbs, and the seconds that it takes."""
    started = time.monotonic()
    _undisturbed(_arguments(kind, work), work)
    seconds = time.monotonic() - started
    whole = contents(work / kind.writes, kind.tables)
    shutil.rmtree(work / kind.writes)
    return whole, seconds


def _undisturbed(arguments: list[str], work: Path) -> None:
    command = Command(arguments, work, arguments[-1])
    status, wrong = command.end()
    if status not in (0, 1) or wrong:
        raise RuntimeError(f"{arguments}: exit status {status} {wrong}\n{command.said()[1]}")


def _differences(kind: Kind, work: Path, whole: dict[str, bytes]) -> list[str]:
    found = contents(work / kind.writes, kind.tables)
    names = sorted(set(whole) ^ set(found)) or [name for name in whole if whole[name] != found[name]]
    wrong = [f"{name} is not as undisturbed" for name in names]
    return wrong + [f"{name} is left" for name in unfinished(work / kind.writes)]


@contextmanager
def _dask(work: Path, *, wanted: bool) -> Iterator[str | None]:
    """Give the address of a cluster on this machine, None where it is not wanted or distributed is not installed."""
    if not wanted or importlib.util.find_spec("distributed") is None:
        yield None
        return
    file = work / "scheduler.json"
    options = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": work}
    program = [sys.executable, "-m"]
    scheduler = subprocess.Popen([*program, "distributed.cli.dask_scheduler", *options], **quiet)  # type: ignore[call-overload]
    worker = None
    try:
        deadline = time.monotonic() + 120
        while not file.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        options = ["--scheduler-file", str(file), "--nthreads", "1", "--no-dashboard"]
        worker = subprocess.Popen([*program, "distributed.cli.dask_worker", *options], **quiet)  # type: ignore[call-overload]
        yield f"tcp://{file.read_text().split('tcp://')[1].split(chr(34))[0]}"
    finally:
        for process in (worker, scheduler):
            if process is not None:
                process.terminate()
                process.wait(60)
