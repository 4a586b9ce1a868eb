"""The lint: rules that a results table obeys whatever the audio was, run on a table."""

from __future__ import annotations

from srbench.errors import unknown_name
from srbench.lint import rules_models, rules_units, rules_values
from srbench.lint.rule import RULES, SEVERITIES, Finding
from srbench.lint.table import Table

__all__ = ["RULES", "Finding", "lint", "rules_models", "rules_units", "rules_values"]


def lint(table: Table, *, n: int | None = None, rules: tuple[str, ...] = ()) -> list[Finding]:
    """Return what the rules find in a table, errors first.

    Parameters
    ----------
    table : Table
        From `srbench.lint.table.read_table`.
    n : int, optional
        The number of utterances behind each mean, where no column says it.
    rules : tuple of str
        Only these.

    Raises
    ------
    SrbenchError
        If a name is of no rule.
    """
    for name in rules:
        if name not in RULES:
            raise unknown_name("rule", name, RULES)
    findings = [
        finding for name, each in RULES.items() if not rules or name in rules for finding in each.check(table, n)
    ]
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))
