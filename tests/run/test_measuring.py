"""A metric of another package costs its own value and no more, however it ends."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from srbench.metrics import Pair, define, measure_all, plugins
from srbench.protocols import load_protocol
from srbench.run import Entrant, make_plan, measuring, run_entrant
from srbench.run.measuring import measure

NAMES = ("snr", "pesq", "lsd", "pesq_nb", "stoi")
# Put before site-packages, it is taken for the package: it ends the process in wide band, and is right in narrow band.
BROKEN = """
import ctypes, time

class PesqError(RuntimeError):
    pass

def pesq(rate, reference, estimate, mode):
    if mode == "wb":
        {what}
    return 3.0
"""


def pair() -> Pair:
    rng = np.random.default_rng(0)
    reference = rng.standard_normal(16000) * 0.1
    return Pair(reference, reference + 0.01 * rng.standard_normal(16000), 16000, 2000.0)


@pytest.fixture(autouse=True)
def new_process() -> None:
    """Have each test measure in a process that its own environment made."""
    while measuring._PROCESS:
        measuring._PROCESS.pop().close()


def test_the_values_are_those_of_one_process() -> None:
    definitions = define(NAMES, 16000, 2000.0)
    values, undefined = measure(pair(), definitions)
    assert (values, undefined) == measure_all(pair(), definitions)
    assert list(values) == list(NAMES)


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("ctypes.string_at(0)", "SIGSEGV"),
        ("import os; os._exit(3)", "exit status 3"),
        ("raise SystemExit", "SystemExit"),
        ("time.sleep(1000)", "longer than 15 s"),
    ],
)
def test_a_metric_that_ends_its_process_costs_its_own_value(
    what: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pesq.py").write_text(BROKEN.format(what=what))
    monkeypatch.syspath_prepend(tmp_path)
    definitions = define(NAMES, 16000, 2000.0)
    if "sleep" in what:
        monkeypatch.setattr(plugins, "PATIENCE", 15.0)
        monkeypatch.setattr(plugins, "PATIENCE_PER_SECOND", 0.0)
    values, undefined = measure(pair(), definitions)
    assert list(undefined) == ["pesq"]
    assert "pesq" in undefined["pesq"]
    assert why in undefined["pesq"]
    assert values["pesq_nb"] == 3.0
    expected, _ = measure_all(pair(), define(("snr", "lsd", "stoi"), 16000, 2000.0))
    assert {name: values[name] for name in expected} == expected


def test_the_row_holds_the_reason_and_the_other_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pesq.py").write_text(BROKEN.format(what="ctypes.string_at(0)"))
    monkeypatch.syspath_prepend(tmp_path)
    plan = make_plan(load_protocol("demo"), metrics=("snr", "pesq"), limit=2)
    started = time.monotonic()
    run = run_entrant(plan, Entrant("hold"), tmp_path / "r")
    assert time.monotonic() - started < 120
    for record in run.records:
        assert record.error == ""
        assert list(record.values) == ["snr"]
        assert "SIGSEGV" in record.undefined["pesq"]


def test_answers_that_nobody_waited_for_are_not_the_next_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    definitions = define(("snr", "pesq"), 16000, 2000.0)
    with monkeypatch.context() as patched:
        patched.setattr(measuring, "measure_all", lambda *_: (_ for _ in ()).throw(MemoryError))
        with pytest.raises(MemoryError):
            measure(Pair(pair().reference, pair().reference, 16000, 2000.0), definitions)
    assert measure(pair(), definitions) == measure_all(pair(), definitions)


def test_a_process_that_was_killed_between_two_pairs_costs_nothing() -> None:
    definitions = define(("snr", "pesq"), 16000, 2000.0)
    assert measure(pair(), definitions) == measure_all(pair(), definitions)
    os.kill(measuring._PROCESS[0]._process.pid, signal.SIGKILL)
    assert measure(pair(), definitions) == measure_all(pair(), definitions)
