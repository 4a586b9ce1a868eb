"""BibTeX of what srbench stands on: itself, corpora, and the papers that protocols and metrics name by a key.

The keys live with those who name them: ``cite`` of a protocol's file, ``cite`` of a metric's declaration. The entries
stand in ``references.bib``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources

from srbench import __version__

OURSELVES = "srbench"
_ENTRY = re.compile(r"^@\w+\{(?P<key>[^,]+),\n.*?^\}$", re.MULTILINE | re.DOTALL)
_CORPORA = {"vctk-0.92": "yamagishi2019vctk", "vctk-0.80": "veaux2017vctk"}


@cache
def entries() -> Mapping[str, str]:
    """Return every BibTeX entry by its key."""
    text = (resources.files("srbench.report") / "references.bib").read_text(encoding="utf-8")
    text = text.replace("{VERSION}", f"{{{__version__}}}")
    return {match["key"]: match[0] for match in _ENTRY.finditer(text)}


def key_of_corpus(name: str) -> str:
    """Return the key of a corpus as `srbench.corpora.Corpus.name` calls it, "" where there is none."""
    return next((key for prefix, key in _CORPORA.items() if name.startswith(prefix)), "")


def bibtex(keys: Iterable[str]) -> str:
    """Return the entries of some keys, each once; a key without an entry (of a plug-in) becomes a comment."""
    found = [entries().get(key, f"% no entry for the key {key}: it is not one of srbench's") for key in _once(keys)]
    return "\n\n".join(found) + "\n"


def _once(keys: Iterable[str]) -> list[str]:
    return [key for key in dict.fromkeys(keys) if re.fullmatch(r"[A-Za-z0-9:._/+-]+", key)]
