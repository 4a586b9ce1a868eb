#!/usr/bin/env python3
"""Write docs/planted-bugs.md: what the audit says of every planted bug.

The bugs are in tests/audit/planted.py, and a test holds the page against this script::

    python scripts/planted_bugs_table.py
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "planted-bugs.md"
for folder in (ROOT / "tests" / "audit", ROOT):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

HEAD = """# Planted bugs

These bugs test `srbench audit` itself. Each row is a small metric with one defect and the laws that it breaks. Then
comes what the diagnosis says first, and how [certain](audit.md) that is. If a row has no laws, the diagnosis alone
finds the bug: the definition that reproduces the metric's values is not the declared one.
`scripts/planted_bugs_table.py` makes this page from `tests/audit/planted.py`. Do not edit it.

| planted bug | declared as | laws broken | said first | certainty |
|---|---|---|---|---|
"""


def page() -> str:
    """Return the page's text."""
    from planted import PLANTED, audited

    return HEAD + "".join(row(bug, audited(bug.name)) for bug in PLANTED)


def row(bug, report) -> str:  # type: ignore[no-untyped-def]
    """Return one line of the table."""
    laws = ", ".join(f"`{check.law}`" for check in report.checks if check.verdict == "fail")
    first = next(iter([*report.diagnosis.bugs, *report.diagnosis.unchecked]), None)
    said = f"{first.bug} | {first.certainty}" if first else "not caught | "
    return f"| {bug.name} | `{bug.declared}` | {laws or 'none'} | {said} |\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
