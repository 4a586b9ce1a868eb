"""Several utterances at once: the same values, longest first, each failure its own, metrics measured meanwhile."""

from __future__ import annotations

import json
import os
from pathlib import Path
from textwrap import dedent

import pytest

from srbench.errors import SrbenchError
from srbench.protocols import load_protocol
from srbench.run import Entrant, Plan, Run, make_plan, run_entrant
from srbench.run.workers import Where

PLUGIN = """
    import json, os, time
    import numpy as np
    from srbench.upscaler import upscaler

    def noted(**what):
        with open(os.environ["TOLD"], "a") as file:
            file.write(json.dumps({"pid": os.getpid(), "at": time.time(), **what}) + "\\n")

    class Batched:
        fails_at = None

        def upscale(self, low, low_rate, high_rate):
            return self.upscale_batch([low], low_rate, high_rate)[0]

        def upscale_batch(self, lows, low_rate, high_rate):
            noted(lengths=[len(low) for low in lows])
            if self.fails_at in [len(low) for low in lows]:
                raise RuntimeError("out of memory")
            return [low.repeat(high_rate // low_rate) for low in lows]

    @upscaler("batched")
    class Good(Batched):
        pass

    @upscaler("failing")
    class Failing(Batched):
        fails_at = 24880

    @upscaler("short")
    class Short(Batched):
        def upscale_batch(self, lows, low_rate, high_rate):
            return [low.repeat(high_rate // low_rate) for low in lows][1:]

    @upscaler("dozing")
    class Dozing(Batched):
        def upscale_batch(self, lows, low_rate, high_rate):
            noted(begin=len(lows))
            time.sleep(0.4)
            return super().upscale_batch(lows, low_rate, high_rate)

    @upscaler("narrow")
    class Narrow(Batched):
        def upscale_batch(self, lows, low_rate, high_rate):
            if len(lows) > 1:
                raise MemoryError(f"{sum(map(len, lows))} samples")
            return super().upscale_batch(lows, low_rate, high_rate)

    @upscaler("hopeless")
    class Hopeless(Batched):
        def upscale_batch(self, lows, low_rate, high_rate):
            noted(lengths=[len(low) for low in lows])
            raise RuntimeError("never")

    @upscaler("single")
    def single(low, low_rate, high_rate):
        return low.repeat(high_rate // low_rate)
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TOLD", str(tmp_path / "told"))
    (tmp_path / "mine.py").write_text(dedent(PLUGIN))
    return tmp_path / "mine.py"


@pytest.fixture
def plan() -> Plan:
    return make_plan(load_protocol("demo"), metrics=("snr", "lsd"))


def run(plan: Plan, plugin: Path, name: str, batch: int = 8, **more) -> Run:
    entrant = Entrant(name, plugins=(plugin,), batch=batch)
    return run_entrant(plan, entrant, plugin.parent / "r", where=Where(2), **more)


def told(plugin: Path) -> list[dict]:
    return [json.loads(line) for line in (plugin.parent / "told").read_text().splitlines()]


def test_the_same_values_longest_first(plan: Plan, plugin: Path) -> None:
    batched, single = run(plan, plugin, "batched"), run(plan, plugin, "single", batch=1)
    assert [r.values for r in batched.records] == [r.values for r in single.records]
    assert [r.utterance for r in batched.records] == [u.id for u in plan.utterances]
    groups = [each["lengths"] for each in told(plugin)]
    assert [len(group) for group in groups] == [8, 8, 8, 4]
    lengths = [length for group in groups for length in group]
    assert lengths == sorted(lengths, reverse=True)
    assert len({each["pid"] for each in told(plugin)} - {os.getpid()}) == 1  # in a process of its own
    assert batched.manifest.upscaler.told["batch"] == 8


def test_a_failing_batch_is_tried_one_by_one(plan: Plan, plugin: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("WARNING", "srbench.run"):
        failed = [r for r in run(plan, plugin, "failing").records if r.error]
    assert [r.error for r in failed] == ["upscaler failing raised RuntimeError: out of memory"]
    assert failed[0].samples == 4 * 24880
    why = "upscaler failing raised RuntimeError: out of memory"
    assert caplog.messages == [f"8 utterances at once: {why}; where that happens, they go one by one"]


def test_batches_that_all_fail_are_told_of_once(plan: Plan, plugin: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("WARNING", "srbench.run"):
        records = run(plan, plugin, "narrow").records
    assert not any(r.error for r in records)
    assert len(caplog.messages) == 1


def test_a_batch_of_one_that_fails_is_not_tried_again(plugin: Path) -> None:
    plan = make_plan(load_protocol("demo"), metrics=("snr",), limit=9)
    assert all(r.error for r in run(plan, plugin, "hopeless").records)
    assert [len(each["lengths"]) for each in told(plugin)] == [8, *[1] * 8, 1]


def test_too_few_signals_are_no_answer(plan: Plan, plugin: Path) -> None:
    records = run(plan, plugin, "short").records
    assert all("returned 0 signals for 1" in r.error for r in records)


def test_metrics_are_measured_meanwhile(plan: Plan, plugin: Path) -> None:
    """The journal has records of the first batch before the last is begun."""
    seen: list[tuple[int, int]] = []
    run(
        plan,
        plugin,
        "dozing",
        progress=lambda _, done, __: seen.append((done, sum("begin" in each for each in told(plugin)) if done else 0)),
    )
    assert max(done for done, begun in seen if begun < 4) > 0


def test_it_goes_on_where_it_was(plan: Plan, plugin: Path) -> None:
    first = run(plan, plugin, "batched")
    journal = first.folder / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:20]) + lines[20][:30])
    before = (first.folder / "utterances.csv").read_bytes()
    (plugin.parent / "told").unlink()
    again = run(plan, plugin, "batched")
    assert (again.folder / "utterances.csv").read_bytes() == before
    assert sum(len(each["lengths"]) for each in told(plugin)) == 8


def test_only_for_those_that_take_several(plan: Plan, plugin: Path) -> None:
    with pytest.raises(SrbenchError, match="takes one signal at a time"):
        run(plan, plugin, "single", batch=2)


def test_a_network_gives_the_same_numbers_in_batches(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    plan = make_plan(load_protocol("demo"), metrics=("snr", "lsd"), limit=6)
    runs = [
        run_entrant(plan, Entrant("stacked", batch=batch), tmp_path / str(batch), where=Where(2)) for batch in (1, 6)
    ]
    for one, other in zip(*(run.records for run in runs), strict=True):
        assert one.values == pytest.approx(other.values, rel=1e-5)
