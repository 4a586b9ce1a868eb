"""Planted faults are named, once each and with their numbers; clean recordings raise none."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from srbench import audio
from srbench.corpora import Corpus, Utterance, open_corpus
from srbench.corpora.verify import KINDS, CorpusFault, verify

RATE = 16000
quick = settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def speech(seed: int = 0, rate: int = RATE, seconds: float = 1.0) -> np.ndarray:
    """Bursts of noise that decline with frequency, over a quiet floor; content up to half the rate."""
    generator = np.random.default_rng(seed)
    n = int(rate * seconds)
    spectrum = np.fft.rfft(generator.standard_normal(n))
    spectrum /= 1 + np.fft.rfftfreq(n, 1 / rate) / 500
    bursts = np.fft.irfft(spectrum, n) * (0.01 + np.sin(np.pi * np.arange(n) / rate / 0.25) ** 2)
    return 0.5 * bursts / np.abs(bursts).max()


def write(folder: Path, utterance: str, samples: np.ndarray, rate: int = RATE, subtype: str = "PCM_16") -> Path:
    path = folder / "wav48" / utterance[:4] / f"{utterance}.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, subtype=subtype)
    return path


def with_clean_neighbours(folder: Path) -> None:
    for number in (1, 9):
        write(folder, f"p225_{number:03}", speech(100 + number))


def kinds(findings: list[CorpusFault]) -> list[tuple[str, str]]:
    return [(finding.kind, finding.utterance) for finding in findings]


def only(findings: list[CorpusFault], kind: str, utterance: str = "p225_005") -> str:
    assert kinds(findings) == [(kind, utterance)], findings
    assert "\n" not in findings[0].detail
    return findings[0].detail


def clipped(samples: np.ndarray, share: float) -> np.ndarray:
    limit = share * np.abs(samples).max()
    return np.clip(samples, -limit, limit)


class TestClean:
    @pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT", "DOUBLE"])
    def test_nothing_to_say(self, tmp_path, subtype):
        for n in range(4):
            write(tmp_path, f"p225_00{n}", speech(n), subtype=subtype)
        assert verify(open_corpus(tmp_path)) == []
        assert verify(open_corpus(tmp_path), sample_rate=RATE) == []

    @pytest.mark.parametrize("peak", [32767 / 32768, -1.0])
    def test_a_normalised_peak_is_not_clipped(self, tmp_path, peak):
        samples = speech()
        samples *= peak / samples[np.abs(samples).argmax()]
        write(tmp_path, "p225_001", samples)
        top = soundfile.read(tmp_path / "wav48/p225/p225_001.wav")[0]
        assert np.abs(top).max() >= 32767 / 32768
        assert verify(open_corpus(tmp_path)) == []

    def test_nor_are_two_samples_at_the_peak(self, tmp_path):
        samples = speech()
        samples[5000:5002] = 0.8
        write(tmp_path, "p225_001", samples)
        assert verify(open_corpus(tmp_path)) == []

    def test_nor_is_a_slow_wave_that_rests_on_its_16_bit_peak(self, tmp_path):
        slow = 0.003 * np.sin(2 * np.pi * 100 * np.arange(48000) / 48000)
        path = write(tmp_path, "p225_001", slow + 1e-5 * speech(0, 48000), 48000)
        read = soundfile.read(path, dtype="int16")[0]
        assert "1" * 10 in "".join("01"[value] for value in (read == read.max()).astype(int))
        assert "clipped" not in {finding.kind for finding in verify(open_corpus(tmp_path))}

    def test_a_higher_rate_than_asked_is_fine(self, tmp_path):
        write(tmp_path, "p225_001", speech(1, 48000), 48000)
        write(tmp_path, "p225_002", speech(2, 16000), 16000)
        assert verify(open_corpus(tmp_path), sample_rate=16000) == []

    def test_quiet_is_not_silent(self, tmp_path):
        write(tmp_path, "p225_001", speech() / 0.5 * 10 ** (-59 / 20))
        assert verify(open_corpus(tmp_path)) == []


class TestEachKind:
    def test_missing(self, tmp_path):
        with_clean_neighbours(tmp_path)
        found = verify(open_corpus(tmp_path), expected_ids=["p225_009", "p225_005", "p225_001"])
        assert "no file" in only(found, "missing")
        assert found[0].path == ""

    @pytest.mark.parametrize(
        ("content", "told"),
        [
            (b"", "empty (0 bytes)"),
            (b"This is a page that says: 404 not found. " * 20, "820 bytes: cannot be read as audio"),
            (b"RIFF\x24\x00\x00\x00WAVE", "12 bytes"),
        ],
    )
    def test_unreadable(self, tmp_path, content, told):
        with_clean_neighbours(tmp_path)
        (tmp_path / "wav48/p225/p225_005.wav").write_bytes(content)
        assert told in only(verify(open_corpus(tmp_path)), "unreadable")

    def test_no_samples(self, tmp_path):
        with_clean_neighbours(tmp_path)
        write(tmp_path, "p225_005", np.empty(0))
        assert only(verify(open_corpus(tmp_path)), "unreadable").endswith("bytes: holds no samples")

    @pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
    @pytest.mark.parametrize("suffix", [".flac", ".wav"])
    def test_cut_short(self, tmp_path, suffix, share):
        with_clean_neighbours(tmp_path)
        path = tmp_path / f"wav48/p225/p225_005{suffix}"
        soundfile.write(path, speech(), RATE)
        whole = path.read_bytes()
        path.write_bytes(whole[: int(share * len(whole))])
        detail = only(verify(open_corpus(tmp_path)), "unreadable")
        assert suffix == ".flac" or detail == (
            f"{(left := int(share * len(whole)))} bytes: "
            f"cut short: its header promises {len(whole)} bytes, {left} are there"
        )

    def test_flac_that_promises_more_than_it_holds(self, tmp_path):
        with_clean_neighbours(tmp_path)
        path = tmp_path / "wav48/p225/p225_005.flac"
        soundfile.write(path, speech(), RATE)
        content = bytearray(path.read_bytes())
        content[22:26] = (20000).to_bytes(4, "big")  # STREAMINFO: the lower 32 bits of the number of samples
        path.write_bytes(content)
        only(verify(open_corpus(tmp_path)), "unreadable")

    def test_streamed_wav_of_unknown_length_may_be_cut_short(self, tmp_path):
        path = write(tmp_path, "p225_005", speech())
        content = bytearray(path.read_bytes())
        content[4:8] = content[40:44] = b"\xff\xff\xff\xff"
        path.write_bytes(content)
        assert "no length" in only(verify(open_corpus(tmp_path)), "unreadable")

    def test_gone_since_it_was_listed(self, tmp_path):
        with_clean_neighbours(tmp_path)
        path = write(tmp_path, "p225_005", speech())
        corpus = open_corpus(tmp_path)
        path.unlink()
        only(verify(corpus), "unreadable")

    @pytest.mark.parametrize("rate", [10, 2_000_000_000])
    def test_absurd_rate(self, tmp_path, rate):
        with_clean_neighbours(tmp_path)
        path = write(tmp_path, "p225_005", speech())
        content = bytearray(path.read_bytes())
        content[24:28] = rate.to_bytes(4, "little")
        path.write_bytes(content)
        assert f" {rate} Hz" in only(verify(open_corpus(tmp_path)), "unreadable")

    def test_channels(self, tmp_path):
        with_clean_neighbours(tmp_path)
        write(tmp_path, "p225_005", np.stack([speech(1), speech(2)], axis=1))
        assert only(verify(open_corpus(tmp_path)), "channels").startswith("2 channels")

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_non_finite(self, tmp_path, bad):
        with_clean_neighbours(tmp_path)
        samples = speech()
        samples[[7, 100, 101]] = bad
        write(tmp_path, "p225_005", samples, subtype="FLOAT")
        assert only(verify(open_corpus(tmp_path)), "non-finite") == "holds 3 NaN or infinite samples, of 16000"

    def test_wrong_rate_for_the_protocol(self, tmp_path):
        write(tmp_path, "p225_001", speech(1, 48000), 48000)
        write(tmp_path, "p225_005", speech(2, 44100), 44100)
        found = verify(open_corpus(tmp_path), sample_rate=48000)
        assert only(found, "wrong-rate") == "44100 Hz; 48000 Hz or more are needed"

    def test_wrong_rate_in_its_corpus(self, tmp_path):
        for n, rate in enumerate([16000, 8000, 16000, 48000, 16000]):
            write(tmp_path, f"p225_00{n}", speech(n, rate), rate)
        found = verify(open_corpus(tmp_path))
        assert only(found, "wrong-rate", "p225_001") == "8000 Hz; 3 of 5 files have 16000 Hz"

    @pytest.mark.parametrize("value", [0.0, 0.25])
    def test_silent(self, tmp_path, value):
        with_clean_neighbours(tmp_path)
        write(tmp_path, "p225_005", np.full(RATE, value))
        assert only(verify(open_corpus(tmp_path)), "silent") == f"each of its 16000 samples is {value:g}"

    def test_next_to_silent(self, tmp_path):
        with_clean_neighbours(tmp_path)
        samples = speech()
        write(
            tmp_path,
            "p225_005",
            samples / np.abs(samples - samples.mean()).max() * 10 ** (-62 / 20) + 0.1,
            subtype="FLOAT",
        )
        assert only(verify(open_corpus(tmp_path)), "silent").startswith("peak at -62.0 dBFS")

    @pytest.mark.parametrize("gain", [2.0, 1.0, 0.1])
    @pytest.mark.parametrize("sign", [-1, 1])
    def test_clipped_and_turned_down_or_up(self, tmp_path, gain, sign):
        with_clean_neighbours(tmp_path)
        write(tmp_path, "p225_005", sign * gain * clipped(speech(), 0.6), subtype="FLOAT")
        assert f"cut off flat at {0.3 * gain:.4f}" in only(verify(open_corpus(tmp_path)), "clipped")

    def test_clipped_by_16_bits(self, tmp_path):
        with_clean_neighbours(tmp_path)
        write(tmp_path, "p225_005", 4 * speech())  # the writer clips at full scale
        assert "cut off flat at 1.0000" in only(verify(open_corpus(tmp_path)), "clipped")

    @pytest.mark.parametrize(("length", "told"), [(2, None), (3, "once, for up to 3"), (40, "once, for up to 40")])
    def test_how_much_is_clipped(self, tmp_path, length, told):
        samples = speech()
        samples[5000 : 5000 + length] = -0.9
        write(tmp_path, "p225_005", samples)
        found = verify(open_corpus(tmp_path))
        if told is None:
            assert found == []
        else:
            assert told in only(found, "clipped")

    @pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT"])
    @pytest.mark.parametrize(("low", "rate"), [(8000, 16000), (16000, 48000), (22050, 44100)])
    def test_band_limited(self, tmp_path, low, rate, subtype):
        write(tmp_path, "p225_001", speech(1, rate), rate, subtype)
        write(tmp_path, "p225_005", soxr.resample(speech(5, low), low, rate), rate, subtype)
        detail = only(verify(open_corpus(tmp_path)), "band-limited")
        above, needed = (float(word) for word in detail.split() if word.isdigit())
        assert above == pytest.approx(low / 2, rel=0.06)
        assert needed == rate // 2

    def test_band_limited_is_measured_against_what_is_needed(self, tmp_path):
        write(tmp_path, "p225_005", soxr.resample(speech(5, 24000), 24000, 48000), 48000)
        corpus = open_corpus(tmp_path)
        assert "while 24000 Hz is needed" in only(verify(corpus), "band-limited")
        assert "while 24000 Hz is needed" in only(verify(corpus, sample_rate=48000), "band-limited")
        assert "while 16000 Hz is needed" in only(verify(corpus, sample_rate=32000), "band-limited")
        assert verify(corpus, sample_rate=24000) == []
        assert verify(corpus, needs_hz=12000) == []
        assert "while 14000 Hz is needed" in only(verify(corpus, needs_hz=14000, sample_rate=24000), "band-limited")

    def test_a_low_rate_is_not_told_twice(self, tmp_path):
        write(tmp_path, "p225_005", speech(5, 8000), 8000)
        only(verify(open_corpus(tmp_path), sample_rate=16000), "wrong-rate")

    @pytest.mark.parametrize("suffix", [".wav", ".flac"])
    def test_duplicate(self, tmp_path, suffix):
        with_clean_neighbours(tmp_path)
        path = tmp_path / f"wav48/p226/p226_001{suffix}"
        path.parent.mkdir()
        soundfile.write(path, soundfile.read(tmp_path / "wav48/p225/p225_001.wav")[0], RATE)
        found = verify(open_corpus(tmp_path))
        assert only(found, "duplicate", "p226_001") == "the same samples as p225_001"

    def test_duplicates_of_three(self, tmp_path):
        for utterance in ("p225_001", "p225_002", "p226_001"):
            write(tmp_path, utterance, speech())
        found = verify(open_corpus(tmp_path))
        assert kinds(found) == [("duplicate", "p225_002"), ("duplicate", "p226_001")]
        assert {finding.detail for finding in found} == {"the same samples as p225_001"}

    def test_one_sample_makes_the_difference(self, tmp_path):
        samples = speech()
        write(tmp_path, "p225_001", samples)
        samples[4000] += 1 / 32768
        write(tmp_path, "p225_002", samples)
        assert verify(open_corpus(tmp_path)) == []


@pytest.fixture
def every_fault(tmp_path) -> tuple[Corpus, list[str]]:
    """One utterance for each kind but one, in the order of `KINDS`; the missing one is p225_000."""
    narrow = soxr.resample(speech(6, 8000), 8000, RATE)
    nan = speech(2)
    nan[3] = np.nan
    planted: Mapping[str, tuple[np.ndarray, int, str]] = {
        "p225_002": (np.stack([speech(1), speech(1)], axis=1), RATE, "PCM_16"),
        "p225_003": (nan, RATE, "FLOAT"),
        "p225_004": (speech(3, 8000), 8000, "PCM_16"),
        "p225_005": (np.zeros(RATE), RATE, "PCM_16"),
        "p225_006": (clipped(speech(5), 0.5), RATE, "PCM_16"),
        "p225_007": (narrow, RATE, "PCM_16"),
        "p225_008": (clipped(speech(5), 0.5)[:0:-1], RATE, "PCM_16"),  # clipped too, but not the same
        "p225_010": (speech(8), RATE, "PCM_16"),
        "p225_011": (speech(8), RATE, "PCM_24"),
    }
    for utterance, (samples, rate, subtype) in planted.items():
        write(tmp_path, utterance, samples, rate, subtype)
    write(tmp_path, "p225_011", soundfile.read(tmp_path / "wav48/p225/p225_010.wav")[0], RATE, "PCM_24")
    (tmp_path / "wav48/p225/p225_001.wav").write_text("not audio")
    return open_corpus(tmp_path), [f"p225_{n:03}" for n in range(12) if n != 9]


EVERY_FAULT = [
    ("missing", "p225_000"),
    ("unreadable", "p225_001"),
    ("channels", "p225_002"),
    ("non-finite", "p225_003"),
    ("wrong-rate", "p225_004"),
    ("silent", "p225_005"),
    ("clipped", "p225_006"),
    ("band-limited", "p225_007"),
    ("clipped", "p225_008"),
    ("duplicate", "p225_011"),
]


@pytest.mark.parametrize("block", [1, 7, 1000, 4097])
def test_a_file_that_is_read_in_pieces_has_the_faults_of_the_whole(tmp_path, monkeypatch, block):
    for seed, share in enumerate((0.02, 0.3, 0.8, 1.0)):
        samples = clipped(speech(seed), share)
        samples[1000 * seed :][: 10 * seed + 1] = samples.min()
        narrow = np.fft.irfft(np.fft.rfft(samples)[: len(samples) // 5], len(samples))
        write(tmp_path, f"p225_00{seed}", samples, subtype="DOUBLE")
        write(tmp_path, f"p226_00{seed}", 0.5 * narrow / np.abs(narrow).max(), subtype="DOUBLE")
    whole = verify(open_corpus(tmp_path))
    assert {"clipped", "band-limited"} <= {finding.kind for finding in whole}
    monkeypatch.setattr(audio, "_BLOCK", block)
    some = open_corpus(tmp_path).utterances if block > 1 else open_corpus(tmp_path).utterances[:1]
    ids = {utterance.id for utterance in some}
    assert verify(open_corpus(tmp_path), expected_ids=sorted(ids)) == [f for f in whole if f.utterance in ids]


class TestTogether:
    def test_each_fault_once_in_the_order_of_the_utterances(self, every_fault):
        corpus, ids = every_fault
        found = verify(corpus, expected_ids=ids, sample_rate=RATE)
        assert kinds(found) == EVERY_FAULT
        assert {kind for kind, _ in EVERY_FAULT} == set(KINDS)
        paths = {utterance.id: str(utterance.path) for utterance in corpus.utterances}
        assert [finding.path for finding in found] == [paths.get(finding.utterance, "") for finding in found]

    def test_processes_find_the_same(self, every_fault):
        corpus, ids = every_fault
        ticks: list[tuple[int, int]] = []
        found = verify(corpus, expected_ids=ids, sample_rate=RATE, workers=2, progress=lambda *at: ticks.append(at))
        assert found == verify(corpus, expected_ids=ids, sample_rate=RATE)
        assert ticks == [(n, 10) for n in range(1, 11)]

    def test_only_what_is_expected_is_checked(self, every_fault):
        corpus, _ = every_fault
        assert kinds(verify(corpus, expected_ids=["p225_007", "p225_010", "p225_007"])) == [
            ("band-limited", "p225_007")
        ]
        assert verify(corpus, expected_ids=[]) == []

    def test_the_order_of_the_ids_is_kept(self, every_fault):
        corpus, ids = every_fault
        found = verify(corpus, expected_ids=ids[::-1], sample_rate=RATE)
        # of two alike the later is the duplicate
        expected = [(kind, "p225_010" if kind == "duplicate" else utterance) for kind, utterance in EVERY_FAULT[::-1]]
        assert kinds(found) == expected

    def test_several_faults_of_one_file(self, tmp_path):
        samples = soxr.resample(speech(1, 8000, seconds=4), 8000, RATE)
        samples[5000:5004] = 0.9  # one run: too short a moment to fill the band again
        write(tmp_path, "p225_001", samples)
        write(tmp_path, "p225_002", samples)
        for number in (3, 4, 5):
            write(tmp_path, f"p225_{number:03}", speech(number, 48000), 48000)
        expected = [(kind, "p225_001") for kind in ("wrong-rate", "clipped", "band-limited")]
        expected += [(kind, "p225_002") for kind in ("wrong-rate", "clipped", "band-limited", "duplicate")]
        assert kinds(verify(open_corpus(tmp_path), sample_rate=48000)) == expected
        assert kinds(verify(open_corpus(tmp_path))) == expected

    def test_each_file_is_opened_once(self, every_fault, monkeypatch):
        corpus, ids = every_fault
        opened = []
        real = soundfile.SoundFile

        def counting(path, *args, **kwargs):
            opened.append(str(path))
            return real(path, *args, **kwargs)

        monkeypatch.setattr(soundfile, "SoundFile", counting)
        verify(corpus, expected_ids=ids, sample_rate=RATE)
        assert sorted(opened) == sorted(str(u.path) for u in corpus.utterances if u.path.read_bytes()[:4] == b"RIFF")

    def test_findings_do_not_change(self, every_fault):
        finding = verify(*every_fault[:1])[0]
        with pytest.raises(FrozenInstanceError):
            finding.kind = "clean"
        assert replace(finding) == finding

    @quick
    @given(data=st.data(), suffix=st.sampled_from([".wav", ".flac", ".ogg"]))
    def test_no_damage_raises(self, tmp_path, data, suffix):
        path = tmp_path / f"sound{suffix}"
        soundfile.write(path, speech(seconds=0.1), RATE)
        content = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(1, 5))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
        damaged = Corpus("folder", tmp_path, (Utterance("sound", "s", path),))
        for finding in verify(damaged, sample_rate=RATE):
            assert finding.kind in KINDS
            assert finding.utterance == "sound"
            assert finding.detail
            assert "\n" not in finding.detail


@pytest.fixture
def corpus() -> Corpus:
    folder = os.environ.get("SRBENCH_VCTK")
    if not folder:
        pytest.skip("SRBENCH_VCTK names no folder of VCTK recordings")
    whole = open_corpus(folder)
    return replace(whole, utterances=whole.utterances[:: max(1, len(whole.utterances) // 60)])


class TestRealSpeech:
    def test_clean_at_16_khz(self, corpus):
        assert verify(corpus, sample_rate=16000) == []

    def test_faults_planted_in_it(self, corpus, tmp_path):
        samples, rate = soundfile.read(corpus.utterances[0].path)
        samples = soxr.resample(samples, rate, RATE)
        write(tmp_path, "p225_001", samples)
        write(tmp_path, "p225_002", clipped(samples, 0.7))
        write(tmp_path, "p225_003", soxr.resample(soxr.resample(samples, RATE, 8000), 8000, RATE))
        write(tmp_path, "p225_004", soundfile.read(tmp_path / "wav48/p225/p225_001.wav")[0])
        found = verify(open_corpus(tmp_path), sample_rate=RATE)
        assert kinds(found) == [("clipped", "p225_002"), ("band-limited", "p225_003"), ("duplicate", "p225_004")]
