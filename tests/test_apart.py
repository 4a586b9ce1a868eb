"""A process apart: copies in and out, every way to end is said, and nothing of it outlives its end."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

from srbench.apart import Answer, Apart, Died, Overdue

SERVER = """
    import os, signal, subprocess, sys, time
    import numpy as np

    def serve(words, arrays):
        do = words["do"]
        if do == "double":
            yield {"n": len(arrays)}, [2 * each for each in arrays]
        elif do == "several":
            for n in range(3):
                yield {"n": n}, []
        elif do == "exit":
            os._exit(7)
        elif do == "abort":
            os.abort()
        elif do == "sleep":
            time.sleep(1000)
        elif do == "close":
            os.closerange(0, 100)
            yield {}, []
        elif do == "garbage":
            for number in range(3, 20):
                try:
                    os.write(number, b"nonsense" * 100)
                except OSError:
                    pass
            yield {}, []
        elif do == "fork":
            os.fork()  # both come back; only one may answer
            yield {"pid": os.getpid()}, []
        elif do == "leave":
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    open(words["file"], "w").write(str(os.getpid()))
                    time.sleep(1000)
                os._exit(0)
            yield {}, []
        elif do == "shout":
            print("by print", flush=True)
            os.write(1, b"by the system\\n")
            yield {}, []
"""
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and signals")


@pytest.fixture
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Apart]:
    (tmp_path / "apart_server.py").write_text(dedent(SERVER))
    monkeypatch.syspath_prepend(tmp_path)
    process = Apart("apart_server:serve")
    yield process
    process.close()


class Interrupting:
    """An inbox at which a Ctrl-C comes."""

    def get(self, timeout: float) -> None:
        raise KeyboardInterrupt


def doing(what: str, **more: str) -> dict[str, str]:
    return {"do": what, **more}


def test_arrays_go_to_the_last_bit(apart: Apart) -> None:
    sent = [np.random.default_rng(0).standard_normal(n) for n in (0, 1, 100_000)]
    words, got = apart.ask(doing("double"), sent)
    assert words == {"n": 3}
    assert all(np.array_equal(2 * a, b) for a, b in zip(sent, got, strict=True))


def test_one_call_may_have_several_answers(apart: Apart) -> None:
    apart.send(doing("several"))
    assert [apart.receive(60)[0]["n"] for _ in range(3)] == [0, 1, 2]


@pytest.mark.parametrize(
    ("what", "how"),
    [("exit", "exit status 7"), ("abort", "SIGABRT"), ("close", "connection"), ("garbage", "connection")],
)
def test_how_it_ended_is_said(apart: Apart, what: str, how: str) -> None:
    with pytest.raises(Died, match=how):
        apart.ask(doing(what), seconds=600)


def test_no_answer_in_time_ends_it(apart: Apart) -> None:
    apart.ask(doing("double"))  # it has started
    started = time.monotonic()
    with pytest.raises(Overdue):
        apart.ask(doing("sleep"), seconds=0.3)
    assert 0.3 <= time.monotonic() - started < 60


def test_a_process_that_does_not_read_is_overdue_too(apart: Apart) -> None:
    """Ten megabytes do not fit into a pipe: whoever wrote them here would wait for ever."""
    apart.send(doing("sleep"))
    with pytest.raises(Overdue):
        apart.ask(doing("double"), [np.zeros(10**6)] * 2, seconds=0.5)


def test_a_fork_does_not_answer_too(apart: Apart) -> None:
    first = apart.ask(doing("fork"), seconds=600)[0]["pid"]
    assert first == apart._process.pid
    assert apart.ask(doing("double"), [np.ones(3)], seconds=600)[0] == {"n": 1}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere what left the process group is not found")
def test_what_left_its_group_does_not_outlive_it(apart: Apart, tmp_path: Path) -> None:
    file = tmp_path / "pid"
    apart.ask(doing("leave", file=str(file)), seconds=600)
    deadline = time.monotonic() + 600
    while not (file.exists() and file.read_text()) and time.monotonic() < deadline:
        time.sleep(0.01)
    left = int(file.read_text())
    apart.close()
    while Path(f"/proc/{left}").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not Path(f"/proc/{left}").exists() or "Z" in Path(f"/proc/{left}/stat").read_text()


def test_what_it_prints_goes_to_stderr(apart: Apart, capfd: pytest.CaptureFixture[str]) -> None:
    apart.ask(doing("shout"), seconds=600)
    assert capfd.readouterr().out == ""


def test_interrupts_are_for_the_parent_alone(apart: Apart) -> None:
    apart.ask(doing("double"))
    os.kill(apart._process.pid, signal.SIGINT)
    answer: Answer = apart.ask(doing("double"), [np.ones(2)], seconds=600)
    assert answer[1][0].tolist() == [2.0, 2.0]


def test_an_interrupt_while_it_waits_ends_the_process(apart: Apart, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the late answer would be taken for that of the next call."""
    apart.send(doing("several"))
    with monkeypatch.context() as patched:
        patched.setattr(apart, "_inbox", Interrupting())
        with pytest.raises(KeyboardInterrupt):
            apart.receive(600)
    assert apart._process.wait(600) is not None
    with pytest.raises(Died):
        apart.ask(doing("double"), seconds=600)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere each is started anew")
def test_the_end_of_the_process_that_forks_is_theirs_and_no_more(tmp_path: Path, apart: Apart) -> None:
    apart.ask(doing("double"))
    os.kill(apart._process._forked_by._process.pid, signal.SIGKILL)  # type: ignore[union-attr]
    with pytest.raises(Died, match="SIGKILL"):
        apart.ask(doing("sleep"), seconds=600)
    again = Apart("apart_server:serve")
    assert again.ask(doing("double"), [np.ones(1)], seconds=600)[0] == {"n": 1}
    again.close()
