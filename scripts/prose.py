#!/usr/bin/env python3
"""Measure how long the sentences of the documents are.

Code blocks, tables, headings, images, comments and the addresses of links are not sentences. A piece of inline code
counts as one word. Every item of a list begins a new sentence::

    python scripts/prose.py                 average and longest sentence of every document
    python scripts/prose.py --over 25       also every sentence of more than 25 words
    python scripts/prose.py docs/score.md   of these files only
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
AVERAGE = 15  # words, over the sentences of one document
LONGEST = 40  # words; 25 is the goal

NOT_PROSE = re.compile(
    r"^(?:```.*?^```[^\n]*|<!--.*?-->|\|[^\n]*|#+ [^\n]*|\[[^\]]+\]: [^\n]*)$", re.MULTILINE | re.DOTALL
)
ITEM = re.compile(r"^\s*(?:[-*]|\d+\.) +", re.MULTILINE)
CODE = re.compile(r"(`+).+?\1", re.DOTALL)
IMAGE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
ABBREVIATION = re.compile(r"\b(e\.g|i\.e|et al|vs|cf|approx|Fig|No)\.")
END = re.compile(r"(?<=[.!?])[)\"'*_]*\s+(?=[^a-z\s])|(?<=[.!?])$")


@dataclass(frozen=True)
class Length:
    """The sentences of one document, counted in words."""

    sentences: int
    average: float
    longest: int


def documents() -> list[Path]:
    """Return the documents that people read."""
    names = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "leaderboard/README.md")
    return [*(ROOT / name for name in names), *sorted((ROOT / "docs").glob("*.md"))]


def sentences(text: str) -> list[str]:
    """Return the sentences of a text in Markdown, in order."""
    text = NOT_PROSE.sub("\n\n", text)
    text = LINK.sub(r"\1", IMAGE.sub("", CODE.sub("CODE", text)))
    text = ABBREVIATION.sub(r"\1", text)
    found = []
    for paragraph in re.split(r"\n\s*\n", ITEM.sub("\n\n", text)):
        found += [part.strip() for part in END.split(" ".join(paragraph.split()))]
    return [sentence for sentence in found if words(sentence)]


def words(sentence: str) -> int:
    """Return how many words a sentence has: what stands between blanks and holds a letter or a digit."""
    return sum(any(character.isalnum() for character in word) for word in sentence.split())


def length(text: str) -> Length:
    """Return how long the sentences of a text in Markdown are."""
    counts = [words(sentence) for sentence in sentences(text)]
    return Length(len(counts), sum(counts) / max(len(counts), 1), max(counts, default=0))


def main() -> int:
    """Print the lengths; return 1 if a document exceeds a limit."""
    parser = argparse.ArgumentParser(description="Measure how long the sentences of the documents are.")
    parser.add_argument("files", nargs="*", type=Path, help="all documents by default")
    parser.add_argument("--over", type=int, metavar="WORDS", help="print the sentences that are longer")
    arguments = parser.parse_args()
    too_long = False
    for path in arguments.files or documents():
        text = path.read_text(encoding="utf-8")
        measured = length(text)
        over = measured.average > AVERAGE or measured.longest > LONGEST
        too_long |= over
        mark = "  too long" if over else ""
        print(
            f"{measured.average:5.1f} average {measured.longest:4d} longest {measured.sentences:4d}  {path.name}{mark}"
        )
        for sentence in sentences(text) if arguments.over else ():
            if words(sentence) > arguments.over:
                print(f"      {words(sentence):3d}: {sentence}")
    return int(too_long)


if __name__ == "__main__":
    sys.exit(main())
