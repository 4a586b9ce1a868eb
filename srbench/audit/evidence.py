"""What a broken law says by itself: evidence in words, which is never a cause."""

from __future__ import annotations

from collections.abc import Sequence

from srbench.audit.law import Verdict
from srbench.audit.laws_perceptual import SAME_AT_ANY_RATE
from srbench.audit.words import WORDS, Bug

_BATCHES = ("batch_of_one", "batch_is_mean_of_items")


def is_input_check(law: str, shape: str) -> bool:
    """Tell whether a law is about input that the function may not be meant for; batches are where it takes them."""
    return law in WORDS["unchecked"] and not (law in _BATCHES and shape in ("1n", "11n"))


def seen(broken: Sequence[Verdict], shape: str) -> tuple[list[Bug], list[Bug]]:
    """Return what was itself seen: departures, and input that is not checked."""
    departures: list[Bug] = []
    unchecked: list[Bug] = []
    for verdict in broken:
        if verdict.law in WORDS["unchecked"]:
            bug = Bug(*WORDS["unchecked"][verdict.law])
            if verdict.law == "lsd_silent_estimate" and verdict.measured.split()[0] == "0":
                bug = Bug("silent estimates scored 0", "A silent estimate counts as a perfect one.")
            (unchecked if is_input_check(verdict.law, shape) else departures).append(bug)
        elif SAME_AT_ANY_RATE in verdict.measured:
            text = "The value is the same whatever the sample rate is said to be."
            departures.append(Bug("sample rate ignored", text))
        elif verdict.law in WORDS["seen"]:
            name, *more = WORDS["seen"][verdict.law]
            more = more or [f"{verdict.statement} Here: {verdict.measured}."]
            departures.append(Bug(name, *more))
    measured = {verdict.law: verdict.measured.split()[0] for verdict in broken}
    scored = [measured[law] for law in ("unequal_lengths", "nan_is_not_hidden", "no_samples") if law in measured]
    if len(scored) == 3 and len(set(scored)) == 1:
        text = f"What has no value is scored {scored[0]}."
        unchecked.insert(0, Bug("failures scored", text, "Leave failures out and count them."))
    return departures, unchecked


def says(broken: Sequence[Verdict]) -> list[Bug]:
    """Return what broken laws say, the most telling first: what they rule out, not what causes it."""
    statements = {verdict.law: verdict for verdict in broken}
    found: dict[str, Bug] = {}
    for law, name in WORDS["says"].items():
        if law in statements:
            verdict = statements[law]
            text = f"Broken: {verdict.statement} Expected {verdict.expected}, measured {verdict.measured}."
            found.setdefault(name, Bug(name, text, certainty="consistent"))
    return list(found.values())
