"""Runs on a Dask cluster of real processes on loopback: the same bytes as here, a lost worker costs nothing."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from functools import partial
from pathlib import Path

import pytest
from kit import wait_until

from srbench.corpora import Utterance, demo_corpus
from srbench.errors import SrbenchError
from srbench.protocols import load_protocol
from srbench.run import Entrant, parcels
from srbench.run import cluster as cluster_module
from srbench.run.cluster import dask_cluster
from srbench.run.parcels import ForeignWorkers
from srbench.run.pipeline import Task, evaluate

Client = pytest.importorskip("distributed", reason="needs srbench[cluster]").Client
pytestmark = pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs process groups")

TABLES = ("utterances.csv", "aggregates.csv", "speakers.csv")
PLUGIN = """
    import os, time
    import numpy as np
    from srbench.upscaler import upscaler

    def noted(low, scale):
        with open(os.environ["CALLS"], "a") as calls:
            calls.write(f"{os.getpid()} {__file__}\\n")
        return low.repeat(scale) + 1e-3 * np.random.standard_normal(len(low) * scale)

    @upscaler("slow")
    def slow(low, low_rate, high_rate):
        time.sleep(0.1)
        return noted(low, high_rate // low_rate)

    @upscaler("hangs")
    def hangs(low, low_rate, high_rate):
        if len(low) == 22280:  # of one utterance of the embedded corpus
            time.sleep(1000)
        return noted(low, high_rate // low_rate)
"""


class Cluster:
    """A scheduler and two workers with their nannies, as the commands of `distributed` start them."""

    def __init__(self) -> None:
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, folder: Path) -> None:
        self.calls = folder / "calls"
        self._environment = {
            **os.environ,
            "CALLS": str(self.calls),
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1",
            "DASK_LOGGING__DISTRIBUTED": "critical",
        }
        file = folder / "scheduler.json"
        options = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)]
        self._start(folder, "dask_scheduler", *options)
        wait_until(lambda: file.exists() and file.read_text().rstrip().endswith("}"))  # it is written in place
        self.address = str(json.loads(file.read_text())["address"])
        for number in range(2):
            place = folder / f"worker{number}"
            place.mkdir()
            self._start(place, "dask_worker", self.address, "--nthreads", "1", "--no-dashboard")
        with Client(self.address, timeout=600, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=600)

    def _start(self, folder: Path, program: str, *options: str) -> None:
        command = [sys.executable, "-m", f"distributed.cli.{program}", *options]
        quiet = subprocess.DEVNULL
        self.processes.append(
            subprocess.Popen(
                command, env=self._environment, cwd=folder, start_new_session=True, stdout=quiet, stderr=quiet
            )
        )

    def kill(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.processes[number].pid, signal.SIGKILL)
        self.processes[number].wait()

    def workers(self) -> set[str]:
        """Return the processes that were called so far."""
        return {line.split()[0] for line in self.calls.read_text().splitlines()} if self.calls.exists() else set()

    def count(self) -> int:
        return len(self.calls.read_text().splitlines()) if self.calls.exists() else 0


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    folder = tmp_path / "cluster"
    folder.mkdir()
    made = Cluster()
    try:
        made.start(folder)
        yield made
    finally:
        for number in range(len(made.processes)):
            made.kill(number)


def command(plugin: Path, results: Path, *more: str, model: str = "slow") -> list[str]:
    options = ["--metric", "snr", "--metric", "lsd", "--no-anchors", "--json", "--keep", "0"]
    where = ["--plugin", str(plugin), "--results", str(results), *more]
    return [sys.executable, "-m", "srbench", "run", "--model", model, *options, *where]


def run(arguments: list[str], calls: Path, status: int = 0) -> dict:
    environment = {**os.environ, "CALLS": str(calls)}
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=6000, check=False)
    assert done.returncode == status, done.stderr
    assert_quiet(done.stderr)
    return json.loads(done.stdout)


def assert_quiet(err: str) -> None:
    assert re.fullmatch(r"srbench: running code of plug-in \S+\n", err)


def tables(document: dict) -> dict[str, bytes]:
    return {name: (Path(document["models"][0]["run_dir"]) / name).read_bytes() for name in TABLES}


def test_the_same_bytes_as_here_though_a_worker_is_killed(cluster: Cluster, plugin: Path, tmp_path: Path) -> None:
    here = tables(run(command(plugin, tmp_path / "here"), tmp_path / "calls"))
    arguments = command(plugin, tmp_path / "there", "--dask", cluster.address)
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_until(lambda: cluster.count() >= 6 and len(cluster.workers()) >= 2)
        before = cluster.count()
        cluster.kill(1)
        out, err = process.communicate(timeout=6000)
    assert process.returncode == 0
    assert_quiet(err)
    assert 6 <= before < 28
    assert len(cluster.workers()) >= 2
    assert tables(json.loads(out)) == here


def test_files_can_be_sent_along_and_what_hangs_fails_alone(cluster: Cluster, plugin: Path, tmp_path: Path) -> None:
    there = run(command(plugin, tmp_path / "there", "--dask", cluster.address, "--send-data"), tmp_path / "calls")
    places = {line.split()[1] for line in cluster.calls.read_text().splitlines()}
    assert all("srbench-plugin-" in place for place in places)
    assert tables(there) == tables(run(command(plugin, tmp_path / "here"), tmp_path / "calls"))
    arguments = command(plugin, tmp_path / "there", "--dask", cluster.address, "--timeout", "3", model="hangs")
    (model,) = run(arguments, tmp_path / "calls", status=1)["models"]
    assert (model["n"], model["failed"]) == (27, 1)
    said = "it took longer than 3 s (--timeout): its process was ended"
    assert said in (Path(model["run_dir"]) / "utterances.csv").read_text()


def test_what_is_sent_is_all_that_is_read(plugin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    one = demo_corpus().utterances[0]
    path = tmp_path / "corpus" / "speaker" / one.path.name
    path.parent.mkdir(parents=True)
    shutil.copyfile(one.path, path)
    plugin = Path(shutil.copy(plugin, tmp_path / "own.py"))
    protocol, root = load_protocol("demo"), tmp_path / "corpus"
    task = Task(protocol, protocol.define_metrics(("snr",)), Entrant("slow", plugins=(plugin,)), 0, root)
    utterance = Utterance("a/b", "speaker", path)
    call = partial(evaluate, task)
    here = call(utterance)
    packed = parcels._packed(call, utterance)
    path.unlink()
    plugin.unlink()
    there = packed()
    assert (there.file, there.stamp, there.values) == (here.file, here.stamp, here.values)
    assert there.file == f"speaker/{one.path.name}"
    assert not there.error


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_module, "_ANSWER_SECONDS", 0.5)
    with (
        pytest.raises(SrbenchError, match="no Dask scheduler answers at tcp"),
        dask_cluster("tcp://127.0.0.1:9"),
    ):
        pass


@pytest.mark.parametrize("address", ["nonsense", "", "no/such/file.json", "tcp://127.0.0.1"])
def test_what_is_no_address_is_refused_at_once(address: str) -> None:
    with pytest.raises(SrbenchError, match="takes a scheduler's address"), dask_cluster(address):
        pass


def test_a_lost_scheduler_ends_the_run_in_a_line(cluster: Cluster, plugin: Path, tmp_path: Path) -> None:
    arguments = command(plugin, tmp_path / "there", "--dask", cluster.address)
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_until(lambda: cluster.count() >= 3)
        cluster.kill(0)
        out, err = process.communicate(timeout=6000)
    assert (process.returncode, out) == (2, "")
    assert "was lost. What is finished is kept: give the same command again to resume." in err
    assert "Traceback" not in err
    here = tables(run(command(plugin, tmp_path / "here"), tmp_path / "calls"))
    assert tables(run(command(plugin, tmp_path / "there"), tmp_path / "calls")) == here


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--dask", "x", "--workers", "2"], "--dask has workers of its own: leave out --workers"),
        (["--send-data"], "give --dask ADDRESS"),
        (["--dask", "x", "--send-data", "--save-audio"], "does not work with --send-data"),
        (["--dask", "x", "--batch", "2", "--model", "additive"], "does not work with --dask"),
    ],
)
def test_misuse(options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from srbench.cli.main import main

    with pytest.raises(SystemExit) as stop:
        main(["run", *(() if "--model" in options else ("--model", "spline")), *options, "--results", str(tmp_path)])
    out, err = capsys.readouterr()
    assert (stop.value.code, out) == (2, "")
    assert message in err


class _Later(Executor):
    """Keeps a call, to be made where a worker is."""

    def submit(self, call, /, *arguments, **named) -> Future:
        self.call = partial(call, *arguments, **named)
        return Future()


def test_a_relative_recording_is_found_from_a_workers_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, protocol = demo_corpus().utterances[0], load_protocol("demo")
    (tmp_path / "corpus").mkdir()
    (tmp_path / "worker").mkdir()
    shutil.copyfile(one.path, tmp_path / "corpus" / one.path.name)
    monkeypatch.chdir(tmp_path)
    task = Task(protocol, protocol.define_metrics(("snr",)), Entrant("hold"), 0, tmp_path / "corpus")
    later = _Later()
    ForeignWorkers(later, False).submit(partial(evaluate, task), Utterance("a", "b", Path("corpus") / one.path.name))
    monkeypatch.chdir(tmp_path / "worker")
    record = later.call()
    assert (record.error, record.file) == ("", one.path.name)
