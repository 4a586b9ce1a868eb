"""Layouts on disk: which corpus a folder is taken for, and which ids and speakers it gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from srbench import audio
from srbench.corpora import Corpus, open_corpus
from srbench.errors import SrbenchError


def lay(root: Path, *files: str) -> Path:
    """Make empty files: a corpus is recognised by names alone."""
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()
    return root


def found(corpus: Corpus) -> list[tuple[str, str, str]]:
    return [(u.id, u.speaker, u.path.relative_to(corpus.root).as_posix()) for u in corpus.utterances]


LAYOUTS = {
    "0.80 wav": (
        ["wav48/p226/p226_002.wav", "wav48/p225/p225_001.wav", "wav48/p225/p225_010.wav"],
        "vctk-0.80",
        [("p225_001", "p225", 1), ("p225_010", "p225", 2), ("p226_002", "p226", 0)],
    ),
    "0.80 flac": (["wav48/s5/s5_001.flac"], "vctk-0.80", [("s5_001", "s5", 0)]),
    "0.80 capital suffix": (["wav48/p225/p225_001.WAV"], "vctk-0.80", [("p225_001", "p225", 0)]),
    "0.92": (
        [
            "wav48_silence_trimmed/p225/p225_001_mic1.flac",
            "wav48_silence_trimmed/p225/p225_001_mic2.flac",
            "wav48_silence_trimmed/s5/s5_007_mic1.flac",
        ],
        "vctk-0.92-mic1",
        [("p225_001", "p225", 0), ("s5_007", "s5", 2)],
    ),
    "0.80 one level below": (["VCTK-Corpus/wav48/p225/p225_001.wav"], "vctk-0.80", [("p225_001", "p225", 0)]),
    "0.92 one level below": (
        ["VCTK-Corpus-0.92/wav48_silence_trimmed/p225/p225_001_mic1.flac"],
        "vctk-0.92-mic1",
        [("p225_001", "p225", 0)],
    ),
    "0.92 goes before 0.80": (
        ["wav48_silence_trimmed/p225/p225_001_mic1.flac", "wav48/p225/p225_002.wav"],
        "vctk-0.92-mic1",
        [("p225_001", "p225", 0)],
    ),
    "VCTK with texts and strange files beside the audio": (
        ["wav48/p225/p225_001.wav", "wav48/p225/notes.wav", "wav48/p225/p225_001.txt", "txt/p225/p225_001.txt"],
        "vctk-0.80",
        [("p225_001", "p225", 0)],
    ),
    "speaker folders only": (
        ["p225/p225_001.wav", "s5/s5_001.wav"],
        "vctk-0.80",
        [("p225_001", "p225", 0), ("s5_001", "s5", 1)],
    ),
    "speaker folders only, of 0.92": (
        ["p360/p360_001_mic1.flac", "p360/p360_001_mic2.flac"],
        "vctk-0.92-mic1",
        [("p360_001", "p360", 0)],
    ),
    "VCTK names, all in one folder": (["p225_001.wav"], "vctk-0.80", [("p225_001", "p225", 0)]),
    "any folder": (
        ["b/y.ogg", "a/deep/x.wav", "a/x.flac", "a/x.txt", "top.wav"],
        "folder",
        [("a/deep/x", "a/deep", 1), ("a/x", "a", 2), ("b/y", "b", 0), ("top", "corpus", 4)],
    ),
    "any folder, a name with dots": (["v1.2/take.3.wav"], "folder", [("v1.2/take.3", "v1.2", 0)]),
    "one name that is not VCTK's": (
        ["p225_001.wav", "hello.wav"],
        "folder",
        [("hello", "corpus", 1), ("p225_001", "p225", 0)],
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layout(layout: str, tmp_path: Path) -> None:
    files, name, expected = LAYOUTS[layout]
    corpus = open_corpus(lay(tmp_path / "corpus", *files))
    assert corpus.name == name
    assert found(corpus) == [(i, speaker, files[place]) for i, speaker, place in expected]
    assert list(corpus.by_id()) == [i for i, _, _ in expected]
    assert corpus.root == tmp_path / "corpus"


@pytest.mark.parametrize("inner", ["wav48", "wav48_silence_trimmed"])
def test_the_audio_folder_itself_is_recognised(inner: str, tmp_path: Path) -> None:
    version = {"wav48": "vctk-0.80", "wav48_silence_trimmed": "vctk-0.92-mic1"}[inner]
    lay(tmp_path, f"{inner}/p225/p225_001.wav", f"{inner}/p225/not a vctk name.wav")
    corpus = open_corpus(tmp_path / inner)
    assert (corpus.name, found(corpus)) == (version, [("p225_001", "p225", "p225/p225_001.wav")])


def test_second_microphone(tmp_path: Path) -> None:
    folder = "wav48_silence_trimmed/p225"
    lay(tmp_path, f"{folder}/p225_001_mic1.flac", f"{folder}/p225_001_mic2.flac", f"{folder}/p225_002_mic1.flac")
    corpus = open_corpus(tmp_path, "mic2")
    assert corpus.name == "vctk-0.92-mic2"
    assert found(corpus) == [("p225_001", "p225", f"{folder}/p225_001_mic2.flac")]


def test_second_microphone_of_speaker_folders(tmp_path: Path) -> None:
    lay(tmp_path, "p360/p360_001_mic1.flac", "p360/p360_001_mic2.flac")
    corpus = open_corpus(tmp_path, "mic2")
    assert (corpus.name, found(corpus)) == ("vctk-0.92-mic2", [("p360_001", "p360", "p360/p360_001_mic2.flac")])


def test_a_folder_named_like_a_recording_is_none(tmp_path: Path) -> None:
    lay(tmp_path, "x.wav/inside.wav")
    assert [u.id for u in open_corpus(tmp_path).utterances] == ["x.wav/inside"]


def test_what_the_protocol_asks_for_decides_between_two_versions(tmp_path: Path) -> None:
    lay(tmp_path, "wav48_silence_trimmed/p225/p225_001_mic1.flac", "wav48/p225/p225_002.wav")
    for wanted, names in (("vctk-0.80", ["p225_002"]), ("vctk-0.92-mic1", ["p225_001"]), ("demo-1", ["p225_001"])):
        corpus = open_corpus(tmp_path, wanted=wanted)
        assert [u.id for u in corpus.utterances] == names
        assert corpus.name == wanted.replace("demo-1", "vctk-0.92-mic1")


def test_what_the_protocol_asks_for_decides_one_level_below(tmp_path: Path) -> None:
    lay(tmp_path, "A/wav48/p225/p225_002.wav", "B/wav48_silence_trimmed/p225/p225_001_mic1.flac")
    assert open_corpus(tmp_path, wanted="vctk-0.92-mic1").name == "vctk-0.92-mic1"
    assert open_corpus(tmp_path).name == "vctk-0.80"


def test_what_the_protocol_asks_for_decides_among_plain_speaker_folders(tmp_path: Path) -> None:
    lay(tmp_path, "p225/p225_001.wav", "p225/p225_002.wav", "p225/p225_003_mic1.flac")
    old, new = (open_corpus(tmp_path, wanted=wanted) for wanted in ("vctk-0.80", "vctk-0.92-mic1"))
    assert (old.name, [u.id for u in old.utterances]) == ("vctk-0.80", ["p225_001", "p225_002"])
    assert new.name == "vctk-0.92-mic1"
    assert old.notes == ("Left out, not named as vctk-0.80 names its files: 1, the first p225_003_mic1.flac.",)


@pytest.mark.parametrize("stray", ["hello.wav", "p225/noise.flac"])
def test_a_stray_file_beside_speaker_folders_is_left_out_and_counted(tmp_path: Path, stray: str) -> None:
    lay(tmp_path, "p225/p225_001.wav", "s5/s5_001.wav", stray)
    corpus = open_corpus(tmp_path, wanted="vctk-0.80")
    assert (corpus.name, [u.id for u in corpus.utterances]) == ("vctk-0.80", ["p225_001", "s5_001"])
    assert f"1, the first {Path(stray).name}" in corpus.notes[0]


def test_a_few_vctk_names_in_another_folder_do_not_make_it_vctk(tmp_path: Path) -> None:
    lay(tmp_path, "p225_001.wav", "a.wav", "b.wav")
    assert open_corpus(tmp_path, wanted="vctk-0.80").name == "folder"


def test_a_protocol_on_any_folder_takes_one_in_the_shape_of_vctk_as_a_folder(tmp_path: Path) -> None:
    lay(tmp_path, "wav48/p225/p225_001.wav", "wav48/p226/p226_001.wav")
    corpus = open_corpus(tmp_path, wanted="folder")
    assert corpus.name == "folder"
    assert [(u.id, u.speaker) for u in corpus.utterances] == [
        ("wav48/p225/p225_001", "p225"),
        ("wav48/p226/p226_001", "p226"),
    ]


def test_macos_litter_is_passed_over(tmp_path: Path) -> None:
    lay(tmp_path, "p225/p225_001.wav", "p225/._p225_001.wav", "__MACOSX/p225/._p225_001.wav")
    corpus = open_corpus(tmp_path)
    assert (corpus.name, [u.id for u in corpus.utterances]) == ("vctk-0.80", ["p225_001"])


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["a.wav", "a.flac"], r"two files claim the id 'a': .*a\.flac and .*a\.wav\. Remove one"),
        (["wav48/p225/p225_001.wav", "wav48/p225/p225_001.flac"], "two files claim the id 'p225_001'"),
        (["wav48/p225/p225_001.wav", "wav48/copy/p225_001.wav"], "two files claim the id 'p225_001'"),
        (["readme.txt", "a.m4a"], r"holds no audio \(\.wav, \.flac, .*not read as audio: 1 \.m4a"),
        (["wav48/readme.txt"], "looks like VCTK but holds no utterance"),
        (["wav48_silence_trimmed/p225/p225_001_mic2.flac"], r"holds no utterance pXXX_NNN \(of mic1"),
    ],
)
def test_refused(files: list[str], message: str, tmp_path: Path) -> None:
    with pytest.raises(SrbenchError, match=message):
        open_corpus(lay(tmp_path, *files))


def test_missing_folder_file_and_microphone(tmp_path: Path) -> None:
    (tmp_path / "file.wav").touch()
    with pytest.raises(SrbenchError, match=r"nowhere: no such folder; --data takes a corpus"):
        open_corpus(tmp_path / "nowhere")
    with pytest.raises(SrbenchError, match=r"file\.wav: is not a folder"):
        open_corpus(tmp_path / "file.wav")
    with pytest.raises(SrbenchError, match="unknown microphone 'mic3'"):
        open_corpus(tmp_path, "mic3")


def test_a_link_that_leads_nowhere_is_not_left_out(tmp_path: Path) -> None:
    """As of a file that git-annex has not fetched: it is a recording that cannot be read, and its row says so."""
    lay(tmp_path, "one.wav")
    (tmp_path / "two.wav").symlink_to(tmp_path / "nowhere.wav")
    corpus = open_corpus(tmp_path)
    assert [u.id for u in corpus.utterances] == ["one", "two"]
    with pytest.raises(SrbenchError, match="no such file"):
        audio.read(corpus.utterances[1].path)
