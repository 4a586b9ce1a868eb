"""Functions of public code, restated: every verdict is right, no cause is false, most causes are shown."""

from __future__ import annotations

import pytest
from restated import RESTATED, Restated, audited


def shown_first(one: Restated) -> bool:
    bugs = audited(one.name).diagnosis.bugs
    return bool(bugs) and bugs[0].certainty == "shown" and _fits(one, bugs[0].bug + " " + bugs[0].explanation)


def _fits(one: Restated, text: str) -> bool:
    return any(word.lower() in text.lower() for word in one.words)


@pytest.mark.parametrize("one", RESTATED, ids=lambda one: one.name)
def test_verdict_is_right(one: Restated):
    report = audited(one.name)
    assert report.verdict == one.verdict, [*report.diagnosis.bugs, *report.diagnosis.nearest]


def test_no_cause_is_false():
    """A cause is what a definition shows: what was seen itself, or follows from a law, is no cause."""
    false = []
    for one in RESTATED:
        diagnosis = audited(one.name).diagnosis
        if one.verdict == "pass":
            false += [f"{one.name}: {bug.bug}" for bug in diagnosis.bugs]
        elif diagnosis.certainty == "shown" and not any(_fits(one, f"{b.bug} {b.explanation}") for b in diagnosis.bugs):
            false.append(f"{one.name}: {[bug.bug for bug in diagnosis.bugs]}")
    assert not false, "\n".join(false)


def test_most_causes_are_shown_and_first():
    wrong = [one for one in RESTATED if one.verdict == "fail"]
    missed = [one.name for one in wrong if not shown_first(one)]
    assert len(missed) <= 0.15 * len(wrong), f"{len(missed)} of {len(wrong)}: {missed}"


def test_there_are_fifty():
    assert len({one.name for one in RESTATED}) == len(RESTATED) >= 50
