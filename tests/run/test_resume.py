"""A run that was stopped goes on, does nothing twice, and ends in the same bytes as one that never was."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
import soundfile

from srbench.protocols import load_protocol
from srbench.results import aggregate_run, write_aggregates
from srbench.run import Entrant, Plan, Run, make_plan, run_entrant
from srbench.run.workers import Where

PLUGIN = """
    import hashlib, os, time
    import numpy as np
    from srbench.upscaler import upscaler

    def called(low):
        with open(os.environ["CALLS"], "a") as calls:
            calls.write(hashlib.sha256(low.tobytes()).hexdigest()[:12] + "\\n")

    @upscaler("counted")
    def counted(low, low_rate, high_rate):
        called(low)
        return low.repeat(4) + 1e-3 * np.random.standard_normal(4 * len(low))

    @upscaler("sleepy")
    def sleepy(low, low_rate, high_rate):
        called(low)
        time.sleep(0.03)
        return low.repeat(4) + 1e-3 * np.random.standard_normal(4 * len(low))

    @upscaler("moody")
    def moody(low, low_rate, high_rate):
        called(low)
        if os.path.exists(os.environ["CALLS"] + ".bad") and abs(low).max() > 0.35:
            raise RuntimeError("not today")
        return low.repeat(4)

    @upscaler("deadly")
    def deadly(low, low_rate, high_rate):
        called(low)
        if os.path.exists(os.environ["CALLS"] + ".bad") and abs(low).max() > 0.35:
            os._exit(9)
        return low.repeat(4)
"""
N = 5
TABLES = ("utterances.csv", "aggregates.csv", "speakers.csv")


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plugin") / "mine.py"
    path.write_text(dedent(PLUGIN))
    return path


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file in which the plug-in notes every call."""
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    return tmp_path / "calls"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Write five utterances; the fourth is the loudest."""
    folder = tmp_path / "data"
    folder.mkdir()
    for n in range(N):
        noise = np.random.default_rng(n).uniform(-1, 1, 4800) * (0.9 if n == 3 else 0.2)
        soundfile.write(folder / f"u{n}.wav", noise, 16000, subtype="DOUBLE")
    return folder


def plan_of(data: Path) -> Plan:
    return make_plan(load_protocol("demo"), data, metrics=("snr", "mse"))


def count(calls: Path) -> int:
    return len(calls.read_text().splitlines()) if calls.exists() else 0


def tables(run: Run) -> dict[str, bytes]:
    write_aggregates(run, aggregate_run(run))
    return {name: (run.folder / name).read_bytes() for name in TABLES}


def status(run: Run) -> list[str]:
    with (run.folder / "utterances.csv").open(encoding="utf-8", newline="") as file:
        return [row["status"] for row in csv.DictReader(file)]


def test_finished_run_is_not_run_again(data: Path, plugin: Path, calls: Path, tmp_path: Path) -> None:
    plan, entrant = plan_of(data), Entrant("counted", plugins=(plugin,))
    first = run_entrant(plan, entrant, tmp_path / "r")
    before = tables(first)
    journal = (first.folder / "journal.jsonl").read_bytes()
    seen = []
    second = run_entrant(plan, entrant, tmp_path / "r", progress=lambda *what: seen.append(what), where=Where(2))
    assert count(calls) == N
    assert seen == [("counted", N, N)]
    assert second.records == first.records
    assert tables(second) == before
    assert (first.folder / "journal.jsonl").read_bytes() == journal


def test_going_on_keeps_the_date_and_a_fresh_start_does_not(
    data: Path, plugin: Path, calls: Path, tmp_path: Path
) -> None:
    plan = make_plan(load_protocol("demo"), data, metrics=("snr",))
    entrant = Entrant("counted", plugins=(plugin,))
    manifest = run_entrant(plan, entrant, tmp_path / "r").folder / "manifest.json"
    told = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**told, "started": "2001-01-01T00:00:00+00:00"}))
    assert run_entrant(plan, entrant, tmp_path / "r").manifest["started"].startswith("2001")
    assert not run_entrant(plan, entrant, tmp_path / "r", fresh=True).manifest["started"].startswith("2001")


def test_lost_tables_are_written_again(data: Path, plugin: Path, calls: Path, tmp_path: Path) -> None:
    plan, entrant = plan_of(data), Entrant("counted", plugins=(plugin,))
    run = run_entrant(plan, entrant, tmp_path / "r")
    before = tables(run)
    for name in (*TABLES, "timings.csv", "manifest.json"):
        (run.folder / name).unlink()
    assert tables(run_entrant(plan, entrant, tmp_path / "r")) == before
    assert count(calls) == N


def test_any_cut_of_the_journal_ends_in_the_same_bytes(data: Path, plugin: Path, calls: Path, tmp_path: Path) -> None:
    plan, entrant = plan_of(data), Entrant("counted", plugins=(plugin,))
    run = run_entrant(plan, entrant, tmp_path / "r")
    before, journal = tables(run), (run.folder / "journal.jsonl").read_bytes()
    for cut in [0, *random.Random(0).sample(range(len(journal)), 12), len(journal) - 1]:
        (run.folder / "journal.jsonl").write_bytes(journal[:cut])
        calls.unlink()
        calls.touch()
        assert tables(run_entrant(plan, entrant, tmp_path / "r")) == before, cut
        assert count(calls) == N - journal[:cut].count(b"\n"), cut


def test_garbage_in_the_journal_costs_one_utterance(data: Path, plugin: Path, calls: Path, tmp_path: Path) -> None:
    plan, entrant = plan_of(data), Entrant("counted", plugins=(plugin,))
    run = run_entrant(plan, entrant, tmp_path / "r")
    before, journal = tables(run), (run.folder / "journal.jsonl")
    lines = journal.read_bytes().splitlines(keepends=True)
    lines[2] = b"\0" * 100 + b"\n"
    journal.write_bytes(b"".join(lines))
    assert tables(run_entrant(plan, entrant, tmp_path / "r")) == before
    assert count(calls) == N + 1


def test_changed_recording_is_evaluated_again(data: Path, plugin: Path, calls: Path, tmp_path: Path) -> None:
    plan, entrant = plan_of(data), Entrant("counted", plugins=(plugin,))
    first = run_entrant(plan, entrant, tmp_path / "r")
    soundfile.write(data / "u1.wav", np.random.default_rng(9).uniform(-1, 1, 4800), 16000, subtype="DOUBLE")
    second = run_entrant(plan, entrant, tmp_path / "r")
    assert count(calls) == N + 1
    assert second.folder == first.folder
    changed = [a.utterance for a, b in zip(first.records, second.records, strict=True) if a != b]
    assert changed == ["u1"]
    assert tables(second) == tables(run_entrant(plan, entrant, tmp_path / "afresh"))


def test_another_date_is_no_change_and_another_content_of_the_same_size_is(
    data: Path, plugin: Path, calls: Path, tmp_path: Path
) -> None:
    plan, entrant = plan_of(data), Entrant("counted", plugins=(plugin,))
    run_entrant(plan, entrant, tmp_path / "r")
    os.utime(data / "u0.wav", ns=(10**18, 10**18))
    run_entrant(plan, entrant, tmp_path / "r")
    assert count(calls) == N
    content = bytearray((data / "u0.wav").read_bytes())
    content[-1] ^= 1
    (data / "u0.wav").write_bytes(content)
    os.utime(data / "u0.wav", ns=(10**18, 10**18))
    run_entrant(plan, entrant, tmp_path / "r")
    assert count(calls) == N + 1


def test_failed_rows_are_tried_again(data: Path, plugin: Path, calls: Path, tmp_path: Path) -> None:
    plan, entrant = plan_of(data), Entrant("moody", plugins=(plugin,))
    bad = calls.with_suffix(".bad")
    bad.touch()
    first = run_entrant(plan, entrant, tmp_path / "r")
    assert status(first) == ["ok", "ok", "ok", "failed", "ok"]
    assert status(run_entrant(plan, entrant, tmp_path / "r")) == ["ok", "ok", "ok", "failed", "ok"]
    assert count(calls) == N + 1
    bad.unlink()
    mended = run_entrant(plan, entrant, tmp_path / "r")
    assert status(mended) == ["ok"] * N
    assert count(calls) == N + 2
    assert tables(mended) == tables(run_entrant(plan, entrant, tmp_path / "afresh"))


def test_the_one_that_kills_its_process_is_tried_again_in_a_process(data: Path, plugin: Path, tmp_path: Path) -> None:
    """In a process of its own, as the first time: in ours it would take the whole run down."""
    (tmp_path / "calls.bad").touch()
    code = f"""
        from pathlib import Path
        from srbench.protocols import load_protocol
        from srbench.run import Entrant, make_plan, run_entrant
        from srbench.run.workers import Where
        if __name__ == "__main__":
            plan = make_plan(load_protocol("demo"), {str(data)!r}, metrics=("snr",))
            for _ in range(2):
                run = run_entrant(plan, Entrant("deadly", plugins=(Path({str(plugin)!r}),)), "r", where=Where(2))
            print([r.utterance for r in run.records if r.error])
    """
    (tmp_path / "script.py").write_text(dedent(code))
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        env={**os.environ, "CALLS": "calls"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "['u3']\n")


def test_audio_asked_for_later_is_made(data: Path, plugin: Path, calls: Path, tmp_path: Path) -> None:
    plan, entrant = plan_of(data), Entrant("counted", plugins=(plugin,))
    before = tables(run_entrant(plan, entrant, tmp_path / "r"))
    run = run_entrant(plan, entrant, tmp_path / "r", save_audio=True)
    assert tables(run) == before
    assert sorted(p.name for p in (run.folder / "audio").iterdir()) == [f"u{n}.wav" for n in range(N)]
    assert count(calls) == 2 * N
    (run.folder / "audio" / "u2.wav").unlink()
    run_entrant(plan, entrant, tmp_path / "r", save_audio=True)
    assert (run.folder / "audio" / "u2.wav").exists()
    assert count(calls) == 2 * N + 1


def test_half_an_audio_file_never_stands_under_its_name(
    data: Path, plugin: Path, calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill while it is written must not leave what the next run takes for the whole."""
    seen: list[bool] = []
    write = soundfile.write

    def spied(file: object, *rest: object, **more: object) -> None:
        write(file, *rest, **more)
        seen.append(any((tmp_path / "r").rglob(f"u{len(seen)}.wav")))

    monkeypatch.setattr(soundfile, "write", spied)
    run_entrant(plan_of(data), Entrant("counted", plugins=(plugin,)), tmp_path / "r", save_audio=True)
    assert seen == [False] * N


# --- killed at random moments


def command(results: Path, plugin: Path, workers: int) -> list[str]:
    options = ["--protocol", "demo", "--metric", "lsd", "--metric", "snr", "--no-anchors", "--json"]
    where = ["--plugin", str(plugin), "--results", str(results), "--workers", str(workers)]
    return [sys.executable, "-m", "srbench", "run", "--model", "sleepy", *options, *where]


def finished(results: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in results.glob("demo/sleepy-*/journal.jsonl"))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, plugin: Path) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("undisturbed")
    environment = {**os.environ, "CALLS": str(folder / "calls")}
    subprocess.run(command(folder / "r", plugin, 1), env=environment, check=True, capture_output=True, timeout=120)
    (run,) = (folder / "r" / "demo").glob("sleepy-*")
    assert count(folder / "calls") == 28
    return {name: (run / name).read_bytes() for name in TABLES}


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs process groups")
@pytest.mark.parametrize(("workers", "kills"), [(1, 4), (2, 3)])
def test_killed_at_random_moments(
    workers: int, kills: int, plugin: Path, calls: Path, tmp_path: Path, undisturbed: dict[str, bytes]
) -> None:
    results, rng = tmp_path / "r", random.Random(workers)
    at_kill = []
    for attempt in range(kills):
        with subprocess.Popen(
            command(results, plugin, workers),
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            if attempt == 1:  # somewhere in the start; the others while utterances are evaluated
                time.sleep(rng.uniform(0.0, 0.8))
            else:
                target, deadline = finished(results) + rng.randint(1, 7), time.monotonic() + 60
                while finished(results) < target and process.poll() is None and time.monotonic() < deadline:
                    time.sleep(0.002)
                time.sleep(rng.uniform(0.0, 0.05))
            os.killpg(process.pid, signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        at_kill.append(finished(results))
    assert at_kill == sorted(at_kill), "a kill lost what was finished"
    assert 0 < at_kill[0] < at_kill[-1] < 28
    done = subprocess.run(command(results, plugin, workers), capture_output=True, text=True, timeout=120, check=True)
    (run,) = (results / "demo").glob("sleepy-*")
    assert {name: (run / name).read_bytes() for name in TABLES} == undisturbed
    (model,) = json.loads(done.stdout)["models"]
    assert (model["n"], model["failed"]) == (28, 0)
    # each kill costs at most what was under way
    assert 28 <= count(calls) <= 28 + kills * (1 if workers == 1 else 3 * workers)
