"""The embedded demo corpus: synthetic speech inside the package, so that the benchmark runs without a download."""

from __future__ import annotations

import csv
from importlib import resources
from pathlib import Path

from srbench.corpora.corpus import Corpus, Utterance, file_digest
from srbench.errors import SrbenchError

NAME = "demo-1"  # the number is raised if the recordings ever change


def demo_corpus() -> Corpus:
    """Return the embedded corpus; every file is checked against the manifest's SHA-256.

    Raises
    ------
    SrbenchError
        If a file is missing or changed: the installation is damaged.
    """
    folder = Path(str(resources.files("srbench.corpora"))) / "data" / "demo"
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = []
    for row in rows:
        path = folder / f"{row['utterance']}.flac"
        if file_digest(path) != row["sha256"]:
            raise SrbenchError(f"{path}: missing or changed; install srbench again")
        found.append(Utterance(row["utterance"], row["speaker"], path))
    return Corpus(NAME, folder, tuple(sorted(found, key=lambda utterance: utterance.id)))
