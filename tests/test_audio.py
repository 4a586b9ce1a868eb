"""Audio files are read as they are or refused by name; the resampler keeps time."""

from __future__ import annotations

import time
from fractions import Fraction

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from kit import noise

from srbench import audio
from srbench.corpora import demo_corpus
from srbench.errors import SrbenchError

quick = settings(max_examples=40, deadline=None, derandomize=True)


def flac(folder, samples: np.ndarray, promised: int) -> bytes:
    """Return a FLAC file whose header promises so many samples (0: unknown); `plain.flac` is the honest one."""
    soundfile.write(folder / "plain.flac", samples, 16000, subtype="PCM_16")
    content = bytearray((folder / "plain.flac").read_bytes())
    fields = int.from_bytes(content[18:26], "big") >> 36 << 36  # the last 36 bits are the number of samples
    content[18:26] = (fields | promised).to_bytes(8, "big")
    return bytes(content)


class TestRecordingDigest:
    def test_a_recording_in_two_formats_is_one(self, tmp_path):
        samples = np.random.default_rng(0).integers(-9000, 9000, 3200).astype(np.int16)
        for name in ("a.wav", "a.flac", "a.aiff"):
            soundfile.write(tmp_path / name, samples, 16000, subtype="PCM_16")
        assert len({audio.recording_digest(*audio.read_channels(path)) for path in tmp_path.iterdir()}) == 1
        assert audio.recording_digest(*audio.read(tmp_path / "a.wav")) == audio.recording_digest(
            *audio.read_channels(tmp_path / "a.flac")
        )

    def test_other_samples_rates_and_channels_are_others(self):
        samples = noise(3200)
        changed = samples.copy()
        changed[7] += 2**-15
        told = [(samples, 16000), (changed, 16000), (samples, 48000), (samples[:-1], 16000)]
        told += [(samples.reshape(-1, 2), 16000)]
        assert len({audio.recording_digest(*each) for each in told}) == len(told)

    def test_no_sample_is_left_out_of_a_long_one(self, monkeypatch):
        samples = noise(1000)
        whole = audio.recording_digest(samples, 16000)
        monkeypatch.setattr("srbench.samples._DIGESTED", 64)
        assert audio.recording_digest(samples, 16000) == whole

    def test_zero_has_no_sign(self):
        assert audio.recording_digest(np.zeros(3), 16000) == audio.recording_digest(-np.zeros(3), 16000)


class TestRead:
    @pytest.mark.parametrize("reader", [audio.read, audio.info])
    def test_missing(self, tmp_path, reader):
        with pytest.raises(SrbenchError, match=r"absent\.wav: no such file$"):
            reader(tmp_path / "absent.wav")

    @pytest.mark.parametrize("reader", [audio.read, audio.info])
    def test_folder(self, tmp_path, reader):
        folder = tmp_path / "folder.wav"
        folder.mkdir()
        with pytest.raises(SrbenchError, match=r"folder\.wav: is a folder"):
            reader(folder)

    @pytest.mark.parametrize("reader", [audio.read, audio.info])
    def test_text_named_wav(self, tmp_path, reader):
        (tmp_path / "text.wav").write_text("not audio at all, however long it may be " * 10)
        with pytest.raises(SrbenchError, match=r"text\.wav: cannot be read as audio .*\.wav file"):
            reader(tmp_path / "text.wav")

    @pytest.mark.parametrize("reader", [audio.read, audio.info])
    def test_empty_file(self, tmp_path, reader):
        (tmp_path / "empty.wav").touch()
        with pytest.raises(SrbenchError, match=r"empty\.wav: is an empty file"):
            reader(tmp_path / "empty.wav")

    def test_no_samples(self, tmp_path):
        soundfile.write(tmp_path / "none.wav", np.empty(0), 16000)
        assert audio.info(tmp_path / "none.wav").frames == 0
        with pytest.raises(SrbenchError, match=r"none\.wav: holds no samples"):
            audio.read(tmp_path / "none.wav")

    def test_stereo(self, tmp_path):
        soundfile.write(tmp_path / "two.wav", noise(20).reshape(10, 2), 16000)
        assert audio.info(tmp_path / "two.wav").channels == 2
        with pytest.raises(SrbenchError, match=r"two\.wav: has 2 channels"):
            audio.read(tmp_path / "two.wav")

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_not_finite(self, tmp_path, bad):
        samples = noise(100)
        samples[[3, 50]] = bad
        soundfile.write(tmp_path / "bad.wav", samples, 16000, subtype="FLOAT")
        with pytest.raises(SrbenchError, match=r"bad\.wav: holds 2 NaN or infinite samples"):
            audio.read(tmp_path / "bad.wav")

    def test_truncated_flac(self, tmp_path):
        soundfile.write(tmp_path / "half.flac", noise(16000), 16000)
        whole = (tmp_path / "half.flac").read_bytes()
        (tmp_path / "half.flac").write_bytes(whole[: len(whole) // 2])
        with pytest.raises(SrbenchError, match=r"half\.flac: cannot be read as audio"):
            audio.read(tmp_path / "half.flac")

    def test_a_header_that_promises_more_samples_than_memory(self, tmp_path):
        path = tmp_path / "liar.flac"
        path.write_bytes(flac(tmp_path, noise(1000), promised=2**36 - 1))
        assert audio.info(path).frames == 2**36 - 1
        with pytest.raises(SrbenchError, match=r"liar\.flac: cannot be read as audio"):
            audio.read(path)

    @pytest.mark.parametrize("reader", [audio.read, audio.info])
    def test_a_flac_that_was_streamed_and_does_not_say_how_long_it_is(self, tmp_path, reader):
        (tmp_path / "a.flac").write_bytes(flac(tmp_path, noise(1000), promised=0))
        with pytest.raises(SrbenchError, match=r"a\.flac: does not say how many samples it holds"):
            reader(tmp_path / "a.flac")

    @pytest.mark.parametrize("channels", [1, 3])
    def test_a_file_of_several_blocks_is_whole(self, tmp_path, monkeypatch, channels):
        monkeypatch.setattr(audio, "_BLOCK", 300)
        samples = np.float32(noise(1000 * channels).reshape(1000, channels))
        soundfile.write(tmp_path / "a.wav", samples, 16000, subtype="FLOAT")
        np.testing.assert_array_equal(audio.read_channels(tmp_path / "a.wav")[0], samples)

    def test_more_than_is_read_at_once(self, tmp_path, monkeypatch):
        monkeypatch.setattr(audio, "_BLOCK", 100)
        monkeypatch.setattr(audio, "MOST_SAMPLES", 1000)
        soundfile.write(tmp_path / "stereo.wav", np.zeros((501, 2)), 16000)
        with pytest.raises(SrbenchError, match=r"stereo\.wav: longer than 500 samples"):
            audio.read(tmp_path / "stereo.wav")

    @pytest.mark.parametrize("rate", [1, 999, 1_000_001, 2**31 - 1])
    @pytest.mark.parametrize("reader", [audio.read, audio.info])
    def test_no_rate_of_sound(self, tmp_path, reader, rate):
        soundfile.write(tmp_path / "a.wav", noise(100), rate)
        with pytest.raises(SrbenchError, match=rf"a\.wav: its header says {rate} Hz, which is not a rate of sound"):
            reader(tmp_path / "a.wav")

    @pytest.mark.parametrize("loudest", [2.0**31, np.nextafter(2.0**31, np.inf), 1e300])
    def test_beyond_what_can_be_sound(self, tmp_path, loudest):
        soundfile.write(tmp_path / "a.wav", np.array([0.0, -loudest, 1.0]), 16000, subtype="DOUBLE")
        if loudest == 2.0**31:  # integers that were never scaled
            assert audio.read(tmp_path / "a.wav")[0][1] == -loudest
        else:
            with pytest.raises(SrbenchError, match=r"a\.wav: holds 1 samples beyond 2\^31 times full scale"):
                audio.read(tmp_path / "a.wav")

    @pytest.mark.parametrize("name", ["a.raw", "mp3.wav"])
    def test_what_only_libsndfile_would_take_for_audio(self, tmp_path, name, capfd):
        """Soundfile wants to be told the rate of any .raw file, and mpg123 talks on stderr about what is no MP3."""
        soundfile.write(tmp_path / "a.wav", noise(100), 16000)
        content = (tmp_path / "a.wav").read_bytes() if name == "a.raw" else b"\xff\xfb\x90\x44" + bytes(range(256)) * 20
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SrbenchError, match=r"cannot be read as audio"):
            audio.read(tmp_path / name)
        assert capfd.readouterr().err == ""

    @pytest.mark.parametrize("suffix", [".wav", ".flac"])
    def test_integers_are_scaled_by_32768_exactly(self, tmp_path, suffix):
        integers = np.array([0, 1, -1, 32767, -32768, 12345], dtype=np.int16)
        path = tmp_path / f"integers{suffix}"
        soundfile.write(path, integers, 48000, subtype="PCM_16")
        samples, rate = audio.read(path)
        assert rate == 48000
        assert samples.dtype == np.float64
        np.testing.assert_array_equal(samples, integers / 32768)

    def test_info(self, tmp_path):
        soundfile.write(tmp_path / "a.flac", noise(1234), 44100, subtype="PCM_24")
        assert audio.info(tmp_path / "a.flac") == audio.AudioInfo(44100, 1, 1234, "PCM_24")

    def test_path_as_text(self, tmp_path):
        audio.write(tmp_path / "a.wav", noise(10), 8000)
        assert audio.info(str(tmp_path / "a.wav")).frames == len(audio.read(str(tmp_path / "a.wav"))[0]) == 10


class TestWrite:
    def test_beyond_full_scale_comes_back_unclipped(self, tmp_path):
        samples = np.array([0.0, 3.7, -42.0, 1.0, -1.0, 1e-9, 0.1])
        audio.write(tmp_path / "loud.wav", samples, 16000)
        back, rate = audio.read(tmp_path / "loud.wav")
        assert rate == 16000
        np.testing.assert_array_equal(back, samples.astype(np.float32))
        assert audio.info(tmp_path / "loud.wav").subtype == "FLOAT"

    def test_is_not_rounded_to_16_bits(self, tmp_path):
        samples = noise(1000)
        audio.write(tmp_path / "a.wav", samples, 16000)
        np.testing.assert_allclose(audio.read(tmp_path / "a.wav")[0], samples, rtol=1e-7, atol=0)

    def test_the_same_samples_are_the_same_bytes_at_another_time(self, tmp_path):
        first, second = tmp_path / "1.wav", tmp_path / "2.wav"
        audio.write(first, noise(100), 16000)
        time.sleep(1.1)  # a chunk PEAK, which libsndfile would add, holds the second
        audio.write(second, noise(100), 16000)
        assert first.read_bytes() == second.read_bytes()
        assert b"PEAK" not in first.read_bytes()

    def test_is_wav_whatever_it_is_called(self, tmp_path):
        audio.write(tmp_path / "a.audio", noise(10), 16000)
        assert (tmp_path / "a.audio").read_bytes()[:4] == b"RIFF"


RATES = [
    (16000, 8000),
    (8000, 16000),
    (44100, 16000),
    (48000, 44100),
    (16000, Fraction(8000, 3)),
    (Fraction(8000, 3), 16000),
    (24000, 10000),
]


class TestResample:
    @quick
    @given(st.sampled_from(RATES), st.integers(1, 3000))
    def test_length(self, rates, n):
        from_rate, to_rate = rates
        exact = Fraction(n) * Fraction(to_rate) / Fraction(from_rate)
        length = len(audio.resample(np.ones(n), from_rate, to_rate))
        assert abs(length - exact) <= Fraction(1, 2)  # exact where it can be; a half goes either way

    @pytest.mark.parametrize("rate", [16000, Fraction(8000, 3)])
    def test_identity(self, rate):
        samples = noise(100)
        np.testing.assert_array_equal(audio.resample(samples, rate, rate), samples)

    @pytest.mark.parametrize("rates", RATES, ids=str)
    def test_no_delay_and_no_gain(self, rates):
        """A sine comes out as the same sine sampled at the other rate, to 16-bit accuracy and better."""
        from_rate, to_rate = (float(rate) for rate in rates)
        f = 0.3 * min(from_rate, to_rate) / 2
        n = round(0.5 * from_rate)
        made = audio.resample(np.sin(2 * np.pi * f / from_rate * np.arange(n)), *rates)
        wanted = np.sin(2 * np.pi * f / to_rate * np.arange(len(made)))
        middle = slice(len(made) // 4, 3 * len(made) // 4)
        np.testing.assert_allclose(made[middle], wanted[middle], rtol=0, atol=1e-5)

    def test_stops_what_the_low_rate_cannot_hold(self):
        tone = np.sin(2 * np.pi * 5000 / 16000 * np.arange(16000)) * np.hanning(16000)
        assert np.abs(audio.resample(tone, 16000, 8000)).max() < 1e-5

    def test_there_and_back_keeps_a_band_limited_signal(self):
        samples = audio.resample(noise(4000), 8000, 48000)
        back = audio.resample(audio.resample(samples, 48000, 44100), 44100, 48000)
        np.testing.assert_allclose(back[1000:-1000], samples[1000:-1000], rtol=0, atol=2e-5)

    def test_linear(self):
        """To 24 bits: at its HQ setting soxr works in single precision inside."""
        a, b = noise(2000, 1), noise(2000, 2)
        mixed = audio.resample(2 * a - b, 16000, 6000)
        parts = 2 * audio.resample(a, 16000, 6000) - audio.resample(b, 16000, 6000)
        np.testing.assert_allclose(mixed, parts, rtol=0, atol=1e-6)

    def test_leaves_the_input_alone_and_takes_it_read_only(self):
        samples = noise(1000)
        kept = samples.copy()
        samples.setflags(write=False)
        first = audio.resample(samples, 16000, 8000)
        np.testing.assert_array_equal(samples, kept)
        np.testing.assert_array_equal(audio.resample(samples, 16000, 8000), first)
        assert first.dtype == np.float64

    def test_agrees_with_librosa_default(self):
        librosa = pytest.importorskip("librosa")
        samples, rate = audio.read(demo_corpus().utterances[0].path)
        wanted = librosa.resample(samples, orig_sr=rate, target_sr=16000)
        np.testing.assert_allclose(
            audio.resample(samples, rate, 16000), wanted[: round(len(samples) * 2 / 3)], atol=1e-12
        )


@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT"])
def test_a_wav_file_that_is_cut_short_is_refused(tmp_path, subtype):
    """libsndfile reads what is there and says nothing; half a recording would be scored as a whole one."""
    path = tmp_path / "a.wav"
    soundfile.write(path, noise(8000), 16000, subtype=subtype)
    whole = path.read_bytes()
    assert len(audio.read(path)[0]) == 8000
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(
        SrbenchError, match=rf"cut short: its header promises {len(whole)} bytes, {len(whole) // 2} are"
    ):
        audio.read(path)
    path.write_bytes(whole[:4] + b"\xff\xff\xff\xff" + whole[8:])  # of a program that could not know the length
    assert len(audio.read(path)[0]) == 8000
