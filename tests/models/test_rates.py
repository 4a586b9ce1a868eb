"""Patches of any pair of rates: what is drawn, how often, and that a network learns from them and resumes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the networks need torch: pip install 'srbench[models]'")
pytest.importorskip("lightning_fabric", reason="training needs lightning-fabric: pip install 'srbench[train]'")

from srbench_models.checkpoint import load_checkpoint  # noqa: E402
from srbench_models.training.rates import LOW_RATES, Recordings, make_recordings  # noqa: E402

from srbench import audio  # noqa: E402
from srbench.cli.main import main  # noqa: E402
from srbench.corpora import Utterance, demo_corpus  # noqa: E402
from srbench.errors import SrbenchError  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")

RECIPE = """
network = "convnext_bwe"
protocol = "vctk-speaker1-r4"
steps = 4
batch = 4
patch = 12288
learning_rate = 1e-3
average = 0.9
schedule = "trapezoid"
validate_every = 2

[options]
width = 16
blocks = 1

[data]
validation_speakers = ["b"]
validation_utterances = 1
"""


def noise(seconds: float, rate: int, seed: int, top: float = 1.0) -> np.ndarray:
    n = round(seconds * rate)
    spectrum = np.fft.rfft(0.1 * np.random.default_rng(seed).standard_normal(n))
    spectrum[round(top * len(spectrum)) :] = 0
    return np.fft.irfft(spectrum, n)


def recordings(folder: Path, *wanted: tuple[str, float, int, float]) -> Recordings:
    """Make recordings of (speaker, seconds, rate, share of the spectrum that is there)."""
    found = []
    for index, (speaker, seconds, rate, top) in enumerate(wanted):
        path = folder / f"{index}.wav"
        audio.write(path, noise(seconds, rate, index, top), rate)
        found.append(Utterance(str(index), speaker, path))
    return make_recordings(found)


def test_a_step_has_one_rate_and_each_of_its_patches_a_low_rate(tmp_path: Path):
    made = recordings(tmp_path, ("a", 2, 48000, 1), ("b", 2, 16000, 1))
    rates = set()
    for seed in range(12):
        low, high, cutoffs, bandwidths, rate = made.draw(4, 12288, (seed,))
        rates.add(int(rate[0]))
        assert low.shape == high.shape == (4, 1, 12288 * int(rate[0]) // 48000)
        assert {round(2 * c) for c in cutoffs} <= {round(low) for low in LOW_RATES[int(rate[0])]}
        assert set(bandwidths) <= ({24000, 8000} if rate[0] == 16000 else {24000})  # nothing is upsampled
        alike = np.fft.irfft(np.fft.rfft(low[:, 0]) * np.fft.rfft(high[:, 0]).conj())
        assert (alike.argmax(axis=1) == 0).all()  # they are aligned, whatever the filter
    assert {16000, 48000} <= rates


def test_a_patch_is_the_same_whenever_its_step_is_drawn(tmp_path: Path):
    made = recordings(tmp_path, ("a", 2, 48000, 1))
    first, again = made.draw(2, 12288, (5, 7, 0)), made.draw(2, 12288, (5, 7, 0))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


def test_speakers_count_the_same_however_much_they_say(tmp_path: Path):
    made = recordings(tmp_path, ("a", 70, 16000, 1), ("a", 70, 16000, 1), ("b", 60, 16000, 1), ("c", 6, 16000, 1))
    assert made.likelihoods == pytest.approx([0.5, 0.5, 1.0, 0.1])


def test_how_far_up_a_recording_really_goes_is_measured(tmp_path: Path):
    made = recordings(tmp_path, ("a", 2, 48000, 0.5), ("a", 2, 16000, 1))
    assert made.bandwidths == pytest.approx([12000, 8000], abs=300)


def test_what_cannot_be_trained_on_is_told(tmp_path: Path):
    audio.write(tmp_path / "low.wav", noise(1, 8000, 0), 8000)
    with pytest.raises(SrbenchError, match=r"none of 1 recordings.*8000 Hz"):
        make_recordings([Utterance("low", "a", tmp_path / "low.wav")])


def test_a_training_that_was_stopped_ends_in_the_same_bits(tmp_path: Path):
    data = tmp_path / "data"
    for index, utterance in enumerate(demo_corpus().utterances[:3]):
        samples, rate = audio.read(utterance.path)
        folder = data / ("b" if index == 2 else "a")
        folder.mkdir(parents=True, exist_ok=True)
        audio.write(folder / f"{index}.wav", samples[:rate], rate)
    path = tmp_path / "tiny.toml"
    path.write_text(RECIPE)
    whole, parts = tmp_path / "whole", tmp_path / "parts"

    def train(*arguments: object) -> None:
        with pytest.raises(SystemExit) as stopped:
            main(["train", str(path), "--data", str(data), "--threads", "1", *map(str, arguments)])
        assert stopped.value.code in (0, 1)  # 1 where it does not beat the spline

    train("--out", whole)
    path.write_text(RECIPE.replace("steps = 4", "steps = 2").replace('"trapezoid"', '"constant"'))
    train("--out", parts)
    path.write_text(RECIPE)
    (parts / "recipe.toml").write_text(RECIPE)
    train("--out", parts, "--resume")
    assert (whole / "last.safetensors").read_bytes() == (parts / "last.safetensors").read_bytes()
    network, card = load_checkpoint(whole / "last.safetensors")
    assert card["network"] == "convnext_bwe"
    assert card["training"]["training_speakers"] == ["a"]
    with pytest.raises(SystemExit) as stopped:
        main(["upscale", str(data / "b" / "2.wav"), str(tmp_path / "o.wav"), "--rate", "24000", "--model",
              f"convnext_bwe@{whole / 'last.safetensors'}"])  # fmt: skip
    assert stopped.value.code == 2  # of another width
    assert json.loads((whole / "last.json").read_text())["configuration"]["width"] == 16
    assert sum(p.numel() for p in network.parameters()) < 1e5
