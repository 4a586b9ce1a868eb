"""Files that were cut short are refused whatever their container, with the numbers; whole ones are read."""

from __future__ import annotations

import struct

import numpy as np
import pytest
import soundfile

from srbench import audio
from srbench.corpora import open_corpus
from srbench.corpora.verify import verify
from srbench.errors import SrbenchError

KINDS = {
    "wav": ("WAV", "PCM_16"),
    "rf64": ("RF64", "FLOAT"),
    "aiff": ("AIFF", "PCM_16"),
    "aif": ("AIFF", "PCM_24"),
    "au": ("AU", "PCM_16"),
    "snd": ("AU", "FLOAT"),
    "caf": ("CAF", "PCM_16"),
    "w64": ("W64", "PCM_16"),
    "sph": ("NIST", "PCM_16"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "flac": ("FLAC", "PCM_16"),
}
NOISE = 0.1 * np.random.default_rng(0).standard_normal(48000)


def written(folder, suffix: str):
    path = folder / f"a.{suffix}"
    kind, subtype = KINDS[suffix]
    soundfile.write(path, NOISE, 16000, format=kind, subtype=subtype)
    return path


@pytest.mark.parametrize("suffix", KINDS)
def test_every_kind_that_libsndfile_reads_is_listed_and_read(tmp_path, suffix):
    written(tmp_path, suffix)
    (utterance,) = open_corpus(tmp_path).utterances
    samples, rate = audio.read(utterance.path)
    assert (len(samples), rate) == (48000, 16000)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.999])
@pytest.mark.parametrize("suffix", KINDS)
def test_cut_short_is_refused_in_every_container(tmp_path, suffix, share, capfd):
    path = written(tmp_path, suffix)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(SrbenchError, match=r"a\.\w+: (cut short: .*\d+|cannot be read as audio .*complete)"):
        audio.read(path)
    assert [finding.kind for finding in verify(open_corpus(tmp_path))] == ["unreadable"]
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("suffix", ["wav", "rf64", "aiff", "au", "caf", "w64", "sph", "mp3"])
def test_the_message_has_both_numbers(tmp_path, suffix):
    path = written(tmp_path, suffix)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SrbenchError, match=r"cut short: its header promises \d+ bytes( of samples)?, \d+ are there"):
        audio.info(path)


def test_an_ogg_file_that_ends_with_a_whole_page_lacks_its_last_one(tmp_path):
    path = written(tmp_path, "ogg")
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.rindex(b"OggS")])
    with pytest.raises(SrbenchError, match="cut short: its last page is missing"):
        audio.read(path)


def test_samples_after_an_empty_data_chunk_are_named_and_chunks_are_not(tmp_path):
    """The outer length counts them: only the length of the data chunk was never written."""
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros(1000), 16000, subtype="PCM_16")
    content = bytearray(path.read_bytes())
    place = content.index(b"data") + 4
    content[place : place + 4] = bytes(4)
    path.write_bytes(content)
    with pytest.raises(SrbenchError, match="while 2000 bytes of samples follow"):
        audio.read(path)
    size = len(content) - 2000 + 12
    content[place + 4 :] = b"LIST" + (4).to_bytes(4, "little") + b"INFO"
    content[4:8] = (size - 8).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(SrbenchError, match="holds no samples"):
        audio.read(path)


@pytest.mark.parametrize("outer", [0, 36, 0xFFFFFFFF])
@pytest.mark.parametrize("length", [0, 0xFFFFFFFF])
def test_a_wav_file_of_a_recorder_that_was_killed_is_named_with_the_way_out(tmp_path, outer, length):
    path = written(tmp_path, "wav")
    content = bytearray(path.read_bytes())
    content[4:8], content[40:44] = struct.pack("<I", outer), struct.pack("<I", length)
    path.write_bytes(content)
    with pytest.raises(SrbenchError, match=r"while 96000 bytes of samples follow.*killed.*sox --ignore-length"):
        audio.read(path)


def test_chunks_after_the_samples_may_be_anything(tmp_path):
    path = written(tmp_path, "wav")
    content = bytearray(path.read_bytes()) + b"LIST\x04\x00\x00\x00INFO"
    content[4:8] = struct.pack("<I", len(content) - 8)
    path.write_bytes(content)
    assert len(audio.read(path)[0]) == 48000


def test_an_empty_wav_file_with_a_chunk_after_it_is_empty_and_no_more(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.empty(0), 16000)
    content = bytearray(path.read_bytes()) + b"LIST\x04\x00\x00\x00INFO"
    content[4:8] = struct.pack("<I", len(content) - 8)
    path.write_bytes(content)
    with pytest.raises(SrbenchError, match="holds no samples"):
        audio.read(path)


def test_an_mp3_file_with_a_tag_before_it(tmp_path):
    path = written(tmp_path, "mp3")
    whole = path.read_bytes()
    tag = b"ID3\x04\x00\x00\x00\x00\x01\x00" + bytes(128)
    path.write_bytes(tag + whole)
    assert len(audio.read(path)[0]) == 48000
    path.write_bytes((tag + whole)[: len(whole) // 2])
    with pytest.raises(SrbenchError, match="cut short"):
        audio.read(path)
