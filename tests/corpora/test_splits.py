"""Splits: those that come with srbench hold what they must, and faults planted in a user's own are refused by name."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import pytest

from srbench.corpora import check_sides, demo_corpus, load_split, speaker_of, split_names
from srbench.corpora.corpus import samples_digest
from srbench.corpora.splits import checksum
from srbench.errors import SrbenchError

TEST8 = {"p360": 424, "p361": 424, "p362": 123, "p363": 419, "p364": 301, "p374": 424, "p376": 424, "s5": 398}
LAST9 = ["p347", "p351", "p360", "p361", "p362", "p363", "p364", "p374", "p376"]
SHIPPED = {  # name -> corpus, and for each side: utterances, speakers, the checksum's first digits
    "demo": ("demo-1", {"test": (28, 1, "3ad24fea")}),
    "vctk-multispeaker": ("vctk-0.80", {"train": (40705, 100, "bfd52538"), "validation": (3552, 9, "e5f55913")}),
    "vctk-nuwave": ("vctk-0.92-mic1", {"train": (40936, 100, "11670e5c"), "validation": (2937, 8, "e352fd5b")}),
    "vctk-p239": ("vctk-0.80", {"train": (495, 1, "5adcb2dd"), "validation": (8, 1, "4343d814")}),
    "vctk-speaker1": ("vctk-0.80", {"train": (223, 1, "a97b4032"), "validation": (8, 1, "ed3e904e")}),
    "vctk-test8": ("vctk-0.92-mic1", {"train": (40936, 100, "11670e5c"), "test": (2937, 8, "e352fd5b")}),
}


def test_all_shipped_splits_are_here() -> None:
    assert split_names() == sorted(SHIPPED)


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_shipped_split(name: str) -> None:
    split = load_split(name)
    corpus, sides = SHIPPED[name]
    assert (split.name, split.corpus, set(split.sides)) == (name, corpus, set(sides))
    assert split.title
    assert split.source
    seen: set[str] = set()
    for side, (count, speakers, digits) in sides.items():
        ids = split.ids(side)
        assert (len(ids), len(set(ids))) == (count, count)
        assert ids == tuple(sorted(ids))
        assert len({i.split("_")[0] for i in ids}) == speakers
        # computed here from scratch: what is published must not hang on the code that it is to check
        sha256 = hashlib.sha256(("\n".join(ids) + "\n").encode()).hexdigest()
        assert split.checksum(side) == sha256 == split.sides[side].sha256
        assert sha256.startswith(digits)
        assert split.sides[side].count == count
        assert not seen & set(ids), "an id on two sides"
        seen |= set(ids)
    single = name in ("vctk-speaker1", "vctk-p239")
    assert check_sides(split) == ({"vctk-speaker1": ["p225"], "vctk-p239": ["p239"]}[name] if single else [])


@pytest.mark.parametrize(("name", "first"), [("demo", "demo1_001"), ("vctk-p239", "p239_001")])
def test_splits_that_ship_digests_of_their_recordings(name: str, first: str) -> None:
    split = load_split(name)
    assert sorted(split.samples()) == sorted(i for side in split.sides for i in split.ids(side))
    assert next(iter(split.samples())) == first
    assert len(set(split.samples().values())) == len(split.samples())


def test_digests_of_the_embedded_recordings() -> None:
    told = load_split("demo").samples()
    assert {u.id: samples_digest(u.path)[:16] for u in demo_corpus().utterances} == dict(told)


def test_a_split_without_digests_says_nothing_of_its_recordings() -> None:
    assert not load_split("vctk-nuwave").samples()


@pytest.mark.parametrize("line", ["a/1", "a/1 0123", "a/1 0123456789abcdeg", "a/1 0123456789abcdef more"])
def test_a_damaged_file_of_digests(tmp_path: Path, line: str) -> None:
    (tmp_path / "ids.txt").write_text("a/1\n")
    (tmp_path / "samples.txt").write_text(f"a/0 0123456789abcdef\n{line}\n")
    (tmp_path / "own.toml").write_text('corpus = "folder"\nsamples = "samples.txt"\n[sides]\na = { ids = "ids.txt" }\n')
    with pytest.raises(SrbenchError, match=r"samples\.txt, line 2"):
        load_split(tmp_path / "own.toml").samples()


def test_speakers_of_test8() -> None:
    split = load_split("vctk-test8")
    assert dict(Counter(map(speaker_of, split.ids("test")))) == TEST8
    train = set(map(speaker_of, split.ids("train")))
    assert not train & {*TEST8, "p280", "p315"}


def test_nuwave_scores_the_utterances_of_test8() -> None:
    assert load_split("vctk-nuwave").ids("validation") == load_split("vctk-test8").ids("test")


def test_speakers_of_the_multispeaker_split() -> None:
    split = load_split("vctk-multispeaker")
    assert sorted(set(map(speaker_of, split.ids("validation")))) == LAST9
    assert not set(map(speaker_of, split.ids("train"))) & set(LAST9)


def test_single_speaker_splits_end_in_their_last_eight() -> None:
    for name, speaker in (("vctk-speaker1", "p225"), ("vctk-p239", "p239")):
        split = load_split(name)
        assert {speaker_of(i) for side in split.sides for i in split.ids(side)} == {speaker}
        assert max(split.ids("train")) < min(split.ids("validation"))


def test_checksum_is_of_the_sorted_ids() -> None:
    expected = hashlib.sha256(b"a_1\nb_1\n").hexdigest()
    assert checksum(["b_1", "a_1"]) == checksum(("a_1", "b_1")) == expected


def test_speaker_is_all_before_the_last_underscore() -> None:
    assert [speaker_of(i) for i in ("p225_001", "s5_001", "my_speaker_12")] == ["p225", "s5", "my_speaker"]


def test_microphone_follows_the_corpus(tmp_path: Path) -> None:
    assert load_split("vctk-test8").mic == "mic1"
    (tmp_path / "two.toml").write_text('corpus = "vctk-0.92-mic2"\n[sides.test]\nids = "x.txt"\n')
    assert load_split(tmp_path / "two.toml").mic == "mic2"


def own(folder: Path, text: str = "", **sides: list[str]) -> Path:
    """Write a split with these sides; ``text`` goes in front of them."""
    lines = ['corpus = "vctk-0.80"', text]
    for side, ids in sides.items():
        (folder / f"{side}.txt").write_text("".join(f"{i}\n" for i in ids))
        lines += [f"[sides.{side}]", f'ids = "{side}.txt"']
    path = folder / "mine.toml"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_own_split(tmp_path: Path) -> None:
    split = load_split(own(tmp_path, train=["p1_2", " p1_1 ", ""], test=["p2_1"]))
    assert (split.name, split.ids("train"), split.ids("test")) == ("mine", ("p1_1", "p1_2"), ("p2_1",))
    assert check_sides(split) == []
    assert split.checksum("test") == hashlib.sha256(b"p2_1\n").hexdigest()


def test_id_that_stands_twice(tmp_path: Path) -> None:
    with pytest.raises(SrbenchError, match=r"split mine, side test: 1 ids appear more than once, the first is p1_1"):
        load_split(own(tmp_path, test=["p1_1", "p1_2", "p1_1"])).ids("test")


def test_id_on_two_sides(tmp_path: Path) -> None:
    split = load_split(own(tmp_path, "shares_speakers = true", train=["p1_1", "p1_2"], test=["p1_2"]))
    with pytest.raises(SrbenchError, match=r"split mine: 1 utterances are on two sides, the first is p1_2"):
        check_sides(split)


def test_speaker_on_two_sides(tmp_path: Path) -> None:
    split = load_split(own(tmp_path, train=["p1_1", "p3_1"], test=["p1_2", "p2_1"]))
    with pytest.raises(SrbenchError, match=r"split mine: speakers on two sides: p1\. If meant, say shares_speakers"):
        check_sides(split)


def test_speaker_on_two_sides_if_the_split_says_so(tmp_path: Path) -> None:
    split = load_split(own(tmp_path, "shares_speakers = true", train=["p1_1"], test=["p1_2", "p2_1"]))
    assert check_sides(split) == ["p1"]


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ("count = 3", "split mine, side test: holds 2 ids, 3 were declared"),
        (f'sha256 = "{"0" * 64}"', r"split mine, side test: the ids in .*test\.txt do not match .* checksum 00000000"),
        ("counts = 2", "side test: unknown key 'counts'. Did you mean 'count'"),
        ('count = "2"', "side test: count must be a whole number, not '2'"),
        ("count = true", "side test: count must be a whole number, not True"),
    ],
)
def test_side_that_is_not_as_declared(declared: str, message: str, tmp_path: Path) -> None:
    path = own(tmp_path, test=["p1_1", "p1_2"])
    path.write_text(path.read_text() + declared + "\n")
    with pytest.raises(SrbenchError, match=message):
        load_split(path).ids("test")


def test_right_declaration_is_accepted(tmp_path: Path) -> None:
    path = own(tmp_path, test=["p1_2", "p1_1"])
    sha256 = hashlib.sha256(b"p1_1\np1_2\n").hexdigest()
    path.write_text(path.read_text() + f'count = 2\nsha256 = "{sha256}"\n')
    assert load_split(path).ids("test") == ("p1_1", "p1_2")


def test_missing_binary_and_empty_lists(tmp_path: Path) -> None:
    path = own(tmp_path, gone=["p1_1"], binary=["p1_1"], empty=[" ", ""])
    (tmp_path / "gone.txt").unlink()
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe")
    split = load_split(path)
    for side, message in (("gone", "cannot read .*gone"), ("binary", "cannot read"), ("empty", "holds no ids")):
        with pytest.raises(SrbenchError, match=f"split mine, side {side}: .*{message}"):
            split.ids(side)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('corpus = "x"\nsides = 3', "sides must be a table, not 3"),
        ('corpus = "x"\n[sides]\ntest = "a.txt"', r"\[sides.test\] must be a table"),
        ('corpus = "x"\n[sides.test]\ncount = 3', "side test: ids missing"),
        ('[sides.test]\nids = "a.txt"', "corpus missing"),
        ('corpus = "x"\ntitel = "y"\n[sides.test]\nids = "a.txt"', "unknown key 'titel'. Did you mean 'title'"),
        ('corpus = "x"\nshares_speakers = 1\n[sides.test]\nids = "a"', "shares_speakers must be true or false, not 1"),
        ('corpus = "x', "is not valid TOML"),
    ],
)
def test_split_file_that_is_wrong(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text + "\n")
    with pytest.raises(SrbenchError, match=message) as refused:
        load_split(path)
    assert "mine.toml" in str(refused.value)


def test_a_list_of_ids_that_never_ends(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('corpus = "x"\n[sides.test]\nids = "endless"\n')
    (tmp_path / "endless").symlink_to("/dev/zero")
    with pytest.raises(SrbenchError, match=r"side test: cannot read .*endless: "):
        load_split(tmp_path / "mine.toml").ids("test")


def test_unknown_split_side_and_file(tmp_path: Path) -> None:
    with pytest.raises(SrbenchError, match=r"unknown split 'vctk-test9'\. Did you mean 'vctk-test8'\?"):
        load_split("vctk-test9")
    with pytest.raises(SrbenchError, match=r"unknown side of split vctk-test8 'tset'\. Did you mean 'test'\?"):
        load_split("vctk-test8").ids("tset")
    with pytest.raises(SrbenchError, match=r"nowhere\.toml: no such file"):
        load_split(tmp_path / "nowhere.toml")
