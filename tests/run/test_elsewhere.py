"""Folders of estimates as entrants: how files are found, and what is refused."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import soundfile
from kit import noise

from srbench.errors import SrbenchError, UpscalerError
from srbench.protocols import load_protocol
from srbench.run.elsewhere import EstimateFile, MadeElsewhere, found_in, read_estimate

KNOWN = {"p1/a": None, "p1/b": None, "p2/c": None}


def wav(path: Path, samples: np.ndarray, rate: int = 16000, subtype: str = "FLOAT") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, subtype=subtype)
    return path


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        (("p1/a.wav", "p1/b.flac", "p2/c.wav"), None),
        (("a.wav", "b.wav", "c.wav"), None),
        (("x/a.wav", "y/b.wav", "c.wav"), None),
        (("p1/a_up.wav", "p1/b_up.wav", "p2/c_up.wav"), "{id}_up.wav"),
        (("a.hr16.wav", "b.hr48.wav", "c.hr.wav"), "{id}.hr*.wav"),
    ],
)
def test_files_are_found_by_the_ids_of_utterances(tmp_path: Path, names: tuple[str, ...], pattern: str | None) -> None:
    for name in names:
        wav(tmp_path / name, noise(100), subtype="PCM_16")
    found = found_in("m", tmp_path, KNOWN, pattern)
    assert {key: file.path.relative_to(tmp_path).as_posix() for key, file in found.files.items()} == dict(
        zip(KNOWN, names, strict=True)
    )
    assert found.strange == ()


def test_the_identity_is_that_of_the_bytes(tmp_path: Path) -> None:
    wav(tmp_path / "a" / "p1" / "a.wav", noise(100))
    wav(tmp_path / "b" / "p1" / "a.wav", noise(100))
    protocol = load_protocol("demo")
    a, b = (found_in("m", tmp_path / each, KNOWN) for each in "ab")
    assert a.provenance(protocol) == b.provenance(protocol)
    wav(tmp_path / "b" / "p1" / "a.wav", noise(100, seed=1))
    assert found_in("m", tmp_path / "b", KNOWN).provenance(protocol) != a.provenance(protocol)
    assert pickle.loads(pickle.dumps(a)) == a


def test_files_of_no_utterance_are_named(tmp_path: Path) -> None:
    for name in ("p1/a.wav", "p1/a (1).wav"):
        wav(tmp_path / name, noise(100))
    assert found_in("m", tmp_path, KNOWN).strange == ("p1/a (1).wav",)


@pytest.mark.parametrize(("make", "told"), [(None, "does not exist"), ("other.wav", "--pattern"), ("", "no audio")])
def test_folders_that_hold_nothing_of_use(tmp_path: Path, make: str | None, told: str) -> None:
    folder = tmp_path / "f"
    if make is not None:
        folder.mkdir()
    if make:
        wav(folder / make, noise(100))
    with pytest.raises(SrbenchError, match=told):
        found_in("m", folder, KNOWN)


@pytest.mark.parametrize(
    ("samples", "rate", "told"),
    [
        (noise(100), 44100, "44100 Hz, the protocol's rate is 16000 Hz"),
        (noise(99), 16000, "99 samples, the reference has 100"),
        (noise(101), 16000, "101 samples"),
        (np.stack([noise(100)] * 2, 1), 16000, "2 channels"),
        (np.full(100, np.nan), 16000, "NaN"),
    ],
)
def test_what_breaks_the_contract_is_refused(tmp_path: Path, samples: np.ndarray, rate: int, told: str) -> None:
    path = wav(tmp_path / "a.wav", samples, rate)
    with pytest.raises(UpscalerError, match=told) as caught:
        read_estimate(EstimateFile(path, ""), 16000, 100)
    assert "a.wav" in str(caught.value)


def test_a_file_that_was_changed_meanwhile_is_refused(tmp_path: Path) -> None:
    wav(tmp_path / "a.wav", noise(100))
    found = found_in("m", tmp_path, {"a": None}).files["a"]
    assert np.array_equal(read_estimate(found, 16000, 100), noise(100).astype(np.float32))
    wav(tmp_path / "a.wav", noise(100, seed=1))
    with pytest.raises(UpscalerError, match="changed"):
        read_estimate(found, 16000, 100)


def test_nothing_is_made(tmp_path: Path) -> None:
    entrant = MadeElsewhere("m")
    assert not entrant.makes
    assert not entrant.takes_batches()
