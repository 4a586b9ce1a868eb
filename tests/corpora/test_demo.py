"""The embedded corpus is what was promised, and a damaged one is refused."""

from __future__ import annotations

import csv
import hashlib
import shutil
from pathlib import Path

import pytest
import soundfile

from srbench.corpora import demo, demo_corpus, load_split
from srbench.errors import SrbenchError


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a copy of the corpus that srbench now takes for its own."""
    target = tmp_path / "data" / "demo"
    shutil.copytree(demo_corpus().root, target)
    monkeypatch.setattr(demo.resources, "files", lambda package: tmp_path)
    assert demo_corpus().root == target
    return target


def test_corpus_is_as_promised() -> None:
    corpus = demo_corpus()
    assert corpus.name == demo.NAME == "demo-1"
    assert len(corpus.utterances) >= 24
    headers = [soundfile.info(u.path) for u in corpus.utterances]
    assert {(h.samplerate, h.channels) for h in headers} == {(24000, 1)}
    assert sum(h.frames for h in headers) / 24000 >= 120
    assert sum(file.stat().st_size for file in corpus.root.iterdir()) <= 6_000_000
    assert all(u.id.startswith(f"{u.speaker}_") for u in corpus.utterances)


def test_manifest_split_and_files_agree() -> None:
    corpus = demo_corpus()
    with (corpus.root / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [u.id for u in corpus.utterances] == sorted(row["utterance"] for row in rows)
    assert tuple(u.id for u in corpus.utterances) == load_split("demo").ids("test")
    assert {p.name for p in corpus.root.glob("*.flac")} == {f"{row['utterance']}.flac" for row in rows}
    for row in rows:
        path = corpus.root / f"{row['utterance']}.flac"
        assert hashlib.sha256(path.read_bytes()).hexdigest() == row["sha256"]
        assert soundfile.info(path).duration == pytest.approx(float(row["duration_s"]), abs=0.01)
        assert row["text"]
    assert len({row["sha256"] for row in rows}) == len(rows)


def test_licence_lies_beside_it() -> None:
    assert (demo_corpus().root / "LICENSE.md").read_text(encoding="utf-8").strip()


def test_changed_file_is_refused(copy: Path) -> None:
    path = copy / "demo1_003.flac"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(SrbenchError, match=r"demo1_003\.flac: missing or changed; install srbench again"):
        demo_corpus()


def test_missing_file_is_refused(copy: Path) -> None:
    (copy / "demo1_028.flac").unlink()
    with pytest.raises(SrbenchError, match=r"demo1_028\.flac: missing or changed"):
        demo_corpus()
