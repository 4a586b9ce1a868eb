"""Run a network over a signal of any length in bounded memory: overlapping windows that together equal one pass.

A network's output depends on ``reach`` samples on either side, and moves with its input by multiples of ``stride``. A
window that starts at such a multiple and has that much context gives the samples inside it as one pass over the whole
signal would; the spline before the network gets its own context.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import torch
from srbench_baselines.interpolation import spline
from srbench_models.convnext_bwe import ConvNeXtBWE, whole
from torch import nn

from srbench.audio import Rate, Samples, resample
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


def margins(network: Any, low_rate: Rate, high_rate: int) -> tuple[int, int, int]:
    """Return step and margin of `windows` and the unit they are multiples of, in low-resolution samples.

    A window that begins at a multiple of the unit begins at a frame of the network and at a sample of the target.
    """
    if isinstance(network, ConvNeXtBWE):
        work = network.working_rate(high_rate)
        stride, reach, ends = network.stride(work), network.reach(work), network.input_reach
        if work != high_rate:
            reach += network.input_reach
    else:
        work, stride, reach, ends = high_rate, network.stride, network.reach, SPLINE_REACH
    scale = Fraction(work) / Fraction(low_rate)
    unit = math.lcm((scale / stride).denominator, (Fraction(high_rate) / Fraction(low_rate)).denominator)
    margin = math.ceil((math.ceil(reach / scale) + ends) / unit) * unit
    step = math.ceil(max(WINDOW_SECONDS * low_rate, margin) / unit) * unit
    return step, margin, unit


def upscale_all(
    network: nn.Module,
    lows: Sequence[Samples],
    low_rate: Rate,
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
    low_rate : int or Fraction, in Hz
    high_rate : int, in Hz
        Their ratio must be whole, but for a `ConvNeXtBWE`.
    device : str
    precision : {"fp32", "bf16"}
    batch : int
        Windows at once.

    Returns
    -------
    list of ndarray of float64, shape (n * high_rate // low_rate,)
    """
    scale = Fraction(high_rate) / Fraction(low_rate)
    step, margin, _ = margins(network, low_rate, high_rate)
    found = [np.empty(int(len(low) * scale)) for low in lows]
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
                first, last = int(window.first * scale), int(window.last * scale)
                begin = int(window.begin * scale)
                found[index][first:last] = samples[first - begin : last - begin]
    return found


def upscale_windows(
    network: nn.Module,
    lows: Sequence[Samples],
    low_rate: Rate,
    high_rate: int,
    device: str | torch.device = "cpu",
    precision: str = "fp32",
) -> list[Samples]:
    """Upscale signals of equal length in one pass, with no windows."""
    told: tuple[Any, ...] = ()
    if isinstance(network, ConvNeXtBWE):
        work = network.working_rate(high_rate)
        raised = [network.raised(low, low_rate, work) for low in lows]
        told = torch.full((len(lows),), float(low_rate) / 2, device=device), work
    else:
        work, raised = high_rate, [spline.target(low, low_rate, high_rate) for low in lows]
    inputs = torch.from_numpy(np.stack(raised).astype(np.float32))[:, None].to(device)
    with torch.inference_mode(), _precision(device, precision):
        made = network(inputs, *told)[:, 0].float().cpu().numpy().astype(np.float64)
    if work == high_rate:
        return list(made)
    length = int(len(lows[0]) * Fraction(high_rate) / Fraction(low_rate))
    return [whole(resample(each, work, high_rate), length) for each in made]


def _precision(device: str | torch.device, precision: str) -> AbstractContextManager[Any]:
    if precision == "fp32":
        return nullcontext()
    return torch.autocast(torch.device(device).type, dtype=torch.bfloat16)
