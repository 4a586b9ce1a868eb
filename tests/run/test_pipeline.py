"""One utterance: what is recorded when all goes well, and that every failure becomes a record with its reason."""

from __future__ import annotations

import hashlib
import json
import random
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile

from srbench.corpora import Utterance, open_corpus
from srbench.protocols import Protocol, load_protocol
from srbench.run import Entrant, Record
from srbench.run.pipeline import Task, evaluate

PLUGIN = """
    import os, sys
    import numpy as np
    from srbench.upscaler import upscaler

    @upscaler("repeat")
    def repeat(low, low_rate, high_rate):
        return low.repeat(high_rate // low_rate)

    @upscaler("raises")
    def raises(low, low_rate, high_rate):
        raise ValueError("first line\\n  second line")

    @upscaler("nan")
    def nan(low, low_rate, high_rate):
        return np.full(len(low) * 4, np.nan)

    @upscaler("short")
    def short(low, low_rate, high_rate):
        return low

    @upscaler("list")
    def a_list(low, low_rate, high_rate):
        return [0.0] * (4 * len(low))

    @upscaler("int")
    def an_int(low, low_rate, high_rate):
        return np.zeros(4 * len(low), dtype=int)

    @upscaler("exit")
    def exits(low, low_rate, high_rate):
        sys.exit("enough")

    @upscaler("memory")
    def memory(low, low_rate, high_rate):
        raise MemoryError

    @upscaler("noise")
    def noise(low, low_rate, high_rate):
        return np.random.standard_normal(4 * len(low))

    @upscaler("pynoise")
    def pynoise(low, low_rate, high_rate):
        import random
        return np.array([random.random() for _ in range(4 * len(low))])

    @upscaler("silent")
    def silent(low, low_rate, high_rate):
        return np.zeros(4 * len(low))

    @upscaler("surrogate")
    def surrogate(low, low_rate, high_rate):
        raise ValueError("caf\\udce9")

    @upscaler("cancelled")
    def cancelled(low, low_rate, high_rate):
        import asyncio
        raise asyncio.CancelledError("stop")
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "speaker"
    folder.mkdir(parents=True)
    noise = 0.1 * np.random.default_rng(0).standard_normal(4802)
    soundfile.write(folder / "one.wav", noise, 16000, subtype="DOUBLE")
    soundfile.write(folder / "two.wav", noise[::-1], 16000, subtype="DOUBLE")
    return folder.parent


def task(name: str, plugin: Path, data: Path, *metrics: str, protocol: Protocol | None = None, **more: object) -> Task:
    chosen = protocol or load_protocol("demo")
    entrant = Entrant(name, plugins=(plugin,))
    definitions = chosen.define_metrics(metrics or ("snr",))
    return Task(chosen, definitions, entrant, 0, data, **more)  # type: ignore[arg-type]


def utterance(data: Path, number: int = 0) -> Utterance:
    return open_corpus(data).utterances[number]


def test_record_of_a_good_utterance(plugin: Path, data: Path) -> None:
    record = evaluate(task("repeat", plugin, data, "snr", "mse"), utterance(data))
    assert (record.utterance, record.speaker, record.file) == ("speaker/one", "speaker", "speaker/one.wav")
    assert (record.file_rate, record.samples, record.seconds) == (16000, 4800, 0.3)  # 4802 cut to whole low samples
    assert (record.error, record.input_at_fault, record.undefined) == ("", False, {})
    assert record.stamp == hashlib.sha256((data / "speaker" / "one.wav").read_bytes()).hexdigest()
    assert record.upscale_seconds is not None
    assert record.metric_seconds is not None
    assert record.upscale_seconds > 0
    assert record.metric_seconds > 0
    # the same by hand
    from scipy.signal import cheby1, sosfiltfilt

    reference = soundfile.read(data / "speaker" / "one.wav")[0][:4800]
    low = sosfiltfilt(cheby1(8, 0.05, 0.8 / 4, output="sos"), reference)[::4]
    noise = reference - low.repeat(4)
    assert record.values["mse"] == pytest.approx(np.mean(noise**2), rel=1e-9)
    assert record.values["snr"] == pytest.approx(10 * np.log10(np.sum(reference**2) / np.sum(noise**2)), abs=1e-9)


def test_record_goes_through_json_unchanged(plugin: Path, data: Path) -> None:
    for name in ("repeat", "raises", "silent"):
        record = evaluate(task(name, plugin, data, "snr", "si_sdr"), utterance(data))
        assert Record.from_dict(json.loads(json.dumps(record.as_dict()))) == record


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("raises", "upscaler raises raised ValueError: first line second line"),
        ("nan", "upscaler nan returned 4800 NaN or infinite samples of 4800"),
        ("short", "upscaler short returned shape (1200,), not (4800,)"),
        ("list", "upscaler list returned list, not a NumPy array"),
        ("int", "upscaler int returned int64 samples, not floats with full scale 1.0"),
        ("exit", "upscaler exit raised SystemExit: enough"),
        ("memory", "upscaler memory raised MemoryError"),
    ],
)
def test_failing_upscaler_becomes_a_record(name: str, reason: str, plugin: Path, data: Path) -> None:
    record = evaluate(task(name, plugin, data), utterance(data))
    assert record.error == reason
    assert not record.input_at_fault
    assert (record.samples, record.values, record.undefined) == (4800, {}, {})
    assert record.upscale_seconds is None


def test_cancelled_upscaler_becomes_a_record(plugin: Path, data: Path) -> None:
    record = evaluate(task("cancelled", plugin, data), utterance(data))
    assert record.error == "upscaler cancelled raised CancelledError: stop"


def test_reason_can_be_written_as_utf8(plugin: Path, data: Path) -> None:
    record = evaluate(task("surrogate", plugin, data), utterance(data))
    assert record.error.startswith("upscaler surrogate raised ValueError: caf")
    record.error.encode("utf-8")


FILES = {
    "text": (b"this is no audio", "cannot be read as audio"),
    "empty": (b"", "is an empty file"),
    "cut": (b"RIFF\x24\x00\x00\x00WAVEfmt ", "cannot be read as audio"),
}
SIGNALS = {
    "stereo": (np.zeros((4800, 2)), 16000, "has 2 channels (all equal); one is needed"),
    "no samples": (np.zeros(0), 16000, "holds no samples"),
    "nan": (np.full(4800, np.nan), 16000, "holds 4800 NaN or infinite samples"),
    "low rate": (np.zeros(4800), 8000, "recorded at 8000 Hz: it cannot be a reference at 16000 Hz"),
    "three samples": (np.zeros(3), 16000, "3 samples are too short for a single low-resolution sample"),
    "twenty samples": (np.zeros(20), 16000, "a signal of 20 samples is too short for cheby1 of order 8"),
}


@pytest.mark.parametrize("what", [*FILES, *SIGNALS])
def test_unusable_recording_becomes_a_record(what: str, plugin: Path, data: Path) -> None:
    path = data / "bad.wav"
    if what in FILES:
        content, reason = FILES[what]
        path.write_bytes(content)
    else:
        samples, rate, reason = SIGNALS[what]
        soundfile.write(path, samples, rate, subtype="DOUBLE")
    record = evaluate(task("repeat", plugin, data), Utterance("bad", "speaker", path))
    assert reason in record.error
    assert len(record.error.splitlines()) == 1
    assert record.input_at_fault
    assert record.values == {}


def test_recording_that_vanished(plugin: Path, data: Path) -> None:
    record = evaluate(task("repeat", plugin, data), Utterance("gone", "speaker", data / "gone.wav"))
    assert record.error.endswith("gone.wav: no such file")
    assert (record.input_at_fault, record.stamp) == (True, "")


def test_silent_reference_is_undefined_not_failed(plugin: Path, data: Path) -> None:
    soundfile.write(data / "zero.wav", np.zeros(4800), 16000)
    record = evaluate(task("repeat", plugin, data, "snr", "mse"), Utterance("zero", "speaker", data / "zero.wav"))
    assert record.error == ""
    assert record.values == {"mse": 0.0}
    assert record.undefined == {"snr": "the reference is silent: SNR is undefined"}


def test_silent_estimate(plugin: Path, data: Path) -> None:
    record = evaluate(task("silent", plugin, data, "snr", "si_sdr"), utterance(data))
    assert record.values == {"snr": pytest.approx(0.0, abs=1e-12)}
    assert list(record.undefined) == ["si_sdr"]


def test_metrics_that_have_no_value_for_a_short_utterance(plugin: Path, data: Path) -> None:
    """All metrics of the demo protocol: none of them may take the run down."""
    demo = load_protocol("demo")
    for seconds in (0.005, 0.02, 0.1, 0.3):
        noise = 0.1 * np.random.default_rng(1).standard_normal(int(seconds * 16000))
        soundfile.write(data / "tiny.wav", noise, 16000)
        record = evaluate(task("repeat", plugin, data, *demo.metrics), Utterance("tiny", "s", data / "tiny.wav"))
        assert record.error == ""
        assert set(record.values) | set(record.undefined) == set(demo.metrics)
        assert {"stoi", "estoi"} <= set(record.undefined)
        assert all(len(reason) > 10 for reason in record.undefined.values())


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_value_that_is_no_number_is_undefined(plugin: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = task("repeat", plugin, data, "snr", "mse")
    monkeypatch.setattr(type(chosen.definitions["snr"]), "measure", lambda self, pair: float("nan"))
    record = evaluate(chosen, utterance(data))
    assert set(record.values) == {"mse"}
    assert list(record.undefined) == ["snr"]


def test_infinite_value_is_a_value(plugin: Path, data: Path) -> None:
    anchor = Task(
        load_protocol("demo"), load_protocol("demo").define_metrics(("snr",)), Entrant("reference", True), 0, data
    )
    assert evaluate(anchor, utterance(data)).values == {"snr": np.inf}


def test_ceiling_is_above_every_estimate_from_the_low_band(plugin: Path, data: Path) -> None:
    protocol = load_protocol("demo")
    ceiling = Task(protocol, protocol.define_metrics(("snr",)), Entrant("ceiling", True), 0, data)
    best = evaluate(ceiling, utterance(data)).values["snr"]
    assert best > evaluate(task("repeat", plugin, data), utterance(data)).values["snr"]
    reference = soundfile.read(data / "speaker" / "one.wav")[0][:4800]
    spectrum = np.abs(np.fft.rfft(reference)) ** 2
    spectrum[1:-1] *= 2
    expected = 10 * np.log10(spectrum.sum() / spectrum[600:].sum())  # 2 kHz is bin 600 of 4800 at 16 kHz
    assert best == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("name", ["noise", "pynoise"])
def test_random_numbers_depend_on_the_utterance_only(name: str, plugin: Path, data: Path) -> None:
    first, second = utterance(data, 0), utterance(data, 1)
    chosen = task(name, plugin, data)
    a, b = evaluate(chosen, first).values, evaluate(chosen, second).values
    np.random.standard_normal(7)  # noqa: NPY002
    random.random()
    assert evaluate(chosen, second).values == b
    assert evaluate(chosen, first).values == a
    same_audio = Utterance("another name", "speaker", first.path)
    assert evaluate(chosen, same_audio).values != a  # each has its own draw
    other_seed = Task(chosen.protocol, chosen.definitions, chosen.entrant, 1, data)
    assert evaluate(other_seed, first).values != a


def test_estimate_is_kept_as_floats_of_the_right_length(plugin: Path, data: Path, tmp_path: Path) -> None:
    chosen = task("repeat", plugin, data, audio_folder=tmp_path / "audio")
    record = evaluate(chosen, utterance(data))
    kept = tmp_path / "audio" / "speaker" / "one.wav"
    header = soundfile.info(kept)
    assert (header.frames, header.samplerate, header.subtype, header.format) == (4800, 16000, "FLOAT", "WAV")
    reference = soundfile.read(data / "speaker" / "one.wav")[0][:4800]
    noise = reference - soundfile.read(kept)[0]
    assert record.values["snr"] == pytest.approx(10 * np.log10(np.sum(reference**2) / np.sum(noise**2)), abs=1e-4)


def test_scale_without_whole_low_rate(plugin: Path, data: Path) -> None:
    protocol = load_protocol("vctk-speaker1-r6")
    assert protocol.low_rate == Fraction(8000, 3)
    soundfile.write(data / "six.wav", 0.1 * np.random.default_rng(2).standard_normal(14405), 48000)
    chosen = task("spline", plugin, data, protocol=protocol)
    record = evaluate(chosen, Utterance("six", "s", data / "six.wav"))
    assert (record.error, record.samples, record.file_rate) == ("", 4800, 48000)
    assert record.samples is not None
    assert record.samples % 6 == 0
