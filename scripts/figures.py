#!/usr/bin/env python3
"""Draw the spectrograms of one held-out utterance for the networks whose weights ship, into docs/figures.

    python scripts/figures.py path/to/vctk p225_355

Four panels as in the papers: the low-resolution signal, the spline, the network, the reference; one colour scale, the
cutoff drawn. Needs matplotlib.
"""

import argparse
from pathlib import Path

import matplotlib
import numpy as np
from scipy.signal import ShortTimeFFT
from srbench_baselines.interpolation import spline
from srbench_models.inference import upscale_all
from srbench_models.weights import index, load_weights

from srbench import audio
from srbench.corpora import open_corpus
from srbench.metrics import Pair, measure_all
from srbench.protocols import load_protocol, prepare

matplotlib.use("Agg")
from matplotlib import pyplot as plt

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "figures"
RANGE_DB = 80


def main() -> None:
    """Draw one figure a network."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("utterance")
    arguments = parser.parse_args()
    protocol = load_protocol("vctk-speaker1-r4")
    utterance = open_corpus(arguments.corpus).by_id()[arguments.utterance]
    prepared = prepare(*audio.read(utterance.path), protocol)
    rates = int(protocol.low_rate), protocol.high_rate
    raised = spline.target(prepared.low, *rates)
    FOLDER.mkdir(exist_ok=True)
    for name in index().sha256:
        made = upscale_all(load_weights(*name.split("-"))[0], [prepared.low], *rates)[0]
        panels = [
            ("low resolution", prepared.low, rates[0]),
            ("spline", raised, rates[1]),
            (name, made, rates[1]),
            ("reference", prepared.reference, rates[1]),
        ]
        draw(panels, prepared.reference, protocol, f"{utterance.id} of VCTK", FOLDER / f"{name}.png")


def draw(panels: list, reference: np.ndarray, protocol: object, title: str, path: Path) -> None:
    """Draw the panels side by side: time to the right in seconds, frequency upwards in Hz."""
    figure, axes = plt.subplots(1, len(panels), figsize=(11, 3.2), sharey=True, layout="constrained")
    top = level(reference, protocol.high_rate)[0].max()
    for axis, (name, samples, rate) in zip(axes, panels, strict=True):
        db, seconds = level(samples, rate)
        image = axis.imshow(
            db - top,
            origin="lower",
            aspect="auto",
            cmap="magma",
            vmin=-RANGE_DB,
            vmax=0,
            extent=(0, seconds, 0, rate / 2),
            interpolation="nearest",
        )
        axis.set_facecolor("black")
        axis.axhline(protocol.cutoff, color="white", linewidth=0.6, linestyle="--")
        axis.set(ylim=(0, protocol.high_rate / 2), xlabel="time (s)")
        axis.set_title(name + scores(reference, samples, protocol), fontsize=9)
    axes[0].set_ylabel("frequency (Hz)")
    figure.colorbar(image, ax=axes, label="dB below the reference's peak")
    figure.suptitle(title, fontsize=9)
    figure.savefig(path, dpi=110)
    plt.close(figure)
    print(path)


def level(samples: np.ndarray, rate: int) -> tuple[np.ndarray, float]:
    """Return the power spectrogram in dB of frames of 32 ms every 8 ms, and the duration in seconds.

    The window sums to one, so that a tone has the same level at any rate.
    """
    size = int(0.032 * rate)
    transform = ShortTimeFFT(np.hanning(size + 1)[:-1] / (size / 2), int(0.008 * rate), rate)
    power = np.abs(transform.stft(samples, p0=0, p1=transform.upper_border_begin(len(samples))[1])) ** 2
    return 10 * np.log10(power + 1e-12), len(samples) / rate


def scores(reference: np.ndarray, samples: np.ndarray, protocol: object) -> str:
    """Return SNR and LSD in brackets, where there are some."""
    if len(samples) != len(reference) or np.array_equal(samples, reference):
        return ""
    pair = Pair(reference, samples, protocol.high_rate, protocol.cutoff)
    values, _ = measure_all(pair, protocol.define_metrics(("snr", "lsd")))
    return f"\nSNR {values['snr']:.1f} dB, LSD {values['lsd']:.2f}"


if __name__ == "__main__":
    main()
