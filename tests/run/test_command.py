"""Programs as entrants: what they are given, what is taken from them, and how they end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from kit import wait_until

from srbench.errors import SrbenchError
from srbench.protocols import load_protocol
from srbench.run import Run, make_plan, run_entrant
from srbench.run.command import Command, parsed
from srbench.run.workers import Where

# a zero-order hold; `told` stands where a test has its program misbehave
SCRIPT = """
    import os, pathlib, sys, time
    import soundfile
    source, target = map(pathlib.Path, sys.argv[1:3])
    files = sorted(source.rglob("*.wav")) if source.is_dir() else [source]
    with open({log!r}, "a") as log:
        print(len(files), os.getcwd(), file=log)
    for file in files:
        low, rate = soundfile.read(file)
        {told}
        out = target / file.relative_to(source) if source.is_dir() else target
        soundfile.write(out, low.repeat(4), 4 * rate, subtype="DOUBLE")
"""
FOLDERS, FILES = "{in} {out}", "{in_file} {out_file}"


def command(tmp_path: Path, told: str = "pass", places: str = FOLDERS, **more: object) -> Command:
    script = tmp_path / "infer.py"
    script.write_text(dedent(SCRIPT).format(told=told, log=str(tmp_path / "starts")))
    return parsed("prog", f"'{sys.executable}' '{script}' {places}", **more)


def run_it(tmp_path: Path, entrant: Command, limit: int = 4, **more: object) -> Run:
    plan = make_plan(load_protocol("demo"), limit=limit, metrics=("snr",))
    return run_entrant(plan, entrant, tmp_path / "results", **more)


def starts(tmp_path: Path) -> list[int]:
    """Return how many files each start was given."""
    return [int(line.split()[0]) for line in (tmp_path / "starts").read_text().splitlines()]


@pytest.mark.parametrize(
    ("places", "workers", "batch", "expected"),
    [(FOLDERS, 1, 1, [4]), (FOLDERS, 2, 1, [2, 2]), (FOLDERS, 1, 3, [1, 3]), (FILES, 2, 1, [1, 1, 1, 1])],
)
def test_it_is_started_once_for_many_files_or_for_each(
    tmp_path: Path, places: str, workers: int, batch: int, expected: list[int]
) -> None:
    run = run_it(tmp_path, command(tmp_path, places=places, batch=batch), where=Where(workers))
    assert [record.error for record in run.records] == [""] * 4
    assert sorted(starts(tmp_path)) == expected
    assert all(record.upscale_seconds > 0 for record in run.records)
    by_hold = run_entrant(make_plan(load_protocol("demo"), limit=4, metrics=("snr",)), _hold(), tmp_path / "results")
    assert [record.values for record in run.records] == [record.values for record in by_hold.records]
    assert sorted(each.name for each in run.folder.iterdir() if each.is_dir()) == []


def _hold():
    from srbench.run import Entrant

    return Entrant("hold")


def test_it_starts_in_an_empty_folder_or_where_it_was_told(tmp_path: Path) -> None:
    run_it(tmp_path, command(tmp_path, told="assert not os.listdir('.')"), limit=1)
    assert Path((tmp_path / "starts").read_text().split()[1]) != tmp_path
    entrant = command(tmp_path, told="assert os.listdir('.')", working=tmp_path)
    assert [record.error for record in run_it(tmp_path, entrant, limit=1).records] == [""]


def test_no_shell_and_arguments_as_they_were_typed(tmp_path: Path) -> None:
    entrant = parsed("prog", "python -c 'print(1)' '$HOME; rm *' --in {in}/ --out={out}")
    assert entrant.arguments == ("python", "-c", "print(1)", "$HOME; rm *", "--in", "{in}/", "--out={out}")
    told = command(tmp_path).provenance(load_protocol("demo")).told
    assert told["command"][2:] == ["{in}", "{out}"]
    assert str(tmp_path / "infer.py") in told["files"]


def test_a_changed_script_is_another_run(tmp_path: Path) -> None:
    first = command(tmp_path).provenance(load_protocol("demo"))
    assert command(tmp_path).provenance(load_protocol("demo")) == first
    assert command(tmp_path, told="low = low * 2").provenance(load_protocol("demo")) != first


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("prog --in {in}", "{in} and {out}"),
        ("prog {in} {out_file}", "{in} and {out}"),
        ("prog {in} {out} {in_file} {out_file}", "{in} and {out}"),
        ("prog '{in} {out}", "cannot be read"),
        (" ", "no program"),
    ],
)
def test_what_is_no_command(line: str, told: str) -> None:
    with pytest.raises(SrbenchError, match=told):
        parsed("mine", line)


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SrbenchError, match="no program 'infer-anything'"):
        run_it(tmp_path, parsed("mine", "infer-anything {in} {out}"))


def test_what_failed_says_what_was_printed(tmp_path: Path) -> None:
    entrant = command(tmp_path, told="print('x' * 5000); raise ValueError('no such kernel')")
    run = run_it(tmp_path, entrant, limit=2)
    for record in run.records:
        assert "exit status 1" in record.error
        assert "ValueError: no such kernel" in record.error
        assert len(record.error) < 1000
    log = (run.folder / "command.log").read_text()
    assert log.count("ValueError: no such kernel") >= 2
    assert "x" * 5000 in log


def test_one_file_that_breaks_it_costs_no_other(tmp_path: Path) -> None:
    entrant = command(tmp_path, told="assert '003' not in file.name, 'not this one'")
    run = run_it(tmp_path, entrant, limit=6)
    failed = [record.utterance for record in run.records if record.error]
    assert failed == ["demo1_003"]
    assert "not this one" in next(record.error for record in run.records if record.error)


def test_a_program_that_never_works_is_not_started_for_each(tmp_path: Path) -> None:
    run = run_it(tmp_path, command(tmp_path, told="sys.exit(3)"), limit=20)
    assert all("exit status 3" in record.error for record in run.records)
    assert len(starts(tmp_path)) <= 8


def test_files_that_it_did_not_write_or_wrote_wrongly(tmp_path: Path) -> None:
    told = "rate += '002' in file.name; low = low[:-1] if '003' in file.name else low"
    told += "\n    if '001' in file.name: continue"
    run = run_it(tmp_path, command(tmp_path, told=told), limit=4)
    errors = [record.error for record in run.records]
    for error, part in zip(errors, ("wrote no file of it", "16004 Hz", "samples, the reference has"), strict=False):
        assert part in error
    assert errors[3] == ""
    assert starts(tmp_path) == [4]


def test_names_by_a_pattern(tmp_path: Path) -> None:
    told = "file = file.with_name(file.stem + '_x4.wav')"
    entrant = command(tmp_path, told=told, pattern="{id}_x4.wav")
    assert [record.error for record in run_it(tmp_path, entrant, limit=2).records] == ["", ""]


def test_only_what_is_missing_is_given_again(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    told = f"assert os.path.exists({str(flag)!r}) or '002' not in file.name"
    assert sum(bool(r.error) for r in run_it(tmp_path, command(tmp_path, told=told)).records) == 1
    (tmp_path / "starts").unlink()
    flag.touch()
    assert [record.error for record in run_it(tmp_path, command(tmp_path, told=told)).records] == [""] * 4
    assert starts(tmp_path) == [1]


def test_another_metric_does_not_start_it_again(tmp_path: Path) -> None:
    run_it(tmp_path, command(tmp_path), limit=2, keep_gigabytes=1.0)
    plan = make_plan(load_protocol("demo"), limit=2, metrics=("mse",))
    run = run_entrant(plan, command(tmp_path), tmp_path / "results", keep_gigabytes=1.0)
    assert [record.error for record in run.records] == ["", ""]
    assert starts(tmp_path) == [2]


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()


SLEEPS = (
    "import subprocess; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(1000)'], "
    "start_new_session=True); open({pids!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}\\n'); time.sleep(1000)"
)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_what_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    entrant = command(tmp_path, told=SLEEPS.format(pids=str(tmp_path / "pids")), places=FILES)
    run = run_it(tmp_path, entrant, limit=1, where=Where(timeout=5.0))
    assert "took longer than 5 s" in run.records[0].error
    for pid in map(int, (tmp_path / "pids").read_text().split()):
        wait_until(lambda pid=pid: not lives(pid))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_the_command(tmp_path: Path, number: int) -> None:
    entrant = command(tmp_path, told=SLEEPS.format(pids=str(tmp_path / "pids")))
    line = " ".join(f"'{each}'" for each in entrant.arguments)
    ours = subprocess.Popen(
        [sys.executable, "-m", "srbench", "run", "--command", f"prog={line}", "--limit", "2", "--metric", "snr"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # heard, also where the tests run in the background of a shell
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    wait_until(lambda: (tmp_path / "pids").exists() and (tmp_path / "pids").read_text().endswith("\n"))
    ours.send_signal(number)
    ours.wait()
    for pid in map(int, (tmp_path / "pids").read_text().split()):
        wait_until(lambda pid=pid: not lives(pid))


def test_the_manifest_says_how_it_was_run(tmp_path: Path) -> None:
    run = run_it(tmp_path, command(tmp_path, input_format="float32"), limit=1)
    told = json.loads((run.folder / "manifest.json").read_text())["upscaler"]
    assert told["kind"] == "command"
    assert told["input_format"] == "float32"
    assert told["working_folder"].startswith("a fresh one")
    assert told["environment"] == "that of srbench"
