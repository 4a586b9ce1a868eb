"""Upscaling files: rates, channels, formats, blocks, nothing clipped in silence, what is wrong said in a line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from srbench_baselines.interpolation import spline

from srbench.cli.main import main
from srbench.errors import SrbenchError
from srbench.upscaling import upscale_file

PLUGIN = '''
import numpy as np
from srbench.upscaler import upscaler

@upscaler("blocky")
class Blocky:
    """A moving average of five after holding: it needs one sample of context, and counts its calls."""

    rates = ((4000, 16000), (4000, 8000))
    calls = 0

    def context(self, low_rate, high_rate):
        return 8, 4

    def upscale(self, low, low_rate, high_rate):
        type(self).calls += 1
        held = np.repeat(low, high_rate // low_rate)
        return np.convolve(held, np.ones(5) / 5, mode="same")

@upscaler("loud", rates=[(4000, 8000)])
def loud(low, low_rate, high_rate):
    return np.repeat(low, 2) * 4
'''


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(PLUGIN)
    return path


def wav(path: Path, seconds: float = 0.5, rate: int = 4000, channels: int = 1, subtype: str = "FLOAT") -> Path:
    samples = 0.3 * np.random.default_rng(0).standard_normal((int(seconds * rate), channels))
    soundfile.write(path, samples, rate, subtype=subtype)
    return path


def command(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(["upscale", *map(str, arguments)])
    return int(stopped.value.code or 0)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg"])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_every_channel_is_upscaled_by_itself(tmp_path: Path, suffix: str, channels: int):
    source = wav(tmp_path / "in.wav", channels=channels)
    told = upscale_file(source, tmp_path / f"out{suffix}", "spline", rate=16000)
    assert (told["low_rate"], told["high_rate"], told["channels"]) == (4000, 16000, channels)
    made, rate = soundfile.read(tmp_path / f"out{suffix}", always_2d=True)
    given, _ = soundfile.read(source, always_2d=True)
    assert (rate, made.shape) == (16000, (8000, channels))
    for low, high in zip(given.T, made.T, strict=True):
        expected = spline.target(low, 4000, 16000)
        tolerance = {".wav": 1e-6, ".flac": 1e-6, ".ogg": 0.5}[suffix]
        assert np.abs(high - np.clip(expected, -1, 1) if suffix != ".wav" else high - expected).max() < tolerance


def test_blocks_equal_the_whole(tmp_path: Path, plugin: Path, monkeypatch: pytest.MonkeyPatch):
    source = wav(tmp_path / "in.wav", seconds=2.03)
    monkeypatch.setattr("srbench.upscaling.BLOCK_SECONDS", 1e6)
    upscale_file(source, tmp_path / "whole.wav", "blocky", rate=16000, plugins=[plugin])
    monkeypatch.setattr("srbench.upscaling.BLOCK_SECONDS", 0.1)
    upscale_file(source, tmp_path / "blocks.wav", "blocky", rate=16000, plugins=[plugin])
    whole, blocks = (soundfile.read(tmp_path / name)[0] for name in ("whole.wav", "blocks.wav"))
    assert np.array_equal(whole, blocks)
    import sys

    (module,) = [m for name, m in sys.modules.items() if name.startswith("srbench_plugin_mine")][-1:]
    assert module.Blocky.target.calls > 10


def test_what_a_format_cannot_hold_is_told(tmp_path: Path, plugin: Path, capsys: pytest.CaptureFixture[str]):
    source = wav(tmp_path / "in.wav")
    assert command(source, tmp_path / "out.flac", "--model", "loud", "--plugin", plugin) == 0
    assert "samples beyond full scale were clipped" in capsys.readouterr().err
    assert command(source, tmp_path / "out.wav", "--model", "loud", "--plugin", plugin) == 0
    assert "clipped" not in capsys.readouterr().err
    assert np.abs(soundfile.read(tmp_path / "out.wav")[0]).max() > 1


def test_the_rate_is_taken_where_there_is_one_and_asked_for_where_there_are_more(tmp_path: Path, plugin: Path, capsys):
    source = wav(tmp_path / "in.wav")
    assert command(source, tmp_path / "a.wav", "--model", "loud", "--plugin", plugin, "--json") == 0
    assert json.loads(capsys.readouterr().out)["high_rate"] == 8000
    for model, said in (("blocky", "offers 8000, 16000 Hz"), ("spline", "takes any rates")):
        assert command(source, tmp_path / "b.wav", "--model", model, "--plugin", plugin) == 2
        assert said in capsys.readouterr().err
    other = wav(tmp_path / "other.wav", rate=5000)
    assert command(other, tmp_path / "b.wav", "--model", "loud", "--plugin", plugin) == 2
    said = capsys.readouterr().err
    assert "takes input at 4000 Hz" in said
    assert "5000 Hz" in said
    assert not (tmp_path / "b.wav").exists()


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("none.wav", "out.wav", "no such file"),
        ("text.wav", "out.wav", "cannot be read as audio"),
        ("in.wav", "out.mp3", "one of .wav, .flac, .ogg"),
        ("in.wav", "there.wav", "--force"),
        ("in.wav", "in.wav", "is the input"),
        ("nan.wav", "out.wav", "NaN"),
        ("empty.wav", "out.wav", "no samples"),
    ],
)
def test_bad_input_is_told_in_a_line(tmp_path: Path, source: str, target: str, said: str, capsys):
    wav(tmp_path / "in.wav")
    (tmp_path / "text.wav").write_text("no audio")
    (tmp_path / "there.wav").write_text("kept")
    soundfile.write(tmp_path / "nan.wav", np.array([0.0, np.nan]), 4000, subtype="FLOAT")
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 4000)
    assert command(tmp_path / source, tmp_path / target, "--model", "spline", "--rate", 8000) == 2
    error = capsys.readouterr().err
    assert said in error
    assert len(error.strip().splitlines()) <= 2
    assert (tmp_path / "there.wav").read_text() == "kept"
    assert not list(tmp_path.glob("*.unfinished"))


@pytest.mark.parametrize("rate", [4000, 2000, 10**9])
def test_a_rate_that_is_no_upscaling_or_no_rate_is_refused(tmp_path: Path, rate: int):
    with pytest.raises(SrbenchError, match="--rate must be above the file's 4000 Hz"):
        upscale_file(wav(tmp_path / "in.wav"), tmp_path / "out.wav", "spline", rate=rate)


def test_a_truncated_file_leaves_nothing_behind(tmp_path: Path):
    source = wav(tmp_path / "in.flac", seconds=4, subtype="PCM_16")
    source.write_bytes(source.read_bytes()[:-2000])
    with pytest.raises(SrbenchError):
        upscale_file(source, tmp_path / "out.wav", "spline", rate=16000)
    assert not (tmp_path / "out.wav").exists()


def test_a_network_in_blocks_equals_the_network_in_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("torch", reason="the networks need torch")
    from srbench_models.weights import index

    if not index().sha256:
        pytest.skip("no weights ship")
    source = wav(tmp_path / "in.wav", seconds=3.3)
    for seconds, name in ((100, "whole"), (0.2, "blocks")):
        monkeypatch.setattr("srbench.upscaling.BLOCK_SECONDS", seconds)
        monkeypatch.setattr("srbench_models.inference.WINDOW_SECONDS", seconds)
        upscale_file(source, tmp_path / f"{name}.wav", "additive")
    whole, blocks = (soundfile.read(tmp_path / f"{name}.wav")[0] for name in ("whole", "blocks"))
    assert np.abs(whole - blocks).max() < 1e-5
