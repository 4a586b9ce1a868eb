"""Run a network over a signal of any length in bounded memory: overlapping windows that together equal one pass.

A network's output depends on ``reach`` samples on either side, and moves with its input by multiples of ``stride``. A
window that starts at such a multiple and has that much context gives the samples inside it as one pass over the whole
signal would; the spline before the network gets its own context.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import numpy as np
import torch
from srbench_baselines.interpolation import spline
from torch import nn

from srbench.audio import Samples
from srbench.errors import SrbenchError

SPLINE_REACH = 64  # low-resolution samples after which a spline forgets its end: 0.27^64 is below double precision
WINDOW_SECONDS = 8.0


class Window(NamedTuple):
    """A stretch of the low-resolution signal with its context, ``[begin, end)``, of which ``[first, last)`` is kept."""

    begin: int
    end: int
    first: int
    last: int


def check_device(device: str) -> None:
    """Raise SrbenchError if torch cannot use a device here."""
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:  # torch raises the second where it was built without CUDA
        raise SrbenchError(f"device {device} cannot be used: {str(error).splitlines()[0]}") from error


def windows(length: int, step: int, margin: int) -> Iterator[Window]:
    """Cut ``length`` samples into stretches of ``step``, with up to ``margin`` of context on each side."""
    for first in range(0, length, step):
        last = min(first + step, length)
        yield Window(max(0, first - margin), min(length, last + margin), first, last)


def margins(network: Any, scale: int, low_rate: int) -> tuple[int, int, int]:
    """Return step and margin of `windows` and the unit they are multiples of, in low-resolution samples."""
    unit = network.stride // math.gcd(network.stride, scale)
    margin = math.ceil((math.ceil(network.reach / scale) + SPLINE_REACH) / unit) * unit
    step = math.ceil(max(WINDOW_SECONDS * low_rate, margin) / unit) * unit
    return step, margin, unit


def upscale_all(
    network: nn.Module,
    lows: Sequence[Samples],
    low_rate: int,
    high_rate: int,
    *,
    device: str | torch.device = "cpu",
    precision: str = "fp32",
    batch: int = 16,
) -> list[Samples]:
    """Upscale several signals; windows of equal length, whichever signal they are of, go through together.

    Parameters
    ----------
    network : Module
        In eval mode, on the device.
    lows : sequence of ndarray, shape (n,)
    low_rate, high_rate : int, in Hz
        Their ratio must be whole.
    device : str
    precision : {"fp32", "bf16"}
    batch : int
        Windows at once.

    Returns
    -------
    list of ndarray of float64, shape (n * high_rate // low_rate,)
    """
    scale = high_rate // low_rate
    step, margin, _ = margins(network, scale, low_rate)
    found = [np.empty(len(low) * scale) for low in lows]
    groups: dict[int, list[tuple[int, Window]]] = {}
    for index, low in enumerate(lows):
        for window in windows(len(low), step, margin):
            groups.setdefault(window.end - window.begin, []).append((index, window))
    for group in groups.values():
        for at in range(0, len(group), batch):
            part = group[at : at + batch]
            made = upscale_windows(
                network, [lows[i][w.begin : w.end] for i, w in part], low_rate, high_rate, device, precision
            )
            for (index, window), samples in zip(part, made, strict=True):
                kept = samples[(window.first - window.begin) * scale : (window.last - window.begin) * scale]
                found[index][window.first * scale : window.last * scale] = kept
    return found


def upscale_windows(
    network: nn.Module,
    lows: Sequence[Samples],
    low_rate: int,
    high_rate: int,
    device: str | torch.device = "cpu",
    precision: str = "fp32",
) -> list[Samples]:
    """Upscale signals of equal length in one pass, with no windows."""
    inputs = np.stack([spline.target(low, low_rate, high_rate) for low in lows]).astype(np.float32)
    with torch.inference_mode(), _precision(device, precision):
        made = network(torch.from_numpy(inputs)[:, None].to(device))
    array = made[:, 0].float().cpu().numpy().astype(np.float64)
    return list(array)


def _precision(device: str | torch.device, precision: str) -> AbstractContextManager[Any]:
    if precision == "fp32":
        return nullcontext()
    return torch.autocast(torch.device(device).type, dtype=torch.bfloat16)
