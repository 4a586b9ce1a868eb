#!/usr/bin/env python3
"""Draw the spectrograms of one held-out utterance for the networks whose weights ship, into docs/figures.

    python scripts/figures.py path/to/vctk p225_355

One figure a network: the low-resolution signal, the spline, the network, the reference, as ``srbench plot spectrogram``
draws them. Needs srbench[models,plots].
"""

import argparse
from pathlib import Path

from srbench_models.weights import index

from srbench.corpora import open_corpus
from srbench.protocols import load_protocol
from srbench.report.figure import entrants_by_name, save, upscale_utterance
from srbench.report.spectrogram import draw_spectrograms, peak_db, utterance_panels
from srbench.run import Entrant

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "figures"


def main() -> None:
    """Draw one figure a network."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("utterance")
    parser.add_argument("--out", type=Path, default=FOLDER, metavar="DIR", help="docs/figures by default")
    arguments = parser.parse_args()
    protocol = load_protocol("vctk-speaker1-r4")
    utterance = open_corpus(arguments.corpus).by_id()[arguments.utterance]
    arguments.out.mkdir(exist_ok=True)
    for name in index().sha256:
        entrants = entrants_by_name([Entrant("spline"), Entrant(name.replace("-", "@"))], protocol)
        made = upscale_utterance(utterance, entrants, protocol)
        panels, _ = utterance_panels(made, protocol)
        peak = peak_db(made.reference, protocol.high_rate)
        title = f"{utterance.id} of VCTK; dashed: the cutoff, {protocol.cutoff / 1000:g} kHz"
        figure = draw_spectrograms(panels, peak, protocol.high_rate / 2, protocol.cutoff, title=title)
        save(figure, arguments.out / f"{name}.png", dpi=100)
        print(arguments.out / f"{name}.png")


if __name__ == "__main__":
    main()
