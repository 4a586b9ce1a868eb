"""Metrics of batches of tensors, on any device, with gradients.

Each function takes ``(estimate, reference)``, in the order of torch's losses and torchmetrics; everything in srbench
that takes arrays has the reference first. Signals have shape (batch, time), float32 or float64, full scale 1.0. The
result has shape (batch,), one value per signal, of the same type. The definitions are those of `srbench.METRICS`, which
the values agree with as the table in docs/metrics.md says.

``lengths`` (whole numbers, shape (batch,)) mark padded batches: what lies behind a signal's end does not count. A
signal without a value (a silent reference, too short for a frame) gives NaN, where `srbench.METRICS` raises
`UndefinedMetric`. NaN in a signal gives NaN, and is not looked for, since that would wait for the GPU.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from srbench.metrics import lsd as _lsd
from srbench.torch.batch import Lengths, batch_of
from srbench.torch.spectra import log_spectral_distance

__all__ = [
    *("lsd", "lsd_hf", "lsd_kuleshov", "lsd_lf", "lsd_nvsr", "lsd_paper", "lsd_tunet"),
    *("mse", "si_sdr", "snr"),
]


def snr(estimate: Tensor, reference: Tensor, *, lengths: Lengths = None) -> Tensor:
    """Return the signal-to-noise ratio in dB: 10 log10(sum y² / sum (y - x)²), +inf for equal signals.

    Parameters
    ----------
    estimate, reference : Tensor, shape (batch, time)
    lengths : sequence of int or Tensor, shape (batch,), optional

    Returns
    -------
    Tensor, shape (batch,)

    Raises
    ------
    SrbenchError
        For shapes, types or lengths that do not fit.

    Examples
    --------
    >>> reference = torch.ones(2, 8000)
    >>> snr(0.9 * reference, reference).round(decimals=2)
    tensor([20., 20.])
    """
    x, y, _ = batch_of(estimate, reference, lengths)
    signal, noise = _by_row(lambda x, y: (_energy(y), _energy(y - x)), x, y)
    return torch.where(signal > 0, _db(signal, noise), torch.nan)


def si_sdr(estimate: Tensor, reference: Tensor, *, lengths: Lengths = None) -> Tensor:
    """Return the scale-invariant signal-to-distortion ratio in dB, with no mean removal (Le Roux et al. 2019).

    Parameters
    ----------
    estimate, reference : Tensor, shape (batch, time)
    lengths : sequence of int or Tensor, shape (batch,), optional

    Returns
    -------
    Tensor, shape (batch,)
        NaN where the reference or the estimate is silent.

    Raises
    ------
    SrbenchError
        For shapes, types or lengths that do not fit.

    Examples
    --------
    >>> time = torch.arange(8000) / 8000
    >>> reference = torch.sin(2 * torch.pi * 100 * time)[None]
    >>> noise = torch.cos(2 * torch.pi * 100 * time)[None]
    >>> si_sdr(0.5 * (reference + 0.1 * noise), reference).round(decimals=2)
    tensor([20.])
    """
    x, y, _ = batch_of(estimate, reference, lengths)
    energy, other, product = _by_row(lambda x, y: (_energy(y), _energy(x), torch.linalg.vecdot(x, y)), x, y)
    silent = (energy == 0) | (other == 0)
    energy = torch.where(silent, 1.0, energy)
    share = product / energy  # of y in x
    (distortion,) = _by_row(lambda x, y, a: (_energy(torch.addcmul(x, a, y, value=-1)),), x, y, share[:, None])
    return torch.where(silent, torch.nan, _db(share.square() * energy, distortion))


def mse(estimate: Tensor, reference: Tensor, *, lengths: Lengths = None) -> Tensor:
    """Return the mean squared error, in squares of full scale.

    Parameters
    ----------
    estimate, reference : Tensor, shape (batch, time)
    lengths : sequence of int or Tensor, shape (batch,), optional

    Returns
    -------
    Tensor, shape (batch,)

    Raises
    ------
    SrbenchError
        For shapes, types or lengths that do not fit.

    Examples
    --------
    >>> mse(torch.zeros(1, 4), torch.tensor([[1.0, 1.0, 9.0, 9.0]]), lengths=[2])
    tensor([1.])
    """
    batch = batch_of(estimate, reference, lengths)
    (error,) = _by_row(lambda x, y: (_energy(y - x),), batch.estimate, batch.reference)
    return error / batch.counts


def lsd(estimate: Tensor, reference: Tensor, sample_rate: int, *, lengths: Lengths = None) -> Tensor:
    """Return the log-spectral distance of NU-Wave, AERO and AP-BWE; see `srbench.METRICS` ``["lsd"]``.

    Parameters
    ----------
    estimate, reference : Tensor, shape (batch, time)
    sample_rate : int, in Hz
    lengths : sequence of int or Tensor, shape (batch,), optional

    Returns
    -------
    Tensor, shape (batch,)
        NaN where the reference is silent or has no more than 1024 samples.

    Raises
    ------
    SrbenchError
        For shapes, types or lengths that do not fit.

    Examples
    --------
    >>> reference = torch.randn(2, 16000, generator=torch.Generator().manual_seed(0))
    >>> lsd(0.1 * reference, reference, 16000).round(decimals=3)  # log10 of 100
    tensor([2., 2.])
    """
    return log_spectral_distance(batch_of(estimate, reference, lengths), _lsd.nuwave(sample_rate))


def lsd_hf(estimate: Tensor, reference: Tensor, sample_rate: int, cutoff: float, *, lengths: Lengths = None) -> Tensor:
    """Return `lsd` above the cutoff in Hz (half the low rate): the band that the upscaler made."""
    return log_spectral_distance(batch_of(estimate, reference, lengths), _lsd.above(sample_rate, cutoff))


def lsd_lf(estimate: Tensor, reference: Tensor, sample_rate: int, cutoff: float, *, lengths: Lengths = None) -> Tensor:
    """Return `lsd` below the cutoff in Hz: the band that the upscaler was given."""
    return log_spectral_distance(batch_of(estimate, reference, lengths), _lsd.below(sample_rate, cutoff))


def lsd_paper(estimate: Tensor, reference: Tensor, sample_rate: int, *, lengths: Lengths = None) -> Tensor:
    """Return the log-spectral distance as Semeniuta 2019 eq. (3) reads: `lsd` with the natural logarithm."""
    return log_spectral_distance(batch_of(estimate, reference, lengths), _lsd.paper(sample_rate))


def lsd_kuleshov(estimate: Tensor, reference: Tensor, sample_rate: int, *, lengths: Lengths = None) -> Tensor:
    """Return the log-spectral distance of the code of Kuleshov et al. 2017, capped at 10."""
    return log_spectral_distance(batch_of(estimate, reference, lengths), _lsd.kuleshov(sample_rate))


def lsd_tunet(estimate: Tensor, reference: Tensor, sample_rate: int, *, lengths: Lengths = None) -> Tensor:
    """Return the log-spectral distance of TUNet's code."""
    return log_spectral_distance(batch_of(estimate, reference, lengths), _lsd.tunet(sample_rate))


def lsd_nvsr(estimate: Tensor, reference: Tensor, sample_rate: int, *, lengths: Lengths = None) -> Tensor:
    """Return the log-spectral distance of NVSR (ssr_eval); in float32 its tiny floor lets rounding through."""
    return log_spectral_distance(batch_of(estimate, reference, lengths), _lsd.nvsr(sample_rate))


def _by_row(measure: Callable[..., tuple[Tensor, ...]], *signals: Tensor) -> tuple[Tensor, ...]:
    """Measure a batch; on the CPU signal by signal, since one stays in the cache, which takes half the time."""
    if signals[0].device.type != "cpu":
        return measure(*signals)
    rows = [measure(*row) for row in zip(*(each.unbind() for each in signals), strict=True)]
    return torch.stack([value for row in rows for value in row]).view(len(rows), -1).unbind(1)


def _energy(signal: Tensor) -> Tensor:
    energy: Tensor = torch.linalg.vecdot(signal, signal)
    return energy


def _db(numerator: Tensor, denominator: Tensor) -> Tensor:
    return 10 * (torch.log10(numerator) - torch.log10(denominator))
