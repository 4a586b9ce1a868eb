"""The look at a few estimates of a run: what is named, with which value, and that it stays cheap."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from srbench import audio
from srbench.degradation import from_table
from srbench.protocols import Prepared, load_protocol, prepare
from srbench.run import make_plan, run_entrant
from srbench.run.checking import chosen, look_at, summary
from srbench.run.entrant import Entrant
from srbench.run.record import Record

DEMO = load_protocol("demo")
PLAN = make_plan(DEMO, limit=8, metrics=("snr",))
PLUGIN = """
    import numpy as np
    from srbench.upscaler import upscaler

    def interpolated(low, low_rate, high_rate):
        n = len(low) * high_rate // low_rate
        return np.interp(np.arange(n) * low_rate / high_rate, np.arange(len(low)), low)

    @upscaler("loud")
    def loud(*given):
        return interpolated(*given) * 10 ** (15 / 20)

    @upscaler("late")
    def late(*given):
        return np.concatenate([np.zeros(40), interpolated(*given)[:-40]])

    @upscaler("inverted")
    def inverted(*given):
        return -interpolated(*given)

    @upscaler("offset")
    def offset(*given):
        return interpolated(*given) + 0.02
"""


def prepared(number: int = 0, protocol=DEMO) -> Prepared:
    return prepare(*audio.read(PLAN.utterances[number].path), protocol)


@pytest.mark.parametrize(
    ("name", "kind", "value"),
    [("loud", "gain", 15.0), ("late", "delay", 40.0), ("inverted", "polarity", -1.0), ("offset", "dc-offset", 0.02)],
)
def test_a_fault_of_all_estimates_is_named_with_its_value(
    plugin: Path, tmp_path: Path, name: str, kind: str, value: float
) -> None:
    run = run_entrant(PLAN, Entrant(name, plugins=(plugin,)), tmp_path)
    (line,) = run.manifest.warnings
    assert line.startswith(f"{kind}: ")
    assert line.endswith("(3 of 3 estimates checked)")
    found = [each for record in run.records for each in record.warnings]
    assert [each["kind"] for each in found] == [kind] * 3
    assert [each["value"] for each in found] == pytest.approx([value] * 3, rel=0.02)
    assert "warnings" in (run.folder / "journal.jsonl").read_text()


@pytest.mark.parametrize("name", ["spline", "linear", "replicate"])
def test_nothing_is_said_of_what_is_in_order(tmp_path: Path, name: str) -> None:
    run = run_entrant(PLAN, Entrant(name), tmp_path)
    assert run.manifest.warnings == ()
    assert sum(bool(record.checks) for record in run.records) == 3


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda p: p.reference, "identical"),
        (lambda p: p.reference * 32768, "full-scale"),
        (lambda p: np.clip(p.reference, -0.05, 0.05), "clipped"),
        (lambda p: np.zeros_like(p.reference), "silent"),
        (lambda p: audio.resample(p.low, 4000, 16000)[: len(p.reference)], "bandwidth"),
    ],
)
def test_other_faults(make: Callable[[Prepared], np.ndarray], kind: str) -> None:
    given = prepared()
    warnings, _ = look_at(given, make(given), DEMO)
    assert kind in [each["kind"] for each in warnings]


def test_anchors_are_not_looked_at(tmp_path: Path) -> None:
    run = run_entrant(PLAN, Entrant("reference", anchor=True), tmp_path)
    assert run.manifest.warnings == ()


def test_a_delay_that_the_input_has_is_not_the_models() -> None:
    from dataclasses import replace

    causal = from_table({"kind": "cheby1", "order": 8, "ripple_db": 0.05, "cut": 0.8, "phase": "causal"})
    protocol = replace(DEMO, degradation=causal)
    given = prepared(protocol=protocol)
    spline = audio.resample(given.low, 4000, 16000)[: len(given.reference)]
    kinds = [each["kind"] for each in look_at(given, spline, protocol)[0]]
    assert "delay" not in kinds
    late = np.concatenate([np.zeros(40), spline[:-40]])
    (delay,) = [each for each in look_at(given, late, protocol)[0] if each["kind"] == "delay"]
    assert delay["value"] > 40


@pytest.mark.parametrize(("n", "count"), [(1, 1), (2, 2), (28, 3), (400, 10), (2937, 30)])
def test_few_are_chosen_and_evenly(n: int, count: int) -> None:
    ids = [f"{number:05}" for number in range(n)]
    places = sorted(map(int, chosen(ids)))
    assert len(places) == count
    assert max(np.diff([-1, *places, n])) <= n / count + 1


def test_no_look_is_had_at_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []
    monkeypatch.setattr("srbench.run.pipeline.look_at", lambda *given: (looks.append(given), ([], {"gain_db": 0.0}))[1])
    run_entrant(PLAN, Entrant("linear"), tmp_path)
    assert len(looks) == 3


def test_the_line_has_the_middle_value() -> None:
    def record(value: float) -> Record:
        return Record(
            "u", "s", "f", "", warnings=[{"kind": "gain", "detail": f"{value} dB", "value": value}], checks={"a": 1}
        )

    clean = Record("v", "s", "f", "", checks={"a": 1})
    told = summary([record(1.0), record(9.0), record(2.0), clean, Record("w", "s", "f", "")])
    assert told == ["gain: 2.0 dB (3 of 4 estimates checked)"]
