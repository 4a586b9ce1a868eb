"""The level of the intervals is said in one place: to change it there changes it everywhere."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from srbench import level

ROOT = Path(__file__).resolve().parent.parent
SAID = re.compile(r"\b95 %|ci95|\b0\.95\b|\b0\.975\b")
OTHER = {  # a share of something else, or a column of a stranger's table
    "srbench/audit/lattice.py": "0.95",
    "srbench/lint/headers.py": "ci95",
    "srbench/report/distribution.py": "0.95",
    "srbench/scoring/faults.py": "0.95",
}


def literals(path: Path) -> set[str]:
    """Return what the strings and numbers of a file say, its docstrings apart."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in said)
    return {match[0] for node in found for match in [SAID.search(str(node.value))] if match}


@pytest.mark.parametrize(
    "path", sorted((ROOT / "srbench").rglob("*.py")), ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_no_other_module_says_it(path: Path):
    name = path.relative_to(ROOT).as_posix()
    assert literals(path) <= ({"0.95"} if name == "srbench/level.py" else {OTHER.get(name, "")})


def test_no_page_of_the_site_says_it():
    for path in (ROOT / "srbench/report/site").rglob("*.html"):
        assert not SAID.search(path.read_text(encoding="utf-8")), path


def test_its_names_are_those_of_the_documents():
    assert (level.PERCENT, level.CI, level.SIGNIFICANCE, level.UPPER) == ("95 %", "ci95", 0.05, 0.975)
