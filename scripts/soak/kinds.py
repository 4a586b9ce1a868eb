"""Kinds of input for the soak: for each, how a whole one is damaged, and who reads it.

A kind's ``write`` puts a damaged input into an empty folder, from a seeded generator; its ``read`` does with it what
the commands do. Whole inputs are made once, by `make_whole`, into a folder that all processes share.
"""

from __future__ import annotations

import io
import json
import random
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from functools import cache
from importlib import resources
from pathlib import Path
from textwrap import dedent
from typing import Any, NamedTuple

import numpy as np
import soundfile
from mutated_audio import mutated
from mutations import CHANGES, EDITS, NUMBERS, ODD_DOCUMENTS, ODD_NUMBERS, ODD_TEXTS, TEXTS, changed, edited, places
from test_fuzz_tables import CELLS, redigested

from srbench import audio
from srbench.corpora import check_sides, load_split
from srbench.corpora.unpack import extract
from srbench.errors import SrbenchError
from srbench.lint.lint import lint
from srbench.lint.table import read_table
from srbench.protocols import load_protocol
from srbench.report.tables import write_tables
from srbench.results import aggregate_run, compare_runs, write_aggregates
from srbench.results.board_file import read_board
from srbench.results.intake import known_protocols
from srbench.results.literature import load_published
from srbench.results.publish import publish
from srbench.run import Entrant, make_plan, open_run, run_entrant
from srbench.run.estimates import Estimates
from srbench.run.journal import read_journal

ROOT = Path(__file__).resolve().parents[2]
SECOND = 0.3 * np.random.default_rng(0).uniform(-1, 1, 16000)
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
SPLIT = """corpus = "folder"
title = "A split"

[sides.train]
ids = "train.txt"
count = 2

[sides.test]
ids = "ids.txt"
"""
TABLES = {
    "results.csv": b"Model,N,SNR (dB),SI-SDR,MSE (x10^-5),LSD,PESQ,STOI (%),rate\n"
    b"spline,100,14.8,14.2,3.1,3.6,2.2,71.8,8000\n"
    b"UNet,100,17.1,16.9,1.9,1.3,2.5,78.6,8000\n",
    "results.md": b"| Model | SNR | LSD |\n|---|--:|--:|\n"
    b"| spline | 14.8 | 3.6 |\n| **UNet** | 17.1 \xc2\xb1 0.2 | 1.3 |\n",
    "results.tex": b"\\begin{tabular}{l|cc}\n\\toprule\nModel & SNR & LSD \\\\\n\\midrule\n"
    b"\\multirow{2}{*}{spline} & 14.8 & 3.6 \\\\\n & $17.1_{\\pm 0.2}$ & \\textbf{1.3} \\\\\n\\end{tabular}\n",
}
IDS = ("a/1", "a/2", "b/1", "b/2")


class Kind(NamedTuple):
    """A kind of input.

    Attributes
    ----------
    name : str
    share : int
        How many of each round of inputs are of it.
    write : callable (generator, whole inputs, empty folder) -> Path
    read : callable (written path, number, empty folder for what is made of it)
    """

    name: str
    share: int
    write: Callable[[random.Random, Path, Path], Path]
    read: Callable[[Path, int, Path], object]


def make_whole(folder: Path) -> None:
    """Make one whole input of each kind that is not made in memory."""
    for number, name in enumerate(IDS):
        path = folder / "corpus" / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.cumsum(np.random.default_rng(number).uniform(-1, 1, 3200))
        soundfile.write(path, 0.5 * noise / np.abs(noise).max(), 16000)
    (folder / "ids.txt").write_text("".join(f"{name}\n" for name in IDS))
    (folder / "train.txt").write_text("c/1\nc/2\n")
    (folder / "split.toml").write_text(SPLIT)
    (folder / "soak.toml").write_text(dedent(PROTOCOL))
    plan = make_plan(load_protocol(folder / "soak.toml"), folder / "corpus")
    for name in ("spline", "linear"):
        run = run_entrant(plan, Entrant(name), folder / "results")
        write_aggregates(run, aggregate_run(run))
    _kept(folder).keep("a/1", "stamp", SECOND, 0.5)
    checkpoint(folder)


def _kept(folder: Path) -> Estimates:
    return Estimates(folder / ".estimates", "soak", 10**9)


@cache
def _network() -> Any:
    from srbench_models.configurations import configuration

    return configuration("srcnn", filters=[2, 2], kernels=[3, 1, 3])


def checkpoint(folder: Path) -> None:
    """Write a small network's weights and card."""
    from srbench_models.checkpoint import save_checkpoint

    card = {"name": "tiny", "title": "A tiny network", "low_rate": 4000, "high_rate": 16000, "network": "srcnn"}
    card |= {"configuration": _network().as_dict(), "training": {"training_speakers": ["p225"], "corpora": ["vctk"]}}
    save_checkpoint(folder / "tiny.safetensors", _network().build(), card)


# --- damage


def text_damaged(draw: random.Random, text: bytes, tokens: tuple[bytes, ...] = (*NUMBERS, *TEXTS)) -> bytes:
    """Return a text after one to four edits."""
    for _ in range(draw.randint(1, 4)):
        text = edited(text, draw.choice(EDITS), draw.randrange(10**6), draw.randrange(10**6), tokens)
    return text


def bytes_damaged(draw: random.Random, data: bytes) -> bytes:
    """Return a file after one to three flips, cuts, insertions, repetitions or moves of its bytes."""
    for _ in range(draw.randint(1, 3)):
        at, way = draw.randrange(len(data) + 1), draw.randrange(6)
        near = draw.randrange(min(len(data), draw.choice((64, 512, 1 << 30)))) if data else 0
        if way < 3 and data:
            data = data[:near] + bytes([data[near] ^ 1 << draw.randrange(8)]) + data[near + 1 :]
        elif way == 3:
            data = data[:at]
        elif way == 4:
            data = data[:at] + draw.choice((b"\0", b"\xff" * 8, draw.randbytes(30), data[:40])) + data[at:]
        else:
            there = draw.randrange(len(data) + 1)
            data = data[:there] + data[at : at + 64] + data[there + draw.choice((0, 64)) :]
    return data


def document_damaged(draw: random.Random, document: Any) -> Any:
    """Return a JSON document after one to four values became others, of other types, or were lost or doubled."""
    for _ in range(draw.randint(1, 4)):
        odd: Any = draw.choice(
            (None, True, draw.choice(ODD_NUMBERS), draw.choice(ODD_TEXTS), draw.choice(ODD_DOCUMENTS))
        )
        document = changed(document, draw.choice(list(places(document))), draw.choice(CHANGES), odd)
    return document


# --- audio


def _write_audio(draw: random.Random, _: Path, folder: Path) -> Path:
    if draw.random() < 0.5:
        file = mutated(100_000 + draw.randrange(10**6))
        (folder / file.name).write_bytes(file.data)
        return folder / file.name
    name, data = draw.choice(_all_formats())
    (folder / name).write_bytes(bytes_damaged(draw, data))
    return folder / name


@cache
def _all_formats() -> list[tuple[str, bytes]]:
    """Return a file of every suffix that srbench reads, as libsndfile writes it."""
    formats = {".aif": "AIFF", ".aifc": "AIFF", ".oga": "OGG", ".snd": "AU", ".sph": "NIST", ".opus": "OGG"}
    found = []
    for suffix in audio.AUDIO_SUFFIXES:
        file = io.BytesIO()
        kind = formats.get(suffix, suffix[1:].upper())
        subtype = "OPUS" if suffix == ".opus" else None
        soundfile.write(file, SECOND, 16000, format=kind, subtype=subtype)
        found.append((f"sound{suffix}", file.getvalue()))
    return found


def _read_audio(path: Path, number: int, _: Path) -> None:
    from collections import Counter

    from read_mutated import faults_of

    faults = faults_of(path, Counter(), upscale=number % 40 == 0)
    path.with_name("upscaled.wav").unlink(missing_ok=True)
    if faults:
        raise AssertionError("; ".join(faults))


# --- folders of runs


def _write_run(draw: random.Random, whole: Path, folder: Path) -> Path:
    run = next((whole / "results").glob("*/spline-*"))
    place = Path(shutil.copytree(run, folder / run.name))
    name = draw.choice(("manifest.json", "journal.jsonl", "utterances.csv", "aggregates.csv", "speakers.csv"))
    content = (place / name).read_bytes()
    if name == "manifest.json" and draw.random() < 0.7:
        damaged = json.dumps(document_damaged(draw, json.loads(content))).encode()
    elif name == "journal.jsonl" and draw.random() < 0.7:
        lines = document_damaged(draw, [json.loads(line) for line in content.splitlines()])
        damaged = b"".join(
            json.dumps(line).encode() + b"\n" for line in (lines if isinstance(lines, list) else [lines])
        )
    else:
        damaged = draw.choice((text_damaged, bytes_damaged))(draw, content)
    (place / name).write_bytes(damaged)
    return place


def _read_run(path: Path, number: int, out: Path) -> None:
    whole = WHOLE[0]
    read_journal(path / "journal.jsonl")
    try:
        run = open_run(path)
        json.dumps(compare_runs([run, open_run(next((whole / "results").glob("*/linear-*")))]), allow_nan=False)
    except SrbenchError as error:
        refused(error)
    if number % 3 == 0:
        mine = known_protocols([whole / "soak.toml"])
        outcome = publish([path, whole / "results"], out, protocols=mine, rows=0, allow_partial=True)
        for board in outcome.boards.values():
            write_tables(board, out)
        if not any(entry.upscaler == "linear" for entry in outcome.published):
            raise AssertionError("a damaged run takes another along")


# --- the others


def _write_kept(draw: random.Random, whole: Path, folder: Path) -> Path:
    (source,) = (whole / ".estimates").rglob("*.npz")
    target = folder / source.relative_to(whole)
    target.parent.mkdir(parents=True)
    target.write_bytes(bytes_damaged(draw, source.read_bytes()))
    return target


def _read_kept(path: Path, _number: int, __: Path) -> None:
    found = _kept(path.parents[2]).find("a/1", "stamp", len(SECOND))
    if found is not None and not (found[0].shape == SECOND.shape and np.isfinite(found[0]).all()):
        raise AssertionError("a damaged estimate is taken")


def _write_board(draw: random.Random, _: Path, folder: Path) -> Path:
    name = draw.choice(("demo.csv", "demo.csv", "published.csv"))
    lines = (ROOT / "leaderboard" / name).read_bytes().splitlines(keepends=True)[:12]
    content = text_damaged(draw, b"".join(lines), (*NUMBERS, *TEXTS, *CELLS))
    (folder / name).write_bytes(redigested(content) if draw.random() < 0.7 else content)
    return folder / name


def _read_board(path: Path, _: int, out: Path) -> object:
    return load_published(path) if path.name == "published.csv" else write_tables(read_board(path), out)


def _write_table(draw: random.Random, _: Path, folder: Path) -> Path:
    name = draw.choice(sorted(TABLES))
    damage = draw.choice((text_damaged, text_damaged, bytes_damaged))
    (folder / name).write_bytes(damage(draw, TABLES[name]))
    return folder / name


def _read_table(path: Path, _: int, __: Path) -> None:
    for finding in lint(read_table(path)):
        json.dumps(finding.as_dict(), allow_nan=False)


@cache
def _archives() -> list[tuple[str, bytes]]:
    found = []
    for name in ("corpus.tar", "corpus.tar.gz", "corpus.tar.bz2", "corpus.tar.xz", "corpus.zip", "stored.zip"):
        file = io.BytesIO()
        if name.endswith("zip"):
            with zipfile.ZipFile(
                file, "w", zipfile.ZIP_STORED if name == "stored.zip" else zipfile.ZIP_DEFLATED
            ) as zipped:
                for number in range(3):
                    zipped.writestr(f"corpus/p{number}/a.wav", SECOND[:500].tobytes())
        else:
            with tarfile.open(fileobj=file, mode=f"w:{name.partition('.tar')[2].lstrip('.')}") as tar:  # type: ignore[call-overload]
                for number in range(3):
                    member = tarfile.TarInfo(f"corpus/p{number}/a.wav")
                    member.size = 4000
                    tar.addfile(member, io.BytesIO(SECOND[:500].tobytes()))
        found.append((name, file.getvalue()))
    return found


def _write_archive(draw: random.Random, _: Path, folder: Path) -> Path:
    name, data = draw.choice(_archives())
    (folder / name).write_bytes(bytes_damaged(draw, data))
    return folder / name


def _read_archive(path: Path, _: int, out: Path) -> None:
    target = out / "in" / "corpus"
    target.parent.mkdir()
    try:
        extract(path, target)
    except SrbenchError:
        if any(target.parent.iterdir()):
            raise AssertionError("half an archive stands there") from None
        raise
    finally:
        if sorted(out.iterdir()) != [target.parent]:
            raise AssertionError(f"written outside: {sorted(out.iterdir())}")


def _write_checkpoint(draw: random.Random, whole: Path, folder: Path) -> Path:
    import hashlib

    weights, card = ((whole / f"tiny.{suffix}").read_bytes() for suffix in ("safetensors", "json"))
    if draw.random() < 0.6:
        size = int.from_bytes(weights[:8], "little")
        header = weights[8 : 8 + size]
        damage = draw.randrange(3)
        if damage == 0:
            header = json.dumps(document_damaged(draw, json.loads(header))).encode()
        elif damage == 1:
            header = text_damaged(draw, header)
        length = draw.choice((len(header), len(header), size, draw.choice((0, 1, 2**31, 2**40, 2**63, 2**64 - 1))))
        weights = length.to_bytes(8, "little") + header + weights[8 + size :]
        weights = bytes_damaged(draw, weights) if damage == 2 else weights
    told: Any = json.loads(card)
    if draw.random() < 0.5:
        told = document_damaged(draw, told)
    if isinstance(told, dict) and draw.random() < 0.8:
        told["weights_sha256"] = hashlib.sha256(weights).hexdigest()
    (folder / "tiny.safetensors").write_bytes(weights)
    text = json.dumps(told).encode()
    (folder / "tiny.json").write_bytes(text if draw.random() < 0.8 else text_damaged(draw, text))
    return folder / "tiny.safetensors"


def _read_checkpoint(path: Path, _: int, __: Path) -> object:
    from srbench_models.checkpoint import load_checkpoint

    return load_checkpoint(path)


def _write_toml(draw: random.Random, whole: Path, folder: Path) -> Path:
    for name in ("split.toml", "soak.toml", "ids.txt", "train.txt"):
        content = (whole / name).read_bytes()
        if name == "soak.toml" and draw.random() < 0.5:
            named = Path(str(resources.files("srbench.protocols"))) / "named"
            content = draw.choice(sorted(named.glob("*.toml"))).read_bytes()
        damage = draw.choice((text_damaged, text_damaged, bytes_damaged))
        (folder / name).write_bytes(damage(draw, content) if draw.random() < 0.5 else content)
    return folder / "soak.toml"


def _read_toml(path: Path, _: int, __: Path) -> None:
    for reader in (_use_protocol, _use_split):
        try:
            reader(path)
        except SrbenchError as error:
            refused(error)


def _use_protocol(path: Path) -> None:
    protocol = load_protocol(path)
    protocol.define_metrics()
    str(protocol.signature())


def _use_split(path: Path) -> None:
    split = load_split(path.with_name("split.toml"))
    check_sides(split)
    for side in split.sides:
        split.ids(side)


def refused(error: SrbenchError) -> None:
    """Raise AssertionError if a refusal is not one or two lines that a terminal can show."""
    message = str(error)
    if not 1 <= len(message.splitlines()) <= 2 or len(message) > 3000:
        raise AssertionError(f"a message that is not one or two lines: {message[:300]!r}")
    message.encode()


WHOLE: list[Path] = []  # the folder of whole inputs; set once in each process
KINDS = (
    Kind("audio", 16, _write_audio, _read_audio),
    Kind("runs (manifest, journal, tables)", 6, _write_run, _read_run),
    Kind("kept estimates", 3, _write_kept, _read_kept),
    Kind("leaderboards", 4, _write_board, _read_board),
    Kind("tables to lint", 3, _write_table, _read_table),
    Kind("archives", 3, _write_archive, _read_archive),
    Kind("checkpoints", 3, _write_checkpoint, _read_checkpoint),
    Kind("protocols and splits", 2, _write_toml, _read_toml),
)
ROUND = tuple(kind for kind in KINDS for _ in range(kind.share))
