"""The log-spectral distance of a batch, in every convention that `srbench.metrics.lsd` defines."""

from __future__ import annotations

import re
from math import log

import torch
from torch import Tensor
from torch.nn import functional

from srbench.errors import SrbenchError
from srbench.metrics.lsd import Lsd
from srbench.torch.batch import Batch

_FLOOR = re.compile(r"(max|add|ratio)(.+)")


def log_spectral_distance(batch: Batch, definition: Lsd) -> Tensor:
    """Return the distance of each pair of a batch by one definition.

    Parameters
    ----------
    batch : Batch
    definition : srbench.metrics.lsd.Lsd

    Returns
    -------
    Tensor, shape (batch,)
        NaN where the reference is silent or too short for a frame.
    """
    if not definition.center or definition.pad != "reflect":
        raise SrbenchError("the log-spectral distance of tensors has centred frames, extended by reflection")
    half, hop = definition.n_fft // 2, definition.hop
    size, time = batch.reference.shape
    if time <= half:
        return batch.reference.new_full((size,), torch.nan)
    counts = torch.as_tensor(batch.counts, device=batch.reference.device)
    low, high = definition.bins()
    both = torch.cat((batch.reference, batch.estimate))
    r, e = power_spectra(both, counts.repeat(2) if counts.ndim else counts, definition).chunk(2)
    squared = _squared(r[:, :, low:high], e[:, :, low:high], definition.floor)
    frames = (counts + 2 * half - definition.n_fft) // hop + 1
    inside = torch.arange(squared.shape[1], device=squared.device) < frames.reshape(-1, 1)  # (1 or batch, frames)
    scale = (1.0 if definition.log == "10" else log(10.0)) * (1.0 if definition.of == "power" else 0.5)
    if definition.pool == "rms_f.mean_t":
        roots = _root(scale**2 * squared.mean(dim=2) + definition.eps)
        value = torch.where(inside, roots, 0.0).sum(dim=1) / frames
    else:
        kept = torch.where(inside[:, :, None], squared, 0.0).sum(dim=1) / frames.reshape(-1, 1)
        value = _root(scale**2 * kept + definition.eps).mean(dim=1)
    if definition.clip is not None:
        value = value.clamp(max=definition.clip)
    undefined = (batch.reference.detach() == 0).all(dim=1) | (counts <= half)
    return torch.where(undefined, torch.nan, value)


def power_spectra(signal: Tensor, counts: Tensor, definition: Lsd) -> Tensor:
    """Return |STFT|², shape (batch, frames, bins), under a periodic Hann window.

    Parameters
    ----------
    signal : Tensor, shape (batch, time)
    counts : Tensor, shape () or (batch,)
        The samples of each signal; where they differ, each is extended at its own end.
    definition : Lsd
    """
    half = definition.n_fft // 2
    extended = _reflected(signal, counts, half) if counts.ndim else functional.pad(signal, (half, half), mode="reflect")
    window = torch.hann_window(definition.n_fft, dtype=signal.dtype, device=signal.device)
    frames = extended.unfold(1, definition.n_fft, definition.hop) * window
    spectra = torch.fft.rfft(frames)  # torch.stft takes three times as long
    return torch.addcmul(spectra.real.square(), spectra.imag, spectra.imag)


def _reflected(signal: Tensor, counts: Tensor, half: int) -> Tensor:
    """Extend each signal by reflection at its start and at its own end; what follows is zero."""
    time = signal.shape[1]
    place = torch.arange(-half, time + half, device=signal.device).abs()
    last = counts[:, None] - 1
    place = torch.where(place > last, 2 * last - place, place)
    beyond = place < 0
    return torch.gather(signal, 1, place.clamp(min=0)).masked_fill(beyond, 0.0)


def _squared(r: Tensor, e: Tensor, floor: str) -> Tensor:
    """Return (log10 r - log10 e)² of powers, kept finite by a floor as `Lsd` has it."""
    kind, text = _FLOOR.fullmatch(floor).groups()  # type: ignore[union-attr]
    amount = float(text)
    if kind == "max":
        return (r.clamp(min=amount) / e.clamp(min=amount)).log10().square()
    if kind == "add":
        return ((r + amount) / (e + amount)).log10().square()
    amplitude = _root(e) + amount
    return (r / amplitude.square() + amount).log10().square()


def _root(values: Tensor) -> Tensor:
    """Return the square root, whose gradient at 0 is 0: two equal signals must not break a training."""
    positive = values > 0
    return torch.where(positive, torch.where(positive, values, 1.0).sqrt(), 0.0)
