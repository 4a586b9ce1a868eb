#!/usr/bin/env python3
r"""Measure how far `srbench.torch` is from `srbench.METRICS` on real speech, and write the table of docs/metrics.md.

    python scripts/torch_agreement_table.py path/to/vctk

200 pairs: 50 recordings, from 4 to 16 kHz by four upscalers. A batch holds the four estimates of a recording, padded by
half its length, so that lengths are used too.
"""

import argparse
from itertools import islice
from pathlib import Path

import numpy as np
import torch

import srbench

PAGE = Path(__file__).resolve().parents[1] / "docs" / "metrics.md"
BEGIN, END = "<!-- tensors: made by scripts/torch_agreement_table.py -->\n", "<!-- end of tensors -->"
UPSCALERS = ("spline", "linear", "hold", "replicate")
RATE, LOW_RATE = 16000, 4000
FUNCTIONS = ("snr", "si_sdr", "mse", "lsd", "lsd_hf", "lsd_lf", "lsd_paper", "lsd_kuleshov", "lsd_tunet", "lsd_nvsr")


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--recordings", type=int, default=50)
    arguments = parser.parse_args()
    recordings = islice(srbench.load_pairs("demo", arguments.data), arguments.recordings)
    worst: dict[tuple[str, torch.dtype], float] = {}
    pairs = 0
    for _, reference, low in recordings:
        estimates = [srbench.upscale(low, LOW_RATE, RATE, name) for name in UPSCALERS]
        pairs += len(estimates)
        known = {
            name: [srbench.METRICS[name](reference, each, RATE, LOW_RATE / 2) for each in estimates]
            for name in FUNCTIONS
        }
        for name, dtype in ((name, dtype) for name in FUNCTIONS for dtype in (torch.float64, torch.float32)):
            differences = np.abs(values(name, reference, estimates, dtype) / np.array(known[name]) - 1)
            worst[name, dtype] = max(worst.get((name, dtype), 0.0), float(differences.max()))
    rows = ["| function | float64 | float32 |", "|---|---|---|"]
    rows += [
        f"| `{name}` | {worst[name, torch.float64]:.0e} | {worst[name, torch.float32]:.0e} |" for name in FUNCTIONS
    ]
    told = f"The largest relative difference from `srbench.METRICS` on {pairs} pairs of real speech:\n\n"
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    table = "\n".join(rows)
    PAGE.write_text(before + BEGIN + told + table + "\n" + END + rest.partition(END)[2], encoding="utf-8")
    print(table)


def values(name: str, reference: np.ndarray, estimates: list[np.ndarray], dtype: torch.dtype) -> np.ndarray:
    """Return a tensor metric of several estimates of one reference, padded by half their length."""
    parameters = (RATE, LOW_RATE / 2) if name in ("lsd_hf", "lsd_lf") else (RATE,) if name.startswith("lsd") else ()
    padding = len(reference) // 2
    x = torch.tensor(np.pad(np.stack(estimates), ((0, 0), (0, padding)), constant_values=1.0), dtype=dtype)
    y = torch.tensor(np.pad(reference, (0, padding)), dtype=dtype).expand_as(x)
    found = getattr(srbench.torch.functional, name)(x, y, *parameters, lengths=[len(reference)] * len(estimates))
    return np.asarray(found.double().numpy())


if __name__ == "__main__":
    main()
