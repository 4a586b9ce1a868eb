"""Misbehaving models: each in a command with a good one behind it, which must not notice."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import numpy as np
import soundfile
from misbehaving import ALL, EITHER, FAILS, HEAD
from processes import RUNS, Command, contents, unfinished

N = 4  # utterances; the one marked 2 is where it misbehaves
TIMEOUT = "12"  # seconds an utterance: a busy machine takes two for a start
GOOD = """
from srbench.upscaler import upscaler

@upscaler()
def good(low, low_rate, high_rate):
    return low.repeat(4)
"""


def soak(count: int, seed: int, work: Path) -> tuple[str, list[str]]:
    """Run the first so many misbehaving models; return a line that says what came of it, and the findings."""
    (work / "data").mkdir()
    for n in range(N):
        ramp = n / 100 * np.exp(-np.arange(4800) / 1000)
        noise = 1e-4 * np.random.default_rng(seed + n).standard_normal(4800)
        soundfile.write(work / "data" / f"u{n}.wav", ramp + noise, 16000, subtype="DOUBLE")
    (work / "good.py").write_text(GOOD)
    _run(["--model", "good"], work, "alone")
    whole = contents(work / "alone", RUNS)
    told: Counter[str] = Counter()
    findings = []
    for number, way in enumerate(ALL[:count]):
        place = work / f"model{number}"
        place.mkdir()
        body = f"    if number(low) == 2:\n        {way}\n    return low.repeat(4)\n"
        (place / "odd.py").write_text(f"{HEAD}\n@upscaler()\ndef odd(low, low_rate, high_rate):\n{body}")
        status, found = _run(["--model", "odd", "--model", "good", "--plugin", str(place / "odd.py")], work, place.name)
        found += _wrong_rows(way, status, place, whole, told)
        findings += [f"model {number}, which does '{way}': {each}" for each in found]
    ways = ", ".join(f"{key} {value}" for key, value in sorted(told.items()))
    return f"models: {min(count, len(ALL))} misbehaving models, {len(findings)} findings ({ways})", findings


def _run(models: list[str], work: Path, results: str) -> tuple[int, list[str]]:
    options = ["--data", "data", "--metric", "snr", "--metric", "pesq", "--no-anchors", "--json"]
    told = ["--plugin", "good.py", "--timeout", TIMEOUT, "--results", results]
    command = Command(["run", *models, *options, *told], work)
    status, wrong = command.end()
    if status not in (0, 1):
        wrong.append(f"exit status {status}: {command.said()[1][-500:]}")
    try:
        json.loads(command.said()[0])
    except ValueError:
        wrong.append(f"stdout is no JSON document: {command.said()[0][:200]!r}")
    return status, wrong


def _wrong_rows(way: str, status: int, place: Path, whole: dict[str, bytes], told: Counter[str]) -> list[str]:
    """Return what is wrong with the tables: the good model's bytes, the odd one's rows."""
    found = contents(place, RUNS)
    wrong = [f"the good model's {name} is another" for name, content in whole.items() if found.get(name) != content]
    wrong += [f"{name} is left" for name in unfinished(place)]
    tables = list(place.glob("*/odd-*/utterances.csv"))
    if len(tables) != 1:
        return [*wrong, f"it has {len(tables)} tables"]
    with tables[0].open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    errors = {row["utterance"]: row["error"] for row in rows}
    incomplete = [name for name, row in zip(errors, rows, strict=True) if not (row["snr"] and row["pesq"])]
    failed = [name for name, error in errors.items() if error]
    told["failed and named" if failed else "no row failed"] += 1
    if status != int(bool(incomplete)):
        wrong.append(f"exit status {status}, and {len(incomplete)} rows lack a value")
    if way in EITHER:
        return wrong
    if way in FAILS and not (failed == ["u2"] and FAILS[way] in errors["u2"]):
        wrong.append(f"its rows fail with {errors}")
    if way not in FAILS and failed:
        wrong.append(f"its rows fail with {errors}")
    return wrong
