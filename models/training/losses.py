"""The terms of the loss. Signals have shape (batch, 1, n)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

RESOLUTIONS = ((2048, 512), (1024, 256), (512, 128))  # n_fft, hop
_FLOOR = 1e-8


def mse(made: Tensor, reference: Tensor) -> Tensor:
    """Return the mean squared error, the loss of Kuleshov et al. and of Semeniuta."""
    return functional.mse_loss(made, reference)


def log_mse(made: Tensor, reference: Tensor) -> Tensor:
    """Return the mean over patches of log10 of the squared error over the power: the negative of the SNR in bel.

    Quiet patches count as much as loud ones, as they do in a mean of SNRs. Silent patches, which have none, count
    little: 1e-7 is added to both.
    """
    error = (made - reference).square().mean((1, 2)) + 1e-7
    return torch.log10(error / (reference.square().mean((1, 2)) + 1e-7)).mean()


def multi_resolution_stft(made: Tensor, reference: Tensor) -> Tensor:
    """Return spectral convergence plus the distance of log magnitudes, over resolutions (Yamamoto et al. 2020).

    The spectral convergence is ``|| |Y| - |X| || / || |Y| ||`` (Frobenius); the other term the mean absolute
    difference of natural logarithms.
    """
    total = made.new_zeros(())
    for n_fft, hop in RESOLUTIONS:
        window = torch.hann_window(n_fft, device=made.device)
        x, y = (
            torch.stft(s[:, 0].float(), n_fft, hop, window=window, return_complex=True).abs().square().clamp_min(_FLOOR)
            for s in (made, reference)
        )
        magnitude_x, magnitude_y = x.sqrt(), y.sqrt()
        convergence = torch.linalg.norm(magnitude_y - magnitude_x, dim=(1, 2)) / torch.linalg.norm(
            magnitude_y, dim=(1, 2)
        ).clamp_min(1e-2)
        total = total + convergence.mean() + 0.5 * functional.l1_loss(x.log(), y.log())
    return total / len(RESOLUTIONS)
