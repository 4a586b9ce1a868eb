"""`load_pairs`, `degrade`, `upscale`, `measure`: the same values as the engine's, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from kit import noise

import srbench
from srbench.degradation import Iir
from srbench.run import make_plan


def test_pairs_are_what_a_run_gives_an_upscaler():
    seen = {}

    def look(low, low_rate, high_rate):
        seen[len(seen)] = low.copy()
        return np.repeat(low, high_rate // low_rate)

    srbench.evaluate(look, metrics="snr", limit=3)
    pairs = list(srbench.load_pairs("demo", limit=3))
    assert [pair.utterance.id for pair in pairs] == ["demo1_001", "demo1_002", "demo1_003"]
    for number, (_, reference, low) in enumerate(pairs):
        assert low.tolist() == seen[number].tolist()
        assert len(reference) == 4 * len(low)


def test_a_corpus_that_cannot_be_used_is_refused_at_once_and_a_recording_at_its_turn(tmp_path: Path):
    with pytest.raises(srbench.SrbenchError, match="no such folder"):
        srbench.load_pairs("demo", tmp_path / "absent")
    for name, rate in (("a", 16000), ("b", 8000)):
        soundfile.write(tmp_path / f"{name}.wav", noise(16000), rate)
    pairs = srbench.load_pairs("demo", tmp_path)
    assert next(pairs).utterance.id == "a"
    with pytest.raises(srbench.SrbenchError, match="utterance b: recorded at 8000 Hz"):
        next(pairs)


def test_degrade_by_name_is_the_protocols():
    protocol = srbench.load_protocol("demo")
    _, reference, low = next(srbench.load_pairs(protocol))
    assert srbench.degrade(reference, 16000, 4000, protocol.degradation).tolist() == low.tolist()
    assert srbench.degrade(reference, 16000, 4000).tolist() == low.tolist()
    other = srbench.degrade(reference, 16000, 4000, "butter", order=4, cut=1)
    assert other.tolist() == srbench.degrade(reference, 16000, 4000, Iir("butter", 4, cut=1.0)).tolist()


@pytest.mark.parametrize(
    ("arguments", "named", "told"),
    [
        ((noise(16001), 16000, 4000), {}, "whole number of low-resolution samples"),
        ((noise(16000), 16000, 4000, "chebyshev"), {}, "cheby1"),
        ((noise(16000), 16000, 4000, "butter"), {"oder": 4}, "order"),
        ((noise(16000), 16000, 4000, Iir()), {"order": 4}, "order"),
        ((noise(16000), 4000, 16000), {}, "below the high rate"),
        ((np.zeros(16000, np.int16), 16000, 4000), {}, "int16"),
        ((np.zeros((2, 16000)), 16000, 4000), {}, r"shape \(n,\)"),
    ],
)
def test_degrade_refuses(arguments: tuple[object, ...], named: dict[str, object], told: str):
    with pytest.raises(srbench.SrbenchError, match=told):
        srbench.degrade(*arguments, **named)


def test_upscale_is_the_registered_upscaler():
    plan = make_plan(srbench.load_protocol("demo"), limit=1)
    _, _, low = next(srbench.load_pairs(plan.protocol))
    estimate = srbench.evaluate("sinc", metrics="snr", limit=1).signals().estimate
    assert srbench.upscale(low, 4000, to=16000, model="sinc").tolist() == estimate.tolist()


@pytest.mark.parametrize(
    ("samples", "rate", "to", "model", "told"),
    [
        (noise(400), 4000, None, "spline", r"to=HZ"),
        (noise(400), 4000, 4000, "spline", "above 4000 Hz"),
        (noise(400), 4000, 16000, "splin", "Did you mean 'spline'"),
        (np.full(400, np.nan), 4000, 16000, "spline", "400 NaN"),
    ],
)
def test_upscale_refuses(samples: np.ndarray, rate: int, to: int | None, model: str, told: str):
    with pytest.raises(srbench.SrbenchError, match=told):
        srbench.upscale(samples, rate, to, model)


def test_measure_is_the_metrics_one_by_one_also_in_another_process():
    reference = noise(32000, 1)
    estimate = reference + noise(32000, 2, 0.01)
    names = ["estoi", "snr", "lsd_hf"]
    found = srbench.measure(reference, estimate, 16000, names, cutoff=2000)
    assert list(found) == names
    assert found == {name: srbench.METRICS[name](reference, estimate, 16000, 2000) for name in names}
    assert list(srbench.measure(reference, estimate, 16000)) == ["snr", "si_sdr", "mse", "lsd"]
    with pytest.raises(srbench.UndefinedMetric, match="snr: the reference is silent"):
        srbench.measure(np.zeros(16000), reference[:16000], 16000, "snr")
    with pytest.raises(srbench.SrbenchError, match="Did you mean"):
        srbench.measure(reference, estimate, 16000, "sdr")
