"""People can read the documents: their sentences are short, and a script measures them."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("prose", ROOT / "scripts" / "prose.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


PROSE = script()


def test_code_tables_headings_and_addresses_are_no_sentences():
    text = """# A heading that nobody counts

One sentence here. Another, with `a few words of code` and [a link](https://example.org/a b c).

- An item
  of two lines
- Another item, e.g. this one.

| a | table |
|---|---|

```
srbench run --model spline
```
"""
    assert PROSE.sentences(text) == [
        "One sentence here.",
        "Another, with CODE and a link.",
        "An item of two lines",
        "Another item, e.g this one.",
    ]
    assert PROSE.length(text).longest == 6


def test_full_stop_within_a_number_or_before_a_small_letter_ends_nothing():
    assert PROSE.sentences("It took 1.5 s, as in SciPy 1.0. and later. Done!") == [
        "It took 1.5 s, as in SciPy 1.0. and later.",
        "Done!",
    ]


@pytest.mark.parametrize("document", PROSE.documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_sentences_are_short(document: Path):
    text = document.read_text(encoding="utf-8")
    measured = PROSE.length(text)
    longest = max(PROSE.sentences(text), key=PROSE.words)
    assert measured.longest <= PROSE.LONGEST, longest
    assert measured.average <= PROSE.AVERAGE, f"{document.name}: {measured.average:.1f} words a sentence"
