"""A user's script with every public function, for mypy --strict: what is wrong in its types fails a test."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader

import srbench
from srbench.torch import ProtocolDataset, functional, metrics

Array = NDArray[np.float64]


def repeat(low: Array, low_rate: int, high_rate: int) -> Array:
    """Repeat each sample."""
    return np.repeat(low, high_rate // low_rate)


def tensors() -> None:
    """Use what is public for tensors."""
    dataset = ProtocolDataset("demo", side="all", patch=2048, batch=2, length=4, keep=lambda each: each.speaker != "x")
    dataset.set_epoch(1)
    mean = metrics.Snr()
    for low, high in DataLoader(dataset, batch_size=None):
        loss: torch.Tensor = functional.snr(low[:, 0], high[:, 0], lengths=[2048, 1024])
        mean.update(low[:, 0], high[:, 0])
        print(loss, functional.lsd_hf(low[:, 0], high[:, 0], 16000, 2000.0))
    print(float(mean.compute()), len(dataset), dataset.refused, metrics.LsdHf(16000, 2000.0).signature)


def main() -> None:
    """Use what is public."""
    protocol: srbench.Protocol = srbench.load_protocol("demo")
    result: srbench.Result = srbench.evaluate(repeat, protocol, metrics=["snr"], limit=2)
    named = srbench.evaluate("spline", "demo", metrics="snr", limit=2, workers=2)
    mean: float = float(result.to_dataframe()["snr"].mean())
    rows: int = len(result.summary())
    saved: Path = result.save("results")
    again = srbench.load_results(saved)
    comparison: srbench.Comparison = srbench.compare(result, named, metrics=["snr"])
    other = result.compare(again)
    print(mean, rows, comparison.to_dataframe(), other.differences("snr"), srbench.find_runs("results"))
    reference, low, estimate, _ = result.signals()
    for utterance, high, _ in srbench.load_pairs(protocol, limit=1):
        print(utterance.id, len(high))
    once: Array = srbench.degrade(reference, 16000, 4000, "butter", order=4)
    raised: Array = srbench.upscale(low, 4000, to=16000, model="spline")
    values: dict[str, float] = srbench.measure(reference, estimate, 16000, metrics=["snr", "lsd"])
    score: srbench.Score = srbench.score(reference, raised, 16000, cutoff=2000)
    snr: float = srbench.METRICS["snr"](reference, raised, 16000)
    print(once, values, score.warnings, snr)
    figure = srbench.plot.distribution([result, named], metrics="snr")
    srbench.plot.save(figure, "figure.png")
    print(result.plot("spectrogram"), comparison.plot(), srbench.plot.differences(comparison))
    srbench.plot.spectrogram({"a": raised}, 16000, cutoff=2000)
    srbench.plot.spectrum({"reference": reference}, 16000, cutoff=2000)
    srbench.plot.lsd(reference, {"a": raised}, 16000, cutoff=2000)
    try:
        srbench.upscale(low, 4000, to=16000, model="nothing")
    except (srbench.UndefinedMetric, srbench.UpscalerError, srbench.SrbenchError) as error:
        print(error)


main()
tensors()
