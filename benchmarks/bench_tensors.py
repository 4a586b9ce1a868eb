"""Metrics of a batch of tensors, 16 signals of 4 s, beside torchmetrics and beside a loop of `srbench.METRICS`."""

from __future__ import annotations

import numpy as np
import torch
from measure import Row, Work, pairs, row
from torchmetrics.functional.audio import scale_invariant_signal_distortion_ratio, signal_noise_ratio

import srbench

SIGNALS, RATE = 16, 16000
PEERS = {"snr": signal_noise_ratio, "si_sdr": scale_invariant_signal_distortion_ratio}


def rows() -> list[Row]:
    """Measure in float32, on one thread."""
    torch.set_num_threads(1)
    made = pairs(RATE)
    both = [made[number % len(made)] for number in range(SIGNALS)]
    y, x = (torch.tensor(np.stack(each), dtype=torch.float32) for each in zip(*both, strict=True))
    tensors = srbench.torch.functional

    def loop(name: str) -> Work:
        return lambda _: [srbench.METRICS[name](reference, estimate, RATE) for reference, estimate in both]

    found = []
    for name, ours in (
        ("snr", lambda _: tensors.snr(x, y)),
        ("si_sdr", lambda _: tensors.si_sdr(x, y)),
        ("mse", lambda _: tensors.mse(x, y)),
        ("lsd", lambda _: tensors.lsd(x, y, RATE)),
    ):
        what = f"srbench.torch {name}, a batch of {SIGNALS} signals of 4 s at 16 kHz"
        if name in PEERS:
            found.append(row(what, ours, "torchmetrics", lambda _, name=name: PEERS[name](x, y), [None], 1.0))
        found.append(row(what, ours, f"a loop of METRICS['{name}']", loop(name), [None], 0.2))
    return found
