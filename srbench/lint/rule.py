"""What a rule of the lint is: a function that states itself and yields findings.

A rule's sentence is the first line of its docstring. Rows are numbered from 1, headers and section titles left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from srbench.lint.table import Panel, Row, Table
from srbench.metrics import METRICS

SEVERITIES = ("error", "warning", "note")


@dataclass(frozen=True)
class Finding:
    """What a rule found.

    Attributes
    ----------
    rule : str
    severity : {"error", "warning", "note"}
        An error cannot be true; a warning is doubtful; a note is worth saying.
    rows : tuple of int
        The rows concerned; empty for a whole column.
    message : str
    suggestion : str
    """

    rule: str
    severity: str
    rows: tuple[int, ...]
    message: str
    suggestion: str

    def as_dict(self) -> dict[str, Any]:
        """Return it in the shape of ``srbench lint --json``."""
        return {**vars(self), "rows": list(self.rows)}


@dataclass(frozen=True)
class Rule:
    """A registered rule: its name, its sentence, and the check, which takes the table and the number of utterances."""

    name: str
    statement: str
    check: Callable[[Table, int | None], Iterator[Finding]]


RULES: dict[str, Rule] = {}
_Check = Callable[[Table, "int | None"], Iterator[Finding]]


def rule(check: _Check) -> _Check:
    """Register a rule under its function's name, with hyphens."""
    name = check.__name__.replace("_", "-")
    assert name not in RULES, f"two rules are called {name}"
    assert check.__doc__, f"rule {name} does not state itself"
    RULES[name] = Rule(name, check.__doc__.split("\n")[0], check)
    return check


def who(row: Row) -> str:
    """Return what a row is called in a message."""
    return f"'{row.model}'" if row.model else f"row {row.number}"


def where(panel: Panel) -> str:
    """Return the panel's label in brackets, or nothing."""
    return f" ({panel.label})" if panel.label else ""


def short(metric: str) -> str:
    """Return a metric's usual short name; a table's PESQ may be of either band."""
    return METRICS[metric].label.removesuffix("-WB")
