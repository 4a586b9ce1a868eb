"""A protocol of its own with six short utterances of three speakers, and runs on it; and how to edit their files."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import soundfile

from srbench.corpora import open_corpus
from srbench.corpora.corpus import samples_digest
from srbench.protocols import load_protocol
from srbench.results import aggregate_run, write_aggregates
from srbench.run import Entrant, Run, make_plan, open_run, run_entrant

IDS = ("a/1", "a/2", "b/1", "b/2", "c/1", "c/2")
PROTOCOL = """
    title = "Tiny"
    corpus = "folder"
    split = "tiny_split.toml"
    side = "test"
    low_rate = 4000
    high_rate = 16000
    metrics = ["snr", "lsd"]

    [degradation]
    kind = "cheby1"
    order = 8
    ripple_db = 0.05
    cut = 0.8
    phase = "zero"
"""


def make_protocol(folder: Path) -> Path:
    """Write the corpus (``corpus/``) and the protocol, and return the protocol's file."""
    for number, name in enumerate(IDS):
        path = folder / "corpus" / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.cumsum(np.random.default_rng(number).uniform(-1, 1, 3200))
        soundfile.write(path, 0.5 * noise / np.abs(noise).max(), 16000)
    (folder / "tiny_ids.txt").write_text("".join(f"{name}\n" for name in IDS))
    (folder / "tiny_split.toml").write_text('corpus = "folder"\n[sides]\ntest = { ids = "tiny_ids.txt" }\n')
    path = folder / "tiny.toml"
    path.write_text(dedent(PROTOCOL))
    return path


def make_run(protocol: Path, results: Path, entrant: Entrant, *, save_audio: bool = False, **plan: Any) -> Run:
    """Run an entrant on it as ``srbench run`` does."""
    made = make_plan(load_protocol(protocol), protocol.parent / "corpus", **plan)
    run = run_entrant(made, entrant, results, save_audio=save_audio)
    write_aggregates(run, aggregate_run(run))
    return run


def ship_digests(protocol: Path) -> None:
    """Let the protocol's split ship the digests of the recordings as they are now."""
    folder = protocol.parent
    lines = [f"{each.id} {samples_digest(each.path)[:16]}\n" for each in open_corpus(folder / "corpus").utterances]
    (folder / "tiny_samples.txt").write_text("".join(lines))
    split = folder / "tiny_split.toml"
    split.write_text(f'samples = "tiny_samples.txt"\n{split.read_text()}')


def samples_in(source: Path, target: Path, subtype: str) -> Path:
    """Write a recording again, in another file or format."""
    samples, rate = soundfile.read(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(target, samples, rate, subtype=subtype)
    return target


def copied(run: Run, results: Path) -> Path:
    """Copy a run's folder to another results folder, to edit it there."""
    return shutil.copytree(run.folder, results / "tiny" / run.folder.name)


def edit_csv(path: Path, row: str, column: str, change: Callable[[str], str]) -> None:
    """Change one cell; the row is named by its first cell."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file))
    chosen = next(each for each in rows if each[0] == row)
    chosen[header.index(column)] = change(chosen[header.index(column)])
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


def edit_journal(folder: Path, row: str, change: Callable[[dict[str, Any]], None]) -> None:
    """Change one record of a journal."""
    path = folder / "journal.jsonl"
    records = [json.loads(line) for line in path.read_text().splitlines()]
    change(next(record for record in records if record["utterance"] == row))
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


def edit_manifest(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change a manifest."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


def raise_value(folder: Path, row: str, metric: str, by: float) -> None:
    """Edit a value in ``utterances.csv`` and in the journal alike."""
    edit_csv(folder / "utterances.csv", row, metric, lambda cell: repr(float(cell) + by))
    edit_journal(folder, row, lambda record: record["values"].update({metric: record["values"][metric] + by}))


def cover_tracks(folder: Path) -> None:
    """Make the aggregates fit edited rows."""
    run = open_run(folder, check=False)
    write_aggregates(run, aggregate_run(run))
