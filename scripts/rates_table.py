#!/usr/bin/env python3
r"""Measure upscalers on every pair of rates of the named protocols, and write the table of docs/models.md.

    python scripts/rates_table.py path/to/vctk --speakers p225,p240 --per-speaker 2

Prints the real-time factor of each too, on one core. Only recordings at 48 kHz are used, so that all protocols have the
same ones. Splits are not looked at: name speakers that no weights were trained on.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from srbench import audio
from srbench.corpora import open_corpus
from srbench.metrics import Pair, measure_all
from srbench.protocols import load_protocol, prepare, protocol_names
from srbench.upscaler import build_upscaler

PAGE = Path(__file__).resolve().parents[1] / "docs" / "models.md"
BEGIN, END = "<!-- rates: made by scripts/rates_table.py -->\n", "<!-- end of rates -->"
MODELS = ("hold", "spline", "sinc", "replicate", "convnext_bwe")
METRICS = {"snr": 2, "lsd": 3, "lsd_hf": 3, "pesq": 2, "estoi": 3}


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--speakers", required=True)
    parser.add_argument("--per-speaker", type=int, default=2)
    parser.add_argument("--model", action="append", default=[], help="in place of the usual ones")
    parser.add_argument("--protocol", action="append", default=[], help="in place of all")
    arguments = parser.parse_args()
    models = {name: build_upscaler(name)[0] for name in arguments.model or MODELS}
    recordings = []
    for speaker in arguments.speakers.split(","):
        own = [u for u in open_corpus(arguments.data).utterances if u.speaker == speaker]
        wide = [u for u in own if audio.info(u.path).sample_rate == 48000]
        recordings += [audio.read(u.path) for u in wide[: arguments.per_speaker]]
    names = [m.partition("@")[0] for m in models]
    rows = [f"| protocol | metric | {' | '.join(f'`{n}`' for n in names)} |", "|---|---|" + "---|" * len(models)]
    for protocol_name in arguments.protocol or [p for p in protocol_names() if p != "demo"]:
        protocol = load_protocol(protocol_name)
        metrics = [m for m in METRICS if m not in ("pesq", "estoi") or protocol.high_rate == 16000]
        definitions = protocol.define_metrics(tuple(metrics))
        pairs = [prepare(*recording, protocol) for recording in recordings]
        found, factors = [], []
        for built in models.values():
            built.check_rates(protocol.low_rate, protocol.high_rate)
            begun = time.process_time()
            made = [built(p.low, protocol.low_rate, protocol.high_rate) for p in pairs]
            spent = time.process_time() - begun
            factors.append(sum(map(len, made)) / protocol.high_rate / spent)
            scored = [
                measure_all(Pair(p.reference, e, protocol.high_rate, protocol.cutoff), definitions)[0]
                for p, e in zip(pairs, made, strict=True)
            ]
            found.append({m: np.mean([each[m] for each in scored if m in each]) for m in metrics})
        rows += [
            f"| {f'`{protocol_name}`' if m == metrics[0] else ''} | {m} | "
            + " | ".join(f"{each[m]:.{METRICS[m]}f}" for each in found)
            + " |"
            for m in metrics
        ]
        print("\n".join(rows[-len(metrics) :]), "x " + " ".join(f"{f:.0f}" for f in factors), sep="\n", flush=True)
    if not arguments.protocol and not arguments.model:
        head, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        PAGE.write_text(f"{head}{BEGIN}\n" + "\n".join(rows) + f"\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()
