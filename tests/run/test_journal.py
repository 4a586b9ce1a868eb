"""The journal: what is finished survives a kill at any byte, and garbage in it costs only the line it stands on."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from srbench.run.journal import append, open_journal, read_journal
from srbench.run.record import Record


def record(name: str, value: float = 1.5, **more: object) -> Record:
    values = {"snr": value, "mse": 1 / 3}
    return Record(name, "p1", f"{name}.wav", "ab12", values=values, **more)


RECORDS = [
    record("p1_1", 0.1 + 0.2, upscale_seconds=1e-5, seconds=0.3, samples=4800, file_rate=16000),
    record("p1_2", math.inf),
    record("p1_3", -math.inf, undefined={"stoi": "too short"}),
    record("sub folder/é “quoted”, 音", error='a "reason", with\ttabs and é'),
    record("p1_5", 5e-324, input_at_fault=True),
]


def write(path: Path, *records: Record) -> bytes:
    with open_journal(path) as journal:
        for one in records:
            append(journal, one)
    return path.read_bytes()


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    write(path, *RECORDS)
    assert read_journal(path) == {r.utterance: r for r in RECORDS}
    assert len(path.read_bytes().splitlines()) == len(RECORDS)


def test_missing_and_empty_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    assert read_journal(path) == {}
    path.touch()
    assert read_journal(path) == {}


def test_each_record_is_on_disk_at_once(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with open_journal(path) as journal:
        for n, one in enumerate(RECORDS, 1):
            append(journal, one)
            assert len(read_journal(path)) == n


def test_later_line_counts(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    write(path, record("a", 1.0), record("b", 2.0))
    write(path, record("a", 3.0))
    assert {name: one.values["snr"] for name, one in read_journal(path).items()} == {"a": 3.0, "b": 2.0}


def test_cut_anywhere(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.jsonl", *RECORDS)
    path = tmp_path / "journal.jsonl"
    breaks = [n for n, byte in enumerate(whole) if byte == ord("\n")]
    near = {b + step for b in breaks for step in (-1, 0, 1, 2)}
    for cut in sorted({n for n in near if n <= len(whole)} | set(range(0, len(whole) + 1, 7))):
        path.write_bytes(whole[:cut])
        kept = whole[:cut].count(b"\n")
        assert list(read_journal(path).values()) == RECORDS[:kept], cut
        with open_journal(path) as journal:
            append(journal, RECORDS[-1])
        assert list(read_journal(path).values()) == [*RECORDS[:kept], RECORDS[-1]][: len(RECORDS)], cut
        assert path.read_bytes().startswith(whole[: whole[:cut].rfind(b"\n") + 1]), cut


GARBAGE = {
    "empty line": b"",
    "zeros": b"\0" * 64,
    "text": b"hello",
    "no utf-8": b'{"utterance": "\xff"}',
    "two lines run together": b'{"utterance": "x", "spea{"utterance": "y"}',
    "a number": b"3",
    "a list": b"[1, 2]",
    "null": b"null",
    "a missing key": b'{"utterance": "x", "speaker": "y", "file": "z"}',
    "an unknown key": b'{"utterance": "x", "speaker": "y", "file": "z", "stamp": [1, 2], "more": 3}',
    "a stamp that is none": b'{"utterance": "x", "speaker": "y", "file": "z", "stamp": 5}',
}


@pytest.mark.parametrize("what", GARBAGE)
def test_garbage_line_costs_itself(what: str, tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    lines = write(path, *RECORDS).splitlines()
    path.write_bytes(b"\n".join([*lines[:2], GARBAGE[what], *lines[2:]]) + b"\n")
    assert list(read_journal(path).values()) == RECORDS


@pytest.mark.parametrize("utterance", [[], {}])
def test_utterance_that_is_no_text_is_garbage(utterance: object, tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    line = {**RECORDS[0].as_dict(), "utterance": utterance}
    path.write_text(json.dumps(line) + "\n")
    assert read_journal(path) == {}


def test_records_take_little_memory(tmp_path: Path) -> None:
    """A hundred thousand of them are held at once."""
    import tracemalloc

    path, metrics = tmp_path / "journal.jsonl", ("snr", "si_sdr", "mse", "lsd", "pesq", "stoi", "estoi")
    with open_journal(path) as journal:
        for n in range(2000):
            values = {name: n + 0.123456789 for name in metrics}
            append(journal, Record(f"p225_{n:06}", "p225", f"wav48/p225/p225_{n:06}.wav", f"{n:064x}", values=values))
    tracemalloc.start()
    records = read_journal(path)
    size, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(records) == 2000
    assert size / 2000 < 1300
    assert peak < 1.2 * size, "the file was read as a whole"


DEEP = "[" * 100_000
DAMAGED = {
    "nested too deeply": lambda line: line.replace('"values": {', f'"values": {{"a": {DEEP}', 1),
    "a list": lambda line: f"[{line}]",
    "no record": lambda line: "null",
    "surrogate in the id": lambda line: line.replace('"utterance": "b', '"utterance": "b\\ud800', 1),
    "surrogate in the speaker": lambda line: line.replace('"speaker": "', '"speaker": "\\udfff', 1),
    "surrogate in the file": lambda line: line.replace('"file": "', '"file": "\\ud800', 1),
    "surrogate in the error": lambda line: line.replace('"error": "', '"error": "\\ud800', 1),
    "surrogate in a reason": lambda line: line.replace('"undefined": {', '"undefined": {"lsd": "\\ud800"', 1),
    "integer too large for a float": lambda line: line.replace('"seconds": null', f'"seconds": {"9" * 400}', 1),
    "integer of five thousand digits": lambda line: line.replace('"seconds": null', f'"seconds": {"9" * 5000}', 1),
    "a text for a number": lambda line: line.replace('"snr": 1.5', '"snr": "1.5"', 1),
    "a truth for a number": lambda line: line.replace('"snr": 1.5', '"snr": true', 1),
    "an absent key": lambda line: line.replace('"stamp": ', '"stomp": ', 1),
    "bytes that are no text": lambda line: line.replace("speaker one", "\udcff\udcfe", 1),
}


@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_line_costs_its_own_record_and_no_other(tmp_path: Path, damage: Callable[[str], str]) -> None:
    path = tmp_path / "journal.jsonl"
    with open_journal(path) as journal:
        for name in "abc":
            append(journal, Record(name, "speaker one", f"{name}.wav", "0" * 64, values={"snr": 1.5}))
    lines = path.read_text(encoding="utf-8").splitlines()
    assert damage(lines[1]) != lines[1], "nothing was damaged"
    lines[1] = damage(lines[1])
    path.write_bytes("".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape"))
    assert list(read_journal(path)) == ["a", "c"]


def test_a_line_of_0_1_0_knows_no_recording(tmp_path: Path) -> None:
    """It is read; runs with such lines are compared by their files' bytes."""
    old = record("a").as_dict()
    del old["recording"]
    (tmp_path / "journal.jsonl").write_text(json.dumps(old) + "\n")
    assert read_journal(tmp_path / "journal.jsonl")["a"].recording == ""
