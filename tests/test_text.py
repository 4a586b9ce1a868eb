"""Text files as people and their editors write them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from srbench.corpora import load_split, open_corpus
from srbench.corpora.verify import verify
from srbench.errors import SrbenchError
from srbench.protocols import load_protocol
from srbench.run import make_plan
from srbench.table import read_table

PROTOCOL = """\ufefftitle = "t"
corpus = "folder"
split = "mine.toml"
side = "test"
low_rate = 8000
high_rate = 16000
metrics = ["snr"]
[degradation]
kind = "subsample"
"""


def laid(folder: Path, *ids: str) -> Path:
    """Write a protocol, its split and its list, each with the mark that Windows editors put first."""
    (folder / "own.toml").write_text(PROTOCOL, encoding="utf-8")
    (folder / "mine.toml").write_text('\ufeffcorpus = "folder"\n[sides.test]\nids = "test.txt"\n', encoding="utf-8")
    (folder / "test.txt").write_text("\ufeff" + "\r\n".join(ids), encoding="utf-8")
    data = folder / "data" / "p225"
    data.mkdir(parents=True)
    for number in (1, 2):
        soundfile.write(data / f"p225_00{number}.wav", np.random.default_rng(number).standard_normal(1600) / 9, 16000)
    return folder / "own.toml"


def test_a_byte_order_mark_is_no_part_of_ids_keys_and_cells(tmp_path):
    protocol = load_protocol(laid(tmp_path, "p225/p225_001", "p225/p225_002"))
    assert load_split(tmp_path / "mine.toml").ids("test") == ("p225/p225_001", "p225/p225_002")
    assert make_plan(protocol, tmp_path / "data").own
    (tmp_path / "a.csv").write_text("\ufeffutterance,snr\na,1\n", encoding="utf-8")
    assert read_table(tmp_path / "a.csv")[0] == ["utterance", "snr"]


@pytest.mark.parametrize(
    "wrong", ["p225\\p225_002", "p225/p225_002.WAV", "p225_002", "x/p225_002.flac", "p225_002_mic1"]
)
def test_an_id_that_is_written_otherwise_gets_the_right_one(tmp_path, wrong):
    protocol = load_protocol(laid(tmp_path, "p225/p225_001", wrong))
    with pytest.raises(SrbenchError, match="there it is p225/p225_002"):
        make_plan(protocol, tmp_path / "data")
    (finding,) = verify(open_corpus(tmp_path / "data", wanted="folder"), expected_ids=["p225/p225_001", wrong])
    assert finding.kind == "missing"
    assert "there it is p225/p225_002" in finding.detail
