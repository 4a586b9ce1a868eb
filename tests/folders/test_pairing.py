"""Files pair by name, and nothing is passed over in silence."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from srbench.errors import SrbenchError
from srbench.folders.pairing import Pairs, pair_up


@pytest.fixture
def folder(tmp_path: Path):
    def make(name: str, *files: str) -> Path:
        for file in files:
            path = tmp_path / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path / name

    return make


def ids(pairs: Pairs) -> list[str]:
    return [pair.id for pair in pairs.pairs]


def test_same_stem_below_both_folders_whatever_the_format(folder):
    reference = folder("ref", "a/1.flac", "a/2.wav", "b/1.wav", "b/alone.wav", "notes.txt")
    estimate = folder("est", "a/1.wav", "a/2.wav", "b/1.wav", "b/other.wav")
    (pairs,) = pair_up(reference, [estimate])
    assert ids(pairs) == ["a/1", "a/2", "b/1"]
    assert pairs.pairs[0].reference == reference / "a/1.flac"
    assert pairs.pairs[0].estimate == estimate / "a/1.wav"
    assert [pair.speaker for pair in pairs.pairs] == ["a", "a", "b"]
    assert pairs.lonely_references == (reference / "b/alone.wav",)
    assert pairs.lonely_estimates == (estimate / "b/other.wav",)


def test_names_alone_where_the_folders_differ(folder):
    reference = folder("ref", "wav48/p225/p225_001.flac", "wav48/p226/p226_001.flac", "wav48/p226/p226_002.flac")
    estimate = folder("est", "p226_001.wav", "p225_001.wav")
    (pairs,) = pair_up(reference, [estimate])
    assert [(pair.speaker, pair.estimate) for pair in pairs.pairs] == [
        ("p225", estimate / "p225_001.wav"),
        ("p226", estimate / "p226_001.wav"),
    ]
    assert pairs.lonely_references == (reference / "wav48/p226/p226_002.flac",)


def test_names_that_stand_twice_do_not_pair_by_name_alone(folder):
    reference = folder("ref", "a/1.wav", "b/1.wav", "b/2.wav")
    (pairs,) = pair_up(reference, [folder("est", "1.wav", "2.wav")])
    assert ids(pairs) == ["b/2"]
    assert len(pairs.lonely_references) == 2


def test_patterns_in_one_folder(folder):
    both = folder("all", "x/1.hr.wav", "x/1.pr.wav", "2.hr.wav", "2.pr.wav", "3.hr.wav", "1.lr.wav")
    (pairs,) = pair_up(both, [both], ("{id}.hr.wav", "{id}.pr.wav"))
    assert ids(pairs) == ["2", "x/1"]
    assert pairs.lonely_references == (both / "3.hr.wav", both / "1.lr.wav")
    assert pairs.lonely_estimates == (both / "1.lr.wav",)


def test_patterns_with_a_star(folder):
    (pairs,) = pair_up(
        folder("r", "p225_001.wav"), [folder("e", "p225_001_gen_70k.wav")], ("{id}.wav", "{id}_gen_*.wav")
    )
    assert ids(pairs) == ["p225_001"]
    assert pairs.pairs[0].speaker == "p225"


@pytest.mark.parametrize("pattern", ["hr.wav", "{id}{id}.wav", "a/{id}.wav"])
def test_patterns_that_name_no_id(folder, pattern: str):
    place = folder("r", "1.wav")
    with pytest.raises(SrbenchError, match="must be a file name with one"):
        pair_up(place, [place], (pattern, "{id}.wav"))


def test_duplicates_are_refused_with_both_named(folder):
    reference = folder("ref", "1.wav", "1.flac")
    with pytest.raises(SrbenchError, match=r"two files claim the id '1': .*1\.flac and .*1\.wav"):
        pair_up(reference, [folder("est", "1.wav")])
    with pytest.raises(SrbenchError, match="two files claim"):
        pair_up(folder("good", "1.wav"), [reference])


def test_several_systems_have_the_same_utterances(folder):
    reference = folder("ref", "1.wav", "2.wav", "3.wav")
    one, two = pair_up(reference, [folder("a", "1.wav", "2.wav"), folder("b", "2.wav")])
    assert ids(one) == ids(two) == ["1", "2"]
    assert [pair.estimate is None for pair in two.pairs] == [True, False]


def test_two_files_pair_whatever_their_names(folder):
    place = folder("all", "one.wav", "two.wav")
    (pairs,) = pair_up(place / "one.wav", [place / "two.wav"])
    assert ids(pairs) == ["one"]
    assert pairs.lonely_references == pairs.lonely_estimates == ()


def test_low_resolution_files(folder):
    reference, estimate = folder("ref", "1.wav", "2.wav"), folder("est", "1.wav", "2.wav")
    (pairs,) = pair_up(reference, [estimate], low=folder("low", "1.wav", "2.wav"))
    assert [pair.low.name for pair in pairs.pairs if pair.low] == ["1.wav", "2.wav"]
    with pytest.raises(SrbenchError, match="no low-resolution file for 1 of 2 utterances, the first 2"):
        pair_up(reference, [estimate], low=folder("fewer", "1.wav"))


def test_nothing_to_pair(folder):
    reference = folder("ref", "1.wav")
    with pytest.raises(SrbenchError, match=r"no file pairs with one of .*'1' there, 'x' here"):
        pair_up(reference, [folder("est", "x.wav")])
    with pytest.raises(SrbenchError, match="holds no audio"):
        pair_up(reference, [folder("empty", "x.txt")])
    with pytest.raises(SrbenchError, match="no such file or folder"):
        pair_up(reference, [reference / "gone"])


@pytest.mark.parametrize("sub", ["", "é/"])
def test_accents_written_in_two_ways_are_one_name(folder, sub: str):
    composed, apart = (unicodedata.normalize(form, f"{sub}Zoé") for form in ("NFC", "NFD"))
    reference, estimate = folder("ref", f"{apart}.hr.wav"), folder("est", f"{composed}.hr.wav", "x.wav")
    low = folder("low", f"{apart}.hr.wav")
    for patterns in (None, ("{id}.hr.wav", "{id}.hr.wav"), ("Zoé.{id}.wav", "Zoe\u0301.{id}.wav")):
        (pairs,) = pair_up(reference, [estimate], patterns, low)
        assert [(pair.estimate, pair.low) for pair in pairs.pairs] == [
            (estimate / f"{composed}.hr.wav", low / f"{apart}.hr.wav")
        ]
        assert ids(pairs)[0] == unicodedata.normalize("NFC", ids(pairs)[0])
