"""Faults of the machine and of models: each costs what it must and no more, and is said in a line.

Kills, torn journals and files that change between runs are in test_resume.py; models that raise, or return what they
should not, in test_pipeline.py and test_engine.py.
"""

from __future__ import annotations

import csv
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
import soundfile
from filelock import FileLock
from kit import wait_until
from warm_start import WarmStart, beside_names, warm_start

from srbench.cli.main import main
from srbench.protocols import load_protocol
from srbench.run import Entrant, Plan, Run, make_plan, run_entrant
from srbench.run.workers import Where

PLUGIN = """
    import ctypes, os, pathlib, signal, sys, time
    import numpy as np
    from srbench.upscaler import upscaler

    calls = 0

    def number(low):  # the corpus marks its utterances by their first sample
        return round(100 * low[0])

    def noisy(low):
        return low.repeat(4) + 1e-3 * np.random.standard_normal(4 * len(low))

    @upscaler("decent")
    def decent(low, low_rate, high_rate):
        return noisy(low)

    @upscaler("sleepy")
    def sleepy(low, low_rate, high_rate):
        time.sleep(0.03)
        return noisy(low)

    @upscaler("slow")
    def slow(low, low_rate, high_rate):
        time.sleep(0.06)
        return noisy(low)

    @upscaler("sleeps")
    def sleeps(low, low_rate, high_rate):
        if number(low) == 3:
            time.sleep(1000)
        return noisy(low)

    @upscaler("hangs")
    def hangs(low, low_rate, high_rate):
        if number(low) == 4:
            while True:
                pass
        if number(low) == 6:
            ctypes.PyDLL(None).sleep(1000)  # with Python's lock in hand
        return noisy(low)

    @upscaler("stops")
    def stops(low, low_rate, high_rate):
        if number(low) >= 16:
            time.sleep(1000)
        return noisy(low)

    @upscaler("stuck")
    def stuck(low, low_rate, high_rate):
        pathlib.Path(__file__).with_name(f"stuck.{os.getpid()}").touch()
        ctypes.PyDLL(None).sleep(1000)

    @upscaler("eats")
    def eats(low, low_rate, high_rate):
        if number(low) == 3:
            eaten = np.ones(10**7)
            os.kill(os.getpid(), signal.SIGKILL)  # as the kernel does where there is no memory left
        return noisy(low)

    @upscaler("crashes")
    def crashes(low, low_rate, high_rate):
        if number(low) == 3:
            os._exit(7)
        if number(low) == 6:
            ctypes.string_at(0)
        return noisy(low)

    @upscaler("leaks")
    def leaks(low, low_rate, high_rate):
        global calls
        calls += 1
        if calls == 4:
            os.kill(os.getpid(), signal.SIGKILL)
        return noisy(low)
"""
N = 20
TABLES = ("utterances.csv", "aggregates.csv", "speakers.csv")
STOPPED = "srbench: stopped. What is finished is kept: give the same command again to resume.\n"
HELD = "another srbench is writing into it; wait until it is done, or use another --results"
Cli = Callable[..., tuple[int, str, str]]
posix = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and signals")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write utterances; number n starts at about n / 100."""
    folder = tmp_path_factory.mktemp("data")
    for n in range(N):
        ramp = n / 100 * np.exp(-np.arange(4800) / 1000)
        noise = 1e-4 * np.random.default_rng(n).standard_normal(4800)
        soundfile.write(folder / f"u{n:02}.wav", ramp + noise, 16000, subtype="DOUBLE")
    return folder


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarmStart]:
    with warm_start(tmp_path_factory.mktemp("warm")) as started:
        yield started


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Return a function that runs the command in this process: status, stdout, stderr."""

    def call(arguments: list[str]) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert isinstance(stop.value.code, int)
        out, err = capsys.readouterr()
        return stop.value.code, out, beside_names(err)

    return call


def run_of(model: str, plugin: Path, data: Path, results: Path, *more: object) -> list[str]:
    what = ["run", "--model", model, "--plugin", plugin, "--data", data, "--metric", "snr", "--metric", "mse"]
    return [str(each) for each in (*what, "--no-anchors", "--json", "--results", results, *more)]


def folder_of(results: Path) -> Path:
    (folder,) = (path.parent for path in results.glob("demo/*/manifest.json"))
    return folder


def end_of(results: Path) -> dict[str, bytes]:
    """Return what the end of a run must be: its tables, and the names of its files."""
    folder = folder_of(results)
    names = repr(sorted(path.name for path in folder.iterdir()))
    return {**{name: (folder / name).read_bytes() for name in TABLES}, "names": names.encode()}


def rows_of(results: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder_of(results) / "utterances.csv").read_text("utf-8").splitlines()))


def finished(results: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in results.glob("demo/*/journal.jsonl"))


@pytest.fixture(scope="module")
def undisturbed(plugin: Path, data: Path, warm: WarmStart, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where runs of three models are that nothing happened to, by the models' names."""
    folder = tmp_path_factory.mktemp("undisturbed")
    for model in ("decent", "sleepy", "slow"):
        process = warm.start(run_of(model, plugin, data, folder / model))
        assert process.status() == 0
        assert process.wait_for_all() == ""
    return folder


# --- interruptions


@posix
@pytest.mark.parametrize(
    ("number", "to_all", "workers", "more"),
    [
        (signal.SIGINT, True, 1, ()),  # to all is what a terminal does
        (signal.SIGINT, True, 2, ()),
        (signal.SIGINT, False, 2, ()),
        (signal.SIGINT, True, 1, ("--timeout", 60)),
        (signal.SIGTERM, False, 1, ()),
        (signal.SIGTERM, True, 2, ()),
    ],
)
def test_interrupted_run_stops_in_a_line_and_goes_on(
    number: signal.Signals,
    to_all: bool,
    workers: int,
    more: tuple[object, ...],
    plugin: Path,
    data: Path,
    warm: WarmStart,
    undisturbed: Path,
    tmp_path: Path,
) -> None:
    arguments = run_of("sleepy", plugin, data, tmp_path, "--workers", workers, *more)
    process = warm.start(arguments)
    wait_until(lambda: finished(tmp_path) >= 3)
    (os.killpg if to_all else os.kill)(process.pid, number)
    assert process.status() == 128 + number
    assert process.wait_for_all().lstrip() == STOPPED
    assert 3 <= finished(tmp_path) < N
    assert (folder_of(tmp_path) / "journal.jsonl").read_bytes().endswith(b"\n")
    process = warm.start(run_of("sleepy", plugin, data, tmp_path))
    assert process.status() == 0
    assert process.wait_for_all() == ""
    assert end_of(tmp_path) == end_of(undisturbed / "sleepy")


@posix
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("gap", [0.0, 0.003, 0.01, 0.02])
def test_impatience(workers: int, gap: float, plugin: Path, data: Path, tmp_path: Path) -> None:
    """Ctrl-C again and again, while it is being stopped and while Python ends, is the same Ctrl-C."""
    command = [sys.executable, "-m", "srbench", *run_of("sleepy", plugin, data, tmp_path, "--workers", workers)]
    with subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # heard, also where the tests run in the background of a shell
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        wait_until(lambda: finished(tmp_path) >= 3)
        while process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
            time.sleep(gap)
        assert process.stderr
        said = process.stderr.read()
    assert said.endswith(STOPPED)
    assert "Traceback" not in said
    assert process.returncode == 130


@posix
def test_interrupted_while_workers_start(plugin: Path, data: Path, warm: WarmStart, tmp_path: Path) -> None:
    """They import for a second, in which they would answer with tracebacks of their own."""
    for moment in (0.1, 0.2, 0.23, 0.26, 0.29, 0.32, 0.35, 0.5):
        process = warm.start(run_of("sleepy", plugin, data, tmp_path, "--workers", 2))
        time.sleep(moment)
        os.killpg(process.pid, signal.SIGINT)
        assert process.status() == 130
        assert process.wait_for_all().lstrip() == STOPPED


@posix
def test_model_that_hangs_is_interrupted(plugin: Path, data: Path, warm: WarmStart, tmp_path: Path) -> None:
    """In workers, even where it hangs in C code and Python in its process can do nothing."""
    hanging = {path.name for path in plugin.parent.glob("stuck.*")}
    process = warm.start(run_of("stuck", plugin, data, tmp_path, "--workers", 2))
    wait_until(lambda: len({path.name for path in plugin.parent.glob("stuck.*")} - hanging) == 2)
    os.killpg(process.pid, signal.SIGINT)
    assert process.status() == 130
    assert process.wait_for_all().lstrip() == STOPPED


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere such a process ends when its C code does")
def test_model_that_hangs_does_not_outlive_a_kill(plugin: Path, data: Path, warm: WarmStart, tmp_path: Path) -> None:
    hanging = {path.name for path in plugin.parent.glob("stuck.*")}
    process = warm.start(run_of("stuck", plugin, data, tmp_path, "--workers", 2))
    wait_until(lambda: len({path.name for path in plugin.parent.glob("stuck.*")} - hanging) == 2)
    os.kill(process.pid, signal.SIGKILL)
    assert process.status() == -signal.SIGKILL
    process.wait_for_all()


# --- models that hang, and the kernel's answer to those that take too much memory


def plan_of(data: Path, n: int = 8) -> Plan:
    return make_plan(load_protocol("demo"), data, metrics=("snr", "mse"), limit=n)


def rows(run: Run) -> list[dict[str, str]]:
    with (run.folder / "utterances.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def assert_only_these_failed(run: Run, failed: dict[str, str], good: Run) -> None:
    """Assert that the rows of these utterances say why, and that all the others are as in another run."""
    for row, other in zip(rows(run), rows(good), strict=True):
        if row["utterance"] in failed:
            assert (row["status"], row["error"], row["snr"]) == ("failed", failed[row["utterance"]], "")
        else:
            assert row == other


TIMEOUT = 10  # seconds, which no utterance takes on a busy machine
LATE = "it took longer than 10 s (--timeout): its process was ended"


@posix
def test_model_that_hangs(plugin: Path, data: Path, tmp_path: Path) -> None:
    """One utterance in Python, one in C code that holds Python's lock; beside others."""
    plan = plan_of(data)
    run = run_entrant(plan, Entrant("hangs", plugins=(plugin,)), tmp_path / "r", where=Where(2, timeout=TIMEOUT))
    good = run_entrant(plan, Entrant("decent", plugins=(plugin,)), tmp_path / "good")
    assert_only_these_failed(run, {"u04": LATE, "u06": LATE}, good)


@posix
def test_model_that_sleeps_for_ever(plugin: Path, data: Path, tmp_path: Path, cli: Cli) -> None:
    """With one worker, as a person sees it."""
    status, out, err = cli(run_of("sleeps", plugin, data, tmp_path, "--timeout", TIMEOUT, "--limit", 5))
    (model,) = json.loads(out)["models"]
    assert (status, err, model["n"], model["failed"]) == (1, "", 4, 1)
    with (folder_of(tmp_path) / "utterances.csv").open(encoding="utf-8", newline="") as file:
        assert [row["error"] for row in csv.DictReader(file)] == ["", "", "", LATE, ""]


@posix
def test_model_that_the_kernel_kills_for_its_memory(plugin: Path, data: Path, tmp_path: Path) -> None:
    plan = plan_of(data)
    run = run_entrant(plan, Entrant("eats", plugins=(plugin,)), tmp_path / "r", where=Where(2))
    good = run_entrant(plan, Entrant("decent", plugins=(plugin,)), tmp_path / "good")
    assert_only_these_failed(
        run, {"u03": "upscaler eats: its process died (SIGKILL, perhaps for want of memory)"}, good
    )


@posix
def test_model_that_leaks_until_the_kernel_kills_it(plugin: Path, data: Path, tmp_path: Path) -> None:
    """No utterance is to blame: each is fine in a process that did not do others before."""
    plan = plan_of(data)
    run = run_entrant(plan, Entrant("leaks", plugins=(plugin,)), tmp_path / "r", where=Where(2))
    good = run_entrant(plan, Entrant("decent", plugins=(plugin,)), tmp_path / "good")
    assert_only_these_failed(run, {}, good)


@posix
def test_model_that_crashes_costs_its_utterances(plugin: Path, data: Path, tmp_path: Path, undisturbed: Path) -> None:
    """With one worker, and in C code too: it has a process of its own."""
    run = run_entrant(plan_of(data, N), Entrant("crashes", plugins=(plugin,)), tmp_path)
    good = run_entrant(plan_of(data, N), Entrant("decent", plugins=(plugin,)), tmp_path / "good")
    ended = {"u03": "itself (exit status 7)", "u06": "SIGSEGV"}
    why = {u: "upscaler crashes: its process " + ("ended " if u == "u03" else "died (") + e for u, e in ended.items()}
    assert_only_these_failed(run, {"u03": why["u03"], "u06": f"{why['u06']})"}, good)


# --- disks


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let every write past so many bytes of a file fail, here and in processes that are started."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def small_disk(place: Path) -> Iterator[Callable[[str], None]]:
    """Mount a disk in memory, and offer to change its options; skip where that is not allowed."""
    place.mkdir()
    if not sys.platform.startswith("linux") or not shutil.which("mount"):
        pytest.skip("needs Linux and mount")
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4k", "none", place], capture_output=True, check=False
    ).returncode:
        pytest.skip("needs the right to mount a file system")
    try:
        yield lambda options: subprocess.run(["mount", "-o", f"remount,{options}", place], check=True) and None
    finally:
        subprocess.run(["umount", place], check=True)


def assert_refused(result: tuple[int, str, str], place: Path, why: str) -> None:
    status, out, err = result
    assert (status, out) == (2, "")
    assert err.startswith("srbench: ")
    assert len(err.splitlines()) == 1
    assert str(place) in err
    assert err.endswith(f"{why}\n")


@posix
def test_every_file_that_cannot_be_written(
    plugin: Path, data: Path, tmp_path: Path, cli: Cli, undisturbed: Path
) -> None:
    """The limit rises until all fits: on the way it meets the manifest, the journal and each of the tables."""
    arguments, at_fault = run_of("decent", plugin, data, tmp_path), set()
    for size in range(0, 10**6, 200):
        kept = finished(tmp_path)
        with files_of_at_most(size):
            result = cli(arguments)
        assert finished(tmp_path) >= kept
        if result[0] == 0:
            break
        assert_refused(result, tmp_path, "File too large")
        at_fault |= {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert 10 < size // 200 < 100
    assert {"journal.jsonl", "manifest.json"} <= at_fault
    assert end_of(tmp_path) == end_of(undisturbed / "decent")


@posix
def test_disk_that_is_full(plugin: Path, data: Path, tmp_path: Path, cli: Cli, undisturbed: Path) -> None:
    """A real one, which grows by a page whenever a run has stopped."""
    results = tmp_path / "disk"
    arguments = run_of("decent", plugin, data, results)
    with small_disk(results) as remount:
        for pages in range(1, 100):
            remount(f"size={4 * pages}k")
            kept = finished(results)
            result = cli(arguments)
            assert finished(results) >= kept
            if result[0] == 0:
                break
            assert_refused(result, results, "No space left on device")
        assert 3 < pages < 30
        assert end_of(results) == end_of(undisturbed / "decent")


@posix
def test_journal_that_cannot_be_written_ends_the_workers(
    plugin: Path, data: Path, tmp_path: Path, cli: Cli, undisturbed: Path
) -> None:
    """What they are at is of no use any more, and may hang."""
    arguments = run_of("stops", plugin, data, tmp_path, "--workers", 2)
    with files_of_at_most(4500):  # a dozen records; less than 4096 would be too little for what processes share
        done = subprocess.run(
            [sys.executable, "-m", "srbench", *arguments], capture_output=True, text=True, timeout=600, check=False
        )
    assert_refused((done.returncode, done.stdout, beside_names(done.stderr)), tmp_path, "File too large")
    assert 5 <= finished(tmp_path) < 16


@posix
@pytest.mark.parametrize("workers", [1, 2])
def test_audio_that_does_not_fit(
    workers: int, plugin: Path, data: Path, tmp_path: Path, cli: Cli, undisturbed: Path
) -> None:
    arguments = run_of("decent", plugin, data, tmp_path, "--workers", workers)
    with files_of_at_most(10000):  # an estimate is 19244 bytes; processes that live already have no such limit
        done = subprocess.run(
            [sys.executable, "-m", "srbench", *arguments, "--save-audio"], capture_output=True, text=True, check=False
        )
    assert_refused((done.returncode, done.stdout, beside_names(done.stderr)), tmp_path, "audio cannot be written")
    assert not list(tmp_path.rglob("*.wav"))
    if workers == 1:  # the other one was killed at its work
        assert not list(tmp_path.rglob("*.wav.*"))
    assert cli([*arguments, "--save-audio"])[0] == 0
    assert {path.stat().st_size for path in tmp_path.rglob("*.wav")} == {19244 + 36}


@posix
@pytest.mark.parametrize("fault", ["no room", "no folder"])
def test_estimates_that_cannot_be_kept_harm_nothing(
    fault: str, plugin: Path, data: Path, tmp_path: Path, cli: Cli, undisturbed: Path
) -> None:
    if fault == "no folder":
        (tmp_path / ".estimates").write_text("in the way")
    with files_of_at_most(15000 if fault == "no room" else 10**9):  # an estimate is larger
        status, _, err = cli(run_of("slow", plugin, data, tmp_path))
    assert (status, err) == (0, "")
    assert not list(tmp_path.glob(".estimates/*/*"))
    assert list((undisturbed / "slow").glob(".estimates/*/*.npz"))
    assert end_of(tmp_path) == end_of(undisturbed / "slow")


@posix
def test_results_that_are_read_only(plugin: Path, data: Path, tmp_path: Path, cli: Cli, undisturbed: Path) -> None:
    results = tmp_path / "disk"
    arguments = run_of("decent", plugin, data, results)
    with small_disk(results) as remount:
        remount("size=1m,ro")
        assert_refused(cli(arguments), results, "Read-only file system")
        remount("rw")
        assert cli([*arguments, "--limit", "3"])[0] == 0
        assert cli(arguments)[0] == 0
        remount("ro")
        assert_refused(cli(arguments), results, "Read-only file system")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_results_that_may_not_be_written(plugin: Path, data: Path, tmp_path: Path, cli: Cli) -> None:
    tmp_path.chmod(0o555)
    try:
        assert_refused(cli(run_of("decent", plugin, data, tmp_path)), tmp_path, "Permission denied")
    finally:
        tmp_path.chmod(0o755)


@posix
def test_two_runs_in_one_folder(
    plugin: Path, data: Path, tmp_path: Path, cli: Cli, warm: WarmStart, undisturbed: Path
) -> None:
    """The second is refused; a kill of the first, its workers' end left to themselves, leaves the folder free."""
    first = warm.start(run_of("sleepy", plugin, data, tmp_path, "--workers", 2))
    wait_until(lambda: finished(tmp_path) > 0)
    second = run_of("sleepy", plugin, data, tmp_path)
    assert_refused(cli(second), folder_of(tmp_path), HELD)
    os.kill(first.pid, signal.SIGKILL)
    assert first.status() == -signal.SIGKILL
    first.wait_for_all()
    assert 0 < finished(tmp_path) < N
    assert cli(second)[0] == 0
    assert end_of(tmp_path) == end_of(undisturbed / "sleepy")


def test_anchors_that_another_command_makes_are_waited_for(data: Path, tmp_path: Path, cli: Cli) -> None:
    """Two commands with different models share their anchors; nobody asked for those by name."""
    arguments = ("run", "--model", "hold", "--data", data, "--metric", "snr", "--results", tmp_path)
    assert cli(arguments)[0] == 0
    (spline,) = tmp_path.glob("demo/spline-*")
    held, waits, released = threading.Event(), threading.Event(), threading.Event()

    def another() -> None:
        with FileLock(spline / ".lock"):
            held.set()
            waits.wait(600)
            released.set()

    class Listens(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "waiting for what it makes" in record.getMessage():
                waits.set()

    threading.Thread(target=another).start()
    held.wait()
    listens = Listens()
    logging.getLogger("srbench").addHandler(listens)
    status, out, err = cli(arguments)
    logging.getLogger("srbench").removeHandler(listens)
    assert released.is_set()
    assert status == 0
    assert "spline" in out
    assert err == f"srbench: {spline}: another srbench is writing into it; waiting for what it makes\n"
    with FileLock(spline / ".lock"):
        refused = cli(("run", "--model", "spline", *arguments[3:]))
    assert_refused(refused, spline, HELD)


# --- plug-ins without manners

LOUD = """
    import ctypes, os, sys
    from srbench.upscaler import upscaler

    def shout(what):
        print(what, "by print")
        sys.__stdout__.write(what + " past redirections\\n")
        os.write(1, what.encode() + b" by the system\\n")
        ctypes.CDLL(None).puts(what.encode() + b" by C")  # stays in C's buffer

    shout("importing")

    @upscaler("loud")
    class Loud:
        def __init__(self):
            shout("building")
        def upscale(self, low, low_rate, high_rate):
            shout("working")
            return low.repeat(4)
"""


@posix
@pytest.mark.parametrize("workers", [1, 2])
def test_stdout_is_one_document(workers: int, data: Path, tmp_path: Path) -> None:
    plugin = tmp_path / "loud.py"
    plugin.write_text(dedent(LOUD))
    arguments = run_of("loud", plugin, data, tmp_path, "--limit", 3, "--workers", workers)
    done = subprocess.run(
        [sys.executable, "-m", "srbench", *arguments], capture_output=True, text=True, timeout=600, check=True
    )
    assert json.loads(done.stdout)["models"][0]["n"] == 3
    loads = 2 + (0 if workers == 1 else workers)  # a process lists what is in the file
    for way in ("by print", "past redirections", "by the system", "by C"):
        assert done.stderr.count(f"working {way}") == 3
        assert 1 <= done.stderr.count(f"importing {way}") <= loads
        assert 1 <= done.stderr.count(f"building {way}") <= loads


VANDAL = """
    import io, os, random, signal, sys, warnings
    import numpy as np
    from srbench.upscaler import upscaler

    def vandalize():
        random.seed(1)
        np.random.seed(1)
        np.seterr(all="raise")
        warnings.simplefilter("error")
        os.chdir("/")
        os.environ.update(OMP_NUM_THREADS="7", HOME="/nowhere", TMPDIR="/nowhere")
        sys.stdout = sys.stderr = io.StringIO()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
            signal.signal(number, signal.SIG_IGN)

    vandalize()

    @upscaler("vandal")
    class Vandal:
        def __init__(self):
            vandalize()
        def upscale(self, low, low_rate, high_rate):
            estimate = low.repeat(4) + 1e-3 * np.random.standard_normal(4 * len(low))
            vandalize()
            return estimate
        def describe(self):
            vandalize()
            return {}
"""


@posix
@pytest.mark.parametrize("workers", [1, 2])
def test_model_that_changes_what_all_share(
    workers: int, plugin: Path, data: Path, tmp_path: Path, undisturbed: Path
) -> None:
    """Its numbers, those of the model after it, the places of files: nothing differs. All paths are relative."""
    shutil.copytree(data, tmp_path / data.name)  # the folder is the speaker
    shutil.copy(plugin, tmp_path / "mine.py")
    (tmp_path / "vandal.py").write_text(dedent(VANDAL))
    more = ["--model", "decent", "--plugin", "vandal.py", "--workers", workers, "--save-audio"]
    arguments = run_of("vandal", Path("mine.py"), Path(data.name), Path("r"), *more)
    done = subprocess.run(
        [sys.executable, "-m", "srbench", *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=600,
        check=False,
    )  # fmt: skip
    assert (done.returncode, beside_names(done.stderr)) == (0, "")
    assert [(model["n"], model["failed"]) for model in json.loads(done.stdout)["models"]] == [(N, 0)] * 2
    for name in ("vandal", "decent"):
        (folder,) = (tmp_path / "r" / "demo").glob(f"{name}-*")
        assert len(list((folder / "audio").glob("*.wav"))) == N
        for table in TABLES:
            assert (folder / table).read_bytes() == (folder_of(undisturbed / "decent") / table).read_bytes()


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("def f(:\n", "cannot be loaded: SyntaxError: invalid syntax (bad.py, line 1)"),
        ("raise SystemExit(0)\n", "cannot be loaded: SystemExit: 0 (line 1 of bad.py)"),
        ("raise MemoryError\n", "cannot be loaded: MemoryError (line 1 of bad.py)"),
    ],
)
def test_plugin_that_cannot_be_loaded(code: str, why: str, data: Path, tmp_path: Path, cli: Cli) -> None:
    """Other ways are in tests/test_upscaler.py."""
    (tmp_path / "bad.py").write_text(code)
    assert_refused(cli(run_of("bad", tmp_path / "bad.py", data, tmp_path / "r")), tmp_path / "bad.py", why)
    assert not (tmp_path / "r").exists()


@posix
def test_plugin_that_never_ends_loading_is_interrupted(data: Path, tmp_path: Path, warm: WarmStart) -> None:
    """No limit of time holds for it: --timeout is for utterances."""
    started = tmp_path / "started"
    (tmp_path / "loops.py").write_text(f"open({str(started)!r}, 'w').close()\nwhile True:\n    pass\n")
    process = warm.start(run_of("loops", tmp_path / "loops.py", data, tmp_path / "r"))
    wait_until(started.exists)
    os.kill(process.pid, signal.SIGINT)
    assert process.status() == 130
    assert process.wait_for_all().lstrip() == STOPPED
