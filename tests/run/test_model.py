"""A model is alone: it cannot reach the reference, the next model, the metrics or the command."""

from __future__ import annotations

import csv
import json
import os
import sys
import time
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
import soundfile
from kit import Cli

from srbench.errors import SrbenchError
from srbench.protocols import load_protocol
from srbench.run import Entrant, Run, make_plan, run_entrant
from srbench.run.model import own_plugins
from srbench.run.workers import Where

N = 6
posix = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and signals")
HEAD = """
import ctypes, gc, os, resource, signal, sys, threading, time
import numpy as np
from srbench.upscaler import upscaler

def number(low):  # the corpus marks its utterances by their first sample
    return round(100 * low[0])
"""
WELL = "    return low.repeat(high_rate // low_rate)\n"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write utterances; number n starts at about n / 100."""
    folder = tmp_path_factory.mktemp("data")
    for n in range(N):
        ramp = n / 100 * np.exp(-np.arange(4800) / 1000)
        noise = 1e-4 * np.random.default_rng(n).standard_normal(4800)
        soundfile.write(folder / f"u{n}.wav", ramp + noise, 16000, subtype="DOUBLE")
    return folder


def plugin_of(folder: Path, body: str, name: str = "mine") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.py"
    path.write_text(f"{HEAD}\n{dedent(body)}")
    return path


def run(data: Path, plugin: Path, results: Path, name: str = "odd", where: Where | None = None, batch: int = 1) -> Run:
    plan = make_plan(load_protocol("demo"), data, metrics=("snr", "mse"))
    entrant = Entrant(name, plugins=(plugin,), batch=batch)
    return run_entrant(plan, entrant, results, where=where or Where())


def values(run: Run) -> list[dict[str, float]]:
    return [record.values for record in run.records]


@pytest.fixture(scope="module")
def good(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("good")
    return run(data, plugin_of(folder, f"@upscaler()\ndef odd(low, low_rate, high_rate):\n{WELL}"), folder / "r")


# --- buffers


BUFFERS = {
    "slices of one buffer": """
        def upscale_batch(self, lows, low_rate, high_rate):
            at, found = 0, []
            for low in lows:
                self.buffer[at : at + 4 * len(low)] = low.repeat(4)
                found.append(self.buffer[at : at + 4 * len(low)])
                at += 4 * len(low)
            return found
    """,
    "a generator with one buffer": """
        def upscale_batch(self, lows, low_rate, high_rate):
            for low in lows:
                self.buffer[: 4 * len(low)] = low.repeat(4)
                yield self.buffer[: 4 * len(low)]
    """,
    "a thread goes on writing": """
        def upscale_batch(self, lows, low_rate, high_rate):
            found = [low.repeat(4) for low in lows]
            def spoil():
                time.sleep(0.3)  # after the copy, also on a busy machine
                for each in found:
                    each[:] = 0
            threading.Thread(target=spoil).start()
            return found
    """,
}


@pytest.mark.parametrize("kind", BUFFERS)
@pytest.mark.parametrize("batch", [1, 4])
def test_a_model_may_use_its_buffer_again(kind: str, batch: int, data: Path, good: Run, tmp_path: Path) -> None:
    methods = dedent(BUFFERS[kind]).replace("\n", "\n    ")
    code = f"""
@upscaler()
class odd:
    buffer = np.zeros(10**5)
    {methods}
    def upscale(self, low, low_rate, high_rate):
        return list(self.upscale_batch([low], low_rate, high_rate))[0]
"""
    found = run(data, plugin_of(tmp_path, code), tmp_path / "r", where=Where(2), batch=batch)
    assert values(found) == values(good)


def test_upscale_of_both_channels_by_one_buffer(tmp_path: Path, cli: Cli) -> None:
    code = """
        buffer = np.zeros(10**5)

        @upscaler("odd", rates=[(4000, 16000)])
        def odd(low, low_rate, high_rate):
            buffer[: 4 * len(low)] = low.repeat(4)
            return buffer[: 4 * len(low)]
    """
    stereo = np.random.default_rng(0).uniform(-0.5, 0.5, (1000, 2)).astype(np.float32)
    soundfile.write(tmp_path / "in.wav", stereo, 4000, subtype="FLOAT")
    plugin = plugin_of(tmp_path, code)
    assert cli("upscale", tmp_path / "in.wav", tmp_path / "out.wav", "--model", "odd", "--plugin", plugin)[0] == 0
    assert np.array_equal(soundfile.read(tmp_path / "out.wav", dtype="float32")[0], stereo.repeat(4, axis=0))


# --- what a model changes, and what it can see


PATCHES = """
    import srbench.metrics, srbench.run.pipeline

    def wrong(*_, **__):
        return {"snr": 99.0, "mse": 0.0}, {}

    srbench.metrics.measure_all = srbench.run.measuring.measure = srbench.run.pipeline.measure = wrong
    np.mean = np.sum = np.sqrt = lambda *_, **__: 0.0
    sys.setrecursionlimit(60)
    os.umask(0o777)

    @upscaler()
    def patches(low, low_rate, high_rate):
"""


@posix
def test_what_a_model_patches_changes_no_number(data: Path, good: Run, tmp_path: Path, cli: Cli) -> None:
    first = plugin_of(tmp_path / "a", dedent(PATCHES).rstrip() + f"\n{WELL}", "patches")
    second = plugin_of(tmp_path / "b", f"@upscaler()\ndef odd(low, low_rate, high_rate):\n{WELL}")
    options = ("--data", data, "--metric", "snr", "--metric", "mse", "--no-anchors", "--json", "--results", tmp_path)
    status, out, _ = cli("run", "--model", "patches", "--model", "odd", "--plugin", first, "--plugin", second, *options)
    assert status == 0
    for model in json.loads(out)["models"]:
        with (Path(model["run_dir"]) / "utterances.csv").open(encoding="utf-8", newline="") as file:
            found = [{name: float(row[name]) for name in ("snr", "mse")} for row in csv.DictReader(file)]
        assert found == values(good)


def test_the_reference_is_not_in_a_models_memory(data: Path, tmp_path: Path) -> None:
    """It looks through all that Python holds there for an array as long as the reference."""
    code = """
        @upscaler()
        def odd(low, low_rate, high_rate):
            frame, lengths = sys._getframe(), set()
            while frame:
                lengths |= {len(v) for v in frame.f_locals.values() if isinstance(v, np.ndarray) and v.ndim == 1}
                frame = frame.f_back
            lengths |= {len(v) for v in gc.get_objects() if isinstance(v, np.ndarray) and v.ndim == 1}
            if high_rate // low_rate * len(low) in lengths:
                raise RuntimeError("here it is")
            return low.repeat(4)
    """
    assert [record.error for record in run(data, plugin_of(tmp_path, code), tmp_path / "r").records] == [""] * N


# --- every way to fail costs one utterance


FAILURES = {
    "raise KeyboardInterrupt": "KeyboardInterrupt",
    "raise SystemExit(3)": "SystemExit",
    "raise GeneratorExit": "GeneratorExit",
    "raise BaseException('all')": "BaseException: all",
    "raise type('Odd', (Exception,), {'__str__': lambda self: 1 / 0})()": "Odd",
    "raise type('Odd', (BaseException,), {'__str__': lambda self: sys.exit(5)})()": "Odd",
    "raise RecursionError": "RecursionError",
    "os._exit(0)": "exit status 0",
    "os.abort()": "SIGABRT",
    "ctypes.string_at(0)": "SIGSEGV",
    "os.kill(os.getpid(), signal.SIGKILL)": "SIGKILL",
    "os.kill(os.getpid(), signal.SIGTERM)": "SIGTERM",
    "os.closerange(0, 256)": "connection",
    "signal.setitimer(signal.ITIMER_REAL, 0.01); time.sleep(5)": "SIGALRM",
    "sys.setrecursionlimit(30); (lambda f: f(f))(lambda f: f(f))": "RecursionError",
    "resource.setrlimit(resource.RLIMIT_AS, (1 << 28, 1 << 28)); np.ones(1 << 30)": "MemoryError",
    "return None": "NoneType",
    "return low": "shape",
    "return np.full(4 * len(low), np.nan)": "NaN",
}


@posix
@pytest.mark.parametrize("way", FAILURES)
def test_a_failing_model_costs_its_utterance(way: str, data: Path, good: Run, tmp_path: Path) -> None:
    code = f"@upscaler()\ndef odd(low, low_rate, high_rate):\n    if number(low) == 3:\n        {way}\n{WELL}"
    found = run(data, plugin_of(tmp_path, code), tmp_path / "r")
    assert [bool(record.error) for record in found.records] == [n == 3 for n in range(N)]
    assert FAILURES[way] in found.records[3].error
    assert [v for n, v in enumerate(values(found)) if n != 3] == [v for n, v in enumerate(values(good)) if n != 3]


@posix
def test_a_fork_that_comes_back_is_one_answer(data: Path, good: Run, tmp_path: Path, cli: Cli) -> None:
    code = f"@upscaler()\ndef odd(low, low_rate, high_rate):\n    os.fork()\n{WELL}"
    plugin = plugin_of(tmp_path, code)
    options = ("--data", data, "--metric", "snr", "--no-anchors", "--json", "--results", tmp_path / "r")
    status, out, _ = cli("run", "--model", "odd", "--plugin", plugin, *options)
    assert status == 0
    assert json.loads(out)["models"][0]["n"] == N


@posix
def test_time_is_monotonic(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of the wall jumps by two hours while a model's process dies: no utterance is late for it."""
    code = f"@upscaler()\ndef odd(low, low_rate, high_rate):\n    if number(low) == 3:\n        os._exit(1)\n{WELL}"
    jumping = iter(range(0, 10**9, 7200))
    monkeypatch.setattr(time, "time", lambda: float(next(jumping)))
    found = run(data, plugin_of(tmp_path, code), tmp_path / "r", where=Where(timeout=60.0))
    assert [record.error.partition(": ")[2] for record in found.records if record.error] == [
        "its process ended itself (exit status 1)"
    ]


# --- several models, several plug-ins


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no process forks the others")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_model_that_kills_what_started_it_costs_its_own_rows(
    workers: int, data: Path, good: Run, tmp_path: Path, cli: Cli
) -> None:
    """The other model and the metrics are forks of the same process."""
    killer = "@upscaler()\ndef killer(low, low_rate, high_rate):\n    os.kill(os.getppid(), signal.SIGKILL)\n"
    plugin = plugin_of(
        tmp_path, f"{killer}    time.sleep(1000)\n@upscaler()\ndef odd(low, low_rate, high_rate):\n{WELL}"
    )
    options = ("--data", data, "--metric", "snr", "--metric", "stoi", "--no-anchors", "--workers", workers, "--json")
    told = ("--plugin", plugin, "--results", tmp_path / "r")
    status, out, _ = cli("run", "--model", "killer", "--model", "odd", *options, *told)
    assert status == 1
    (left,) = [model for model in json.loads(out)["models"] if model["name"] == "odd"]
    assert (left["n"], left["failed"]) == (N, 0)
    (table,) = tmp_path.glob("r/demo/odd-*/utterances.csv")
    with table.open(newline="") as file:
        assert [float(row["snr"]) for row in csv.DictReader(file)] == [each["snr"] for each in values(good)]
    (table,) = tmp_path.glob("r/demo/killer-*/utterances.csv")
    with table.open(newline="") as file:
        assert all("SIGKILL" in row["error"] for row in csv.DictReader(file))


def test_a_model_that_cannot_be_built_does_not_end_the_command(data: Path, tmp_path: Path, cli: Cli) -> None:
    code = f"""
@upscaler()
class broken:
    def __init__(self):
        import a_package_that_is_nowhere
    def upscale(self, low, low_rate, high_rate):
        return low

@upscaler()
class dies:
    def __init__(self):
        os._exit(4)
    def upscale(self, low, low_rate, high_rate):
        return low

@upscaler(rates=[(8000, 48000)])
def other_rates(low, low_rate, high_rate):
{WELL}
@upscaler()
def odd(low, low_rate, high_rate):
{WELL}
"""
    plugin = plugin_of(tmp_path, code)
    models = [word for name in ("broken", "dies", "other_rates", "odd") for word in ("--model", name)]
    options = ("--data", data, "--metric", "snr", "--no-anchors", "--json", "--results", tmp_path / "r")
    status, out, err = cli("run", *models, "--plugin", plugin, *options)
    document = json.loads(out)
    assert status == 1
    assert [(model["name"], model["n"]) for model in document["models"]] == [("odd", N)]
    told = {each["name"]: each["error"] for each in document["left_out"]}
    assert "a_package_that_is_nowhere" in told["broken"]
    assert "exit status 4" in told["dies"]
    assert "8000 to 48000 Hz" in told["other_rates"]
    assert all(name in err for name in told)
    status, out, err = cli("run", "--model", "od", "--model", "odd", "--plugin", plugin, *options)
    assert (status, out) == (2, "")  # a misspelt name costs no work
    assert "Did you mean 'odd'?" in err


def test_two_plugins_with_neighbours_of_one_name(data: Path, tmp_path: Path, cli: Cli) -> None:
    for name, gain in (("half", 0.5), ("double", 2.0)):
        plugin_of(tmp_path / name, f"GAIN = {gain}", "utils")
        code = f"from utils import GAIN\n@upscaler()\ndef {name}(low, *rates):\n    return GAIN * low.repeat(4)\n"
        plugin_of(tmp_path / name, code, name)
    plugins = [word for name in ("half", "double") for word in ("--plugin", tmp_path / name / f"{name}.py")]
    options = ("--data", data, "--metric", "mse", "--no-anchors", "--json", "--results", tmp_path / "r")
    status, out, _ = cli("run", "--model", "half", "--model", "double", *plugins, *options)
    assert status == 0
    half, double = (model["metrics"]["mse"]["mean"] for model in json.loads(out)["models"])
    assert half != double


def test_an_import_error_names_file_line_and_package(data: Path, tmp_path: Path, cli: Cli) -> None:
    plugin_of(tmp_path, "import numpy\nimport nowhere_to_be_found\n", "network")
    plugin = plugin_of(tmp_path, "import network\n")
    status, _, err = cli("run", "--model", "odd", "--plugin", plugin, "--data", data, "--results", tmp_path / "r")
    assert status == 2
    line = 2 + (tmp_path / "network.py").read_text().splitlines().index("import numpy")
    assert "nowhere_to_be_found" in err
    assert f"line {line} of network.py" in err


@pytest.mark.parametrize("edited", ["network.py", "late.py", "weights.npz"])
def test_an_edited_file_beside_a_plugin_is_another_run(edited: str, data: Path, tmp_path: Path) -> None:
    plugin_of(tmp_path, "def up(low):\n    import late\n    return late.GAIN * low.repeat(4)\n", "network")
    plugin_of(tmp_path, "GAIN = 1.0\n", "late")
    np.savez(tmp_path / "weights.npz", gain=1.0)
    code = """
        import network

        @upscaler()
        class odd:
            def __init__(self):
                with np.load(os.path.join(os.path.dirname(__file__), "weights.npz")) as file:
                    self.gain = float(file["gain"])
            def upscale(self, low, low_rate, high_rate):
                return self.gain * network.up(low)
    """
    plugin = plugin_of(tmp_path, code)
    before = run(data, plugin, tmp_path / "r")
    assert run(data, plugin, tmp_path / "r").folder == before.folder
    if edited == "weights.npz":
        np.savez(tmp_path / edited, gain=0.5)
    else:
        path = tmp_path / edited
        path.write_text(path.read_text().replace("1.0", "0.5").replace("repeat(4)", "repeat(4) * 0.5"))
    after = run(data, plugin, tmp_path / "r")
    assert after.folder != before.folder
    assert values(after) != values(before)


@pytest.mark.parametrize("options", [{}, {"batch": 2}, {"where": Where(workers=2)}], ids=["one", "batch", "workers"])
def test_weights_that_are_read_at_the_first_call_count_too(options: dict, data: Path, tmp_path: Path) -> None:
    """No identity could hold them: what they made is made again where they changed, and not where they did not."""
    np.save(tmp_path / "weights.npy", 1.0)
    code = """
        calls = os.path.join(os.path.dirname(__file__), "calls.txt")

        @upscaler()
        class odd:
            gain = None
            def upscale_batch(self, lows, *rates):
                return [self.upscale(low, *rates) for low in lows]
            def upscale(self, low, low_rate, high_rate):
                if self.gain is None:
                    self.gain = float(np.load(os.path.join(os.path.dirname(__file__), "weights.npy")))
                with open(calls, "a") as file:
                    file.write("x")
                return self.gain * low.repeat(4)
    """
    plugin = plugin_of(tmp_path, code)
    before = run(data, plugin, tmp_path / "r", **options)
    assert values(run(data, plugin, tmp_path / "r", **options)) == values(before)
    assert (tmp_path / "calls.txt").read_text() == N * "x"
    np.save(tmp_path / "weights.npy", 0.5)
    after = run(data, plugin, tmp_path / "r", **options)
    assert (tmp_path / "calls.txt").read_text() == 2 * N * "x"
    assert all(a["mse"] != b["mse"] for a, b in zip(values(after), values(before), strict=True))
    np.save(tmp_path / "weights.npy", 1.0)
    assert values(run(data, plugin, tmp_path / "r", **options)) == values(before)


def test_a_name_of_two_plugins_is_refused(tmp_path: Path) -> None:
    files = [
        plugin_of(tmp_path / folder, f"@upscaler()\ndef odd(low, low_rate, high_rate):\n{WELL}", folder)
        for folder in ("a", "b")
    ]
    with pytest.raises(SrbenchError, match=r"claimed by .*a\.py and .*b\.py"):
        own_plugins("odd", files)
    assert own_plugins("a.py:odd", files) == (files[0],)
    assert own_plugins("spline", files) == ()
