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
from kit import wait_until
from warm_start import warm_start

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
        time.sleep(0.02)
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
    assert run_entrant(plan, entrant, tmp_path / "r").manifest.started.startswith("2001")
    assert not run_entrant(plan, entrant, tmp_path / "r", fresh=True).manifest.started.startswith("2001")


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
        timeout=600,
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
    write = soundfile.SoundFile.write

    def spied(file: soundfile.SoundFile, samples: object) -> None:
        write(file, samples)
        seen.append(any((tmp_path / "r").rglob(f"u{len(seen)}.wav")))

    monkeypatch.setattr(soundfile.SoundFile, "write", spied)
    run_entrant(plan_of(data), Entrant("counted", plugins=(plugin,)), tmp_path / "r", save_audio=True)
    assert seen == [False] * N


# --- killed at random moments


MANY = 80  # utterances, so that no run is finished by chance


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many")
    for n in range(MANY):
        noise = np.random.default_rng(n).uniform(-0.2, 0.2, 4800)
        soundfile.write(folder / f"u{n:02}.wav", noise, 16000, subtype="DOUBLE")
    return folder


def arguments(results: Path, plugin: Path, data: Path, workers: int) -> list[str]:
    options = [
        "--protocol",
        "demo",
        "--data",
        str(data),
        "--metric",
        "lsd",
        "--metric",
        "snr",
        "--no-anchors",
        "--json",
    ]
    where = ["--plugin", str(plugin), "--results", str(results), "--workers", str(workers)]
    return ["run", "--model", "sleepy", *options, *where]


def command(*what: object) -> list[str]:
    return [sys.executable, "-m", "srbench", *arguments(*what)]  # type: ignore[arg-type]


def finished(results: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in results.glob("demo/sleepy-*/journal.jsonl"))


def end_of(results: Path) -> dict[str, bytes]:
    """Return what the end of a run must be: its tables, and the names of all files."""
    (run,) = (results / "demo").glob("sleepy-*")
    names = sorted(path.name for folder in (run, run.parent) for path in folder.iterdir())
    names = [name for name in names if not name.endswith(".unfinished")]  # what a kill amid the writing left
    return {**{name: (run / name).read_bytes() for name in TABLES}, "names": repr(names).encode()}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, plugin: Path, many: Path) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("undisturbed")
    environment = {**os.environ, "CALLS": str(folder / "calls")}
    subprocess.run(
        command(folder / "r", plugin, many, 1), env=environment, check=True, capture_output=True, timeout=6000
    )
    assert count(folder / "calls") == MANY
    return end_of(folder / "r")


def wait_until_finished(results: Path, target: int) -> None:
    wait_until(lambda: finished(results) >= target)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and process groups")
@pytest.mark.parametrize(("workers", "start", "kills"), [(1, 0.1, 34), (2, 1.2, 16)])
def test_killed_at_random_moments(
    workers: int,
    start: float,
    kills: int,
    plugin: Path,
    many: Path,
    calls: Path,
    tmp_path: Path,
    undisturbed: dict[str, bytes],
) -> None:
    """Fifty times in all: in the start, amid utterances, while tables are written; all processes, or only the first."""
    results, rng = tmp_path / "r", random.Random(workers)
    at_kill = []
    with warm_start(tmp_path) as warm:
        for kill in range(kills):
            process = warm.start(arguments(results, plugin, many, workers))
            if kill >= kills - 6:  # in the end: the journal is whole, tables are made
                wait_until_finished(results, MANY)
                time.sleep(rng.uniform(0.0, 0.08))
            elif kill % 4 == 1:  # in the start
                time.sleep(rng.uniform(0.0, start))
            else:
                wait_until_finished(results, min(finished(results) + rng.randint(1, 2), MANY - 1))
                time.sleep(rng.uniform(0.0, 0.03))
            (os.killpg if kill % 3 else os.kill)(process.pid, signal.SIGKILL)
            assert process.status() == -signal.SIGKILL
            process.wait_for_all()
            at_kill.append(finished(results))
    assert at_kill == sorted(at_kill), "a kill lost what was finished"
    assert 0 < at_kill[0] < at_kill[3] < at_kill[kills - 7] < at_kill[-1] == MANY
    done = subprocess.run(
        command(results, plugin, many, workers), capture_output=True, text=True, timeout=6000, check=True
    )
    assert end_of(results) == undisturbed
    (model,) = json.loads(done.stdout)["models"]
    assert (model["n"], model["failed"]) == (MANY, 0)
    # each kill costs at most what was under way
    assert MANY <= count(calls) <= MANY + kills * (1 if workers == 1 else 3 * workers)


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs process groups")
def test_killed_while_it_is_imported(
    plugin: Path, many: Path, calls: Path, tmp_path: Path, undisturbed: dict[str, bytes]
) -> None:
    """The whole of it, from the interpreter's first moment: what the kills above do not meet."""
    results, rng = tmp_path / "r", random.Random(0)
    for _ in range(3):
        with subprocess.Popen(
            command(results, plugin, many, 1),
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            time.sleep(rng.uniform(0.0, 1.2))
            os.killpg(process.pid, signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
    subprocess.run(command(results, plugin, many, 1), capture_output=True, timeout=6000, check=True)
    assert end_of(results) == undisturbed
