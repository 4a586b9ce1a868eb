"""Who guards the laws: every planted bug is caught and named, and no law is there that catches nothing.

One audit a bug, cached; a good minute on one core, most of it PESQ, STOI and the fits of log-spectral distances.
"""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path

import numpy as np
import pytest
from correct import CORRECT, Correct
from planted import PLANTED, Planted, audited

from srbench.audit import LAWS, Bug, audit

ROOT = Path(__file__).parents[2]


def broken(bug: Planted) -> list[str]:
    return [check.law for check in audited(bug.name).checks if check.verdict == "fail"]


def said(bug: Planted) -> list[Bug]:
    diagnosis = audited(bug.name).diagnosis
    return [*diagnosis.bugs, *diagnosis.unchecked]


@pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.name)
def test_planted_bug_is_caught(bug: Planted) -> None:
    report = audited(bug.name)
    assert report.verdict in ("fail", "error") or report.input_checks == "missing", report.diagnosis
    assert said(bug)


def test_there_are_enough_and_each_has_its_own_name() -> None:
    assert len({bug.name for bug in PLANTED}) == len(PLANTED) >= 64


def test_nine_in_ten_are_named_by_their_cause() -> None:
    wrong = []
    for bug in PLANTED:
        found = said(bug)
        first = found[0].bug if found else "nothing"
        if not any(cause in first for cause in bug.causes):
            wrong.append(f"{bug.name}: {first}, not {' or '.join(bug.causes)}")
    assert len(wrong) <= 0.1 * len(PLANTED), "\n".join([f"{len(wrong)} of {len(PLANTED)}", *wrong])


def test_every_law_catches_something() -> None:
    idle = set(LAWS) - {law for bug in PLANTED for law in broken(bug)}
    assert not idle, f"laws that catch no planted bug: {sorted(idle)}"


def test_every_law_catches_something_that_no_other_law_of_its_family_catches() -> None:
    alone = {laws[0] for bug in PLANTED if len(laws := broken(bug)) == 1}
    assert alone == set(LAWS), f"laws that never are the only one: {sorted(set(LAWS) - alone)}"


@pytest.mark.parametrize("metric", CORRECT, ids=lambda metric: metric.name)
def test_correct_metric_passes(metric: Correct) -> None:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        report = audit(metric.function, metric.declared, convention=metric.convention)
    failed = [f"{c.law}: {c.measured}, not {c.expected}" for c in report.checks if c.verdict == "fail"]
    assert report.verdict == "pass", "\n".join([*failed, *(bug.bug for bug in report.diagnosis.bugs)])


def test_page_is_what_the_script_makes() -> None:
    path = ROOT / "scripts" / "planted_bugs_table.py"
    spec = importlib.util.spec_from_file_location("planted_bugs_table", path)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    committed = (ROOT / "docs" / "planted-bugs.md").read_text(encoding="utf-8")
    assert script.page() == committed, "run scripts/planted_bugs_table.py"
