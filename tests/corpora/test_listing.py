"""What is listed as audio below a folder, and what is left out and said to be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from srbench.cli.data import verify_command
from srbench.corpora import open_corpus
from srbench.corpora.listing import audio_below
from srbench.errors import SrbenchError
from srbench.folders.pairing import pair_up
from srbench.protocols import load_protocol
from srbench.run import make_plan


def lay(root: Path, *files: str) -> Path:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()
    return root


def listed(root: Path) -> list[str]:
    return [file.relative_to(root).as_posix() for file in audio_below(root).files]


HIDDEN = [".ipynb_checkpoints", ".Trash-1000", "__MACOSX", "@eaDir", "lost+found", "System Volume Information"]


@pytest.mark.parametrize("folder", HIDDEN)
def test_hidden_folders_are_left_out_and_counted(tmp_path, folder):
    lay(tmp_path, "a/1.wav", f"a/{folder}/1.wav", f"a/{folder}/deep/2.flac", f"a/{folder}/note.txt")
    assert listed(tmp_path) == ["a/1.wav"]
    assert audio_below(tmp_path).notes == (f"Left out as hidden: 2 audio files (a/{folder}).",)
    assert open_corpus(tmp_path).notes == audio_below(tmp_path).notes


def test_hidden_files_are_left_out_and_counted(tmp_path):
    lay(tmp_path, "1.wav", ".1.wav", "._1.wav", ".DS_Store")
    assert listed(tmp_path) == ["1.wav"]
    assert audio_below(tmp_path).notes == ("Left out as hidden: 2 audio files (.1.wav, ._1.wav).",)


def test_a_folder_that_is_hidden_itself_can_be_named(tmp_path):
    lay(tmp_path, ".cache/1.wav")
    assert listed(tmp_path / ".cache") == ["1.wav"]


def test_a_speaker_folder_that_is_a_link_is_followed(tmp_path):
    lay(tmp_path, "corpus/p225/p225_001.wav", "disk2/p226/p226_001.wav")
    (tmp_path / "corpus/p226").symlink_to(tmp_path / "disk2/p226")
    corpus = open_corpus(tmp_path / "corpus")
    assert [(u.id, u.speaker) for u in corpus.utterances] == [("p225_001", "p225"), ("p226_001", "p226")]
    assert corpus.notes == ()


@pytest.mark.parametrize("target", [".", "..", "a"])
def test_a_loop_and_a_folder_met_twice_are_named_and_not_walked_again(tmp_path, target):
    lay(tmp_path, "corpus/a/1.wav", "corpus/b/2.wav", "other/3.wav")
    (tmp_path / "corpus/0-link").symlink_to(tmp_path / "corpus" / target)
    assert listed(tmp_path / "corpus") == ["a/1.wav", "b/2.wav"]
    assert audio_below(tmp_path / "corpus").notes == ("Not walked again through a link: 0-link.",)


def test_links_that_lead_nowhere(tmp_path):
    lay(tmp_path, "1.wav")
    (tmp_path / "p226").symlink_to(tmp_path / "gone")
    (tmp_path / "2.wav").symlink_to(tmp_path / "gone.wav")
    assert listed(tmp_path) == ["1.wav", "2.wav"]
    assert audio_below(tmp_path).notes == ("Links that lead nowhere: p226.",)


def test_other_files_are_named_by_their_suffix_and_texts_are_not(tmp_path):
    lay(tmp_path, "1.wav", "2.m4a", "3.m4a", "4.npy", "1.txt", "LICENSE", "index.csv")
    os.mkfifo(tmp_path / "pipe.wav")
    assert audio_below(tmp_path).notes == (
        "Left out, not read as audio: 2 .m4a, 1 .npy, 1 .wav that is no regular file.",
    )


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads every folder")
def test_a_folder_that_cannot_be_read_is_no_empty_one(tmp_path):
    lay(tmp_path, "1.wav", "closed/2.wav")
    (tmp_path / "closed").chmod(0)
    with pytest.raises(SrbenchError, match="closed: cannot be read"):
        audio_below(tmp_path)
    (tmp_path / "closed").chmod(0o700)


def test_score_says_what_it_left_out_on_either_side(tmp_path):
    reference = lay(tmp_path / "ref", "1.wav", ".ipynb_checkpoints/1.wav")
    estimate = lay(tmp_path / "est", "1.opus", "1.m4a")
    (pairs,) = pair_up(reference, [estimate])
    assert [pair.id for pair in pairs.pairs] == ["1"]
    assert pairs.notes == (
        "Of the references: Left out as hidden: 1 audio file (.ipynb_checkpoints).",
        "Of the estimates: Left out, not read as audio: 1 .m4a.",
    )


def test_run_and_verify_say_what_they_left_out(tmp_path):
    lay(tmp_path, "1.wav", ".ipynb_checkpoints/1.wav")
    note = "Left out as hidden: 1 audio file (.ipynb_checkpoints)."
    assert note in make_plan(load_protocol("demo"), tmp_path).notes
    assert note in CliRunner().invoke(verify_command, [str(tmp_path)]).output
